"""MLflow's own evaluations, really run, become evaluation evidence with counts and intervals."""

import json
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.core.completeness import remedy
from compliance.errors import InvalidInput
from compliance.services import mirroring
from compliance.services.capture import capture_run
from compliance.services.completeness import capture_all, compare, find
from compliance.services.evaluation_runs import capture_evaluation, from_verdicts
from compliance.services.workspace import Workspace
from compliance.storage.mirror.client import tracked_at
from compliance.storage.mirror.tracking import Verdict


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> tuple[Path, dict[str, str]]:
    """A store with three evaluations, and their run ids."""
    import mlflow
    import pandas as pd
    from mlflow.genai import scorer

    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    with tracked_at(mlflow, f"sqlite:///{folder}/mlflow.db"):
        mlflow.set_experiment(
            experiment_id=mlflow.create_experiment("evals", artifact_location=(folder / "a").as_uri())
        )
        runs = {}
        truth = [1] * 40 + [0] * 60
        scores = [1] * 36 + [0] * 4 + [1] * 3 + [0] * 57
        frame = pd.DataFrame({"truth": truth, "says": scores})
        with mlflow.start_run(run_name="classifier") as run:
            data = mlflow.data.from_pandas(frame, targets="truth", predictions="says", name="held-out")
            mlflow.models.evaluate(data=data, model_type="classifier", evaluator_config={"log_explainer": False})
            runs["classifier"] = run.info.run_id
        with mlflow.start_run(run_name="regressor") as run:
            values = pd.DataFrame({"truth": [1.0, 2.0, 4.0], "says": [1.0, 2.5, 3.0]})
            data = mlflow.data.from_pandas(values, targets="truth", predictions="says", name="held-out")
            mlflow.models.evaluate(data=data, model_type="regressor", evaluator_config={"log_explainer": False})
            runs["regressor"] = run.info.run_id

        @scorer
        def exact(outputs: str, expectations: dict[str, str]) -> bool:
            return outputs == expectations["answer"]

        @scorer
        def length(outputs: str) -> int:
            return len(outputs)

        @scorer
        def breaks(outputs: str) -> bool:
            if outputs == "C":
                raise ValueError("judge broke")
            return True

        questions = [
            {"inputs": {"q": q}, "expectations": {"answer": a}} for q, a in (("a", "A"), ("b", "X"), ("c", "C"))
        ]
        ran = mlflow.genai.evaluate(data=questions, predict_fn=lambda q: q.upper(), scorers=[exact, length, breaks])
        runs["genai"] = ran.run_id
    return folder, runs


@pytest.fixture
def ws(make_workspace: MakeWorkspace, evaluated: tuple[Path, dict[str, str]]) -> Workspace:
    made = make_workspace()
    source, target = (sqlite3.connect(folder / "mlflow.db") for folder in (evaluated[0], made.root))
    with closing(source), closing(target):
        source.backup(target)  # a copy would miss the write-ahead log
    model = {"kind": "model-version", "name": "net", "version": "1", "title": "n", "sha256": "5f" * 32, "basis": "file"}
    held_out = model | {"kind": "dataset", "name": "held-out", "role": "test", "sha256": "c1" * 32}
    mirroring.forget(made)
    made.log_records([model, held_out])
    made.config.mlflow.experiments.append("evals")
    return made


def captured(ws: Workspace, run: str) -> Any:
    (logged,) = capture_evaluation(ws, run, model="net@1", dataset="held-out@1")
    return ws.ledger.piece(int(logged.evidence[3:]))


def rows(piece: Any) -> dict[str, Any]:
    return {row["name"]: row for row in piece.content["metrics"]}


def test_a_classifiers_counts_give_intervals(ws: Workspace, evaluated: tuple[Path, dict[str, str]]) -> None:
    piece = captured(ws, evaluated[1]["classifier"])
    found = rows(piece)
    assert (found["sensitivity"]["x"], found["sensitivity"]["n"]) == (36, 40)
    assert (found["specificity"]["x"], found["specificity"]["n"]) == (57, 60)
    assert found["sensitivity"]["ci_method"] == "clopper-pearson"
    assert found["f1"]["origin"] == "stated"
    assert "ci_low" not in found["f1"]
    assert piece.content["confusion"] == [{"tp": 36, "fp": 3, "tn": 57, "fn": 4}]
    assert piece.content["dataset"]["role"] == "test"
    assert piece.completeness == "complete"
    assert piece.predicate["source"]["how"] == "capture"


def test_a_regressors_figures_are_stated(ws: Workspace, evaluated: tuple[Path, dict[str, str]]) -> None:
    found = rows(captured(ws, evaluated[1]["regressor"]))
    assert (found["mae"]["value"], found["mae"]["n"], found["mae"]["origin"]) == ("0.5", 3, "stated")


def test_verdicts_on_traces_are_counted_and_a_judge_that_broke_is_no_pass(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    piece = captured(ws, evaluated[1]["genai"])
    found = rows(piece)
    assert (found["exact"]["x"], found["exact"]["n"]) == (2, 3)
    assert "length" not in found
    assert "no row: length." in piece.content["remarks"][1]
    assert (found["breaks"]["x"], found["breaks"]["n"]) == (2, 2)
    assert piece.completeness == "incomplete"
    assert "breaks has no verdict on 1 of 3 traces" in piece.predicate["completeness_reason"]
    verdicts = next(a for a in piece.predicate["attachments"] if a["name"] == "verdicts.json")
    told = json.loads((ws.attachments / verdicts["sha256"]).read_bytes())
    assert sum(one["name"] == "exact" and one["value"] is True for one in told) == 2


def test_a_scorers_number_has_the_direction_that_somebody_says(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    (logged,) = capture_evaluation(
        ws, evaluated[1]["genai"], model="net@1", dataset="held-out@1", better={"length": "lower"}
    )
    length = rows(ws.ledger.piece(int(logged.evidence[3:])))["length"]
    assert (length["value"], length["n"], length["better"]) == ("1.0", 3, "lower")


def test_a_trace_counts_once_and_not_where_its_judges_differ() -> None:
    def said(trace: str, value: object, by: str = "human") -> Verdict:
        return Verdict(trace, "ok", by, value)

    told = from_verdicts([said("a", True), said("a", True), said("b", True), said("b", False), said("c", math.nan)])
    assert [(row["x"], row["n"]) for row in told["metrics"]] == [(1, 1)]
    assert told["completeness_reason"] == (
        "ok has verdicts that differ on 1 of 3 traces; ok has no verdict on 1 of 3 traces."
    )


def test_what_has_not_changed_adds_nothing_and_what_has_says_so(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    run = evaluated[1]["regressor"]
    first = captured(ws, run)
    assert capture_evaluation(ws, run, model="net@1", dataset="held-out@1") == []
    from mlflow import MlflowClient

    MlflowClient(mirroring.place(ws).uri).log_metric(run, "r2_score", 0.1)
    second = captured(ws, run)
    assert second.predicate["supersedes"]["name"] == first.number
    assert "the metric r2_score was changed from" in second.predicate["supersedes"]["reason"]


def test_a_run_captured_for_the_wrong_dataset_can_be_captured_for_the_right_one(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    ws.log_records(
        [{"kind": "dataset", "name": "other", "version": "1", "title": "o", "role": "test", "sha256": "c2" * 32,
          "basis": "file"}]
    )  # fmt: skip
    run = evaluated[1]["classifier"]
    first = captured(ws, run)
    (logged,) = capture_evaluation(ws, run, model="net@1", dataset="other@1")
    second = ws.ledger.piece(int(logged.evidence[3:]))
    assert second.content["dataset"]["name"] == "other@1"
    assert second.predicate["supersedes"]["name"] == first.number
    assert "the field dataset was changed" in second.predicate["supersedes"]["reason"]


def test_an_evaluation_run_has_no_evidence_until_somebody_says_of_what(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    look = capture_all(ws)
    assert [piece.kind for piece in look.logged] == ["log"]
    assert {(one["what"], one["state"]) for one in look.uncovered} == {("evaluation-run", "no-evidence")} | {
        ("dataset", "no-evidence")
    }
    for run in evaluated[1].values():
        captured(ws, run)
    left = compare(ws, find(ws, mirroring.read_mirror(ws).tracking)).uncovered
    assert [one["what"] for one in left if one["what"] != "dataset"] == []


def test_a_run_that_looked_for_harm_is_a_safety_run_and_can_be_a_safety_result(
    ws: Workspace, evaluated: tuple[Path, dict[str, str]]
) -> None:
    from mlflow import MlflowClient

    run = evaluated[1]["genai"]
    MlflowClient(mirroring.place(ws).uri).log_metric(run, "safety/mean", 1.0)
    left = {one["id"]: one for one in capture_all(ws).uncovered if "id" in one}
    assert left[run]["what"] == "safety-run"
    assert remedy(left[run]).endswith("--evaluates NAME@VERSION --on NAME@VERSION --category CATEGORY")
    (logged,) = capture_evaluation(ws, run, model="net@1", dataset="held-out@1", category="toxicity")
    assert logged.kind == "safety-result"
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    assert piece.content["category"] == "toxicity"
    assert run not in {one.get("id") for one in capture_all(ws).uncovered}
    (beside,) = capture_evaluation(ws, run, model="net@1", dataset="held-out@1")
    assert "supersedes" not in ws.ledger.piece(int(beside.evidence[3:])).predicate  # of another kind: nothing replaced
    assert not capture_evaluation(ws, run, model="net@1", dataset="held-out@1", category="toxicity")


def test_a_run_that_evaluated_nothing_is_refused(ws: Workspace) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(mirroring.place(ws).uri)
    run = client.create_run(client.get_experiment_by_name("evals").experiment_id).info.run_id
    client.set_terminated(run)
    with pytest.raises(InvalidInput, match="no evaluation"):
        capture_evaluation(ws, run, model="net@1", dataset="held-out@1")
    assert capture_run(ws, run)
