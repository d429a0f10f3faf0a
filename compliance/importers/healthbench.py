"""HealthBench (simple-evals): a metrics file or an `_allresults.json` becomes one evaluation, rows by axis and theme.

The files name neither model, grader, data version nor date. How many examples were left out (`--examples`) they do
not say, so the count is held against the sizes of the published sets. Scores are clipped to 0..1, and a tag whose
criteria all take points away has none: it is missing from the metrics, not passed. `_allresults.json` holds each
rubric item, and from these the overall score is computed again. A grade is a model's opinion, and no proportion.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from compliance.core.statistics import decimal
from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, listing, mapping, number, word

TOOL = "HealthBench"

_SIZES = {5000: "HealthBench", 3671: "HealthBench Consensus", 3670: "HealthBench Consensus", 1000: "HealthBench Hard"}
"""Examples of the published sets; sources count the consensus set differently by one."""
_OVERALL = "overall_score"
_PARTS = (":n_samples", ":bootstrap_std")
_CLOSE = Fraction(1, 10**6)


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict):
        return False
    found = data.get("metrics") if "metadata" in data else data
    return (
        isinstance(found, dict)
        and _OVERALL in found
        and any(isinstance(name, str) and name.startswith(("axis:", "theme:", "level:")) for name in found)
    )


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    whole = "metadata" in data
    metrics = mapping(data["metrics"] if whole else data, "metrics")
    n = count(metrics.get(f"{_OVERALL}:n_samples"))
    rows = Rows()
    for name, value in sorted(metrics.items()):
        if name.endswith(_PARTS) or name == "score":
            continue
        rows.add("rubric_score", value, better="higher", unit="score", **_row(metrics, name))
    gaps = list(_gaps(n))
    examples: list[dict[str, Any]] = []
    if whole:
        told = mapping(data["metadata"] or {}, "metadata").get("example_level_metadata")
        examples = [mapping(one, "an example") for one in listing(told or [], "example_level_metadata")]
        gaps += _contradictions(examples, metrics, n)
    if not rows.rows:
        return Reading(records=[no_result(TOOL, "a run without scores", "No score is in the file.")], gaps=gaps)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: rubric scores",
        "task": "answers to health conversations, graded against physicians' rubrics",
        "benchmark": {"name": TOOL, **({"items": n} if n else {})},
        "setting": "benchmark",
        "unit_of_analysis": "conversation",
        "metrics": rows.rows,
        "method": "A model grades each rubric item; points met over points possible, mean clipped to 0..1.",
        "limits": [
            "The grader is a model that the file does not name.",
            f"Which set was run the file does not say; {_SIZES.get(n or 0, 'none of the sets')} has as many examples.",
            "A tag whose criteria all take points away has no score in the file.",
        ],
        "gaps": rows.gaps,
    }
    return Reading(
        records=[record],
        gaps=gaps,
        withheld=f"{len(examples)} conversations with answers and grades" if examples else None,
    )


def _row(metrics: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return group, examples and the bootstrap's standard error of a metric."""
    sort, _, tag = name.partition(":")
    return {
        "group": None if name == _OVERALL else {"tag": f"{sort}: {tag}"[:200] if tag else name[:200]},
        "n": count(metrics.get(f"{name}:n_samples")) or None,
        "standard_error": metrics.get(f"{name}:bootstrap_std"),
    }


def _gaps(n: int | None) -> Iterator[str]:
    if n is None:
        yield "The file does not say how many examples were run."
    elif n not in _SIZES and not any(n % size == 0 for size in _SIZES):
        yield f"{n} examples were run, which is no whole set: the published ones have 5000, 3671 and 1000."


def _contradictions(examples: list[dict[str, Any]], metrics: Mapping[str, Any], n: int | None) -> Iterator[str]:
    """Compute the score again from the rubric items; what is missing or does not agree is told."""
    if n is not None and len(examples) != n:
        yield f"The file counts {n} examples and holds {len(examples)}."
    scores = []
    for example in examples:
        items = [mapping(item, "a rubric item") for item in listing(example.get("rubric_items") or [], "rubric_items")]
        if any(not isinstance(item.get("criteria_met"), bool) for item in items):
            yield f"The example {word(example.get('prompt_id')) or '?'} has rubric items without a grade."
            return
        points = [(Fraction(str(item["points"])), item["criteria_met"]) for item in items]
        possible = sum((worth for worth, _ in points if worth > 0), Fraction(0))
        if possible:
            scores.append(sum((worth for worth, met in points if met), Fraction(0)) / possible)
    stated = number(metrics.get(_OVERALL))
    if stated is None or not scores:
        return
    again = min(max(sum(scores, Fraction(0)) / len(scores), Fraction(0)), Fraction(1))
    if abs(again - Fraction(stated)) > _CLOSE:
        yield f"The score is stated as {stated}, but the {len(scores)} examples give {decimal(again)}."


_MARKS = ((b'"example_level_metadata"', b'"rubric_items"'), (b'"overall_score:bootstrap_std"',))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
