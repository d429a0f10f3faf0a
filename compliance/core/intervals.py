"""How uncertain a figure is: exact, by design effect, or by resampling; with and without clusters.

Several cases of one patient tell less than as many patients. Where cases belong to clusters, whole clusters are drawn
again (Field and Welsh, Journal of the Royal Statistical Society B 69 (2007) 369-390), and a proportion gets the
interval of Korn and Graubard (Survey Methodology 24 (1998) 193-201): Clopper-Pearson's, on the effective number of
cases that the design effect leaves. What the interval would be if cases were independent stands beside it.

A statistic is a function of weights, one row per resample: how often each case was drawn. All ones give the figure.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from compliance.core.statistics import clopper_pearson, decimal

if TYPE_CHECKING:
    from numpy import ndarray

Statistic = Callable[["ndarray[Any, Any]"], "ndarray[Any, Any]"]
"""From weights (resamples by cases) to figures (resamples by figures); NaN where a figure is undefined."""
Row = dict[str, Any]

SMALL_N = 10
SMALL_CLASS = 5
"""Below these, a figure is flagged as small: shown, but nothing to lean on."""
RESAMPLES = 2000
MOST_UNDEFINED = 0.05
"""Share of resamples without the figure beyond which it gets no interval."""
NO_CASE = "no case to count: the denominator is 0"
ONE_CLUSTER = "all cases belong to one cluster, so nothing shows how far clusters differ"
_CHUNK = 4_000_000
"""Weights held in memory at once."""
_INTERVAL = ("ci_low", "ci_high", "ci_level", "ci_method", "seed", "resamples")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How uncertainty is judged: level, seed, and which cases belong together."""

    level: str = "0.95"
    seed: int = 0
    clusters: "ndarray[Any, Any] | None" = None
    """The number of its cluster for every case; None: every case stands alone."""

    def of(self, members: "ndarray[Any, Any]") -> "Sampling":
        """Return the sampling of some of the cases."""
        return self if self.clusters is None else replace(self, clusters=self.clusters[members])

    def numbered(self, n: int) -> "ndarray[Any, Any]":
        """Return the cluster of each of `n` cases, counted from 0 without gaps."""
        import numpy as np

        return np.arange(n) if self.clusters is None else np.unique(self.clusters, return_inverse=True)[1]

    @property
    def alone(self) -> "Sampling":
        """The same, as if every case stood alone."""
        return replace(self, clusters=None)


def stated(value: float, low: float, high: float, level: str, method: str) -> Row:
    """Return a figure and its interval as a metric row holds them."""
    return {
        "value": decimal(value), "ci_low": decimal(low), "ci_high": decimal(high), "ci_level": level,
        "ci_method": method,
    }  # fmt: skip


def proportion(x: int, n: int, level: str) -> Row:
    """Return x of n with its exact interval, cases taken as independent."""
    if n == 0:
        return {"reason": NO_CASE}
    low, high = clopper_pearson(x, n, level)
    return {
        "x": x, "n": n, "value": decimal(Fraction(x, n)), "ci_low": low, "ci_high": high, "ci_level": level,
        "ci_method": "clopper-pearson",
    }  # fmt: skip


def share(hits: "ndarray[Any, Any]", sampling: Sampling, among: "ndarray[Any, Any] | None" = None) -> Row:
    """Return how many of the cases that `among` marks (default: all) are `hits`, with the interval that fits."""
    if among is not None:
        hits, sampling = hits[among], sampling.of(among)
    row = proportion(int(hits.sum()), len(hits), sampling.level)
    if sampling.clusters is None or not len(hits):
        return row
    values = hits.astype(float)
    return beside(row | korn_graubard(values, sampling), mean(values, sampling), row)


def korn_graubard(hits: "ndarray[Any, Any]", sampling: Sampling) -> Row:
    """Return the design effect and the interval on the effective number of cases, never more than there are.

    Degrees of freedom are clusters less one. Where all cases are alike the design effect cannot be seen; they then
    count as if cases of a cluster told the same thing (Kish, Survey Sampling, 1965): too wide rather than too narrow.
    """
    import numpy as np
    from scipy.special import betaincinv, stdtrit

    n, p = len(hits), float(hits.mean())
    of = sampling.numbered(n)
    sizes = np.bincount(of)
    k = len(sizes)
    row: Row = {"clusters": k, "ci_method": "korn-graubard"}
    if k == 1:
        # the method without bounds: a row of counts that names none is given the exact interval
        return row | {"ci_low": None, "ci_high": None, "ci_level": None, "reason": ONE_CLUSTER}
    if 0 < p < 1:
        residuals = np.bincount(of, hits - p)
        effect = k / (k - 1) * float((residuals**2).sum()) / n / (p * (1 - p))
    else:
        effect = float((sizes**2).sum()) / n
    tail = (1 - float(sampling.level)) / 2
    effective = min(float(n), n / effect * float(stdtrit(n - 1, tail) / stdtrit(k - 1, tail)) ** 2 if effect else n)
    x, rest = effective * p, effective * (1 - p)
    low = 0.0 if p == 0 else float(betaincinv(x, rest + 1, tail))
    high = 1.0 if p == 1 else float(betaincinv(x + 1, rest, 1 - tail))
    return row | {"ci_low": decimal(low), "ci_high": decimal(high), "design_effect": decimal(effect)}


def beside(row: Row, *others: Mapping[str, Any]) -> Row:
    """Return a row with the intervals of others, for the same figure, beside its own; without what is None."""
    found = [{name: one[name] for name in _INTERVAL if name in one} for one in others if "ci_low" in one]
    whole = row | ({"other_intervals": found} if found else {})
    return {name: value for name, value in whole.items() if value is not None}


def mean(values: "ndarray[Any, Any]", sampling: Sampling) -> Row:
    """Return the mean of one value per case, with its resampled interval."""
    import numpy as np

    of = sampling.numbered(len(values))
    sums, sizes = np.bincount(of, values)[:, None], np.bincount(of)[:, None]
    if sampling.clusters is not None:  # a cluster drawn whole is its sum and its size
        sampling = replace(sampling, clusters=np.arange(len(sums)))
    (row,) = bootstrap(lambda w: (w @ sums) / (w @ sizes), len(sums), sampling)
    return row


def bootstrap(statistic: Statistic, n: int, sampling: Sampling, resamples: int = RESAMPLES) -> list[Row]:
    """Return value and percentile interval of every figure of a statistic, or the reason for none.

    The same seed gives the same intervals, on any machine.
    """
    import numpy as np

    whole = statistic(np.ones((1, n)))[0]
    shared: Row = {}
    if sampling.clusters is not None:
        shared = {"clusters": int(sampling.numbered(n).max()) + 1}
        if shared["clusters"] == 1:
            return [_value(value) | shared | {"reason": ONE_CLUSTER} for value in whole]
    if not np.isfinite(whole).any():
        return [_value(value) | shared for value in whole]
    drawn = np.concatenate([statistic(weights) for weights in _weights(n, sampling, resamples)])
    method = "bootstrap" if sampling.clusters is None else "cluster-bootstrap"
    return [_percentile(value, column, sampling, method) | shared for value, column in zip(whole, drawn.T, strict=True)]


def _weights(n: int, sampling: Sampling, resamples: int) -> "Iterator[ndarray[Any, Any]]":
    """Yield how often each case is drawn, some resamples at a time."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(sampling.seed))
    of = sampling.numbered(n)
    k, at_once = int(of.max()) + 1, max(1, _CHUNK // n)
    for done in range(0, resamples, at_once):
        many = min(at_once, resamples - done)
        drawn = generator.integers(0, k, (many, k)) + k * np.arange(many)[:, None]
        yield np.bincount(drawn.ravel(), minlength=many * k).reshape(many, k)[:, of].astype(float)


def _value(value: float) -> Row:
    return {"value": decimal(value)} if math.isfinite(value) else {"reason": "the figure is undefined for these cases"}


def _percentile(value: float, drawn: "ndarray[Any, Any]", sampling: Sampling, method: str) -> Row:
    import numpy as np

    if not math.isfinite(value):
        return _value(value)
    defined = drawn[np.isfinite(drawn)]
    lost = len(drawn) - len(defined)
    told = f"{lost} of {len(drawn)} resamples do not define the figure"
    if lost > MOST_UNDEFINED * len(drawn):
        return {"value": decimal(value), "reason": f"{told}, too many for an interval"}
    if defined.min() == defined.max():
        return {"value": decimal(value), "reason": "every resample gives this value, so resampling shows no spread"}
    tail = (1 - float(sampling.level)) / 2
    low, high = (float(bound) for bound in np.quantile(defined, [tail, 1 - tail]))
    row = stated(value, min(low, value), max(high, value), sampling.level, method)
    row |= {"seed": str(sampling.seed), "resamples": len(drawn)}
    return row | ({"note": f"{told} and are left out of the interval."} if lost else {})


def flagged(rows: list[Row], small: bool = False) -> list[Row]:
    """Mark the rows that rest on too few cases or clusters, or all of them."""
    few = [small or row.get("n", 0) < SMALL_N or row.get("clusters", SMALL_N) < SMALL_N for row in rows]
    return [row | ({"small": True} if mark else {}) for row, mark in zip(rows, few, strict=True)]


def weighted_quantiles(values: "ndarray[Any, Any]", shares: tuple[float, ...]) -> Statistic:
    """Return the statistic of quantiles as numpy's default defines them, each value repeated by its weight."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    ranked = values[order]

    def quantiles(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        upto = np.cumsum(weights[:, order], axis=1)
        found = np.empty((len(weights), len(shares)))
        for column, q in enumerate(shares):
            at = (upto[:, -1] - 1) * q
            below = np.floor(at)
            first = ranked[(upto > below[:, None]).argmax(axis=1)]
            second = ranked[(upto > np.ceil(at)[:, None]).argmax(axis=1)]
            found[:, column] = first + (at - below) * (second - first)
        return found

    return quantiles
