"""Giskard: an empty detector and a test without a value are no pass."""

import json

import pytest
from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "giskard"


def test_a_detector_without_an_issue_is_no_pass() -> None:
    got = imported(FOLDER / "scan.json")
    bias = next(record for record in got.records if record["content"].get("category") == "bias")
    assert bias["completeness"] == "incomplete"
    assert "EthicalBiasDetector" in bias["reason"]
    assert "PerformanceBiasDetector" not in bias["reason"]
    row = got.row("issues", detector="PerformanceBiasDetector", level="major")
    assert (row["value"], row["unit"], row["better"]) == ("2", "count", "lower")
    assert not [row for row in got.rows if row["group"]["detector"] == "EthicalBiasDetector"]
    assert "18.69%" in " ".join(bias["content"]["remarks"])


def test_a_scan_that_found_nothing_has_no_result_at_all() -> None:
    got = imported(json.dumps({"DataLeakageDetector": {}, "LLMPromptInjectionDetector": {}}).encode())
    assert {(one["kind"], one["completeness"]) for one in got.records} == {("document", "incomplete")}


def test_what_the_file_does_not_say_is_recorded_as_unknown() -> None:
    got = imported(FOLDER / "scan.json")
    assert got.version is None
    assert all(one["content"]["tool_version"] == "unknown" for one in got.records if one["kind"] == "safety-result")
    assert "does not name the tested model" in got.records[0]["content"]["tested_model_statement"]


def test_a_suite_counts_its_tests_and_names_what_failed() -> None:
    got = imported(FOLDER / "suite_result.json", dataset="data@1")
    assert (got.row("pass_rate")["x"], got.row("pass_rate")["n"]) == (1, 6)
    assert got.row("accuracy")["value"] == "0.586666666666667"
    assert got.row("recall", slice='`sex` == "M"')["value"] == "0.575757575757576"
    assert "Underconfidence" in got.summaries, "nothing says which way an underconfidence rate is better"
    assert any("Accuracy" in remark for remark in got.only["content"]["remarks"])
    assert got.only["completeness"] == "complete"


@pytest.mark.parametrize("value", ["null", "NaN"])
def test_a_test_without_a_value_is_neither_failed_nor_passed(value: str) -> None:
    text = '{"F1": {"result": "Passed", "metric_value": 0.9}, "Accuracy": {"result": "Passed", "metric_value": %s}}'
    got = imported((text % value).encode(), dataset="data@1")
    assert (got.row("pass_rate")["x"], got.row("pass_rate")["n"]) == (1, 1)
    assert "1 of 2 tests have no value" in got.reasons


def test_other_mappings_are_not_taken_for_a_scan() -> None:
    assert tool_of(b"{}") is None
    assert tool_of(b'{"Detector": "smoke"}') is None
    assert tool_of(b'{"a": {"result": "ok", "metric_value": 1}}') is None


def test_a_cut_scan_is_kept_as_unreadable() -> None:
    assert imported(FOLDER.joinpath("suite_result.json").read_bytes()[:300]).only["completeness"] == "unreadable"
