"""Tables in files: CSV, Parquet, Arrow (file, stream, Feather) and JSON lines, told apart by their first bytes.

A CSV file is separated by what its header is: commas, or where there is none, semicolons, tabs or bars. Under
semicolons a column of numbers with decimal commas is numbers, as German and French spreadsheets write them.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compliance.errors import InvalidInput, Unavailable
from compliance.services.reading.table import (
    CHUNK,
    Table,
    checked,
    columns_apart,
    from_text,
    no_row_of_names,
    spell,
    with_decimal_points,
)

LONGEST_LINE = 64 << 20
"""Bytes of one JSON line; characters of one cell of a CSV file."""
SEPARATORS = ",;\t|"
_STREAM = b"\xff\xff\xff\xff"


def read_table(path: Path) -> Table:
    """Read one table file. Raises InvalidInput, Unavailable."""
    try:
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder, not a table.", remedy="Name a CSV, Parquet, Arrow or JSONL file.")
        with path.open("rb") as stream:
            start = stream.read(64)
        if start.startswith(b"PAR1"):
            return _parquet(path)
        if start.startswith((b"ARROW1", _STREAM)):
            return _arrow(path, start)
        if start.startswith(b"FEA1"):  # its reader trusts the file's lengths, and is given up by Arrow
            raise InvalidInput(f"{path} is Feather of version 1.", remedy="Write it again: Feather 2 is Arrow.")
        _refuse_packed(path, start)
        return _json_lines(path) if _is_json_lines(path, start) else _csv(path)
    except FileNotFoundError as error:
        raise InvalidInput(f"{path} is not there.", remedy="Check the path.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error


def _refuse_packed(path: Path, start: bytes) -> None:
    if path.suffix.lower() in (".xlsx", ".xlsm", ".ods", ".xls"):
        raise InvalidInput(f"{path} is a workbook.", remedy="Save the sheet that holds the rows as CSV UTF-8.")
    if start.startswith(b"SQLite format 3\0"):
        raise InvalidInput(f"{path} is a database.", remedy="Give --sql sqlite:///PATH and --table NAME.")
    packed = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
    for magic, name in packed.items():
        if start.startswith(magic):
            raise InvalidInput(f"{path} is packed ({name}).", remedy="Unpack it: the digest is that of the data.")
    if path.suffix.lower() in (".parquet", ".pq", ".arrow", ".feather"):
        raise InvalidInput(f"{path} is not what its name says: it does not begin so.", remedy="Write it again.")


def _is_json_lines(path: Path, start: bytes) -> bool:
    begin = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"\[\s*[{\[]", begin):
        raise InvalidInput(f"{path} is one JSON array.", remedy="Write one object a line, as JSON lines.")
    return begin.startswith(b"{") or path.suffix.lower() in (".jsonl", ".ndjson")


# --- CSV -------------------------------------------------------------------------------------------


def _csv(path: Path) -> Table:
    try:
        csv.field_size_limit(LONGEST_LINE)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            separator = _separator(stream.readline(LONGEST_LINE))
            stream.seek(0)
            reader = csv.reader(stream, strict=True, delimiter=separator)
            names = next(reader, None)
            if not names:
                raise InvalidInput(f"{path} is empty.", remedy="A CSV file begins with a line of column names.")
            columns_apart(str(path), names)
            table = from_text(str(path), "CSV", _csv_chunks(path, names, reader, separator), 2)
        return no_row_of_names(with_decimal_points(table) if separator == ";" else table)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text.", remedy="Save the file as UTF-8.") from error
    except csv.Error as error:
        raise InvalidInput(f"{path}:{reader.line_num}: not CSV: {error}.", remedy="Check the quotes there.") from error


def _separator(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return next((mark for mark in SEPARATORS if mark in bare), ",")


def _csv_chunks(path: Path, names: Sequence[str], reader: Any, separator: str) -> Iterator[dict[str, Sequence[str]]]:
    rows: list[list[str]] = []
    for row in reader:
        if len(row) != len(names):
            if not row:
                continue
            raise InvalidInput(
                f"{path}:{reader.line_num}: this row has {len(row)} cells, the header {len(names)}.",
                remedy=f"Check separators and quotes there; by its header the separator is {separator!r}.",
            )
        rows.append(row)
        if len(rows) == CHUNK:
            yield dict(zip(names, zip(*rows, strict=True), strict=True))
            rows = []
    if rows:
        yield dict(zip(names, zip(*rows, strict=True), strict=True))


# --- JSON lines ------------------------------------------------------------------------------------


def _json_lines(path: Path) -> Table:
    return from_text(str(path), "JSON lines", _json_chunks(path), 1)


def _json_chunks(path: Path) -> Iterator[dict[str, list[str | None]]]:
    names: dict[str, None] = {}
    rows: list[dict[str, Any]] = []
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if not line.strip():
                continue
            row = _json_row(path, number, line)
            names |= dict.fromkeys(row)
            rows.append(row)
            if len(rows) == CHUNK:
                yield {name: [spell(row.get(name)) for row in rows] for name in names}
                rows = []
    if rows:
        yield {name: [spell(row.get(name)) for row in rows] for name in names}


def _json_row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Read one line, numbers in the digits of their source. The line itself is never repeated."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            twice.append("a field twice")
        return fields

    if len(line) > LONGEST_LINE:
        raise InvalidInput(f"{path}:{number}: this line is longer than 64 MB.", remedy="Write one record a line.")
    try:
        row = json.loads(
            line.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            parse_constant=lambda _: None,
            object_pairs_hook=unique,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}:{number}: this line is no JSON.", remedy="Write one object a line.") from error
    if not isinstance(row, dict) or twice:
        what = "gives a field twice" if twice else "is no object"
        raise InvalidInput(f"{path}:{number}: this line {what}.", remedy="Write one object a line.")
    return row


# --- Parquet and Arrow -----------------------------------------------------------------------------


def _parquet(path: Path) -> Table:
    import pyarrow.parquet as pq

    with _foreign(path, "Parquet"), pq.ParquetFile(path) as file:
        return _sound(Table(str(path), "Parquet", file.read()))


def _arrow(path: Path, start: bytes) -> Table:
    import pyarrow as pa

    with _foreign(path, "Arrow"), pa.OSFile(str(path)) as file:
        reader = pa.ipc.open_stream(file) if start.startswith(_STREAM) else pa.ipc.open_file(file)
        return _sound(Table(str(path), "Arrow", reader.read_all()))


def _sound(table: Table) -> Table:
    """Return a table whose every offset lies in its data: Arrow takes a file's word, and would read elsewhere."""
    table.data.validate(full=True)
    return checked(table)


@contextmanager
def _foreign(path: Path, format: str) -> Iterator[None]:
    """Word what Arrow raises on bytes that lie; a disk that cannot be read has an error number."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InvalidInput(
            f"{path} is no whole {format} file.", remedy="Check that it was written to its end."
        ) from error
