"""The append-only ledger: a Merkle log of small entries, each naming one signed envelope by digest.

Appending is one transaction under one writer's lock: take the next indexes, insert entries and envelopes, sign one
checkpoint, commit. All or nothing, durable when it returns, O(log n) however long the ledger is. Before it
signs, it checks that the tree it extends is the one its last checkpoint names, so that it never signs two histories.
Nothing here imports SQLModel except making tables.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from compliance.core import checkpoint, merkle
from compliance.core.canonical import canonical
from compliance.core.envelope import signer_hint, unverified_payload
from compliance.core.wire import evidence_number
from compliance.errors import BadSignature, Conflict, InvalidInput, Unavailable, UnknownReference, VerificationFailed
from compliance.storage.database import Database, Row, connect, has_table
from compliance.storage.lookup import Lookups, record_row, subject_rows
from compliance.storage.queue import MirrorQueue
from compliance.storage.stored import Stored

if TYPE_CHECKING:
    from compliance.core.evidence import Evidence

SCHEMA_VERSION = 1
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the ledger."""

    index: int
    envelope: str
    """Digest of the envelope."""
    kind: str
    logged_at: str
    leaf: bytes
    """The canonical JSON that the tree hashes."""

    @classmethod
    def make(cls, index: int, envelope: str, kind: str, logged_at: str) -> Self:
        leaf = canonical({"envelope": envelope, "kind": kind, "logged_at": logged_at, "v": 1})
        return cls(index, envelope, kind, logged_at, leaf)

    @classmethod
    def read(cls, index: int, leaf: str) -> Self:
        """Read a stored leaf. Raises VerificationFailed where it is not one of ours."""
        try:
            said = json.loads(leaf)
            return cls(index, said["envelope"], said["kind"], said["logged_at"], leaf.encode())
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed(
                f"The entry of {evidence_number(index)} is damaged.",
                remedy="Run `compliance verify` for the whole list.",
            ) from error


class Ledger(Lookups, MirrorQueue, Stored):
    """One workspace's log. Made by `create` or `open`; close it, or use it in a `with` statement."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @classmethod
    def create(cls, url: str, root: Path) -> Self:
        """Make an empty ledger. Raises Conflict where one stands there."""
        from compliance.storage import tables

        ledger = cls(connect(url, root, create=True))
        database = ledger._db
        if ledger._version() is not None:
            raise Conflict(
                f"A ledger stands at {database.place} already.", remedy="Choose another database; none is overwritten."
            )
        with database.writing():
            for statement in tables.ddl(database.dialect, tables.TRUTH + tables.INDEXES + tables.QUEUE):
                database.run(statement)
            for statement in tables.triggers(database.dialect):
                database.run(statement)
            database.run("INSERT INTO ledger_schema VALUES (?)", (SCHEMA_VERSION,))
        return ledger

    @classmethod
    def open(cls, url: str, root: Path, *, read_only: bool = False) -> Self:
        """Open a ledger. Raises Unavailable where it is not there, not one, or from a newer version."""
        ledger = cls(connect(url, root, read_only=read_only))
        version = ledger._version()
        if version is None:
            place = ledger._db.place
            ledger.close()
            raise Unavailable(
                f"{place} holds no ledger.", remedy="Check `url` in the [ledger] table of compliance.toml."
            )
        if version != SCHEMA_VERSION:
            ledger.close()
            raise Unavailable(
                f"This ledger has layout {version}; this program knows layout {SCHEMA_VERSION}.",
                remedy="Use the newer version of the program that wrote it; nothing was changed.",
            )
        return ledger

    def _version(self) -> int | None:
        if not has_table(self._db, "ledger_schema"):
            return None
        rows = self._db.rows("SELECT MAX(version) FROM ledger_schema")
        return int(rows[0][0]) if rows[0][0] is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close this thread's connection."""
        self._db.close()

    # --- writing -------------------------------------------------------------------------------

    def append(
        self, items: Sequence[tuple[str, bytes]], *, sign_checkpoint: Callable[[int, bytes], str], now: str
    ) -> list[Entry]:
        """Append (kind, envelope) pairs, all or none, and return their entries once they are durable.

        `sign_checkpoint` turns the new size and root into a signed note. `logged_at` is `now`, or the time of the
        entry before if that is later. Raises Conflict where an envelope or another digest under the same
        NAME@VERSION is on record, VerificationFailed where the tree does not continue the last checkpoint.
        """
        if not items:
            return []
        opened = [(kind, envelope, sha256(envelope).hexdigest(), _statement(envelope)) for kind, envelope in items]
        with self._db.writing():
            newest = self._db.rows("SELECT idx, leaf FROM entries ORDER BY idx DESC LIMIT 1")
            last = Entry.read(*newest[0]) if newest else None
            size, logged_at = (last.index + 1, max(now, last.logged_at)) if last else (0, now)
            frontier = self._frontier(size)
            entries: list[Entry] = []
            leaves: list[Row] = []
            inner: list[Row] = []
            for index, (kind, _, digest, statement) in enumerate(opened, start=size):
                entry = Entry.make(index, digest, kind, logged_at)
                leaf = merkle.leaf_hash(entry.leaf)
                position = index - index.bit_count()
                inner += [(position + up, node) for up, node in enumerate(frontier.push(leaf))]
                leaves.append((index, entry.leaf.decode(), leaf))
                entries.append(entry)
                self._refuse_repeated(digest)
                self._index_subjects(index, kind, statement)
            db = self._db
            db.run_many("INSERT INTO entries VALUES (?, ?, ?)", leaves)
            db.run_many(
                "INSERT INTO envelopes VALUES (?, ?, ?)",
                [(entry.index, entry.envelope, item[1]) for entry, item in zip(entries, opened, strict=True)],
            )
            db.run_many("INSERT INTO nodes VALUES (?, ?)", inner)
            db.run_many(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
                [record_row(entry.index, entry.kind, item[3]) for entry, item in zip(entries, opened, strict=True)],
            )
            db.run_many("INSERT INTO mirror (idx, state) VALUES (?, 'pending')", [(entry.index,) for entry in entries])
            note = sign_checkpoint(frontier.size, frontier.root())
            db.run("INSERT INTO checkpoints VALUES (?, ?)", (frontier.size, note))
        return entries

    def _refuse_repeated(self, digest: str) -> None:
        if (index := self.index_of(digest)) is not None:
            raise Conflict(
                f"This envelope is on record already, as {evidence_number(index)}.", remedy="There is nothing to do."
            )

    def _index_subjects(self, index: int, kind: str, statement: dict[str, Any]) -> None:
        """Index what the statement is about; one NAME@VERSION names one digest for ever."""
        for row in subject_rows(index, kind, statement):
            name, sha = row[2], row[4]
            standing = self.subject(name) if "@" in name else None
            if standing is not None and standing.sha256 != sha:
                raise Conflict(
                    f"{name} stands for {standing.sha256[:12]}… already ({evidence_number(standing.index)}), "
                    f"not for {sha[:12]}….",
                    remedy="A name and version mean one digest for ever: give it a new version.",
                )
            self._db.run("INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def erase(self, digest: str) -> bool:
        """Erase an envelope, as a law may demand; entry, digest and every proof remain. False where it is gone.

        The caller logs the `revocation` with `erasure: true` that says who and why; without one, verification
        reports the envelope as missing.
        """
        from compliance.storage import tables

        refusal = tables.sqlite_refusal if self._db.dialect == "sqlite" else tables.postgresql_refusal
        on = "" if self._db.dialect == "sqlite" else " ON envelopes"
        with self._db.writing():
            self._db.run(f"DROP TRIGGER envelopes_delete{on}")
            index = self.index_of(digest)
            for table in ("envelopes", "records", "subjects"):
                self._db.run(f"DELETE FROM {table} WHERE idx = ?", (index,))
            self._db.run(refusal("envelopes", "delete"))
        return index is not None

    def reindex(self) -> None:
        """Make the index tables again from entries and envelopes; what stands in MLflow is kept where it is known."""
        from compliance.storage import tables

        db = self._db
        with db.writing():
            known = {row[0]: row for row in self._mirror_rows()}
            for model in tables.INDEXES + tables.QUEUE:
                db.run(f"DROP TABLE IF EXISTS {model.__tablename__}")
            for statement in tables.ddl(db.dialect, tables.INDEXES + tables.QUEUE):
                db.run(statement)
            frontier = merkle.Frontier()
            for index, hashed in enumerate(self.leaf_hashes()):
                inner = enumerate(frontier.push(hashed), start=index - index.bit_count())
                db.run_many("INSERT INTO nodes VALUES (?, ?)", list(inner))
                row = known.get(index, (index, "pending", None, None, None, "not known"))
                db.run("INSERT INTO mirror VALUES (?, ?, ?, ?, ?, ?)", row)
            for index, leaf, envelope in self._joined(0, None):
                self._reindex_record(Entry.read(index, leaf), envelope)

    def _reindex_record(self, entry: Entry, envelope: bytes) -> None:
        try:
            statement = _statement(envelope)
        except (BadSignature, InvalidInput):
            return  # damaged: what cannot be read cannot be listed, and verification names it
        self._db.run("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", record_row(entry.index, entry.kind, statement))
        rows = subject_rows(entry.index, entry.kind, statement)
        self._db.run_many("INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    # --- reading -------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries the ledger holds."""
        return int(self._db.rows("SELECT COALESCE(MAX(idx) + 1, 0) FROM entries")[0][0])

    def entry(self, index: int) -> Entry:
        """Return one entry. Raises UnknownReference."""
        rows = self._db.rows("SELECT leaf FROM entries WHERE idx = ?", (index,))
        if not rows:
            raise UnknownReference(
                f"{evidence_number(index)} is not on record.", remedy="`compliance list` shows what is on record."
            )
        return Entry.read(index, rows[0][0])

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Yield entries, oldest first."""
        for index, leaf in self._paged(
            "SELECT idx, leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", start, stop
        ):
            yield Entry.read(index, leaf)

    def envelope(self, digest: str) -> bytes | None:
        """Return the envelope with this digest, or None where there is none (any more)."""
        rows = self._db.rows("SELECT envelope FROM envelopes WHERE digest = ?", (digest,))
        return bytes(rows[0][0]) if rows else None

    def index_of(self, digest: str) -> int | None:
        """Return the index of the entry whose envelope has this digest, where it stands on record."""
        rows = self._db.rows("SELECT idx FROM envelopes WHERE digest = ?", (digest,))
        return int(rows[0][0]) if rows else None

    def piece(self, index: int) -> "Evidence":
        """Return one piece of evidence. Raises UnknownReference where it is not on record or was erased."""
        for found in self.evidence(index, index + 1):
            return found
        self.entry(index)
        raise UnknownReference(
            f"The content of {evidence_number(index)} was erased; its entry and digest remain.",
            remedy="The revocation that names it says who erased it and why.",
        )

    def evidence(self, start: int = 0, stop: int | None = None) -> Iterator["Evidence"]:
        """Yield the evidence on record, oldest first, erased pieces left out. Signatures are taken on record."""
        from compliance.core.evidence import Evidence

        for index, leaf, envelope in self._joined(start, stop):
            entry = Entry.read(index, leaf)
            try:
                hint, statement = signer_hint(envelope), _statement(envelope)
            except (BadSignature, InvalidInput) as error:
                raise VerificationFailed(
                    f"The envelope of {evidence_number(index)} was changed in the ledger.",
                    remedy="Run `compliance verify` for the whole list; bring back a copy, or `compliance rebuild`.",
                ) from error
            yield Evidence(index, entry.envelope, entry.kind, entry.logged_at, hint, statement)

    def checkpoint(self) -> str | None:
        """Return the newest checkpoint."""
        rows = self._db.rows("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
        return rows[0][0] if rows else None

    def covering_checkpoint(self, index: int) -> str | None:
        """Return the first checkpoint over a tree that holds entry `index`: the one signed when it was appended."""
        rows = self._db.rows("SELECT note FROM checkpoints WHERE size > ? ORDER BY size LIMIT 1", (index,))
        return rows[0][0] if rows else None

    def checkpoints(self) -> Iterator[str]:
        """Yield every checkpoint, oldest first."""
        last = self._db.rows("SELECT COALESCE(MAX(size), 0) FROM checkpoints")[0][0]
        sql = "SELECT note FROM checkpoints WHERE size >= ? AND size < ? ORDER BY size"
        for (note,) in self._paged(sql, 0, last + 1):
            yield note

    def leaf_hashes(self, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Return the leaf hashes as stored, oldest first."""
        rows = self._paged("SELECT idx, hash FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", start, stop)
        return [bytes(row[1]) for row in rows]

    # --- proofs --------------------------------------------------------------------------------

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that entry `index` is in the tree of the first `size` entries."""
        return merkle.inclusion_from(self._node, index, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the tree of `second` entries grew from the tree of `first`."""
        return merkle.consistency_from(self._node, first, second)

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries, from stored nodes."""
        return merkle.Frontier(size, [self._node(*place) for place in merkle.frontier_nodes(size)]).root()

    def _node(self, level: int, n: int) -> bytes:
        if level:
            sql, at = "SELECT hash FROM nodes WHERE pos = ?", merkle.node_position(level, n)
        else:
            sql, at = "SELECT hash FROM entries WHERE idx = ?", n
        rows = self._db.rows(sql, (at,))
        if not rows:
            raise _hole()
        return bytes(rows[0][0])

    def _frontier(self, size: int) -> merkle.Frontier:
        """Return the tree's right edge, held to the last checkpoint."""
        places = merkle.frontier_nodes(size)
        inner = [merkle.node_position(*place) for place in places if place[0]]
        marks = ", ".join("?" * len(inner)) or "-1"  # PostgreSQL knows no empty list
        rows = self._db.rows(f"SELECT pos, hash FROM nodes WHERE pos IN ({marks}) ORDER BY pos", inner)
        nodes = [bytes(row[1]) for row in rows] + [self._node(*place) for place in places if not place[0]]
        if len(nodes) != len(places):
            raise _hole()
        frontier = merkle.Frontier(size, nodes)
        note = self.checkpoint()
        last = checkpoint.unverified(note) if note else None
        if (last.size if last else 0) != size or (last is not None and last.root != frontier.root()):
            raise VerificationFailed(
                "The ledger does not continue its last checkpoint, so nothing is added to it.",
                remedy="Run `compliance verify`; it names the first bad record. Then restore a backup.",
            )
        return frontier

    # --- helpers -------------------------------------------------------------------------------

    def _joined(self, start: int, stop: int | None) -> Iterator[tuple[int, str, bytes]]:
        sql = (
            "SELECT e.idx, e.leaf, v.envelope FROM entries e JOIN envelopes v ON v.idx = e.idx "
            "WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx"
        )
        for index, leaf, envelope in self._paged(sql, start, stop):
            yield index, leaf, bytes(envelope)

    def _paged(self, sql: str, start: int, stop: int | None) -> Iterator[Row]:
        """Yield rows page by page, so that no read transaction stays open while the caller works."""
        last = self.size if stop is None else stop
        for begin in range(max(start, 0), last, _PAGE):
            yield from self._db.rows(sql, (begin, min(begin + _PAGE, last)))

    def _mirror_rows(self) -> list[Row]:
        if not has_table(self._db, "mirror"):
            return []
        return self._db.rows("SELECT idx, state, run_id, owner, until, error FROM mirror")


def _hole() -> VerificationFailed:
    return VerificationFailed(
        "The ledger's tree has a hole.", remedy="Run `compliance verify`; it names the first bad record."
    )


def _statement(envelope: bytes) -> dict[str, Any]:
    """Return the statement inside, unverified: for indexes and for reading what is on record."""
    try:
        statement = json.loads(unverified_payload(envelope))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("This envelope holds no JSON.", remedy="Log evidence with `compliance log`.") from error
    if not isinstance(statement, dict):
        raise InvalidInput("This envelope holds no statement.", remedy="Log evidence with `compliance log`.")
    return statement
