"""What might make a finding look better than the record: revoking, replacing, carrying over. None of it goes unseen."""

import json
from typing import Any

import pytest
from support.cases import Json, Record, key_event, ledger, sha, subject

from compliance.core import dossier
from compliance.core.findings import Finding, NeedVerdict, Rule, Verdict

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


@pytest.mark.parametrize("asked", [{"fields": ["limits"]}, {"least": {"limits": 1}}, {"groups": ["site"]}])
def test_a_missed_criterion_is_not_hidden_by_describing_the_result_less(asked: Json) -> None:
    needs, records = [{**ROW["needs"][0], **asked}], clean()
    records["first"] = again(records)
    records["first"].content["metrics"][0]["ci_low"] = "0.7999"
    records["result"].content["limits"] = ["none known"]
    records["result"].content["metrics"] += [row("sensitivity", "0.7", 90, {"site": site}) for site in "AB"]
    assert rule_of(records, needs=needs) == ("failed", Rule.CRITERION_MISSED)


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
    assert (
        "EV-000009 carries evidence over, but the planned change that allows it is missing (--based-on)."
        in found.reason
    )


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
    for flaw in (
        {"planned_change": "rewrite"},
        {"type": "rejected-update"},
        {"to_version": {"name": "clinical-risk@9", "sha256": sha("model 9")}},
        {"conformance": {"listed": True, "by_protocol": False, "open_deviations": 0}},
        {"conformance": {"listed": True, "by_protocol": True, "open_deviations": 1}},
    ):
        records["within"].content = {**within, **flaw}
        assert finding(records).finding is Verdict.STALE


def test_a_plan_of_changes_is_older_than_the_version_that_it_allows() -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    changes, last = records.pop("changes"), records.pop("carried")
    found = finding({**records, "changes": changes, "carried": last})
    assert found.finding is Verdict.STALE
    assert "plan EV-000008 is not older than this version's own record" in found.reason


def test_a_plan_of_changes_of_another_model_allows_nothing() -> None:
    records = clean()
    other_bytes(records)
    carried(records)
    records["changes"].content["model"] = {"name": "another@1", "sha256": sha("another 1")}
    assert finding(records).finding is Verdict.MET  # no model version of that name is on record
    another = Record("model-version", subject("another@1", sha("another 1"), "folder"), {})
    assert "is for another" in finding({**records, "another": another}).reason


def test_a_document_does_not_borrow_a_models_name_to_be_carried_over() -> None:
    needs = [{"id": "manual", "kind": "document", "about": "model-version", "must": {"document_type": ["manual"]}}]
    records = clean()
    carried(records)
    content = {"document_type": "manual", "model": {"name": "another@1", "sha256": sha("another 1")}}
    records["result"] = Record("document", subject("clinical-risk@manual", sha("a manual")), content)
    another = Record("model-version", subject("another@1", sha("another 1"), "folder"), {})
    rest = dict(records)
    assert finding({"genesis": rest.pop("genesis"), "another": another, **rest}, needs=needs).carried == ()
    content["model"] = {"name": "clinical-risk@1", "sha256": sha("model 1")}
    assert finding(records, needs=needs).carried == ("EV-000007",)


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


def test_a_key_that_changed_hands_is_still_the_key_that_wrote_it() -> None:
    records = clean()
    records["result"].signer = "approver"
    last = records.pop("approval")
    handed = key_event("approver", ["approver"])
    handed.content["holder"] = "Somebody else"
    assert rule_of({**records, "handed": handed, "approval": last}) == ("insufficient", Rule.NO_APPROVAL)


def test_an_old_measurement_is_no_newer_for_being_logged_late() -> None:
    records = clean()
    records["result"].content["started_at"] = "2025-11-01T00:00:00Z"
    needs = [{**ROW["needs"][0], "criterion": None}]
    assert rule_of(records, needs=needs) == ("stale", Rule.PAST_AGE)
    records["result"].content["ended_at"] = "2025-11-24T00:00:00Z"
    assert rule_of(records, needs=needs) == ("met", Rule.ALL_SHOWN)


# --- who and what is described ------------------------------------------------------------------------


def test_of_descriptions_of_the_system_only_the_newest_counts_and_nobody_withdraws_it() -> None:
    needs = [{"id": "users", "kind": "system-description", "must": {"description.users": ["clinicians"]}}]
    old = Record("system-description", subject("s@1", sha("s1")), {"description": {"users": "clinicians"}})
    new = Record("system-description", subject("s@2", sha("s2")), {"description": {"users": "anybody"}})
    assert finding({**clean(), "old": old}, needs=needs).finding is Verdict.MET
    assert finding({**clean(), "old": old, "new": new}, needs=needs).against == ("EV-000008",)
    assert finding({**clean(), "new": new, "old": old}, needs=needs).finding is Verdict.MET
    gone = {**clean(), "old": old, "gone": revocation("old")}
    assert finding(gone, needs=needs).finding is Verdict.MET


@pytest.mark.parametrize(("roles", "holder", "stands"), [
    (["reviewer"], "person", False), (["admin"], "person", False), (["recorder"], "person", True),
    (["recorder", "reviewer"], "pipeline", True),
])  # fmt: skip
def test_a_decision_is_withdrawn_by_who_may_decide(roles: list[str], holder: str, stands: bool) -> None:
    records = {**clean(), "no": determination("not-met", "approver"), "other": key_event("other", roles, holder)}
    records["gone"] = revocation("no")
    records["gone"].signer = "other"
    assert (finding(records).finding is Verdict.FAILED) == stands


def test_data_that_were_given_another_role_are_flagged() -> None:
    records = {**clean(), "data": data("train")}
    records["changed"] = superseding(data("test", at=1), "data")
    found = finding(records)
    assert found.finding is Verdict.MET
    assert found.flags == ("held-out@1 was train data in EV-000007, which was put aside.",)


def test_deciding_that_a_failing_row_does_not_apply_is_told_beside_the_failure() -> None:
    records = clean()
    misses(records)
    records["away"] = determination("not-applicable")
    found = finding(records)
    assert found.finding is Verdict.NOT_APPLICABLE
    assert found.flags == (
        "Decided although its need accuracy fails: In EV-000005, sensitivity (overall) ci_low 0.7999 misses >= 0.80 "
        "(criterion sens).",
    )


# --- plans that a careful reader would not take ---------------------------------------------------------


def own_metric(records: dict[str, Record], threshold: str, **row_: str) -> dict[str, Record]:
    """Return the record with a criterion, >= threshold, on a metric that nobody knows."""
    records["plan"].content |= {"groups": []}
    records["plan"].content["criteria"][0] |= {"metric": "harm", "threshold": threshold}
    records["result"].content["metrics"] = [row("harm", "0.85") | row_]
    return records


@pytest.mark.parametrize(
    ("threshold", "told", "expected"),
    [
        ("0.80", {"unit": "proportion", "better": "higher"}, ("met", Rule.ALL_SHOWN)),
        ("0.80", {"unit": "score", "better": "lower"}, ("insufficient", Rule.NO_CRITERION)),
        ("0.0", {"unit": "proportion", "better": "higher"}, ("insufficient", Rule.NO_CRITERION)),
    ],
)
def test_a_criterion_that_accepts_anything_is_none(threshold: str, told: Json, expected: tuple[str, Rule]) -> None:
    needs = [{key: value for key, value in ROW["needs"][0].items() if key != "metrics"}]
    assert rule_of(own_metric(clean(), threshold, **told), needs=needs) == expected


def test_an_interval_of_a_low_level_is_flagged() -> None:
    records = clean()
    records["plan"].content["criteria"][0]["ci_level"] = records["result"].content["metrics"][0]["ci_level"] = "0.80"
    assert finding(records).flags == ("Criterion sens is tested on an interval of level 0.80, as plan EV-000004 says.",)


def test_criteria_for_one_group_only_are_flagged_and_must_reach_what_the_need_asks() -> None:
    records = clean()
    records["plan"].content["criteria"][0] |= {"group": {"sex": "F"}, "threshold": "0.60", "min_n": 2}
    assert finding(records).flags == ("Plan EV-000004 has criteria for sex F only, none for all cases.",)
    records["result"].content["metrics"][1]["n"] = 29
    assert rule_of(records) == ("insufficient", Rule.TOO_FEW)


def test_a_criterion_on_a_row_without_interval_does_not_lean_on_the_interval_of_another() -> None:
    records = clean()
    records["plan"].content["criteria"][0]["bound"] = "value"
    del records["result"].content["metrics"][0]["ci_low"], records["result"].content["metrics"][0]["ci_high"]
    assert rule_of(records) == ("insufficient", Rule.NO_INTERVAL)


@pytest.mark.parametrize("instead", [{"name": "prevalence"}, {"value": None, "ci_low": None, "ci_high": None}])
def test_a_declared_group_is_reported_with_a_value_of_a_metric_under_a_criterion(instead: Json) -> None:
    records = clean()
    records["result"].content["metrics"][2] |= instead
    assert rule_of(records) == ("insufficient", Rule.GROUP_MISSING)


def test_a_metric_that_is_named_without_a_value_shows_nothing() -> None:
    needs = [{"id": "told", "kind": "evaluation", "about": "model-version", "metrics": {"any_of": ["sensitivity"]}}]
    assert rule_of(clean(), needs=needs) == ("met", Rule.ALL_SHOWN)
    records = clean()
    records["result"].content["metrics"] = [{"name": "sensitivity", "n": 400, "reason": "not computed"}]
    assert rule_of(records, needs=needs) == ("insufficient", Rule.NO_ROW)


def test_a_plan_for_test_data_does_not_govern_a_result_on_no_data() -> None:
    needs = [{**ROW["needs"][0], "where": {}}]
    records = clean()
    del records["result"].content["dataset"]
    assert rule_of(records, needs=needs) == ("insufficient", Rule.WRONG_ROLE)
    del records["plan"].content["data_role"]
    assert rule_of(records, needs=needs) == ("met", Rule.ALL_SHOWN)


def test_a_plan_drawn_up_after_the_same_data_had_been_measured_on_is_flagged() -> None:
    records = clean()
    early = again(records)
    early.at, early.content = records["plan"].at or "2026-11-20T03:30:00Z", {**early.content, "plan": None}
    order = {name: records.pop(name) for name in ("genesis", "approver", "reviewer", "model")}
    records = {**order, "early": early, **records}
    told = "Plan EV-000005 was logged after EV-000004 had measured this version on the same data."
    assert told in finding(records).flags
    early.content["dataset"] = {"name": "tuning@1", "sha256": sha("tuning"), "role": "tune"}
    assert told not in finding(records).flags


def test_a_stricter_plan_that_a_result_does_not_name_is_told() -> None:
    records = clean()
    strict = json.loads(json.dumps(records["plan"].content))
    strict["criteria"][0] |= {"threshold": "0.88", "id": "strict"}
    order = {name: records.pop(name) for name in ("genesis", "approver", "reviewer", "model")}
    records = {**order, "strict": Record("acceptance-plan", subject("plan@2", sha("plan 2")), strict), **records}
    records["plan"].at = "2026-11-20T05:00:00Z"
    found = finding(records)
    assert (found.finding, found.flags) == (
        Verdict.MET, ("EV-000006 misses strict of plan EV-000004, which it does not name.",)
    )  # fmt: skip
    records["strict"].content["criteria"][0]["threshold"] = "0.84"
    assert finding(records).flags == ()


# --- measured on something else -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({"benchmark": {"name": "hard"}}, {"benchmark": {"name": "easy"}}),
        ({"population": "Over 80"}, {"population": "Under 40"}),
        ({"category": "robustness"}, {"category": "bias"}),
    ],
)
def test_a_failure_is_answered_on_what_it_was_measured_on(mine: Json, other: Json) -> None:
    needs = [{**ROW["needs"][0], "where": {}}]
    records = clean()
    misses(records)
    del records["result"].content["dataset"], records["plan"].content["data_role"]
    records["result"].content |= mine
    records["better"], records["signed"] = superseding(again(records), "result"), approval("better")
    del records["better"].content["dataset"]
    records["better"].content |= other
    assert rule_of(records, needs=needs) == ("failed", Rule.CRITERION_MISSED)
    records["better"].content |= mine
    assert rule_of(records, needs=needs) == ("met", Rule.ALL_SHOWN)


# --- decisions ------------------------------------------------------------------------------------------

MANUAL: Json = {"id": "manual", "kind": "document", "where": {"document_type": ["manual"]}}
ASK = "Does the manual say what the users must know?"


def manual(version: int = 1) -> Record:
    content = {"document_type": "manual", "version": version}
    return Record("document", subject(f"manual@{version}", sha(f"manual {version}")), content)


def test_a_decision_answers_for_nothing_that_came_after_it() -> None:
    yes = determination("met")
    read = {**clean(), "manual": manual(), "yes": yes}
    assert finding(read, needs=[MANUAL], ask=ASK).finding is Verdict.MET
    later = finding({**clean(), "yes": yes, "manual": manual()}, needs=[MANUAL], ask=ASK)
    assert (later.finding, later.rule) == (Verdict.UNDETERMINED, Rule.QUESTION_OPEN)
    assert later.reason.startswith("EV-000007 decided it before EV-000008 was on record.")
    assert finding({**read, "second": manual(2)}, needs=[MANUAL], ask=ASK).finding is Verdict.MET
    replaced = {**read, "second": superseding(manual(2), "manual")}
    assert finding(replaced, needs=[MANUAL], ask=ASK).finding is Verdict.UNDETERMINED
    each = [{**MANUAL, "each": True}]
    assert finding({**read, "second": manual(2)}, needs=each, ask=ASK).finding is Verdict.UNDETERMINED
    assert finding({**read, "second": manual(2), "again": determination("met")}, needs=each, ask=ASK).finding is (
        Verdict.MET
    )


def test_an_approval_on_conditions_and_figures_that_nobody_measured_are_flagged() -> None:
    records = clean()
    records["approval"].content["conditions"] = "Only for adults."
    records["result"].predicate = {"source": {"basis": "estimated"}}
    found = finding(records)
    assert found.finding is Verdict.MET
    assert found.flags == (
        "EV-000005 holds estimated figures, not measured ones.",
        "EV-000006 has conditions: Only for adults.",
    )


@pytest.mark.parametrize(("until", "expected"), [("2026-11-23", "met"), ("2026-11-22", "insufficient")])
def test_an_approval_lapses(until: str, expected: str) -> None:
    records = clean()
    records["approval"].content["valid_until"] = until
    found = finding(records)
    assert found.finding.value == expected
    assert expected == "met" or "EV-000006 lapsed on 2026-11-22." in found.reason
    assert finding(records, on="2026-11-22").finding is Verdict.MET


@pytest.mark.parametrize(("second", "signed"), [("Ada Example", 2), ("ada  example", 1), ("Ada EXAMPLE", 1)])
def test_one_person_with_two_keys_does_not_review_and_approve_a_dossier(second: str, signed: int) -> None:
    first = "Ada Example" if signed == 1 else "Bob Example"
    records = {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "review": Record("approval", subject("annex-iv", sha("content")), {"meaning": "reviewed"}, "one"),
        "approval": Record("approval", subject("annex-iv", sha("content")), {"meaning": "approved"}, "two"),
    }
    held = ledger(records)
    given = [(held["review"], first, ["reviewer"]), (held["approval"], second, ["approver"])]
    asked = [
        dossier.Approval(meaning=meaning, role=role)
        for meaning, role in (("reviewed", "reviewer"), ("approved", "approver"))
    ]
    lines = dossier.signatures(asked, sha("content"), given)
    assert sum(line.evidence is not None for line in lines) == signed


def test_data_that_nothing_ties_to_the_version_are_named() -> None:
    need = {"id": "data", "kind": "dataset", "about": "dataset", "where": {"role": ["train"]}, "least": {"rows": 5}}
    apart = Record("dataset", subject("cohort-train@1", sha("cohort"), "file"), {"role": "train", "rows": 9})
    records = {**clean(), "apart": apart}
    found: Finding = finding(records, needs=[need])
    assert (found.finding, found.rule) == (Verdict.GAP, Rule.OTHER_EVIDENCE)
    number = found.against[0]
    told = "nothing on record says that clinical-risk@2 was made from it or measured on it."
    assert found.reason == f"{number} is about cohort-train@1, and {told}"
    used = {"datasets": [{"name": "cohort-train@1", "sha256": sha("cohort"), "role": "train"}]}
    records["run"] = Record("training-run", subject(MODEL.name, MODEL.sha256, "folder"), used)
    assert finding(records, needs=[need]).needs[0].verdict is NeedVerdict.PASSED
