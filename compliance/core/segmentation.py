"""Figures of a measure that has one value per case, such as Dice, IoU or the 95 % Hausdorff distance of each image.

Mean, median and quartiles, and the tail on the worse side: a good mean may hide bad cases. A quantile is told only
where five cases lie beyond it, since nearer to the end it would be one person's value. A case without a value (an
empty mask has no distance) is counted beside n: left out unsaid, it would hide the failures.
"""

from typing import TYPE_CHECKING, Any, Literal

from compliance.core.intervals import Row, Sampling, bootstrap, flagged, weighted_quantiles

if TYPE_CHECKING:
    from numpy import ndarray

BEYOND = 5
"""Cases that must lie beyond a quantile on either side."""
_QUARTILES = (("_median", 50), ("_p25", 25), ("_p75", 75))


def metric_rows(
    name: str,
    values: "ndarray[Any, Any]",
    better: Literal["higher", "lower"],
    sampling: Sampling,
    group: dict[str, str] | None = None,
) -> list[Row]:
    """Return the metric rows of one measure in one group of cases; a case without a value is NaN."""
    import numpy as np

    there = np.isfinite(values)
    missing = int((~there).sum())
    shared: Row = ({"group": group} if group else {}) | {"origin": "computed"}
    shared |= {"missing": missing} if missing else {}
    told = (*_QUARTILES, ("_p5", 5) if better == "higher" else ("_p95", 95))
    if missing == len(values):
        return flagged([{"name": name, **shared, "reason": "no case has a value"}])
    kept, sampling = values[there], sampling.of(there)
    n = len(kept)
    quantiles = weighted_quantiles(kept, tuple(share / 100 for _, share in told))

    def statistic(weights: "ndarray[Any, Any]") -> "ndarray[Any, Any]":
        return np.column_stack([weights @ kept / weights.sum(axis=1), quantiles(weights)])

    rows = []
    for (suffix, share), row in zip((("", 0), *told), bootstrap(statistic, n, sampling), strict=True):
        close = suffix and n * min(share, 100 - share) < 100 * BEYOND
        few = {"reason": f"fewer than {BEYOND} cases lie beyond it, so it would be one case's value"}
        rows.append({"name": f"{name}{suffix}", **shared, "n": n, **(few if close else row)})
    return flagged(rows)
