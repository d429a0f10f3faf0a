"""What might make a finding look better than the record: revoking, replacing, carrying over. None of it goes unseen."""

import json
from typing import Any

import pytest
from support.cases import Json, Record, key_event, sha, subject

from compliance.core.findings import Finding, Rule, Verdict

from .test_assessment import (
    MODEL,
    ROW,
    approval,
    assessed,
    carried,
    clean,
    data_in_two_roles,
    determination,
    finding,
    misses,
    other_bytes,
    row,
)


def revocation(of: str, reason: str = "drawn up wrongly", at: str = "2026-11-20T09:00:00Z") -> Record:
    return Record("revocation", subject("EV", sha(of)), {"reason": reason}, "approver", at=at)


def superseding(record: Record, of: str) -> Record:
    record.predicate = {"supersedes": {"name": "EV", "sha256": sha(of), "reason": "a better one"}}
    return record


def again(records: dict[str, Record]) -> Record:
    return Record("evaluation", records["result"].subject, json.loads(json.dumps(clean()["result"].content)))


def rule_of(records: dict[str, Record], **options: Any) -> tuple[str, Rule]:
    found = finding(records, **options)
    return found.finding.value, found.rule


# --- plans --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("differs", "told"), [("sensitivity", ("insufficient", Rule.NOT_BORNE_OUT)), ("brier", None)])
def test_a_claim_that_its_own_predictions_refute_shows_nothing(differs: str, told: tuple[str, Rule] | None) -> None:
    records = clean()
    records["result"].content["recomputation"] = {
        "agree": 3,
        "differ": [{"name": differs, "what": "0.9 is claimed, but it is 0.812500"}],
    }
    assert rule_of(records) == (told or rule_of(clean()))
    if told:
        assert "do not bear out its sensitivity (overall): 0.9 is claimed" in finding(records).reason


def test_a_claim_that_its_own_predictions_refute_can_still_fail() -> None:
    records = clean()
    misses(records)
    records["result"].content["recomputation"] = {"agree": 0, "differ": [{"name": "sensitivity", "what": "x"}]}
    assert rule_of(records) == ("failed", Rule.CRITERION_MISSED)


def test_a_missed_criterion_does_not_vanish_with_its_plan() -> None:
    records = clean()
    misses(records)
    records["gone"] = revocation("plan")
    found = finding(records)
    assert (found.finding, found.rule) == (Verdict.FAILED, Rule.CRITERION_MISSED)
    assert "Plan EV-000004 was put aside by EV-000007 afterwards; it stays what was declared." in found.reason


def test_passing_a_plan_that_was_revoked_shows_nothing() -> None:
    assert rule_of({**clean(), "gone": revocation("plan")}) == ("insufficient", Rule.PLAN_WITHDRAWN)


@pytest.mark.parametrize("how", ["revoked", "superseded"])
def test_a_plan_withdrawn_before_the_result_declares_nothing(how: str) -> None:
    records = clean()
    plan = records["plan"]
    lax = Record("acceptance-plan", subject("plan@2", sha("plan 2")), plan.content, at="2026-11-20T05:00:00Z")
    gone = revocation("plan", at="2026-11-20T05:00:00Z") if how == "revoked" else superseding(lax, "plan")
    order = {name: records[name] for name in ("genesis", "approver", "reviewer", "model", "plan")}
    rest = {name: record for name, record in records.items() if name not in order}
    assert rule_of({**order, "gone": gone, **rest}) == ("insufficient", Rule.NO_PLAN)


# --- superseding --------------------------------------------------------------------------------------


def test_a_result_of_another_version_supersedes_no_failure() -> None:
    records = clean()
    misses(records)
    records["other"] = superseding(again(records), "result")
    records["other"].subject = subject("clinical-risk@1", sha("model 1"), "folder")
    assert rule_of(records) == ("failed", Rule.CRITERION_MISSED)


def test_a_result_on_other_data_supersedes_no_failure_and_a_corrected_cut_of_the_data_does() -> None:
    records = clean()
    misses(records)
    records["other"] = superseding(again(records), "result")
    records["approved"] = approval("other")
    records["other"].content["dataset"] = {"name": "easy@1", "sha256": sha("easy"), "role": "test"}
    assert rule_of(records) == ("failed", Rule.CRITERION_MISSED)
    records["other"].content["dataset"] = {"name": "held-out@2", "sha256": sha("recut"), "role": "test"}
    assert rule_of(records) == ("met", Rule.ALL_SHOWN)


def test_a_failure_that_was_revoked_is_told() -> None:
    records = clean()
    misses(records)
    records["gone"] = revocation("result", "the wrong file")
    assessment = assessed(records)
    assert assessment.findings[0].finding is Verdict.GAP
    told = [note for note in assessment.notes if note.topic == "revoked failure"]
    assert [note.text for note in told] == [
        "EV-000005 missed its criterion and was revoked by EV-000007: the wrong file."
    ]


def before_the_failure(records: dict[str, Record]) -> dict[str, Record]:
    """Return the record with a good result, approved, before the one that misses."""
    good, signed = again(records), approval("good")
    good.at, signed.at = "2026-11-20T05:40:00Z", "2026-11-20T05:50:00Z"
    misses(records)
    at = {name: place for place, name in enumerate(records)}
    return {
        **{name: record for name, record in records.items() if at[name] < at["result"]},
        "good": good,
        "signed": signed,
        **{name: record for name, record in records.items() if at[name] >= at["result"]},
    }


def nothing(records: dict[str, Record]) -> Record:
    """Return a record in place of a failure that says nothing of the metric."""
    empty = again(records)
    empty.content["metrics"] = [{"name": "specificity", "n": 40, "value": "0.9"}]
    return superseding(empty, "result")


@pytest.mark.parametrize("how", ["revoked", "superseded by nothing"])
def test_an_earlier_good_result_does_not_stand_in_for_a_failure_that_was_taken_back(how: str) -> None:
    records = before_the_failure(clean())
    assert rule_of(records) == ("failed", Rule.CRITERION_MISSED)
    records["gone"] = revocation("result", "not our best day") if how == "revoked" else nothing(records)
    found = finding(records)
    assert (found.finding, found.rule) == (Verdict.INSUFFICIENT, Rule.WITHDRAWN)
    assert "EV-000007 missed its criterion and was put aside by EV-000009" in found.reason
    records["elsewhere"], records["signed too"] = again(records), approval("elsewhere")
    records["elsewhere"].content["dataset"] = {"name": "easy@1", "sha256": sha("easy"), "role": "test"}
    assert finding(records).rule is Rule.WITHDRAWN
    records["anew"], records["signed anew"] = again(records), approval("anew")
    assert finding(records).finding is Verdict.MET
    del records["signed anew"]
    assert finding(records).rule is Rule.WITHDRAWN


# --- carrying over ------------------------------------------------------------------------------------


def test_carrying_over_takes_a_planned_change() -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    assert finding(records).finding is Verdict.MET
    del records["carried"].content["based_on"]
    found = finding(records)
    assert (found.finding, found.rule) == (Verdict.STALE, Rule.OTHER_VERSION)
    assert "EV-000009 carries evidence over without the planned change that allows it (--based-on)." in found.reason


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"type": "plan", "planned_changes": [{"id": "retrain"}]}, True),
        ({"type": "plan"}, False),
        ({"type": "change", "planned_change": "retrain"}, False),
        ({"type": "patch"}, False),
    ],
)
def test_only_a_plan_of_changes_allows_it(change: Json, allowed: bool) -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    records["changes"].content = change
    assert (finding(records).finding is Verdict.MET) == allowed


def test_a_change_within_a_plan_allows_it_and_one_outside_does_not() -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    last = records.pop("carried")
    within = {
        "type": "change",
        "plan": {"name": "changes@1", "sha256": sha("the changes")},
        "planned_change": "retrain",
    }
    records["within"] = Record("change", subject("within@1", sha("within 1")), within)
    last.content["based_on"] = [{"name": "EV-000009", "sha256": sha("within")}]
    records["carried"] = last
    assert finding(records).finding is Verdict.MET
    within["planned_change"] = "rewrite"
    assert finding(records).finding is Verdict.STALE


def test_a_revoked_plan_of_changes_allows_nothing() -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    assert finding({**records, "gone": revocation("changes")}).finding is Verdict.STALE


@pytest.mark.parametrize("whose", ["another-model@1", "clinical-risk@3", "clinical-risk@0"])
def test_only_an_earlier_version_of_the_same_model_lends_its_evidence(whose: str) -> None:
    """Version 3 is on record after version 2; version 0 is not on record at all."""
    records = clean()
    records["result"].subject = subject(whose, sha(whose), "folder")
    carried(records)
    if whose != "clinical-risk@0":
        version = Record("model-version", subject(whose, sha(whose), "folder"), {})
        records = {**records, "its": version} if "3" in whose else _second(records, version)
    assert finding(records).finding is not Verdict.MET


def _second(records: dict[str, Record], record: Record) -> dict[str, Record]:
    rest = dict(records)
    return {"genesis": rest.pop("genesis"), "its": record, **rest}


# --- what a result rests on ---------------------------------------------------------------------------


def test_nothing_is_met_for_a_model_version_whose_record_was_revoked() -> None:
    records = {**clean(), "gone": revocation("model")}
    found = finding(records)
    assert (found.finding, found.rule) == (Verdict.INSUFFICIENT, Rule.WITHDRAWN)
    assert (
        found.missing == "EV-000003, the record of clinical-risk@2, was put aside by EV-000007: nothing is met for it."
    )
    records["back"] = Record(
        "model-version", subject(MODEL.name, MODEL.sha256, "folder"), {}, at="2026-11-20T10:00:00Z"
    )
    assert finding(records).finding is Verdict.MET


def data(role: str = "test", **content: Any) -> Record:
    return Record("dataset", subject("held-out@1", sha("held-out"), "file"), {"role": role, **content})


def test_a_result_on_withdrawn_data_cannot_carry_the_claim() -> None:
    records = {**clean(), "data": data()}
    assert finding(records).finding is Verdict.MET
    assert rule_of({**records, "gone": revocation("data")}) == ("insufficient", Rule.WITHDRAWN)


def test_a_role_that_was_changed_later_takes_the_met_away() -> None:
    records = {**clean(), "data": data()}
    records["changed"] = superseding(data("train", at=1), "data")
    assert rule_of(records) == ("insufficient", Rule.WRONG_ROLE)


def test_withdrawn_records_of_data_give_them_no_role() -> None:
    records = clean()
    data_in_two_roles(records)
    assert rule_of(records) == ("insufficient", Rule.WRONG_ROLE)
    assert finding({**records, "gone": revocation("train")}).finding is Verdict.MET


def test_data_of_withdrawn_runs_are_no_longer_what_the_version_was_made_from() -> None:
    used = {"datasets": [{"name": "held-out@1", "sha256": sha("held-out"), "role": "train"}]}
    records = clean()
    records["run"] = Record("training-run", subject(MODEL.name, MODEL.sha256, "folder"), used)
    assert rule_of(records) == ("insufficient", Rule.WRONG_ROLE)
    assert finding({**records, "gone": revocation("run")}).finding is Verdict.MET


# --- what a finding tells -----------------------------------------------------------------------------


def test_a_finding_tells_rule_missing_and_both_sides_in_json() -> None:
    records = clean()
    misses(records)
    told = finding(records).to_dict()
    assert (told["rule"], told["against"], told["next"]) == (
        "criterion-missed",
        ["EV-000005"],
        "compliance show EV-000005",
    )
    assert told["missing"] == ("In EV-000005, sensitivity (overall) ci_low 0.7999 misses >= 0.80 (criterion sens).")
    assert told["needs"][0]["rule"] == "criterion-missed"
    assert finding(clean()).to_dict()["missing"] == ""


def test_small_cells_are_flagged_and_not_hidden() -> None:
    records = clean()
    records["result"].content["metrics"][2]["n"] = 12
    found = finding(records)
    assert found.finding is Verdict.MET
    assert found.flags == ("Small cells in EV-000005, fewer than 30 cases: sensitivity (sex M) n 12.",)
    assert found.to_dict()["flags"] == list(found.flags)


def test_a_criterion_on_the_point_estimate_is_flagged() -> None:
    records = clean()
    records["plan"].content["criteria"][0]["bound"] = "value"
    found = finding(records)
    assert found.finding is Verdict.MET
    assert found.flags == ("Criterion sens is tested on the point estimate, as plan EV-000004 says.",)


@pytest.mark.parametrize(("how", "printed"), [("record", "as stated"), ("capture", "as captured")])
def test_how_the_start_of_a_run_is_known_is_printed(how: str, printed: str) -> None:
    records = clean()
    records["result"].predicate = {"source": {"how": how}}
    assert f"Declared in EV-000004 before the run ({printed})." in finding(records).reason


def test_a_gap_names_the_nearest_evidence_and_what_differs() -> None:
    need = {"id": "robust", "kind": "evaluation", "about": "model-version", "where": {"setting": ["prospective"]}}
    need["metrics"] = {"any_of": ["sensitivity"]}
    records = clean()
    records["result"].content["setting"] = "retrospective"
    found: Finding = finding(records, needs=[need])
    assert (found.finding, found.rule) == (Verdict.GAP, Rule.OTHER_EVIDENCE)
    assert found.reason == (
        "No evaluation evidence about clinical-risk@2 is on record with setting prospective, metric sensitivity; "
        "EV-000005 says retrospective for setting."
    )
    need |= {"where": {"setting": ["retrospective"]}, "metrics": {"any_of": ["roc_auc"]}}
    assert "EV-000005 reports sensitivity." in finding(records, needs=[need]).reason
    need |= {"where": {"setting": ["prospective"]}, "metrics": {"any_of": ["roc_auc"]}}
    assert finding(records, needs=[need]).rule is Rule.NOTHING


def test_each_rule_is_a_word_of_its_own_and_stays() -> None:
    assert {rule.value for rule in Rule} >= {
        "criterion-missed",
        "plan-late",
        "no-approval",
        "wrong-data-role",
        "too-few",
    }
    decided = finding({**clean(), "no": determination("not-met")})
    assert (decided.rule, decided.missing) == (Rule.DETERMINED, "EV-000007 decided: not met.")
    assert finding(clean(), profile={"roles": ["deployer"]}).rule is Rule.PROFILE
    assert finding(clean(), profile={}).rule is Rule.PROFILE_SILENT
    assert finding(clean(), ask="Are these figures suited to the intended purpose?").rule is Rule.QUESTION_OPEN


# --- said otherwise than meant ------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["train", "tune", "test"])
def test_data_that_the_version_itself_says_it_was_trained_on_test_nothing(role: str) -> None:
    records = clean()
    named = {"name": "held-out@1", "sha256": sha("held-out"), "role": role}
    records["model"].content = {"training_data": [{"dataset": named}]}
    assert rule_of(records) == ("insufficient", Rule.WRONG_ROLE)


@pytest.mark.parametrize("other", [{"name": "roc_auc"}, {"threshold": "0.2"}, {"group": {"sex": "f "}}])
def test_one_group_told_twice_is_no_breakdown_by_groups(other: Json) -> None:
    records = clean()
    women = row("sensitivity", "0.8", 90, {"sex": "F"})
    records["result"].content["metrics"] = [row("sensitivity", "0.85"), women, {**women, **other}]
    records["plan"].content["groups"] = [{"sex": "F"}]
    for groups in (["sex"], ["*"]):
        needs = [{**ROW["needs"][0], "groups": groups}]
        assert rule_of(records, needs=needs) == ("insufficient", Rule.GROUP_MISSING)
        assert rule_of(clean(), needs=needs) == ("met", Rule.ALL_SHOWN)


def test_replacing_a_failure_twice_does_not_bring_it_back_and_tells_it_still() -> None:
    records = clean()
    misses(records)
    records["second"] = superseding(again(records), "result")
    records["third"] = superseding(again(records), "second")
    records["approved"] = approval("third")
    assessment = assessed(records)
    assert assessment.findings[0].finding is Verdict.MET
    assert [(note.topic, note.text) for note in assessment.notes] == [
        ("superseded failure", "EV-000005 missed its criterion and was superseded by EV-000007: a better one.")
    ]
    records["gone"] = revocation("second")
    assert rule_of(records) == ("failed", Rule.CRITERION_MISSED)


@pytest.mark.parametrize(
    "holder",
    ["demonstration APPROVER", " Demonstration  approver", "Demonstration\u00a0approver", "Demonstration ａpprover"],
)
def test_a_persons_second_key_under_another_spelling_is_the_same_persons(holder: str) -> None:
    records = clean()
    second = key_event("second", ["recorder"])
    second.content["holder"] = holder
    records["reviewer"] = second
    records["result"].signer = "second"
    assert rule_of(records) == ("insufficient", Rule.NO_APPROVAL)


def test_an_old_measurement_is_no_newer_for_being_logged_late() -> None:
    records = clean()
    records["result"].content["started_at"] = "2025-11-01T00:00:00Z"
    needs = [{**ROW["needs"][0], "criterion": None}]
    assert rule_of(records, needs=needs) == ("stale", Rule.PAST_AGE)
    records["result"].content["ended_at"] = "2025-11-24T00:00:00Z"
    assert rule_of(records, needs=needs) == ("met", Rule.ALL_SHOWN)
