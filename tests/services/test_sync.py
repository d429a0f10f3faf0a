"""Evidence reaches a real MLflow, once, whatever happens on the way."""

import socket
import threading
from pathlib import Path

import pytest
from support.mlflow_server import MakeWorkspace, Server, log_some

from compliance.errors import Unavailable
from compliance.services import mirroring
from compliance.services.sync import SyncReport, compare, mirror_after_append, send, sync
from compliance.services.workspace import Workspace
from compliance.storage.mirror.tracking import MLflowRun

pytestmark = pytest.mark.usefixtures("loaded")


@pytest.fixture
def loaded() -> None:
    """As in a training script: MLflow is loaded, so a database is written before a call returns."""
    import mlflow  # noqa: F401


def runs(ws: Workspace) -> list[MLflowRun]:
    mirror = mirroring.read_mirror(ws)
    return list(mirror.tracking.runs(mirror.experiment_id or ""))


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, make_workspace: MakeWorkspace) -> Workspace:
    if request.param == "sqlite":
        return make_workspace()
    server: Server = request.getfixturevalue("server")
    return make_workspace(server.uri, system=f"sync-{request.node.name}".replace("[", "-").replace("]", ""))


def test_evidence_is_in_mlflow_when_logging_returns(ws: Workspace) -> None:
    indexes = log_some(ws)
    assert [ws.ledger.mirror_states()[index] for index in indexes] == ["mirrored"] * 4
    found = {run.name.split(" · ")[0]: run for run in runs(ws)}
    assert len(found) == ws.ledger.size
    evaluation = found["EV-000005"]
    assert evaluation.status == "FINISHED"
    assert evaluation.metrics["sensitivity/sex/F"].value == 0.799065
    assert evaluation.inputs[0].context == "test"
    assert evaluation.tags["compliance.subject"].startswith("a-net@1 sha256:5f5f")
    assert len(found["EV-000002"].params["design_rationale"]) == 6_000
    mirror = mirroring.read_mirror(ws)
    assert mirror.tracking.artifacts(found["EV-000004"]) == [
        "attachments/plan _1.txt",
        "checkpoint",
        "entry.json",
        "evidence.sigstore.json",
    ]
    assert b"".join(mirror.tracking.read(evaluation, "entry.json")) == ws.ledger.entry(5).leaf
    assert compare(ws) == []


def test_what_was_begun_is_completed_not_repeated(ws: Workspace) -> None:
    log_some(ws)
    before = len(runs(ws))
    mirror = mirroring.open_mirror(ws)
    # a process that stopped after it made the run and before it noted so
    ws.ledger.requeue(5)
    assert sync(ws).mirrored == 1
    # and one that stopped half-way through filling it
    indexes = log_some(ws, "b")
    half = mirroring.run_record(ws, ws.ledger.piece(indexes[0]))
    ws.ledger.requeue(indexes[0])
    run = next(run for run in runs(ws) if run.tags["compliance.envelope_sha256"] == half.envelope_sha256)
    mirror.tracking.fill(run, half)
    assert sync(ws) == SyncReport(mirrored=1)
    assert len(runs(ws)) == before + 4
    assert compare(ws) == []


def test_two_processes_at_once_write_each_piece_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("compliance.services.sync.INLINE", -1)  # as if there were too many to write at once
        for prefix in "abcdef":
            log_some(ws, prefix)
    assert ws.ledger.pending_count() == 24
    with Workspace.open(ws.root) as other:
        thread = threading.Thread(target=sync, args=(other,))
        thread.start()
        sync(ws)
        thread.join()
    assert ws.ledger.pending_count() == 0
    assert len(runs(ws)) == ws.ledger.size
    assert compare(ws) == []


def test_server_down_is_pending_and_completed_later(make_workspace: MakeWorkspace, server: Server) -> None:
    ws = make_workspace(server.uri, system="goes-down")
    log_some(ws)
    server.stop()
    try:
        indexes = log_some(ws, "b")
        assert {ws.ledger.mirror_states()[index] for index in indexes} == {"pending"}
        report = sync(ws)
        assert (report.mirrored, report.pending, report.reachable) == (0, 4, False)
        assert "cannot be reached" in report.problems[0]
        assert "cannot be reached" in (ws.ledger.mirror_error(indexes[0]) or "")
        with pytest.raises(Unavailable, match="cannot be reached"):
            compare(ws)
    finally:
        server.start()
    assert sync(ws) == SyncReport(mirrored=4)
    assert compare(ws) == []


def test_the_next_command_completes_what_was_left(
    make_workspace: MakeWorkspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = make_workspace("http://127.0.0.1:9", system="left-over")
    log_some(ws)
    assert ws.ledger.pending_count() == ws.ledger.size
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    log_some(ws, "b")
    assert ws.ledger.pending_count() == 0


def test_a_server_that_says_nothing_holds_nobody_up(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ws = make_workspace(f"http://127.0.0.1:{silent.getsockname()[1]}/", system="silent")
        monkeypatch.setattr("compliance.storage.mirror.http.READ_SECONDS", 0.2)
        log_some(ws)
    assert set(ws.ledger.mirror_states().values()) == {"pending"}


@pytest.mark.parametrize("uri", ["http://[", "gopher://x", "http://127.0.0.1:99999", "sqlite:////dev/null/x.db"])
def test_a_tracking_uri_of_no_use_loses_nothing(make_workspace: MakeWorkspace, uri: str) -> None:
    ws = make_workspace(uri)
    assert len(log_some(ws)) == 4
    report = sync(ws)
    assert report.pending == ws.ledger.size
    assert report.problems


def test_something_else_that_speaks_http_is_named(make_workspace: MakeWorkspace, server: Server) -> None:
    ws = make_workspace(f"{server.uri}/api/2.0/mlflow-artifacts/nothing")
    assert sync(ws).problems[0].startswith("MLflow at http://127.0.0.1")


def test_credentials_reach_the_server_and_nothing_else(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
        ws = make_workspace(f"http://someone:other@127.0.0.1:{listener.getsockname()[1]}")
        report = sync(ws)
        listener.shutdown(socket.SHUT_RDWR)
    assert b"Basic c29tZW9uZTpodW50ZXIy" in heard[0]  # someone:hunter2
    assert "refuses our credentials" in report.problems[0]
    told = report.problems[0] + str([ws.ledger.mirror_error(index) for index in range(ws.ledger.size)])
    assert "hunter2" not in told
    assert "other" not in told


def test_a_lost_attachment_holds_up_only_its_own_evidence(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("compliance.services.sync.INLINE", -1)
        indexes = log_some(ws)
    plan = next(a for a in ws.ledger.piece(indexes[2]).predicate["attachments"] if a["name"].startswith("plan"))
    kept = ws.attachments / plan["sha256"]
    data = kept.read_bytes()
    kept.unlink()
    report = sync(ws)
    assert (report.mirrored, report.pending) == (3, 1)
    assert report.problems[0].startswith("EV-000004: ")
    kept.write_bytes(data)
    assert sync(ws) == SyncReport(mirrored=1)


def test_many_are_acknowledged_first(make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    ws = make_workspace()
    monkeypatch.setattr("compliance.services.background.start", lambda root, uri: started.append(root))
    assert set(mirror_after_append(ws, range(26)).values()) == {"pending", "mirrored"}
    assert started == [ws.root]


def test_interrupted_sending_gives_its_pieces_back(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("compliance.services.sync.INLINE", -1)
        indexes = log_some(ws)
    count = 0

    def interrupt(*_: object, **__: object) -> MLflowRun:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return write(*_, **__)  # type: ignore[arg-type]

    from compliance.services import sync as module

    write = module._write
    monkeypatch.setattr(module, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        send(ws, indexes)
    states = ws.ledger.mirror_states()
    assert [states[index] for index in indexes] == ["mirrored", "pending", "pending", "pending"]
    monkeypatch.setattr(module, "_write", write)
    assert sync(ws) == SyncReport(mirrored=3)
    assert compare(ws) == []


def test_what_a_dead_process_was_sending_is_sent_again(ws: Workspace) -> None:
    import subprocess
    import sys

    from compliance.services.sync import _owner

    log_some(ws)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    ws.ledger.requeue(5)
    host = _owner().split("/")[0]
    assert ws.ledger.lease(5, f"{host}/{ended.pid}/x", 300)
    assert sync(ws) == SyncReport(mirrored=1)
    assert len(runs(ws)) == ws.ledger.size
