"""Stated intervals that no whole counts can give, by any common method: they carry no criterion."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from compliance.core import statistics

METHODS: tuple[statistics.Method, ...] = ("clopper-pearson", "wilson", "wald")
FROM_COUNTS = frozenset(METHODS) | {"stated-without-method"}
"""How the method of an interval is called that counts alone would give."""
MEANT_FOR_OTHERS = frozenset({"normal", "t", "delong"})
"""Methods that are not for a share of cases: beside counts, their interval must be one that the counts give."""
SHARES = frozenset({"sensitivity", "specificity", "ppv", "npv", "accuracy"})
"""Metrics that are x of n cases whether or not a source says so."""
LARGEST = 1000
"""Up to how many cases whole counts are sought behind a share whose counts are not stated."""


def impossible(row: Mapping[str, Any]) -> str | None:
    """Return why no whole counts give a stated interval by any common method, or None.

    An interval that was computed from its counts was held against them when it was recorded (`kinds.metrics`).
    """
    ours = "computed" in (row.get("origin"), row.get("ci_origin")) and row.get("ci_method") == "clopper-pearson"
    if ours and row.get("x") is not None:
        return None
    low, high, level = row.get("ci_low"), row.get("ci_high"), row.get("ci_level")
    x, n, is_share = row.get("x"), row.get("n"), row["name"] in SHARES or row.get("unit") == "proportion"
    methods = FROM_COUNTS if x is None else FROM_COUNTS | MEANT_FOR_OTHERS
    if low is None or high is None or level is None or not n or row.get("ci_method") not in methods:
        return None
    if x is None and (n > LARGEST or not is_share):
        return None
    return _unproducible(x, n, row["value"], low, high, level)


@lru_cache(maxsize=8192)
def _unproducible(x: int | None, n: int, value: str, low: str, high: str, level: str) -> str | None:
    tried = "by any common method; Clopper-Pearson, Wilson and Wald were tried."
    stated = f"{value} ({low} to {high}, level {level})"
    if x is None:
        behind = statistics.counts_behind(value, low, high, level, largest=n)
        return None if behind else f"no whole counts up to {n} cases give {stated} {tried}"
    bounds = [statistics.interval(x, n, method, level) for method in METHODS]
    if any(statistics.prints_as(pair, (low, high)) for pair in bounds):
        return None
    return f"{x} of {n} does not give {stated} {tried}"
