"""Which columns group cases, and which tell single people apart."""

from compliance.core.intervals import SMALL_N

MAX_GROUPS = 50
"""Values of one group column beyond which it is no grouping; classes beyond which a table is none."""
FEWER = f"Give a column of values that repeat, {MAX_GROUPS} at most: bands instead of ages, for example."
UNRECORDED = "not recorded"
"""The group of the cases whose cell is empty."""


def are_people(different: int, rows: int) -> bool:
    """Say whether a column's values tell single cases apart, so that printing each would print somebody's."""
    return different > MAX_GROUPS or (different > SMALL_N and different * 2 > rows)
