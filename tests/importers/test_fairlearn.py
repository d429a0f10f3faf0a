"""Fairlearn: groups with their counts, few cases flagged, none without a name for their attribute."""

import pytest
from support.imports import SAMPLES, imported, tool_of

from compliance.importers import NotSaidError

FOLDER = SAMPLES / "fairlearn"


def test_groups_keep_their_counts() -> None:
    got = imported(FOLDER / "by_group.csv", dataset="data@1")
    assert (got.tool, got.only["title"]) == ("Fairlearn", "Fairlearn: by sex")
    accuracy = got.row("accuracy", sex="F")
    assert (accuracy["x"], accuracy["n"]) == (146, 170)
    assert "x" not in got.row("sensitivity", sex="F"), "how many are positive is not in the file"
    assert "170 cases" in got.row("sensitivity", sex="F")["note"]
    assert got.only["completeness"] == "complete"


def test_a_group_of_two_is_flagged_however_good_it_looks() -> None:
    got = imported(FOLDER / "by_group.csv", dataset="data@1")
    assert got.row("sensitivity", sex="X")["value"] == "1.0"
    assert all(row.get("small") for row in got.rows if row["group"] == {"sex": "X"})
    assert not any(row.get("small") for row in got.rows if row["group"] == {"sex": "F"})


def test_a_combination_without_cases_is_a_gap() -> None:
    got = imported(FOLDER / "by_two.csv", dataset="data@1")
    assert got.only["completeness"] == "incomplete"
    assert "No case is sex X and age >=60" in got.reasons
    assert got.row("accuracy", sex="M", age="<60")["n"] == 60


@pytest.mark.parametrize(
    ("name", "groups"), [("by_group.json", ["sex"]), ("by_group_index.json", ["sex"]), ("by_two.json", ["sex", "age"])]
)
def test_json_without_the_attribute_asks_for_it(name: str, groups: list[str]) -> None:
    with pytest.raises(NotSaidError, match="does not name") as caught:
        imported(FOLDER / name, dataset="data@1")
    assert "--group" in caught.value.remedy
    got = imported(FOLDER / name, dataset="data@1", groups=groups)
    assert all(list(row["group"]) == groups for row in got.rows)
    assert {row["name"] for row in got.rows} >= {"accuracy", "sensitivity"}


def test_json_with_the_attribute_reads_like_the_csv() -> None:
    table = imported(FOLDER / "by_group_table.json", dataset="data@1")
    csv = imported(FOLDER / "by_group.csv", dataset="data@1")
    assert [row["group"] for row in table.rows] == [row["group"] for row in csv.rows]


def test_columns_may_stand_in_any_order() -> None:
    got = imported(b"sex,accuracy_score,count\nF,0.5,20\nM,0.75,20\n", dataset="data@1")
    assert (got.row("accuracy", sex="M")["x"], got.row("accuracy", sex="M")["n"]) == (15, 20)


def test_disparities_have_a_direction() -> None:
    got = imported(FOLDER / "disparities.json", dataset="data@1")
    assert (got.row("demographic_parity_difference")["value"], got.row("demographic_parity_difference")["better"]) == (
        "0.5",
        "lower",
    )
    assert got.row("equalized_odds_ratio")["better"] == "higher"
    nan = imported(b'{"equalized_odds_difference": NaN}', dataset="data@1")
    assert nan.only["completeness"] == "incomplete"


@pytest.mark.parametrize("name", ["overall.json", "difference.csv"])
def test_what_two_results_are_saved_alike_is_not_guessed(name: str) -> None:
    with pytest.raises(NotSaidError, match="nobody can tell"):
        imported(FOLDER / name, dataset="data@1")


def test_a_cut_file_is_incomplete_and_tables_without_count_are_left_alone() -> None:
    whole = (FOLDER / "by_group.csv").read_bytes()
    assert "cut off" in imported(whole[:-30], dataset="data@1").reasons
    assert tool_of(b"sex,accuracy_score\nF,0.8\nM,0.9\n") is None
    assert tool_of(b"word,count\na,3\n") is None
