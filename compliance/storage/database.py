"""Two databases behind one small face: SQLite through the standard library, PostgreSQL through psycopg.

A connection belongs to one thread of one process, so each gets its own. Writing happens under one writer's lock
(SQLite `BEGIN IMMEDIATE`, PostgreSQL an advisory lock taken first) and is durable when `writing` returns. What
the database cannot do is raised as Unavailable, in words; a password in a URL is never repeated.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from compliance.errors import Conflict, InvalidInput, Unavailable

if TYPE_CHECKING:
    import psycopg

    from compliance.storage.tables import Dialect

LOCK_SECONDS = 30.0
Row = tuple[Any, ...]


class Database(Protocol):
    """What the ledger asks of a database. Statements are written with `?` for values."""

    dialect: "Dialect"
    place: str
    """Where it is, for messages."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it touched."""

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`."""

    def writing(self) -> AbstractContextManager[None]:
        """Return a context manager: one transaction under the writer's lock, all or nothing."""

    def close(self) -> None:
        """Close this thread's connection."""


def connect(url: str, root: Path, *, create: bool = False, read_only: bool = False) -> Database:
    """Open the database that `url` names; a relative SQLite path starts at `root`.

    Raises InvalidInput for a URL of another kind, Conflict where `create` finds something there,
    Unavailable where it is not there or cannot be opened.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(root / url.removeprefix("sqlite:///"), create=create, read_only=read_only)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresDatabase(url, read_only=read_only)
    raise InvalidInput(
        f"The ledger cannot live at {url.partition(':')[0]}:…",
        remedy="Set `url` in the [ledger] table of compliance.toml to sqlite:///PATH or postgresql://HOST/DATABASE.",
    )


def has_table(database: Database, name: str) -> bool:
    """Say whether the database holds a table of this name."""
    if database.dialect == "sqlite":
        return bool(database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))
    sql = "SELECT 1 FROM pg_tables WHERE tablename = ? AND schemaname = ANY (current_schemas(false))"
    return bool(database.rows(sql, (name,)))


class SqliteDatabase:
    """A SQLite file in WAL mode with full synchronisation."""

    dialect: "Dialect" = "sqlite"

    def __init__(self, path: Path, *, create: bool, read_only: bool) -> None:
        self.path, self.read_only, self.place = path, read_only, str(path)
        self._local = threading.local()
        if create:
            self._create()
        elif not path.is_file():
            raise Unavailable(
                f"There is no ledger at {path}.",
                remedy="Restore it from a backup, or rebuild it from MLflow with `compliance rebuild`.",
            )
        with self._told():
            self._connection()

    def _create(self) -> None:
        if self.path.exists():
            raise Conflict(
                f"{self.path} exists already.", remedy="A ledger is never overwritten: choose another place."
            )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise Unavailable(
                f"{self.path} cannot be made: {error.strerror}.", remedy="Check the folder's permissions and space."
            ) from error
        with self._told():
            self._connection().execute("PRAGMA journal_mode=WAL")

    def _connection(self) -> sqlite3.Connection:
        if getattr(self._local, "process", None) != os.getpid():  # a connection must not cross a fork
            self._local.connection, self._local.process = self._open(), os.getpid()
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _open(self) -> sqlite3.Connection:
        if not self.read_only:
            connection = self._attach("rw")
            connection.execute("PRAGMA synchronous=FULL")
            return connection
        try:
            connection = self._attach("ro")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            # In WAL mode even reading writes a -shm file beside it; a read-only copy has to be taken as it stands.
            waiting = self.path.with_name(f"{self.path.name}-wal")
            if os.access(self.path.parent, os.W_OK) or not os.access(self.path, os.R_OK):
                raise
            if waiting.exists() and waiting.stat().st_size:
                raise Unavailable(
                    f"{self.path} lies in a read-only folder beside unmerged entries ({waiting.name}).",
                    remedy="Give write permission to the folder, or copy the ledger once no process has it open.",
                ) from error
            connection = self._attach("ro", "&immutable=1")
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA trusted_schema=0")  # it may be somebody else's file
        return connection

    def _attach(self, mode: str, more: str = "") -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path))}?mode={mode}{more}"
        return sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._words(error) from error

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        try:
            return self._connection().execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise self._words(error) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection().executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._words(error) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._told():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        if getattr(self._local, "process", None) == os.getpid():
            self._local.connection.close()
            self._local.process = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Put what SQLite refuses into words."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._words(error) from error

    def _words(self, error: sqlite3.Error) -> Unavailable:
        problem, remedy = _sqlite_words(self.path, error)
        damaged = "malformed" in str(error) or "not a database" in str(error)
        return Unavailable(problem, remedy=remedy, damaged=damaged)


class PostgresDatabase:
    """A PostgreSQL database; its tables live in the schema that the connection's search path names."""

    dialect: "Dialect" = "postgresql"
    _LOCK = 0x434F4D504C59  # any number, the same in every process

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._url, self.read_only = url, read_only
        self.place = url.rpartition("@")[2] if "@" in url else url.partition("//")[2]
        self._local = threading.local()
        with self._told():
            self._connection()

    def _connection(self) -> "psycopg.Connection[Row]":
        if getattr(self._local, "process", None) != os.getpid():
            self._local.connection, self._local.process = self._open(), os.getpid()
        connection: psycopg.Connection[Row] = self._local.connection
        return connection

    def _open(self) -> "psycopg.Connection[Row]":
        import psycopg

        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=10, client_encoding="utf8")
        connection.execute(f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}".encode())
        if self.read_only:
            connection.execute("SET default_transaction_read_only = on")
        return connection

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with self._told():
            return self._connection().execute(_native(sql), values or None).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with self._told():
            return self._connection().execute(_native(sql), values or None).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._told():
            self._connection().cursor().executemany(_native(sql), rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._told(), self._connection().transaction():
            # First, and under READ COMMITTED: what is read after it is the last writer's, and nobody retries.
            self._connection().execute("SELECT pg_advisory_xact_lock(%s)", (self._LOCK,))
            yield

    def close(self) -> None:
        if getattr(self._local, "process", None) == os.getpid():
            self._local.connection.close()
            self._local.process = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            import psycopg
        except ImportError as error:
            raise Unavailable(
                "The ledger is in PostgreSQL, whose driver is not installed.",
                remedy="Install it: pip install 'compliance-tracker[postgres]'.",
            ) from error
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            raise Unavailable(_LOCKED[0], remedy=_LOCKED[1]) from error
        except psycopg.Error as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise Unavailable(
                f"The ledger's database {self.place} refused: {first.replace(self._url, self.place)}",
                remedy="Check that the server runs, and the user's rights; what was acknowledged before is safe.",
            ) from error


def _native(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()


_LOCKED = (
    f"Another process has been writing to the ledger for more than {LOCK_SECONDS:.0f} s.",
    "Try again; if it stays, look for a process that hangs.",
)
_SQLITE_REFUSALS = (
    ("locked", *_LOCKED),
    ("full", "The disk is full, and nothing was written.", "Free some space and try again."),
    ("readonly", "The ledger {path} can only be read.", "Give write permission to the file and its folder."),
    ("unable to open", "The ledger {path} cannot be opened.", "Check the permissions of the file and its folder."),
    ("disk i/o", "The disk under {path} reports an error.", "Check the disk and its space; then `compliance verify`."),
    ("not a database", "{path} is not a ledger.", "Restore it from a backup, or rebuild it with `compliance rebuild`."),
    (
        "malformed",
        "The ledger {path} is damaged.",
        "Restore it from a backup, or rebuild it with `compliance rebuild`.",
    ),
)


def _sqlite_words(path: Path, error: sqlite3.Error) -> tuple[str, str]:
    text = str(error).lower()
    for sign, problem, remedy in _SQLITE_REFUSALS:
        if sign in text:
            return problem.format(path=path), remedy
    return f"The ledger {path} refused: {error}.", "Run `compliance verify`; what was acknowledged before is safe."
