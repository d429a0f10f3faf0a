"""Figures from predictions: discrimination, calibration, decisions; each with its interval or the reason for none.

Arrays in, decimal strings out; numpy is imported where it is used, because the rest of the core must stay quick.
The AUC's variance is DeLong's (Biometrics 44 (1988) 837-845) by mid-ranks (Sun and Xu, IEEE Signal Processing
Letters 21 (2014) 1389-1393). Calibration is logistic recalibration (Cox 1958): slope 1 and intercept 0 are ideal.
"""

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from compliance.core.statistics import Confusion, clopper_pearson, decimal, normal_quantile

if TYPE_CHECKING:
    from numpy import ndarray

SMALL_N = 10
SMALL_CLASS = 5
"""Below these, a figure is flagged as small: shown, but nothing to lean on."""
BINS = 10
CURVE_POINTS = 100
RESAMPLES = 2000
_CHUNK = 2_000_000
"""Resampled values held in memory at once."""
_FULL = 1e-12


def confusion(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", threshold: float) -> Confusion:
    """Count cases by truth and decision; a score at the threshold counts as positive."""
    positive = score >= threshold
    return Confusion(
        tp=int((positive & (truth == 1)).sum()),
        fp=int((positive & (truth == 0)).sum()),
        tn=int((~positive & (truth == 0)).sum()),
        fn=int((~positive & (truth == 1)).sum()),
    )


def delong(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]") -> tuple[float, float]:
    """Return the area under the ROC curve and its variance. Both classes must be there, each twice for a variance."""
    positives, negatives = score[truth == 1], score[truth == 0]
    m, n = len(positives), len(negatives)
    among_all = midranks(score)
    v10 = (among_all[truth == 1] - midranks(positives)) / n
    v01 = 1 - (among_all[truth == 0] - midranks(negatives)) / m
    variance = v10.var(ddof=1) / m + v01.var(ddof=1) / n if min(m, n) > 1 else math.nan
    return float(v10.mean()), float(variance)


def midranks(values: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
    """Return each value's rank from 1, ties sharing the middle of theirs."""
    import numpy as np

    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: np.ndarray[Any, Any] = (last - (counts - 1) / 2)[inverse]
    return ranks


def brier(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]") -> float:
    """Return the mean squared distance between predicted risk and outcome."""
    return float(((score - truth) ** 2).mean())


def bootstrap_mean(
    values: "ndarray[Any, Any]", level: str = "0.95", *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the percentile interval of a mean. The same seed gives the same interval, on any machine."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    at_once = max(1, _CHUNK // len(values))
    means = np.concatenate(
        [
            values[generator.integers(0, len(values), (min(at_once, resamples - done), len(values)))].mean(axis=1)
            for done in range(0, resamples, at_once)
        ]
    )
    tail = (1 - float(level)) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def recalibration(
    truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]"
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return (slope, standard error) and (intercept in the large, standard error), or None where no fit exists.

    The intercept is fitted with the slope held at 1. A risk of 0 or 1 has no logit and is moved inside by 1e-12.
    """
    import numpy as np

    logit = np.log(np.clip(score, _FULL, 1 - _FULL)) - np.log1p(-np.clip(score, _FULL, 1 - _FULL))
    slope = _fit(np.column_stack([np.ones_like(logit), logit]), truth, np.zeros_like(logit))
    intercept = _fit(np.ones((len(logit), 1)), truth, logit)
    if slope is None or intercept is None:
        return None
    return (slope[0][1], slope[1][1]), (intercept[0][0], intercept[1][0])


def _fit(
    design: "ndarray[Any, Any]", truth: "ndarray[Any, Any]", offset: "ndarray[Any, Any]"
) -> tuple[list[float], list[float]] | None:
    """Fit a logistic regression by Newton's steps; None where it does not settle (separated or constant data)."""
    import numpy as np

    beta = np.zeros(design.shape[1])
    for _ in range(100):
        eta = design @ beta + offset
        p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        information = design.T @ (design * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (truth - p))
        except np.linalg.LinAlgError:
            return None
        beta = beta + step
        if not np.isfinite(beta).all() or np.abs(beta).max() > 1e3:
            return None
        if np.abs(step).max() < 1e-10:
            errors = np.sqrt(np.diag(np.linalg.inv(information)))
            return beta.tolist(), errors.tolist()
    return None


def metric_rows(
    truth: "ndarray[Any, Any]",
    score: "ndarray[Any, Any]",
    threshold: float,
    *,
    group: dict[str, str] | None = None,
    level: str = "0.95",
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return the metric rows of one group of cases, as the kind `evaluation` records them."""
    n, positives = len(truth), int((truth == 1).sum())
    small = n < SMALL_N or positives < SMALL_CLASS or n - positives < SMALL_CLASS
    shared = ({"group": group} if group else {}) | {"origin": "computed"}
    rows = [
        {"name": name, **shared, **_proportion(x, cases, level)}
        for name, (x, cases) in confusion(truth, score, threshold).counts().items()
    ]
    of_all = {**shared, "n": n, "positives": positives}
    rows.append({"name": "prevalence", **shared, **_proportion(positives, n, level)})
    rows.append({"name": "roc_auc", **of_all, **_auc(truth, score, level)})
    rows.append({"name": "brier", **of_all, **_brier(truth, score, level, seed)})
    rows += [{"name": name, **of_all, **rest} for name, rest in _calibration(truth, score, level).items()]
    return [row | ({"small": True} if small or row.get("n", 0) < SMALL_N else {}) for row in rows]


def _proportion(x: int, n: int, level: str) -> dict[str, Any]:
    if n == 0:
        return {"reason": "no case to count: the denominator is 0"}
    low, high = clopper_pearson(x, n, level)
    return {
        "x": x, "n": n, "value": decimal(Fraction(x, n)), "ci_low": low, "ci_high": high, "ci_level": level,
        "ci_method": "clopper-pearson",
    }  # fmt: skip


def _stated(value: float, low: float, high: float, level: str, method: str) -> dict[str, Any]:
    return {
        "value": decimal(value), "ci_low": decimal(low), "ci_high": decimal(high), "ci_level": level,
        "ci_method": method,
    }  # fmt: skip


def _one_class(truth: "ndarray[Any, Any]") -> str | None:
    if truth.min() == truth.max():
        return f"every case is {'positive' if truth[0] == 1 else 'negative'}: both classes are needed"
    return None


def _auc(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str) -> dict[str, Any]:
    if reason := _one_class(truth):
        return {"reason": reason}
    area, variance = delong(truth, score)
    if not variance > 0:
        return {"value": decimal(area), "reason": "DeLong's variance is 0 or undefined here, so it gives no interval"}
    half = normal_quantile(level) * math.sqrt(variance)
    row = _stated(area, max(0.0, area - half), min(1.0, area + half), level, "delong")
    return row | {"standard_error": decimal(math.sqrt(variance))}


def _brier(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str, seed: int) -> dict[str, Any]:
    value = brier(truth, score)
    low, high = bootstrap_mean((score - truth) ** 2, level, seed=seed)
    row = _stated(value, min(low, value), max(high, value), level, "bootstrap")
    return row | {"seed": str(seed), "resamples": RESAMPLES}


def _calibration(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str) -> dict[str, dict[str, Any]]:
    names = ("calibration_slope", "calibration_intercept", "observed_expected_ratio")
    fitted = None if _one_class(truth) else recalibration(truth, score)
    if fitted is None:
        reason = _one_class(truth) or "the recalibration model has no finite fit (classes separated, or one score only)"
        rows: dict[str, dict[str, Any]] = {name: {"reason": reason} for name in names[:2]}
    else:
        z = normal_quantile(level)
        rows = {
            name: _stated(value, value - z * error, value + z * error, level, "normal")
            for name, (value, error) in zip(names, fitted, strict=False)
        }
    rows[names[2]] = _observed_expected(truth, score, level)
    ideals = {"calibration_slope": "1", "calibration_intercept": "0", "observed_expected_ratio": "1"}
    return {name: row | {"ideal": ideals[name]} for name, row in rows.items()}


def _observed_expected(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str) -> dict[str, Any]:
    """The interval is normal on the log scale, expected cases taken as fixed (Debray et al., BMJ 356 (2017) i6460)."""
    observed, expected, n = int((truth == 1).sum()), float(score.sum()), len(truth)
    if observed == 0 or expected == 0:
        return {"reason": "no event was observed or expected, so the ratio has no interval"}
    ratio = observed / expected
    half = normal_quantile(level) * math.sqrt((1 - observed / n) / observed)
    return _stated(ratio, ratio * math.exp(-half), ratio * math.exp(half), level, "normal")


def roc_points(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]") -> list[dict[str, str]] | None:
    """Return the ROC curve in some hundred points, ten cases or more apart so that none shows one person."""
    import numpy as np

    if _one_class(truth):
        return None
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(truth[order])
    last_of_tie = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    apart = max(SMALL_N, len(ranked) // CURVE_POINTS)
    positives, negatives = int(hits[-1]), len(ranked) - int(hits[-1])
    points, taken = [{"x": "0", "y": "0"}], 0
    for at in last_of_tie[:-1]:
        seen = int(at) + 1
        if seen - taken >= apart and len(ranked) - seen >= apart:
            tp, taken = int(hits[at]), seen
            points.append(
                {
                    "x": decimal(Fraction(seen - tp, negatives)),
                    "y": decimal(Fraction(tp, positives)),
                    "threshold": decimal(ranked[at]),
                }
            )
    return [*points, {"x": "1", "y": "1"}]


def reliability(
    truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str = "0.95", bins: int = BINS
) -> list[dict[str, Any]]:
    """Return predicted against observed risk in bins of equal size; a bin under ten cases keeps its count only."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    table = []
    for part in np.array_split(order, min(bins, max(1, len(order) // SMALL_N))):
        n, events = len(part), int(truth[part].sum())
        row: dict[str, Any] = {"low": decimal(score[part[0]]), "high": decimal(score[part[-1]]), "n": n}
        if n < SMALL_N:
            table.append(row | {"withheld": True})
            continue
        low, high = clopper_pearson(events, n, level)
        table.append(
            row
            | {
                "mean_predicted": decimal(score[part].mean()), "events": events,
                "observed": decimal(Fraction(events, n)),
                "ci_low": low, "ci_high": high,
            }
        )  # fmt: skip
    return table
