"""What MLflow holds and the ledger does not is found, logged, and said."""

from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.core.completeness import newest, note
from compliance.errors import InvalidInput
from compliance.services import mirroring
from compliance.services.capture import capture_run
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
        "3 runs, 0 evaluation runs, 1 model version, 1 dataset. Without valid evidence: run going (unfinished)"
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
    (state,) = states(ws).values()
    assert state == ("deleted" if change == "deleted" else "changed")


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
