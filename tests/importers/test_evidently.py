"""Evidently: performance and drift are two records, a warning or an error is no pass, old reports are read."""

import json
from typing import Any

import pytest
from support.imports import SAMPLES, Imported, imported, tool_of

FOLDER = SAMPLES / "evidently"
REPORT = json.loads((FOLDER / "report.json").read_text())


def _kind(got: Imported, kind: str) -> dict[str, Any]:
    (record,) = [record for record in got.records if record["kind"] == kind]
    return record


def _with_status(status: str) -> Imported:
    data = json.loads(json.dumps(REPORT))
    for test in data["tests"]:
        test["status"] = status
    return imported(json.dumps(data).encode(), dataset="data@1")


def test_performance_is_an_evaluation_and_the_data_an_observation() -> None:
    got = imported(FOLDER / "report.json", dataset="data@1")
    model, data = _kind(got, "evaluation"), _kind(got, "monitoring")
    assert {row["name"] for row in model["content"]["metrics"]} == {"accuracy", "recall", "pass_rate"}
    assert got.row("recall", label="1")["value"] == "0.831325301204819"
    assert (data["content"]["type"], data["content"]["cases"]) == ("observation", 150)
    assert (got.row("missing_rate", column="score")["x"], got.row("missing_rate", column="score")["n"]) == (4, 150)
    assert "Not met: Column 'score' missing values" in data["content"]["conclusion"]
    assert "MeanValue" in data["summary"], "what was not taken over is named"


def test_a_p_value_reads_the_other_way_round_than_a_distance() -> None:
    got = imported(FOLDER / "report.json", dataset="data@1")
    assert got.row("drift_p_value", column="score", method="K-S p_value")["better"] == "higher"
    changed = (FOLDER / "report.json").read_text().replace("K-S p_value", "Wasserstein distance (normed)")
    far = imported(changed.encode(), dataset="data@1")
    assert far.row("drift_distance", column="score", method="Wasserstein distance (normed)")["better"] == "lower"


def test_a_warning_is_no_pass() -> None:
    got = _with_status("WARNING")
    assert [row["x"] for row in got.rows if row["name"] == "pass_rate"] == [0, 0]
    assert all(record["completeness"] == "complete" for record in got.records)


@pytest.mark.parametrize("status", ["ERROR", "SKIPPED"])
def test_an_error_or_a_skipped_test_makes_it_incomplete(status: str) -> None:
    got = _with_status(status)
    assert {record["completeness"] for record in got.records} == {"incomplete"}
    assert not [row for row in got.rows if row["name"] == "pass_rate"]


@pytest.mark.parametrize("edit", ["left out", "called met"])
def test_a_suite_whose_failure_was_edited_away_contradicts_its_summary(edit: str) -> None:
    suite = json.loads((FOLDER / "suite_0_4.json").read_bytes())
    if edit == "left out":
        suite["tests"] = [test for test in suite["tests"] if test["status"] == "SUCCESS"]
    else:
        suite["tests"] = [{**test, "status": "SUCCESS"} for test in suite["tests"]]
    got = imported(json.dumps(suite).encode(), dataset="data@1")
    assert {record["completeness"] for record in got.records} == {"incomplete"}
    assert "The summary counts" in got.reasons


def test_a_figure_that_is_none_or_nan_is_no_pass() -> None:
    for value in ("null", "NaN"):
        text = json.dumps(REPORT).replace('"value": 0.84', f'"value": {value}')
        assert "accuracy has no figure" in imported(text.encode(), dataset="data@1").reasons.lower()


def test_a_preset_and_a_metric_beside_it_are_one_figure() -> None:
    data = json.loads(json.dumps(REPORT))
    twice = next(metric for metric in data["metrics"] if "Accuracy" in metric["metric_name"])
    data["metrics"].append({**twice, "config": {k: v for k, v in twice["config"].items() if k != "tests"}})
    got = imported(json.dumps(data).encode(), dataset="data@1")
    assert _kind(got, "evaluation")["completeness"] == "complete"


def test_a_single_persons_value_does_not_stand_in_the_name_of_a_test() -> None:
    data = json.loads((FOLDER / "report.json").read_text())
    for about, name in (("MinValue", "Minimal value of 'age': Equal 23.5"), ("RowCount", "Row count: Equal 300")):
        config = {"params": {"type": f"evidently:metric_v2:{about}"}}
        data["tests"].append({"name": name, "status": "FAIL", "metric_config": config})
    told = _kind(imported(json.dumps(data).encode(), dataset="data@1"), "monitoring")["content"]["conclusion"]
    assert "Not met: Minimal value of 'age'. Not met: Row count: Equal 300." in told


def test_a_snapshot_reads_like_a_report() -> None:
    got = imported(FOLDER / "snapshot.json", dataset="data@1")
    assert got.row("accuracy")["value"] == "0.85"
    assert _kind(got, "evaluation")["content"]["remarks"] == ["Not met: Accuracy metric: Greater or Equal 0.990."]
    assert _kind(got, "monitoring")["content"]["cases"] == 300
    assert "whose time zone is not stated" in got.summaries


def test_reports_of_versions_before_0_6_are_read() -> None:
    got = imported(FOLDER / "report_0_4.json", dataset="data@1")
    assert got.version == "0.4.40"
    assert got.row("accuracy", part="current")["value"] == "0.84"
    assert got.row("accuracy", part="reference")["value"] == "0.86"
    assert (got.row("drifted_columns")["x"], got.row("drifted_columns")["n"]) == (0, 3)
    assert got.row("drift_p_value", column="score", method="K-S p_value")["value"] == "0.894320538296637"
    suite = imported(FOLDER / "suite_0_4.json", dataset="data@1")
    assert _kind(suite, "evaluation")["content"]["remarks"] == ["Not met: Accuracy Score."]


def test_when_and_on_what_it_ran_are_unknown_and_distributions_withheld() -> None:
    got = imported(FOLDER / "report_0_4.json", dataset="data@1")
    assert "small_distribution" not in json.dumps([record["content"] for record in got.records])
    assert got.records[0]["attachments"][0]["classification"] == "restricted"
    assert "its version and when it ran" in imported(FOLDER / "report.json", dataset="data@1").summaries


def test_other_reports_are_left_alone_and_a_cut_one_is_unreadable() -> None:
    assert tool_of(b'{"metrics": [{"name": "a", "value": 1}]}') is None
    cut = (FOLDER / "report.json").read_bytes()[:2000]
    assert imported(cut).only["completeness"] == "unreadable"
