"""Tables as text: CSV and Parquet, column by column, with what is missing told apart from what is empty of meaning."""

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from compliance.errors import InvalidInput, Unavailable

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "NaT"})
"""What counts as missing: the empty cell and the spellings that common tools write for one."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns as text, None where a value is missing."""

    path: Path
    columns: dict[str, list[str | None]]
    rows: int
    first_line: int
    """Line of the first row in a text file, 0 where there are no lines."""

    def column(self, name: str, option: str) -> list[str | None]:
        """Return a column. Raises InvalidInput with the nearest right name."""
        if name not in self.columns:
            by_case = {column.lower(): column for column in self.columns}
            near = get_close_matches(name.lower(), by_case, 1)
            hint = f"; did you mean {by_case[near[0]]}?" if near else "."
            raise InvalidInput(
                f"{self.path} has no column {name!r} ({option}){hint}",
                remedy=f"Its columns are: {', '.join(self.columns)}.",
            )
        return self.columns[name]

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"{self.path}:{row + self.first_line}" if self.first_line else f"{self.path}, row {row + 1}"


def read_table(path: Path) -> Table:
    """Read a CSV (UTF-8, with a header) or Parquet file. Raises InvalidInput, Unavailable."""
    try:
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder, not a table.", remedy="Name a CSV or Parquet file.")
        return _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    except FileNotFoundError as error:
        raise InvalidInput(f"{path} is not there.", remedy="Check the path.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error


def _csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            names = next(reader, None)
            if not names:
                raise InvalidInput(f"{path} is empty.", remedy="A CSV file begins with a line of column names.")
            _distinct(path, names)
            columns: list[list[str | None]] = [[] for _ in names]
            rows = 0
            for row in reader:
                if len(row) != len(names):
                    if not row:
                        continue
                    raise InvalidInput(
                        f"{path}:{reader.line_num}: this row has {len(row)} cells, the header {len(names)}.",
                        remedy="Check separators and quotes there; the separator is a comma.",
                    )
                rows += 1
                for cells, cell in zip(columns, row, strict=True):
                    cells.append(None if cell in MISSING else cell)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8 text (byte {error.start}).", remedy="Save the file as UTF-8."
        ) from error
    except csv.Error as error:
        raise InvalidInput(f"{path}:{reader.line_num}: not CSV: {error}.", remedy="Check the quotes there.") from error
    return _some(Table(path, dict(zip(names, columns, strict=True)), rows, 2))


def _parquet(path: Path) -> Table:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise Unavailable("Parquet files need pyarrow.", remedy="Install pyarrow, or give a CSV file.") from error
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{path} is not a Parquet file: {error}.", remedy="Write it again.") from error
    _distinct(path, table.column_names)
    columns = {name: [_text(v) for v in table[name].to_pylist()] for name in table.column_names}
    return _some(Table(path, columns, table.num_rows, 0))


def _text(value: object) -> str | None:
    """Write a typed cell as a CSV of it would: a whole float without its point, truth values in lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = "" if value is None else str(value)
    return None if text in MISSING else text


def _distinct(path: Path, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{path} has two columns called {twice!r}.", remedy="Give every column a name of its own.")


def _some(table: Table) -> Table:
    if table.rows == 0:
        raise InvalidInput(f"{table.path} has a header and no rows.", remedy="Check that it was written to its end.")
    return table
