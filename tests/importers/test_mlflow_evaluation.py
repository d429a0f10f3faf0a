"""MLflow's saved evaluations: shares counted from the confusion table, spreads left out, nothing opened."""

import json
from typing import Any

import pytest
from support.imports import SAMPLES, Imported, imported, tool_of

FOLDER = SAMPLES / "mlflow"
FILES = {name: (FOLDER / name).read_bytes() for name in ("metrics.json", "artifacts_metadata.json")}
METRICS = json.loads(FILES["metrics.json"])


def _with(**changes: Any) -> Imported:
    return imported(json.dumps(METRICS | changes).encode(), dataset="data@1")


def test_shares_are_counted_from_the_confusion_table() -> None:
    got = imported(FILES, dataset="data@1")
    assert (got.tool, got.only["kind"], got.only["completeness"]) == ("MLflow", "evaluation", "complete")
    assert (got.row("accuracy")["x"], got.row("accuracy")["n"]) == (255, 300)
    assert (got.row("recall")["x"], got.row("recall")["n"]) == (134, 161)
    assert got.row("f1")["value"] == "0.856230031948882"
    assert got.only["content"]["confusion"] == [{"tp": 134, "fp": 18, "tn": 121, "fn": 27}]
    assert [one["name"] for one in got.only["attachments"]] == ["metrics.json", "artifacts_metadata.json"]


def test_the_metrics_alone_read_alike() -> None:
    assert imported(FILES["metrics.json"], dataset="data@1").rows == imported(FILES, dataset="data@1").rows


def test_what_the_table_contradicts_is_a_gap() -> None:
    assert (
        "accuracy_score is stated as 0.95, but the confusion table gives 255 of 300"
        in _with(accuracy_score=0.95).reasons
    )
    assert "holds 300 of 310 examples" in _with(example_count=310).reasons


def test_a_figure_that_is_no_number_is_no_pass() -> None:
    got = _with(f1_score=float("nan"))
    assert got.only["completeness"] == "incomplete"
    assert got.row("f1").get("value") is None


def test_judges_metrics_lose_their_suffix_and_spreads_are_left_out() -> None:
    got = imported(
        b'{"example_count": 9, "exact_match/v1": 0.5, "toxicity/v1/mean": 0.1, "toxicity/v1/p90": 0.4}',
        dataset="data@1",
    )
    assert got.row("exact_match")["value"] == "0.5"
    assert (got.row("toxicity")["value"], got.row("toxicity")["better"]) == ("0.1", "lower")


def test_a_regression_has_directions_and_what_is_of_the_data_is_no_figure() -> None:
    told = b'{"example_count": 9, "mean_squared_error": 4.0, "r2_score": 0.5, "mean_on_target": 3.0, "max_error": 7.5}'
    got = imported(told, dataset="data@1")
    assert got.row("mse")["better"] == "lower"
    assert {row["name"] for row in got.rows} == {"mse", "r2"}
    assert "max_error" in got.summaries


def test_no_figure_at_all_is_no_result_and_the_rest_is_unknown() -> None:
    assert imported(b'{"example_count": 9, "odd": 1}').only["kind"] == "document"
    got = imported(FILES, dataset="data@1")
    assert got.only["content"]["tool_version"] == "unknown"
    assert "does not name the tested model" in got.only["content"]["tested_model_statement"]


@pytest.mark.parametrize("data", [b'{"example_count": 9}', b'{"example_count": 9, "a": []}', b'{"accuracy_score": 1}'])
def test_other_mappings_are_left_alone(data: bytes) -> None:
    assert tool_of(data) is None
