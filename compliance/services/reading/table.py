"""A table in memory: typed columns as Arrow holds them, and each column as text, as a CSV of it would say."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from compliance.core.rows import plain
from compliance.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "NaT"})
"""What counts as missing: the empty cell and the spellings that common tools write for one."""
CHUNK = 1 << 16
"""Rows that a reader turns into columns at a time."""
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d\d?[./]\d\d?[./]\d{4}")
_DECIMAL_COMMA = r"^[-+]?\d+(,\d+)?([eE][-+]?\d+)?$"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length, some of them typed."""

    name: str
    """How messages call it: a path, or a table of a database."""
    format: str
    """CSV, Parquet, SQL…"""
    data: "pa.Table"
    first_line: int = 0
    """Line of the first row in a text file, 0 where there are no lines."""
    typed: bool = True
    """Whether the source gave its columns types; text from a CSV may be numbers."""

    @property
    def rows(self) -> int:
        return int(self.data.num_rows)

    @property
    def columns(self) -> list[str]:
        return list(self.data.column_names)

    def check(self, name: str, option: str) -> str:
        """Return a column's name. Raises InvalidInput with the nearest right one."""
        if name not in self.columns:
            by_case = {column.lower(): column for column in self.columns}
            near = get_close_matches(name.lower(), by_case, 1)
            hint = f"; did you mean {by_case[near[0]]}?" if near else "."
            raise InvalidInput(
                f"{self.name} has no column {name!r} ({option}){hint}",
                remedy=f"Its columns are: {', '.join(self.columns)}.",
            )
        return name

    def text(self, name: str) -> "pa.ChunkedArray":
        """Return a column as text, null where a value is missing."""
        return as_text(self.data[name])

    def column(self, name: str, option: str) -> list[str | None]:
        """Return a column as a list. Raises InvalidInput with the nearest right name."""
        values: list[str | None] = self.text(self.check(name, option)).to_pylist()
        return values

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"{self.name}:{row + self.first_line}" if self.first_line else f"{self.name}, row {row + 1}"


def checked(table: Table) -> Table:
    """Return a table that has rows and columns of different names. Raises InvalidInput otherwise."""
    columns_apart(table.name, table.columns)
    if not table.columns or table.rows == 0:
        raise InvalidInput(f"{table.name} has no rows.", remedy="Check that it was written to its end.")
    return table


def columns_apart(source: str, names: Sequence[str]) -> None:
    """Raise InvalidInput where a column has no name, or another's."""
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if not name.strip():
            raise InvalidInput(
                f"{source}: column {position} has no name.",
                remedy="Name it; pandas leaves an index out by index=False.",
            )
        if name in seen:
            raise InvalidInput(
                f"{source} has two columns called {name!r}.", remedy="Give every column a name of its own."
            )
        seen.add(name)


def no_row_of_names(table: Table) -> Table:
    """Return a table whose column names are names. A file without a header would put its first row on record as such.

    Told by a name that stands as a value in its own column, or is a date or a number with decimals; whole numbers may
    count columns, and numbers that rise are an axis, of a spectrum for example.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = [float(name) for name in table.columns if _NUMBER.fullmatch(name)]
    axis = len(numbers) > 2 and all(one < next_ for one, next_ in pairwise(numbers))
    for position, name in enumerate(table.columns, 1):
        column, number = table.data.column(position - 1), _NUMBER.fullmatch(name)
        texts = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        among = texts and not number and pc.any(pc.equal(column, name)).as_py()
        if among or _DATE.fullmatch(name) or (number and "." in name and not axis):
            raise InvalidInput(
                f"The name of column {position} of {table.name} is a value: its first line looks like a row of data.",
                remedy="Put a line of column names first.",
            )
    return table


def with_decimal_points(table: Table) -> Table:
    """Return a table whose columns of numbers with decimal commas have points instead."""
    import pyarrow as pa
    import pyarrow.compute as pc

    data = table.data
    for position, name in enumerate(table.columns):
        column = data.column(position)
        lost = pc.is_in(column, value_set=pa.array(sorted(MISSING)))
        numbers = pc.or_(lost, pc.match_substring_regex(column, _DECIMAL_COMMA))
        if pc.all(numbers).as_py() and pc.any(pc.match_substring(column, ",")).as_py():
            data = data.set_column(position, name, pc.replace_substring(column, ",", "."))
    return replace(table, data=data)


def from_text(name: str, format: str, chunks: Iterable[Mapping[str, Sequence[str | None]]], first_line: int) -> Table:
    """Return a table of text from columns in chunks; a column that a chunk lacks is missing there."""
    import pyarrow as pa

    pool = pa.system_memory_pool()  # Arrow's own loses as much again to columns that grow value by value
    tables = [
        pa.table({column: pa.array(cells, pa.string(), memory_pool=pool) for column, cells in chunk.items()})
        for chunk in chunks
    ]
    whole = pa.concat_tables(tables, promote_options="default") if tables else pa.table({})
    return checked(Table(name, format, whole, first_line, typed=False))


def from_frame(frame: "pd.DataFrame", name: str) -> Table:
    """Return a pandas frame as a table: typed where Arrow has the type, else as text. A named index is a column."""
    import pyarrow as pa

    if any(level is not None for level in frame.index.names):
        if clash := sorted({str(level) for level in frame.index.names} & set(map(str, frame.columns))):
            raise InvalidInput(
                f"The index of {name} is called {clash[0]}, as a column is.", remedy="Rename one of the two."
            )
        frame = frame.reset_index()
    columns = [_from_series(frame.iloc[:, at]) for at in range(frame.shape[1])]
    data = pa.Table.from_arrays(columns, names=[str(label) for label in frame.columns])
    return no_row_of_names(checked(Table(name, "frame", data)))


def _from_series(series: "pd.Series[Any]") -> "pa.Array":
    import pyarrow as pa

    try:
        array = pa.Array.from_pandas(series)
        inner = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        if not isinstance(inner, pa.BaseExtensionType):
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeEncodeError):
        pass  # values of several types, or of one that Arrow has not
    missing = series.isna()
    try:
        return pa.array([None if lost else spell(v) for v, lost in zip(series, missing, strict=True)], pa.string())
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"The column {series.name} holds half a character (a surrogate).", remedy="Read the text again as UTF-8."
        ) from error


def as_text(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return a column of any type as text; what counts as missing is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, t = column.type, pa.types
    if t.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if t.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit, "UTC"))
    elif t.is_float16(kind):
        column = column.cast(pa.float32())
    if t.is_null(kind):
        return pa.chunked_array([pa.nulls(len(column), pa.string())])
    texts = t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind)
    simple = t.is_boolean(kind) or t.is_integer(kind) or t.is_decimal(kind) or t.is_time(kind) or t.is_date(kind)
    if not (texts or simple or t.is_floating(kind) or t.is_timestamp(kind)):
        spelled = pa.array([spell(value) for value in column.to_pylist()], pa.string())
        return pa.chunked_array([spelled])
    text = column if t.is_string(kind) else column.cast(pa.large_string())
    if not (texts or t.is_floating(kind)):
        return text
    lost = pc.is_in(text, value_set=pa.array(sorted(MISSING), text.type))
    return pc.if_else(lost, pa.scalar(None, text.type), text) if pc.any(lost).as_py() else text


def spell(value: Any) -> str | None:
    """Write one value as a CSV of it would; bytes as their SHA-256, what is nested as JSON. None is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return None if value in MISSING else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return sha256(value).hexdigest()
    if isinstance(value, list | tuple | dict | set):
        return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _plain(value: Any) -> Any:
    """Return what is nested with every leaf in its one spelling, so that JSON and Arrow say the same."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in (sorted(value, key=str) if isinstance(value, set) else value)]
    text = spell(value)
    return None if text is None else plain(text)
