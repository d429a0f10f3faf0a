"""Holistic AI: the reference is the ideal value; differences have a direction only with it."""

import pytest
from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "holisticai"


def test_a_difference_comes_near_to_its_reference() -> None:
    got = imported(FOLDER / "bias.csv", dataset="data@1")
    parity, impact = got.row("statistical_parity"), got.row("disparate_impact")
    assert (parity["unit"], parity["better"], parity["ideal"]) == ("difference", "target", "0")
    assert (impact["unit"], impact["better"], impact["ideal"]) == ("ratio", "target", "1")
    assert got.only["completeness"] == "complete"
    assert "groups" in got.only["content"]["limits"][0]


def test_metrics_that_are_known_keep_their_direction() -> None:
    got = imported(FOLDER / "efficacy.csv", dataset="data@1")
    assert {row["name"] for row in got.rows} == {
        "accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "log_loss",
    }  # fmt: skip
    assert got.row("log_loss")["value"] == "5.40654800836757"


@pytest.mark.parametrize("value", ["", "nan", "inf"])
def test_no_figure_is_never_a_pass(value: str) -> None:
    got = imported(f"Metric,Value,Reference\nDisparate Impact,{value},1\n".encode(), dataset="data@1")
    assert got.only["completeness"] == "incomplete"
    assert got.row("disparate_impact").get("value") is None


def test_a_cut_file_is_incomplete() -> None:
    whole = (FOLDER / "bias.csv").read_bytes()
    assert "cut off" in imported(whole[: whole.rindex(b"Average")] + b"Average Odds", dataset="data@1").reasons


def test_several_value_columns_are_groups() -> None:
    got = imported(b"Metric,A,B,Reference\nAccuracy,0.9,0.8,1\n", dataset="data@1")
    assert got.row("accuracy", column="B")["value"] == "0.8"


def test_other_tables_are_left_alone() -> None:
    assert tool_of(b"Metric,Reference\nAccuracy,1\n") is None
    assert tool_of(b"Metric,Value,Reference\nAccuracy,0.9,guide\n") is None
