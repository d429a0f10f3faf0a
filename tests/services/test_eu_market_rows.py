"""The AI Act's rows on conformity, registration, retention and incidents against one true story, and what breaks it."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.cases import SYSTEM, Json, sha
from support.story import Change, authored, held, put, without

from compliance.core.assessment import Validators, assess
from compliance.core.findings import Finding, NeedVerdict, Thing
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
STORY = Path(__file__).with_name("eu_market_story.yaml")
VALIDATORS = Validators()
SIGNERS = {"reviewed": "reviewer", "approved": "approver"}
ROWS = (
    "art-13.3.b.i", "art-16.f", "art-16.g", "art-16.l", "art-18.1.b", "art-18.1.e", "art-19.1", "art-20.2", "art-21.2",
    "art-26.2", "art-26.5.incident", "art-26.6", "art-43.3.qms", "art-43.3.sectoral", "art-44.2", "art-44.3",
    "art-47.1", "art-47.2", "art-47.3", "art-47.4", "art-49.1", "art-73.1", "art-73.2", "art-73.4", "art-73.5",
    "art-73.6", "art-73.10", "art-3.49", "annex-iv.8", "annex-v.1", "annex-v.3", "annex-v.5", "annex-v.7", "annex-v.8",
    "annex-vii.5", "annex-viii.a.1", "annex-viii.a.4", "annex-viii.a.5", "annex-viii.a.7", "annex-viii.a.12",
)  # fmt: skip
RISKS: Json = {
    "kind": "risk-file", "title": "risks", "name": "risks@2", "model": "clinical-risk@2",
    "intended_use": "Estimates a risk", "plan": {"scope": "All of it"},
    "overall": {"acceptable": True, "conclusion": "Acceptable"},
    "matrix": {
        "severity": [{"rank": rank, "name": str(rank), "meaning": "harm"} for rank in (1, 2)],
        "probability": [{"rank": rank, "name": str(rank), "meaning": "often"} for rank in (1, 2)],
        "cells": [{"severity": s, "probability": p, "acceptability": "acceptable"} for s in (1, 2) for p in (1, 2)],
    },
    "hazards": [{
        "id": "H1", "hazard": "Missed", "hazardous_situation": "No flag", "harm": "Late", "controls": [],
        "no_control": "None is needed", "before": {"severity": 1, "probability": 1},
        "after": {"severity": 1, "probability": 1}, "acceptability": "acceptable",
    }],
}  # fmt: skip


@cache
def told() -> dict[str, Json]:
    return {**authored(STORY), "risks": RISKS}


def findings(change: Change | None = None) -> dict[str, Finding]:
    records = copy.deepcopy(told())
    if change:
        change(records)
    signed: list[tuple[str, Any]] = [(title, {"meaning": "approved"}) for title in records if title == "declaration"]
    evidence = held(records, signed, SIGNERS)
    profile = records["system"]["profile"]
    catalog = catalogs.load("eu-ai-act")
    found = assess([catalog], evidence, profile, system=SYSTEM, model=MODEL, on="2026-12-31", validators=VALIDATORS)
    return {one.requirement.id.removeprefix("eu-ai-act/"): one for one in found.findings}


@cache
def true() -> dict[str, Finding]:
    return findings()


@pytest.mark.parametrize("row", ROWS)
def test_the_true_story_answers_every_need(row: str) -> None:
    needs = true()[row].needs
    assert needs
    assert [need for need in needs if need.verdict is not NeedVerdict.PASSED] == []


@pytest.mark.parametrize(
    ("row", "change", "verdict"),
    [
        ("art-13.3.b.i", put("instructions", "intended_purpose", "Diagnoses"), "failed"),
        ("art-13.3.b.i", put("risks", "intended_use", "Diagnoses"), "failed"),
        ("art-16.f", put("notified body", "issued_on", "2026-11-21"), "failed"),
        ("art-16.f", put("declaration", "issued_on", "2026-11-21"), "failed"),
        ("art-16.f", put("version", "release_date", None), "insufficient"),
        ("art-16.g", put("declaration", "status", "withdrawn"), "failed"),
        ("art-16.l", put("accessibility", "tasks.0.successes", 11), "failed"),
        ("art-18.1.b", put("retention", "retention_years", 9), "insufficient"),
        ("art-18.1.b", put("retention", "status", "draft"), "insufficient"),
        ("art-18.1.b", put("retention", "clauses.0.requirement", "eu-ai-act/art-17.1.k"), "gap"),
        ("art-19.1", put("events", "retention_days", 90), "insufficient"),
        ("art-26.2", put("overseers", "functions.0.trained", 3), "failed"),
        ("art-43.3.sectoral", put("notified body", "status", "suspended"), "failed"),
        ("art-44.2", put("notified body", "valid_until", "2032-11-01"), "failed"),
        ("art-44.3", put("notified body", "status", "suspended"), "failed"),
        ("art-47.1", put("declaration text", "identifiers", None), "insufficient"),
        ("annex-v.1", put("declaration text", "identifiers.udi", "00810001-1"), "failed"),
        ("annex-v.1", put("version", "udi", None), "insufficient"),
        ("art-47.2", put("declaration", "standards", None), "insufficient"),
        ("art-47.3", put("declaration", "laws", ["AI Act"]), "insufficient"),
        ("art-49.1", put("registration", "status", "refused"), "failed"),
        ("art-49.1", put("registration", "contents.3.answers", ["eu-ai-act/annex-viii.a.13"]), "insufficient"),
        ("art-73.1", put("serious", "reports.1.reference", None), "insufficient"),
        ("art-73.1", put("death", "reportability", None), "insufficient"),
        ("art-73.2", put("serious", "first_reported_on", None), "insufficient"),
        ("art-73.2", put("serious", "became_aware_at", "2026-10-31T08:00:00Z"), "failed"),
        ("art-73.4", put("death", "became_aware_at", "2026-10-31T08:00:00Z"), "failed"),
        ("art-73.5", put("serious", "reports.1.sent", "2027-01-02"), "failed"),
        ("art-73.5", put("death", "reports.1.kind", "follow-up"), "insufficient"),
        ("art-73.6", put("serious", "system_preserved", False), "failed"),
        ("art-73.10", put("serious", "reports.1.rule", None), "insufficient"),
        ("art-73.10", put("death", "limb", None), "insufficient"),
        ("art-3.49", put("death", "limb", None), "insufficient"),
        ("annex-v.3", put("declaration text", "answers", ["eu-ai-act/annex-v.5"]), "gap"),
        ("annex-vii.5", put("audit", "date", "2026-10-16"), "failed"),
        ("annex-viii.a.4", put("registration", "identifiers.model", "clinical"), "failed"),
        ("annex-viii.a.5", put("registration", "intended_purpose", "Diagnoses"), "failed"),
        ("annex-viii.a.12", put("registration", "contents.7.answers", ["eu-ai-act/annex-viii.a.11"]), "gap"),
    ],
)
def test_what_a_reviewer_would_refuse_is_refused(row: str, change: Change, verdict: str) -> None:
    assert verdict in [need.verdict.value for need in findings(change)[row].needs]


def test_without_an_incident_the_clocks_ask_only_whether_there_was_none() -> None:
    def peaceful(records: dict[str, Json]) -> None:
        without("serious")(records)
        without("death")(records)

    found = findings(peaceful)
    for row in ("art-73.1", "art-73.2", "art-73.4", "art-73.6", "art-20.2"):
        assert (found[row].finding.value, found[row].needs, found[row].ask_open) == ("undetermined", (), True)
