"""Figures of predicted risk over time, where some are followed too short a while to know: censored cases.

Harrell's c-index (JAMA 247 (1982) 2543-2546): of two people whose order of events is known, how often the one with
the higher risk comes first; equal risks count half. At a time point, where the score is the risk up to it: the Brier
score weighted by the inverse probability of censoring (Graf et al., Statistics in Medicine 18 (1999) 2529-2545), and
predicted against observed risk, observed being one less the Kaplan-Meier estimate (JASA 53 (1958) 457-481).
"""

import math
from typing import TYPE_CHECKING, Any

from compliance.core.intervals import (
    SMALL_CLASS,
    SMALL_N,
    Row,
    Sampling,
    Statistic,
    bootstrap,
    flagged,
    stated,
)
from compliance.core.statistics import decimal, normal_quantile

if TYPE_CHECKING:
    from numpy import ndarray

BINS = 10
_PAIRS = 4_000_000
"""Pairs of cases held in memory at once."""


def metric_rows(
    time: "ndarray[Any, Any]",
    event: "ndarray[Any, Any]",
    score: "ndarray[Any, Any]",
    sampling: Sampling,
    group: dict[str, str] | None = None,
    horizon: float | None = None,
) -> list[Row]:
    """Return the metric rows of one group of cases; with `horizon` the score is the risk of an event up to it."""
    n, events = len(time), int(event.sum())
    shared: Row = ({"group": group} if group else {}) | {"origin": "computed", "n": n, "positives": events}
    (order,) = bootstrap(concordance(time, event, score), n, sampling)
    rows = [{"name": "c_index", **shared, **order}]
    if horizon is not None:
        for name, statistic in (("brier", brier), ("observed_expected_ratio", ratio)):
            (row,) = bootstrap(statistic(time, event, score, horizon), n, sampling)
            ideal = {"ideal": "1"} if name == "observed_expected_ratio" else {}
            beyond = {"reason": f"nobody was followed beyond {horizon:g}"} if time.max() <= horizon else {}
            rows.append({"name": name, **shared, **row, **ideal, **(beyond if "value" not in row else {})})
    return flagged(rows, n < SMALL_N or events < SMALL_CLASS)


def concordance(time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", score: "ndarray[Any, Any]") -> Statistic:
    """Return the statistic of Harrell's c-index; of equal times, an event comes before a censoring."""
    import numpy as np

    first = np.nonzero(event)[0]
    block = max(1, _PAIRS // len(time))

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        single = weights.astype(np.float32)  # small whole numbers, so that no digit is lost
        for start in range(0, len(first), block):
            who = first[start : start + block]
            later = (time > time[who, None]) | ((time == time[who, None]) & ~event)
            higher = (score < score[who, None]) + 0.5 * (score == score[who, None])
            drawn = weights[:, who]
            won += (drawn * (single @ (later * higher).astype(np.float32).T)).sum(axis=1)
            pairs += (drawn * (single @ later.astype(np.float32).T)).sum(axis=1)
        index: np.ndarray[Any, Any] = np.full((len(weights), 1), np.nan)
        np.divide(won[:, None], pairs[:, None], out=index, where=pairs[:, None] > 0)
        return index

    return statistic


def brier(
    time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", risk: "ndarray[Any, Any]", horizon: float
) -> Statistic:
    """Return the statistic of the censoring-weighted Brier score; undefined where nobody was followed so long."""
    import numpy as np

    before, after = (time <= horizon) & event, time > horizon
    lost = np.where(before, (1 - risk) ** 2, risk**2)

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        at, uncensored = _kaplan_meier(time, event, weights, censoring=True)
        own = uncensored[:, np.searchsorted(at, time)]
        then = np.concatenate([np.ones((len(weights), 1)), uncensored], axis=1)
        own[:, after] = then[:, [np.searchsorted(at, horizon, side="right")]]
        counted = weights * (before | after)
        weighted = np.divide(counted, own, out=np.zeros_like(own), where=own > 0)
        score = weighted @ lost / weights.sum(axis=1)
        return np.where((weights @ after) > 0, score, np.nan)[:, None]

    return statistic


def ratio(
    time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", risk: "ndarray[Any, Any]", horizon: float
) -> Statistic:
    """Return the statistic of observed over predicted risk up to the horizon."""
    import numpy as np

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        observed = observed_risk(time, event, weights, horizon)[:, None]
        expected = (weights @ risk / weights.sum(axis=1))[:, None]
        found: np.ndarray[Any, Any] = np.full((len(weights), 1), np.nan)
        np.divide(observed, expected, out=found, where=expected > 0)
        return found

    return statistic


def observed_risk(
    time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", weights: "ndarray[Any, Any]", horizon: float
) -> "ndarray[Any, Any]":
    """Return the share with an event up to the horizon; NaN where the last case was censored before it."""
    import numpy as np

    at, free = _kaplan_meier(time, event, weights)
    reached = np.searchsorted(at, horizon, side="right")
    share: np.ndarray[Any, Any] = 1 - (free[:, reached - 1] if reached else np.ones(len(weights)))
    return np.where(((weights @ (time > horizon)) > 0) | (share >= 1), share, np.nan)


def _kaplan_meier(
    time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", weights: "ndarray[Any, Any]", censoring: bool = False
) -> "tuple[ndarray[Any, Any], ndarray[Any, Any]]":
    """Return the times and, for every resample, the share still without an event after each.

    With `censoring`, the share not yet censored; who has an event at a time is no longer there to be censored at it.
    """
    import numpy as np

    order = np.argsort(time, kind="stable")
    at, starts = np.unique(time[order], return_index=True)
    ranked, happened = weights[:, order], event[order]
    events = np.add.reduceat(ranked * happened, starts, axis=1)
    there = np.cumsum(np.add.reduceat(ranked, starts, axis=1)[:, ::-1], axis=1)[:, ::-1]
    ends = events
    if censoring:
        there, ends = there - events, np.add.reduceat(ranked * ~happened, starts, axis=1)
    stay = 1 - np.divide(ends, there, out=np.zeros_like(there), where=there > 0)
    return at, np.cumprod(stay, axis=1)


def reliability(
    time: "ndarray[Any, Any]",
    event: "ndarray[Any, Any]",
    risk: "ndarray[Any, Any]",
    horizon: float,
    level: str = "0.95",
) -> list[Row]:
    """Return predicted against observed risk at the horizon, in bins of equal size; a small bin keeps its count only.

    The bounds are Greenwood's on the log-minus-log scale (Kalbfleisch and Prentice, 1980), left out where undefined.
    """
    import numpy as np

    rows = []
    order = np.argsort(risk, kind="stable")
    for part in np.array_split(order, min(BINS, max(1, len(order) // SMALL_N))):
        n = len(part)
        row: Row = {"low": decimal(risk[part[0]]), "high": decimal(risk[part[-1]]), "n": n}
        if n < SMALL_N:
            rows.append(row | {"withheld": True})
            continue
        row["mean_predicted"] = decimal(risk[part].mean())
        observed = float(observed_risk(time[part], event[part], np.ones((1, n)), horizon)[0])
        if math.isfinite(observed):
            row["observed"] = decimal(observed)
            row |= _greenwood(time[part], event[part], 1 - observed, horizon, level)
        rows.append(row)
    return rows


def _greenwood(
    time: "ndarray[Any, Any]", event: "ndarray[Any, Any]", free: float, horizon: float, level: str
) -> dict[str, str]:
    if not 0 < free < 1:
        return {}
    total = 0.0
    for moment in sorted(set(time[event & (time <= horizon)].tolist())):
        there, events = int((time >= moment).sum()), int((event & (time == moment)).sum())
        total += events / (there * (there - events))
    half = normal_quantile(level) * math.sqrt(total) / abs(math.log(free))
    row = stated(1 - free, 1 - free ** math.exp(-half), 1 - free ** math.exp(half), level, "normal")
    return {name: row[name] for name in ("ci_low", "ci_high")}
