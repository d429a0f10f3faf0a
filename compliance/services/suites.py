"""Suites of expectations: read and checked before anything runs, or proposed from data for a person to edit.

A suite is data, not code: conditions on rows are taken in Great Expectations' own words, never as a pandas, Spark or
SQL expression, which their engines would evaluate. An expectation says in `meta.requirements` what it speaks to.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core.reading import read_value
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import catalogs
from compliance.services.profile import MOST_CLASSES, SMALL, numbers_of, type_of
from compliance.services.reading.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

PARSERS = ("great_expectations", "great_expectations__experimental__")
"""What a condition may be written for; both are one grammar that evaluates nothing."""
_CONDITIONS = ("comparison", "nullity", "and", "or")
_COMPLETE = {"requirements": ["eu-ai-act/art-10.3.quality", "fda/aidsf/data.quality"]}


def read_suite(data: bytes, name: str) -> dict[str, Any]:
    """Return a suite read from JSON or YAML. Raises InvalidInput where it does not look like one, or holds code."""
    suite = read_value(data, name)
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list) or not suite["expectations"]:
        raise InvalidInput(
            f"{name} is not a suite of expectations.",
            remedy="A suite has `name` and a list `expectations` of {type, kwargs}.",
        )
    for number, item in enumerate(suite["expectations"], 1):
        place = f"{name}: expectation {number}"
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            old = isinstance(item, dict) and "expectation_type" in item
            raise InvalidInput(
                f"{place} has no type.",
                remedy="Great Expectations 1 calls it `type`, not `expectation_type`." if old else "Give `type`.",
            )
        if not isinstance(item.get("kwargs", {}), dict):
            raise InvalidInput(f"{place}: kwargs is no mapping.", remedy="Give `kwargs: {…}`.")
        _no_code(item.get("kwargs", {}), f"{place} ({item['type']})")
    _check_requirements(suite["expectations"], name)
    return {"name": str(suite.get("name") or Path(name).stem), "expectations": suite["expectations"]}


def requirements(item: Mapping[str, Any]) -> list[str]:
    """Return the requirements that an expectation speaks to, as it says."""
    meta = item.get("meta")
    said = meta.get("requirements", []) if isinstance(meta, dict) else []
    return [str(one) for one in said] if isinstance(said, list) else [str(said)]


def _no_code(kwargs: Mapping[str, Any], place: str) -> None:
    """Refuse what an engine would evaluate: queries, and conditions that are expressions."""
    if query := next((name for name in kwargs if "query" in name), None):
        raise InvalidInput(
            f"{place}: {query} is code, which a suite may not bring.", remedy="Log the rows of that query with --query."
        )
    condition = kwargs.get("row_condition")
    if isinstance(condition, str):
        if kwargs.get("condition_parser") not in PARSERS:
            raise InvalidInput(
                f"{place}: this row_condition would be evaluated as code.",
                remedy='Write it as \'col("sex") == "F"\', with condition_parser: great_expectations.',
            )
        columns = [condition]
    else:
        columns = list(_columns(condition, place))
    if any(mark in column for column in columns for mark in "`\\\n"):
        raise InvalidInput(f"{place}: row_condition has a ` or \\ in it.", remedy="Rename the column.")


def _columns(condition: Any, place: str) -> Iterator[str]:
    """Yield the columns that a structured condition names. Raises InvalidInput for one of a kind that holds code."""
    if condition is None:
        return
    if not isinstance(condition, dict) or condition.get("type") not in _CONDITIONS:
        raise InvalidInput(
            f"{place}: this row_condition would be evaluated as code.",
            remedy=f"Its type is one of {', '.join(_CONDITIONS)}.",
        )
    for inner in condition.get("conditions") or []:
        yield from _columns(inner, place)
    column = condition.get("column")
    yield str(column.get("name")) if isinstance(column, dict) else str(column)


def _check_requirements(items: list[dict[str, Any]], name: str) -> None:
    asked = {one: number for number, item in reversed(list(enumerate(items, 1))) for one in requirements(item)}
    for one, number in asked.items():
        try:
            catalogs.find(one)
        except UnknownReference as error:
            raise InvalidInput(f"{name}: expectation {number}: {error.problem}", remedy=error.remedy) from error


# --- proposing -------------------------------------------------------------------------------------


def propose(table: Table, name: str, *, patient: str | None = None) -> dict[str, Any]:
    """Return a starter suite: what these data show, each threshold with its reason, for a person to edit.

    It proposes nothing that would print a person's value: sets only of values that SMALL rows or more have, bounds
    rounded outwards to whole figures, and of the patient's column only that it is there.
    """
    if patient:
        table.check(patient, "patient")
    asked = [
        _expectation(
            "expect_table_columns_to_match_set",
            {"column_set": table.columns, "exact_match": True},
            "The columns of the data at hand. A column that comes or goes changes what the model sees.",
        )
    ]
    for column in table.columns:
        asked += _about(column, table.text(column), private=column == patient)
    note = "Proposed from the data at hand: it says what they are, not what they should be. Read and edit each line."
    return {"name": name, "expectations": asked, "meta": {"notes": note}}


def _about(column: str, values: "pa.ChunkedArray", *, private: bool) -> Iterator[dict[str, Any]]:
    import pyarrow.compute as pc

    present = values.drop_null()
    if not values.null_count:
        reason = "No value is missing in the data at hand."
        yield _expectation("expect_column_values_to_not_be_null", {"column": column}, reason)
    elif len(present):
        least = float(Fraction(len(present) * 100 // len(values), 100))
        share = f"{values.null_count} of {len(values)} values are missing in the data at hand"
        kwargs = {"column": column, "mostly": least}
        reason = f"{share}; the share that is there, rounded down to whole per cent."
        yield _expectation("expect_column_values_to_not_be_null", kwargs, reason)
    if private or not len(present):
        return
    counts = [(one["values"], one["counts"]) for one in pc.value_counts(present).to_pylist()]
    kind = type_of(present)
    numeric = kind in ("integer", "number")
    if kind not in ("date", "time") and len(counts) <= MOST_CLASSES and min(n for _, n in counts) >= SMALL:
        allowed = sorted(value for value, _ in counts)
        as_typed = [float(v) if not float(v).is_integer() else int(float(v)) for v in allowed] if numeric else allowed
        reason = f"The {len(allowed)} values that occur, each at least {SMALL} times. Add those that are right too."
        yield _expectation("expect_column_values_to_be_in_set", {"column": column, "value_set": as_typed}, reason)
    elif numeric and len(present) >= 10 * SMALL:
        yield from _bounded(column, numbers_of(present).to_numpy())


def _bounded(column: str, values: Any) -> Iterator[dict[str, Any]]:
    """Propose bounds for almost all values: two percentiles, half their distance wider, rounded outwards."""
    import numpy as np

    low, high = (float(cut) for cut in np.percentile(values, [1, 99]))
    if not np.isfinite([low, high]).all() or low == high:
        return
    wider = (high - low) / 2
    step = 10.0 ** int(np.floor(np.log10(high - low)))
    least, most = np.floor((low - wider) / step) * step, np.ceil((high + wider) / step) * step
    if values.min() >= 0:
        least = max(least, 0.0)
    kwargs = {"column": column, "min_value": float(f"{least:.6g}"), "max_value": float(f"{most:.6g}"), "mostly": 0.99}
    reason = (
        "The 1st and 99th percentile of the data at hand, half their distance wider, rounded outwards; 99 % of values "
        "must lie within. Put limits from the clinic or the device in their place."
    )
    yield _expectation("expect_column_values_to_be_between", kwargs, reason)


def _expectation(type_: str, kwargs: dict[str, Any], reason: str) -> dict[str, Any]:
    return {"type": type_, "kwargs": kwargs, "meta": {"reason": reason, **_COMPLETE}}
