"""Every kind: a small true record is accepted and survives; its cross-field rules refuse what cannot be."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from compliance.core.envelope import load_public_key
from compliance.core.evidence import Source, SourceBasis
from compliance.errors import InvalidInput
from compliance.kinds import content_model, kinds
from compliance.kinds.authoring import draft
from compliance.kinds.base import recorded
from compliance.kinds.schema import _validator, generate, refuse_retrieval, schema, validate_statement

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "evidence"
SOURCE = Source(basis=SourceBasis.MEASURED, how="record", tool="compliance", tool_version="0.1.0")
KEY = load_public_key(
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)

MATRIX: dict[str, Any] = {
    "severity": [{"rank": 1, "name": "minor", "meaning": "m"}, {"rank": 2, "name": "serious", "meaning": "s"}],
    "probability": [{"rank": 1, "name": "rare", "meaning": "r"}, {"rank": 2, "name": "likely", "meaning": "l"}],
    "cells": [
        {"severity": 1, "probability": 1, "acceptability": "acceptable"},
        {"severity": 1, "probability": 2, "acceptability": "as-low-as-possible"},
        {"severity": 2, "probability": 1, "acceptability": "as-low-as-possible"},
        {"severity": 2, "probability": 2, "acceptability": "unacceptable"},
    ],
}
HAZARD: dict[str, Any] = {
    "id": "H1",
    "hazard": "missed case",
    "hazardous_situation": "patient at risk is not followed up",
    "harm": "late treatment",
    "before": {"severity": 2, "probability": 2},
    "controls": [{"id": "C1", "type": "design", "measure": "threshold", "verification": ["EV-000003"]}],
    "after": {"severity": 2, "probability": 1},
    "acceptability": "as-low-as-possible",
}

RECORDS: dict[str, dict[str, Any]] = {
    "acceptance-plan": {
        "name": "plan@1",
        "model": "m",
        "criteria": [
            {
                "id": "a",
                "metric": "roc_auc",
                "comparator": ">=",
                "threshold": "0.8",
                "bound": "ci_low",
                "ci_level": "0.95",
            }
        ],
    },
    "approval": {"meaning": "reviewed", "dossier": {"name": "annex-iv", "sha256": "1" * 64, "at": "EV-000003"}},
    "capa": {
        "number": "C-1",
        "problem": "p",
        "opened_on": "2026-01-01",
        "status": "open",
        "actions": [{"action": "a", "type": "correction"}],
    },
    "certificate": {
        "type": "registration",
        "number": "1",
        "issuer": "i",
        "scope": "s",
        "issued_on": "2026-01-01",
        "status": "valid",
    },
    "change": {"type": "patch", "description": "d"},
    "dataset": {"name": "d@1", "sha256": "1" * 64, "role": "test", "rows": 10},
    "determination": {"model": "clinical-risk@2", "requirements": ["a/b"], "decision": "known-gap", "reason": "r"},
    "document": {"name": "ifu@1", "document_type": "instructions-for-use"},
    "evaluation": {
        "model": "clinical-risk@2",
        "dataset": "flchain-test@1",
        "metrics": [{"name": "sensitivity", "x": 1, "n": 2}],
    },
    "incident": {"type": "security", "description": "d", "status": "open"},
    "key-event": {
        "event": "registered",
        "name": "k",
        "holder": "Demonstration approver",
        "holder_type": "person",
        "roles": ["approver"],
        "public_key": KEY.pem,
        "hint": KEY.hint,
        "algorithm": KEY.algorithm,
        "valid_from": "2026-01-01T00:00:00Z",
    },
    "log": {"type": "review", "description": "d", "events": [{"event": "e"}]},
    "model-version": {"name": "m@1", "sha256": "1" * 64, "basis": "folder"},
    "monitoring": {"type": "plan", "indicators": [{"metric": "roc_auc", "source": "log", "frequency": "monthly"}]},
    "oversight-test": {
        "model": "clinical-risk@2",
        "type": "stop",
        "protocol": "p",
        "participants": {"n": 5, "profile": "nurses"},
        "tasks": [{"task": "t", "critical": True, "attempts": 5, "successes": 5}],
        "conclusion": "c",
    },
    "procedure": {
        "topic": "testing",
        "number": "P-1",
        "revision": "1",
        "purpose": "p",
        "status": "released",
        "effective_from": "2026-01-01",
    },
    "revocation": {"evidence": "EV-000003", "reason": "r"},
    "risk-file": {
        "name": "risk@1",
        "plan": {"scope": "s"},
        "intended_use": "u",
        "matrix": MATRIX,
        "hazards": [HAZARD],
        "overall": {"acceptable": True, "conclusion": "c"},
    },
    "safety-result": {
        "model": "clinical-risk@2",
        "category": "robustness",
        "metrics": [{"name": "changed_decision_rate", "x": 1, "n": 100}],
    },
    "sbom": {
        "format": "CycloneDX",
        "format_version": "1.6",
        "type": "software",
        "attachment": "sbom.json",
        "components": 4,
    },
    "standard": {
        "number": "ISO 14971",
        "edition": "2019",
        "edition_title": "t",
        "status": "harmonised",
        "applied": "full",
    },
    "submission": {"type": "510(k)", "authority": "FDA", "status": "planned"},
    "supplier": {
        "supplier": "s",
        "supplies": "x",
        "role": "data",
        "criticality": "minor",
        "evaluation": "e",
        "status": "approved",
    },
    "system-description": {
        "system": {"id": "s", "name": "S", "provider": "P"},
        "profile": {"intended_purpose": "p", "roles": ["provider"], "features": []},
        "description": {"users": "u"},
    },
    "training-record": {
        "topic": "system-use",
        "content_summary": "c",
        "audience": "deployers",
        "functions": [{"function": "nurse", "assigned": 3, "trained": 2}],
        "held_on": "2026-01-01",
    },
    "training-run": {"model": "clinical-risk@2", "started_at": "2026-01-01T00:00:00Z"},
}


def whole(on_record: Any, kind: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    record = {"kind": kind, "title": "t", **copy.deepcopy(RECORDS[kind]), **(changes or {})}
    return draft(record, on_record, where="r").statement(
        system="s", recorded_at="2026-01-02T00:00:00Z", recorded_by="k", source=SOURCE, attachments=[]
    )


def test_every_kind_has_a_record_here() -> None:
    assert sorted(RECORDS) == kinds(plugins=False)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_small_true_record_is_accepted_and_keeps_its_content(on_record: Any, kind: str) -> None:
    statement = whole(on_record, kind)
    model = content_model(kind)
    content = statement["predicate"]["content"]
    assert model.kind == kind
    assert recorded(model.model_validate(content)) == content
    assert statement["subject"]


@pytest.mark.parametrize("kind", RECORDS)
def test_model_and_schema_refuse_an_unknown_field(on_record: Any, kind: str) -> None:
    statement = whole(on_record, kind)
    statement["predicate"]["content"]["unheard_of"] = 1
    assert not _validator(kind).is_valid(statement)
    with pytest.raises(InvalidInput, match="unheard_of"):
        validate_statement(statement)


def test_a_risk_file_counts_which_controls_are_shown(on_record: Any) -> None:
    pending = {"id": "C2", "type": "information", "measure": "m", "verification_pending": "no user test yet"}
    hazard = {**HAZARD, "controls": [*HAZARD["controls"], pending]}
    bare = {**HAZARD, "id": "H2", "before": HAZARD["after"], "controls": [], "no_control": "rare"}
    statement = whole(on_record, "risk-file", {"hazards": [hazard, bare]})
    counted = {"controls": 2, "not_implemented": 2, "not_verified": 1, "uncontrolled": 1}
    assert statement["predicate"]["content"]["trace"] == counted


def test_without_a_control_no_risk_grows_smaller(on_record: Any) -> None:
    bare = {**HAZARD, "controls": [], "no_control": "rare"}
    with pytest.raises(InvalidInput, match="hazard H1 has no control, but another risk after control than before"):
        whole(on_record, "risk-file", {"hazards": [bare]})


PLANNED: dict[str, Any] = {
    "id": "M1", "modification": "m", "bounds": "b", "performance_evaluation": "p", "risks": "r",
}  # fmt: skip


def test_what_follows_from_a_record_is_counted_here(on_record: Any) -> None:
    known = [
        {"id": "CVE-1", "severity": "high", "status": "fixed"},
        {"id": "CVE-2", "severity": "low", "status": "not-affected", "justification": "never called"},
        {"id": "CVE-3", "severity": "low", "status": "affected"},
    ]
    finding = {"id": "F1", "finding": "f", "severity": "serious"}
    figures = [
        {"name": "rows", "value": "400"},
        {"name": "sensitivity", "value": "0.85", "ci_low": "0.79"},
        {"name": "sensitivity", "value": "0.85", "group": {"sex": "F"}},
        {"name": "specificity", "value": "0.85", "ci_low": "0.79", "ci_high": "0.90"},
    ]
    report = {"type": "report", "period": {"start": "2026-01-01", "end": "2026-01-31"}, "conclusion": "c"}
    alerts = [{"metric": "drift", "decision": "d"}, {"metric": "drift", "decision": "d", "reportable": False}]
    for kind, changes, path, expected in (
        ("sbom", {"vulnerabilities": known}, ["unassessed"], 1),
        ("sbom", {"vulnerabilities_checked_at": "2026-01-01T00:00:00Z"}, ["unassessed"], 0),
        ("safety-result", {"findings": [{**finding, "status": "open"}]}, ["open_findings"], 1),
        ("safety-result", {"findings": [{**finding, "status": "fixed"}]}, ["open_findings"], 0),
        ("dataset", {"access": {"reuse": {"limit": 3, "used": 5}}}, ["access", "reuse", "beyond"], 2),
        ("dataset", {"access": {"reuse": {"limit": 3, "used": 2}}}, ["access", "reuse", "beyond"], 0),
        ("document", {"figures": figures}, ["without_interval"], 2),
        ("document", {"figures": figures}, ["by_group"], 1),
        ("document", {"figures": figures[:1]}, ["without_interval"], 0),
        ("monitoring", {**report, "alerts": alerts}, ["undecided_alerts"], 1),
        ("monitoring", report, ["undecided_alerts"], 0),
    ):
        found = whole(on_record, kind, changes)["predicate"]["content"]
        for name in path:
            found = found[name]
        assert found == expected, (kind, changes)


FALSE: dict[str, tuple[str, dict[str, Any], str]] = {
    "kinder bound": (
        "acceptance-plan",
        {"criteria": [{"id": "a", "metric": "ppv", "comparator": ">=", "threshold": "0.8", "bound": "ci_high",
         "ci_level": "0.95"}]},
        "kinder bound",
    ),
    "accepts the worse": (
        "acceptance-plan",
        {"criteria": [{"id": "a", "metric": "ppv", "comparator": "<=", "threshold": "0.8", "bound": "ci_high",
         "ci_level": "0.95"}]},
        "accept the worse",
    ),
    "threshold off range": (
        "acceptance-plan",
        {"criteria": [{"id": "a", "metric": "ppv", "comparator": ">=", "threshold": "80", "bound": "value"}]},
        "outside the range",
    ),
    "closed without check": ("capa", {"status": "closed-effective"}, "closed_on"),
    "lapsed at birth": ("certificate", {"valid_until": "2025-01-01"}, "before it was issued"),
    "undecided change": ("change", {"substantial": False}, "substantial_reason"),
    "missing over rows": ("dataset", {"columns": [{"name": "a", "type": "float", "missing": 11}]}, "misses 11 of 10"),
    "share against count": (
        "dataset",
        {"columns": [{"name": "a", "type": "float", "missing": 1, "missing_share": "0.2"}]},
        "it is 0.1",
    ),
    "classes do not add up": (
        "dataset",
        {"labels": {"column": "y", "classes": [{"value": "0", "n": 9}]}},
        "add up to 9",
    ),
    "flow does not add up": (
        "dataset",
        {"enrolled": 12, "exclusions": [{"reason": "r", "n": 1}]},
        "is 11, but rows is 10",
    ),
    "period backwards": ("dataset", {"period": {"start": "2026-01-02", "end": "2026-01-01"}}, "before it starts"),
    "quality counts": (
        "dataset",
        {"quality": [{"suite": "s", "tool": "gx", "tool_version": "1", "success": True, "evaluated": 1,
         "successful": 1, "expectations": [{"expectation": "e", "success": False}]}]},
        "but lists 0 of 1",
    ),
    "threshold from test data": (
        "model-version",
        {"operating_points": [{"name": "o", "threshold": "0.5", "set_on": "flchain-test@1", "rationale": "r"}]},
        "use tuning data",
    ),
    "backwards in time": (
        "evaluation",
        {"started_at": "2026-01-02T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"},
        "before it started",
    ),
    "cases unaccounted": (
        "evaluation",
        {"accountability": {"enrolled": 10, "analysed": 8, "missing_score": 1}},
        "is 9, but analysed is 8",
    ),
    "dossier approved for a while": ("approval", {"valid_until": "2027-01-01"}, "approves a dossier"),
    "reason of blanks": ("revocation", {"reason": " \u200b\n"}, "is blank"),
    "criterion that nothing misses": (
        "acceptance-plan",
        {"criteria": [{"id": "a", "metric": "roc_auc", "comparator": ">=", "threshold": "0.00", "bound": "value"}]},
        "nothing could miss it",
    ),
    "interval that says nothing": (
        "acceptance-plan",
        {"criteria": [{"id": "a", "metric": "roc_auc", "comparator": ">=", "threshold": "0.8", "bound": "ci_low",
                       "ci_level": "0.01"}]},
        "less than 0.5",
    ),
    "erasure without law": ("revocation", {"erasure": True}, "legal_basis"),
    "revoked key without reason": ("key-event", {"event": "revoked"}, "reason"),
    "claimed control": (
        "risk-file",
        {"hazards": [{**HAZARD, "controls": [{"id": "C1", "type": "design", "measure": "m"}]}]},
        "name it, or say",
    ),
    "against its matrix": (
        "risk-file",
        {"hazards": [{**HAZARD, "acceptability": "acceptable"}]},
        "matrix says as-low-as-possible",
    ),
    "matrix with a hole": (
        "risk-file",
        {"matrix": {**MATRIX, "cells": MATRIX["cells"][:3]}},
        "no cell for severity 2",
    ),
    "worse after control": (
        "risk-file",
        {"hazards": [{**HAZARD, "before": {"severity": 2, "probability": 1}, "after": {"severity": 2,
         "probability": 2}, "acceptability": "unacceptable", "benefit_risk": "b"}]},
        "worse after",
    ),
    "a trace that its controls do not give": (
        "risk-file",
        {"trace": {"controls": 1, "not_implemented": 0, "not_verified": 0, "uncontrolled": 0}},
        "'not_implemented': 1",
    ),
    "more untraced than there are": (
        "document",
        {"traces": [{"items": "requirements", "to": "verification", "total": 3, "untraced": 4}]},
        "4 of 3 requirements",
    ),
    "none traced": (
        "document",
        {"traces": [{"items": "requirements", "to": "verification", "total": 0, "untraced": 0}]},
        "no requirements at all",
    ),
    "testing that does not add up": (
        "document",
        {"testing": [{"level": "unit", "run": 9, "passed": 8, "justified": 0, "unresolved": 0}]},
        "add up to the 9",
    ),
    "mentioned in one place twice": (
        "submission",
        {"change_plan": {"purpose": "establish", "plan": "clinical-risk@2", "title": "t", "version": "1",
         "mentioned_in": ["labelling", "labelling"]}},
        "twice",
    ),
    "one topic twice": ("document", {"topics": ["authorization", "authorization"]}, "one topic twice"),
    "local without conditions": (
        "change",
        {"type": "plan", "planned_changes": [{**PLANNED, "reach": "local"}]},
        "local_conditions",
    ),
    "specification without limits": (
        "change",
        {"type": "plan", "planned_changes": [{**PLANNED, "specifications": [{"characteristic": "c"}]}]},
        "nothing could break it",
    ),
    "one part of the protocol twice": (
        "change",
        {"type": "plan", "planned_changes": [{**PLANNED, "protocol": [{"part": "update", "where": "4"}] * 2}]},
        "twice",
    ),
    "assessed by its word alone": (
        "sbom",
        {"vulnerabilities": [{"id": "CVE-1", "severity": "high", "status": "affected"}], "unassessed": 0},
        "gives 1",
    ),
    "closed by its word alone": (
        "safety-result",
        {"findings": [{"id": "F1", "finding": "f", "severity": "serious", "status": "open"}], "open_findings": 0},
        "give 1",
    ),
    "bounded by its word alone": (
        "document", {"figures": [{"name": "ppv", "value": "0.8"}], "without_interval": 0}, "give 1",
    ),
    "without figures": ("document", {"by_group": 2}, "give 0"),
    "decided by its word alone": (
        "monitoring",
        {"type": "observation", "alerts": [{"metric": "drift", "decision": "d"}], "undecided_alerts": 0},
        "give 1",
    ),
    "uses by its word alone": ("dataset", {"access": {"reuse": {"limit": 1, "used": 2, "beyond": 0}}}, "it is 1"),
    "unknown verification": (
        "risk-file",
        {"hazards": [{**HAZARD, "controls": [{"id": "C1", "type": "design", "measure": "m",
         "verification": ["EV-000099"]}]}]},
        "not on record",
    ),
    "more trained than there are": (
        "training-record",
        {"functions": [{"function": "f", "assigned": 1, "trained": 2}]},
        "1 assigned, 2 trained",
    ),
    "unknown category": ("safety-result", {"category": "robustnes"}, "did you mean robustness?"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "changes", "words"), FALSE.values(), ids=FALSE)
def test_what_cannot_be_is_refused(on_record: Any, kind: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        whole(on_record, kind, changes)
    assert words in refusal.value.problem


def test_schemas_on_disk_are_the_generated_ones() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.glob("*.schema.json")}
    assert on_disk == generate(), "run `python -m compliance.kinds.schema schemas/evidence`"


@pytest.mark.parametrize("kind", RECORDS)
def test_every_schema_is_a_schema_and_stands_alone(kind: str) -> None:
    import jsonschema_rs

    generated = schema(kind)
    jsonschema_rs.meta.validate(generated)
    assert '"$ref": "http' not in json.dumps(generated)


def test_nothing_is_fetched_for_a_schema() -> None:
    import jsonschema_rs

    with pytest.raises((ValueError, jsonschema_rs.ReferencingError), match="nothing is fetched"):
        jsonschema_rs.Draft202012Validator({"$ref": "https://example.org/other.json"}, retriever=refuse_retrieval)


def test_a_digest_that_can_be_taken_again_is(on_record: Any) -> None:
    statement = whole(on_record, "document")
    statement["predicate"]["content"]["status"] = "released"
    with pytest.raises(InvalidInput, match="not the one of its content"):
        validate_statement(statement)


def test_an_explicitly_empty_profile_list_is_kept(on_record: Any) -> None:
    assert whole(on_record, "system-description")["predicate"]["content"]["profile"]["features"] == []
