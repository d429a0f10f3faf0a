"""Records that do not agree are told, and records that do are left alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Json, Record, sha, subject

from compliance.core import statistics
from compliance.core.findings import Note

from .test_assessment import assessed, clean


def noted(topic: str, records: dict[str, Record]) -> list[Note]:
    return [note for note in assessed(records).notes if note.topic == topic]


def stated(**row: Any) -> dict[str, Record]:
    """Return the clean record with one row more, as a source states it."""
    records = clean()
    bounds = {"ci_level": "0.95", "ci_method": "stated-without-method", "origin": "stated"}
    records["result"].content["metrics"].append({"name": "specificity", **bounds, **row})
    return records


def test_one_claim_with_two_values_is_told_and_one_value_twice_is_not() -> None:
    records = clean()
    records["again"] = Record(
        "evaluation", records["result"].subject, json.loads(json.dumps(records["result"].content))
    )
    row = records["again"].content["metrics"][0]
    row["value"] = "0.90"
    assert noted("contradiction", records) == []
    row["value"] = "0.8514"  # 0.9, written to more digits
    assert noted("contradiction", records) == []
    row["value"] = "0.8412"
    (note,) = noted("contradiction", records)
    assert note.evidence == ("EV-000007", "EV-000005")
    assert note.text == (
        "sensitivity (overall) on held-out@1 has several values on record: 0.8412 in EV-000007; 0.9 in EV-000005."
    )


@given(st.integers(1, 300), st.data(), st.sampled_from(["clopper-pearson", "wilson", "wald"]), st.integers(2, 4))
def test_what_a_common_method_gives_is_never_called_impossible(n: int, data: Any, method: Any, places: int) -> None:
    x = data.draw(st.integers(0, n))
    low, high = (min(max(bound, 0.0), 1.0) for bound in statistics.interval(x, n, method))
    row = {"value": f"{x / n:.{places}f}", "ci_low": f"{low:.{places}f}", "ci_high": f"{high:.{places}f}", "n": n}
    assert noted("impossible interval", stated(**row)) == []
    assert noted("impossible interval", stated(**row, x=x)) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"x": 9, "n": 10, "value": "0.9", "ci_low": "0.88", "ci_high": "0.92"}, "9 of 10 does not give 0.9"),
        ({"n": 20, "value": "0.9", "ci_low": "0.88", "ci_high": "0.92"}, "no whole counts up to 20 cases give 0.9"),
    ],
)
def test_an_interval_that_no_counts_give_is_told_with_the_methods_tried(row: Json, told: str) -> None:
    (note,) = noted("impossible interval", stated(**row))
    assert told in note.text
    assert "Clopper-Pearson, Wilson and Wald were tried" in note.text
    assert note.evidence == ("EV-000005",)


OTHERS: list[Json] = [
    {"ci_method": "bootstrap"}, {"ci_method": "delong", "x": None}, {"name": "roc_auc", "x": None},
    {"x": None, "n": None},
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_intervals_that_rest_on_more_than_counts_are_left_alone(other: Json) -> None:
    row = {"x": 9, "n": 10, "value": "0.9", "ci_low": "0.88", "ci_high": "0.92"}
    assert noted("impossible interval", stated(**{**row, **other})) == []


@pytest.mark.parametrize(
    ("type_", "figure", "notes"),
    [
        ("instructions-for-use", {"value": "0.9"}, 0),
        ("instructions-for-use", {"value": "0.95"}, 1),
        ("model-card", {"value": "0.95"}, 1),
        ("declaration", {"value": "0.95"}, 1),
        ("model-card", {"value": "0.95", "group": {"sex": "X"}}, 0),
    ],
)
def test_declared_figures_are_held_against_the_results(type_: str, figure: Json, notes: int) -> None:
    records = clean()
    content = {"document_type": type_, "figures": [{"name": "sensitivity", **figure}]}
    records["paper"] = Record("document", subject("paper@1", sha("paper")), content)
    told = noted("declared figure", records)
    assert len(told) == notes
    if notes:
        assert (
            told[0].text
            == "EV-000007 declares sensitivity (overall) 0.95; on record is 0.9 (0.85 to 0.99) in EV-000005."
        )


def test_figures_of_another_version_are_no_contradiction() -> None:
    records = clean()
    earlier = {"name": "clinical-risk@1", "sha256": sha("model 1")}
    records["earlier"] = Record("model-version", subject("clinical-risk@1", sha("model 1"), "folder"), {})
    content = {"document_type": "model-card", "model": earlier, "figures": [{"name": "sensitivity", "value": "0.95"}]}
    records["paper"] = Record("document", subject("paper@1", sha("paper")), content)
    assert noted("declared figure", records) == []
