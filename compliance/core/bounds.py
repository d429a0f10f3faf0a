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
RESAMPLED = frozenset({"bootstrap", "cluster-bootstrap", "korn-graubard", "cluster-robust", "profile-likelihood"})
"""Methods that give other intervals than counts do, most of them wider, and none so narrow as half of theirs."""
SHARES = frozenset({"sensitivity", "specificity", "ppv", "npv", "accuracy"})
"""Metrics that are x of n cases whether or not a source says so."""
_TRIED = "by any common method; Clopper-Pearson, Wilson and Wald were tried."
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
    if row.get("ci_method") in RESAMPLED and is_share and n and None not in (low, high, level, row.get("value")):
        return _too_narrow(x, n, row["value"], low, high, level)
    methods = FROM_COUNTS if x is None else FROM_COUNTS | MEANT_FOR_OTHERS
    if low is None or high is None or level is None or not n or row.get("ci_method") not in methods:
        return None
    if x is None and (n > LARGEST or not is_share):
        return None
    return _unproducible(x, n, row["value"], low, high, level)


@lru_cache(maxsize=8192)
def _unproducible(x: int | None, n: int, value: str, low: str, high: str, level: str) -> str | None:
    stated = f"{value} ({low} to {high}, level {level})"
    if x is None:
        behind = statistics.counts_behind(value, low, high, level, largest=n)
        return None if behind else f"no whole counts up to {n} cases give {stated} {_TRIED}"
    bounds = [statistics.interval(x, n, method, level) for method in METHODS]
    if any(statistics.prints_as(pair, (low, high)) for pair in bounds):
        return None
    return f"{x} of {n} does not give {stated} {_TRIED}"


@lru_cache(maxsize=8192)
def _too_narrow(x: int | None, n: int, value: str, low: str, high: str, level: str) -> str | None:
    """Return that a bound is not half as far from the value as by any method from counts, give or take a digit."""
    stated, count = float(value), min(n, round(float(value) * n)) if x is None else x
    given = [statistics.interval(count, n, method, level) for method in METHODS]
    below, above = min(stated - one[0] for one in given), min(one[1] - stated for one in given)
    slack = sum(10.0 ** -len(text.partition(".")[2]) for text in (value, min(low, high, key=len)))
    if stated - float(low) + slack >= below / 2 and float(high) - stated + slack >= above / 2:
        return None
    return f"{value} ({low} to {high}, level {level}) is less than half as wide as {count} of {n} cases give {_TRIED}"
