"""A command that may not wait leaves the writing to one process behind it."""

import os
import time

import pytest
from support.mlflow_server import MakeWorkspace, log_some

from compliance.services import background, mirroring, worker
from compliance.services.workspace import Workspace

STARTED = background.start


@pytest.fixture
def ws(make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = make_workspace()
    monkeypatch.setattr("compliance.services.sync.INLINE", -1)  # as in a command, which has not loaded MLflow
    monkeypatch.setattr("compliance.services.background.start", STARTED)
    return made


def until_mirrored(ws: Workspace) -> None:
    deadline = time.monotonic() + 240
    while ws.ledger.pending_count():
        assert time.monotonic() < deadline, (ws.root / background.LOG).read_text()
        time.sleep(0.2)


def free(ws: Workspace) -> bool:
    with worker.lock(ws.root, background.NAME) as ours:
        return ours


def test_it_writes_what_is_pending_and_ends(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hunter2")
    log_some(ws)
    assert ws.ledger.pending_count() > 0  # acknowledged before it stands in MLflow
    until_mirrored(ws)
    while not free(ws):  # it looks once more before it ends
        time.sleep(0.1)
    log = ws.root / background.LOG
    assert "mirrored, 0 pending" in log.read_text()
    assert "hunter2" not in log.read_text()
    assert os.environ["COMPLIANCE_PASSPHRASE"] not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_only_one_is_started(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    class Popen:
        def __init__(self, command: list[str], **options: object) -> None:
            started.append(command)
            environment = options["env"]
            assert isinstance(environment, dict)
            assert not [name for name in environment if name.startswith("COMPLIANCE_")]

    monkeypatch.setattr("compliance.services.worker.subprocess.Popen", Popen)
    uri = mirroring.place(ws).uri
    with worker.lock(ws.root, background.NAME) as ours:
        assert ours
        background.start(ws.root, uri)
        assert started == []
    background.start(ws.root, uri)
    assert len(started) == 1
