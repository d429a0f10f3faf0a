"""What is in a table, in aggregates: types, missing values, classes, groups, spread. Never one person's value.

No smallest or largest value is kept, and percentiles, rounded, only where enough values lie beyond them. A group of
fewer than SMALL is counted and flagged, but how many of it are positive is not told: of one person that would be the
outcome. Nor is it told of the next smallest group where subtraction would give it away.
"""

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

from compliance.core.statistics import decimal
from compliance.errors import InvalidInput
from compliance.services.evaluations import MAX_GROUPS, label
from compliance.services.tables import Table

SMALL = 10
"""Groups of fewer are flagged; columns with fewer numbers have no distribution."""
MOST_CLASSES, MOST_PAIRS = 20, 60
"""A target with more values has no classes; two groupings that cross in more ways say nothing of any."""
UNRECORDED = "not recorded"

_TYPES = (
    ("integer", re.compile(r"[-+]?\d+(\.0+)?")),
    ("number", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")),
    ("boolean", re.compile(r"(?i:true|false)")),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("time", re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?")),
)
_PERCENTILES = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
_BEYOND = 5
"""Values that must lie beyond a percentile on either side."""
_POSITIVE, _NEGATIVE = {"1", "1.0", "true"}, {"0", "0.0", "false"}

Values = Sequence[str | None]


def profile(
    table: Table, *, target: str | None = None, groups: Sequence[str] = (), patient: str | None = None
) -> dict[str, Any]:
    """Return the measured fields of a dataset record: rows, columns, labels, composition by group and by pairs.

    Raises InvalidInput for a column that is not there, or one whose values, which would be printed, are no groups.
    """
    roles: dict[str | None, str] = dict.fromkeys(groups, "group")
    roles |= {target: "label", patient: "identifier"}
    outcome = table.column(target, "target") if target else None
    if patient:
        table.column(patient, "patient")
    grouped = _grouped(table, groups, patient)
    found: dict[str, Any] = {
        "rows": table.rows,
        "columns": [_column(name, values, roles.get(name)) for name, values in table.columns.items()],
    }
    if target and outcome and len(set(outcome) - {None}) <= MOST_CLASSES:
        counts = Counter(value for value in outcome if value is not None)
        classes = [{"value": value, "n": n} for value, n in sorted(counts.items())]
        found["labels"] = {"column": target, "classes": classes, "missing": table.rows - counts.total()}
    if grouped:
        positive = _positive(outcome)
        parts = [part for name in grouped for part in _parts({name: grouped[name]}, positive)]
        for pair in combinations(grouped, 2):
            crossed = _parts({name: grouped[name] for name in pair}, None)
            parts += crossed if len(crossed) <= MOST_PAIRS else []
        found["composition"] = parts
    return found


def _column(name: str, values: Values, role: str | None) -> dict[str, Any]:
    present = [value for value in values if value is not None]
    missing = len(values) - len(present)
    distinct = set(present)
    type_ = next((t for t, pattern in _TYPES if all(map(pattern.fullmatch, distinct))), "text") if distinct else "empty"
    told: dict[str, Any] = {
        "name": name,
        "type": type_,
        "missing": missing,
        "missing_share": decimal(Fraction(missing, len(values))),
        "distinct": len(distinct),
    }
    if role:
        told["role"] = role
    if type_ in ("integer", "number") and role != "identifier" and len(distinct) > 2 and len(present) >= SMALL:
        told["distribution"] = _distribution(sorted(map(float, present)))
    return told


def _distribution(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, spread and those percentiles that have enough values on either side, of sorted numbers."""
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    told: dict[str, Any] = {"n": n, "mean": _rounded(mean, 6), "sd": _rounded(spread, 6)}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    for name, share in _PERCENTILES.items():
        if n * min(share, 100 - share) >= 100 * _BEYOND:
            told[name] = _rounded(cuts[share - 1], 3)
    return told


def _rounded(value: float, digits: int) -> str:
    """Return a number to so many significant digits, in plain notation."""
    number = Context(prec=digits).create_decimal(Decimal(repr(value)))
    return f"{number.normalize():f}" if number else "0"


def _positive(outcome: Values | None) -> list[bool] | None:
    """Return which rows are positive, where the outcome is 0 or 1, false or true; else None."""
    if outcome is None or not {v.lower() for v in set(outcome) if v is not None} <= _POSITIVE | _NEGATIVE:
        return None
    return [value is not None and value.lower() in _POSITIVE for value in outcome]


def _grouped(table: Table, groups: Sequence[str], patient: str | None) -> dict[str, list[str]]:
    """Return the group of every row, by the label that records give each column."""
    grouped: dict[str, list[str]] = {}
    for column in groups:
        values = [UNRECORDED if value is None else value for value in table.column(column, "group")]
        different = len(set(values))
        if column == patient or different > MAX_GROUPS:
            raise InvalidInput(
                f"The group column {column} of {table.path.name} has {different} different values.",
                remedy=f"Give a column with at most {MAX_GROUPS}: bands instead of ages, for example.",
            )
        if label(column) in grouped:
            raise InvalidInput(f"Two group columns are called {label(column)}.", remedy="Name each column once.")
        grouped[label(column)] = values
    return grouped


def _parts(by: Mapping[str, Sequence[str]], positive: Sequence[bool] | None) -> list[dict[str, Any]]:
    """Count the rows of every combination of values that occurs, and the positive ones where that tells on nobody."""
    rows = list(zip(*by.values(), strict=True))
    counts = sorted(Counter(rows).items())
    parts: list[dict[str, Any]] = [
        {"group": dict(zip(by, values, strict=True)), "n": n, "share": decimal(Fraction(n, len(rows)))}
        | ({"small": True} if n < SMALL else {})
        for values, n in counts
    ]
    if positive is not None:
        events = Counter(row for row, is_positive in zip(rows, positive, strict=True) if is_positive)
        silent = _silent([n for _, n in counts])
        for index, (values, _) in enumerate(counts):
            if index not in silent:
                parts[index]["positives"] = events[values]
    return parts


def _silent(sizes: Sequence[int]) -> set[int]:
    """Return which groups' positives stay untold: small ones, and one more where only one is small."""
    silent = {index for index, n in enumerate(sizes) if n < SMALL}
    if len(silent) == 1:
        others = sorted(set(range(len(sizes))) - silent, key=lambda index: sizes[index])
        silent |= set(others[:1])
    return silent
