"""What is in a table, in aggregates: types, missing values, classes, groups, spread. Never one person's value.

No smallest or largest value is kept, and percentiles, rounded, only where enough values lie beyond them. A group of
fewer than SMALL is counted and flagged, but how many of it are positive, how its values spread, or which other groups
its people are in, is not told: of one person that would be the outcome, or the person. Nor is it told of the next
smallest group where subtraction would give it away. A time span is told in whole months.
"""

import calendar
import math
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

from compliance.core.statistics import decimal
from compliance.errors import InvalidInput
from compliance.services.cases import label
from compliance.services.reading import Table
from compliance.services.reading.groups import FEWER, UNRECORDED, are_people

if TYPE_CHECKING:
    import pyarrow as pa

SMALL = 10
"""Groups of fewer are flagged; columns with fewer numbers have no distribution."""
MOST_CLASSES, MOST_PAIRS = 20, 60
"""A target with more values has no classes; two groupings that cross in more ways say nothing of any."""

_WHOLE = r"[-+]?(0|[1-9]\d*)"
_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TYPES = (
    ("integer", rf"{_WHOLE}(\.0+)?"),
    ("number", rf"({_WHOLE}\.?\d*|[-+]?\.\d+)([eE][-+]?\d+)?|[-+]?inf"),
    ("boolean", r"(?i:true|false)"),
    ("date", _DAY),
    ("time", _DAY + r"[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?"),
)
_NUMERIC = ("integer", "number")
_PERCENTILES = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
_BEYOND = 5
"""Values that must lie beyond a percentile on either side."""
_POSITIVE, _NEGATIVE = {"1", "1.0", "true"}, {"0", "0.0", "false"}


def profile(
    table: Table,
    *,
    target: str | None = None,
    groups: Sequence[str] = (),
    patient: str | None = None,
    time: str | None = None,
    site: str | None = None,
) -> dict[str, Any]:
    """Return the measured fields of a dataset record: rows, columns, labels, time span, sites, groups and pairs.

    Raises InvalidInput for a column that is not there, or one whose values, which would be printed, are no groups.
    """
    roles: dict[str | None, str] = dict.fromkeys(groups, "group")
    roles |= {time: "time", target: "label", patient: "identifier"}
    for option, name in (("target", target), ("patient", patient), ("time", time), ("site", site)):
        if name:
            table.check(name, option)
    grouped = _grouped(table, groups, patient)
    found: dict[str, Any] = {
        "rows": table.rows,
        "columns": [_column(name, table.text(name), roles.get(name), grouped) for name in table.columns],
    }
    outcome = table.text(target) if target else None
    if target and outcome is not None:
        classes = _counts(outcome.drop_null())
        if len(classes) <= MOST_CLASSES and not are_people(len(classes), table.rows):
            told = [{"value": value, "n": n} for value, n in classes]
            found["labels"] = {"column": target, "classes": told, "missing": outcome.null_count}
    if grouped:
        positive = _positive(outcome)
        parts = [part for name in grouped for part in _parts({name: grouped[name]}, positive)]
        untold = {name: _untold(values) for name, values in grouped.items()}
        for pair in combinations(grouped, 2):
            crossed = _parts({name: grouped[name] for name in pair}, None)
            if len(crossed) <= MOST_PAIRS:
                parts += [part for part in crossed if not any(part["group"][name] in untold[name] for name in pair)]
        found["composition"] = parts
    if site:
        (values,) = _grouped(table, [site], patient).values()
        found["sites"] = [{"name": value, "n": n} for value, n in _counts(values) if value != UNRECORDED]
    return found | (_period(table, time) if time else {})


def type_of(values: "pa.ChunkedArray") -> str:
    """Return what all values of a column, as text, can be read as; `text` where nothing else, `empty` of none."""
    import pyarrow.compute as pc

    if not len(values) - values.null_count:
        return "empty"
    for name, pattern in _TYPES:
        whole = f"^(?:{pattern})$"
        if all(pc.all(pc.match_substring_regex(part, whole)).as_py() is not False for part in values.chunks):
            return name
    return "text"


def _column(
    name: str, values: "pa.ChunkedArray", role: str | None, grouped: Mapping[str, "pa.ChunkedArray"]
) -> dict[str, Any]:
    import pyarrow.compute as pc

    type_ = type_of(values)
    numbers = numbers_of(values) if type_ in _NUMERIC and role != "identifier" else None
    distinct = _distinct(numbers) if numbers is not None else pc.count_distinct(values, mode="only_valid").as_py()
    told: dict[str, Any] = {
        "name": name,
        "type": type_,
        "missing": values.null_count,
        "missing_share": decimal(Fraction(values.null_count, len(values))),
        "distinct": distinct,
    }
    if role:
        told["role"] = role
    if len(values) - values.null_count < SMALL or distinct <= 2:
        numbers = None
    if numbers is not None and (spread := _distribution(numbers.drop_null().to_numpy())):
        told["distribution"] = spread
    else:
        numbers = None
    if by_group := _by_group(values, numbers, grouped):
        told["by_group"] = by_group
    return told


def numbers_of(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return text that is numbers as such."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.replace_substring_regex(values, r"^\+", "").cast(pa.float64())


def _distinct(numbers: "pa.ChunkedArray") -> int:
    """Count different numbers by sorting, which takes less memory than a table of all of them."""
    import numpy as np

    ordered = np.sort(numbers.drop_null().to_numpy())
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def _distribution(values: Any) -> dict[str, Any] | None:
    """Return mean, spread and those percentiles that have enough values on either side; None beyond all numbers."""
    import numpy as np

    n = len(values)
    if not np.isfinite(values).all() or np.abs(values).max() > 1e150:
        return None
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((values - mean) ** 2) / (n - 1))
    told: dict[str, Any] = {"n": n, "mean": _rounded(mean, 6), "sd": _rounded(spread, 6)}
    shares = {name: share for name, share in _PERCENTILES.items() if n * min(share, 100 - share) >= 100 * _BEYOND}
    cuts = np.percentile(values, list(shares.values())) if shares else []
    return told | {name: _rounded(float(cut), 3) for name, cut in zip(shares, cuts, strict=True)}


def _rounded(value: float, digits: int) -> str:
    """Return a number to so many significant digits, in plain notation."""
    number = Context(prec=digits).create_decimal(Decimal(repr(value)))
    return f"{number.normalize():f}" if number else "0"


def _by_group(
    values: "pa.ChunkedArray", numbers: "pa.ChunkedArray | None", grouped: Mapping[str, "pa.ChunkedArray"]
) -> list[dict[str, Any]]:
    """Return missing values and spread within each group, where that tells on nobody."""
    import pyarrow.compute as pc

    if numbers is None and not values.null_count:
        return []
    told: list[dict[str, Any]] = []
    for name, groups in grouped.items():
        counts = _counts(groups)
        members = [pc.equal(groups, value) for value, _ in counts if len(counts) <= MOST_CLASSES]
        present = [int(pc.sum(pc.and_(mine, pc.is_valid(values))).as_py()) for mine in members]
        silent = _silent(present)
        for index, (mine, n) in enumerate(zip(members, present, strict=True)):
            if index in silent:
                continue
            part = {"group": {name: counts[index][0]}, "n": n, "missing": counts[index][1] - n}
            spread = _distribution(numbers.filter(mine).drop_null().to_numpy()) if numbers is not None else None
            told.append(part | ({"distribution": spread} if spread else {}))
    return told


def _positive(outcome: "pa.ChunkedArray | None") -> "pa.ChunkedArray | None":
    """Return which rows are positive, where the outcome is 0 or 1, false or true; else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if outcome is None:
        return None
    lower = pc.utf8_lower(outcome)
    if not set(pc.unique(lower.drop_null()).to_pylist()) <= _POSITIVE | _NEGATIVE:
        return None
    return pc.is_in(lower, value_set=pa.array(sorted(_POSITIVE), lower.type))


def _grouped(table: Table, groups: Sequence[str], patient: str | None) -> dict[str, "pa.ChunkedArray"]:
    """Return the group of every row, by the label that records give each column."""
    import pyarrow.compute as pc

    grouped: dict[str, pa.ChunkedArray] = {}
    for column in groups:
        values = pc.fill_null(table.text(table.check(column, "group")), UNRECORDED)
        different = len(pc.unique(values))
        if column == patient or are_people(different, table.rows):
            raise InvalidInput(
                f"The group column {column} of {table.name} has {different} different values in {table.rows} rows.",
                remedy=FEWER,
            )
        if label(column) in grouped:
            raise InvalidInput(f"Two group columns are called {label(column)}.", remedy="Name each column once.")
        grouped[label(column)] = values
    return grouped


def _counts(values: "pa.ChunkedArray") -> list[tuple[str, int]]:
    """Return every value of a column and how often it stands there, in order."""
    import pyarrow.compute as pc

    return sorted((one["values"], one["counts"]) for one in pc.value_counts(values).to_pylist())


def _parts(by: Mapping[str, "pa.ChunkedArray"], positive: "pa.ChunkedArray | None") -> list[dict[str, Any]]:
    """Count the rows of every combination of values that occurs, and the positive ones where that tells on nobody."""
    import pyarrow as pa

    names = list(by)
    rows = pa.table({**by, "=positive": positive} if positive is not None else dict(by))
    asked = [([], "count_all"), *([("=positive", "sum")] if positive is not None else [])]
    counted = rows.group_by(names).aggregate(asked).to_pylist()
    counted.sort(key=lambda row: [row[name] for name in names])
    silent = _silent([row["count_all"] for row in counted])
    parts: list[dict[str, Any]] = []
    for index, row in enumerate(counted):
        n = row["count_all"]
        part = {"group": {name: row[name] for name in names}, "n": n, "share": decimal(Fraction(n, rows.num_rows))}
        if n < SMALL:
            part["small"] = True
        if positive is not None and index not in silent:
            part["positives"] = int(row["=positive_sum"] or 0)
        parts.append(part)
    return parts


def _untold(values: "pa.ChunkedArray") -> set[str]:
    """Return the groups of one column of which nothing else is told."""
    counts = _counts(values)
    return {counts[index][0] for index in _silent([n for _, n in counts])}


def _silent(sizes: Sequence[int]) -> set[int]:
    """Return which groups' outcomes stay untold: small ones, and the next larger until what is left over is many."""
    order = sorted(range(len(sizes)), key=lambda index: sizes[index])
    count = sum(1 for n in sizes if n < SMALL)
    if count:
        while count < len(order) and (count == 1 or sum(sizes[index] for index in order[:count]) < SMALL):
            count += 1
    return set(order[:count])


def _period(table: Table, time: str) -> dict[str, Any]:
    """Return the months from the first to the last date: the first and the last day are some person's."""
    import pyarrow.compute as pc

    values = table.text(time).drop_null()
    if not len(values):
        return {}
    if type_of(values) not in ("date", "time"):
        raise InvalidInput(
            f"The time column {time} of {table.name} is no column of dates.", remedy="Write dates as 2026-11-23."
        )
    months = pc.min_max(pc.utf8_slice_codeunits(values, 0, 7)).as_py()
    year, month = map(int, months["max"].split("-"))
    return {"period": {"start": f"{months['min']}-01", "end": f"{months['max']}-{calendar.monthrange(year, month)[1]}"}}
