"""Metric rows from a file of predictions, whatever the task: overall, by group, with clusters where they are named."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import answers, multiclass, regression, segmentation, survival
from compliance.core import predictions as binary
from compliance.core.intervals import Sampling
from compliance.errors import InvalidInput
from compliance.kinds.evaluation import Predictions
from compliance.kinds.metrics import KNOWN
from compliance.services import cases as reading
from compliance.services.cases import Cases
from compliance.services.reading import read_table

if TYPE_CHECKING:
    from numpy import ndarray

Row = dict[str, Any]


def read(path: Path, told: Predictions) -> Cases:
    """Return the cases of a file. Raises InvalidInput, Unavailable."""
    return reading.read(read_table(path), told)


def rows(
    cases: Cases,
    told: Predictions,
    *,
    threshold: float,
    seed: int = 0,
    group: dict[str, str] | None = None,
    members: "ndarray[Any, Any] | None" = None,
    level: str = "0.95",
) -> list[Row]:
    """Return the metric rows of all cases, or of the `members` of a `group`."""
    arrays, clusters = cases.arrays, cases.clusters
    if members is not None:
        arrays = {name: values[members] for name, values in arrays.items()}
        clusters = None if clusters is None else clusters[members]
    sampling = Sampling(level, seed, clusters)
    if told.task == "multiclass":
        return multiclass.metric_rows(arrays["truth"], arrays["score"], cases.classes, sampling, group)
    if told.task == "regression":
        return regression.metric_rows(arrays["truth"], arrays["score"], sampling, group, told.scale)
    if told.task == "survival":
        horizon = float(told.horizon) if told.horizon else None
        event = arrays["truth"] == 1
        return survival.metric_rows(arrays["time"], event, arrays["score"], sampling, group, horizon)
    if told.task == "segmentation":
        found: list[Row] = []
        for name, values in arrays.items():
            better = "lower" if KNOWN[name].better == "lower" else "higher"
            found += segmentation.metric_rows(name, values, better, sampling, group)  # type: ignore[arg-type]
        return found
    if told.task in ("choice", "graded"):
        return _answers(cases, told, arrays, sampling, group)
    truth, score = arrays["truth"], arrays["score"].astype(float)
    return binary.metric_rows(truth, score, threshold, group=group, level=level, seed=seed, clusters=clusters)


def _answers(
    cases: Cases,
    told: Predictions,
    arrays: "Mapping[str, ndarray[Any, Any]]",
    sampling: Sampling,
    group: dict[str, str] | None,
) -> list[Row]:
    import numpy as np

    shared: Row = ({"group": group} if group else {}) | {"origin": "computed"}
    choice = told.task == "choice"
    grade = (arrays["truth"] == arrays["score"]).astype(float) if choice else arrays["score"]
    together = sampling
    if "question" in arrays and sampling.clusters is None:
        # answers to one question are no independent cases; questions are, unless a cluster says otherwise
        together = Sampling(sampling.level, sampling.seed, np.unique(arrays["question"], return_inverse=True)[1])
    found = answers.graded(grade, choice or cases.whole_grades, together, shared)
    if told.k:
        if not (choice or cases.whole_grades):
            raise InvalidInput(
                "pass@k counts right answers, but the grades are not all 0 or 1.", remedy="Leave out --k."
            )
        found += answers.pass_at(grade, arrays["question"], told.k, sampling, shared)
    if "human" in arrays:
        both = np.isfinite(arrays["human"])
        if both.any():
            found += answers.agreement(grade[both], arrays["human"][both], together.of(both), shared)
    return found


def further(
    cases: Cases, told: Predictions, *, threshold: float, seed: int, group: dict[str, str], members: Any, level: str
) -> list[Row]:
    """Return figures of two classes that are not logged by default, but that others claim."""
    if told.task not in (None, "binary"):
        return []
    sampling = Sampling(level, seed, cases.clusters).of(members)
    truth, score = (cases.arrays[name][members] for name in ("truth", "score"))
    return binary.further_rows(truth, score.astype(float), threshold, sampling, group or None)


def by_group(cases: Cases, told: Predictions, groups: Sequence[str], **options: Any) -> list[Row]:
    """Return the metric rows of all cases, then of every group of every column."""
    found = rows(cases, told, **options)
    for group, members in cases.grouped(groups):
        found += rows(cases, told, group=group, members=members, **options)
    return found


def described(cases: Cases, told: Predictions, threshold: str) -> dict[str, Any]:
    """Return what stands beside the metric rows: tables, curves, calibration."""
    arrays = cases.arrays
    if told.task == "multiclass":
        return {"classes": multiclass.table(arrays["truth"], arrays["score"], cases.classes)}
    if told.task == "survival" and told.horizon:
        bins = survival.reliability(arrays["time"], arrays["truth"] == 1, arrays["score"], float(told.horizon))
        return {"calibration": [{"n": len(cases.rows), "bins": bins}]}
    if told.task not in (None, "binary"):
        return {}
    truth, score, cut = arrays["truth"], arrays["score"].astype(float), float(threshold)
    tables: list[dict[str, Any]] = [{"threshold": threshold, **_counts(truth, score, cut)}]
    for group, members in cases.grouped(told.groups or ()):
        tables.append({"group": group, "threshold": threshold, **_counts(truth[members], score[members], cut)})
    points = binary.roc_points(truth, score)
    curve = [{"name": "roc", "n": len(truth), "positives": int(truth.sum()), "points": points}]
    return {
        "confusion": tables,
        **({"curves": curve} if points else {}),
        "calibration": [{"n": len(truth), "bins": binary.reliability(truth, score)}],
    }


def _counts(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", cut: float) -> Mapping[str, int]:
    table = binary.confusion(truth, score, cut)
    return {"tp": table.tp, "fp": table.fp, "tn": table.tn, "fn": table.fn}


def accounted(cases: Cases, told: Predictions) -> dict[str, Any]:
    """Return how many cases there are, were used and lack a value, and that the record is incomplete where any do."""
    missing = cases.missing
    if told.task == "segmentation":
        none = cases.table.rows - len(cases.rows)
        counted = {"missing_score": none, "missing_truth": 0}
    else:
        lost = missing.get("truth", 0) + missing.get("time", 0)
        counted = {"missing_score": missing["score"], "missing_truth": lost}
    found: dict[str, Any] = {
        "accountability": {"enrolled": cases.table.rows, "analysed": len(cases.rows), **counted},
    }
    if lacking := ", ".join(f"{n} without {name}" for name, n in missing.items() if n):
        what = "Cases that lack a measure" if told.task == "segmentation" else "Rows left out of the figures"
        found |= {"completeness": "incomplete", "completeness_reason": f"{what}: {lacking}."}
    return found
