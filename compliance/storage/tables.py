"""The ledger's tables, defined once with SQLModel; appending and verifying speak to the driver.

`entries`, `envelopes` and `checkpoints` are the truth: append-only by trigger as well as by code. All other
tables are indexes that can be dropped and rebuilt (`Ledger.reindex`). Only creating and rebuilding import this
module. Triggers hinder mistakes; against an owner of the file only the proofs help.
"""

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import Index, LargeBinary, Table, Text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

Dialect = Literal["sqlite", "postgresql"]


class Entries(SQLModel, table=True):
    """One leaf of the Merkle tree each."""

    __tablename__ = "entries"
    idx: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    leaf: str = Field(sa_type=Text)
    """The canonical JSON that is hashed: envelope digest, kind, logged_at, v."""
    hash: bytes = Field(sa_type=LargeBinary)


class Envelopes(SQLModel, table=True):
    """The signed bytes. A row may be erased by law; entry and digest remain."""

    __tablename__ = "envelopes"
    idx: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(sa_type=Text, unique=True)
    envelope: bytes = Field(sa_type=LargeBinary)


class Checkpoints(SQLModel, table=True):
    """One signed note per transaction."""

    __tablename__ = "checkpoints"
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    note: str = Field(sa_type=Text)


class LedgerSchema(SQLModel, table=True):
    """Which layout these tables have."""

    __tablename__ = "ledger_schema"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class Nodes(SQLModel, table=True):
    """Index: inner nodes of the tree in order of completion (`merkle.node_position`), for proofs and the frontier."""

    __tablename__ = "nodes"
    pos: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    hash: bytes = Field(sa_type=LargeBinary)


class Records(SQLModel, table=True):
    """Index: what a list of evidence shows and filters by."""

    __tablename__ = "records"
    __table_args__ = (Index("records_by_kind", "kind", "idx"),)
    idx: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    completeness: str = Field(sa_type=Text)
    classification: str = Field(sa_type=Text)
    recorded_at: str = Field(sa_type=Text)
    recorded_by: str = Field(sa_type=Text)


class Subjects(SQLModel, table=True):
    """Index: what each piece of evidence is about."""

    __tablename__ = "subjects"
    __table_args__ = (
        Index("subjects_by_name", "stem", "name", "idx"),
        Index("subjects_by_sha256", "sha256", "idx"),
        {"sqlite_with_rowid": False},
    )
    idx: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=Text)
    stem: str = Field(sa_type=Text)
    """NAME of NAME@VERSION."""
    sha256: str = Field(sa_type=Text)
    basis: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)


class Mirror(SQLModel, table=True):
    """Index: which evidence stands in MLflow, which waits, and which a process is sending."""

    __tablename__ = "mirror"
    idx: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str = Field(sa_type=Text)
    """`pending`, `sending` or `mirrored`."""
    run_id: str | None = Field(default=None, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    until: float | None = None
    """End of the lease, seconds since 1970."""
    error: str | None = Field(default=None, sa_type=Text)


# Reached only by the few rows that wait, however many have been mirrored.
Index(
    "mirror_waiting",
    Mirror.idx,  # type: ignore[arg-type]
    sqlite_where=Mirror.state != "mirrored",
    postgresql_where=Mirror.state != "mirrored",
)

TRUTH = (Entries, Envelopes, Checkpoints, LedgerSchema)
INDEXES = (Nodes, Records, Subjects)
QUEUE = (Mirror,)


def ddl(dialect: Dialect, models: tuple[type[SQLModel], ...]) -> Iterator[str]:
    """Yield the statements that create these tables and their indexes."""
    compiler = _dialect(dialect)
    for model in models:
        table: Table = model.__table__  # type: ignore[attr-defined]
        yield str(CreateTable(table).compile(dialect=compiler))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=compiler))


def triggers(dialect: Dialect) -> Iterator[str]:
    """Yield the statements that make the truth append-only."""
    if dialect == "sqlite":
        for table in ("entries", "envelopes", "checkpoints"):
            for verb in ("update", "delete"):
                yield sqlite_refusal(table, verb)
            # BEFORE INSERT, because INSERT OR REPLACE slips past a DELETE trigger
            yield (
                f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN {_OUT_OF_ORDER[table]} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only grows at its end'); END"
            )
        return
    yield (
        "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in ("entries", "envelopes", "checkpoints"):
        for verb in ("update", "delete", "truncate"):
            yield postgresql_refusal(table, verb)
        yield (
            f"CREATE FUNCTION {table}_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {_OUT_OF_ORDER[table]} THEN RAISE EXCEPTION '{table} only grows at its end'; END IF; "
            "RETURN NEW; END $$"
        )
        yield (
            f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_in_order()"
        )


def sqlite_refusal(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def postgresql_refusal(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{verb} BEFORE {verb.upper()} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )


_OUT_OF_ORDER = {
    "entries": "NEW.idx <> (SELECT COALESCE(MAX(idx) + 1, 0) FROM entries)",
    "envelopes": "EXISTS (SELECT 1 FROM envelopes WHERE idx = NEW.idx OR digest = NEW.digest)",
    "checkpoints": "NEW.size <= (SELECT COALESCE(MAX(size), 0) FROM checkpoints)",
}


def _dialect(name: Dialect) -> DefaultDialect:
    from sqlalchemy.dialects import postgresql, sqlite

    made: DefaultDialect = (sqlite if name == "sqlite" else postgresql).dialect()
    return made
