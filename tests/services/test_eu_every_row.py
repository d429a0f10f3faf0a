"""Every need of the AI Act catalog can be met: one provider whom all of it reaches, with a true record for each.

What nobody could ever show would be found here. What a reviewer would refuse is in test_eu_market_rows.py and below.
"""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.cases import SYSTEM, Json, sha
from support.story import Change, authored, held, put

from compliance.core.assessment import Validators, assess
from compliance.core.findings import Finding, NeedVerdict, Thing
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
CATALOG = catalogs.load("eu-ai-act")
ROWS = {row.id.removeprefix("eu-ai-act/"): row for row in CATALOG.requirements}
STORY = Path(__file__).with_name("eu_whole_story.yaml")
VALIDATORS = Validators()
SIGNERS = {"reviewed": "reviewer", "approved": "approver"}
RUN: Json = {"plan": "criteria-of-use@1", "started_at": "2026-11-20T12:00:00Z", "method": "As planned"}
TOPICS = (
    "risk-management", "data-management", "design-control", "change-control", "testing", "post-market-monitoring",
    "training", "regulatory-strategy", "communication", "resources", "accountability", "copyright",
)  # fmt: skip
SAFETY: dict[str, Json] = {
    "robustness": {"perturbations": [{"name": "noise"}]}, "input-handling": {}, "fail-safe": {}, "logging": {},
    "adversarial": {"attacks": [{"name": "evasion"}]}, "privacy": {"threats": ["leakage"]}, "data-poisoning": {},
    "supply-chain": {}, "cybersecurity": {}, "misuse": {"harm_categories": ["child-abuse"]},
}  # fmt: skip
USE: dict[str, tuple[str, ...]] = {
    "comprehension": ("comprehension_rate", "success_rate"), "human-ai-team": ("detection_rate", "override_rate"),
    "override": ("override_rate",), "stop": ("success_rate",), "usability-summative": ("task_success_rate",),
    "accessibility": ("success_rate",),
}  # fmt: skip
ANNEX_IV = [f"eu-ai-act/{name}" for name in ROWS if name.startswith("annex-iv.")]
FIGURES = [{"name": "sensitivity", "value": "0.85"}, {"name": "sensitivity", "value": "0.86", "group": {"sex": "F"}}]
MANUAL = [f"art-13.3.{point}" for point in ("b.iv", "b.vi", "b.vii", "c", "d", "e", "f")]
DOCUMENTS: dict[str, Json] = {
    "instructions": {
        "document_type": "instructions-for-use", "intended_purpose": "Estimates a risk", "figures": FIGURES,
        "readability": "tested", "revision": "2", "traces": [("risks", "labelling")],
        "answers": [f"eu-ai-act/{name}" for name in (*MANUAL, "art-12.2.c", "art-14.3.b")],
    },
    "file": {"document_type": "technical-report", "answers": ["eu-ai-act/art-11.2", *ANNEX_IV], "revision": "2",
             "statements": 28},
    "specification": {"document_type": "design-specification"},
    "matrix": {"document_type": "standard-application", "answers": ["eu-ai-act/art-9.1"]},
    "test report": {"document_type": "test-report", "date": "2026-10-01", "due_on": "2026-10-15"},
    "label": {"document_type": "labelling", "answers": ["eu-ai-act/art-48.2", "eu-ai-act/annex-iv.1.f"]},
    "declaration text": {"document_type": "declaration", "languages": ["de"], "identifiers": {"udi": "00810001-2"},
                         "answers": ["eu-ai-act/annex-v.3", "eu-ai-act/annex-v.5"]},
    "control": {"document_type": "audit-report", "date": "2026-10-01", "due_on": "2026-10-15",
                "answers": ["eu-ai-act/annex-vi.4", *(f"eu-ai-act/{n}" for n in (
                    "annex-vi.3", "art-8.1", "art-9.1", "art-10.1", "art-11.1", "art-12.1", "art-13.1", "art-14.1"))]},
    "manual": {"document_type": "policy", "answers": [f"eu-ai-act/art-17.1.{point}" for point in "abcdefghijklm"]},
    "impact": {"document_type": "impact-assessment", "date": "2026-10-01", "due_on": "2026-10-15",
               "answers": ["eu-ai-act/art-27.1.d"]},
    "completion": {"document_type": "register", "answers": ["eu-ai-act/art-111.3"], "date": "2026-10-01",
                   "due_on": "2027-08-02"},
    "answers": {"document_type": "other", "intended_purpose": "Estimates a risk", "answers": [
        f"eu-ai-act/{n}" for n in ("art-4a.1.f", "art-5.screen", "art-6.2", "art-8.2", "art-17.3")]},
    "guide": {"document_type": "integration-guide"}, "policy": {"document_type": "acceptable-use-policy"},
    "copyright": {"document_type": "copyright-policy"}, "summary": {"document_type": "training-content-summary"},
}  # fmt: skip
ENTRIES = [f"eu-ai-act/{name}" for name in ROWS if name.startswith("annex-viii.")]


class Verified:
    ok, checked = True, 90


def _safety(category: str, more: Json) -> Json:
    metric = "detection_rate" if category == "transparency" else "success_rate"
    finding = {"id": "F1", "finding": "f", "severity": "minor", "status": "fixed"}
    return {"kind": "safety-result", "title": category, "model": "clinical-risk@2", "category": category, **RUN,
            "findings": [finding], "metrics": [{"name": metric, "x": 200, "n": 200}], **more}  # fmt: skip


def _use(type_: str, metrics: tuple[str, ...]) -> Json:
    task = {"task": "read", "critical": True, "attempts": 200, "successes": 200}
    return {"kind": "oversight-test", "title": type_, "model": "clinical-risk@2", "type": type_, "protocol": "p",
            "plan": RUN["plan"], "started_at": RUN["started_at"], "conclusion": "understood", "tasks": [task],
            "participants": {"n": 200, "profile": "physicians"}, "measures": ["disregard"],
            "metrics": [{"name": metric, "x": 200, "n": 200} for metric in metrics]}  # fmt: skip


def _document(title: str, more: Json) -> Json:
    traces = [{"items": a, "to": b, "total": 6, "untraced": 0} for a, b in more.get("traces", ())]
    statements = [{"statement": "s", "where": f"page {page}"} for page in range(1, more.get("statements", 2) + 1)]
    return {"kind": "document", "title": title, "name": f"{title.replace(' ', '-')}@2", "model": "clinical-risk@2",
            "status": "released", "publisher": "Demonstration", "date": "2026-10-01", **more, "traces": traces,
            "statements": statements}  # fmt: skip


def _procedure(topic: str) -> Json:
    return {"kind": "procedure", "title": f"on {topic}", "topic": topic, "number": topic, "revision": "1",
            "purpose": "p", "status": "released", "effective_from": "2026-01-01", "steps": ["s"],
            "responsibilities": "r", "records_kept": ["k"],
            "clauses": [{"requirement": "eu-ai-act/art-17.1", "where": "section 2"}]}  # fmt: skip


@cache
def told() -> dict[str, Json]:
    records = authored(STORY)
    records["registration"]["contents"] = [{"name": name, "answers": [name], "value": "v"} for name in ENTRIES]
    made = [_safety(category, more) for category, more in {**SAFETY, "transparency": {}}.items()]
    made += [_use(type_, metrics) for type_, metrics in USE.items()]
    made += [_document(title, more) for title, more in DOCUMENTS.items()]
    made += [_procedure(topic) for topic in TOPICS]
    clocks = [{"step": f"{days} days", "days": days} for days in (2, 10, 15)]
    made.append({**_procedure("incident-reporting"), "deadlines": clocks})
    return {**records, **{one["title"]: one for one in made}}


def findings(change: Change | None = None, row: str | None = None) -> dict[str, Finding]:
    records = copy.deepcopy(told())
    if change:
        change(records)
    signed: list[tuple[str, Any]] = [
        (title, {"meaning": meaning}) for title in records if title != UNSIGNED for meaning in SIGNERS
    ]
    evidence = held(records, signed, SIGNERS)
    catalog = CATALOG.model_copy(update={"requirements": (ROWS[row],)}) if row else CATALOG
    options: Json = {"system": SYSTEM, "model": MODEL, "on": "2026-12-31", "validators": VALIDATORS}
    found = assess([catalog], evidence, records["system"]["profile"], ledger=Verified(), **options)
    return {one.requirement.id.removeprefix("eu-ai-act/"): one for one in found.findings}


@cache
def true() -> dict[str, Finding]:
    return findings()


def test_every_row_reaches_this_provider() -> None:
    assert [name for name, one in true().items() if one.finding.value == "not-applicable"] == []


@pytest.mark.parametrize("row", [name for name, row in ROWS.items() if row.needs])
def test_a_true_record_set_answers_every_need(row: str) -> None:
    told = true()[row].needs
    assert {need.need for need in told} == {need.id for need in ROWS[row].needs}, "a need was not even asked"
    assert [need for need in told if need.verdict is not NeedVerdict.PASSED] == []


def by_annex_iii_alone(records: dict[str, Json]) -> None:
    profile = records["system"]["profile"]
    del profile["device"], records["notified body"], records["marking"]["issuer_number"]
    profile.update(roles=["provider", "deployer"], high_risk=["annex-iii"], features=[])


def with_a_general_model_alone(records: dict[str, Json]) -> None:
    profile = records["system"]["profile"]
    for title in ("notified body", "declaration", "marking"):
        del records[title]
    del profile["device"]
    gpai = {"systemic_risk": False, "open_source": False}
    profile.update(roles=["gpai-provider"], high_risk=[], features=[], gpai=gpai)


@pytest.mark.parametrize(("change", "open_"), [(by_annex_iii_alone, {"art-48.4"}), (with_a_general_model_alone, set())])
def test_providers_of_another_sort_can_meet_what_reaches_them(change: Change, open_: set[str]) -> None:
    """Art. 48(4) asks for the number of a notified body where one is involved: a person says that none is."""
    answered = {"not-applicable", "undetermined", "met"}
    assert {name for name, one in findings(change).items() if one.finding.value not in answered} == open_


UNSIGNED = "a later run"


def unsigned(records: dict[str, Json]) -> None:
    records[UNSIGNED] = {**copy.deepcopy(records["fail-safe"]), "title": UNSIGNED}


def unsigned_result(records: dict[str, Json]) -> None:
    records[UNSIGNED] = {**copy.deepcopy(records["results"]), "title": UNSIGNED}


def unsigned_tuning(records: dict[str, Json]) -> None:
    unsigned_result(records)
    tuning = {**copy.deepcopy(records["training data"]), "name": "tune@2", "sha256": sha("tune"), "role": "tune"}
    records[UNSIGNED]["dataset"] = "tune@2"
    records.update({"tuning data": {**tuning, "title": "tuning data"}, UNSIGNED: records.pop(UNSIGNED)})


def empty(field: str, *titles: str) -> Change:
    def change(records: dict[str, Json]) -> None:
        for title in titles:
            del records[title][field]

    return change


CLAIMED = {"id": "C4", "type": "design", "measure": "m", "implemented": ["EV-000003"], "verification_pending": "soon"}


@pytest.mark.parametrize(
    ("row", "change", "verdict"),
    [
        ("art-4.1", put("literacy", "functions.0.trained", 0), "insufficient"),
        ("art-4a.1.b", put("training data", "personal_data.identification", "identified"), "failed"),
        ("art-4a.1.b", put("privacy", "metrics.0.x", 120), "failed"),
        ("art-4a.1.e", put("training data", "personal_data.deleted_on", "2027-01-01"), "failed"),
        ("art-5.screen", put("misuse", "metrics.0.x", 120), "failed"),
        ("art-6.1", put("system", "profile.device.notified_body", False), "failed"),
        ("art-6.1", put("system", "profile.high_risk", ["annex-iii"]), "insufficient"),
        ("art-9.2", put("risks", "reviewed_on", "2026-11-16"), "failed"),
        ("art-9.2.d", put("risks", "hazards.1.controls.0", CLAIMED), "failed"),
        ("art-9.5.b", put("fail-safe", "metrics.0.x", 120), "failed"),
        ("art-9.8.metrics", put("criteria", "criteria.0.rationale", None), "insufficient"),
        ("art-10.2.c", put("training data", "annotation.agreement", None), "insufficient"),
        ("art-10.2.e", put("training data", "representativeness.planned_n", 901), "failed"),
        ("art-10.2.g", put("results", "metrics.5.ci_high", "0.16"), "failed"),
        ("art-11.1", put("file", "answers", ANNEX_IV[1:]), "insufficient"),
        ("art-11.1", put("file", "answers", [ANNEX_IV[0]] * 28), "insufficient"),
        ("art-11.2", put("file", "answers", ["eu-ai-act/art-11.2", *ANNEX_IV[:-1]]), "insufficient"),
        ("art-12.2.a", put("events", "events.1.serves", ["monitoring"]), "insufficient"),
        ("art-12.2.b", put("events", "events.0.serves", ["risk"]), "insufficient"),
        ("art-13.3.a", put("instructions", "publisher", "Somebody else"), "failed"),
        ("art-13.3.b.iii", put("instructions", "traces.0.untraced", 1), "failed"),
        *((row, put("instructions", "answers", ["eu-ai-act/art-13.2"]), "insufficient") for row in MANUAL),
        ("art-14.3.a", empty("measures", *USE), "insufficient"),
        ("art-14.4.a", put("human-ai-team", "metrics.0.x", 120), "failed"),
        ("art-14.4.d", put("override", "tasks.0.successes", 199), "failed"),
        ("art-14.4.e", put("stop", "tasks.0.successes", 199), "failed"),
        ("art-15.5", put("bill", "vulnerabilities.0.status", "under-investigation"), "failed"),
        ("art-16.b", put("label", "publisher", "Somebody else"), "failed"),
        ("art-17.1", put("manual", "answers", ["eu-ai-act/art-17.1.a"] * 13), "insufficient"),
        ("art-17.1.d", put("test report", "date", "2026-10-16"), "failed"),
        ("art-17.1.i", put("on incident-reporting", "deadlines.2.days", 20), "insufficient"),
        ("art-20.1", put("action", "actions.0.done", "2026-02-02"), "failed"),
        ("art-25.4", put("bill", "without_licence", 1), "failed"),
        ("art-25.4", empty("agreement", "supplier"), "insufficient"),
        ("art-27.2", put("impact", "date", "2026-10-16"), "failed"),
        ("art-43.4.new", empty("decisions", "change"), "insufficient"),
        ("art-43.4.predetermined", put("change", "conformance.open_deviations", 1), "failed"),
        ("art-49.2", put("registration", "contents", [{"name": "b", "answers": ["eu-ai-act/annex-viii.b.6"]}]),
         "insufficient"),
        ("art-50.2", put("transparency", "metrics.0.x", 120), "failed"),
        ("art-52.1", put("notification", "submitted_on", "2026-11-16"), "failed"),
        ("art-53.1.a", empty("acceptable_use", "version"), "insufficient"),
        ("art-53.1.b.ii", empty("context_length", "version"), "insufficient"),
        ("art-72.2", put("monitoring report", "reported_on", "2026-11-21"), "failed"),
        ("art-73.3", put("serious", "became_aware_at", "2026-10-31T08:00:00Z"), "failed"),
        ("art-73.9", put("not reportable", "limb", None), "insufficient"),
        ("art-79.4", put("order", "closed_on", "2026-11-11"), "failed"),
        ("art-111.3", put("completion", "due_on", "2030-08-02"), "failed"),
        ("annex-iv.1.c", put("bill", "without_version", 1), "failed"),
        ("annex-iv.2.f", put("change plan", "planned_changes.0.acceptance_plan", None), "insufficient"),
        ("annex-iv.2.g.logs", unsigned, "insufficient"),
        ("annex-iv.2.g.logs", unsigned_result, "insufficient"),
        ("annex-vii.3.3", put("control", "date", "2026-10-16"), "failed"),
        ("annex-xii.1.e", put("bill", "without_version", 1), "failed"),
    ],
)  # fmt: skip
def test_what_a_reviewer_would_refuse_is_refused(row: str, change: Change, verdict: str) -> None:
    assert verdict in [need.verdict.value for need in findings(change, row)[row].needs]


def test_a_result_on_tuning_data_is_no_test_report_that_somebody_must_sign() -> None:
    row = "annex-iv.2.g.logs"
    assert {need.verdict for need in findings(unsigned_tuning, row)[row].needs} == {NeedVerdict.PASSED}
