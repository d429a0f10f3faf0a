"""Records that do not agree are told, and records that do are left alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Json, Record, sha, subject

from compliance.core import figures, statistics
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
    {"ci_method": "credible"}, {"ci_method": "delong", "x": None}, {"name": "roc_auc", "x": None},
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


def declared(**figure: Any) -> list[str]:
    """Return what is noted of a figure beside a result on test data (0.9) and one on training data (0.97)."""
    records = clean()
    trained = json.loads(json.dumps(records["result"].content))
    trained["dataset"] = {"name": "train@1", "sha256": sha("train"), "role": "train"}
    trained["metrics"] = [{**trained["metrics"][0], "value": "0.97"}]
    records["trained"] = Record("evaluation", records["result"].subject, trained)
    content = {"document_type": "model-card", "figures": [{"name": "sensitivity", **figure}]}
    records["paper"] = Record("document", subject("paper@1", sha("paper")), content)
    return [note.text for note in noted("declared figure", records)]


def test_a_figure_of_training_data_says_so_or_is_told() -> None:
    assert declared(value="0.9") == []
    assert declared(value="0.97") == [
        "EV-000008 declares sensitivity (overall) 0.97; on record is 0.9 (0.85 to 0.99) in EV-000005."
    ]
    train = {"name": "train@1", "sha256": sha("train"), "role": "train"}
    assert declared(value="0.97", dataset=train) == []


def test_a_figure_that_nothing_on_record_states_is_told() -> None:
    assert declared(value="0.95", group={"sex": "X"}) == [
        "EV-000008 declares sensitivity (sex X) 0.95, which no result or dataset here states."
    ]


def test_what_was_erased_is_told_for_good() -> None:
    erasure = {"evidence": {"name": "EV-000005", "sha256": sha("gone")}, "reason": "Asked for.", "erasure": True}
    records = clean()
    records["erasure"] = Record("revocation", subject("EV-000005", sha("gone")), {**erasure, "legal_basis": "A law."})
    records["again"] = Record("revocation", subject("EV", sha("erasure")), {"reason": "No."}, "approver")
    assert [note.text for note in noted("erased", records)] == [
        "EV-000005 was erased by EV-000007 (A law): what it said cannot be weighed any more."
    ]


@pytest.mark.parametrize(
    ("rows", "told"), [(400, []), (399, ["EV-000005 counts 400 cases; EV-000007, its dataset, has 399 rows."])]
)
def test_more_cases_than_the_dataset_has_rows_are_told(rows: int, told: list[str]) -> None:
    records = clean()
    records["data"] = Record("dataset", subject("held-out@1", sha("held-out"), "file"), {"role": "test", "rows": rows})
    assert [note.text for note in noted("more cases than data", records)] == told


@pytest.mark.parametrize(("mine", "other", "notes"), [("0.5", "0.50", 1), ("0.5", "0.4", 0), (None, "0.4", 0)])
def test_figures_at_two_thresholds_are_two_claims(mine: str | None, other: str, notes: int) -> None:
    records = clean()
    twin = json.loads(json.dumps(records["result"].content))
    twin["metrics"][0] |= {"value": "0.84", "threshold": other}
    records["twin"] = Record("evaluation", records["result"].subject, twin)
    if mine:
        records["result"].content["threshold"] = mine
    assert len(noted("contradiction", records)) == notes


@pytest.mark.parametrize(
    ("exact", "printed", "agrees"),
    [
        ("0.51", "1", False),
        ("0.4", "0", False),
        ("1.0", "1", True),
        ("0.951", "0.95", True),
        ("12.4", "12", True),
    ],
)
def test_a_share_is_rounded_to_neither_nothing_nor_all(exact: str, printed: str, agrees: bool) -> None:
    assert figures.rounds_to(exact, printed) == agrees


def test_a_profile_that_changed_after_the_version_was_logged_is_told() -> None:
    def described(number: int, **profile: Any) -> Record:
        content = {"system": {"catalogs": ["law"]}, "profile": {"roles": ["provider"], **profile}}
        return Record("system-description", subject(f"s@{number}", sha(f"s{number}")), content)

    rest = clean()
    records = {"genesis": rest.pop("genesis"), "first": described(1, markets=["EU", "US"]), **rest}
    assert noted("scope", records) == []
    records["second"] = described(2, markets=["EU", "US"], intended_purpose="In other words.")
    assert noted("scope", records) == []
    records["third"] = described(3, markets=["EU"], features=[])
    assert [note.text for note in noted("scope", records)] == [
        "EV-000009 changed what applies since this version was logged: features, markets; before, EV-000001."
    ]
