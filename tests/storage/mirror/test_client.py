"""A database that MLflow's own client opens: made once, and refused in our words where it cannot be read."""

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import Unavailable
from compliance.storage.mirror.client import ClientTracking


def _open(folder: Path, start: Any) -> None:
    start.wait()
    ClientTracking(f"sqlite:///{folder}/mlflow.db", folder / "artifacts").make_experiment("shared")


def test_several_processes_may_be_the_first(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(3)
    processes = [spawn.Process(target=_open, args=(tmp_path, start)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_a_database_of_a_newer_mlflow_is_no_traceback(tmp_path: Path) -> None:
    ClientTracking(f"sqlite:///{tmp_path}/mlflow.db", None)
    newer = tmp_path / "newer.db"
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("VACUUM INTO ?", [str(newer)])
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.execute("DROP TABLE latest_metrics")
    with pytest.raises(Unavailable, match="cannot be used"):
        ClientTracking(f"sqlite:///{newer}", None)
