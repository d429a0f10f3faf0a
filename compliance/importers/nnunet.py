"""nnU-Net: a `summary.json` becomes one evaluation, rows by label or region, computed again from its cases.

Figures are means over cases. A case where neither reference nor prediction holds the label has no Dice (bare `NaN`) and
drops out of the mean: n counts the cases that have one. With `chill`, cases without prediction are dropped silently,
which the file does not show: `--cases` says how many there should be, and without it no record is complete. Version,
model, dataset and date are not in it, and the folders that it names are withheld with the cases. Older files (version
1) hold `results`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from compliance.core.statistics import decimal
from compliance.importers.base import Given, Importer, Reading, no_result, of_all, unaccounted
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import label, listing, mapping, number, utc, word

TOOL = "nnU-Net"

_KEYS = {"foreground_mean", "mean", "metric_per_case"}
_FIGURES = {
    "Dice": "dice", "IoU": "iou", "Jaccard": "iou", "Precision": "precision_by_voxel", "Recall": "recall_by_voxel",
    "Accuracy": "accuracy_by_voxel", "Hausdorff Distance 95": "hausdorff_95",
}  # fmt: skip
"""Figures that are taken over; the rest count voxels. Shares of voxels are no shares of cases."""
_CLOSE = Fraction(1, 10**6)


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and (data.keys() >= _KEYS or _is_first(data))


def _is_first(data: Mapping[str, Any]) -> bool:
    """Say whether this is the file of version 1: results of all cases and their mean."""
    results = data.get("results")
    return isinstance(results, dict) and results.keys() >= {"all", "mean"} and isinstance(results["all"], list)


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    if _is_first(data):
        held = mapping(data["results"], "results")
        cases = [_first_case(mapping(case, "a case")) for case in listing(held["all"], "all")]
        foreground: Mapping[str, Any] = {}
    else:
        held, foreground = data, mapping(data["foreground_mean"], "foreground_mean")
        per_case = listing(data["metric_per_case"], "metric_per_case")
        cases = [mapping(mapping(case, "a case")["metrics"], "metrics") for case in per_case]
    mean = {name: mapping(one, name) for name, one in mapping(held["mean"], "mean").items()}
    rows = Rows()
    contradictions = [] if cases else ["The file holds no case."]
    for region, figures in mean.items():
        contradictions += _add(rows, region, figures, [mapping(case.get(region) or {}, region) for case in cases])
    for name in ("Dice", "IoU"):
        if number(foreground.get(name)) is not None:
            rows.add(_FIGURES[name], foreground[name], note=f"Mean over the {len(mean)} labels' means.")
    if not rows.rows:
        return Reading(records=[no_result(TOOL, "a summary without figures", "No label has a figure.")])
    whole = _is_first(data) or given.cases is not None  # version 1 refuses to run while a prediction is missing
    missing = sum(1 for case in cases for one in case.values() if number(one.get("Dice")) is None)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: segmentation of {', '.join(_shown(region) for region in mean)}, {of_all(len(cases), given)}",
        "task": word(data.get("task")) or "segmentation",
        "unit_of_analysis": "image",
        "metrics": rows.rows,
        "method": "Means over the cases that have a figure; voxels are not counted together.",
        "gaps": [*rows.gaps, *contradictions, *([] if whole else [unaccounted(len(cases))])],
    }
    return Reading(
        records=[record],
        started_at=utc(data.get("timestamp")),
        clock=(data.get("timestamp"),),
        cases=len(cases),
        model=word(data.get("name")),
        withheld=f"{len(cases)} cases with their files' names" if cases else None,
        notes=[f"{missing} figures of single cases are no number and not part of a mean."] if missing else [],
    )


def _first_case(case: Mapping[str, Any]) -> dict[str, Any]:
    return {name: figures for name, figures in case.items() if isinstance(figures, dict)}


def _add(rows: Rows, region: str, figures: Mapping[str, Any], cases: list[dict[str, Any]]) -> Iterator[str]:
    """Add a label's means, each held against its cases; yield what does not agree."""
    group = {"label": _shown(region)}
    for name, ours in _FIGURES.items():
        if name not in figures:
            continue
        told = [Fraction(value) for case in cases if (value := number(case.get(name))) is not None]
        better = None if ours in ("dice", "iou", "hausdorff_95") else "higher"
        stated = number(figures[name])
        rows.add(ours, figures[name], group=group, n=len(told) or None, better=better)
        if stated is None or not told:
            continue
        again = sum(told, Fraction(0)) / len(told)
        if abs(again - Fraction(stated)) > _CLOSE:
            yield f"{name} of {_shown(region)} is stated as {stated}, but its {len(told)} cases give {decimal(again)}."


def _shown(region: str) -> str:
    """Return a label, or the labels of a region: `(1, 2)` is `1+2`."""
    return "+".join(part.strip() for part in region.strip("()").split(",") if part.strip())[:200] or label(region)


_MARKS = ((b'"foreground_mean"', b'"metric_per_case"'),)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
