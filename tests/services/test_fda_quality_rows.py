"""FDA's rows on submissions, electronic records, the quality system and PDF files against one true story.

The story is what a manufacturer has on record whose device is on the market, told once for each route to it. It answers
every need of the four catalogs; each thing that an investigator would refuse then takes the answer away.
"""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.cases import SYSTEM, Json, sha
from support.story import Change, authored, held, open_needs, put, without

from compliance.core.assessment import Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.evidence import Evidence
from compliance.core.findings import Finding, NeedVerdict, Thing, Verdict
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
VALIDATORS = Validators()
OURS = ("fda-submissions", "fda-part-11", "fda-qmsr", "fda-estar")
ROUTES = ("510(k)", "De Novo", "PMA")
STORY = Path(__file__).with_name("fda_quality_story.yaml")

SOUND: Json = {
    "bytes": "900000", "pages": 12, "pdf_version": "1.7", "encrypted": False, "restricted": False, "embedded_files": 0,
    "active_items": 0, "annotations": 0, "searchable": True, "fonts_embedded": True, "bookmarks": 4, "broken_links": 0,
    "initial_view": "bookmarks-and-page", "pages_as_numbered": True, "fits_letter": True, "upright": True,
    "linearized": True,
}  # fmt: skip
PLACES = (
    ("device-description", "Device Description", "Device Description"),
    ("software-description", "Software/Firmware", "Software Description"),
    ("software-testing", "Software/Firmware", "Software Testing"),
    ("risk-management", "Software/Firmware", "Risk Management File"),
    ("labeling", "Labeling", "Labeling"),
    ("performance", "Performance Testing", "Clinical"),
    ("cybersecurity", "Cybersecurity/Interoperability", "Management"),
    ("summary", "Administrative Documentation", "510(k) Summary"),
)
LABELS: Json = {"identifiers": {"udi": "00810001-2", "us_status": "cleared"}}
DOCUMENTS: dict[str, Json] = {
    "label": {"document_type": "labelling", **LABELS},
    "directions": {"document_type": "instructions-for-use", **LABELS},
    "specification": {"document_type": "design-specification"},
    "protocol": {"document_type": "study-protocol"},
    "report": {"document_type": "study-report"},
    "management review": {"document_type": "management-review", "due_on": "2026-11-30"},
    "audit": {"document_type": "audit-report", "due_on": "2026-11-30"},
    "design plan": {"document_type": "plan", "answers": ["fda/iso13485/7.3.2"]},
    "design review": {"document_type": "other", "answers": ["fda/iso13485/7.3.5"], "due_on": "2026-11-30"},
    "device file": {"document_type": "register", "answers": ["fda/iso13485/4.2.3"], **LABELS},
    "design file": {"document_type": "register", "answers": ["fda/iso13485/7.3.10"],
                    "traces": [{"items": "requirements", "to": "verification", "total": 9, "untraced": 0}]},
    "clause map": {"document_type": "register", "answers": ["fda/qmsr/820.10.a"]},
    "control matrix": {"document_type": "register", "answers": ["fda/part11/11.10", "fda/part11/11.1.e"]},
    "closed system": {"document_type": "other", "answers": ["fda/part11/11.3"],
                      "identifiers": {"record_system": "closed"}},
    "comparison": {"document_type": "technical-report",
                   "answers": ["fda/cfr-807.87.f", "fda/cfr-807.92.a.6", "fda/cfr-807.92.d", "fda/cfr-814.20.b.3",
                               "fda/cfr-814.20.b.7-8", "fda/cfr-860.220.a.8", "fda/cfr-860.220.a.9"]},
}  # fmt: skip
PROCEDURES = (
    "record-keeping", "computer-system-validation", "identity-and-signature", "accountability", "document-control",
    "design-control", "incident-reporting", "communication", "cybersecurity",
)  # fmt: skip
CONTROLS = (
    "access", "authority", "order-of-steps", "input-source", "tampering", "copies", "backup-and-restore", "retrieval",
    "signature-display", "signature-transfer", "signing-components", "signing-session", "session-timeout",
    "separation-of-duties", "credential-uniqueness", "credential-review", "credential-loss", "credential-misuse",
    "tokens", "identity-check", "encryption",
)  # fmt: skip
APPROVED = (
    "premarket notification", "De Novo request", "results", "risks", "version", "change", "assured software", "label",
    "specification", "management review", "audit", "design plan", "clause map", "control matrix", "closed system",
    "record-keeping", "computer-system-validation", "accountability", "identity-and-signature", "document-control",
    "design-control", "incident-reporting",
)  # fmt: skip
REVIEWED = ("label", "results", "design review")
SHOWN: Json = {"printed_name": "Ada Example", "utc_offset": "+01:00"}


def pdf(number: int, name: str, section: str, field: str) -> Json:
    sent = {"name": f"{number:03d}_{name}.pdf", "sha256": sha(name), "volume": "VOL_001", **SOUND}
    return {**sent, "section": section, "field": field, "answers": ["fda/cfr-807.92.c"] if name == "summary" else []}


def story() -> dict[str, Json]:
    """Return every record by its title."""
    records = authored(STORY)
    mapped = [pdf(number, *place) for number, place in enumerate(PLACES, 1)]
    records["premarket notification"]["files"] = mapped
    records["De Novo request"] |= {
        "files": copy.deepcopy(mapped),
        "contents": [{"name": f"item {n}", "answers": [f"21 CFR 860.220(a)({n})"]} for n in range(1, 20)],
    }
    records["approval application"]["files"] = [pdf(1, "application", "Volume", "1")]
    records["electronic dossier"]["files"] = [{"name": "study-report.pdf", "sha256": sha("s"), **SOUND}]
    for title, said in DOCUMENTS.items():
        records[title] = {
            "kind": "document", "name": f"{title.replace(' ', '-')}@1", "model": "clinical-risk@2", "number": "D",
            "revision": "1", "date": "2026-11-20", "status": "released",
            "statements": [{"statement": "s", "where": "1"}], **copy.deepcopy(said),
        }  # fmt: skip
    for topic in PROCEDURES:
        records[topic] = {
            "kind": "procedure", "topic": topic, "number": topic, "revision": "1", "purpose": "p", "scope": "s",
            "status": "released", "effective_from": "2026-01-01", "next_review": "2027-01-01", "steps": ["s"],
            "responsibilities": "r", "records_kept": ["k"], "clauses": [{"requirement": "21 CFR 820"}],
            "deadlines": [{"step": "revoke", "days": 1}], "retention_years": 15, "retention_covers_lifetime": True,
        }  # fmt: skip
    for control in CONTROLS:
        records[f"test of {control}"] = {
            "kind": "log", "type": "review" if control == "credential-review" else "test-run", "control": control,
            "description": "d", "events": [{"event": "tried"}], "period": {"start": "2026-11-01", "end": "2026-11-02"},
            "due_on": "2026-11-30", "entries": 7, "expected": 7, "failed": 0, "conclusion": "c",
        }  # fmt: skip
    return {title: {"title": title, **record} for title, record in records.items()}


def on_record(records: dict[str, Json], approved: tuple[str, ...] = APPROVED) -> list[Evidence]:
    signed = [(title, {"meaning": "approved", **SHOWN}) for title in approved if title in records]
    signed += [(title, {"meaning": "reviewed", **SHOWN}) for title in REVIEWED if approved and title in records]
    return held(records, signed, {"approved": "approver", "reviewed": "reviewer"})


@cache
def shipped() -> tuple[Catalog, ...]:
    return tuple(one for one in catalogs.available() if one.id in OURS)


class _Verified:
    ok, checked = True, 1


def findings(pieces: list[Evidence], route: str, only: str | None = None) -> dict[str, Finding]:
    profile: Json = {"roles": ["manufacturer"], "markets": ["US"], "us": {"pathway": route}}
    wanted = []
    for catalog in shipped():
        rows = tuple(row for row in catalog.requirements if only in (None, row.id))
        if rows:
            wanted.append(catalog.model_copy(update={"requirements": rows}))
    found = assess(wanted, pieces, profile, system=SYSTEM, model=MODEL, on="2026-11-24", validators=VALIDATORS,
                   ledger=_Verified())  # fmt: skip
    return {one.requirement.id: one for one in found.findings}


@pytest.mark.parametrize("route", ROUTES)
def test_the_true_story_answers_every_need_and_leaves_only_what_a_person_must_decide(route: str) -> None:
    found = findings(on_record(story()), route)
    assert open_needs(found) == {}
    assert {one.finding for one in found.values()} == {Verdict.UNDETERMINED, Verdict.NOT_APPLICABLE}


HAPPENED = ("incident", "capa", "change")
REPORTS = ("event report", "correction report", "periodic report", "servicing")


@pytest.mark.parametrize("route", ROUTES)
def test_where_nothing_has_happened_yet_nothing_is_missing(route: str) -> None:
    """A device before its first sale has no event, complaint, correction or change to show."""
    records = {
        title: record for title, record in story().items() if record["kind"] not in HAPPENED and title not in REPORTS
    }
    assert len(records) < len(story()) - len(REPORTS)
    found = findings(on_record(records), route)
    assert open_needs(found) == {}
    assert Verdict.MET not in {one.finding for one in found.values()}


def test_every_row_is_reached_by_one_of_the_routes() -> None:
    missed = [findings([], route) for route in ROUTES]
    assert [row for row in missed[0] if all(one[row].finding is Verdict.NOT_APPLICABLE for one in missed)] == []


INSUFFICIENT, FAILED, GAP = NeedVerdict.INSUFFICIENT, NeedVerdict.FAILED, NeedVerdict.GAP
NOTIFICATION, REQUEST, APPLICATION = "premarket notification", "De Novo request", "approval application"
REFUSED: list[tuple[str, Change, NeedVerdict]] = [
    ("fda/cfr-807.87.a", put(NOTIFICATION, "device.trade_name", None), INSUFFICIENT),
    ("fda/cfr-807.87.c", put(NOTIFICATION, "device.class_basis", None), INSUFFICIENT),
    ("fda/cfr-807.87.e", put("directions", "model", "clinical-risk@1"), NeedVerdict.STALE),
    ("fda/cfr-807.87.h", put(NOTIFICATION, "contents.0.answers", ["x"]), GAP),
    ("fda/cfr-807.87.l", put(NOTIFICATION, "statements.truthful_and_accurate.signed", False), FAILED),
    ("fda/cfr-807.92.a.3", put(NOTIFICATION, "predicates", []), INSUFFICIENT),
    ("fda/cfr-807.92.b.2", put("results", "dataset", "train@2"), INSUFFICIENT),
    ("fda/cfr-807.92.c", put(NOTIFICATION, "files.7.answers", []), GAP),
    ("fda/cfr-807.93", put(NOTIFICATION, "statements.safety_information.signed", False), FAILED),
    ("fda/cfr-807.81.a.3", put("change", "approved_on", "2026-11-22"), FAILED),
    ("fda/cfr-807.81.a.3", put("change", "decisions.0.regime", "MDR"), INSUFFICIENT),
    ("fda/cfr-807.97", put("label", "identifiers.us_status", "approved"), FAILED),
    ("fda/cfr-814.39.a", put("change", "approved_on", "2026-11-22"), FAILED),
    ("fda/cfr-814.84", put("periodic report", "submitted_on", "2026-10-02"), FAILED),
    ("fda/cfr-814.20.b.6", put("results", "started_at", "2026-11-20T09:00:00Z"), INSUFFICIENT),
    ("fda/cfr-860.7", put("results", "metrics.0.x", 130), FAILED),
    ("fda/cfr-860.7", put("risks", "overall.acceptable", False), FAILED),
    ("fda/cfr-860.220", put(REQUEST, "contents", [{"name": "all", "answers": ["x"]}]), INSUFFICIENT),
    ("fda/cfr-860.220.a.9", put("risks", "hazards.0.controls.0",
                                {"id": "C", "type": "design", "measure": "m", "verification_pending": "soon"}), FAILED),
    ("fda/cfr-860.220.a.9", put("risks", "model", "clinical-risk@1"), NeedVerdict.STALE),
    ("fda/cfr-803", put("event report", "submitted_on", "2026-08-01"), FAILED),
    ("fda/cfr-803", put("event report", "due_on", "2026-07-09"), FAILED),
    ("fda/cfr-803.18", put("complaint", "retain_until", "2028-07-30"), FAILED),
    ("fda/cfr-806", put("correction report", "submitted_on", "2026-07-17"), FAILED),
    ("fda/cfr-806", put("correction report", "due_on", "2026-07-31"), FAILED),
    ("fda/cfr-806", put("corrective action", "retain_until", "2027-07-01"), FAILED),
    ("fda/part11/11.10.a", put("test of tampering", "failed", 1), FAILED),
    ("fda/part11/11.10.a", put("test of tampering", "entries", 0), INSUFFICIENT),
    ("fda/part11/11.10.a", put("assured software", "assurance.acceptable", False), FAILED),
    ("fda/part11/11.10.c", put("record-keeping", "retention_years", 1), INSUFFICIENT),
    ("fda/part11/11.10.c", without("test of backup-and-restore"), GAP),
    ("fda/part11/11.10.i", put("training on records", "functions.0.trained", 1), FAILED),
    ("fda/part11/11.10.j", put("training on records", "functions.0.acknowledged", 1), FAILED),
    ("fda/part11/11.3", put("closed system", "identifiers.record_system", "hybrid"), FAILED),
    ("fda/part11/11.70", put("test of signature-transfer", "failed", 1), FAILED),
    ("fda/part11/11.100.b", put("test of identity-check", "entries", 6), FAILED),
    ("fda/part11/11.100.c", put("letter on signatures", "statements.electronic_signatures.signed", False), FAILED),
    ("fda/part11/11.100.c", put("letter on signatures", "status", "planned"), INSUFFICIENT),
    ("fda/part11/11.300.b", put("test of credential-review", "due_on", "2026-10-31"), FAILED),
    ("fda/part11/11.300.c", put("identity-and-signature", "deadlines", []), INSUFFICIENT),
    ("fda/part11/11.300.e", put("test of tokens", "period", {"start": "2026-12-01", "end": "2026-12-02"}), FAILED),
    ("fda/qmsr/820.35.a", put("complaint", "complaint.udi", None), INSUFFICIENT),
    ("fda/qmsr/820.35.b", put("servicing", "events.0.fields", ["device", "day"]), INSUFFICIENT),
    ("fda/qmsr/820.35.c", put("version before", "udi", "00810001-2"), FAILED),
    ("fda/qmsr/820.45", put("label", "identifiers.udi", "00810001-1"), FAILED),
    ("fda/iso13485/4.1.6", put("assured software", "assurance.first_used_on", "2026-01-03"), FAILED),
    ("fda/iso13485/4.2.3", put("device file", "identifiers.udi", "00810001-1"), FAILED),
    ("fda/iso13485/4.2.5", put("record-keeping", "retention_covers_lifetime", False), FAILED),
    ("fda/iso13485/5.6", put("management review", "due_on", "2026-11-01"), FAILED),
    ("fda/iso13485/6.2", put("training on the quality system", "functions.0.trained", 2), FAILED),
    ("fda/iso13485/7.3.4", put("version", "frozen_at", "2026-11-22T00:00:00Z"), FAILED),
    ("fda/iso13485/7.3.5", put("design review", "date", "2026-12-01"), FAILED),
    ("fda/iso13485/7.3.6", put("results", "metrics.0.x", 130), FAILED),
    ("fda/iso13485/7.3.7", put("results", "started_at", "2026-11-20T09:00:00Z"), INSUFFICIENT),
    ("fda/iso13485/7.3.9", put("change", "approved_on", "2026-11-22"), FAILED),
    ("fda/iso13485/7.3.10", put("design file", "traces.0.untraced", 1), FAILED),
    ("fda/iso13485/7.5.8", put("version before", "udi", "00810001-2"), FAILED),
    ("fda/iso13485/7.5.9", put("version", "training_data", None), INSUFFICIENT),
    ("fda/iso13485/8.2.2", put("complaint", "closed_on", "2026-09-02"), FAILED),
    ("fda/iso13485/8.2.3", put("event report", "due_on", "2026-07-09"), FAILED),
    ("fda/iso13485/8.2.4", put("audit", "due_on", "2026-11-01"), FAILED),
    ("fda/iso13485/8.4", put("monitoring report", "reported_on", "2026-10-16"), FAILED),
    ("fda/iso13485/8.4", put("monitoring plan", "indicators.0.action", None), INSUFFICIENT),
    ("fda/iso13485/8.5.2", put("corrective action", "status", "closed-not-effective"), FAILED),
    ("fda/iso13485/8.5.3", put("preventive action", "effectiveness_evidence", None), INSUFFICIENT),
    ("fda/estar/format", put(NOTIFICATION, "files.0.section", "Appendix"), FAILED),
    ("fda/estar/format", put(NOTIFICATION, "format", "ecopy"), FAILED),
    ("fda/estar/aidsf-map", put(NOTIFICATION, "files.3.section", "Annex"), FAILED),
    ("fda/pdf/ecopy-size", put(NOTIFICATION, "files.1.bytes", "50000001"), FAILED),
    ("fda/pdf/ecopy-naming", put(APPLICATION, "files.0.name", "application.pdf"), FAILED),
    ("fda/pdf/ecopy-protection", put(NOTIFICATION, "files.0.embedded_files", 1), FAILED),
    ("fda/pdf/ecopy-searchable", put(NOTIFICATION, "files.0.searchable", False), FAILED),
    ("fda/pdf/ecopy-total", put(NOTIFICATION, "package.bytes", "4000000000"), FAILED),
    ("fda/pdf/ecopy-other-files", put(APPLICATION, "other_files.0.holds_pdf", True), FAILED),
    ("fda/pdf/ecopy-cover-letter", put(APPLICATION, "statements.cover_letter.signed", False), FAILED),
    ("fda/pdf/version", put(NOTIFICATION, "files.0.pdf_version", "2.0"), FAILED),
    ("fda/pdf/no-active-content", put(NOTIFICATION, "files.0.active_items", 1), FAILED),
    ("fda/pdf/no-security", put(NOTIFICATION, "files.0.restricted", True), FAILED),
    ("fda/pdf/fonts", put(NOTIFICATION, "files.0.fonts_embedded", False), FAILED),
    ("fda/pdf/navigation", put(NOTIFICATION, "files.0.broken_links", 2), FAILED),
    ("fda/pdf/initial-view", put(NOTIFICATION, "files.0.initial_view", "other"), FAILED),
    ("fda/pdf/page-numbering", put(NOTIFICATION, "files.0.pages_as_numbered", False), FAILED),
    ("fda/pdf/naming", put("electronic dossier", "files.0.name", "Study report.pdf"), FAILED),
    ("fda/pdf/linearized", put(NOTIFICATION, "files.0.linearized", False), FAILED),
    ("fda/pdf/ectd-size-name", put("electronic dossier", "files.0.bytes", "400000001"), FAILED),
]  # fmt: skip


def verdicts(records: dict[str, Json], row: str, approved: tuple[str, ...] = APPROVED) -> set[NeedVerdict]:
    pieces = on_record(records, approved)
    found = (findings(pieces, route, row)[row] for route in ROUTES)
    return {need.verdict for one in found if one.finding is not Verdict.NOT_APPLICABLE for need in one.needs}


@pytest.mark.parametrize(("row", "change", "verdict"), REFUSED, ids=[f"{n}:{one[0]}" for n, one in enumerate(REFUSED)])
def test_what_an_investigator_would_refuse_is_refused(row: str, change: Change, verdict: NeedVerdict) -> None:
    records = story()
    change(records)
    assert verdict in verdicts(records, row)


def _asks_approval() -> list[Any]:
    rows = [row for catalog in shipped() for row in catalog.requirements]
    return [row.id for row in rows if any(need.approved for need in row.needs)]


@pytest.mark.parametrize("row", _asks_approval())
def test_what_nobody_approved_does_not_count(row: str) -> None:
    assert INSUFFICIENT in verdicts(story(), row, ())
