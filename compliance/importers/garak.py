"""garak: the `report.jsonl` of a scan becomes one safety result per sort of harm, a row per probe and detector.

A report that neither says when the scan ended nor carries its digest is cut off, although garak may have ended with
exit code 0; an aggregated report carries the digest alone. `nones`, outputs that a detector could not judge, are no
passes. Intervals are exact ones from the counts, since the report's own say nothing where nothing failed. Prompts and
outputs stay in the original.
"""

from collections.abc import Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, listing, mapping, number, some, utc, word

TOOL = "garak"

_CATEGORIES = {
    "ansiescape": "input-handling",
    "apikey": "privacy",
    "atkgen": "toxicity",
    "badchars": "robustness",
    "continuation": "toxicity",
    "divergence": "privacy",
    "exploitation": "cybersecurity",
    "fileformats": "supply-chain",
    "glitch": "robustness",
    "grandma": "misuse",
    "leakreplay": "privacy",
    "malwaregen": "misuse",
    "misleading": "misinformation",
    "packagehallucination": "supply-chain",
    "phrasing": "misuse",
    "realtoxicityprompts": "toxicity",
    "smuggling": "misuse",
    "snowball": "misinformation",
    "topic": "misuse",
    "web_injection": "cybersecurity",
    "xss": "cybersecurity",
    "lmrc.Bullying": "toxicity",
    "lmrc.Deadnaming": "bias",
    "lmrc.Profanity": "toxicity",
    "lmrc.QuackMedicine": "misinformation",
    "lmrc.SexualContent": "toxicity",
    "lmrc.Sexualisation": "toxicity",
    "lmrc.SlurUsage": "toxicity",
}
"""Probe, or the family before its point, to what it looks for; the rest are attacks: `adversarial`."""
_COMPLETED = 2
"""An attempt's status once its detectors have judged it."""


def _recognise(source: Source) -> bool:
    return (
        source.lines is not None
        and isinstance(first := source.lines.values[0], dict)
        and first.get("entry_type") == "start_run setup"
    )


def _read(source: Source, given: Given) -> Reading:
    lines = source.lines
    assert lines is not None
    by_type: dict[str, list[dict[str, Any]]] = {}
    for value in lines.values:
        entry = mapping(value, "a line of the report")
        by_type.setdefault(str(entry.get("entry_type")), []).append(entry)
    setup = by_type["start_run setup"][0]
    began = by_type.get("init", [{}])[0]
    attempts = by_type.get("attempt", [])
    gaps = [f"The report is cut off: {lines.broken}"] if lines.broken else []
    if "completion" not in by_type and "digest" not in by_type:
        gaps.append("The report has neither a completion nor a digest: the scan did not end, or the file is cut off.")
    known = {_attempt(entry) for entry in attempts}
    if left := len(known - {_attempt(entry) for entry in attempts if entry.get("status") == _COMPLETED}):
        gaps.append(f"{left} attempts were not judged to their end.")
    evals = by_type.get("eval", [])
    records = _records(evals, gaps)
    if not records:
        gaps.append("No probe was evaluated.")
        records = [no_result(TOOL, "a scan without a result", "It holds no figure.")]
    ended = by_type.get("completion", [{}])[0].get("end_time")
    return Reading(
        records=records,
        tool_version=word(began.get("garak_version") or setup.get("_config.version")),
        started_at=utc(began.get("start_time")),
        ended_at=utc(ended),
        clock=(began.get("start_time"), ended),
        model=_target(setup),
        gaps=gaps,
        withheld=f"{some(len(known), 'attempt')} with prompts and outputs" if known else None,
        notes=[*_repeated(setup), *_uncounted(evals, attempts)],
    )


def _repeated(setup: Mapping[str, Any]) -> list[str]:
    """Say where several outputs answer one prompt."""
    times = count(setup.get("run.generations")) or 1
    if times == 1:
        return []
    return [f"Each prompt was asked {times} times: such outputs are not independent, and intervals are wider in truth."]


def _uncounted(evals: list[dict[str, Any]], attempts: list[dict[str, Any]]) -> list[str]:
    """Say where a report counts more outputs than it holds, as aggregated and trimmed reports do."""
    held: dict[str, int] = {}
    for entry in attempts:
        if entry.get("status") == _COMPLETED:
            probe = str(entry.get("probe_classname"))
            held[probe] = held.get(probe, 0) + len(listing(entry.get("outputs", []), "outputs"))
    return [
        f"The report counts {told} outputs of {probe} and holds {held.get(probe, 0)}."
        for entry in evals
        if (told := count(entry.get("total_processed"))) and told > held.get(probe := str(entry["probe"]), 0)
    ]


def _attempt(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(entry.get("uuid")), str(entry.get("seq")), str(entry.get("probe_classname"))


def _target(setup: Mapping[str, Any]) -> str | None:
    parts = [setup.get(f"plugins.{new}") or setup.get(f"plugins.{old}") for new, old in (
        ("target_type", "model_type"), ("target_name", "model_name"))]  # fmt: skip
    return word(" ".join(str(part) for part in parts if part))


def _category(probe: str) -> str:
    return _CATEGORIES.get(probe) or _CATEGORIES.get(probe.partition(".")[0], "adversarial")


def _records(evals: list[dict[str, Any]], gaps: list[str]) -> list[dict[str, Any]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for entry in evals:
        grouped.setdefault(_category(str(entry["probe"])), []).append(entry)
    return [_record(category, grouped[category]) for category in sorted(grouped)]


def _record(category: str, evals: list[dict[str, Any]]) -> dict[str, Any]:
    rows = Rows()
    gaps = []
    for entry in evals:
        probe, detector = str(entry["probe"]), str(entry["detector"]).removeprefix("detector.")
        passed, nones = count(entry["passed"]), count(entry.get("nones", 0)) or 0
        evaluated = count(entry.get("total_evaluated", entry.get("total")))
        if passed is None or evaluated is None or passed > evaluated:
            raise ValueError(f"{probe} counts {entry['passed']} passes of {evaluated}")
        if nones:
            gaps.append(f"{probe} with {detector}: {nones} outputs were not judged, which is no pass.")
        if evaluated == 0:
            gaps.append(f"{probe} with {detector}: nothing was evaluated.")
            continue
        rows.add(
            "attack_success_rate",
            None,
            group={"probe": probe[:200], "detector": detector[:200]},
            x=evaluated - passed,
            n=evaluated,
            note=_interval(entry),
        )
    if len({row["group"]["probe"] for row in rows.rows}) == len(rows.rows) > 0:
        # One detector a probe: no output is counted twice, so there is a figure over all of them.
        rows.add(
            "attack_success_rate", None, x=sum(row["x"] for row in rows.rows), n=sum(row["n"] for row in rows.rows)
        )
    if not rows.rows:
        return no_result(TOOL, f"{category}, nothing evaluated", "No output was evaluated.", gaps)
    probes = sorted({row["group"]["probe"] for row in rows.rows if "group" in row})
    return {
        "kind": "safety-result",
        "category": category,
        "title": f"{TOOL}: {category}, {', '.join(probes)}",
        "benchmark": {"name": f"{TOOL} probes"},
        "metrics": rows.rows,
        "gaps": [*gaps, *rows.gaps],
        "attacks": [{"name": probe, "source": TOOL} for probe in probes],
        "judge": {"kind": "rule", "name": "garak detectors"},
    }


def _interval(entry: Mapping[str, Any]) -> str | None:
    """Say which interval the report states. It is a bootstrap's: from 0 to 0 where nothing failed, so ours stands."""
    low, high = number(entry.get("confidence_lower")), number(entry.get("confidence_upper"))
    level, method = number(entry.get("confidence")), word(entry.get("confidence_method"))
    if low is None or high is None:
        return None
    return f"The report states {low} to {high} (level {level or 'not stated'}, {method or 'method not stated'})."


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"entry_type"', b'"start_run setup"'),))
