"""Figures of a classification into several classes, from a table of truth by prediction.

Averages over classes are scikit-learn's (`average="macro"`, `"micro"`, `"weighted"`, `zero_division=0`), over the
classes that occur in truth or prediction; agreement beyond chance is Cohen's kappa (Educational and Psychological
Measurement 20 (1960) 37-46), correlation the Matthews coefficient for several classes (Gorodkin, Computational
Biology and Chemistry 28 (2004) 367-374). Each class is also held against the rest, as the group {class: NAME}.
"""

from typing import TYPE_CHECKING, Any

from compliance.core.intervals import SMALL_CLASS, Row, Sampling, Statistic, bootstrap, flagged, share

if TYPE_CHECKING:
    from numpy import ndarray

CLASS = "class"
"""The group attribute that names a class held against the rest."""
AVERAGES = (
    "balanced_accuracy",
    *(f"{name}_{over}" for over in ("macro", "micro", "weighted") for name in ("precision", "recall", "f1")),
    "cohen_kappa",
    "mcc",
)


def metric_rows(
    truth: "ndarray[Any, Any]",
    predicted: "ndarray[Any, Any]",
    classes: list[str],
    sampling: Sampling,
    group: dict[str, str] | None = None,
) -> list[Row]:
    """Return the metric rows of one group of cases; `truth` and `predicted` are positions in `classes`."""
    shared: Row = ({"group": group} if group else {}) | {"origin": "computed"}
    rows = [{"name": "accuracy", **shared, **share(truth == predicted, sampling)}]
    drawn = bootstrap(averages(truth, predicted, len(classes)), len(truth), sampling)
    rows += [{"name": name, **shared, "n": len(truth), **row} for name, row in zip(AVERAGES, drawn, strict=False)]
    found = flagged(rows)
    for at, (name, of_class) in enumerate(zip(classes, drawn[len(AVERAGES) :], strict=True)):
        found += _one_against_rest(truth == at, predicted == at, sampling, shared, name, of_class)
    return found


def _one_against_rest(
    is_it: "ndarray[Any, Any]", said: "ndarray[Any, Any]", sampling: Sampling, shared: Row, name: str, f1: Row
) -> list[Row]:
    own = shared | {"group": {**shared.get("group", {}), CLASS: name}}
    n, positives = len(is_it), int(is_it.sum())
    rows = [
        {"name": "sensitivity", **own, **share(said, sampling, is_it)},
        {"name": "specificity", **own, **share(~said, sampling, ~is_it)},
        {"name": "ppv", **own, **share(is_it, sampling, said)},
        {"name": "npv", **own, **share(~is_it, sampling, ~said)},
        {"name": "f1", **own, "n": n, "positives": positives, **f1},
    ]
    return flagged(rows, positives < SMALL_CLASS or n - positives < SMALL_CLASS)


def table(truth: "ndarray[Any, Any]", predicted: "ndarray[Any, Any]", classes: list[str]) -> list[Row]:
    """Return how cases of each class were predicted, as counts."""
    import numpy as np

    size = len(classes)
    counts = np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)
    return [
        {"truth": name, "predicted": dict(zip(classes, map(int, row), strict=True))}
        for name, row in zip(classes, counts, strict=True)
    ]


def averages(truth: "ndarray[Any, Any]", predicted: "ndarray[Any, Any]", size: int) -> Statistic:
    """Return the statistic of AVERAGES and, after them, the F1 of every class."""
    import numpy as np

    cells = truth * size + predicted
    order = np.argsort(cells, kind="stable")
    present, starts = np.unique(cells[order], return_index=True)

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        flat = np.zeros((len(weights), size * size))
        flat[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
        return _from_tables(flat.reshape(-1, size, size))

    return statistic


def _from_tables(tables: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
    import numpy as np

    n = tables.sum(axis=(1, 2))
    hit = np.diagonal(tables, axis1=1, axis2=2)
    true, said = tables.sum(axis=2), tables.sum(axis=1)
    right, occurs = hit.sum(axis=1), true + said > 0
    by_class = {
        "precision": _ratio(hit, said, 0.0),
        "recall": _ratio(hit, true, 0.0),
        "f1": _ratio(2 * hit, true + said, 0.0),
    }
    told = {"balanced_accuracy": _ratio(by_class["recall"].sum(axis=1), (true > 0).sum(axis=1))}
    for name, values in by_class.items():
        told[f"{name}_macro"] = (values * occurs).sum(axis=1) / occurs.sum(axis=1)
        told[f"{name}_micro"] = right / n
        told[f"{name}_weighted"] = (values * true).sum(axis=1) / n
    chance = (true * said).sum(axis=1)
    told["cohen_kappa"] = _ratio(n * right - chance, n * n - chance)
    spread = np.sqrt((n * n - (true**2).sum(axis=1)) * (n * n - (said**2).sum(axis=1)))
    told["mcc"] = _ratio(n * right - chance, spread)
    of_class = np.where(occurs, by_class["f1"], np.nan)
    return np.column_stack([*(told[name] for name in AVERAGES), of_class])


def _ratio(above: "ndarray[Any, Any]", below: "ndarray[Any, Any]", otherwise: float | None = None) -> Any:
    import numpy as np

    start = np.full(below.shape, np.nan if otherwise is None else otherwise)
    return np.divide(above, below, out=start, where=below > 0)
