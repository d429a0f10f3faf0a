"""Deepchecks: a warning is no pass, a check that did not run is no pass, rows of the data stay in the original."""

import json
from typing import Any

from support.imports import SAMPLES, imported

FOLDER = SAMPLES / "deepchecks"


def _check(*statuses: str, name: str = "Mixed Nulls") -> dict[str, Any]:
    conditions = [{"Status": status, "Condition": "asked", "More Info": "patient 7"} for status in statuses]
    return {
        "type": "CheckResult",
        "check": {"name": name},
        "header": name,
        "value": 1,
        "conditions_results": conditions,
    }


def _suite(*checks: dict[str, Any]) -> bytes:
    return json.dumps({"name": "Mine", "type": "SuiteResult", "results": checks}).encode()


def test_conditions_on_data_become_its_quality() -> None:
    got = imported(FOLDER / "data_integrity.json")
    assert (got.tool, got.version, got.only["kind"]) == ("Deepchecks", "0.19", "dataset")
    (run,) = got.only["content"]["quality"]
    assert (run["suite"], run["evaluated"], run["successful"], run["not_evaluated"]) == (
        "Data Integrity Suite", 11, 10, 1,
    )  # fmt: skip
    assert run["success"] is False
    assert got.only["completeness"] == "incomplete"
    assert "Identifier Label Correlation - Train Dataset did not run" in got.reasons


def test_a_model_is_evaluated_by_conditions_and_performance() -> None:
    got = imported(FOLDER / "model_evaluation.json", dataset="data@1")
    assert got.only["kind"] == "evaluation"
    rate = got.row("pass_rate")
    assert (rate["x"], rate["n"]) == (7, 11)
    recall = got.row("recall", part="Test", **{"class": "1"})
    assert (recall["n"], recall["value"][:4]) == (88, "0.67")
    assert any(remark.startswith("Not met: Weak Segments") for remark in got.only["content"]["remarks"]), "a warning"
    assert got.only["completeness"] == "complete", "checks that do not apply to such a model are not missing"


def test_train_and_test_are_compared() -> None:
    (run,) = imported(FOLDER / "train_test.json").only["content"]["quality"]
    assert run["not_evaluated"] == 3


def test_a_warning_is_no_pass_and_an_error_is_neither() -> None:
    got = imported(_suite(_check("PASS", "WARN", "ERROR")))
    (run,) = got.only["content"]["quality"]
    assert (run["successful"], run["not_evaluated"], run["success"]) == (1, 1, False)
    assert "A condition of Mixed Nulls ended in an error" in got.reasons
    model = imported(_suite(_check("PASS", "ERROR", name="Roc Report")), dataset="data@1")
    assert (model.row("pass_rate")["x"], model.row("pass_rate")["n"]) == (1, 1)
    assert "1 of 2 conditions ended in an error" in model.reasons


def test_a_suite_may_hold_both() -> None:
    got = imported(_suite(_check("PASS"), _check("FAIL", name="Roc Report")), dataset="data@1")
    assert {record["kind"] for record in got.records} == {"dataset", "evaluation"}
    assert got.version is None


def test_one_check_is_read_and_no_condition_is_no_result() -> None:
    assert imported(FOLDER / "check.json").only["completeness"] == "complete"
    bare = imported(_suite(_check()))
    assert (bare.only["kind"], bare.only["completeness"]) == ("document", "incomplete")


def test_a_figure_that_is_none_is_no_pass() -> None:
    table = [{"Dataset": "Test", "Metric": "F1", "Value": None, "Number of samples": 3}]
    got = imported(_suite(_check("PASS", name="Train Test Performance") | {"value": table}), dataset="data@1")
    assert got.only["completeness"] == "incomplete"


def test_rows_of_the_data_are_withheld() -> None:
    got = imported(FOLDER / "train_test.json")
    assert "51.96" not in json.dumps(got.only["content"]) + got.summaries
    assert "patient 7" not in json.dumps(imported(_suite(_check("FAIL"))).only["content"])
    assert got.only["attachments"][0]["classification"] == "restricted"


def test_a_cut_file_is_kept_as_unreadable() -> None:
    assert imported((FOLDER / "train_test.json").read_bytes()[:3000]).only["completeness"] == "unreadable"
