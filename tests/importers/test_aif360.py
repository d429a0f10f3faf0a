"""AIF360: values out of sentences, rates out of counts, contradictions told."""

import json

import pytest
from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "aif360"
EXPLAINED = json.loads((FOLDER / "explained.json").read_text())


def test_rates_come_from_the_counts_beside_the_sentence() -> None:
    got = imported(FOLDER / "explained.json", dataset="data@1")
    assert (got.tool, got.only["kind"]) == ("AIF360", "evaluation")
    assert (got.row("accuracy")["x"], got.row("accuracy")["n"]) == (255, 300)
    assert (got.row("false_discovery_rate")["x"], got.row("false_discovery_rate")["n"]) == (18, 152)
    assert got.row("sensitivity", group="unprivileged")["x"] == 79
    assert got.only["completeness"] == "complete"


def test_other_figures_come_near_to_the_ideal_that_the_file_names() -> None:
    got = imported(FOLDER / "explained.json", dataset="data@1")
    impact = got.row("disparate_impact")
    assert (impact["value"], impact["unit"], impact["better"], impact["ideal"]) == (
        "1.00971659919028", "ratio", "target", "1.0",
    )  # fmt: skip
    assert got.row("statistical_parity_difference")["unit"] == "difference"
    assert got.row("theil_index")["ideal"] == "0"
    assert got.row("consistency")["value"] == "0.53266667", "it stands in brackets"
    assert not [row for row in got.rows if row["name"].startswith("number_of")]


@pytest.mark.parametrize("name", ["disparate_impact.json", "explained.jsonl"])
def test_one_metric_and_lines_are_read(name: str) -> None:
    assert imported(FOLDER / name, dataset="data@1").only["completeness"] == "complete"


def test_a_mapping_by_name_is_read() -> None:
    data = {str(i): one for i, one in enumerate(EXPLAINED)}
    assert imported(json.dumps(data).encode(), dataset="data@1").rows


def test_a_rate_that_its_counts_contradict_is_a_gap() -> None:
    changed = EXPLAINED[0] | {"message": "Classification accuracy (ACC): 0.95"}
    got = imported(json.dumps(changed).encode(), dataset="data@1")
    assert "stated as 0.95, but its counts give 255 of 300" in got.reasons


@pytest.mark.parametrize("value", ["nan", "inf", "None"])
def test_a_sentence_without_a_finite_figure_is_never_a_pass(value: str) -> None:
    changed = EXPLAINED[3] | {"message": f"Disparate impact (…): {value}"}
    got = imported(json.dumps(changed).encode(), dataset="data@1")
    assert got.only["completeness"] == "incomplete"
    assert got.row("disparate_impact").get("value") is None


def test_what_the_file_does_not_say_is_unknown() -> None:
    got = imported(FOLDER / "explained.json", dataset="data@1")
    assert got.only["content"]["tool_version"] == "unknown"
    assert "its version and when it ran" in got.summaries
    assert "privileged" in got.only["content"]["limits"][0]


def test_other_messages_are_left_alone() -> None:
    assert tool_of(b'[{"metric": "a", "message": "b"}]') is None
    assert tool_of(b"{}") is None
