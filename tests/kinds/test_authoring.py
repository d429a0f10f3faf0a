"""Whatever is wrong with a record is told where it stands, in people's words, with the nearest right name."""

from typing import Any

import pytest

from compliance.core.evidence import Basis
from compliance.core.reading import read_records
from compliance.errors import InvalidInput, UnknownReference
from compliance.kinds.authoring import draft

EVALUATION: dict[str, Any] = {
    "kind": "evaluation",
    "title": "t",
    "model": "clinical-risk@2",
    "dataset": "flchain-test@1",
    "metrics": [{"name": "sensitivity", "x": 9, "n": 10}],
}


def refusal(on_record: Any, **changes: Any) -> InvalidInput:
    record = {name: value for name, value in {**EVALUATION, **changes}.items() if value != "LEFT OUT"}
    with pytest.raises(InvalidInput) as caught:
        draft(record, on_record, where="r.yaml:1")
    assert caught.value.remedy
    return caught.value


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no kind": ({"kind": "LEFT OUT"}, "kind is missing"),
    "unknown kind": ({"kind": "evalution"}, "did you mean 'evaluation'?"),
    "kind is no text": ({"kind": ["evaluation"]}, "kind must be text"),
    "unknown field": ({"metrix": 1}, "metrix is no field of evaluation; did you mean metrics?"),
    "unknown nested": (
        {"metrics": [{"name": "ppv", "x": 1, "n": 2, "ci_hihg": "1"}]},
        "metrics[0].ci_hihg is no field here; did you mean ci_high?",
    ),
    "no title": ({"title": "LEFT OUT"}, "title is missing"),
    "no metrics": ({"metrics": "LEFT OUT"}, "metrics is missing"),
    "empty metrics": ({"metrics": []}, "metrics must not be empty"),
    "no model": ({"model": "LEFT OUT"}, "model is missing"),
    "a name of its own": ({"name": "x@1"}, "name does not belong to evaluation"),
    "bad time": ({"started_at": "2026-13-01T00:00:00Z"}, "started_at must be a UTC time"),
    "time without zone": ({"started_at": "2026-11-23 10:00"}, "started_at must be a UTC time"),
    "percent": ({"metrics": [{"name": "sensitivity", "value": "92.5", "n": 10}]}, "write `unit: percent`"),
    "NaN": (
        {"metrics": [{"name": "brier", "value": float("nan"), "n": 10}]},
        "metrics[0].value is not a finite number",
    ),
    "inf": (
        {"metrics": [{"name": "brier", "value": float("inf"), "n": 10}]},
        "metrics[0].value is not a finite number",
    ),
    "nan as text": ({"metrics": [{"name": "brier", "value": "NaN", "n": 10}]}, "metrics[0].value must be a number"),
    "1e999": ({"metrics": [{"name": "brier", "value": "1e999", "n": 10}]}, "metrics[0].value must be a number"),
    "x over n": ({"metrics": [{"name": "ppv", "x": 11, "n": 10}]}, "x is 11, more than n = 10"),
    "n of 0": ({"metrics": [{"name": "ppv", "x": 0, "n": 0}]}, "metrics[0].n"),
    "n is text": ({"metrics": [{"name": "ppv", "x": 0, "n": "ten"}]}, "metrics[0].n must be a whole number"),
    "x without n": ({"metrics": [{"name": "ppv", "x": 1}]}, "n is missing"),
    "false value": ({"metrics": [{"name": "ppv", "x": 2, "n": 3, "value": "0.66"}]}, "2 of 3 is 0.666667"),
    "one bound": ({"metrics": [{"name": "brier", "value": "0.1", "ci_low": "0"}]}, "has one bound"),
    "bounds turned": (
        {"metrics": [{"name": "roc_auc", "value": "0.8", "ci_low": "0.9", "ci_high": "0.7",
          "ci_level": "0.95", "ci_method": "delong"}]},
        "does not lie within",
    ),
    "no level": (
        {"metrics": [{"name": "roc_auc", "value": "0.8", "ci_low": "0.7", "ci_high": "0.9"}]},
        "needs ci_level",
    ),
    "no value": ({"metrics": [{"name": "roc_auc", "n": 5}]}, "neither a value nor counts"),
    "twice": ({"metrics": [{"name": "ppv", "x": 1, "n": 2}, {"name": "ppv", "x": 1, "n": 3}]}, "stands twice"),
    "unknown metric": ({"metrics": [{"name": "sensitivty", "x": 1, "n": 2}]}, "did you mean sensitivity?"),
    "wrong unit": ({"metrics": [{"name": "roc_auc", "value": "0.9", "unit": "s"}]}, "is a score, not a s"),
    "false computed interval": (
        {"metrics": [{"name": "ppv", "x": 1, "n": 2, "value": "0.500000",
          "ci_low": "0.4", "ci_high": "0.6",
          "ci_level": "0.95", "ci_method": "clopper-pearson", "origin": "computed"}]},
        "is called computed",
    ),
    "tested on nothing": ({"dataset": "LEFT OUT"}, "names no dataset, benchmark or population"),
    "reference with another digest": (
        {"dataset": {"name": "flchain-test@1", "sha256": "e" * 64, "role": "test"}},
        "not the one on record",
    ),
    "published without a citation": ({"basis": "published"}, "citation is missing"),
    "unheard-of basis": ({"basis": "guessed"}, "basis must be"),
    "incomplete without a reason": ({"completeness": "incomplete"}, "completeness_reason goes with"),
    "attachment without a path": ({"attachments": [{"name": "x"}]}, "attachments[0] needs a path"),
    "attachment twice": ({"attachments": [{"path": "a/x.csv"}, {"path": "b/x.csv"}]}, "names x.csv twice"),
    "bad classification": ({"data_classification": "secret"}, "data_classification must be"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG)
def test_told_where_and_what(on_record: Any, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(on_record, **changes).problem


UNKNOWN = {
    "model": "nobody@1",
    "dataset": "nothing@1",
    "plan": "none@1",
    "supersedes": {"evidence": "EV-000099", "reason": "r"},
}


@pytest.mark.parametrize("field", UNKNOWN)
def test_what_the_ledger_cannot_resolve_is_refused(on_record: Any, field: str) -> None:
    error = refusal(on_record, **{field: UNKNOWN[field]})
    assert isinstance(error, UnknownReference)
    assert error.problem.startswith(f"r.yaml:1: {field}")


def test_all_problems_are_told_the_first_written_first(on_record: Any) -> None:
    error = refusal(on_record, model="LEFT OUT", metrics=[{"name": "ppv", "x": 3, "n": 2}], started_at="now", metrix=1)
    lines = error.problem.splitlines()
    assert [line.split(": ", 1)[1].split(" ")[0] for line in lines] == ["metrics[0]", "started_at", "metrix"]


def test_a_problem_names_the_line_of_its_field(on_record: Any) -> None:
    text = "kind: evaluation\ntitle: t\nmodel: clinical-risk@2\npopulation: p\nmetrics:\n- {name: ppv, x: 1, n: 2}\n"
    [record] = read_records(text.encode() + b"- {name: npv, x: 3, n: 2}\n", "r.yaml")
    with pytest.raises(InvalidInput, match=r"^r\.yaml:7: metrics\[1\] "):
        draft(record.value, on_record, where=record)


def test_percent_is_shifted_without_losing_a_digit(on_record: Any) -> None:
    rows = [{"name": "attack_success_rate", "x": 50, "n": 50, "value": "100.0", "unit": "percent"}]
    [row] = draft({**EVALUATION, "metrics": rows}, on_record, where="r").content["metrics"]
    assert row == {
        "name": "attack_success_rate", "x": 50, "n": 50, "value": "1.000", "origin": "stated", "ci_low": "0.928878",
        "ci_high": "1.000000", "ci_level": "0.95", "ci_method": "clopper-pearson", "ci_origin": "computed",
    }  # fmt: skip


def test_python_numbers_become_digits(on_record: Any) -> None:
    rows = [
        {
            "name": "brier",
            "n": 10,
            "value": 0.08,
            "ci_low": 1e-7,
            "ci_high": 1,
            "ci_level": 0.95,
            "ci_method": "bootstrap",
        }
    ]
    [row] = draft({**EVALUATION, "metrics": rows}, on_record, where="r").content["metrics"]
    assert (row["value"], row["ci_low"], row["ci_high"], row["ci_level"]) == ("0.08", "0.0000001", "1", "0.95")


MODEL = {"kind": "model-version", "title": "t", "name": "m", "version": 1}


def test_a_model_is_its_bytes_or_its_published_identity(on_record: Any) -> None:
    held = draft({**MODEL, "sha256": "1" * 64, "basis": "folder"}, on_record, where="r")
    assert held.subjects[0].name == "m@1"
    assert held.subjects[0].annotations.basis is Basis.FOLDER
    named = {"name": "deepseek-ai/DeepSeek-R1", "version": "2025-01-20", "revision": "56d4cbbb"}
    published = draft(
        {**MODEL, "identity": named, "basis": "published", "citation": {"title": "Release"}}, on_record, where="r"
    )
    assert published.subjects[0].annotations.basis is Basis.IDENTITY
    assert published.basis == "published"
    with pytest.raises(InvalidInput, match="sha256 is missing"):
        draft(MODEL, on_record, where="r")
    with pytest.raises(InvalidInput, match="leave out sha256"):
        draft({**MODEL, "identity": named, "sha256": "1" * 64}, on_record, where="r")


@pytest.mark.parametrize("name", ["m/x@1", "m@", "-m@1", "m@1@2", "m 1"])
def test_a_name_is_plain(on_record: Any, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"name"):
        draft({"kind": "model-version", "title": "t", "name": name, "sha256": "1" * 64}, on_record, where="r")


def test_acts_are_about_the_records_they_name(on_record: Any) -> None:
    approval = draft(
        {"kind": "approval", "meaning": "approved", "evidence": ["EV-000003", "EV-000004"]}, on_record, where="r"
    )
    assert [(s.name, s.digest.sha256) for s in approval.subjects] == [("EV-000003", "a" * 64), ("EV-000004", "d" * 64)]
    assert approval.title == "Approved: EV-000003, EV-000004"
    revocation = draft({"kind": "revocation", "evidence": "EV-000003", "reason": "wrong file"}, on_record, where="r")
    assert revocation.content == {"evidence": {"name": "EV-000003", "sha256": "a" * 64}, "reason": "wrong file"}
    carried = {
        "kind": "determination",
        "model": "clinical-risk@2",
        "requirements": ["eu-ai-act/art-15.1"],
        "reason": "r",
    }
    assert draft({**carried, "decision": "carried-over", "carry": ["EV-000003"]}, on_record, where="r").content["carry"]
    with pytest.raises(InvalidInput, match="carry"):
        draft({**carried, "decision": "carried-over"}, on_record, where="r")
    with pytest.raises(InvalidInput, match="carry"):
        draft({**carried, "decision": "met", "carry": ["EV-000003"]}, on_record, where="r")


def test_a_content_record_may_also_be_about_a_model(on_record: Any) -> None:
    incident = {
        "kind": "incident",
        "title": "t",
        "name": "leak@1",
        "type": "privacy",
        "description": "d",
        "status": "closed",
    }
    names = [s.name for s in draft({**incident, "model": "clinical-risk@1"}, on_record, where="r").subjects]
    assert names == ["leak@1", "clinical-risk@1"]
    unnamed = draft({key: value for key, value in incident.items() if key != "name"}, on_record, where="r").subjects[0]
    assert unnamed.name == f"incident@{unnamed.digest.sha256[:12]}"
