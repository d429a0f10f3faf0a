"""The rows of the medical and AI standards against one true story, and what an assessor would refuse in it.

The story answers every need of the eleven catalogs: none asks for what nobody could have. Each flaw, taken from what
the sheet says that a row is shown by, then takes an answer away.
"""

import copy
from functools import cache
from pathlib import Path

import pytest
from support.cases import SYSTEM, Json, sha
from support.story import Change, authored, held, put, without

from compliance.core.assessment import Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.findings import Finding, NeedVerdict, Thing, Verdict
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
STORY = Path(__file__).with_name("standards_story.yaml")
VALIDATORS = Validators()
OURS = (
    "iso-14971", "iec-62304", "iso-42001", "iso-23894", "nist-ai-rmf", "tripod-ai", "reporting-guidelines", "future-ai",
    "chai", "hti-1", "who",
)  # fmt: skip
PROCEDURES = (
    "risk-management", "design-control", "record-keeping", "maintenance", "capa", "cybersecurity",
    "vulnerability-handling", "accountability", "incident-reporting", "communication", "data-management", "testing",
    "human-oversight", "supplier-control", "change-control",
)  # fmt: skip
HAZARDS = {
    "data": "information", "model": "design", "bias": "protective", "security": "protective", "use": "information",
    "information": "design", "privacy": "design", "validity": "design", "reliability": "design", "robustness": "design",
    "intelligibility": "information", "safety": "protective",
}  # fmt: skip
"""Category of a hazard, and the type of its control."""
REPORTED = [
    *(f"std/tripod-ai/{item}" for item in ("1", "2", "3a", "3c", "4", "18", "19", "25", "26")),
    *(f"std/consort-ai/{item}" for item in ("1ab.i", "1ab.ii", "2a", "4b", "25")),
]
ATTRIBUTES = {1: 4, 2: 4, 3: 2, 4: 4, 5: 2, 6: 4, 7: 5, 8: 4, 9: 2}
"""Of 45 CFR 170.315(b)(11)(iv)(B), as the sheet numbers them."""
ROMAN = ("i", "ii", "iii", "iv", "v")
CARD = (
    "BasicInfo", "ReleaseInfo", "ModelSummary", "UsesAndDirections", "Warnings", "AISystemFacts",
    "TransparencyInformation", "UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability", "Resources",
)  # fmt: skip


def stated(*places: str) -> list[Json]:
    return [{"statement": "s", "where": place, "value": "1"} for place in places]


FIGURES = [{"name": "sensitivity", "value": "0.85", "ci_low": "0.793", "ci_high": "0.896"}]
DUE = {"due_on": "2026-11-30"}
DOCUMENTS: dict[str, Json] = {
    "safety policy": {"document_type": "policy", "answers": ["std/iso14971/4.2"]},
    "policy on AI": {"document_type": "policy", "answers": ["std/iso42001/5", "std/iso42001/a.2", "std/iso42001/4"]},
    "risk review": {"document_type": "management-review", "answers": ["std/iso14971/4.2"], **DUE},
    "risk plan": {"document_type": "plan", "answers": ["std/iso14971/4.4"], "date": "2026-10-01"},
    "risk report": {"document_type": "technical-report", "answers": ["std/iso14971/9"], "audience": "authorities"},
    "development plan": {"document_type": "plan", "answers": ["std/iec62304/5.1"]},
    "specification": {"document_type": "design-specification", "audience": "users",
                      "answers": ["std/future-ai/explainability-1"]},
    "architecture": {"document_type": "architecture"},
    "test report": {"document_type": "test-report",
                    "traces": [{"items": "requirements", "to": "verification", "total": 9, "untraced": 0}]},
    "anomalies": {"document_type": "register",
                  "traces": [{"items": "anomalies", "to": "risk-evaluation", "total": 2, "untraced": 0}]},
    "instructions": {"document_type": "instructions-for-use", "audience": "physicians",
                     "identifiers": {"model": "clinical-risk 2"}},
    "objectives": {"document_type": "register", "answers": ["std/iso42001/6.2-6.3"], **DUE},
    "impact": {"document_type": "impact-assessment", "audience": "patients",
               "answers": ["std/iso42001/a.5", "std/iso42001/6.1.4"], **DUE},
    "audit": {"document_type": "audit-report", "answers": ["std/iso42001/9", "std/future-ai/traceability-4"], **DUE},
    "review of AI": {"document_type": "management-review", "answers": ["std/iso42001/9"], **DUE},
    "deployment plan": {"document_type": "plan", "answers": ["std/iso42001/a.6.2.5"]},
    "knowledge": {"document_type": "other", "answers": ["std/iso5338/knowledge-acquisition"]},
    "register of law": {"document_type": "register", "answers": ["std/nist-ai-rmf/govern-1.1"]},
    "inventory": {"document_type": "register", "answers": ["std/nist-ai-rmf/govern-1.6"], **DUE},
    "study": {"document_type": "study-report", "answers": REPORTED, "abstract": "a", "publisher": "journal"},
    "protocol": {"document_type": "study-protocol", "answers": ["std/consort-ai/4a.i", "std/consort-ai/4a.ii"]},
    "language checklist": {"document_type": "reporting-checklist", "answers": ["std/tripod-llm/all"],
                           "statements": stated(*map(str, range(32)))},
    "accuracy checklist": {"document_type": "reporting-checklist", "answers": ["std/stard-ai/all"],
                           "statements": stated(*map(str, range(40)))},
    "early checklist": {"document_type": "reporting-checklist", "answers": ["std/decide-ai/all"],
                        "statements": stated(*map(str, range(38)))},
    "considerations": {"document_type": "other", "answers": [
        "std/future-ai/general-1", "std/future-ai/general-5", "std/future-ai/general-6", "std/future-ai/general-7",
        "who/lmm/developers", "who/ai-regulatory/six-areas", "who/ethics/six-principles",
    ], "statements": stated(*"123456")},
    "card": {"document_type": "model-card", "audience": "buyers", "statements": stated(*CARD), "figures": FIGURES},
    "sheet": {"document_type": "source-attributes", "figures": FIGURES, "statements": stated(
        *(f"(B)({part})({ROMAN[item]})" for part, items in ATTRIBUTES.items() for item in range(items)))},
    "summary": {"document_type": "public-summary", "status": "published", "answers": ["onc/hti1/vi"],
                "url": "https://example.org"},
    "outside audit": {"document_type": "audit-report", "status": "published", "publisher": "an institute",
                      "url": "https://example.org"},
}  # fmt: skip
BY_GROUP: list[Json] = [
    {"name": "sensitivity", "x": 170, "n": 200},
    *({"name": "sensitivity", "group": {"sex": sex}, "x": 85, "n": 100} for sex in "FM"),
    *({"name": "sensitivity", "group": {"site": site}, "x": 85, "n": 100} for site in "AB"),
]
EXACT: Json = {"unit": "score", "better": "higher", "n": 200}
RESULTS: dict[str, Json] = {
    "results": {"dataset": "test@2", "plan": "criteria@1", "setting": "retrospective", "metrics": [
        *BY_GROUP, {"name": "brier", "value": "0.1", "n": 200}, {"name": "i_squared", "value": "0.2", "n": 200}],
        "ground_truth": {"source": "registry"}, "accountability": {"enrolled": 200, "analysed": 200},
        "comparators": [{"name": "before", "kind": "earlier-version", "metric": "sensitivity", "value": "0.8"}]},
    "external results": {"dataset": "external@2", "metrics": BY_GROUP, "ground_truth": {"source": "registry"},
                         "tested_by": "an institute", "independent": True},
    "results of use": {"dataset": "live@2", "plan": "criteria@1", "metrics": BY_GROUP, "population": "our patients"},
    "trial": {"dataset": "external@2", "setting": "randomised", "accountability": {"enrolled": 200, "analysed": 200},
              "comparators": [{"name": "care", "kind": "standard-of-care", "metric": "sensitivity", "value": "0.7"}],
              "metrics": [{"name": "rejection_rate", "x": 4, "n": 200}, {"name": "error_rate", "x": 9, "n": 200},
                          {"name": "false_negative_rate", "x": 5, "n": 200}]},
    "fidelity": {"dataset": "test@2", "metrics": [{"name": "fidelity", "value": "0.9", **EXACT}]},
    "answers": {"dataset": "test@2", "metrics": BY_GROUP, "prompting": {"shots": 0}},
}  # fmt: skip
RATE = {"x": 190, "n": 200}
SAFETY: dict[str, Json] = {
    "signature check": {"category": "supply-chain", "plan": "criteria-of-safety@1",
                        "metrics": [{"name": "detection_rate", **RATE}]},
    "security test": {"category": "cybersecurity", "plan": "criteria-of-safety@1", "techniques": ["penetration"],
                      "metrics": [{"name": "detection_rate", **RATE},
                                  {"name": "attack_success_rate", "x": 1, "n": 90}]},
    "unfit input": {"category": "input-handling", "plan": "criteria-of-safety@1",
                    "metrics": [{"name": "detection_rate", **RATE}, {"name": "rejection_rate", **RATE}]},
    "noise": {"category": "robustness", "perturbations": [{"name": "noise"}],
              "metrics": [{"name": "changed_decision_rate", "x": 3, "n": 200}]},
    "leakage": {"category": "privacy", "metrics": [{"name": "leakage_rate", "x": 0, "n": 200}]},
    "memorisation": {"category": "privacy", "metrics": [
        {"name": "memorisation_rate", "x": 0, "n": 200, "unit": "proportion", "better": "lower"}]},
    "false statements": {"category": "misinformation", "metrics": [{"name": "hallucination_rate", "x": 3, "n": 200}]},
    "explanations": {"category": "transparency", "metrics": [{"name": "agreement", **RATE}]},
    "dangerous knowledge": {"category": "misuse", "harm_categories": ["cbrn", "sexual"],
                            "metrics": [{"name": "refusal_rate", **RATE}]},
}  # fmt: skip
OVERSIGHT: dict[str, Json] = {
    "early users": {"type": "usability-formative", "metrics": [{"name": "success_rate", **RATE}]},
    "users": {"type": "usability-summative", "metrics": [{"name": "task_success_rate", **RATE}]},
    "understanding": {"type": "comprehension", "metrics": [{"name": "comprehension_rate", **RATE}]},
    "stop": {"type": "stop", "plan": "criteria-of-safety@1",
             "metrics": [{"name": "time_to_stop", "value": "60", "unit": "s", "better": "lower", "n": 5}]},
    "team": {"type": "human-ai-team", "metrics": [{"name": "override_rate", **RATE}, {"name": "agreement", **RATE}]},
}  # fmt: skip


def risks() -> Json:
    ranks = [{"rank": rank, "name": str(rank), "meaning": "m"} for rank in (1, 2)]
    cells = [
        {"severity": s, "probability": p, "acceptability": "as-low-as-possible" if s + p == 4 else "acceptable"}
        for s in (1, 2) for p in (1, 2)
    ]  # fmt: skip
    hazards = [
        {
            "id": f"H-{category}", "category": category, "hazard": "h", "source": "s", "cause": "c", "harm": "y",
            "hazardous_situation": "x", "conditions": "both", "misuse": category == "use", "affected": ["patients"],
            "fundamental_rights": "none",
            "acceptability": "as-low-as-possible" if category == "model" else "acceptable",
            "before": {"severity": 2, "probability": 2, "basis": "results"},
            "after": {"severity": 2, "probability": 2 if category == "model" else 1, "basis": "results"},
            "controls": [{"id": f"C-{category}", "type": type_, "measure": "m", "implemented": ["EV-000003"],
                          "verification": ["EV-000003"], "infeasible": "no other is practicable"}],
        }
        for category, type_ in HAZARDS.items()
    ]  # fmt: skip
    plan = ("scope", "responsibilities", "review", "criteria_for_overall_risk", "verification", "post_production")
    return {
        "kind": "risk-file", "name": "risks@2", "model": "clinical-risk@2", "intended_use": "Estimates a risk",
        "plan": dict.fromkeys(plan, "p"), "foreseeable_misuse": ["children"], "safety_characteristics": ["threshold"],
        "software_safety_class": "B", "software_safety_rationale": "r", "out_of_scope": ["fire"], "trade_offs": "t",
        "matrix": {"severity": ranks, "probability": ranks, "cells": cells}, "hazards": hazards,
        "overall": {"acceptable": True, "conclusion": "c", "method": "m", "benefits": "b"},
        "completeness_review": "whole", "reviewed_on": "2026-11-01", "review_due": "2026-11-15",
        "next_review": "2027-11-01", "review_triggers": ["a new version"],
    }  # fmt: skip


@cache
def told() -> dict[str, Json]:
    """Return every record by its title: what the file tells, then what comes in long lists of one shape."""
    records = {**authored(STORY), "risks": risks()}
    for title, said in DOCUMENTS.items():
        records[title] = {
            "kind": "document", "name": f"{title.replace(' ', '-')}@1", "model": "clinical-risk@2", "revision": "1",
            "date": "2026-11-20", "status": "released", "statements": stated("1"), **said,
        }  # fmt: skip
    for topic in PROCEDURES:
        records[topic] = {
            "kind": "procedure", "topic": topic, "number": topic, "revision": "1", "purpose": "p", "scope": "s",
            "status": "released", "effective_from": "2026-01-01", "steps": ["s"], "responsibilities": "r",
            "records_kept": ["k"], "retention_years": 15, "clauses": [{"requirement": "std/nist-ai-rmf/govern-1.7"}],
        }  # fmt: skip
    for level in ("unit", "integration", "regression", "system"):
        records[f"{level} tests"] = {
            "kind": "log", "model": "clinical-risk@2", "type": "test-run", "description": "d", "entries": 9,
            "expected": 9, "failed": 0, "conclusion": "c", "attachment": "log.txt",
            "events": [{"event": f"{level}-test"}],
        }  # fmt: skip
    for audience in ("staff", "deployers"):
        for topic in ("competence", "ai-literacy", "system-use"):
            records[f"{topic} of {audience}"] = {
                "kind": "training-record", "topic": topic, "audience": audience, "content_summary": "c",
                "assessment": "a", "effectiveness": "e", "held_on": "2026-02-01",
                "functions": [{"function": "clinician", "assigned": 2, "trained": 2}],
            }  # fmt: skip
    for number, clauses in (("ISO/IEC 42001:2023", 38), ("ISO/IEC 23894:2023", 12)):
        records[number] = {
            "kind": "standard", "number": number, "edition": "2023", "edition_title": "t", "status": "other",
            "applied": "full", "covers": ["std/iso42001/6.1.3"],
            "clauses": [{"clause": f"A.{n}", "applied": "full", "how": "h"} for n in range(clauses)],
        }  # fmt: skip
    ran: Json = {"model": "clinical-risk@2", "started_at": "2026-11-20T12:00:00Z"}
    measured: Json = {
        **ran, "method": "m", "task": "t", "limits": ["l"], "tool": "t", "tool_version": "1", "metric_rationale": "r",
        "protocol": {"design": "d"},
    }  # fmt: skip
    records |= {title: {"kind": "evaluation", "title": title, **measured, **said} for title, said in RESULTS.items()}
    probed: Json = {
        **ran, "method": "m", "open_findings": 0, "expected_behaviour": "refused", "harm": "h",
        "harm_severity": "minor", "attacks": [{"name": "a", "method": "m"}],
    }  # fmt: skip
    records |= {title: {"kind": "safety-result", **probed, **said} for title, said in SAFETY.items()}
    watched: Json = {
        **ran, "protocol": "p", "environment": "ward", "conclusion": "c", "measures": ["override"],
        "participants": {"n": 30, "profile": "physicians", "training_given": "an hour", "intended_users": True},
        "tasks": [{"task": "read", "critical": True, "attempts": 30, "successes": 30}],
    }  # fmt: skip
    records |= {title: {"kind": "oversight-test", **watched, **said} for title, said in OVERSIGHT.items()}
    return {title: {"title": title, **record} for title, record in records.items()}


@cache
def shipped() -> tuple[Catalog, ...]:
    return tuple(catalogs.load(name) for name in OURS)


class _Verified:
    ok, checked = True, 1


def findings(change: Change | None = None, row: str | None = None) -> dict[str, Finding]:
    records = copy.deepcopy(told())
    if change:
        change(records)
    signed = [(title, {"meaning": meaning}) for title in records for meaning in ("approved", "reviewed")]
    evidence = held(records, signed, {"approved": "approver", "reviewed": "reviewer"})
    used = [one for one in shipped() if row is None or any(each.id == row for each in one.requirements)]
    found = assess(
        used, evidence, records["description"]["profile"], system=SYSTEM, model=MODEL, on="2026-12-31",
        ledger=_Verified(), validators=VALIDATORS,
    )  # fmt: skip
    return {one.requirement.id: one for one in found.findings}


@cache
def true() -> dict[str, Finding]:
    return findings()


@pytest.mark.parametrize("catalog", OURS)
def test_the_true_story_answers_every_need(catalog: str) -> None:
    rows = [true()[row.id] for row in catalogs.load(catalog).requirements]
    assert [
        (r.requirement.id, n.need, n.reason) for r in rows for n in r.needs if n.verdict is not NeedVerdict.PASSED
    ] == []
    assert {row.finding for row in rows} == {Verdict.UNDETERMINED}, "each waits for a person"


def uncontrolled(records: dict[str, Json]) -> None:
    hazard = next(one for one in records["risks"]["hazards"] if one["id"] == "H-model")
    hazard |= {"controls": [], "no_control": "none was found"}


def on_training_data(records: dict[str, Json]) -> None:
    for record in records.values():
        if record["kind"] == "evaluation":
            record["dataset"] = "train@2"


def of_the_version_before(records: dict[str, Json]) -> None:
    records["risks"]["model"] = "clinical-risk@1"


RISK_ROWS = [
    "std/iso14971/4.1",
    "std/iso42001/6.1.2",
    "std/future-ai/general-3",
    "std/chai-amc/warnings",
    "onc/hti1/vi",
]


@pytest.mark.parametrize(
    ("change", "rows", "verdict"),
    [
        (uncontrolled, ["std/iso14971/4.5", "std/iso14971/6", "std/iso14971/7.6", "std/future-ai/general-3",
                        "onc/hti1/vi"], "failed"),
        (of_the_version_before, RISK_ROWS, "stale"),
        (on_training_data, ["who/lmm/developers", "onc/hti1/b.5.i", "onc/hti1/b.7.i", "std/tripod-llm/all",
                            "std/nist-ai-rmf/measure-2.3", "std/future-ai/explainability-2", "std/consort-ai/19"],
         "insufficient"),
        (put("risk review", "date", "2026-12-01"), ["std/iso14971/4.2"], "failed"),
        (put("competence of staff", "functions.0.trained", 1), ["std/iso14971/4.3"], "failed"),
        (put("risk plan", "date", "2026-11-02"), ["std/iso14971/4.4"], "failed"),
        (put("risk report", "date", "2026-11-22"), ["std/iso14971/9"], "failed"),
        (put("risks", "overall.acceptable", False), ["std/iso14971/8", "std/nist-ai-rmf/measure-2.6"], "failed"),
        (put("risks", "reviewed_on", "2026-11-16"), ["std/iso42001/8", "std/nist-ai-rmf/govern-1.5"], "failed"),
        (put("unit tests", "failed", 1), ["std/iec62304/5.5"], "failed"),
        (put("system tests", "expected", 10), ["std/iec62304/5.7"], "failed"),
        (put("test report", "traces.0.untraced", 1), ["std/iec62304/5.2", "std/iec62304/5.7"], "failed"),
        (put("version", "release_stage", "development"), ["std/iec62304/5.8.4", "std/iso42001/a.6.2.5"], "gap"),
        (put("signature check", "category", "cybersecurity"), ["std/iec62304/5.8.8"], "gap"),
        (put("run", "code.dirty", True), ["std/iec62304/5.8.5"], "failed"),
        (put("patch", "risk_reviewed_on", "2026-10-10"), ["std/iec62304/7.4"], "failed"),
        (put("patch", "risk_reviewed_on", None), ["std/iec62304/7.4"], "insufficient"),
        (put("patch", "approved_on", None), ["std/iec62304/8.2"], "insufficient"),
        (put("patch", "from_version", None), ["std/iec62304/8.3"], "insufficient"),
        (put("patch", "due_on", "2026-10-08"), ["std/iec81001-5-1/6-9"], "failed"),
        (put("corrective action", "root_cause", None), ["std/iec62304/9", "std/iso42001/10"], "insufficient"),
        (put("incident", "reports.0.sent", "2026-10-17"), ["std/iso42001/a.8", "std/nist-ai-rmf/manage-4.3"], "failed"),
        (put("ISO/IEC 42001:2023", "clauses", [{"clause": "A.2.2", "applied": "full", "how": "h"}]),
         ["std/iso42001/6.1.3"], "insufficient"),
        (put("events", "lost", 1), ["std/iso42001/a.6.2.8", "std/future-ai/traceability-5"], "failed"),
        (put("events", "expected", 91), ["std/iso42001/a.6.2.8", "std/future-ai/traceability-5"], "failed"),
        (put("stop", "metrics.0.value", "130"), ["std/nist-ai-rmf/manage-2.4"], "failed"),
        (put("team", "metrics", [{"name": "agreement", **RATE}]), ["std/nist-ai-600-1/human-ai"], "gap"),
        (put("test data", "leakage.shared", 2), ["std/tripod-ai/12a"], "failed"),
        (put("training data", "columns.0.missing", None), ["std/tripod-ai/11"], "insufficient"),
        (put("results", "metrics", BY_GROUP), ["std/tripod-ai/12d", "std/tripod-ai/23b"], "gap"),
        (put("accuracy checklist", "statements", stated("1")), ["std/stard-ai/all"], "insufficient"),
        (put("card", "figures.0.value", "0.86"), ["std/chai-amc/metric-usefulness"], "failed"),
        (put("card", "statements", stated(*CARD[1:])), ["std/chai-amc/basic-info"], "gap"),
        (put("sheet", "figures.0.value", "0.86"), ["onc/hti1/b.7.i"], "failed"),
        (put("description", "description.decision_role", None), ["onc/hti1/b.2.iv"], "insufficient"),
        (put("risks", "hazards.6.category", "other"), ["onc/hti1/vi"], "gap"),
        (put("audit", "status", "draft"), ["std/iso42001/9", "std/future-ai/traceability-4"], "insufficient"),
    ],
)  # fmt: skip
def test_what_an_assessor_would_refuse_is_refused(change: Change, rows: list[str], verdict: str) -> None:
    for row in rows:
        found = findings(change, row)[row]
        assert verdict in [need.verdict.value for need in found.needs], (row, [need.reason for need in found.needs])


def test_what_never_happened_is_asked_and_is_no_gap() -> None:
    def quiet(records: dict[str, Json]) -> None:
        for title in ("incident", "complaint", "corrective action", "change", "patch"):
            without(title)(records)

    found = findings(quiet)
    for row in ("iec62304/7.4", "iec62304/8.2", "iec62304/8.3", "iec62304/9", "iso42001/10", "nist-ai-rmf/manage-4.3"):
        assert (found[f"std/{row}"].finding, found[f"std/{row}"].ask_open) == (Verdict.UNDETERMINED, True)
