"""Figures from predictions: discrimination, calibration, decisions; each with its interval or the reason for none.

Arrays in, decimal strings out; numpy is imported where it is used, because the rest of the core must stay quick.
The AUC's variance is DeLong's (Biometrics 44 (1988) 837-845) by mid-ranks (Sun and Xu, IEEE Signal Processing
Letters 21 (2014) 1389-1393). Calibration is logistic recalibration (Cox 1958): slope 1 and intercept 0 are ideal;
with clusters its errors are Liang and Zeger's (Biometrika 73 (1986) 13-22), and other figures resample clusters.
"""

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from compliance.core.intervals import (
    ONE_CLUSTER,
    RESAMPLES,
    SMALL_CLASS,
    SMALL_N,
    Sampling,
    Statistic,
    beside,
    bootstrap,
    flagged,
    proportion,
    share,
    stated,
)
from compliance.core.multiclass import AVERAGES, averages
from compliance.core.statistics import Confusion, clopper_pearson, decimal, normal_quantile

if TYPE_CHECKING:
    from numpy import ndarray

BINS = 10
CURVE_POINTS = 100
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
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return (slope, standard error) and (intercept in the large, standard error), None for one that has no fit.

    The intercept is fitted with the slope held at 1. A risk of 0 or 1 has no logit and is moved inside by 1e-12.
    """
    import numpy as np

    logit = _logit(score)
    slope = _fit(np.column_stack([np.ones_like(logit), logit]), truth, np.zeros_like(logit))
    intercept = _fit(np.ones((len(logit), 1)), truth, logit)
    return (slope[0][1], slope[1][1]) if slope else None, (intercept[0][0], intercept[1][0]) if intercept else None


def _logit(score: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
    import numpy as np

    inside = np.clip(score, _FULL, 1 - _FULL)
    logit: np.ndarray[Any, Any] = np.log(inside) - np.log1p(-inside)
    return logit


def _fit(
    design: "ndarray[Any, Any]", truth: "ndarray[Any, Any]", offset: "ndarray[Any, Any]"
) -> tuple[list[float], list[float]] | None:
    """Fit a logistic regression by Newton's steps; None where it does not settle (separated or constant scores).

    Both classes must be there, and the first column of the design be ones.
    """
    import numpy as np

    share = float(truth.mean())
    beta = np.zeros(design.shape[1])
    beta[0] = math.log(share / (1 - share)) - float(offset.mean())
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
    clusters: "ndarray[Any, Any] | None" = None,
) -> list[dict[str, Any]]:
    """Return the metric rows of one group of cases, as the kind `evaluation` records them.

    With `clusters`, a number per case, intervals take account of them, and those that do not stand beside.
    """
    n, positives = len(truth), int((truth == 1).sum())
    small = n < SMALL_N or positives < SMALL_CLASS or n - positives < SMALL_CLASS
    shared = ({"group": group} if group else {}) | {"origin": "computed"}
    shares = {
        name: proportion(x, cases, level) for name, (x, cases) in confusion(truth, score, threshold).counts().items()
    }
    shares["prevalence"] = proportion(positives, n, level)
    figures = {
        "roc_auc": _auc(truth, score, level),
        "brier": _brier(truth, score, level, seed),
        **_calibration(truth, score, level),
    }
    if clusters is not None:
        sampling = Sampling(level, seed, clusters)
        shares = _shares(truth, score >= threshold, sampling)
        figures = _clustered(truth, score, figures, sampling)
    rows = [{"name": name, **shared, **row} for name, row in shares.items()]
    rows += [{"name": name, **shared, "n": n, "positives": positives, **row} for name, row in figures.items()]
    return flagged(rows, small)


def further_rows(
    truth: "ndarray[Any, Any]",
    score: "ndarray[Any, Any]",
    threshold: float,
    sampling: Sampling,
    group: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return figures that others often claim, to hold their claims against; F1 is that of the positive class."""
    from sklearn.metrics import average_precision_score, log_loss

    shared = ({"group": group} if group else {}) | {"origin": "computed", "n": len(truth)}
    drawn = bootstrap(averages(truth, (score >= threshold).astype(int), 2), len(truth), sampling)
    named = dict(zip((*AVERAGES, "f1_of_0", "f1"), drawn, strict=True))
    rows = [{"name": name, **shared, **named[name]} for name in ("f1", "balanced_accuracy", "cohen_kappa", "mcc")]
    if _one_class(truth) is None:
        exact = {"pr_auc": average_precision_score(truth, score), "log_loss": log_loss(truth, score)}
        rows += [{"name": name, **shared, "value": decimal(float(value))} for name, value in exact.items()]
    return rows


def _shares(truth: "ndarray[Any, Any]", positive: "ndarray[Any, Any]", sampling: Sampling) -> dict[str, dict[str, Any]]:
    sick = truth == 1
    return {
        "sensitivity": share(positive, sampling, sick),
        "specificity": share(~positive, sampling, ~sick),
        "ppv": share(sick, sampling, positive),
        "npv": share(~sick, sampling, ~positive),
        "accuracy": share(positive == sick, sampling),
        "prevalence": share(sick, sampling),
    }


def _clustered(
    truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", alone: dict[str, dict[str, Any]], sampling: Sampling
) -> dict[str, dict[str, Any]]:
    """Return the figures with intervals that take account of clusters, those of `alone` beside them."""
    columns = weighted_area(truth, score)

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        import numpy as np

        expected = weights @ score
        ratio = np.divide(weights @ truth, expected, out=np.full(len(weights), np.nan), where=expected > 0)
        return np.column_stack([columns(weights), weights @ (score - truth) ** 2 / weights.sum(axis=1), ratio])

    names = ("roc_auc", "brier", "observed_expected_ratio")
    drawn = dict(zip(names, bootstrap(statistic, len(truth), sampling), strict=True))
    found = dict(alone)
    for name, row in drawn.items():
        if "value" in alone[name]:
            rest = {key: alone[name][key] for key in ("ideal",) if key in alone[name]}
            found[name] = beside(row | rest, alone[name])
    robust = _robust(truth, score, sampling)
    for name in ("calibration_slope", "calibration_intercept"):
        if "ci_low" in alone[name]:
            kept = {"value": alone[name]["value"], "ideal": alone[name]["ideal"]}
            row = {"clusters": 1, "reason": ONE_CLUSTER}
            if name in robust:
                value, error, k = robust[name]
                half = normal_quantile(sampling.level) * error
                row = stated(value, value - half, value + half, sampling.level, "cluster-robust") | {"clusters": k}
            found[name] = beside(kept | row, alone[name])
    return found


def weighted_area(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]") -> Statistic:
    """Return the statistic of the area under the ROC curve; undefined where a class was not drawn."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    starts = np.concatenate([[0], np.nonzero(np.diff(score[order]))[0] + 1])
    sick = (truth[order] == 1).astype(float)

    def area(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        ranked = weights[:, order]
        positives = np.add.reduceat(ranked * sick, starts, axis=1)
        negatives = np.add.reduceat(ranked * (1 - sick), starts, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives / 2
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        won = (positives * below).sum(axis=1)
        found: np.ndarray[Any, Any] = np.full(len(weights), np.nan)
        np.divide(won, pairs, out=found, where=pairs > 0)
        return found

    return area


def _robust(
    truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", sampling: Sampling
) -> dict[str, tuple[float, float, int]]:
    """Return value, cluster-robust error and number of clusters of what has a fit; nothing without two clusters."""
    import numpy as np

    of = sampling.numbered(len(truth))
    k = int(of.max()) + 1
    if k < 2 or _one_class(truth):
        return {}
    logit = _logit(score)
    nothing, ones = np.zeros_like(logit), np.ones((len(logit), 1))
    found = {}
    for name, x, offset in (
        ("calibration_slope", np.column_stack([ones, logit]), nothing),
        ("calibration_intercept", ones, logit),
    ):
        if (fitted := _fit(x, truth, offset)) is None:
            continue
        beta = np.array(fitted[0])
        p = 1 / (1 + np.exp(-(x @ beta + offset)))
        bread = np.linalg.inv(x.T @ (x * (p * (1 - p))[:, None]))
        scores = np.zeros((k, x.shape[1]))
        np.add.at(scores, of, x * (truth - p)[:, None])
        covariance = k / (k - 1) * bread @ (scores.T @ scores) @ bread
        found[name] = (float(beta[-1]), math.sqrt(float(covariance[-1, -1])), k)
    return found


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
    row = stated(area, max(0.0, area - half), min(1.0, area + half), level, "delong")
    return row | {"standard_error": decimal(math.sqrt(variance))}


def _brier(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str, seed: int) -> dict[str, Any]:
    value = brier(truth, score)
    low, high = bootstrap_mean((score - truth) ** 2, level, seed=seed)
    row = stated(value, min(low, value), max(high, value), level, "bootstrap")
    return row | {"seed": str(seed), "resamples": RESAMPLES}


def _calibration(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str) -> dict[str, dict[str, Any]]:
    names = ("calibration_slope", "calibration_intercept", "observed_expected_ratio")
    fitted = (None, None) if _one_class(truth) else recalibration(truth, score)
    reason = _one_class(truth) or "the recalibration model has no finite fit (classes separated, or one score only)"
    rows: dict[str, dict[str, Any]] = {name: {"reason": reason} for name in names[:2]}
    z = normal_quantile(level)
    for name, fit in zip(names, fitted, strict=False):
        if fit is not None:
            value, error = fit
            rows[name] = stated(value, value - z * error, value + z * error, level, "normal")
    rows[names[2]] = _observed_expected(truth, score, level)
    ideals = {"calibration_slope": "1", "calibration_intercept": "0", "observed_expected_ratio": "1"}
    return {name: row | {"ideal": ideals[name]} for name, row in rows.items()}


def _observed_expected(truth: "ndarray[Any, Any]", score: "ndarray[Any, Any]", level: str) -> dict[str, Any]:
    """The interval is normal on the log scale, expected cases taken as fixed (Debray et al., BMJ 356 (2017) i6460)."""
    observed, expected, n = int((truth == 1).sum()), float(score.sum()), len(truth)
    if observed == 0 or expected <= _FULL * n:
        return {"reason": "no event was observed or expected, so the ratio has no interval"}
    ratio = observed / expected
    half = normal_quantile(level) * math.sqrt((1 - observed / n) / observed)
    return stated(ratio, ratio * math.exp(-half), ratio * math.exp(half), level, "normal")


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
