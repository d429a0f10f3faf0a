"""One thing to import, opened: a file's bytes, or a folder's files, and the shapes they can be read in.

Every view (`json`, `lines`, `xml`, `front`, `table`, `archive`) is parsed once, when a recogniser first asks, and is
None where the bytes are not of that shape. `problem` then says what is wrong with bytes that begin like a shape and
do not keep it: a truncated file, nesting without end, entities, a bomb. Nothing here knows a path of this machine.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element

from compliance.core import oms
from compliance.core.reading import MAX_BYTES, read_foreign, read_records
from compliance.errors import InvalidInput
from compliance.importers import archive, markup

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LOOK = 1 << 16
_MAX_COLUMNS = 10_000


@dataclass(frozen=True, slots=True)
class Lines:
    """One JSON value a line."""

    values: list[Any]
    broken: str | None
    """What is wrong with the first line that is no value; what follows it is not read."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A CSV's header and rows, as text."""

    header: list[str]
    rows: list[list[str]]
    broken: str | None
    """Why it does not end as it should: a row too short, an open quote, no end of the last line."""


class Source:
    """A file or a folder as the importers see it. `files` maps names inside it to bytes; a file holds itself."""

    def __init__(self, name: str, files: Mapping[str, bytes], *, folder: bool = False) -> None:
        self.name, self.files, self.is_folder = name, files, folder
        self.problem: str | None = None

    @classmethod
    def of(cls, name: str, data: bytes) -> "Source":
        """Return a single file."""
        return cls(name, {name.rpartition("/")[2]: data})

    @cached_property
    def data(self) -> bytes:
        """The file's bytes; of a folder none."""
        return b"" if self.is_folder else next(iter(self.files.values()))

    def sha256(self, names: "list[str] | None" = None) -> str:
        """Return the file's digest; of a folder the OMS root over the files that were read from it."""
        if not self.is_folder:
            return sha256(self.data).hexdigest()
        chosen = sorted(self.files) if names is None else names
        return oms.root([(name, sha256(self.files[name]).hexdigest()) for name in chosen])

    @cached_property
    def json(self) -> Any:
        """The one JSON value of the file."""
        return None if self._start not in (b"{", b"[") or self._too_large() else self._json

    @cached_property
    def lines(self) -> Lines | None:
        """The JSON values of a file that holds one a line, as far as they can be read."""
        if self._start != b"{" or self._too_large():
            return None
        values: list[Any] = []
        for number, line in enumerate(self.data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
            if not line.strip():
                continue
            try:
                values.append(read_foreign(line, "it"))
            except InvalidInput as error:
                return Lines(values, f"line {number} {_bare(error)}") if values else None
        return Lines(values, None) if values else None

    @cached_property
    def xml(self) -> Element | None:
        """The root of an XML document."""
        if self._start != b"<" or self._too_large():
            return None
        try:
            return markup.parse(self.data)
        except markup.BadMarkupError as error:
            self._refuse(str(error))
            return None

    @cached_property
    def archive(self) -> archive.Archive | None:
        """The files of a zip archive."""
        if not self.data.startswith(archive.MAGIC):
            return None
        try:
            return archive.Archive(self.data)
        except archive.BadArchiveError as error:
            self._refuse(str(error))
            return None

    @cached_property
    def front(self) -> dict[str, Any] | None:
        """The YAML front matter of a Markdown page; figures keep their digits as text."""
        if not self.data.startswith(b"---") or self._too_large():
            return None
        found = _FRONT.match(self.data.decode("utf-8", errors="replace"))
        if found is None:
            return None
        value = self._yaml(found[1].encode())
        return value[0] if value else None

    @cached_property
    def yaml(self) -> list[dict[str, Any]] | None:
        """The mappings of a YAML file: its documents, or the members of its one list."""
        if self._start in (b"{", b"[", b"<", b"") or self._too_large() or b"\0" in self.data[:_LOOK]:
            return None
        return self._yaml(self.data)

    @cached_property
    def table(self) -> Rows | None:
        """The rows of a CSV file with a header of at least two names."""
        first, _, _ = self.data[:_LOOK].partition(b"\n")
        if self._start in (b"{", b"[", b"<") or b"," not in first or b"\0" in self.data[:_LOOK] or self._too_large():
            return None
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._refuse(f"is not UTF-8 text (byte {error.start})")
            return None
        return _rows(text)

    @property
    def is_table(self) -> bool:
        """Whether the file can be read as nothing but a table."""
        return self.table is not None and self.lines is None and self.front is None and self.archive is None

    def holds(self, *marks: bytes) -> bool:
        """Say whether all of these bytes stand in the file: what is left of a sign when the file is damaged."""
        return not self.is_folder and all(mark in self.data for mark in marks)

    @cached_property
    def _start(self) -> bytes:
        if self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._refuse("is UTF-16 text: save it as UTF-8")
        return self.data[:_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]

    @cached_property
    def _json(self) -> Any:
        try:
            return read_foreign(self.data, self.name)
        except InvalidInput as error:
            self._refuse(_bare(error))
            return None

    def _yaml(self, data: bytes) -> list[dict[str, Any]] | None:
        try:
            return [record.value for record in read_records(data, "its YAML")]
        except InvalidInput as error:
            self._refuse(_bare(error))
            return None

    def _too_large(self) -> bool:
        if len(self.data) <= MAX_BYTES:
            return False
        self.problem = f"is larger than {MAX_BYTES >> 20} MB"
        return True

    def _refuse(self, problem: str) -> None:
        self.problem = self.problem or problem


def member(files: Mapping[str, bytes], name: str) -> Any:
    """Return the JSON value of one file of an archive or folder. Raises InvalidInput, BadArchiveError, KeyError."""
    return read_foreign(files[name], name)


def _bare(error: InvalidInput) -> str:
    """Return what is wrong, without the name of the file in front; the line where there are several."""
    name, line = error.facts.get("file"), error.facts.get("line")
    problem = error.problem.removeprefix(f"{name}:{line}: ").removeprefix(f"{name} ").rstrip(".")
    return f"{problem} (line {line})" if isinstance(line, int) and line > 1 else problem


def _rows(text: str) -> Rows | None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    broken = None if text.endswith(("\n", "\r")) else "the last line has no end"
    header: list[str] = []
    rows: list[list[str]] = []
    try:
        header = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                broken = f"line {reader.line_num} has {len(row)} cells, the header {len(header)}"
                break
            if row:
                rows.append(row)
    except csv.Error as error:
        broken = f"line {reader.line_num}: {error}"
    if not 2 <= len(header) <= _MAX_COLUMNS or len(set(header)) != len(header):
        return None
    return Rows(header, rows, broken)


def as_json(value: Any) -> str:
    """Return a plain value as compact JSON text, for a field that repeats what a file asked for."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
