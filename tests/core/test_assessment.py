"""Assessment: one clean record, then each thing that must take its `met` away, then what never changes anything."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Json, Record, key_event, ledger, sha, subject

from compliance.core.assessment import Assessment, Finding, Thing, Validators, assess
from compliance.core.catalog import Catalog, compile_need
from compliance.core.findings import Verdict

ON = "2026-11-23"
PROFILE = {"roles": ["provider"], "high_risk": ["annex-i"], "markets": ["EU"], "features": []}
VALIDATORS = Validators()


MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")

ROW: Json = {
    "id": "law/art-15.1",
    "ref": "Art. 15(1)",
    "text": "Be accurate.",
    "binds": ["P"],
    "evidence_kinds": ["evaluation"],
    "what_shows_it": "results per version",
    "measurable": "yes: accuracy metric with CI",
    "tier": "C",
    "confidence": "high",
    "source": ["R"],
    "status": "applies from 2027-12-02",
    "applies_from": {"annex-i": "2028-08-02", "annex-iii": "2027-12-02"},
    "applies_if": {"roles": ["provider"], "high_risk": ["annex-i", "annex-iii"]},
    "needs": [
        {
            "id": "accuracy",
            "kind": "evaluation",
            "about": "model-version",
            "where": {"dataset.role": ["test"]},
            "metrics": {"any_of": ["sensitivity", "roc_auc"], "interval": True, "min_n": 30},
            "criterion": "passed",
            "approved": {"meaning": "approved", "role": "approver", "not_author": True},
            "max_age_days": 365,
        }
    ],
}


def catalog(**change: Any) -> Catalog:
    row = {key: value for key, value in {**ROW, **change}.items() if value is not None}
    head = {"id": "law", "version": "1", "date": "2026-11-23", "title": "A law", "publisher": "A parliament"}
    return Catalog.model_validate_json(json.dumps({**head, "requirements": [row]}))


def row(name: str, low: str, n: int = 400, group: Json | None = None) -> Json:
    interval = {"value": "0.9", "ci_low": low, "ci_high": "0.99", "ci_level": "0.95", "ci_method": "bootstrap"}
    return {"name": name, "n": n, **interval, **({"group": group} if group else {})}


def clean() -> dict[str, Record]:
    """Return the records of a version that meets the row: plan, result, approval, in that order."""
    criterion = {
        "id": "sens", "metric": "sensitivity", "comparator": ">=", "threshold": "0.80", "bound": "ci_low",
        "ci_level": "0.95", "min_n": 100,
    }  # fmt: skip
    plan = {
        "model": "clinical-risk", "data_role": "test", "groups": [{"sex": "F"}, {"sex": "M"}], "criteria": [criterion],
    }  # fmt: skip
    result = {
        "dataset": {"name": "held-out@1", "sha256": sha("held-out"), "role": "test"},
        "plan": {"name": "plan@1", "sha256": sha("the plan")},
        "started_at": "2026-11-20T05:30:00Z",
        "metrics": [row("sensitivity", "0.85"), *(row("sensitivity", "0.7", 90, {"sex": s}) for s in "FM")],
    }
    return {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "approver": key_event("approver", ["approver"]),
        "reviewer": key_event("reviewer", ["reviewer"]),
        "model": Record("model-version", subject(MODEL.name, MODEL.sha256, "folder"), {}),
        "plan": Record("acceptance-plan", subject("plan@1", sha("the plan")), plan),
        "result": Record("evaluation", subject(MODEL.name, MODEL.sha256, "folder"), result, at="2026-11-20T06:00:00Z"),
        "approval": approval("result"),
    }


def approval(of: str, meaning: str = "approved", signer: str = "approver") -> Record:
    return Record("approval", subject("EV-000005", sha(of)), {"meaning": meaning}, signer, at="2026-11-20T07:00:00Z")


def determination(decision: str, signer: str = "reviewer", **content: Any) -> Record:
    content = {"requirements": ["law/art-15.1"], "decision": decision, "reason": "Because.", **content}
    about = subject(MODEL.name, MODEL.sha256, "folder")
    return Record("determination", about, content, signer, at="2026-11-20T08:00:00Z")


def assessed(records: Mapping[str, Record], *, on: str = ON, profile: Json | None = None, **change: Any) -> Assessment:
    return assess(
        [catalog(**change)],
        ledger(records).values(),
        PROFILE if profile is None else profile,
        system="clinical-risk",
        model=MODEL,
        on=on,
        validators=VALIDATORS,
    )


def finding(records: Mapping[str, Record], **options: Any) -> Finding:
    return assessed(records, **options).findings[0]


def test_the_clean_record_meets_the_row_and_shows_its_evidence() -> None:
    found = finding(clean())
    assert found.finding is Verdict.MET
    assert found.evidence == ("EV-000005", "EV-000004", "EV-000006")
    assert "ci_low 0.85 meets >= 0.80" in found.reason
    assert found.next == ""


def other_bytes(records: dict[str, Record]) -> None:
    records["result"].subject = subject("clinical-risk@1", sha("model 1"), "folder")


def other_data(records: dict[str, Record]) -> None:
    records["result"].content["dataset"]["role"] = "train"


def plan_logged_later(records: dict[str, Record]) -> None:
    records["plan"], records["result"] = records["result"], records["plan"]
    plan, result = records.pop("plan"), records.pop("result")
    records.update({"plan": result, "result": plan})
    order = ["genesis", "approver", "reviewer", "model", "result", "plan", "approval"]
    moved = {name: records[name] for name in order}
    records.clear()
    records.update(moved)


def run_began_before_the_plan(records: dict[str, Record]) -> None:
    records["result"].content["started_at"] = "2026-11-20T03:59:59Z"


def began_in_the_plans_second(records: dict[str, Record]) -> None:
    records["result"].content["started_at"] = "2026-11-20T04:00:00Z"


def no_start(records: dict[str, Record]) -> None:
    del records["result"].content["started_at"]


def no_plan(records: dict[str, Record]) -> None:
    del records["result"].content["plan"]


def plan_of_another_model(records: dict[str, Record]) -> None:
    records["plan"].content["model"] = "another-model"


def one_case_below(records: dict[str, Record]) -> None:
    records["result"].content["metrics"][0]["n"] = 99


def no_interval(records: dict[str, Record]) -> None:
    for metric in records["result"].content["metrics"]:
        del metric["ci_low"], metric["ci_high"]


def another_level(records: dict[str, Record]) -> None:
    records["result"].content["metrics"][0]["ci_level"] = "0.90"


def group_missing(records: dict[str, Record]) -> None:
    records["result"].content["metrics"].pop()


def criterion_without_row(records: dict[str, Record]) -> None:
    records["plan"].content["criteria"][0]["group"] = {"sex": "X"}


def not_approved(records: dict[str, Record]) -> None:
    del records["approval"]


def only_reviewed(records: dict[str, Record]) -> None:
    records["approval"].content["meaning"] = "reviewed"


def approved_by_a_reviewer(records: dict[str, Record]) -> None:
    records["approval"].signer = "reviewer"


def approved_by_its_author(records: dict[str, Record]) -> None:
    records["result"].signer = "approver"


def approved_another_digest(records: dict[str, Record]) -> None:
    records["approval"].subject = subject("EV-000005", sha("something else"))


def approved_with_a_revoked_key(records: dict[str, Record]) -> None:
    last = records.pop("approval")
    records["ended"] = key_event("approver", ["approver"], event="revoked")
    records["approval"] = last
    last.at = "2026-11-20T09:00:00Z"


def incomplete(records: dict[str, Record]) -> None:
    records["result"].predicate = {"completeness": "incomplete", "completeness_reason": "three cases crashed"}


def identity(records: dict[str, Record]) -> None:
    records["result"].subject["annotations"]["basis"] = "identity"


def another_system(records: dict[str, Record]) -> None:
    records["result"].predicate = {"system": "somebody-elses"}


def misses(records: dict[str, Record]) -> None:
    records["result"].content["metrics"][0]["ci_low"] = "0.7999"


def misses_two(records: dict[str, Record]) -> None:
    misses(records)
    records["plan"].content["criteria"].append({**records["plan"].content["criteria"][0], "id": "sens-again"})


def revoked(records: dict[str, Record]) -> None:
    records["revocation"] = Record("revocation", subject("EV-000005", sha("result")), {"reason": "wrong file"})


def approval_revoked(records: dict[str, Record]) -> None:
    records["revocation"] = Record(
        "revocation", subject("EV-000006", sha("approval")), {"reason": "mistake"}, "approver"
    )


def logged_long_ago(records: dict[str, Record]) -> None:
    for name in ("plan", "result"):
        records[name].at = records[name].at.replace("2026-11", "2025-11") or "2025-11-20T04:00:00Z"
    records["result"].content["started_at"] = "2025-11-20T05:30:00Z"


def measured_on_training_data(records: dict[str, Record]) -> None:
    """The run read the same bytes as training data; somebody gave them another role afterwards."""
    used = {"name": "held-out@1", "sha256": sha("held-out"), "role": "train"}
    about = subject(MODEL.name, MODEL.sha256, "folder")
    records["run"] = Record("training-run", about, {"datasets": [used]})


def data_in_two_roles(records: dict[str, Record]) -> None:
    for role in ("train", "test"):
        records[role] = Record("dataset", subject(f"{role}@1", sha("held-out"), "file"), {"role": role})


def began_after_it_was_logged(records: dict[str, Record]) -> None:
    records["result"].content["started_at"] = "2026-11-20T06:00:01Z"


def approved_by_who_wrote_it(records: dict[str, Record]) -> None:
    records["written"] = approval("result", "authored")


MUTATIONS: dict[Callable[[dict[str, Record]], None], tuple[str, str]] = {
    other_bytes: ("stale", "is about clinical-risk@1, not about clinical-risk@2"),
    other_data: ("insufficient", "Wrong data role"),
    plan_logged_later: ("insufficient", "declared after the result"),
    run_began_before_the_plan: ("insufficient", "declared after the run had begun"),
    began_in_the_plans_second: ("insufficient", "(as stated)"),
    no_start: ("insufficient", "does not say when the run started"),
    no_plan: ("insufficient", "No plan"),
    plan_of_another_model: ("insufficient", "is for another-model"),
    one_case_below: ("insufficient", "Too few cases"),
    no_interval: ("insufficient", "no interval"),
    another_level: ("insufficient", "no 0.95 interval"),
    group_missing: ("insufficient", "A declared group is missing"),
    criterion_without_row: ("insufficient", "has no row for sensitivity (sex X)"),
    not_approved: ("insufficient", "No approval"),
    only_reviewed: ("insufficient", "No approval"),
    approved_by_a_reviewer: ("insufficient", "no person in the role approver"),
    approved_by_its_author: ("insufficient", "who also recorded"),
    approved_another_digest: ("insufficient", "No approval"),
    approved_with_a_revoked_key: ("insufficient", "a key that was not valid then"),
    measured_on_training_data: ("insufficient", "EV-000007 says that the same bytes are train data"),
    data_in_two_roles: ("insufficient", "EV-000007 says that the same bytes are train data"),
    began_after_it_was_logged: ("insufficient", "after it was itself logged"),
    approved_by_who_wrote_it: ("insufficient", "who also recorded or wrote"),
    incomplete: ("insufficient", "three cases crashed"),
    identity: ("insufficient", "nobody here holds the bytes"),
    another_system: ("gap", "No evaluation evidence about clinical-risk@2"),
    misses: ("failed", "ci_low 0.7999 misses >= 0.80"),
    misses_two: ("failed", "It misses sens-again too."),
    revoked: ("gap", "No evaluation evidence"),
    approval_revoked: ("insufficient", "No approval"),
    logged_long_ago: ("stale", "older than 365 days"),
}


@pytest.mark.parametrize(("spoil", "expected"), MUTATIONS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_flaw_takes_the_met_away_and_is_named(
    spoil: Callable[[dict[str, Record]], None], expected: tuple[str, str]
) -> None:
    records = clean()
    spoil(records)
    found = finding(records)
    assert (found.finding.value, expected[1] in found.reason) == (expected[0], True), found.reason
    assert found.next.startswith("compliance ")


def test_a_miss_counts_although_its_plan_came_late_and_a_later_pass_does_not_hide_it() -> None:
    records = clean()
    worse = Record("evaluation", records["result"].subject, json.loads(json.dumps(records["result"].content)))
    worse.content["metrics"][0]["ci_low"] = "0.1"
    worse.content["started_at"] = "2026-11-20T01:00:00Z"
    both = {**clean(), "worse": worse}
    assert finding(both).finding is Verdict.FAILED
    assert finding(both).against == ("EV-000007",)


@pytest.mark.parametrize(("reason", "expected"), [("the reader swapped columns", "met"), (" ", "failed")])
def test_a_failure_is_superseded_only_with_a_reason(reason: str, expected: str) -> None:
    records = clean()
    misses(records)
    records["again"] = Record("evaluation", records["result"].subject, clean()["result"].content)
    records["again"].predicate = {"supersedes": {"name": "EV-000005", "sha256": sha("result"), "reason": reason}}
    records["approval again"] = Record(
        "approval", subject("EV-000007", sha("again")), {"meaning": "approved"}, "approver"
    )
    assert finding(records).finding.value == expected


def test_a_record_of_another_kind_supersedes_nothing() -> None:
    records = clean()
    misses(records)
    records["note"] = Record("document", subject("note@1", sha("note")), {})
    records["note"].predicate = {"supersedes": {"name": "EV-000005", "sha256": sha("result"), "reason": "a note"}}
    assert finding(records).finding is Verdict.FAILED


@pytest.mark.parametrize(
    ("decision", "signer", "expected"),
    [
        ("met", "reviewer", "met"),
        ("met", "pipeline", "undetermined"),
        ("not-met", "reviewer", "failed"),
        ("not-applicable", "reviewer", "not-applicable"),
        ("not-applicable", "pipeline", "undetermined"),
        ("known-gap", "pipeline", "partial"),
    ],
)
def test_a_question_is_answered_by_a_person_in_the_right_role(decision: str, signer: str, expected: str) -> None:
    asked = "Are these figures suited to the intended purpose?"
    assert finding(clean(), ask=asked).finding is Verdict.UNDETERMINED
    assert finding(clean(), ask=asked).ask_open
    found = finding({**clean(), "decided": determination(decision, signer)}, ask=asked)
    assert found.finding.value == expected


def test_a_later_met_does_not_hide_a_not_met() -> None:
    decided = {"no": determination("not-met"), "yes": determination("met")}
    assert finding({**clean(), **decided}, ask="Is it really so, seen as a whole?").finding is Verdict.FAILED


def test_nothing_is_met_while_the_ledger_does_not_verify() -> None:
    @dataclass
    class Verified:
        ok: bool
        checked: int = 7

    def found(ok: bool) -> Finding:
        held = ledger(clean()).values()
        return assess(
            [catalog()], held, PROFILE, system="clinical-risk", model=MODEL, on=ON, ledger=Verified(ok)
        ).findings[0]

    assert found(True).finding is Verdict.MET
    assert (found(False).finding, found(False).next) == (Verdict.INSUFFICIENT, "compliance verify")


def test_an_ask_alone_is_undetermined_until_somebody_decides() -> None:
    only = {"needs": [], "measurable": "no", "ask": "Is this question put to a person?"}
    assert finding(clean(), **only).finding is Verdict.UNDETERMINED
    assert "compliance determine law/art-15.1 --model clinical-risk@2" in finding(clean(), **only).next
    assert finding({**clean(), "decided": determination("met")}, **only).finding is Verdict.MET
    known = finding({**clean(), "gap": determination("known-gap", "pipeline")}, **only)
    assert (known.finding, "Because." in known.reason) == (Verdict.GAP, True)


def test_a_known_gap_is_told_where_the_row_does_not_bind_too() -> None:
    deployer: Json = {"roles": ["deployer"]}
    assert finding(clean(), profile=deployer).evidence == ()
    found = finding({**clean(), "gap": determination("known-gap", "pipeline")}, profile=deployer)
    assert (found.finding, found.evidence) == (Verdict.NOT_APPLICABLE, ("EV-000007",))
    assert "Because." in found.reason


def test_of_system_descriptions_only_the_newest_shows_anything() -> None:
    need = {"id": "route", "kind": "system-description", "fields": ["description.logging"],
            "must": {"profile.device.notified_body": [True]}}  # fmt: skip
    asked = {"needs": [need], "ask": "Is this what the system is?"}

    def said(notified_body: bool, **description: str) -> Record:
        content = {"profile": {"device": {"notified_body": notified_body}}, "description": description}
        return Record("system-description", subject("clinical-risk", sha(str(content)), "content"), content)

    whole, bare, wrong = said(True, logging="every call"), said(True), said(False, logging="every call")
    setup = dict(list(clean().items())[:1])
    for records, expected in (
        ([whole], "undetermined"), ([whole, bare], "insufficient"), ([whole, wrong], "failed"),
        ([wrong, whole], "undetermined"), ([bare, wrong, whole], "undetermined"),
    ):  # fmt: skip
        found = finding({**setup, **{str(place): one for place, one in enumerate(records)}}, **asked)
        assert found.finding.value == expected, found.reason


def test_a_decision_lapses() -> None:
    only = {"needs": [], "measurable": "no", "ask": "Is this question put to a person?"}
    records = {**clean(), "decided": determination("met", valid_until="2026-11-22")}
    assert finding(records, **only, on="2026-11-22").finding is Verdict.MET
    assert finding(records, **only, on="2026-11-23").finding is Verdict.UNDETERMINED


def carried(records: dict[str, Record], signer: str = "approver") -> None:
    """Let an approver carry the result over, on the strength of a plan of changes."""
    before = Record("model-version", subject("clinical-risk@1", sha("model 1"), "folder"), {})
    rest = dict(records)
    records.clear()
    plan = {"type": "plan", "planned_changes": [{"id": "retrain"}]}
    changes = Record("change", subject("changes@1", sha("the changes")), plan)
    rest["plan"].at = "2026-11-20T04:00:00Z"
    records.update({"genesis": rest.pop("genesis"), "before": before, "changes": changes, **rest})
    carry = [{"name": "EV-000007", "sha256": sha("result")}]
    based_on = [{"name": "EV-000002", "sha256": sha("changes")}]
    records["carried"] = determination("carried-over", signer, carry=carry, based_on=based_on)


@pytest.mark.parametrize(("signer", "expected"), [("approver", "met"), ("reviewer", "stale"), ("pipeline", "stale")])
def test_an_approver_carries_evidence_of_an_earlier_version_over(signer: str, expected: str) -> None:
    records = clean()
    other_bytes(records)
    carried(records, signer)
    found = finding(records)
    assert found.finding.value == expected
    assert found.carried == (("EV-000007",) if expected == "met" else ())
    if found.carried:
        assert (
            found.flags[-1]
            == "EV-000007 of an earlier version counts: carried over by EV-000009 under the planned change EV-000002."
        )


def test_two_results_on_one_dataset_with_different_figures_are_shown_side_by_side() -> None:
    records = clean()
    records["again"] = Record(
        "evaluation", records["result"].subject, json.loads(json.dumps(records["result"].content))
    )
    records["again"].content["metrics"][0]["value"] = "0.97"
    notes = assessed(records).notes
    assert [note.evidence for note in notes if note.topic == "contradiction"] == [("EV-000005", "EV-000007")]


@pytest.mark.parametrize(
    ("profile", "expected", "binding"),
    [
        ({"roles": ["deployer"]}, "not-applicable", True),
        ({"roles": ["provider"], "high_risk": []}, "not-applicable", True),
        ({"roles": ["provider"]}, "undetermined", False),
        ({"roles": ["provider"], "high_risk": ["annex-i"]}, "met", False),
    ],
)
def test_what_the_profile_leaves_out_is_neither_yes_nor_no(profile: Json, expected: str, binding: bool) -> None:
    found = finding(clean(), profile=profile)
    assert found.finding.value == expected
    if expected != "not-applicable":
        assert found.binding is binding


@pytest.mark.parametrize(
    ("us", "expected"),
    [
        ({"pathway": "PMA", "pccp": True}, "not-applicable"),
        ({"pathway": "PMA", "pccp": False}, "met"),
        ({"pathway": "PMA"}, "undetermined"),
        ({"pathway": "510(k)"}, "met"),
        (None, "undetermined"),
    ],
)
def test_an_exemption_frees_where_all_of_it_matches_and_leaves_open_what_nobody_said(us: Json, expected: str) -> None:
    profile = {"roles": ["provider"], "high_risk": ["annex-i"], "us": us}
    exempt = {"us.pathway": ["PMA", "De Novo"], "us.pccp": [True]}
    assert finding(clean(), profile=profile, applies_unless=exempt).finding.value == expected


@pytest.mark.parametrize(
    ("high_risk", "day", "binding"),
    [
        (["annex-i"], "2028-08-01", False),
        (["annex-i"], "2028-08-02", True),
        (["annex-i", "annex-iii"], "2027-12-02", True),
    ],
)
def test_a_date_never_makes_a_row_inapplicable(high_risk: list[str], day: str, binding: bool) -> None:
    found = finding(clean(), on=day, profile={"roles": ["provider"], "high_risk": high_risk})
    assert found.finding is not Verdict.NOT_APPLICABLE
    assert found.binding is binding


def test_a_draft_binds_nobody() -> None:
    assert not finding(clean(), status="draft guidance", applies_from=None).binding


class LedgerState:
    def __init__(self, ok: bool) -> None:
        self.ok, self.checked = ok, 7


@pytest.mark.parametrize(
    ("state", "expected"), [(LedgerState(True), "met"), (LedgerState(False), "failed"), (None, "insufficient")]
)
def test_the_ledger_answers_needs_of_kind_audit_trail(state: LedgerState | None, expected: str) -> None:
    row_ = catalog(needs=[{"id": "integrity", "kind": "audit-trail"}])
    found = assess([row_], [], PROFILE, system="clinical-risk", model=MODEL, on=ON, ledger=state).findings[0]
    assert found.finding.value == expected


def test_the_design_example_compiles_to_its_schema() -> None:
    expected = json.loads(
        """{"$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://w3id.org/compliance-tracker/needs/eu-ai-act/art-15.1/accuracy",
        "properties": {"predicateType": {"const": "https://w3id.org/compliance-tracker/evidence/evaluation/v1"},
        "predicate": {"properties": {"completeness": {"const": "complete"},
        "content": {"required": ["dataset", "metrics"], "properties": {
        "dataset": {"required": ["role"], "properties": {"role": {"enum": ["test"]}}},
        "metrics": {"contains": {"required": ["n", "ci_low", "ci_high", "ci_level", "ci_method"],
        "properties": {"name": {"enum": ["sensitivity", "roc_auc"]}, "n": {"minimum": 30}}}}}}}}}}"""
    )
    assert compile_need("eu-ai-act/art-15.1", catalog().requirements[0].needs[0]) == expected


# --- what never changes anything ----------------------------------------------------------------

SPOILED = st.lists(
    st.sampled_from([m for m in MUTATIONS if m not in (plan_logged_later, not_approved)]), max_size=3, unique=True
)


def spoiled(mutations: list[Callable[[dict[str, Record]], None]]) -> dict[str, Record]:
    records = clean()
    for mutate in mutations:
        try:
            mutate(records)
        except KeyError:  # two mutations want the same thing gone
            continue
    return records


@given(SPOILED, st.randoms())
def test_the_order_in_which_evidence_is_handed_over_changes_nothing(mutations: Any, random: Any) -> None:
    pieces = list(ledger(spoiled(mutations)).values())
    shuffled = random.sample(pieces, len(pieces))
    options: Json = {"system": "clinical-risk", "model": MODEL, "on": ON, "validators": VALIDATORS}
    assert assess([catalog()], shuffled, PROFILE, **options) == assess([catalog()], pieces, PROFILE, **options)


@given(SPOILED)
def test_irrelevant_evidence_changes_no_finding(mutations: Any) -> None:
    records = spoiled(mutations)
    other = Record("evaluation", subject("another-model@1", sha("another"), "folder"), clean()["result"].content)
    more = {**records, "other": other, "paper": Record("document", subject("paper@1", sha("paper")), {})}
    assert assessed(more).findings == assessed(records).findings


@given(SPOILED)
def test_the_past_does_not_change(mutations: Any) -> None:
    records = spoiled(mutations)
    later = Record("revocation", subject("EV-000005", sha("result")), {"reason": "later"}, at="2026-12-01T00:00:00Z")
    assert assessed({**records, "later": later}) == assessed(records)


@given(SPOILED)
def test_a_passing_result_never_makes_a_finding_worse(mutations: Any) -> None:
    records = spoiled(mutations)
    rank = ["met", "partial", "insufficient", "stale", "gap", "failed"]
    good = {name: record for name, record in clean().items() if name == "result"}
    more = {**records, "good": good["result"], "good approval": approval("good")}
    before, after = finding(records).finding.value, finding(more).finding.value
    assert rank.index(after) <= rank.index(before)


@given(SPOILED)
def test_every_finding_gives_its_reason_and_its_next_step(mutations: Any) -> None:
    found = finding(spoiled(mutations))
    assert found.reason
    assert bool(found.next) == (found.finding is not Verdict.MET)


def test_a_pipeline_does_not_undo_what_a_person_decided() -> None:
    records = clean()
    withdrawn = Record("revocation", subject("EV-000006", sha("approval")), {"reason": "in the way"})
    assert assessed({**records, "withdrawn": withdrawn}) == assessed(records)
