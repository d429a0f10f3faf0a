"""What MLflow holds and the ledger does not is found, logged, and said."""

from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.core.completeness import newest, note, remedy
from compliance.errors import InvalidInput
from compliance.services import browse, mirroring
from compliance.services.capture import capture_model, capture_run
from compliance.services.capture_objects import capture_dataset
from compliance.services.completeness import capture_all, compare, find
from compliance.services.workspace import Workspace


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, make_workspace: MakeWorkspace) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    uri = None if request.param == "sqlite" else request.getfixturevalue("server").uri
    name = f"complete-{abs(hash(request.node.name))}"
    made = make_workspace(uri, system=name)
    made.config.mlflow.experiments.append(f"{name}-*")
    made.config.mlflow.models.append(f"{name}-*")
    return made


@pytest.fixture
def client(ws: Workspace) -> Any:
    from mlflow import MlflowClient

    uri = mirroring.place(ws).uri
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def experiment(ws: Workspace, client: Any, tmp_path: Path) -> str:
    where = None if mirroring.place(ws).is_server else (tmp_path / "a").as_uri()
    return str(client.create_experiment(f"{ws.config.system.id}-training", artifact_location=where))


def ended(client: Any, experiment: str, name: str, status: str = "FINISHED") -> str:
    made = client.create_run(experiment, run_name=name).info.run_id
    client.log_metric(made, "loss", 0.5)
    client.log_text(made, "weights", "model/weights.txt")
    client.set_terminated(made, status)
    return str(made)


def states(ws: Workspace) -> dict[str, str]:
    look = compare(ws, find(ws, mirroring.read_mirror(ws).tracking))
    return {one["name"]: one["state"] for one in look.uncovered}


def test_whatever_has_no_evidence_is_named_until_it_has(ws: Workspace, client: Any, experiment: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    good, bad = ended(client, experiment, "good"), ended(client, experiment, "bad", "FAILED")
    data = Dataset("flchain", "30e34ab5", "local", "{}")
    client.log_inputs(good, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
    client.create_run(experiment, run_name="going")
    model = f"{ws.config.system.id}-net"
    client.create_registered_model(model)
    client.create_model_version(model, f"{client.get_run(good).info.artifact_uri}/model", run_id=good)
    assert states(ws) == {
        "good": "no-evidence",
        "bad": "no-evidence",
        "going": "unfinished",
        f"{model}@1": "no-evidence",
        "flchain": "no-evidence",
    }

    look = capture_all(ws)
    assert [piece.kind for piece in look.logged] == ["training-run", "training-run", "model-version", "log"]
    assert states(ws) == {"going": "unfinished", "flchain": "no-evidence"}
    piece = newest(list(ws.ledger.evidence()))
    assert piece is not None
    assert [(one["what"], one["state"]) for one in piece.content["uncovered"]] == [
        ("run", "unfinished"),
        ("dataset", "no-evidence"),
    ]
    assert piece.content["scope"] == [f"experiment {ws.config.system.id}-training", f"model {model}"]
    assert (
        "3 runs, 0 evaluation runs, 0 safety runs, 1 model version, 1 dataset. Without valid evidence: "
        "run going (unfinished); dataset flchain (no evidence: MLflow's digest 30e34ab5: train of good)."
        in note(piece).text
    )
    assert capture_run(ws, bad) == []
    assert [one.text for one in ws.assess().notes if one.topic == "completeness"] == [note(piece).text]


def test_a_second_look_at_the_same_adds_nothing(ws: Workspace, client: Any, experiment: str) -> None:
    ended(client, experiment, "one")
    capture_all(ws)
    size = ws.ledger.size
    assert capture_all(ws).logged == []
    assert ws.ledger.size == size


@pytest.mark.parametrize("change", ["metric", "tag", "deleted"])
def test_what_changed_after_it_was_captured_is_named(ws: Workspace, client: Any, experiment: str, change: str) -> None:
    ended(client, experiment, "stays")
    run = ended(client, experiment, "one")
    capture_all(ws)
    {
        "metric": lambda: client.log_metric(run, "loss", 0.1, step=3),
        "tag": lambda: client.set_tag(run, "approved_by", "x"),
        "deleted": lambda: client.delete_run(run),
    }[change]()
    (left,) = compare(ws, find(ws, mirroring.read_mirror(ws).tracking)).uncovered
    assert left["state"] == ("deleted" if change == "deleted" else "changed")
    assert {"metric": "from 0.5 at step 0 to 0.1 at step 3", "tag": "the tag approved_by was added", "deleted": ""}[
        change
    ] in left.get("detail", "")


def registered(ws: Workspace, client: Any, run: str) -> str:
    model = f"{ws.config.system.id}-net"
    client.create_registered_model(model)
    client.create_model_version(model, f"{client.get_run(run).info.artifact_uri}/model", run_id=run)
    return model


def test_a_version_comes_from_its_training_run(ws: Workspace, client: Any, experiment: str) -> None:
    model = registered(ws, client, ended(client, experiment, "one"))
    (captured,) = capture_model(ws, model)
    assert "training_run" not in ws.ledger.piece(int(captured.evidence[3:])).content
    run, _ = capture_all(ws).logged
    (again,) = capture_model(ws, model)
    piece = ws.ledger.piece(int(again.evidence[3:]))
    assert piece.content["training_run"]["name"] == f"training-run@{run.subject[0]['version']}"
    assert piece.predicate["supersedes"]["name"] == captured.evidence
    assert capture_model(ws, model) == []

    data = {"kind": "dataset", "name": "flchain", "version": "1", "title": "d", "role": "train", "basis": "file"}
    ws.log_records([data | {"sha256": "c1" * 32}])
    (more,) = capture_run(ws, piece.predicate["source"]["mlflow"]["run_id"], datasets=["flchain@1"])
    upstream = [(one["name"], one["steps"]) for one in browse.lineage(ws, f"{model}@1")["upstream"]]
    assert upstream == [(f"training-run@{more.subject[0]['version']}", 1), ("flchain@1", 2)]


def test_an_alias_that_moved_is_told_until_somebody_captures_the_version_again(
    ws: Workspace, client: Any, experiment: str
) -> None:
    model = registered(ws, client, ended(client, experiment, "one"))
    capture_all(ws)
    client.set_registered_model_alias(model, "champion", "1")
    look = capture_all(ws)
    (left,) = look.uncovered
    assert (left["what"], left["state"], left["detail"]) == ("model-version", "changed", "the alias champion was added")
    assert look.to_dict()["uncovered"] == [left | {"next": f"compliance capture --model {model}@1"}]
    (logged,) = capture_model(ws, model)
    assert "champion was added" in ws.ledger.piece(int(logged.evidence[3:])).predicate["supersedes"]["reason"]
    assert capture_all(ws).uncovered == []


def test_other_files_under_a_version_are_told_by_every_look_until_they_are_back(
    ws: Workspace, client: Any, experiment: str
) -> None:
    run = ended(client, experiment, "one")
    registered(ws, client, run)
    capture_all(ws)
    client.log_text(run, "other", "model/weights.txt")
    for thorough in (True, False):
        (left,) = capture_all(ws, thorough=thorough).uncovered
        assert (left["what"], left["state"]) == ("model-version", "changed")
        assert "the file weights.txt was changed" in left["detail"]
    client.log_text(run, "weights", "model/weights.txt")
    assert capture_all(ws).uncovered == []


def test_a_version_or_an_experiment_that_was_deleted_is_told(ws: Workspace, client: Any, experiment: str) -> None:
    model = registered(ws, client, ended(client, experiment, "one"))
    capture_all(ws)
    client.delete_model_version(model, "1")
    client.delete_experiment(experiment)
    assert states(ws) == {f"{model}@1": "deleted", "Training run one": "deleted"}


def test_what_was_revoked_is_evidence_of_nothing(ws: Workspace, client: Any, experiment: str) -> None:
    run = ended(client, experiment, "one")
    (captured,) = capture_run(ws, run)
    assert states(ws) == {}
    ws.log_records([{"kind": "revocation", "evidence": captured.evidence, "reason": "Captured by mistake"}])
    assert states(ws) == {"one": "no-evidence"}


def test_one_name_of_mlflows_for_several_data_is_not_covered_by_one_version(
    ws: Workspace, client: Any, experiment: str
) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    made = {"kind": "dataset", "title": "d", "basis": "file"}
    ws.log_records(
        [
            made | {"name": "flchain", "version": "1", "role": "train", "sha256": "c1" * 32},
            made | {"name": "known", "version": "3", "role": "train", "sha256": "c3" * 32},
        ]
    )
    tag = [InputTag("mlflow.data.context", "train")]
    run = ended(client, experiment, "one")
    for name, digest in (("flchain", "30e34ab5"), ("known@3", "aaaaaaaa")):
        client.log_inputs(run, [DatasetInput(Dataset(name, digest, "local", "{}"), tag)])
    look = capture_all(ws)
    assert look.uncovered == []
    piece = ws.ledger.piece(int(look.logged[0].evidence[3:]))
    assert [data["name"] for data in piece.content["datasets"]] == ["known@3"]
    client.log_inputs(run, [DatasetInput(Dataset("flchain", "ffffffff", "local", "{}"), tag)])
    details = [one["detail"] for one in capture_all(ws).uncovered]
    assert details == ["MLflow's digest 30e34ab5: train of one", "MLflow's digest ffffffff: train of one"]


def test_an_evaluation_dataset_needs_evidence_and_again_when_it_grows(
    ws: Workspace, client: Any, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mirroring.place(ws).uri)
    name = f"{ws.config.system.id}-questions"
    made = client.create_dataset(name, experiment)
    made.merge_records([{"inputs": {"q": "a"}, "expectations": {"answer": "A"}}])
    (left,) = capture_all(ws).uncovered
    assert (left["what"], left["name"], left["state"]) == ("dataset", name, "no-evidence")
    assert remedy(left) == f"compliance capture --dataset {name} --role ROLE"
    capture_dataset(ws, name, role="benchmark")
    assert capture_all(ws).uncovered == []
    made.merge_records([{"inputs": {"q": "b"}, "expectations": {"answer": "B"}}])
    (left,) = capture_all(ws).uncovered
    assert left["state"] == "changed"


def test_tracked_and_never_looked_at_is_said(ws: Workspace, client: Any, experiment: str) -> None:
    ended(client, experiment, "one")
    assert [note.topic for note in ws.assess().notes] == ["completeness"]
    assert "no look at them is on record" in ws.assess().notes[0].text
    capture_all(ws)
    assert "all have evidence" in ws.assess().notes[0].text


def test_a_pattern_that_nothing_matches_is_no_clean_bill(make_workspace: MakeWorkspace) -> None:
    made = make_workspace(None, system="mistyped")
    made.config.mlflow.experiments.append("traige-*")
    assert capture_all(made).scope == ("no experiment matches traige-*",)
    (note,) = made.assess().notes
    assert note.text.endswith("0 datasets, no experiment matches traige-*; nothing is there that could have evidence.")


def test_a_command_quotes_a_name_that_a_shell_would_run() -> None:
    assert remedy({"what": "dataset", "name": "x; rm -rf /", "state": "no-evidence"}) == (
        "compliance log dataset PATH --name 'x; rm -rf /' --version VERSION --role ROLE"
    )


def test_one_thing_that_cannot_be_read_does_not_stop_the_others(
    ws: Workspace, client: Any, experiment: str, tmp_path: Path
) -> None:
    model = f"{ws.config.system.id}-net"
    client.create_registered_model(model)
    run = ended(client, experiment, "one")
    client.create_model_version(model, f"{client.get_run(run).info.artifact_uri}/nothing-here", run_id=run)
    look = capture_all(ws)
    assert [piece.kind for piece in look.logged] == ["training-run", "log"]
    (left,) = look.uncovered
    assert (left["name"], left["state"]) == (f"{model}@1", "unreadable")
    assert left["detail"]


def test_tracking_nothing_is_said_with_the_remedy(make_workspace: MakeWorkspace) -> None:
    made = make_workspace(None, system="tracks-nothing")
    with pytest.raises(InvalidInput) as refused:
        capture_all(made)
    assert "experiments" in refused.value.remedy
