"""Logged models, prompts and evaluation datasets of MLflow become evidence, each once."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.errors import ComplianceError
from compliance.services import mirroring
from compliance.services.capture_objects import capture_dataset, capture_logged_model, capture_prompt
from compliance.services.workspace import Workspace
from compliance.storage.digests import subject_digest
from compliance.storage.mirror.client import tracked_at


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, make_workspace: MakeWorkspace) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    uri = None if request.param == "sqlite" else request.getfixturevalue("server").uri
    return make_workspace(uri, system=f"objects-{abs(hash(request.node.name))}")


@pytest.fixture
def client(ws: Workspace) -> Any:
    from mlflow import MlflowClient

    uri = mirroring.place(ws).uri
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_a_logged_model_is_digested_file_by_file(ws: Workspace, client: Any, tmp_path: Path) -> None:
    folder = tmp_path / "as-trained"
    folder.mkdir()
    (folder / "weights.txt").write_text("weights")
    where = None if mirroring.place(ws).is_server else (tmp_path / "a").as_uri()
    experiment = client.create_experiment(ws.config.system.id, artifact_location=where)
    model = client.create_logged_model(experiment, name="net")
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    (logged,) = capture_logged_model(ws, model.model_id)
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    assert piece.subjects[0]["name"] == f"net@{model.model_id}"
    assert piece.subjects[0]["digest"]["sha256"] == subject_digest(folder)[0]
    assert piece.predicate["source"]["mlflow"]["logged_model"] == model.model_id
    assert capture_logged_model(ws, model.model_id) == []


def test_a_prompt_is_kept_with_its_template(ws: Workspace, client: Any) -> None:
    import mlflow

    name = f"greet-{ws.config.system.id}"
    with tracked_at(mlflow, mirroring.place(ws).uri):
        mlflow.genai.register_prompt(name, "Hello {{name}}", commit_message="first")
        mlflow.genai.register_prompt(name, [{"role": "user", "content": "Hi {{name}}"}])
    (newest,) = capture_prompt(ws, name)
    piece = ws.ledger.piece(int(newest.evidence[3:]))
    assert piece.subjects[0]["name"] == f"{name}@2"
    (first,) = capture_prompt(ws, f"{name}@1")
    piece = ws.ledger.piece(int(first.evidence[3:]))
    (attached,) = piece.predicate["attachments"]
    assert json.loads((ws.attachments / attached["sha256"]).read_bytes()) == {"template": "Hello {{name}}"}
    assert piece.subjects[0]["digest"]["sha256"] == attached["sha256"]
    assert piece.predicate["summary"] == "first"
    assert capture_prompt(ws, f"{name}@1") == []
    with pytest.raises(ComplianceError):
        capture_prompt(ws, "nobody-registered-this")


def test_an_evaluation_dataset_is_its_content_and_stays_here(ws: Workspace, client: Any) -> None:
    import mlflow

    name = f"questions-{ws.config.system.id}"
    with tracked_at(mlflow, mirroring.place(ws).uri):
        client.create_dataset(name).merge_records(
            [{"inputs": {"q": q}, "expectations": {"answer": a}} for q, a in (("two?", "2"), ("one?", "1"))]
        )
    (logged,) = capture_dataset(ws, name, role="benchmark")
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    assert piece.content["rows"] == 2
    assert piece.content["role"] == "benchmark"
    (attached,) = piece.predicate["attachments"]
    assert attached["classification"] == "restricted"
    lines = (ws.attachments / attached["sha256"]).read_bytes().splitlines()
    assert [json.loads(line)["inputs"]["q"] for line in lines] == ["one?", "two?"]
    assert capture_dataset(ws, name, role="benchmark") == []
    with pytest.raises(ComplianceError):
        capture_dataset(ws, "nobody-made-this", role="test")
