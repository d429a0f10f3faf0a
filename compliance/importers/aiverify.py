"""AI Verify: a fairness test's result, or its output alone, becomes a safety result about bias, a row per group.

Groups are index values of the sensitive features, in the order that the file names these. The output alone tells
neither algorithm, model, data nor time. Rates that must add up to one are added up; a file that contradicts itself is
incomplete.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, UnreadableError, no_result
from compliance.importers.metrics import Row, Rows
from compliance.importers.source import Source
from compliance.importers.values import label, listing, mapping, number, utc, word

TOOL = "AI Verify"

_OUTPUT = {"sensitive_feature", "output_classes", "results"}
_IDEAL = {"Disparate Impact": "1", "Equal Selection Parity": "0"}
_TOGETHER = (("sensitivity", "false_negative_rate"), ("specificity", "false_positive_rate"))
"""Of one group these add up to one."""


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and (
        data.keys() >= _OUTPUT or {"gid", "cid", "testArguments", "output"} <= data.keys()
    )


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    whole = "output" in data
    output = mapping(data["output"], "output") if whole else data
    arguments = mapping(data.get("testArguments") or {}, "testArguments") if whole else {}
    name = word(data.get("cid")) if whole else None
    if not output.keys() >= _OUTPUT:
        raise UnreadableError(f"The output of {name or 'this algorithm'} is of a sort that is not taken over.")
    return Reading(
        records=[_record(output, name)],
        tool_version=word(data.get("version")) if whole else None,
        started_at=utc(data.get("startTime")) if whole else None,
        clock=(data.get("startTime"),) if whole else (),
        model=word(arguments.get("modelFile") or arguments.get("modelPath")),
        notes=[] if whole else ["The file is a test's output alone: algorithm, model and data are not in it."],
    )


def _record(output: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    features = [str(feature) for feature in listing(output["sensitive_feature"], "sensitive_feature")]
    classes = listing(output["output_classes"], "output_classes")
    results = listing(output["results"], "results")
    rows = Rows()
    for position, result in enumerate(results):
        about = str(classes[position]) if position < len(classes) else str(position)
        for metric, values in mapping(result, "a result").items():
            for value in listing(values, metric):
                group = _group(features, mapping(value, metric)["group"]) | {"output_class": about}
                row = rows.add(metric, value.get("metric"), group=group)
                if row is not None and metric in _IDEAL:
                    row["ideal"] = _IDEAL[metric]
    title = f"fairness by {', '.join(features)}"
    gaps = [*rows.gaps]
    if len(results) != len(classes):
        gaps.append(f"There are results for {len(results)} of {len(classes)} output classes.")
    if not rows.rows:
        return no_result(TOOL, title, "No figure could be taken over.", gaps)
    return {
        "kind": "safety-result",
        "category": "bias",
        "title": f"{TOOL}: {title}" + (f" ({name})" if name else ""),
        "metrics": rows.rows,
        "gaps": [*gaps, *_contradictions(rows.rows)],
        "summary": " ".join(rows.notes()),
    }


def _group(features: list[str], indexes: Any) -> dict[str, str]:
    """Return the group that index values stand for; two values of one feature are two groups compared."""
    values = [str(index) for index in listing(indexes, "group")]
    if len(features) == len(values):
        return {label(feature): value for feature, value in zip(features, values, strict=True)}
    return {"_and_".join(label(feature) for feature in features)[:60]: " and ".join(values)[:200]}


def _contradictions(rows: list[Row]) -> Iterator[str]:
    by_group: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for row in rows:
        if "value" in row:
            by_group.setdefault(tuple(sorted(row["group"].items())), {})[row["name"]] = row["value"]
    for group, told in by_group.items():
        for one, other in _TOGETHER:
            if one in told and other in told and abs(float(told[one]) + float(told[other]) - 1) > 1e-6:
                where = ", ".join(f"{key} {value}" for key, value in group)
                total = number(round(float(told[one]) + float(told[other]), 6))
                yield f"The file contradicts itself: {one} and {other} of {where} add up to {total}, not to 1."


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"sensitive_feature"', b'"output_classes"'),))
