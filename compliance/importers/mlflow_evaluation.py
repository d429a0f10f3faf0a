"""MLflow: what `EvaluationResult.save()` wrote, or its `metrics.json` alone, becomes an evaluation.

The four counts of a binary classifier are its confusion table, and shares are counted from them again; a contradiction
is told. Judges' and language metrics keep their names without `/v1/mean`; spreads and percentiles are not taken over.
The file names neither model, dataset, time nor version: where the run is still there, `compliance capture` says more.
Plots and tables in the folder stay where they are, and no address in its list of artifacts is opened.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source, member
from compliance.importers.values import count, mapping, number

TOOL = "MLflow"

_FILES = ("metrics.json", "artifacts_metadata.json")
_N = "example_count"
_CONFUSION = {"tp": "true_positives", "fp": "false_positives", "tn": "true_negatives", "fn": "false_negatives"}
_NAMES = {
    "accuracy_score": "accuracy", "recall_score": "recall", "precision_score": "precision", "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse", "mean_absolute_percentage_error": "mape", "precision_recall_auc": "pr_auc",
}  # fmt: skip
_BETTER = {"mse": "lower", "mape": "lower"}
_OF_DATA = {"sum_on_target", "mean_on_target", "sum_on_label", "mean_on_label", _N, *_CONFUSION.values()}
"""Entries that describe the data or stand in the confusion table."""
_SPREAD = re.compile(r"/(variance|p90|p\d+|ratio_std)$")
_MEAN = re.compile(r"(/v\d+)?(/mean)?$")


def _metrics(source: Source) -> Any:
    if source.is_folder:
        return member(source.files, _FILES[0]) if set(_FILES) <= source.files.keys() else None
    return source.json


def _recognise(source: Source) -> bool:
    if source.is_folder:
        return set(_FILES) <= source.files.keys()
    data = source.json
    return isinstance(data, dict) and _N in data and len(data) > 1 and not any(map(_nested, data.values()))


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _read(source: Source, given: Given) -> Reading:
    metrics = mapping(_metrics(source), _FILES[0])
    n = count(metrics.get(_N)) or None
    table = {short: count(metrics.get(name)) for short, name in _CONFUSION.items()}
    confusion = {short: x for short, x in table.items() if x is not None} if None not in table.values() else {}
    rows, gaps = Rows(), []
    if n is None:
        gaps.append("The file does not say how many examples were evaluated.")
    elif confusion and sum(confusion.values()) != n:
        gaps.append(f"The confusion table holds {sum(confusion.values())} of {n} examples.")
    for name, value in metrics.items():
        if name not in _OF_DATA and not _SPREAD.search(name):
            gaps += _add(rows, _MEAN.sub("", name), value, n, confusion)
    originals = [name for name in _FILES if name in source.files] if source.is_folder else None
    if not rows.rows:
        record = no_result(TOOL, "an evaluation without figures", "No figure could be taken over.", gaps)
        return Reading(records=[record], originals=originals)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {', '.join(row['name'] for row in rows.rows)}"[:250],
        "unit_of_analysis": "example",
        "metrics": rows.rows,
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
        **({"confusion": [confusion]} if confusion else {}),
    }
    return Reading(records=[record], originals=originals)


def _add(rows: Rows, name: str, value: Any, n: int | None, confusion: Mapping[str, int]) -> Iterator[str]:
    """Add a figure, from the confusion table where that gives it; yield what contradicts it."""
    ours = _NAMES.get(name, name)
    above, below = _shares(confusion).get(ours, (0, 0))
    stated = number(value)
    if below and stated is not None:
        if abs(float(stated) - above / below) < 1e-9:
            rows.add(ours, None, x=above, n=below, note=f"The file states {stated}.")
            return
        yield f"{name} is stated as {stated}, but the confusion table gives {above} of {below}."
    rows.add(ours, value, better=_BETTER.get(ours), n=n)


def _shares(table: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    if not table:
        return {}
    tp, fp, tn, fn = (table[name] for name in ("tp", "fp", "tn", "fn"))
    return {"accuracy": (tp + tn, tp + fp + tn + fn), "recall": (tp, tp + fn), "precision": (tp, tp + fp)}


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"example_count"', b'"accuracy_score"'),))
