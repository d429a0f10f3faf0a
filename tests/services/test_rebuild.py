"""A ledger that was lost comes back from MLflow whole, or not at all."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace, Server, log_some

from compliance.errors import Conflict, VerificationFailed
from compliance.services import mirroring
from compliance.services.rebuild import rebuild
from compliance.services.sync import compare
from compliance.services.verify import verify_workspace
from compliance.services.workspace import Workspace


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, make_workspace: MakeWorkspace) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    uri = None if request.param == "sqlite" else request.getfixturevalue("server").uri
    made = make_workspace(uri, system=f"rebuild-{abs(hash(request.node.name))}")
    log_some(made)
    log_some(made, "b")
    return made


@pytest.fixture
def client(ws: Workspace) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=mirroring.place(ws).uri)


def lose(ws: Workspace) -> Path:
    ws.close()
    for path in (ws.root / ".compliance").glob("ledger.db*"):
        path.unlink()
    return ws.root


def test_every_entry_envelope_and_checkpoint_comes_back(ws: Workspace) -> None:
    leaves = [entry.leaf for entry in ws.ledger.entries()]
    envelopes = [ws.ledger.envelope(entry.envelope) for entry in ws.ledger.entries()]
    notes = list(ws.ledger.checkpoints())
    root = lose(ws)
    plan = next(path for path in ws.attachments.iterdir() if path.read_bytes() == b"We plan.\n")
    patients = next(path for path in ws.attachments.iterdir() if path.read_bytes().startswith(b"id,"))
    shutil.rmtree(ws.attachments)

    report = rebuild(root)
    assert report.entries == 10
    assert report.attachments == 1
    assert set(report.missing_attachments) == {patients.name}  # restricted: never in MLflow
    assert plan.read_bytes() == b"We plan.\n"
    patients.write_text("id,label\n1,0\n")

    with Workspace.open(root) as again:
        assert [entry.leaf for entry in again.ledger.entries()] == leaves
        assert [again.ledger.envelope(entry.envelope) for entry in again.ledger.entries()] == envelopes
        assert list(again.ledger.checkpoints()) == notes
        assert set(again.ledger.mirror_states().values()) == {"mirrored"}
        assert compare(again) == []
        log_some(again, "c")
    assert verify_workspace(root, all=True).ok


def test_a_ledger_that_stands_is_not_touched(ws: Workspace) -> None:
    with pytest.raises(Conflict, match="A ledger stands"):
        rebuild(ws.root)


def test_what_mlflow_lacks_is_named(ws: Workspace, client: Any) -> None:
    runs = [ws.ledger.mirror_run(index) or "" for index in range(ws.ledger.size)]
    root = lose(ws)
    client.set_tag(runs[3], "compliance.evidence", "none")
    client.log_text(runs[9], "{}", "entry.json")
    with pytest.raises(VerificationFailed, match="of EV-000003, EV-000009"):
        rebuild(root)
    assert not (root / ".compliance" / "ledger.db").exists()
    assert not (root / ".compliance" / "rebuild").exists()


def test_a_run_that_was_deleted_still_serves(ws: Workspace, client: Any) -> None:
    client.delete_run(ws.ledger.mirror_run(4))
    assert rebuild(lose(ws)).entries == 10


def test_entries_in_another_order_are_refused(ws: Workspace, client: Any) -> None:
    third, fourth = (ws.ledger.mirror_run(index) for index in (3, 4))
    root = lose(ws)
    client.set_tag(third, "compliance.evidence", "EV-000004")
    client.set_tag(fourth, "compliance.evidence", "EV-000003")
    with pytest.raises(VerificationFailed, match="not those that the checkpoint"):
        rebuild(root)


def test_a_store_cut_back_to_an_older_state_is_refused(ws: Workspace, client: Any) -> None:
    for index in range(6, 10):
        client.set_tag(ws.ledger.mirror_run(index), "compliance.evidence", "none")
    with pytest.raises(VerificationFailed, match="EV-000006"):
        rebuild(lose(ws))  # .compliance/checkpoint remembers the whole


def test_another_workspaces_evidence_is_refused(
    make_workspace: MakeWorkspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_workspace(server.uri, system="same-name", folder="first")
    log_some(first)
    second = make_workspace("http://127.0.0.1:9", system="same-name", folder="second")
    root = lose(second)
    (root / ".compliance" / "checkpoint").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    with pytest.raises(VerificationFailed):
        rebuild(root)
