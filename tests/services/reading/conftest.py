"""A workspace for data of every form."""

from pathlib import Path

import pytest
from support import datasets

from compliance import Workspace


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in datasets.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return datasets.workspace(tmp_path / "ws")
