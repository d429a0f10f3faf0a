"""Does a claimed figure hold? A claim beside the same figure computed again, compared to the digits of the claim.

A bootstrap repeats only by our own seed; an interval by a method that was not computed again is said to be so, and is
neither held nor missed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from compliance.core import statistics

ALIASES = {"recall": "sensitivity", "precision": "ppv"}
"""Other names of figures of one class against the rest."""
_OURS = Decimal("0.0000005")
"""What rounding to our six places may have moved."""
_DRAWN = ("bootstrap", "cluster-bootstrap")
_OF_COUNTS: tuple[statistics.Method, ...] = ("clopper-pearson", "wilson", "wald")


@dataclass(frozen=True, slots=True)
class Compared:
    """One claim, and what became of it."""

    problems: tuple[str, ...] = ()
    """Every way in which it differs."""
    open: tuple[str, ...] = ()
    """What could not be compared."""

    @property
    def holds(self) -> bool:
        return not self.problems


def key(row: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what two rows about the same figure share: name and group."""
    return ALIASES.get(row["name"], row["name"]), tuple(sorted((row.get("group") or {}).items()))


def refuted(content: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """Return how a row on record differs from its own predictions, in the record's words; None where it does not."""
    differ = (content.get("recomputation") or {}).get("differ") or ()
    return next((str(one["what"]) for one in differ if key(one) == key(row)), None)


def compare(claim: Mapping[str, Any], found: Mapping[str, Any]) -> Compared:
    """Compare counts, value and intervals of a claimed row with those of the row that was computed again."""
    problems = [
        f"{name} is {claim[name]}, not {found[name]}"
        for name in ("x", "n", "positives", "clusters", "missing")
        if name in claim and name in found and claim[name] != found[name]
    ]
    value, ours = claim.get("value"), found.get("value")
    if value is None and ours is not None:
        problems.append(f"no value is claimed, but it is {ours}")
    elif value is not None and ours is None:
        problems.append(f"{value} is claimed, but it has no value: {found.get('reason', 'unknown')}")
    elif value is not None and ours is not None and not agree(value, ours):
        problems.append(f"{value} is claimed, but it is {ours}")
    unknown = []
    for method, low, high, told in _intervals(claim):
        bounds = _computed(method, told, found)
        if bounds is None:
            unknown.append(f"its {method} interval is not computed again")
        elif not (agree(low, bounds[0]) and agree(high, bounds[1])):
            problems.append(f"its {method} interval is {low} to {high}, but it is {bounds[0]} to {bounds[1]}")
    return Compared(tuple(problems), tuple(unknown))


def agree(claimed: str, computed: str) -> bool:
    """Say whether a computed figure rounds, by any rule, to the digits of the claimed one."""
    written = Decimal(claimed)
    exponent = written.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return abs(written - Decimal(computed)) <= unit / 2 + _OURS


def _intervals(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for told in (row, *(row.get("other_intervals") or ())):
        if told.get("ci_low") is not None:
            yield told["ci_method"], told["ci_low"], told["ci_high"], told


def _computed(method: str, told: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str] | None:
    for other, low, high, ours in _intervals(found):
        same = other == method and Decimal(ours["ci_level"]) == Decimal(told["ci_level"])
        if same and (method not in _DRAWN or all(told.get(n) == ours.get(n) for n in ("seed", "resamples"))):
            return low, high
    of_counts = next((known for known in _OF_COUNTS if known == method), None)
    if of_counts and "x" in found:
        bounds = statistics.interval(found["x"], found["n"], of_counts, told["ci_level"])
        return statistics.decimal(bounds[0]), statistics.decimal(bounds[1])
    return None
