"""Whatever is changed in MLflow behind our back is found and named. A real MLflow, changed with its own tools."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace, Server, log_some

from compliance.errors import Unavailable
from compliance.services import mirroring
from compliance.services.sync import compare, sync
from compliance.services.workspace import Workspace

EVALUATION = 5


@pytest.fixture(scope="module", params=["sqlite", "server"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """The tracking URI to use: None for the workspace's own database."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("server").uri)


@pytest.fixture
def ws(original: str | None, make_workspace: MakeWorkspace, request: pytest.FixtureRequest) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    made = make_workspace(original, system=f"compare-{abs(hash(request.node.name))}")
    log_some(made)
    assert compare(made) == []
    return made


@pytest.fixture
def client(ws: Workspace) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=mirroring.place(ws).uri)


@pytest.fixture
def run(ws: Workspace) -> str:
    return ws.ledger.mirror_run(EVALUATION) or ""


def problems(ws: Workspace) -> list[tuple[str | None, str]]:
    return [(found.evidence, found.problem) for found in compare(ws)]


def test_pending_is_no_difference(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("compliance.services.sync.INLINE", -1)
        log_some(ws, "b")
    assert ws.ledger.pending_count() == 4
    assert compare(ws) == []


TAMPERING: dict[str, tuple[Callable[[Any, str], object], str]] = {
    "tag": (lambda c, r: c.set_tag(r, "compliance.subject", "net@2"), "the tag compliance.subject was changed"),
    "note": (lambda c, r: c.set_tag(r, "mlflow.note.content", "fine"), "the tag mlflow.note.content was changed"),
    "tag gone": (lambda c, r: c.delete_tag(r, "compliance.kind"), "the tag compliance.kind is gone"),
    "tag added": (lambda c, r: c.set_tag(r, "approved_by", "x"), "the tag approved_by was added"),
    "metric": (lambda c, r: c.log_metric(r, "sensitivity", 0.95, step=1), "the metric sensitivity was changed"),
    "metric's past": (
        lambda c, r: c.log_metric(r, "sensitivity", 0.95, timestamp=1, step=-5),
        "the metric sensitivity has 2 values, not one",
    ),
    "metric added": (lambda c, r: c.log_metric(r, "specificity", 0.99), "the metric specificity was added"),
    "param added": (lambda c, r: c.log_param(r, "approved", "yes"), "the parameter approved was added"),
    "status": (lambda c, r: c.update_run(r, status="FAILED"), "the status is FAILED, not FINISHED"),
    "name": (lambda c, r: c.update_run(r, name="EV-000006"), "the name is 'EV-000006', not 'EV-000005"),
    "artifact": (lambda c, r: c.log_text(r, "{}", "entry.json"), "the artifact entry.json was changed"),
    "checkpoint": (lambda c, r: c.log_text(r, "x", "checkpoint"), "the artifact checkpoint was changed"),
    "artifact added": (
        lambda c, r: c.log_text(r, "x", "attachments/new.txt"),
        "the artifact attachments/new.txt was added",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_named(ws: Workspace, client: Any, run: str, how: str) -> None:
    change, expected = TAMPERING[how]
    change(client, run)
    found = problems(ws)
    assert found
    assert {number for number, _ in found} == {"EV-000005"}
    assert any(expected in text for _, text in found), found


def test_an_input_that_was_added_is_named(ws: Workspace, client: Any, run: str) -> None:
    from mlflow.entities import Dataset, DatasetInput

    client.log_inputs(run, [DatasetInput(Dataset("other-test@1", "ab", "local", "{}"), [])])
    (found,) = problems(ws)
    assert found[1].endswith("the input other-test@1 ab was added.")


def test_a_deleted_run_is_named(ws: Workspace, client: Any, run: str) -> None:
    client.delete_run(run)
    assert problems(ws) == [("EV-000005", f"MLflow holds no copy of it any more: its run {run} was deleted.")]


def test_a_deleted_experiment_is_named(ws: Workspace, client: Any) -> None:
    client.delete_experiment(mirroring.read_mirror(ws).experiment_id)
    found = problems(ws)
    assert len(found) == ws.ledger.size + 1
    assert any("was deleted there" in text for _, text in found)


def test_runs_that_the_ledger_does_not_know_are_named(ws: Workspace, client: Any, run: str) -> None:
    genuine = client.get_run(run)
    experiment = genuine.info.experiment_id
    forged = client.create_run(experiment, run_name="EV-000099", tags={"compliance.evidence": "EV-000099"})
    double = client.create_run(experiment, run_name=genuine.info.run_name, tags=genuine.data.tags)
    found = problems(ws)
    assert any(n is None and forged.info.run_id in text and "not in the ledger" in text for n, text in found)
    assert any(n == "EV-000005" and double.info.run_id in text and "twice" in text for n, text in found)


def test_an_envelope_swapped_in_both_places_is_named(ws: Workspace, client: Any, run: str) -> None:
    """Ledger and MLflow edited together: the run agrees with the forged envelope, its entry does not."""
    from compliance.core.evidence import Evidence
    from compliance.services.verify import verify_workspace

    other = ws.ledger.envelope(ws.ledger.entry(4).envelope) or b""
    database = sqlite3.connect(ws.root / ".compliance" / "ledger.db")
    database.execute("DROP TRIGGER envelopes_update")
    digest = ws.ledger.entry(EVALUATION).envelope
    database.execute("UPDATE envelopes SET envelope = ? WHERE idx = ?", (other.replace(b"A", b"B", 1), EVALUATION))
    database.commit()
    database.close()
    piece = ws.ledger.piece(4)
    forged = Evidence(EVALUATION, digest, piece.kind, piece.logged_at, piece.signer, piece.statement)
    for path, artifact in mirroring.run_record(ws, forged).artifacts.items():
        if isinstance(artifact.source, bytes):
            client.log_text(run, artifact.source.decode(), path)
    report = verify_workspace(ws.root, all=True)
    assert not report.ok
    assert "EV-000005" in {problem.evidence for problem in report.problems}


def test_a_database_that_is_gone_is_unreachable(make_workspace: MakeWorkspace) -> None:
    import mlflow  # noqa: F401

    ws = make_workspace()
    (ws.root / "mlflow.db").unlink()
    with pytest.raises(Unavailable, match="is not there"):
        compare(ws)


# --- a workspace that was moved or copied ----------------------------------------------------


def copied(ws: Workspace, to: Path) -> Workspace:
    ws.close()
    shutil.copytree(ws.root, to)
    return Workspace.open(to)


def test_a_copy_compares_with_its_own_files(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    import mlflow  # noqa: F401

    ws = make_workspace()
    log_some(ws)
    with copied(ws, tmp_path / "copy") as copy:
        assert mirroring.moved(copy) is not None
        assert compare(copy) == []
        # what happens to the original's files is nothing to the copy …
        for path in (ws.root / "mlartifacts").rglob("entry.json"):
            path.write_text("{}")
        assert compare(copy) == []
        # … and its own are read, not the original's
        shutil.rmtree(ws.root)
        damaged = next((copy.root / "mlartifacts").rglob("entry.json"))
        kept = damaged.read_bytes()
        damaged.write_text("{}")
        assert len(compare(copy)) == 1
        damaged.write_bytes(kept)
        assert compare(copy) == []


def test_sync_mends_a_copy_and_writes_nothing_into_the_original(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    import mlflow  # noqa: F401

    ws = make_workspace()
    log_some(ws)
    size = ws.ledger.size
    ws.close()
    before = {path: path.stat().st_mtime_ns for path in ws.root.rglob("*") if path.is_file()}
    with copied(ws, tmp_path / "copy") as copy:
        report = sync(copy)
        assert report.mended == size + 1  # every run, and the experiment
        assert mirroring.moved(copy) is None
        assert sync(copy).mended == 0
        log_some(copy, "b")
        assert copy.ledger.pending_count() == 0
        assert compare(copy) == []
        held = sqlite3.connect(copy.root / "mlflow.db").execute("SELECT artifact_uri FROM runs").fetchall()
        assert all(uri.startswith(copy.root.as_uri()) for (uri,) in held)
    assert {path: path.stat().st_mtime_ns for path in ws.root.rglob("*") if path.is_file()} == before


def test_logging_in_a_copy_mends_it_first(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    import mlflow  # noqa: F401

    ws = make_workspace()
    log_some(ws)
    with copied(ws, tmp_path / "copy") as copy:
        log_some(copy, "b")
        assert compare(copy) == []
    assert len(list((ws.root / "mlartifacts").rglob("entry.json"))) == 6


def test_a_server_is_never_taken_for_a_copy(make_workspace: MakeWorkspace, server: Server, tmp_path: Path) -> None:
    ws = make_workspace(server.uri, system="server-copy")
    with copied(ws, tmp_path / "copy") as copy:
        assert mirroring.moved(copy) is None
