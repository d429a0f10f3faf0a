"""FDA's draft guidance on AI-enabled devices against one true story of a device that flags chest radiographs.

The story answers every need of the catalog; each thing that a reviewer would refuse then takes the answer away, and a
document that speaks of something else carries nothing.
"""

import json
from functools import cache
from pathlib import Path

import pytest
from support.cases import SYSTEM, Json, sha
from support.story import Change, authored, held, open_needs, put, without

from compliance.core.assessment import Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.evidence import Evidence
from compliance.core.findings import Finding, NeedVerdict, Thing, Verdict
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
PROFILE: Json = {"roles": ["manufacturer"], "markets": ["US"], "us": {"pathway": "510(k)"}}
VALIDATORS = Validators()
STORY = Path(__file__).with_name("fda_aidsf_story.yaml")
MACHINE_ALONE = {"fda/aidsf/validation.performance"}
"""Rows without a question: a criterion fixed beforehand is met on independent data, or it is not."""

LABEL = (
    "ai-inclusion", "model-input", "input-preparation", "model-output", "automation", "architecture", "installation",
    "format",
)  # fmt: skip
IF_ANY = ("monitoring", "customization", "visualizations", "patients")
"""What a label tells only where there is something to tell."""
THREATS = (
    "data-poisoning", "model-inversion-or-stealing", "evasion", "data-leakage", "overfitting", "bias-manipulation",
    "performance-drift",
)  # fmt: skip
INTERVAL: Json = {"ci_low": "0.79", "ci_high": "0.90"}
BY_SEX: Json = {"ci_low": "0.76", "ci_high": "0.91"}
FIGURES: list[Json] = [
    {"name": "sensitivity", "value": "0.85", **INTERVAL},
    *({"name": "sensitivity", "value": "0.85", **BY_SEX, "group": {"sex": sex}} for sex in ("F", "M")),
    {"name": "rows", "value": "900", "dataset": "train@2"},
]
DATA: Json = {
    "kind": "dataset", "rows": 900, "unit_of_analysis": "person", "source": "hospitals", "origin": "retrospective",
    "sites": [{"name": name, "country": "US", "n": 300, "development": False} for name in ("A", "B", "C")],
    "period": {"start": "2020-01-01", "end": "2022-12-31"}, "inclusion": ["adults"], "exclusion": ["no lung"],
    "population": "adults", "limitations": ["adults only"], "quality_assurance": "suite", "equipment": ["CR", "DR"],
    "quality": [{"suite": "s", "tool": "t", "tool_version": "1", "success": True, "evaluated": 1, "successful": 1,
                 "expectations": [{"expectation": "e", "success": True}]}],
    "composition": [{"group": {"sex": "F"}, "n": 450}, {"group": {"sex": "M"}, "n": 450}],
    "columns": [{"name": "image", "type": "DICOM", "missing": 0}], "split_method": "by patient, seed 0",
    "preparation": [{"step": "scaled", "same_in_product": True}],
    "representativeness": {"target_population": "adults", "statement": "as admitted", "diversity": "every district"},
    "annotation": {"reference_standard": "CT", "uncertainty": "few", "protocol": "p", "annotators": 3,
                   "qualification": "radiologists", "blinded": True, "adjudication": "third reader",
                   "agreement": "0.9", "agreement_metric": "cohen_kappa", "quality_checks": "tenth read twice"},
    "known_gaps": [{"gap": "children", "consequence": "not to be used"}],
    "access": {"storage": "versioned", "controls": "by role"},
}  # fmt: skip
DOCUMENTS: dict[str, Json] = {
    "label": {"document_type": "labelling", "audience": "radiologists", "figures": FIGURES,
              "identifiers": {"udi": "00810001-2"},
              "answers": [f"fda/aidsf/labeling.{part}" for part in (*LABEL, *IF_ANY)],
              "traces": [{"items": "limitations", "to": "labelling", "total": 3, "untraced": 0}]},
    "directions": {"document_type": "instructions-for-use", "answers": ["fda/aidsf/device-description.calibration"]},
    "screens": {"document_type": "user-interface", "audience": "radiologists",
                "answers": ["fda/aidsf/ui.sequence", "fda/aidsf/ui.output-examples", "fda/aidsf/transparency.design"],
                "statements": [{"statement": "a flag", "where": "1"}, {"statement": "no answer", "where": "2"}]},
    "study protocol": {"document_type": "study-protocol"},
    "test report": {"document_type": "test-report",
                    "testing": [{"level": "system", "run": 9, "passed": 8, "justified": 1, "unresolved": 0}]},
    "security views": {"document_type": "architecture", "answers": ["fda/aidsf/cyber.security-use-case"]},
    "threats": {"document_type": "technical-report", "answers": ["fda/aidsf/cyber.threats"], "topics": list(THREATS),
                "traces": [{"items": "threats", "to": "risk-controls", "total": 9, "untraced": 0}]},
    "public summary": {"document_type": "public-summary", "figures": FIGURES,
                       "answers": [f"fda/aidsf/summary.{part}" for part in ("ai-statement", "model-class", "updates")]},
    "model card": {"document_type": "model-card", "figures": FIGURES[:3],
                   "answers": [f"fda/aidsf/model-card.{part}" for part in ("device", "description", "risk",
                                                                          "development")]},
}  # fmt: skip
PROCEDURES = ("design-control", "maintenance", "communication", "incident-reporting")
APPROVED = ("criteria", "risks", "study protocol")
REVIEWED = ("test report", "public summary")


def story() -> dict[str, Json]:
    """Return every record by its title, in the order of their place in the ledger."""
    data: dict[str, Json] = {
        "training data": {**DATA, "name": "train@2", "sha256": sha("train"), "role": "train"},
        "tuning data": {**DATA, "name": "tune@2", "sha256": sha("tune"), "role": "tune"},
        "test data": {
            **DATA, "name": "test@2", "sha256": sha("test"), "role": "test", "independence": "other hospitals",
            "overlaps": [{"dataset": "train@2", "level": "patient", "shared": 0},
                         {"dataset": "tune@2", "level": "record", "shared": 0}],
            "leakage": {"datasets": 2, "not_comparable": 0, "shared": 0},
            "access": {"storage": "versioned", "controls": "by role", "sequestration": "kept by the statistician",
                       "first_test_access": "2026-11-20T12:00:00Z"},
        },
    }  # fmt: skip
    papers: dict[str, Json] = {
        title: {
            "kind": "document", "name": f"{title.replace(' ', '-')}@1", "model": "clinical-risk@2", "revision": "1",
            "date": "2026-11-20", "status": "released", "statements": [{"statement": "s", "where": "1"}], **said,
        }
        for title, said in DOCUMENTS.items()
    }  # fmt: skip
    papers["study protocol"].pop("model")
    first = {"study protocol": papers.pop("study protocol")}
    for topic in PROCEDURES:
        papers[topic] = {
            "kind": "procedure", "topic": topic, "number": topic, "revision": "1", "purpose": "p", "status": "released",
            "effective_from": "2026-01-01", "steps": ["s"], "records_kept": ["k"],
            "clauses": [{"requirement": "21 CFR 820"}],
        }  # fmt: skip
    told = {**data, **first, **authored(STORY), **papers}
    return {title: copied(record, title) for title, record in told.items()}


def copied(record: Json, title: str) -> Json:
    return {"title": title, **json.loads(json.dumps(record))}


def on_record(records: dict[str, Json], signed: bool = True) -> list[Evidence]:
    acts = [(title, {"meaning": "approved"}) for title in APPROVED if title in records]
    acts += [(title, {"meaning": "reviewed"}) for title in REVIEWED if title in records]
    return held(records, acts if signed else [], {"approved": "approver", "reviewed": "reviewer"})


@cache
def shipped() -> Catalog:
    return catalogs.load("fda-aidsf")


class _Verified:
    ok, checked = True, 1


def findings(pieces: list[Evidence], only: str | None = None) -> dict[str, Finding]:
    rows = tuple(row for row in shipped().requirements if only in (None, row.id))
    found = assess([shipped().model_copy(update={"requirements": rows})], pieces, PROFILE, system=SYSTEM, model=MODEL,
                   on="2026-11-24", validators=VALIDATORS, ledger=_Verified())  # fmt: skip
    return {one.requirement.id: one for one in found.findings}


def test_the_true_story_answers_every_need_and_leaves_only_what_a_person_must_decide() -> None:
    found = findings(on_record(story()))
    assert open_needs(found) == {}
    assert {row for row, one in found.items() if one.finding is not Verdict.UNDETERMINED} == MACHINE_ALONE


INSUFFICIENT, FAILED, GAP, STALE = NeedVerdict.INSUFFICIENT, NeedVerdict.FAILED, NeedVerdict.GAP, NeedVerdict.STALE
REFUSED: list[tuple[str, Change, NeedVerdict]] = [
    ("device-description.ai-statement", put("description", "description.ai_function", None), INSUFFICIENT),
    ("device-description.calibration", put("directions", "statements", [{"statement": "s"}]), INSUFFICIENT),
    ("device-description.operating-points", put("results", "threshold", None), INSUFFICIENT),
    ("ui.output-examples", put("screens", "statements", [{"statement": "one", "where": "1"}]), INSUFFICIENT),
    *((f"labeling.{part}", put("label", "answers", ["fda/aidsf/labeling.none"]), GAP) for part in LABEL),
    *((f"labeling.{part}", put("label", "statements", [{"statement": "s"}]), INSUFFICIENT) for part in IF_ANY),
    ("labeling.ai-inclusion", put("label", "status", "draft"), INSUFFICIENT),
    ("labeling.ai-inclusion", put("label", "model", "clinical-risk@1"), STALE),
    ("labeling.model-output", put("comprehension", "metrics.0.x", 20), FAILED),
    ("labeling.development-data", put("label", "figures.3.value", "901"), FAILED),
    ("labeling.performance-data", put("label", "figures.0.value", "0.87"), FAILED),
    ("labeling.metrics", put("label", "figures.0", {"name": "sensitivity", "value": "0.85"}), FAILED),
    ("labeling.metrics", put("label", "figures.0.ci_low", "0.81"), FAILED),
    ("labeling.subgroups", put("label", "figures", FIGURES[:1]), INSUFFICIENT),
    ("labeling.operating-points", put("results", "threshold", None), INSUFFICIENT),
    ("labeling.limitations", put("label", "traces.0.untraced", 1), FAILED),
    ("labeling.udi", put("earlier version", "udi", "00810001-2"), FAILED),
    ("labeling.udi", put("label", "identifiers.udi", "00810001-1"), FAILED),
    ("risk.lifecycle", put("risks", "hazards.0.affected", None), INSUFFICIENT),
    ("risk.controls-ui", put("risks", "hazards.0.controls.0", {"id": "C1", "type": "information", "measure": "m",
                                                                "verification_pending": "soon"}), FAILED),
    ("data.quality", put("test data", "quality.0", {"suite": "s", "tool": "t", "tool_version": "1", "success": False,
                                                    "evaluated": 1, "successful": 0, "expectations": [
                                                        {"expectation": "e", "success": False}]}), FAILED),
    ("data.size", put("test data", "unit_of_analysis", None), INSUFFICIENT),
    ("data.test-processing", put("results", "protocol.preprocessing_sha256", sha("other")), FAILED),
    ("data.reference-clinicians", put("test data", "annotation.blinded", False), FAILED),
    ("data.reference-clinicians", put("test data", "annotation.agreement", None), INSUFFICIENT),
    ("data.splits", put("test data", "leakage.shared", 3), FAILED),
    ("data.splits", put("test data", "overlaps.0.level", "record"), GAP),
    ("data.sequestration", put("test data", "access.first_test_access", "2026-11-20T10:00:00Z"), FAILED),
    ("data.representativeness", put("test data", "sites", DATA["sites"][:1]), INSUFFICIENT),
    ("data.subgroup-analysis", put("results", "metrics.2", {"name": "specificity", "x": 90, "n": 100}), INSUFFICIENT),
    ("data.subgroup-analysis", put("results", "plan", None), INSUFFICIENT),
    ("model.input-qc", put("input checks", "metrics.1.group", {"sex": "F", "age": "old"}), INSUFFICIENT),
    ("model.tuning-evaluation", without("tuning"), INSUFFICIENT),
    ("model.calibration", without("calibration"), GAP),
    ("validation.performance", put("results", "metrics.0.x", 140), FAILED),
    ("validation.performance", put("results", "dataset", "tune@2"), INSUFFICIENT),
    ("validation.performance", put("results", "started_at", "2026-11-20T09:00:00Z"), INSUFFICIENT),
    ("validation.performance", put("test data", "leakage.shared", 1), FAILED),
    ("validation.robustness", put("robustness", "metrics.0.x", 9), FAILED),
    ("validation.human-ai-team", put("team study", "metrics.0.ci_low", "-0.01"), FAILED),
    ("validation.human-ai-team", put("team study", "metrics.0", {"name": "sensitivity", "x": 170, "n": 200}), GAP),
    ("validation.version-recording", put("versions per case", "entries", 399), FAILED),
    ("validation.version-recording", put("versions per case", "events.0.fields", ["case"]), GAP),
    ("validation.masking", put("results", "ground_truth.masked_from_model", False), FAILED),
    ("validation.deviations", put("results", "protocol.unclassified_deviations", 2), FAILED),
    ("validation.deviations", put("results", "protocol.unclassified_deviations", None), INSUFFICIENT),
    ("validation.sample-size", put("results", "protocol.planned_n", 401), FAILED),
    ("validation.results", put("results", "metrics.0.name", "specificity"), INSUFFICIENT),
    ("validation.repeatability", put("precision", "metrics.0", {"name": "agreement", "x": 199, "n": 200}), GAP),
    ("validation.no-post-hoc", put("version", "frozen_at", "2026-11-20T13:00:00Z"), FAILED),
    ("validation.software-vv", put("test report", "testing.0",
                                    {"level": "system", "run": 9, "passed": 8, "justified": 0, "unresolved": 1}),
     FAILED),
    ("usability.evaluation", put("critical tasks", "metrics.0.x", 20), FAILED),
    ("monitoring.performance-change", put("monitoring plan", "indicators.0.alert", None), INSUFFICIENT),
    ("monitoring.performance-change", put("monitoring report", "reported_on", "2026-10-16"), FAILED),
    ("monitoring.causes", put("monitoring plan", "indicators.3.cause", "complaints"), GAP),
    ("monitoring.updates", put("change", "decisions", None), INSUFFICIENT),
    ("monitoring.reporting-duties", put("monitoring report", "alerts.0.reportable", None), FAILED),
    ("cyber.testing", put("penetration test", "findings.0.status", "open"), FAILED),
    ("cyber.testing", put("penetration test", "techniques", ["fuzzing"]), GAP),
    ("cyber.threats", put("threats", "topics.6", "something"), GAP),
    ("cyber.threats", put("threats", "traces.0.untraced", 1), FAILED),
    ("cyber.security-use-case", put("security views", "answers", ["x"]), GAP),
    ("summary.ai-statement", put("public summary", "answers", ["x"]), GAP),
    ("summary.datasets", put("public summary", "figures.3.value", "901"), FAILED),
    ("summary.confidence", put("public summary", "figures.0", {"name": "sensitivity", "value": "0.85"}), FAILED),
    ("summary.redaction", put("redaction", "failed", 1), FAILED),
    ("summary.redaction", without("redaction"), GAP),
    ("model-card.performance", put("model card", "figures.0.value", "0.87"), FAILED),
]  # fmt: skip


@pytest.mark.parametrize(("row", "change", "verdict"), REFUSED, ids=[f"{n}:{one[0]}" for n, one in enumerate(REFUSED)])
def test_what_a_reviewer_would_refuse_is_refused(row: str, change: Change, verdict: NeedVerdict) -> None:
    records, name = story(), f"fda/aidsf/{row}"
    change(records)
    verdicts = {need.verdict for need in findings(on_record(records), name)[name].needs}
    assert verdict in verdicts, verdicts


@pytest.mark.parametrize("part", IF_ANY)
def test_a_draft_tells_nothing_where_a_label_need_not_say_it(part: str) -> None:
    records, name = story(), f"fda/aidsf/labeling.{part}"
    put("label", "status", "draft")(records)
    assert "label" not in {need.need for need in findings(on_record(records), name)[name].needs}


@pytest.mark.parametrize("row", ["validation.robustness", "validation.performance", "validation.human-ai-team"])
def test_a_failure_that_is_hardly_described_is_not_hidden_by_a_success_that_is(row: str) -> None:
    records = story()
    failures: dict[str, Json] = {
        "first robustness": {"kind": "safety-result", "category": "robustness", "plan": "criteria-safety@1",
                             "metrics": [{"name": "failure_rate", "x": 9, "n": 100}]},
        "first results": {"kind": "evaluation", "dataset": "test@2", "plan": "criteria@1",
                          "metrics": [{"name": "sensitivity", "x": 140, "n": 200}]},
        "first team study": {**records["team study"], "participants": {"n": 12, "profile": "students"},
                             "metrics": [{**records["team study"]["metrics"][0], "ci_low": "-0.01"}]},
    }  # fmt: skip
    for title, record in failures.items():
        told = {"model": "clinical-risk@2", "started_at": "2026-11-20T12:00:00Z", **record, "title": title}
        records = {**dict(list(records.items())[:-1]), title: told, **dict(list(records.items())[-1:])}
    name = f"fda/aidsf/{row}"
    assert FAILED in {need.verdict for need in findings(on_record(records), name)[name].needs}


@pytest.mark.parametrize("title", ["model card", "dropped cases", "change", "monitoring report", "directions"])
def test_what_is_optional_or_has_not_happened_is_no_gap(title: str) -> None:
    records = story()
    del records[title]
    found = findings(on_record(records))
    assert [row for row, one in found.items() if one.finding not in (Verdict.UNDETERMINED, Verdict.MET)] == []


@pytest.mark.parametrize("row", [row.id for row in shipped().requirements if any(n.approved for n in row.needs)])
def test_what_nobody_signed_does_not_count(row: str) -> None:
    assert INSUFFICIENT in {need.verdict for need in findings(on_record(story(), signed=False), row)[row].needs}
