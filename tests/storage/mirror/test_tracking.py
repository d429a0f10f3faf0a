"""Which store is meant, and what of its address may be repeated."""

from pathlib import Path

import pytest

from compliance.storage.mirror.moved import Move
from compliance.storage.mirror.tracking import sqlite_file, tracking_uri, without_credentials


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("sqlite:///mlflow.db", "sqlite:////w/mlflow.db"),
        ("sqlite:///a/../b.db?timeout=3", "sqlite:////w/b.db?timeout=3"),
        ("sqlite:////elsewhere/x.db", "sqlite:////elsewhere/x.db"),
        ("mlruns", "file:///w/mlruns"),
        ("http://server:5000/", "http://server:5000/"),
        ("postgresql://u:p@host/db", "postgresql://u:p@host/db"),
    ],
)
def test_relative_paths_start_at_the_workspace(configured: str, expected: str) -> None:
    assert tracking_uri(configured, Path("/w"), {}) == expected


def test_the_environment_wins_and_starts_where_mlflow_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = {"MLFLOW_TRACKING_URI": "sqlite:///own.db"}
    assert tracking_uri("sqlite:///mlflow.db", Path("/w"), named) == f"sqlite:///{tmp_path}/own.db"


def test_credentials_are_not_repeated() -> None:
    assert without_credentials("https://user:p%40ss@host:443/x") == "https://host:443/x"
    assert without_credentials("postgresql://user:secret@host/db") == "postgresql://host/db"
    assert without_credentials("sqlite:////w/mlflow.db") == "sqlite:////w/mlflow.db"


def test_only_an_absolute_sqlite_uri_names_a_file() -> None:
    assert sqlite_file("sqlite:////w/mlflow.db") == Path("/w/mlflow.db")
    assert sqlite_file("http://host") is None
    assert sqlite_file("sqlite://") is None


def test_a_move_changes_what_lay_in_the_old_folder_alone() -> None:
    move = Move(Path("/old/a b"), Path("/new"))
    assert move.mend("file:///old/a%20b/mlartifacts/1") == "file:///new/mlartifacts/1"
    assert move.mend("/old/a b/mlruns") == "/new/mlruns"
    assert move.mend("file:///old/a%20bc/1") == "file:///old/a%20bc/1"
    assert move.mend("s3://bucket/old/a b") == "s3://bucket/old/a b"
