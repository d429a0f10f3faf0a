"""Datasets on record: measured from their bytes, validated for real, compared by fingerprints."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance import InvalidInput, Profile, System, Workspace
from compliance.core import fingerprint
from compliance.core.evidence import Evidence
from compliance.errors import Unavailable
from compliance.services import datasets, profile
from compliance.services.verify import verify_workspace

COLUMNS = ["patient", "age", "sex", "site", "note", "died"]
SECRETS = ["MRN-77341-SECRET", "97531.25", "Zaphod Beeblebrox"]
"""What must be found nowhere: a patient number, the largest value of a column, a name in free text."""
SUITE = {
    "name": "cohort",
    "expectations": [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 0, "max_value": 120}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "sex", "value_set": ["F", "M"]}},
        {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "note", "value_set": ["ok"]}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "died", "min_value": 0.1, "max_value": 0.5},
         "severity": "critical"},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "age", "max_value": 120}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "height"}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "note", "min_value": 0, "max_value": 1}},
        {"type": "expect_column_most_common_value_to_be_in_set", "kwargs": {"column": "patient", "value_set": ["x"]}},
    ],
}  # fmt: skip


def rows(first: int, last: int) -> list[list[str]]:
    """One person a row: ages 40 to 79, every fourth died, seven in site B, one value of age missing in twenty."""
    return [
        [f"p{i:04d}", "" if i % 20 == 3 else str(40 + i % 40), "FM"[i % 2], "B" if 10 <= i < 17 else "A", "ok",
         str(int(i % 4 == 0))]
        for i in range(first, last)
    ]  # fmt: skip


def write(path: Path, lines: list[list[str]], columns: list[str] = COLUMNS) -> Path:
    path.write_text("\n".join(",".join(line) for line in [columns, *lines]) + "\n", encoding="utf-8")
    return path


def workspace(root: Path) -> Workspace:
    system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=["eu-ai-act"])
    return Workspace.create(root, system=system, profile=Profile(), origin="example.org/demo")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "ws")


def log(ws: Workspace, lines: list[list[str]], name: str, role: str, **options: Any) -> Evidence:
    given = {"target": "died", "groups": ["sex", "site"], "patient": "patient", "version": "1", **options}
    path = write(ws.root / f"{name}.csv", lines)
    (logged,) = ws.log_dataset(path, name=name, role=role, **given)
    return ws.ledger.piece(int(logged.evidence[3:]))


# --- what is measured ------------------------------------------------------------------------------


def test_everything_is_counted_from_the_bytes(ws: Workspace) -> None:
    piece = log(ws, [*rows(0, 200), rows(0, 1)[0]], "cohort", "train", columns=[{"name": "age", "unit": "years"}])
    content = piece.content
    assert piece.subjects[0]["annotations"]["basis"] == "file"
    assert (content["rows"], content["patients"], content["duplicate_records"]) == (
        201,
        200,
        201 - len({tuple(row[1:]) for row in rows(0, 200)}),
    )
    age = next(column for column in content["columns"] if column["name"] == "age")
    assert (age["type"], age["unit"], age["missing"], age["missing_share"]) == ("integer", "years", 10, "0.049751")
    assert age["distribution"]["n"] == 191
    assert not {"min", "max", "p0", "p100"} & set(age["distribution"])
    assert content["labels"]["classes"] == [{"value": "0", "n": 150}, {"value": "1", "n": 51}]
    parts = {tuple(sorted(part["group"].items())): part for part in content["composition"]}
    assert parts[("sex", "F"),] == {"group": {"sex": "F"}, "n": 101, "share": "0.502488", "positives": 51}
    assert parts[("sex", "F"), ("site", "B")]["n"] == 4
    assert verify_workspace(ws.root).ok


def test_a_small_group_is_flagged_and_tells_no_outcome_not_even_by_subtraction(ws: Workspace) -> None:
    parts = {str(part["group"]): part for part in log(ws, rows(0, 100), "c", "train").content["composition"]}
    small, rest = parts["{'site': 'B'}"], parts["{'site': 'A'}"]
    assert (small["n"], small["small"], rest["n"]) == (7, True, 93)
    assert "positives" not in small
    assert "positives" not in rest


def test_percentiles_need_values_beyond_them() -> None:
    few = profile._distribution(np.arange(30.0))
    assert {"p25", "p50", "p75"} <= set(few)
    assert not {"p5", "p95"} & set(few)
    assert few is not None
    assert set(profile._distribution(np.array([1.0, 2.0, 5.0] * 3)) or ()) == {"n", "mean", "sd"}


def test_distributions_are_those_of_pandas() -> None:
    import pandas as pd

    series = pd.Series([float(value**1.5) for value in range(1000)])
    told = profile._distribution(series.to_numpy())
    assert told is not None
    assert float(told["mean"]) == pytest.approx(series.mean(), rel=1e-5)
    assert float(told["sd"]) == pytest.approx(series.std(), rel=1e-5)
    for name, share in (("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)):
        assert float(told[name]) == pytest.approx(series.quantile(share), rel=5e-3)


def test_csv_and_parquet_of_the_same_rows_have_the_same_fingerprints(ws: Workspace) -> None:
    import pandas as pd

    log(ws, rows(0, 60), "text", "train")
    typed = pd.read_csv(ws.root / "text.csv")
    typed.to_parquet(ws.root / "typed.parquet")
    ws.log_dataset(ws.root / "typed.parquet", name="typed", version="1", role="test", patient="patient")
    found = datasets.compare(ws, "text", "typed")
    assert (found.patients.count, found.records.count) == (60, len({tuple(row[1:]) for row in rows(0, 60)}))


def test_a_folder_is_digested_and_its_files_counted(ws: Workspace) -> None:
    folder = ws.root / "images"
    (folder / "a").mkdir(parents=True)
    for name in ("1.bin", "a/2.bin"):
        (folder / name).write_bytes(b"\x00" + name.encode())
    (logged,) = ws.log_dataset(folder, name="images", version="1", role="test")
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    assert (piece.content["files"], piece.subjects[0]["annotations"]["basis"]) == (2, "folder")
    with pytest.raises(InvalidInput, match="without one table: target"):
        ws.log_dataset(folder, name="images", version="2", role="test", target="died")


# --- overlap ---------------------------------------------------------------------------------------


def test_people_in_training_and_test_are_counted_and_told_in_the_record(ws: Workspace) -> None:
    log(ws, rows(0, 100), "train", "train")
    clean = log(ws, rows(100, 150), "clean", "test").content
    leaky = log(ws, rows(90, 140), "leaky", "test").content
    assert clean["leakage"] == {"datasets": 1, "not_comparable": 0, "shared": 0}
    assert leaky["leakage"] == {"datasets": 1, "not_comparable": 0, "shared": 10}
    by_level = {o["level"]: o for o in leaky["overlaps"] if o["dataset"]["name"] == "train@1"}
    assert by_level["patient"]["shared"] == 10
    found = datasets.compare(ws, "leaky", "train@1")
    assert (found.shared, found.undecided) == (10, False)
    assert found.to_dict()["shared_patients"] == 10


def test_another_version_in_the_same_role_is_no_leakage(ws: Workspace) -> None:
    log(ws, rows(0, 50), "train", "train")
    assert "overlaps" not in log(ws, rows(0, 60), "train", "train", version="2").content


def test_under_another_secret_it_cannot_be_told(ws: Workspace) -> None:
    log(ws, rows(0, 50), "train", "train")
    key = ws.root / ".compliance/fingerprint.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    content = log(ws, rows(0, 50) + rows(60, 70), "test", "test").content
    assert content["leakage"] == {"datasets": 1, "not_comparable": 1}
    assert all("different secrets" in one["reason"] and "shared" not in one for one in content["overlaps"])
    found = datasets.compare(ws, "train", "test")
    assert found.undecided
    assert found.to_dict()["shared"] is None


def test_missing_or_changed_fingerprints_are_said_to_be_so(ws: Workspace) -> None:
    piece = log(ws, rows(0, 50), "train", "train")
    log(ws, rows(50, 99), "test", "test")
    digest = next(a["sha256"] for a in piece.predicate["attachments"] if a["classification"] == "restricted")
    file = ws.attachments / digest
    file.write_bytes(file.read_bytes()[:-33])
    assert "were changed" in str(datasets.compare(ws, "train", "test").patients.reason)
    file.unlink()
    assert "not in this workspace" in str(datasets.compare(ws, "train", "test").patients.reason)


def test_a_damaged_secret_is_no_reason_to_make_a_new_one(ws: Workspace) -> None:
    log(ws, rows(0, 50), "train", "train")
    (ws.root / ".compliance/fingerprint.key").write_bytes(b"short")
    with pytest.raises(Unavailable, match="5 bytes"):
        log(ws, rows(50, 99), "test", "test")


# --- Great Expectations and leaks ------------------------------------------------------------------


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evidence]:
    """A dataset with values that must not leak, validated by the real thing."""
    root = tmp_path_factory.mktemp("gx") / "ws"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        ws = workspace(root)
        (root / "suite.json").write_text(json.dumps(SUITE))
        odd = [SECRETS[0], SECRETS[1], "X", "A", SECRETS[2], "1"]
        piece = log(ws, [*rows(0, 150), odd], "cohort", "train", suite=root / "suite.json", groups=["site"])
        from compliance.services.sync import sync

        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root.parent}/mlflow.db")
        assert sync(ws).pending == 0
    return root, piece


def test_each_expectation_has_its_outcome_and_counts(validated: tuple[Path, Evidence]) -> None:
    (run,) = validated[1].content["quality"]
    told = run["expectations"]
    assert [one["expectation"] for one in told] == [one["type"] for one in SUITE["expectations"]]  # type: ignore[index]
    assert [one.get("success") for one in told] == [False, False, False, True, False, None, None, False]
    age = told[0]
    assert (age["elements"], age["missing"], age["unexpected"]) == (151, 8, 1)
    assert told[3]["observed"] == "0.258278"
    assert told[3]["critical"] is True
    assert "observed" not in told[4]
    assert run["success"] is False
    assert run["tool_version"].startswith("1.")


def test_what_could_not_be_evaluated_is_no_failure_but_leaves_the_record_incomplete(
    validated: tuple[Path, Evidence],
) -> None:
    piece = validated[1]
    told = piece.content["quality"][0]["expectations"]
    assert told[5]["reason"] == "Could not be evaluated: there is no column height."
    assert told[6]["reason"] == "Could not be evaluated: it raised an error on these data."
    assert piece.completeness == "incomplete"
    assert piece.predicate["completeness_reason"] == "2 of 8 expectations could not be evaluated."


def test_no_value_of_a_patient_is_anywhere_but_in_the_file_itself(validated: tuple[Path, Evidence]) -> None:
    """Statement, ledger, attachments, MLflow's database and artifacts, searched as bytes; then searched for real."""
    root, piece = validated
    assert not [value for value in SECRETS if value in json.dumps(piece.statement)]
    searched, found = 0, []
    for folder in (root, root.parent):
        for path in folder.rglob("*"):
            if path.is_file() and path != root / "cohort.csv":
                searched += 1
                found += [(path, value) for value in SECRETS if value.encode() in path.read_bytes()]
    assert found == []
    assert searched > 10
    assert all(value.encode() in (root / "cohort.csv").read_bytes() for value in SECRETS)
    restricted = [a for a in piece.predicate["attachments"] if a["classification"] == "restricted"]
    prints = fingerprint.read((root / ".compliance/attachments" / restricted[0]["sha256"]).read_bytes())
    assert len(prints.levels["patient"]) == 151


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ("{", "suite.json"),
        ('{"name": "s"}', "no suite|not a suite"),
        ('{"name": "s", "expectations": [{"expectation_type": "expect_x"}]}', "has no type"),
        ('{"name": "s", "expectations": [{"type": "expect_colum_values_to_not_be_null"}]}', "knows no"),
        ('{"name": "s", "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {}}]}', "not valid"),
    ],
)
def test_a_wrong_suite_is_refused_and_nothing_is_logged(ws: Workspace, suite: str, told: str) -> None:
    before = ws.ledger.size
    (ws.root / "suite.json").write_text(suite)
    with pytest.raises(InvalidInput, match=told):
        log(ws, rows(0, 20), "c", "train", suite=ws.root / "suite.json")
    assert ws.ledger.size == before


def test_a_suite_may_be_yaml(ws: Workspace) -> None:
    suite = ws.root / "suite.yaml"
    suite.write_text(
        "name: s\nexpectations:\n- type: expect_column_values_to_be_between\n"
        "  kwargs: {column: died, min_value: 0, max_value: 0.5}\n"
    )
    piece = log(ws, rows(0, 40), "c", "train", suite=suite)
    assert piece.content["quality"][0]["expectations"][0]["unexpected"] == 10
    assert piece.completeness == "complete"


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        (b"", {}, "is empty"),
        (b"patient,age\n", {}, "no rows"),
        (b"patient,age,age\np1,2,3\n", {}, "two columns called 'age'"),
        (b"patient,age\np1,2\np2,3,4\n", {}, r":3: this row has 3 cells"),
        (b"patient,age\np1,2\np2,\xff\n", {}, "not UTF-8"),
        (b"patient,age\np1,2\n", {"target": "agee"}, "did you mean age"),
        (b"patient,age\np1,2\n", {"patient": "mrn"}, "no column 'mrn'"),
        (b"patient,age\np1,2\n", {"groups": ["patient"], "patient": "patient"}, "group column patient"),
        (b"patient,age\np1,2\n", {"rows": 7}, "rows is measured"),
        (b"patient,age\np1,2\n", {"leakage": {"datasets": 1, "not_comparable": 0, "shared": 0}}, "never written"),
        (b"patient,age\np1,2\n", {"columns": [{"name": "aje"}]}, "no column aje"),
    ],
)
def test_bad_input_is_named_and_nothing_is_logged(
    ws: Workspace, text: bytes, options: dict[str, Any], told: str
) -> None:
    before = ws.ledger.size, sorted(os.listdir(ws.root / ".compliance"))
    path = ws.root / "data.csv"
    path.write_bytes(text)
    with pytest.raises(InvalidInput, match=told):
        ws.log_dataset(path, name="d", version="1", role="train", **options)
    assert ws.ledger.size == before[0]


def test_a_missing_file_and_an_unknown_dataset_are_named(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.csv"):
        ws.log_dataset(tmp_path / "absent.csv", name="d", version="1", role="train")
    log(ws, rows(0, 20), "train", "train")
    with pytest.raises(InvalidInput, match="nothing-here"):
        datasets.compare(ws, "train", "nothing-here")
    copy = shutil.copy(ws.root / "train.csv", ws.root / "copy.csv")
    ws.log_dataset(copy, name="copy", version="1", role="test", patient="patient")
    with pytest.raises(InvalidInput, match="same bytes"):
        datasets.compare(ws, "train", "copy")
