"""Places for ledgers: SQLite always, PostgreSQL where its server is installed on this machine."""

from collections.abc import Iterator
from itertools import count

import pytest
from support import postgres as installed

ENGINES = ["sqlite", *(["postgresql"] if installed.INSTALLED else [])]
_number = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with installed.server() as where:
        yield where


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a place where no ledger stands yet."""
    if request.param == "sqlite":
        return "sqlite:///.compliance/ledger.db"
    import psycopg

    where, name = request.getfixturevalue("postgres"), f"ledger{next(_number)}"
    with psycopg.connect(f"postgresql:///postgres?{where}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql:///{name}?{where}"
