"""Who may read in the portal, and who read what: `.compliance/portal.db`, apart from the ledger.

Tokens are kept as SHA-256 only. Visits are append-only and chained by hash, so that a line taken out of the
log shows. Nothing here is evidence, and losing this file loses no evidence.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from compliance.core.canonical import canonical
from compliance.core.checkpoint import unverified
from compliance.errors import Unavailable, UnknownReference

FILE = "portal.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
  id TEXT PRIMARY KEY, token BLOB NOT NULL UNIQUE, holder TEXT NOT NULL, models TEXT NOT NULL, catalogs TEXT NOT NULL,
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL, revoked_at TEXT);
CREATE TABLE IF NOT EXISTS sessions (token BLOB PRIMARY KEY, grant_id TEXT NOT NULL, expires_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS visits (
  n INTEGER PRIMARY KEY, at TEXT NOT NULL, grant_id TEXT NOT NULL, holder TEXT NOT NULL, what TEXT NOT NULL,
  result INTEGER NOT NULL, chain BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS remembered (size INTEGER PRIMARY KEY, note TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS visits_by_grant ON visits (grant_id, n);
CREATE TRIGGER IF NOT EXISTS visits_update BEFORE UPDATE ON visits BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS visits_delete BEFORE DELETE ON visits BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS visits_insert BEFORE INSERT ON visits
  WHEN NEW.n <> (SELECT COALESCE(MAX(n), 0) + 1 FROM visits) BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""
_GRANT = "id, holder, models, catalogs, created_at, expires_at, revoked_at"
_GRANT_OF_SESSION = ", ".join(f"g.{column.strip()}" for column in _GRANT.split(","))


@dataclass(frozen=True, slots=True)
class Grant:
    """One reader's permission: whose, to what, until when. Empty `models` or `catalogs` means all of them."""

    id: str
    holder: str
    models: tuple[str, ...]
    catalogs: tuple[str, ...]
    created_at: str
    expires_at: str
    revoked_at: str | None

    def open_at(self, moment: str) -> bool:
        return self.revoked_at is None and moment < self.expires_at

    def state_at(self, moment: str) -> str:
        """Return `open`, `expired` or `revoked`."""
        return "revoked" if self.revoked_at else "open" if self.open_at(moment) else "expired"


@dataclass(frozen=True, slots=True)
class Visit:
    """One view of one page: who, what, when, and the HTTP status that answered."""

    n: int
    at: str
    grant_id: str
    holder: str
    what: str
    result: int

    def chained(self, before: bytes) -> bytes:
        """Return the hash that ties this visit to all before it."""
        return sha256(before + canonical(asdict(self))).digest()


class Access:
    """The portal's own database. Moments are UtcTime and given by the caller."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        with self._told():
            # Made in one thread, used in another: the server's event loop, which alone uses it from then on.
            self._db = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            self.path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    # --- grants --------------------------------------------------------------------------------

    def add_grant(
        self, holder: str, models: Sequence[str], catalogs: Sequence[str], *, created_at: str, expires_at: str
    ) -> tuple[Grant, str]:
        """Make a grant; return it and its token, which is kept nowhere."""
        token = secrets.token_urlsafe(32)
        grant = Grant(secrets.token_hex(4), holder, tuple(models), tuple(catalogs), created_at, expires_at, None)
        with self._told():
            self._db.execute(
                "INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (grant.id, _hashed(token), holder, "\n".join(models), "\n".join(catalogs), created_at, expires_at),
            )
        return grant, token

    def grants(self) -> list[Grant]:
        """Return every grant, oldest first."""
        with self._told():
            return [_grant(row) for row in self._db.execute(f"SELECT {_GRANT} FROM grants ORDER BY rowid")]

    def revoke_grant(self, grant_id: str, moment: str) -> None:
        """End a grant and its sessions. Raises UnknownReference."""
        with self._told():
            found = self._db.execute(
                "UPDATE grants SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", (moment, grant_id)
            ).rowcount
            self._db.execute("DELETE FROM sessions WHERE grant_id = ?", (grant_id,))
        if not found:
            raise UnknownReference(
                f"There is no grant {grant_id!r}.", remedy="`compliance grant list` shows the ids of the grants."
            )

    # --- sessions ------------------------------------------------------------------------------

    def open_session(self, token: str, moment: str, until: str) -> tuple[Grant, str] | None:
        """Exchange a grant's token for a session's, which ends at `until` or with the grant; None where it is void."""
        with self._told():
            row = self._db.execute(f"SELECT {_GRANT} FROM grants WHERE token = ?", (_hashed(token),)).fetchone()
            grant = _grant(row) if row else None
            if grant is None or not grant.open_at(moment):
                return None
            session = secrets.token_urlsafe(32)
            ends = min(until, grant.expires_at)
            self._db.execute("DELETE FROM sessions WHERE expires_at <= ?", (moment,))
            self._db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_hashed(session), grant.id, ends))
        return grant, session

    def session(self, session: str, moment: str) -> Grant | None:
        """Return the grant of an open session."""
        with self._told():
            row = self._db.execute(
                f"SELECT {_GRANT_OF_SESSION} FROM sessions s JOIN grants g ON g.id = s.grant_id "
                "WHERE s.token = ? AND s.expires_at > ?",
                (_hashed(session), moment),
            ).fetchone()
        grant = _grant(row) if row else None
        return grant if grant is not None and grant.open_at(moment) else None

    def close_session(self, session: str) -> None:
        with self._told():
            self._db.execute("DELETE FROM sessions WHERE token = ?", (_hashed(session),))

    # --- checkpoints that held -----------------------------------------------------------------

    def remember(self, note: str, moment: str) -> None:
        """Keep a checkpoint that verification has found to hold; the largest is the one to be held against."""
        with self._told():
            self._db.execute("INSERT OR IGNORE INTO remembered VALUES (?, ?, ?)", (unverified(note).size, note, moment))

    def remembered(self) -> str | None:
        """Return the largest checkpoint that was ever kept here."""
        with self._told():
            row = self._db.execute("SELECT note FROM remembered ORDER BY size DESC LIMIT 1").fetchone()
        return row[0] if row else None

    # --- visits --------------------------------------------------------------------------------

    def log(self, grant_id: str, holder: str, what: str, result: int, moment: str) -> None:
        """Append one visit to the log."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                last = self._db.execute("SELECT n, chain FROM visits ORDER BY n DESC LIMIT 1").fetchone() or (0, b"")
                visit = Visit(last[0] + 1, moment, grant_id, holder, what, result)
                row = (visit.n, moment, grant_id, holder, what, result, visit.chained(last[1]))
                self._db.execute("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def visits(self, grant_id: str, *, before: int | None = None, limit: int = -1) -> list[Visit]:
        """Return a grant's visits, newest first."""
        with self._told():
            rows = self._db.execute(
                "SELECT n, at, grant_id, holder, what, result FROM visits WHERE grant_id = ? AND n < ? "
                "ORDER BY n DESC LIMIT ?",
                (grant_id, before if before is not None else 1 << 62, limit),
            ).fetchall()
        return [Visit(*row) for row in rows]

    def first_broken_visit(self) -> int | None:
        """Return the number of the first visit that does not follow from those before it; None where all do."""
        chain, expected = b"", 1
        with self._told():
            for *values, kept in self._db.execute(
                "SELECT n, at, grant_id, holder, what, result, chain FROM visits ORDER BY n"
            ):
                visit = Visit(*values)
                chain = visit.chained(chain)
                if visit.n != expected or chain != kept:
                    return visit.n
                expected += 1
        return None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise Unavailable(
                f"{self.path} refused: {error}.",
                remedy="The portal needs to write its access log: check the file's and its folder's permissions.",
            ) from error


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _grant(row: Sequence[Any]) -> Grant:
    grant_id, holder, models, catalogs, *times = row
    return Grant(
        grant_id,
        holder,
        tuple(models.split("\n") if models else ()),
        tuple(catalogs.split("\n") if catalogs else ()),
        *times,
    )
