"""Figures of a predicted quantity: size of errors, variance explained, and agreement after Bland and Altman.

Bias and limits of agreement are mean difference and mean difference -+ 1.96 standard deviations; where cases are
independent their intervals are the paper's (Bland and Altman, Lancet 327 (1986) 307-310), else whole clusters are
resampled. The difference is predicted less true.
"""

import math
from typing import TYPE_CHECKING, Any

from compliance.core.intervals import SMALL_N, Row, Sampling, Statistic, beside, bootstrap, flagged, stated
from compliance.core.statistics import normal_quantile

if TYPE_CHECKING:
    from numpy import ndarray

ERRORS = ("mae", "rmse", "r2")
AGREEMENT = ("bland_altman_bias", "limit_of_agreement_low", "limit_of_agreement_high")
LIMITS = normal_quantile("0.95")
"""Standard deviations from the bias to a limit of agreement, whatever the level of the intervals."""


def metric_rows(
    truth: "ndarray[Any, Any]",
    predicted: "ndarray[Any, Any]",
    sampling: Sampling,
    group: dict[str, str] | None = None,
    scale: str | None = None,
) -> list[Row]:
    """Return the metric rows of one group of cases; `scale` is the unit that truth and prediction are in."""
    n = len(truth)
    shared: Row = ({"group": group} if group else {}) | {"origin": "computed", "n": n}
    measured = {"scale": scale} if scale else {}
    drawn = bootstrap(_statistic(truth, predicted), n, sampling)
    rows = [{"name": name, **shared, **row} for name, row in zip(ERRORS, drawn, strict=False)]
    by_paper = _bland_altman(predicted - truth, sampling.level)
    for name, row in zip(AGREEMENT, drawn[len(ERRORS) :], strict=True):
        whole = by_paper.get(name, row) if sampling.clusters is None else beside(row, by_paper.get(name, {}))
        rows.append({"name": name, **shared, "ideal": "0", **whole})
    return flagged([row | (measured if row["name"] != "r2" else {}) for row in rows], n < SMALL_N)


def _bland_altman(difference: "ndarray[Any, Any]", level: str) -> dict[str, Row]:
    """Return bias and limits with the paper's intervals; nothing where fewer than two cases show no spread."""
    from scipy.special import stdtrit

    n = len(difference)
    if n < 2:
        return {}
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stdtrit(n - 1, 0.5 + float(level) / 2))
    error, of_limit = spread / math.sqrt(n), spread * math.sqrt(3 / n)
    found = (bias, error), (bias - LIMITS * spread, of_limit), (bias + LIMITS * spread, of_limit)
    return {
        name: stated(value, value - t * se, value + t * se, level, "t")
        for name, (value, se) in zip(AGREEMENT, found, strict=True)
    }


def _statistic(truth: "ndarray[Any, Any]", predicted: "ndarray[Any, Any]") -> Statistic:
    import numpy as np

    difference = predicted - truth
    # sums of squares about a middle value lose fewer digits than about 0
    centred, moved = truth - truth.mean(), difference - difference.mean()

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        n = weights.sum(axis=1)
        lost = weights @ difference**2
        of_all = weights @ centred**2 - (weights @ centred) ** 2 / n
        explained = np.divide(lost, of_all, out=np.full(len(n), np.nan), where=of_all > _RELATIVE * (n * _size(truth)))
        shift = weights @ moved / n
        variance = np.divide(weights @ moved**2 - n * shift**2, n - 1, out=np.full(len(n), np.nan), where=n > 1)
        spread = np.sqrt(np.maximum(variance, 0))
        bias = shift + difference.mean()
        return np.column_stack(
            [
                weights @ np.abs(difference) / n, np.sqrt(lost / n), 1 - explained,
                bias, bias - LIMITS * spread, bias + LIMITS * spread,
            ]
        )  # fmt: skip

    return statistic


_RELATIVE = 1e-24
"""Variance below this share of the values' square is rounding, not spread."""


def _size(values: "ndarray[Any, Any]") -> float:
    return float((values**2).max()) or 1.0
