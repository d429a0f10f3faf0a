"""Places for ledgers: SQLite always, PostgreSQL where its server is installed on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

ENGINES = ["sqlite", *(["postgresql"] if shutil.which("initdb") and shutil.which("pg_ctl") else [])]
NOBODY = 65534
_number = count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own on a socket in a temporary folder; PostgreSQL refuses to run as root."""
    folder = Path("/tmp") / f"compliance-test-{os.getpid()}"
    folder.mkdir(mode=0o700)
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chown(folder, NOBODY, NOBODY)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "test", "--auth=trust", "-N", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"host={folder}&user=test"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
