"""Finding evidence quickly: what is on record about a subject, of a kind, on a page of a list.

Answers come from index tables, which prove nothing; `compliance verify` compares them with the truth and
`Ledger.reindex` makes them again from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.storage.database import Database, Row


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject as one piece of evidence names it."""

    name: str
    sha256: str
    basis: str
    kind: str
    """Kind of the evidence."""
    index: int


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One line of a list of evidence."""

    index: int
    kind: str
    title: str
    completeness: str
    classification: str
    recorded_at: str
    recorded_by: str


class Lookups:
    """The reading half of the index tables; mixed into `Ledger`."""

    _db: Database

    def subject(self, name: str) -> SubjectRow | None:
        """Return the newest subject called NAME@VERSION, or the newest version of NAME."""
        found = self._subjects(name, "DESC LIMIT 1")
        return found[0] if found else None

    def subjects(self, name: str) -> list[SubjectRow]:
        """Return every mention of NAME@VERSION, or of all versions of NAME, oldest first."""
        return self._subjects(name, "ASC")

    def _subjects(self, name: str, order: str) -> list[SubjectRow]:
        stem, version, _ = name.partition("@")
        wanted, values = ("stem = ? AND name = ?", (stem, name)) if version else ("stem = ?", (stem,))
        sql = f"SELECT name, sha256, basis, kind, idx FROM subjects WHERE {wanted} ORDER BY idx {order}"
        return [SubjectRow(*row) for row in self._db.rows(sql, values)]

    def indexes_about(self, sha256: str, *, kind: str | None = None) -> list[int]:
        """Return the indexes of evidence about a digest, oldest first."""
        rows = self._db.rows("SELECT DISTINCT idx, kind FROM subjects WHERE sha256 = ? ORDER BY idx", (sha256,))
        return [index for index, of in rows if kind in (None, of)]

    def indexes_of(self, kind: str) -> list[int]:
        """Return the indexes of evidence of a kind, oldest first."""
        return [row[0] for row in self._db.rows("SELECT idx FROM records WHERE kind = ? ORDER BY idx", (kind,))]

    def listing(self, *, kind: str | None = None, before: int | None = None, limit: int = 50) -> list[RecordRow]:
        """Return one page of evidence, newest first; `before` is the last index of the page above it."""
        wanted, values = ["1 = 1"], []
        if kind is not None:
            wanted.append("kind = ?")
            values.append(kind)
        if before is not None:
            wanted.append("idx < ?")
            values.append(before)  # type: ignore[arg-type]
        rows = self._db.rows(
            "SELECT idx, kind, title, completeness, classification, recorded_at, recorded_by FROM records "
            f"WHERE {' AND '.join(wanted)} ORDER BY idx DESC LIMIT ?",
            (*values, limit),
        )
        return [RecordRow(*row) for row in rows]


def record_row(index: int, kind: str, statement: Mapping[str, Any]) -> Row:
    """Return what `records` keeps of a statement."""
    predicate = statement.get("predicate")
    said = predicate if isinstance(predicate, dict) else {}
    names = ("title", "completeness", "data_classification", "recorded_at", "recorded_by")
    return (index, kind, *(str(said.get(name, "")) for name in names))


def subject_rows(index: int, kind: str, statement: Mapping[str, Any]) -> list[Row]:
    """Return what `subjects` keeps of a statement."""
    listed = statement.get("subject")
    rows: list[Row] = []
    for place, subject in enumerate(listed if isinstance(listed, list) else ()):
        digests, notes = subject.get("digest") or {}, subject.get("annotations") or {}
        name, sha256, basis = str(subject.get("name", "")), str(digests.get("sha256", "")), str(notes.get("basis", ""))
        rows.append((index, place, name, name.partition("@")[0], sha256, basis, kind))
    return rows
