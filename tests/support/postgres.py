"""A PostgreSQL server of our own, on a socket in a temporary folder; PostgreSQL refuses to run as root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INSTALLED = bool(shutil.which("initdb") and shutil.which("pg_ctl"))
NOBODY = 65534


@contextmanager
def server() -> Iterator[str]:
    """Start a server; yield the options of a URL that reach it."""
    folder = Path(tempfile.mkdtemp(prefix="compliance-test-", dir="/tmp"))  # a socket's path must be short
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chown(folder, NOBODY, NOBODY)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "test", "--auth=trust", "-N", "--locale=C", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"host={folder}&user=test"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
