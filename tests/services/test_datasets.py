"""Datasets on record: measured from their bytes, validated for real, compared by fingerprints."""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import datasets as support

from compliance import InvalidInput, Workspace
from compliance.core import fingerprint
from compliance.core.evidence import Evidence
from compliance.errors import Unavailable, VerificationFailed
from compliance.services import acts, datasets, overlap, profile
from compliance.services.cases import named
from compliance.services.reading.table import from_frame
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


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in support.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return support.workspace(tmp_path / "ws")


def log(ws: Workspace, lines: list[list[str]], name: str, role: str, **options: Any) -> Evidence:
    given = {"target": "died", "groups": ["sex", "site"], "patient": "patient", "version": "1", **options}
    path = write(ws.root / f"{name}.csv", lines)
    return support.on_record(ws, ws.log_dataset(path, name=name, role=role, **given))


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
    assert (parts[("site", "B"),]["n"], {("sex", "F"), ("site", "B")} & set(parts)) == (7, set())
    assert verify_workspace(ws.root).ok


def test_a_small_group_is_flagged_and_tells_no_outcome_not_even_by_subtraction(ws: Workspace) -> None:
    parts = {str(part["group"]): part for part in log(ws, rows(0, 100), "c", "train").content["composition"]}
    small, rest = parts["{'site': 'B'}"], parts["{'site': 'A'}"]
    assert (small["n"], small["small"], rest["n"]) == (7, True, 93)
    assert "positives" not in small
    assert "positives" not in rest


def test_of_one_person_in_a_group_no_other_group_is_told() -> None:
    """Sex and site of the only one of an ethnicity would be most of a row, even by subtraction."""
    frame = pd.DataFrame({"ethnicity": ["A"] * 60 + ["B"] * 30 + ["rare"], "sex": ["F", "M"] * 45 + ["F"]})
    groups = [
        part["group"] for part in profile.profile(from_frame(frame, "f"), groups=["ethnicity", "sex"])["composition"]
    ]
    assert {"ethnicity": "rare"} in groups
    assert {one["ethnicity"] for one in groups if len(one) == 2} == {"A"}


def test_values_that_tell_single_people_apart_are_no_groups_and_no_classes() -> None:
    frame = pd.DataFrame({"hba1c": [40.5 + i for i in range(15)], "died": [0, 1, 1] * 5})
    table = from_frame(frame, "f")
    assert "labels" not in profile.profile(table, target="hba1c")
    assert "labels" in profile.profile(table, target="died")
    assert profile.profile(table, groups=named("died"))["composition"][0]["group"] == {"died": "0"}
    with pytest.raises(InvalidInput, match="hba1c of f has 15 different values"):
        profile.profile(table, groups=["hba1c"])


def test_percentiles_need_values_beyond_them() -> None:
    few = profile._distribution(np.arange(30.0))
    assert {"p25", "p50", "p75"} <= set(few)
    assert not {"p5", "p95"} & set(few)
    assert few is not None
    assert set(profile._distribution(np.array([1.0, 2.0, 5.0] * 3)) or ()) == {"n", "mean", "sd"}


def test_distributions_are_those_of_pandas() -> None:
    series = pd.Series([float(value**1.5) for value in range(1000)])
    told = profile._distribution(series.to_numpy())
    assert told is not None
    assert float(told["mean"]) == pytest.approx(series.mean(), rel=1e-5)
    assert float(told["sd"]) == pytest.approx(series.std(), rel=1e-5)
    for name, share in (("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)):
        assert float(told[name]) == pytest.approx(series.quantile(share), rel=5e-3)


def test_csv_and_parquet_of_the_same_rows_have_the_same_fingerprints(ws: Workspace) -> None:
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


def test_training_data_logged_later_show_the_leakage_in_the_record_of_the_test_data(
    ws: Workspace,
) -> None:
    first = log(ws, rows(90, 140), "leaky", "test", split_method="by date", summary="Held out.")
    clean = log(ws, rows(100, 150), "clean", "test")
    assert "leakage" not in first.content
    log(ws, rows(0, 100), "train", "train")
    again, other = ws.ledger.piece(ws.ledger.size - 2), ws.ledger.piece(ws.ledger.size - 1)
    assert (again.subjects, again.content["leakage"]["shared"]) == (first.subjects, 10)
    assert (other.subjects, other.content["leakage"]["shared"]) == (clean.subjects, 0)
    assert again.predicate["supersedes"]["name"] == first.number
    kept = {name: again.content[name] for name in first.content}
    assert (kept, again.predicate["summary"]) == (first.content, "Held out.")
    assert again.predicate["attachments"] == first.predicate["attachments"]
    assert verify_workspace(ws.root).ok
    size = ws.ledger.size
    log(ws, rows(200, 220), "elsewhere", "test")
    assert ws.ledger.size == size + 1


@pytest.mark.parametrize("order", [("train", "test"), ("test", "train")])
@pytest.mark.parametrize(("first", "finding"), [(60, "passed"), (50, "failed")])
def test_independence_is_failed_by_a_shared_patient_whichever_was_logged_first(
    tmp_path: Path, order: tuple[str, str], first: int, finding: str
) -> None:
    ws = support.workspace(tmp_path / "two", "tripod-ai")
    (ws.root / "m.bin").write_bytes(b"model")
    ws.log_model(ws.root / "m.bin", name="m", version="1", title="m 1")
    data = {"train": rows(0, 60), "test": rows(first, 90)}
    for name in order:
        log(ws, data[name], name, name)
    ws.log_evaluation(model="m@1", dataset="test@1", title="e", metrics=[{"name": "sensitivity", "x": 3, "n": 4}])
    verdicts = {need.need: need.verdict.value for found in ws.assess(model="m@1").findings for need in found.needs}
    assert verdicts["disjoint"] == finding


def test_withdrawn_data_do_not_count(ws: Workspace) -> None:
    train = log(ws, rows(0, 60), "train", "train")
    acts.revoke(ws, train.number, "wrong file")
    assert "leakage" not in log(ws, rows(50, 80), "test", "test").content
    with pytest.raises(InvalidInput, match="Every record of train was withdrawn"):
        datasets.compare(ws, "train", "test")
    acts.revoke(ws, log(ws, rows(0, 60), "late", "train").number, "a person asks for it", erase="Art. 17 GDPR")
    again = log(ws, rows(0, 10), "other", "train")
    assert again.content["leakage"] == {"datasets": 1, "not_comparable": 0, "shared": 0}


def test_a_further_record_without_fingerprints_hides_none(ws: Workspace) -> None:
    train = log(ws, rows(0, 60), "train", "train")
    same = {"sha256": train.subjects[0]["digest"]["sha256"], "basis": "file", "role": "train", "title": "more"}
    ws.log_records([{"kind": "dataset", "name": "train", "version": "1", **same}])
    assert log(ws, rows(50, 80), "test", "test").content["leakage"]["shared"] == 10


def test_a_patient_is_the_same_with_and_without_leading_zeros(ws: Workspace) -> None:
    text = write(ws.root / "text.csv", [["007"], [" 0012"], ["000"], ["A07"]], ["patient"])
    ws.log_dataset(text, name="text", version="1", role="train", patient="patient")
    frame = pd.DataFrame({"patient": [7, 12, 0, 70]})
    ws.log_dataset(frame, name="frame", version="1", role="test", patient="patient")
    assert datasets.compare(ws, "text", "frame").patients.count == 3


def test_a_moment_and_a_truth_value_are_the_same_however_a_tool_writes_them(ws: Workspace) -> None:
    columns = ["patient", "seen", "died"]
    one = write(ws.root / "one.csv", [["p1", "2026-01-02T05:00:00+02:00", "True"]], columns)
    other = write(ws.root / "other.csv", [["p1", "2026-01-02 03:00Z", "true"]], columns)
    ws.log_dataset(one, name="one", version="1", role="train", patient="patient")
    ws.log_dataset(other, name="other", version="1", role="test", patient="patient")
    assert datasets.compare(ws, "one", "other").records.count == 1


def test_fingerprints_of_an_older_format_are_not_comparable(ws: Workspace) -> None:
    piece = log(ws, rows(0, 50), "train", "train")
    log(ws, rows(50, 99), "test", "test")
    (kept,) = [a for a in piece.predicate["attachments"] if a["classification"] == "restricted"]
    told = overlap._fingerprints(ws, piece)
    assert isinstance(told, fingerprint.Fingerprints)
    old = (ws.attachments / kept["sha256"]).read_bytes().replace(b"fingerprints 3", b"fingerprints 2")
    where = ws.attachments / sha256(old).hexdigest()
    where.write_bytes(old)
    kept["sha256"] = where.name
    assert "of another format" in str(overlap._fingerprints(ws, piece))


def test_composition_is_compared_with_its_difference(ws: Workspace) -> None:
    log(ws, rows(0, 100), "train", "train")
    log(ws, rows(101, 112), "test", "test")
    told = {str(row["group"]): row for row in datasets.compare(ws, "train", "test").to_dict()["composition"]}
    assert told["{'sex': 'F'}"] == {
        "group": {"sex": "F"},
        "first": "0.500000",
        "second": "0.454545",
        "difference": "-0.045455",
    }
    assert told["{'site': 'B'}"]["difference"] is None


# --- within groups ---------------------------------------------------------------------------------


def test_spread_and_missing_values_are_told_by_group_where_that_tells_on_nobody(ws: Workspace) -> None:
    content = log(ws, rows(0, 200), "c", "train", groups=["sex"]).content
    age = next(column for column in content["columns"] if column["name"] == "age")
    ages = {sex: [int(r[1]) for r in rows(0, 200) if r[2] == sex and r[1]] for sex in "FM"}
    told = {part["group"]["sex"]: part for part in age["by_group"]}
    assert {sex: (told[sex]["n"], told[sex]["missing"]) for sex in "FM"} == {"F": (100, 0), "M": (90, 10)}
    for sex in "FM":
        assert float(told[sex]["distribution"]["mean"]) == pytest.approx(sum(ages[sex]) / len(ages[sex]), rel=1e-5)
    by_site = log(ws, rows(0, 200), "d", "train", groups=["site"]).content["columns"]
    assert "by_group" not in next(column for column in by_site if column["name"] == "age")


@given(st.lists(st.sampled_from("ABC"), min_size=12, max_size=60))
@settings(max_examples=40, deadline=None)
def test_no_group_is_told_that_subtraction_would_reduce_to_a_few(groups: list[str]) -> None:
    """What is left over after the groups that are told is nobody, or SMALL people or more."""
    frame = pd.DataFrame({"g": groups, "x": [float(i) for i in range(len(groups))]})
    found = profile.profile(from_frame(frame, "f"), groups=["g"])
    column = next(column for column in found["columns"] if column["name"] == "x")
    told = [part["n"] for part in column.get("by_group", [])]
    assert all(n >= profile.SMALL for n in told)
    left = len(groups) - sum(told)
    assert not told or left == 0 or left >= profile.SMALL


def test_a_time_span_is_told_in_whole_months_and_sites_by_name(ws: Workspace) -> None:
    path = write(ws.root / "v.csv", [[f"p{i}", f"2026-0{1 + i % 3}-1{i % 7}", "North"] for i in range(30)],
                 ["patient", "seen", "clinic"])  # fmt: skip
    options: dict[str, Any] = {"time": "seen", "site": "clinic", "sites": [{"name": "North", "country": "NO"}]}
    (logged,) = ws.log_dataset(path, name="v", version="1", role="test", **options)
    content = ws.ledger.piece(int(logged.evidence[3:])).content
    assert content["period"] == {"start": "2026-01-01", "end": "2026-03-31"}
    assert content["sites"] == [{"name": "North", "country": "NO", "n": 30}]
    with pytest.raises(InvalidInput, match="no column of dates"):
        ws.log_dataset(path, name="v", version="2", role="test", time="clinic")
    with pytest.raises(InvalidInput, match="no record of Nord"):
        ws.log_dataset(path, name="v", version="2", role="test", site="clinic", sites=[{"name": "Nord"}])


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
        ws = support.workspace(root)
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
    with pytest.raises(InvalidInput, match="are one dataset"):
        datasets.compare(ws, "train", "train@1")


def test_the_same_bytes_under_another_name_share_everything(ws: Workspace) -> None:
    log(ws, rows(0, 20), "train", "train")
    ws.log_dataset(ws.root / "train.csv", name="copy", version="1", role="test", patient="patient")
    found = datasets.compare(ws, "train", "copy")
    assert (found.records.count, found.patients.count) == (20, 20)
    folder = ws.root / "folder"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"x")
    for name, role in (("one", "train"), ("other", "test")):
        ws.log_dataset(folder, name=name, version="1", role=role)
    with pytest.raises(VerificationFailed, match="all is shared"):
        datasets.compare(ws, "one", "other")
