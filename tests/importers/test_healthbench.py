"""HealthBench: what was run is not in the file; scores are computed again from the rubric items."""

import json
from typing import Any

import pytest
from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "healthbench"
METRICS = json.loads((FOLDER / "healthbench.json").read_text())
ALL = json.loads((FOLDER / "healthbench_allresults.json").read_text())


def _sized(n: int) -> bytes:
    return json.dumps({name: n if name.endswith(":n_samples") else value for name, value in METRICS.items()}).encode()


def test_scores_by_axis_and_theme() -> None:
    got = imported(FOLDER / "healthbench.json")
    assert got.tool == "HealthBench"
    overall = got.row("rubric_score")
    assert (overall["value"], overall["n"], overall["better"]) == ("0.316666666666667", 4, "higher")
    assert "standard_error" in overall
    assert got.row("rubric_score", tag="theme: hedging")["n"] == 2
    assert not [row for row in got.rows if row.get("group") == {"tag": "axis: accuracy"}]
    assert any("take points away" in limit for limit in got.only["content"]["limits"])


def test_a_part_of_a_set_is_incomplete() -> None:
    got = imported(FOLDER / "healthbench.json")
    assert got.only["completeness"] == "incomplete"
    assert "4 examples were run, which is no whole set" in got.reasons


@pytest.mark.parametrize("n", [5000, 3671, 3670, 1000, 10000])
def test_as_many_examples_as_a_set_has_are_whole(n: int) -> None:
    assert imported(_sized(n)).only["completeness"] == "complete"


def test_which_set_was_run_is_not_guessed() -> None:
    content = imported(_sized(1000)).only["content"]
    assert content["benchmark"]["name"] == "HealthBench"
    assert any("Which set was run the file does not say" in limit for limit in content["limits"])


def test_no_count_is_incomplete() -> None:
    data = {name: value for name, value in METRICS.items() if not name.endswith(":n_samples")}
    assert "does not say how many" in imported(json.dumps(data).encode()).reasons


def test_model_grader_version_and_date_are_recorded_as_unknown() -> None:
    got = imported(FOLDER / "healthbench.json")
    assert got.only["content"]["tool_version"] == "unknown"
    assert "its version and when it ran" in got.summaries
    assert "does not name the tested model" in got.only["content"]["tested_model_statement"]
    assert any("grader" in limit for limit in got.only["content"]["limits"])


def test_conversations_are_withheld() -> None:
    got = imported(FOLDER / "healthbench_allresults.json")
    assert got.rows == imported(FOLDER / "healthbench.json").rows
    assert "Invented" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"


def _changed(change: Any) -> str:
    data = json.loads(json.dumps(ALL))
    change(data)
    return imported(json.dumps(data).encode()).reasons


def test_a_score_that_the_items_do_not_give_is_a_gap() -> None:
    assert "stated as 0.9, but the 4 examples give 0.316667" in _changed(
        lambda data: data["metrics"].update(overall_score=0.9)
    )
    assert "give" not in _changed(lambda data: None)


def test_dropped_examples_and_missing_grades_are_gaps() -> None:
    assert "counts 4 examples and holds 3" in _changed(lambda data: data["metadata"]["example_level_metadata"].pop())
    examples = "example_level_metadata"
    assert "without a grade" in _changed(
        lambda data: data["metadata"][examples][0]["rubric_items"][0].pop("criteria_met")
    )


def test_a_score_that_is_no_number_is_no_pass() -> None:
    got = imported(json.dumps(METRICS | {"overall_score": float("nan")}).encode())
    assert got.row("rubric_score").get("value") is None
    assert "has no figure" in got.reasons


def test_a_cut_file_is_kept_as_unreadable_and_others_are_left_alone() -> None:
    assert imported((FOLDER / "healthbench_allresults.json").read_bytes()[:4000]).only["completeness"] == "unreadable"
    assert tool_of(b'{"overall_score": 1}') is None
