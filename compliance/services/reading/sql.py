"""A table or query of a database, through SQLAlchemy: read in one transaction, as a stream, and rolled back.

Neither user, password nor options of the URL are ever repeated, in evidence or in a message; of a file's path only
the name. A query may hold values of a person: it is kept as a restricted attachment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput, Unavailable
from compliance.services.reading.data import Data
from compliance.services.reading.table import CHUNK, from_text, spell

if TYPE_CHECKING:
    import sqlalchemy as sa

QUERY = "query.sql"


@dataclass(frozen=True, slots=True)
class Sql:
    """Where rows are: a table, by `NAME` or `SCHEMA.NAME`, or the rows of a query."""

    url: str
    table: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        if (self.table is None) == (self.query is None):
            raise InvalidInput("A database needs either a table or a query.", remedy="Give --table or --query.")

    @property
    def name(self) -> str:
        """How messages and evidence call it."""
        return f"{self.place}, {f'table {self.table}' if self.table else 'query'}"

    @property
    def place(self) -> str:
        """The database without user, password, options and folders."""
        import sqlalchemy as sa

        url = self._parsed()
        database = PurePath(url.database or "").name or None
        host = url.host if url.host is None or not url.host.startswith("/") else None
        kept = sa.URL.create(url.drivername, host=host, port=url.port, database=database)
        return kept.render_as_string()

    @property
    def connection_string(self) -> str:
        """The whole URL, for the library that connects; never for evidence or messages."""
        return self._parsed().render_as_string(hide_password=False)

    def engine(self) -> "sa.Engine":
        """Return an engine. Raises InvalidInput for a URL that is none, Unavailable where its driver is missing."""
        import sqlalchemy as sa

        url = self._parsed()
        file = url.database or ""
        if url.get_backend_name() == "sqlite" and not (file.startswith("file:") or Path(file).is_file()):
            raise InvalidInput(f"{self.place}: there is no such file.", remedy="Check the path; sqlite would make one.")
        try:
            return sa.create_engine(url)
        except sa.exc.NoSuchModuleError as error:
            raise InvalidInput(
                "SQLAlchemy knows no such database.", remedy="Begin the URL with postgresql+psycopg:// or sqlite:///."
            ) from error
        except ImportError as error:
            raise Unavailable(
                f"The driver {error.name} is not installed.",
                remedy="pip install 'compliance-tracker[postgres]', or your database's own driver.",
            ) from error

    def _parsed(self) -> "sa.URL":
        import sqlalchemy as sa

        try:
            url = sa.make_url(self.url)
        except (sa.exc.ArgumentError, ValueError) as error:
            raise InvalidInput(
                "The database URL is none.", remedy="Write it as postgresql+psycopg://HOST/DATABASE."
            ) from error
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def read(source: Sql) -> Data:
    """Read every row. Raises InvalidInput for a table or query that there is not, Unavailable for a server away."""
    import sqlalchemy as sa

    engine = source.engine()
    reached = False
    try:
        with engine.connect() as connection:
            reached = True
            table = from_text(source.name, "SQL", _chunks(connection, source), 0)
    except sa.exc.NoSuchTableError as error:
        raise InvalidInput(f"{source.place} has no table {source.table}.", remedy="Check its name.") from error
    except sa.exc.ResourceClosedError as error:
        raise InvalidInput(f"{source.name} gives no rows.", remedy="Write one SELECT.") from error
    except sa.exc.DBAPIError as error:
        why = type(error.orig).__name__
        if isinstance(error, sa.exc.OperationalError) and (error.connection_invalidated or not reached):
            raise Unavailable(
                f"{source.place} could not be read ({why}).", remedy="Check that it runs; try again."
            ) from error
        raise InvalidInput(
            f"{source.place} refused the query ({why}).", remedy="Try it in the database's shell."
        ) from error
    finally:
        engine.dispose()
    attachments = (
        [{"data": source.query.encode(), "name": QUERY, "classification": "restricted"}] if source.query else []
    )
    return Data(table, {"file_format": "SQL", "source_reference": source.name[:200]}, attachments=attachments)


def _chunks(connection: "sa.Connection", source: Sql) -> Iterator[dict[str, list[str | None]]]:
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(postgresql_readonly=True)
    elif connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    asked: Any = sa.text((source.query or "").replace(":", "\\:"))  # a colon names no parameter here
    if source.table:
        schema, _, name = source.table.rpartition(".")
        asked = sa.select(sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection))
    found = connection.execution_options(stream_results=True, max_row_buffer=CHUNK).execute(asked)
    names = list(found.keys())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{source.name} gives two columns called {twice!r}.", remedy="Rename one with AS.")
    for rows in found.partitions(CHUNK):
        yield {name: list(map(spell, values)) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
