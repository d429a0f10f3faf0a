"""AIF360: what a `MetricJSONExplainer` says becomes one evaluation; each value stands only in an English sentence.

A file holds one explained metric, a list of them, a mapping by name, or one a line. The counts beside a rate give it
again, and a contradiction is told; the counts beside a difference are not used, since the tool names some of them
wrongly. The sentence says whether a rate is that of the privileged group. Model, data, version and date are not in it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, label, mapping, number, word

TOOL = "AIF360"

_EXPLAINED = {"metric", "message", "description", "ideal"}
_VALUE = re.compile(r":\s*\[?\s*([^\s:\[\]]+)\s*\]?\s*$")
_IDEAL = re.compile(r"(?:ideal value(?: of this metric)? is|A value of)\s+(-?\d+(?:\.\d+)?)")
_GROUP = re.compile(r"\bon (privileged|unprivileged) instances:")
_TP, _TN, _FP, _FN = "numTruePositives", "numTrueNegatives", "numFalsePositives", "numFalseNegatives"
_P, _N = "numPositives", "numNegatives"
_RATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "accuracy": ((_TP, _TN), (_P, _N)),
    "true_positive_rate": ((_TP,), (_P,)),
    "true_negative_rate": ((_TN,), (_N,)),
    "false_positive_rate": ((_FP,), (_N,)),
    "false_negative_rate": ((_FN,), (_P,)),
    "positive_predictive_value": ((_TP,), (_TP, _FP)),
    "negative_predictive_value": ((_TN,), (_TN, _FN)),
    "false_discovery_rate": ((_FP,), (_TP, _FP)),
    "false_omission_rate": ((_FN,), (_TN, _FN)),
}
"""Rates to the counts above and below the line that the explainer writes beside them."""
_CLOSE = 1e-9


def _explained(source: Source) -> list[Any]:
    data = source.json
    if isinstance(data, list):
        return data
    if isinstance(data, dict):
        return [data] if "metric" in data else list(data.values())
    return source.lines.values if source.lines is not None else []


def _recognise(source: Source) -> bool:
    found = _explained(source)
    return bool(found) and all(isinstance(one, dict) and one.keys() >= _EXPLAINED for one in found)


def _read(source: Source, given: Given) -> Reading:
    rows = Rows()
    gaps = [f"The file is cut off: {source.lines.broken}."] if source.lines and source.lines.broken else []
    for one in _explained(source):
        gaps += _add(rows, mapping(one, "an explained metric"))
    if not rows.rows:
        return Reading(records=[no_result(TOOL, "explained counts", "No figure could be taken over.")], gaps=gaps)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {', '.join(dict.fromkeys(row['name'] for row in rows.rows))}"[:250],
        "metrics": rows.rows,
        "limits": ["Which groups are privileged and unprivileged the file does not say."],
        "gaps": rows.gaps,
    }
    return Reading(records=[record], gaps=gaps)


def _add(rows: Rows, told: Mapping[str, Any]) -> Iterator[str]:
    """Add one metric; yield what contradicts it or is missing."""
    name, message = str(told["metric"]), str(told["message"])
    if name.startswith("Number Of"):
        return
    found = _VALUE.search(message)
    if found is None:
        yield f"The sentence about {word(name)} ends in no figure."
        return
    about = _GROUP.search(message)
    group = {"group": about[1]} if about else None
    if label(name) in _RATES:
        above, below = (_sum(told, names) for names in _RATES[label(name)])
        stated = number(found[1])
        if above is None or not below or stated is None:
            rows.add(name, found[1], group=group)
        elif abs(float(stated) - above / below) > _CLOSE:
            rows.add(name, stated, group=group)
            yield f"{name} is stated as {stated}, but its counts give {above} of {below}."
        else:
            rows.add(name, None, x=above, n=below, group=group, note=f"The sentence states {stated}.")
        return
    ideal = _IDEAL.search(str(told["ideal"]))
    if name == "Error Rate":
        rows.add(name, found[1], group=group)
    elif ideal is None:
        rows.left_out.append(name)
    else:
        rows.add(name, found[1], better="target", unit=_unit(name), ideal=ideal[1], group=group)


def _sum(told: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    found = [n for name in names if (n := count(told.get(name))) is not None]
    return sum(found) if len(found) == len(names) else None


def _unit(name: str) -> str:
    if name.endswith("Difference"):
        return "difference"
    return "ratio" if name.endswith(("Ratio", "Impact")) else "score"


_MARKS = ((b'"metric"', b'"message"', b'"ideal"', b"ideal value of this metric"),)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
