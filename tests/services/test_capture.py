"""A pipeline's own MLflow runs and models become evidence, and stay as they were but for one tag."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.errors import Conflict, InvalidInput, UnknownReference
from compliance.services import mirroring
from compliance.services.capture import capture_model, capture_run
from compliance.services.sync import compare
from compliance.services.verify import verify_workspace
from compliance.services.workspace import Workspace
from compliance.storage.digests import subject_digest


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, make_workspace: MakeWorkspace) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    uri = None if request.param == "sqlite" else request.getfixturevalue("server").uri
    return make_workspace(uri, system=f"capture-{abs(hash(request.node.name))}")


@pytest.fixture
def client(ws: Workspace) -> Any:
    from mlflow import MlflowClient

    uri = mirroring.place(ws).uri
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def run(ws: Workspace, client: Any, tmp_path: Path) -> str:
    """A run as the fluent API leaves it, with a registered model."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name = f"training-{ws.config.system.id}"
    experiment = client.create_experiment(
        name, artifact_location=None if mirroring.place(ws).is_server else (tmp_path / "a").as_uri()
    )
    tags = {
        "mlflow.source.git.commit": "0f" * 20,
        "mlflow.source.git.dirty": "true",
        "mlflow.source.git.repoURL": "https://robot:s3cret@git.example.org/net.git",
        "mlflow.source.name": "/home/somebody/train.py",
    }
    made = client.create_run(experiment, run_name="fit", tags=tags).info.run_id
    client.log_param(made, "C", "1.0")
    client.log_param(made, "columns", "x" * 500)
    client.log_param(made, "database", "postgresql://reader:s3cret@db.example.org/cohort")
    for step, loss in enumerate([0.9, 0.5, 0.25]):
        client.log_metric(made, "loss", loss, step=step)
    client.log_metric(made, "broken", float("nan"))
    client.log_metric(made, "tiny", 1e-300)
    data = Dataset("flchain", "30e34ab5", "local", '{"uri": "s3://key:s3cret@bucket/flchain"}')
    client.log_inputs(made, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
    client.log_text(made, "flavors: {}\n", "model/MLmodel")
    client.log_text(made, "weights", "model/weights.txt")
    client.set_terminated(made)
    registered = f"net-{ws.config.system.id}"
    client.create_registered_model(registered)
    uri = client.get_run(made).info.artifact_uri
    fetched = "Fetched from https://robot:s3cret@models.example.org/net."
    client.create_model_version(registered, f"{uri}/model", run_id=made, description=fetched)
    client.set_registered_model_alias(registered, "champion", "1")
    return str(made)


def test_a_run_becomes_evidence_with_all_it_says(ws: Workspace, client: Any, run: str) -> None:
    before = client.get_run(run)
    (logged,) = capture_run(ws, run)
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    content = piece.content
    assert content["outcome"] == "finished"
    code = {"commit": "0f" * 20, "dirty": True, "entry_point": "train.py"}
    assert content["code"] == code | {"repository": "https://[withheld]@git.example.org/net.git"}
    signed = [ws.attachments / attachment["sha256"] for attachment in piece.predicate["attachments"]]
    assert not [path for path in signed if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in str(piece.statement)
    assert content["parameters"]["C"] == "1.0"
    assert content["parameters"]["columns"].endswith("[cut; whole in mlflow-run.json]")
    assert content["figures"] == [{"name": "loss", "value": "0.25", "step": 2, "values": 3}]
    assert "flchain (train)" in piece.predicate["summary"]
    assert "broken, tiny" in piece.predicate["summary"]
    assert f"Registered as net-{ws.config.system.id} 1." in piece.predicate["summary"]
    assert piece.predicate["source"]["mlflow"]["run_id"] == run

    attached = {a["name"]: (ws.attachments / a["sha256"]).read_text() for a in piece.predicate["attachments"]}
    assert attached.keys() == {"mlflow-run.json", "mlflow-metrics.jsonl"}
    history = [json.loads(line) for line in attached["mlflow-metrics.jsonl"].splitlines()]
    assert [(one["metric"], one["step"], one["value"]) for one in history] == [
        ("loss", "0", "0.9"),
        ("loss", "1", "0.5"),
        ("loss", "2", "0.25"),
    ]
    whole = json.loads(attached["mlflow-run.json"])
    assert whole["parameters"]["columns"] == "x" * 500
    assert {metric["name"]: metric["value"] for metric in whole["metrics"]}["broken"] == "nan"
    # sha256sum of the two files
    assert {item["path"]: item["sha256"][:8] for item in whole["artifacts"]} == {
        "model/MLmodel": "7f8f4a87",
        "model/weights.txt": "9a129038",
    }

    after = client.get_run(run)
    assert after.data.tags.pop("compliance.evidence") == logged.evidence
    # as text, since NaN equals nothing
    assert str((after.data, after.info, after.inputs)) == str((before.data, before.info, before.inputs))
    assert compare(ws) == []


def test_what_has_not_changed_adds_nothing(ws: Workspace, run: str) -> None:
    capture_run(ws, run)
    size = ws.ledger.size
    assert capture_run(ws, run) == []
    assert ws.ledger.size == size


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("metric", "the metric loss was changed from 0.25 at step 2 to 0.1 at step 3; the metric loss has 4 values"),
        ("history", "the metric loss has 4 values, not 3."),
        ("tag", "the tag approved_by was added."),
        ("name", "the name was changed from fit to best; the tag mlflow.runName was changed."),
        ("artifact", "the file model/weights.txt was changed."),
    ],
)
def test_what_has_changed_is_new_evidence_that_says_what(
    ws: Workspace, client: Any, run: str, change: str, said: str
) -> None:
    (first,) = capture_run(ws, run)
    {
        "metric": lambda: client.log_metric(run, "loss", 0.1, step=3),
        "history": lambda: client.log_metric(run, "loss", 0.1, step=-3),
        "tag": lambda: client.set_tag(run, "approved_by", "x"),
        "name": lambda: client.update_run(run, name="best"),
        "artifact": lambda: client.log_text(run, "other", "model/weights.txt"),
    }[change]()
    (second,) = capture_run(ws, run)
    piece = ws.ledger.piece(int(second.evidence[3:]))
    assert piece.predicate["supersedes"]["name"] == first.evidence
    assert f"Changed in MLflow since it was captured: {said}" in piece.predicate["supersedes"]["reason"]
    assert client.get_run(run).data.tags["compliance.evidence"] == second.evidence
    assert compare(ws) == []


def test_what_somebody_said_of_a_run_stays_when_the_run_changes(ws: Workspace, client: Any, run: str) -> None:
    net = {"kind": "model-version", "name": "net", "version": "1", "title": "n", "sha256": "5f" * 32, "basis": "file"}
    ws.log_records([net, net | {"kind": "dataset", "name": "flchain", "role": "train", "sha256": "c1" * 32}])
    (first,) = capture_run(ws, run)
    (second,) = capture_run(ws, run, model="net@1", datasets=["flchain@1"])
    piece = ws.ledger.piece(int(second.evidence[3:]))
    assert piece.predicate["supersedes"]["name"] == first.evidence
    assert "something else said of it: " in piece.predicate["supersedes"]["reason"]
    assert "the field datasets was added" in piece.predicate["supersedes"]["reason"]
    assert capture_run(ws, run) == []
    client.set_tag(run, "approved_by", "x")
    (third,) = capture_run(ws, run)
    piece = ws.ledger.piece(int(third.evidence[3:]))
    assert [data["name"] for data in piece.content["datasets"]] == ["flchain@1"]
    assert "net@1" in {subject["name"] for subject in piece.subjects}


def test_a_failed_run_is_evidence_of_a_failed_run(ws: Workspace, client: Any, run: str) -> None:
    experiment = client.get_run(run).info.experiment_id
    failed = client.create_run(experiment).info.run_id
    client.set_terminated(failed, "FAILED")
    (logged,) = capture_run(ws, failed)
    assert ws.ledger.piece(int(logged.evidence[3:])).content["outcome"] == "failed"


def test_a_run_that_goes_on_or_is_not_there_is_refused(ws: Workspace, client: Any, run: str) -> None:
    going = client.create_run(client.get_run(run).info.experiment_id).info.run_id
    with pytest.raises(InvalidInput, match="is running"):
        capture_run(ws, going)
    with pytest.raises(UnknownReference):
        capture_run(ws, "0" * 32)


def test_a_registered_model_is_digested_by_us(ws: Workspace, client: Any, run: str, tmp_path: Path) -> None:
    folder = tmp_path / "as-trained"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "weights.txt").write_text("weights")
    name = f"net-{ws.config.system.id}"
    (logged,) = capture_model(ws, name)
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    assert piece.subjects[0]["name"] == f"{name}@1"
    assert piece.subjects[0]["digest"]["sha256"] == subject_digest(folder)[0]
    assert piece.predicate["summary"] == "Fetched from https://[withheld]@models.example.org/net."
    assert piece.content["registry"] == {
        "name": name,
        "version": "1",
        "uri": f"models:/{name}/1",
        "aliases": ["champion"],
    }
    assert client.get_model_version(name, "1").tags["compliance.evidence"] == logged.evidence
    assert capture_model(ws, f"{name}@1") == []
    assert verify_workspace(ws.root, all=True).ok
    client.set_model_version_tag(name, "1", "compliance.evidence", "EV-000000")
    assert [problem.evidence for problem in compare(ws)] == [logged.evidence]


def test_a_model_whose_bytes_changed_is_refused_under_the_same_version(ws: Workspace, client: Any, run: str) -> None:
    name = f"net-{ws.config.system.id}"
    capture_model(ws, name)
    client.log_text(run, "other", "model/weights.txt")
    with pytest.raises(Conflict):
        capture_model(ws, name)
    with pytest.raises(UnknownReference, match="registry has no"):
        capture_model(ws, f"{name}@7")


def test_a_captured_run_that_is_gone_is_named(ws: Workspace, client: Any, run: str) -> None:
    (logged,) = capture_run(ws, run)
    client.delete_tag(run, "compliance.evidence")
    (problem,) = compare(ws)
    assert problem.evidence == logged.evidence
    assert "no longer names it" in problem.problem


def test_a_registered_models_descriptions_are_read_too(ws: Workspace, client: Any, run: str) -> None:
    name, uri = f"net-{ws.config.system.id}", client.get_run(run).info.artifact_uri
    client.log_text(run, "scikit-learn==1.8.0\nnumpy\n", "model/requirements.txt")
    client.log_text(run, "python: 3.11.7\n", "model/python_env.yaml")
    client.create_model_version(name, f"{uri}/model", run_id=run)
    (logged,) = capture_model(ws, f"{name}@2")
    environment = ws.ledger.piece(int(logged.evidence[3:])).content["environment"]
    assert environment["packages"] == [{"name": "scikit-learn", "version": "1.8.0"}]
    assert environment["python"] == "3.11.7"
