"""Every task from its file to signed evidence, and back: claims checked when logged, figures reproduced later."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance import InvalidInput, Profile, System, Workspace
from compliance.errors import Unavailable, UnknownReference, VerificationFailed
from compliance.services.evaluations import from_predictions
from compliance.services.reproduce import reproduce

drawn = np.random.default_rng(11)
N = 120
PATIENT = [f"p{i // 3}" for i in range(N)]
SEX = ["FM"[i // 3 % 2] for i in range(N)]
CLASSES = drawn.choice(["nevus", "melanoma", "keratosis"], N)
TIMES = drawn.exponential(5, N).round(3)

TASKS: dict[str, tuple[dict[str, list[Any]], dict[str, Any]]] = {
    "binary": (
        {"truth": (drawn.random(N) < 0.4).astype(int).tolist(), "score": drawn.random(N).round(4).tolist()},
        {"task": None},
    ),
    "binary, by words": (
        {"label": ["malignant" if v else "benign" for v in drawn.random(N) < 0.4], "score": drawn.random(N).tolist()},
        {"task": "binary", "truth": "label", "columns": {"positive": "malignant"}},
    ),
    "multiclass": (
        {"truth": CLASSES.tolist(), "score": np.where(drawn.random(N) < 0.8, CLASSES, "nevus").tolist()},
        {"task": "multiclass"},
    ),
    "regression": (
        {"truth": drawn.normal(5, 1, N).tolist(), "score": drawn.normal(5, 1, N).tolist()},
        {"task": "regression", "columns": {"scale": "mmol/L"}},
    ),
    "survival": (
        {
            "died": (drawn.random(N) < 0.7).astype(int).tolist(),
            "years": TIMES.tolist(),
            "score": drawn.random(N).tolist(),
        },
        {"task": "survival", "truth": "died", "columns": {"time": "years", "horizon": "4"}},
    ),
    "segmentation": (
        {"dsc": drawn.beta(8, 2, N).tolist(), "hd": ["" if i % 40 == 0 else f"{v:.3f}" for i, v in enumerate(TIMES)]},
        {"task": "segmentation", "columns": {"measures": {"dice": "dsc", "hausdorff_95": "hd"}}},
    ),
    "choice": (
        {"truth": drawn.choice(list("ABCD"), N).tolist(), "score": drawn.choice(list("ABCD"), N).tolist()},
        {"task": "choice"},
    ),
    "graded": (
        {
            "item": [f"q{i // 3}" for i in range(N)],
            "score": (drawn.random(N) < 0.7).astype(int).tolist(),
            "doctor": ["" if i % 4 else str(i // 4 % 2) for i in range(N)],
        },
        {"task": "graded", "columns": {"question": "item", "k": [1, 3], "human": "doctor"}},
    ),
}


def written(path: Path, columns: dict[str, list[Any]]) -> Path:
    columns = {"patient": PATIENT, "sex": SEX, **columns}
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def keyed(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {(row["name"], *sorted(row.get("group", {}).items())): row for row in rows}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("recompute")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
        system = System(id="demo", name="Demo", provider="Nobody")
        with Workspace.create(root / "ws", system=system, profile=Profile(), origin="example.org/demo") as made:
            (made.root / "model.bin").write_bytes(b"weights")
            made.log_model(made.root / "model.bin", name="m", version="1", title="m")
            made.log_records([{"kind": "dataset", "name": "d@1", "title": "d", "role": "test", "sha256": "1" * 64}])
            yield made


@pytest.mark.parametrize("cluster", [None, "patient"])
@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_logged_and_comes_again(ws: Workspace, name: str, cluster: str | None) -> None:
    columns, options = TASKS[name]
    path = written(ws.root / f"{name.replace(' ', '')}.csv", columns)
    told = {**options, "columns": {**options.get("columns", {}), "cluster": cluster}}
    (logged,) = ws.log_evaluation(model="m@1", dataset="d@1", predictions=path, groups=["sex"], **told)
    content = ws.evidence()[-1].content
    rows = keyed(content["metrics"])
    groups = {row["group"]["sex"] for row in content["metrics"] if "sex" in row.get("group", {})}
    assert groups == {"F", "M"}
    for row in rows.values():
        assert row["origin"] == "computed"
        assert "n" in row or "reason" in row
        assert "ci_method" in row or "reason" in row
        if cluster and "ci_low" in row and not row["name"].startswith("pass_at"):
            assert row["ci_method"] in ("cluster-bootstrap", "korn-graubard", "cluster-robust")
            assert row["clusters"] <= 40
    found = reproduce(ws, logged.evidence)
    assert found.holds
    assert found.count(None) == 0
    assert found.count(True) >= len(rows)


def test_figures_are_those_of_the_file(tmp_path: Path) -> None:
    def metrics(name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        columns, options = TASKS[name]
        found = from_predictions(written(tmp_path / "f.csv", columns), groups=["sex"], **options)
        return keyed(found["metrics"])

    from sklearn.metrics import f1_score

    truth, said = TASKS["multiclass"][0].values()
    rows = metrics("multiclass")
    assert float(rows["f1_macro",]["value"]) == pytest.approx(f1_score(truth, said, average="macro"), abs=1e-6)
    of_women = rows["sensitivity", ("class", "melanoma"), ("sex", "F")]
    women = [(t, s) for t, s, sex in zip(truth, said, SEX, strict=True) if sex == "F" and t == "melanoma"]
    assert (of_women["x"], of_women["n"]) == (sum(t == s for t, s in women), len(women))
    assert metrics("regression")["mae",]["scale"] == "mmol/L"
    rows = metrics("segmentation")
    assert (rows["dice",]["n"], rows["hausdorff_95",]["n"], rows["hausdorff_95",]["missing"]) == (120, 117, 3)
    key, answer = TASKS["choice"][0].values()
    assert metrics("choice")["accuracy",]["x"] == sum(k == a for k, a in zip(key, answer, strict=True))
    rows = metrics("graded")
    assert rows["accuracy",]["clusters"] == 40  # answers to one question are not independent
    assert rows["pass_at_1",]["n"] == 40
    assert rows["pass_at_1",]["value"] == rows["accuracy",]["value"]
    assert rows["agreement",]["n"] == 30


def test_what_is_missing_is_counted_and_named(tmp_path: Path) -> None:
    columns, options = TASKS["survival"]
    holes = {name: list(values) for name, values in columns.items()}
    holes["died"][0] = holes["years"][1] = holes["years"][2] = holes["score"][2] = holes["score"][3] = ""
    found = from_predictions(written(tmp_path / "f.csv", holes), **options)
    assert (
        found["completeness_reason"]
        == "Rows left out of the figures: 1 without truth, 2 without time, 1 without score."
    )
    assert found["accountability"] == {"enrolled": 120, "analysed": 116, "missing_score": 1, "missing_truth": 3}
    columns, options = TASKS["segmentation"]
    found = from_predictions(written(tmp_path / "f.csv", columns), **options)
    assert found["completeness"] == "incomplete"
    assert found["completeness_reason"] == "Cases that lack a measure: 3 without hausdorff_95."


def test_what_is_measured_is_not_written_by_hand(ws: Workspace) -> None:
    columns, options = TASKS["survival"]
    path = written(ws.root / "study.csv", columns)
    told = {"model": "m@1", "dataset": "d@1", "predictions": path, **options}
    for name, value in {"metrics": [{"name": "c_index", "value": "0.9"}], "accountability": {"analysed": 119}}.items():
        with pytest.raises(InvalidInput, match=f"{name} is measured from study.csv"):
            ws.log_evaluation(**told, **{name: value})
    before = {"enrolled": 150, "excluded": 30, "analysed": 120}
    (logged,) = ws.log_evaluation(**told, accountability=before)
    assert reproduce(ws, logged.evidence).holds


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such task": ("binary", {"task": "ranking"}, "ranking is no task"),
    "no time": ("survival", {"columns": {}}, "needs `time` for survival"),
    "no measure": ("segmentation", {"columns": {}}, "needs `measures` for segmentation"),
    "another task's option": (
        "regression",
        {"columns": {"time": "patient"}},
        "has `time`, which regression does not use",
    ),
    "k without question": ("graded", {"columns": {"k": [2]}}, "no `question`"),
    "horizon that is no number": ("survival", {"columns": {"time": "years", "horizon": "soon"}}, "horizon"),
    "a measure that is none": ("segmentation", {"columns": {"measures": {"beauty": "dsc"}}}, "beauty is no measure"),
    "a measure out of bounds": ("segmentation", {"columns": {"measures": {"dice": "hd"}}}, "not a number from 0 to 1"),
    "a quantity that is a word": ("regression", {"truth": "sex"}, "the truth in column sex is not a number"),
    "classes that are people": ("binary", {"task": "multiclass"}, "1.. different classes"),
    "a group like a class": ("multiclass", {"groups": ["Class"]}, "A group called class"),
    "a value that nobody has": ("binary, by words", {"columns": {"positive": "bad"}}, "No row of .* has 'bad'"),
    "a cluster with gaps": ("graded", {"columns": {"cluster": "doctor"}}, "no cluster in column doctor"),
}


@pytest.mark.parametrize(("name", "changed", "words"), WRONG.values(), ids=WRONG)
def test_bad_input_is_refused_with_its_reason(tmp_path: Path, name: str, changed: dict[str, Any], words: str) -> None:
    columns, options = TASKS[name]
    path = written(tmp_path / "f.csv", columns)
    with pytest.raises(InvalidInput, match=words) as refusal:
        from_predictions(path, **{**options, **changed})
    assert refusal.value.remedy


# --- claims ----------------------------------------------------------------------------------------


def claiming(ws: Workspace, metrics: list[dict[str, Any]], **predictions: Any) -> dict[str, Any]:
    written(ws.root / "claimed.csv", TASKS["binary"][0])
    told = {"attachment": "claimed.csv", "truth": "truth", "score": "score", "groups": ["sex"], **predictions}
    return {
        "kind": "evaluation", "title": "claims", "model": "m@1", "dataset": "d@1", "threshold": "0.5",
        "metrics": metrics, "predictions": told,
        "attachments": [{"path": "claimed.csv", "classification": "restricted"}],
    }  # fmt: skip


def figures(ws: Workspace) -> dict[tuple[Any, ...], dict[str, Any]]:
    return keyed(from_predictions(written(ws.root / "claimed.csv", TASKS["binary"][0]), groups=["sex"])["metrics"])


def test_claims_that_hold_are_marked_and_come_again(ws: Workspace) -> None:
    from sklearn.metrics import average_precision_score, f1_score

    truth, score = TASKS["binary"][0].values()
    ours = figures(ws)
    women = ours["specificity", ("sex", "F")]
    area = ours["roc_auc",]
    claims = [
        {"name": "roc_auc", "value": f"{float(area['value']):.3f}", "n": 120},
        {"name": "recall", "x": ours["sensitivity",]["x"], "n": ours["sensitivity",]["n"]},
        {"name": "specificity", "group": {"sex": "F"}, "value": women["value"]},
        {"name": "ece", "value": "0.9"},
        {"name": "f1", "value": f"{f1_score(truth, [value >= 0.5 for value in score]):.2f}"},
        {"name": "pr_auc", "value": f"{average_precision_score(truth, score):.3f}"},
    ]
    (logged,) = ws.log_records([claiming(ws, claims)])
    content = ws.evidence()[-1].content
    assert content["recomputation"] == {
        "agree": 5,
        "not_computed": ["ece (overall): the predictions do not give this figure"],
    }
    assert [row["origin"] for row in content["metrics"]] == [
        "recomputed", "computed", "recomputed", "stated", "recomputed", "recomputed",
    ]  # fmt: skip
    found = reproduce(ws, logged.evidence)
    assert found.holds
    assert (found.count(True), found.count(None)) == (5, 1)


def test_a_claim_that_differs_is_refused_or_kept_with_a_reason(ws: Workspace) -> None:
    size = ws.ledger.size
    claims = [{"name": "roc_auc", "value": "0.95"}, {"name": "sensitivity", "group": {"sex": "M"}, "value": "0.999"}]
    with pytest.raises(
        InvalidInput, match=r"does not bear out roc_auc \(overall\): 0.95 is claimed, but it is .* 1 more"
    ):
        ws.log_records([claiming(ws, claims)])
    assert ws.ledger.size == size
    (logged,) = ws.log_records([claiming(ws, claims, claims_kept="As the publisher printed it; asked on 2026-11-20.")])
    content = ws.evidence()[-1].content
    assert [one["name"] for one in content["recomputation"]["differ"]] == ["roc_auc", "sensitivity"]
    assert content["recomputation"]["agree"] == 0
    found = reproduce(ws, logged.evidence)
    assert not found.holds
    assert found.count(False) == 2


def test_a_claim_about_a_group_that_nobody_is_in_differs(ws: Workspace) -> None:
    claims = [{"name": "sensitivity", "group": {"sex": "female"}, "value": "0.999"}]
    with pytest.raises(InvalidInput, match=r"sensitivity \(sex female\): no case of the predictions belongs"):
        ws.log_records([claiming(ws, claims)])
    (logged,) = ws.log_records([claiming(ws, claims, claims_kept="As the publisher printed it.")])
    assert reproduce(ws, logged.evidence).count(False) == 1


def test_predictions_that_are_not_attached_or_a_verdict_by_hand_are_refused(ws: Workspace) -> None:
    record = claiming(ws, [{"name": "roc_auc", "value": "0.5"}])
    with pytest.raises(InvalidInput, match=r"claimed\.csv is not among the attachments"):
        ws.log_records([record | {"attachments": []}])
    with pytest.raises(InvalidInput, match="recomputation is measured, never written"):
        ws.log_records([record | {"recomputation": {"agree": 1}}])
    with pytest.raises(InvalidInput, match="lies outside"):
        ws.log_records([record | {"attachments": [{"path": "../../claimed.csv"}]}])


# --- reproduce -------------------------------------------------------------------------------------


def test_other_bytes_are_refused_and_a_copy_will_do(ws: Workspace, tmp_path: Path) -> None:
    path = written(ws.root / "again.csv", TASKS["binary"][0])
    (logged,) = ws.log_evaluation(model="m@1", dataset="d@1", predictions=path, title="again")
    kept = ws.attachments / ws.evidence()[-1].predicate["attachments"][0]["sha256"]
    whole = kept.read_bytes()
    try:
        kept.write_bytes(whole.replace(b"p1,", b"p2,", 1))
        with pytest.raises(VerificationFailed, match="its digest is"):
            reproduce(ws, logged.evidence)
        kept.unlink()
        with pytest.raises(Unavailable, match="is not there"):
            reproduce(ws, logged.evidence)
        copy = tmp_path / "copy.csv"
        copy.write_bytes(whole)
        assert reproduce(ws, logged.evidence, copy).holds
    finally:
        kept.write_bytes(whole)


def test_a_figure_that_was_edited_before_signing_does_not_come_again(ws: Workspace) -> None:
    path = written(ws.root / "forged.csv", TASKS["regression"][0])
    fields = from_predictions(path, task="regression")
    fields["metrics"][0]["value"] = fields["metrics"][0]["ci_low"]
    fields["metrics"].append({"name": "c_index", "value": "0.9"})
    fields["accountability"]["enrolled"] = fields["accountability"]["analysed"] = 119
    from compliance.services import record

    authored = {"kind": "evaluation", "title": "forged", "model": "m@1", "dataset": "d@1", **fields}
    (logged,) = record.log(ws, [authored], how="log", base=path.parent)
    found = reproduce(ws, logged.evidence)
    assert {figure.name for figure in found.figures if not figure.holds} == {"mae", "c_index", "accountability"}
    assert json.dumps(found.to_dict())


def test_a_dataset_comes_again_from_its_own_bytes_only(ws: Workspace) -> None:
    path = written(ws.root / "rows.csv", TASKS["binary"][0])
    (logged,) = ws.log_dataset(
        path, name="rows", version="1", role="test", target="truth", groups=["truth", "sex"], patient="patient"
    )[:1]
    found = reproduce(ws, logged.evidence, path)
    assert found.holds
    assert {"rows", "labels", "column score", "n"} <= {figure.name for figure in found.figures if figure.holds}
    assert {figure.name for figure in found.figures if figure.holds is None} >= {"fingerprints", "duplicate_records"}
    with pytest.raises(InvalidInput, match="not kept in the workspace"):
        reproduce(ws, logged.evidence)
    assert ws.evidence()[-1].kind == "dataset"
    other = ws.root / "other.csv"
    other.write_bytes(path.read_bytes() + b"p99,F,1,0.5\n")
    with pytest.raises(VerificationFailed, match="its digest is"):
        reproduce(ws, logged.evidence, other)


def test_what_names_no_predictions_is_refused(ws: Workspace) -> None:
    with pytest.raises(InvalidInput, match="names no predictions"):
        reproduce(ws, "EV-000001")
    with pytest.raises(UnknownReference):
        reproduce(ws, "EV-999999")
