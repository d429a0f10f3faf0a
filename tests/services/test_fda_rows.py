"""FDA's rows on change plans, software, cybersecurity, decision support and good practice against one true story.

The story below is what a manufacturer with an authorised change plan has on record after its first update. It answers
every need of the five catalogs; each thing that a reviewer would refuse then takes the answer away.
"""

import copy
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from support.cases import SYSTEM, Json, Record, key_event, ledger, public_key, sha
from support.story import open_needs, put, without

from compliance.core.assessment import Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.evidence import Evidence, Source, SourceBasis, Subject
from compliance.core.findings import Finding, NeedVerdict, Thing, Verdict
from compliance.core.reading import read_records
from compliance.kinds.authoring import draft
from compliance.services import catalogs

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
PROFILE: Json = {
    "roles": ["manufacturer"], "markets": ["US"], "us": {"pathway": "510(k)", "pccp": True, "cyber_device": True},
}  # fmt: skip
NO_DEVICE: Json = {"us": {"pathway": "none"}}
"""The criteria for decision support that is no device are asked of what is said to be none."""
VALIDATORS = Validators()
SOURCE = Source(basis=SourceBasis.MEASURED, how="record", tool="compliance", tool_version="0.1.0")
OURS = ("fda-pccp", "fda-software", "fda-cybersecurity", "fda-cds", "fda-gmlp")

STORY = Path(__file__).with_name("fda_story.yaml")

DOCUMENTS: dict[str, Json] = {
    "label": {"document_type": "labelling", "identifiers": {"udi": "00810001-2"},
              "answers": ["fda/cyber/labeling", "fda/pccp/labeling", "fda/fdca-515c/conditions", "fda/gmlp/9"],
              "figures": [{"name": "sensitivity", "value": "0.85"}]},
    "public summary": {"document_type": "public-summary", "answers": ["fda/pccp/public-summary"], "statements": 5},
    "level": {"document_type": "declaration", "answers": ["fda/dsf/documentation-level"]},
    "scope": {"document_type": "technical-report",
              "answers": ["fda/524b/c", *(f"fda/cds/criterion-{n}" for n in range(1, 5))]},
    "specification": {"document_type": "design-specification",
                      "traces": [("requirements", "design"), ("requirements", "verification"),
                                 ("risk-controls", "requirements"), ("design", "requirements")]},
    "diagrams": {"document_type": "architecture"},
    "testing": {"document_type": "test-report",
                "testing": [{"level": level, "run": 9, "passed": 8, "justified": 1, "unresolved": 0}
                            for level in ("unit", "integration", "system")]},
    "anomalies": {"document_type": "register",
                  "traces": [("anomalies", "risk-evaluation"), ("anomalies", "security-evaluation")]},
    "threat model": {"document_type": "technical-report", "answers": ["fda/cyber/threat-model"]},
    "trace": {"document_type": "technical-report", "answers": ["fda/cyber/traceability"],
              "traces": [("threats", "risk-controls"), ("risk-controls", "verification"), ("risks", "labelling")]},
    "views": {"document_type": "architecture", "answers": ["fda/cyber/architecture-views"],
              "topics": ["global-system", "multi-patient-harm", "updateability-and-patchability",
                         "security-use-cases"]},
    "controls": {"document_type": "design-specification", "answers": ["fda/cyber/controls"],
                 "topics": ["authentication", "authorization", "cryptography", "integrity", "confidentiality",
                            "event-detection-and-logging", "resiliency-and-recovery", "updates"],
                 "traces": [("requirements", "verification")]},
}  # fmt: skip
PROCEDURES = ("data-management", "design-control", "maintenance", "cybersecurity", "vulnerability-handling")
APPROVED = ("change plan", "made", "level", "scope")
"""What an approver signed who did not write it."""


def authored() -> dict[str, Json]:
    """Return every record of the story by its title."""
    text = re.sub(r"SHA\((.+?)\)", lambda found: sha(found[1]), STORY.read_text(encoding="utf-8"))
    records = {str(one.value["title"]): dict(one.value) for one in read_records(text.encode(), STORY.name)}
    for title, said in DOCUMENTS.items():
        traces = [{"items": items, "to": to, "total": 5, "untraced": 0} for items, to in said.get("traces", [])]
        count = said.get("statements", 1)
        records[title] = {
            "kind": "document", "name": f"{title.replace(' ', '-')}@1", "model": "clinical-risk@2",
            "status": "released", "revision": "1", "date": "2026-11-20", **said,
            "statements": [{"statement": "s", "where": "1"}] * count, **({"traces": traces} if traces else {}),
        }  # fmt: skip
    for topic in PROCEDURES:
        deadlines = [{"step": "triage", "days": 5}, {"step": "fix", "severity": "critical", "days": 14}]
        records[topic] = {
            "kind": "procedure", "topic": topic, "number": topic, "revision": "1", "purpose": "p", "status": "released",
            "effective_from": "2026-01-01", "steps": ["s"], "responsibilities": "r", "records_kept": ["k"],
            "next_review": "2027-01-01", "deadlines": deadlines, "applied_in": ["EV-000003"],
        }  # fmt: skip
    return {title: {"title": title, **record} for title, record in records.items()}


class OnRecord:
    """What the story has on record so far, for later records to refer to."""

    def __init__(self) -> None:
        self.things: dict[str, Subject] = {}
        self.roles = {sha("train"): "train", sha("test"): "test"}

    def thing(self, name_version: str) -> Subject:
        return self.things[name_version]

    def role(self, sha256: str) -> str:
        return self.roles[sha256]

    def record(self, number_or_digest: str) -> tuple[str, str]:
        return number_or_digest, sha(number_or_digest)


def held(records: dict[str, Json], approved: tuple[str, ...] = APPROVED) -> list[Evidence]:
    """Write every record as its author would, and give it its place in the ledger."""
    keys = ledger({"genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
                   "approver": key_event("approver", ["approver"])})  # fmt: skip
    pieces, on_record = list(keys.values()), OnRecord()
    on_record.things["clinical-risk@1"] = Subject.of("clinical-risk@1", sha("model 1"), "folder")
    hint = public_key("pipeline")[1]
    for title, record in records.items():
        statement = draft(record, on_record, where=title).statement(
            system=SYSTEM, recorded_at="2026-11-20T00:00:00Z", recorded_by="pipeline", source=SOURCE, attachments=[]
        )
        for one in statement["subject"]:
            on_record.things.setdefault(one["name"], Subject.model_validate(one))
        logged = f"2026-11-20T{10 if title.startswith('criteria') else 20:02d}:00:00Z"
        pieces.append(Evidence(len(pieces), sha(title), record["kind"], logged, hint, statement))
    for title in approved:
        about = {"name": "EV-000009", "digest": {"sha256": sha(title)}, "annotations": {"basis": "content"}}
        content: Json = {"meaning": "approved"}
        made = ledger({"a": Record("approval", about, content, "approver")})["a"]
        pieces.append(Evidence(len(pieces), sha(f"approval {title}"), "approval", "2026-11-20T22:00:00Z",
                               made.signer, made.statement))  # fmt: skip
    return pieces


@cache
def shipped() -> tuple[Catalog, ...]:
    return tuple(one for one in catalogs.available() if one.id in OURS)


class _Verified:
    ok, checked = True, 1


def findings(pieces: list[Evidence], only: str | None = None) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for catalog in shipped():
        rows = tuple(row for row in catalog.requirements if only in (None, row.id))
        if rows:
            wanted = catalog.model_copy(update={"requirements": rows})
            profile = PROFILE | NO_DEVICE if catalog.id == "fda-cds" else PROFILE
            told = assess([wanted], pieces, profile, system=SYSTEM, model=MODEL, on="2026-11-24",
                          validators=VALIDATORS, ledger=_Verified())  # fmt: skip
            found |= {one.requirement.id: one for one in told.findings}
    return found


def test_the_true_story_answers_every_need_and_leaves_only_what_a_person_must_decide() -> None:
    assert open_needs(findings(held(authored()))) == {}


def test_every_row_still_asks_a_person() -> None:
    assert {one.finding for one in findings(held(authored())).values()} == {Verdict.UNDETERMINED}


def test_before_the_first_change_no_record_of_one_is_missing() -> None:
    records = {
        title: record for title, record in authored().items() if record["kind"] != "change" or record["type"] == "plan"
    }
    assert len(records) < len(authored())
    assert open_needs(findings(held(records, tuple(title for title in APPROVED if title in records)))) == {}


INSUFFICIENT, FAILED, GAP = NeedVerdict.INSUFFICIENT, NeedVerdict.FAILED, NeedVerdict.GAP
REFUSED: list[tuple[str, Callable[[dict[str, Json]], None], NeedVerdict]] = [
    ("fda/fdca-515c/authorization", put("made", "conformance.listed", False), FAILED),
    ("fda/fdca-515c/authorization", put("made", "plan", "clinical-risk@1"), FAILED),
    ("fda/fdca-515c/predicate", put("submission", "predicates.0.version", "1.4"), FAILED),
    ("fda/pccp/identify", put("submission", "change_plan.mentioned_in", ["cover-letter"]), INSUFFICIENT),
    ("fda/pccp/identify", put("change plan", "plan_version", None), INSUFFICIENT),
    ("fda/pccp/pathway", put("submission", "route", "special"), FAILED),
    ("fda/pccp/dom.list", put("change plan", "planned_changes.0.specifications", None), INSUFFICIENT),
    ("fda/pccp/dom.rationale", put("change plan", "planned_changes.0.acceptance_plan", None), INSUFFICIENT),
    ("fda/pccp/dom.implementation", put("change plan", "planned_changes.0.implementation", None), INSUFFICIENT),
    ("fda/pccp/dom.guardrails", put("update out of bounds", "attacks.0.successes", 1), FAILED),
    ("fda/pccp/dom.guardrails", without("update out of bounds"), GAP),
    ("fda/pccp/dom.frequency", put("change plan", "update_interval_days", None), INSUFFICIENT),
    ("fda/pccp/mp.test-data-reuse", put("test data", "access.reuse.used", 4), FAILED),
    ("fda/pccp/mp.retraining", put("made", "conformance.by_protocol", False), FAILED),
    ("fda/pccp/mp.evaluation", put("results", "metrics.0.ci_low", "-0.08"), FAILED),
    ("fda/pccp/mp.evaluation", put("results", "comparators.0.reference", "original"), GAP),
    ("fda/pccp/mp.evaluation", put("results", "dataset", "train@2"), INSUFFICIENT),
    ("fda/pccp/mp.evaluation", put("results", "started_at", "2026-11-20T09:00:00Z"), INSUFFICIENT),
    ("fda/pccp/mp.evaluation-subgroups", put("results", "metrics.1.ci_low", "-0.20"), FAILED),
    ("fda/pccp/mp.evaluation-subgroups", put("criteria", "groups", None), INSUFFICIENT),
    ("fda/pccp/mp.usability", put("critical tasks", "metrics.0.x", 20), FAILED),
    ("fda/pccp/mp.failure", put("results", "metrics.1.ci_low", "-0.20"), FAILED),
    ("fda/pccp/mp.failure", put("change plan", "planned_changes.0.on_failure", None), INSUFFICIENT),
    ("fda/pccp/mp.update", put("made", "users_told_on", "2026-11-22"), FAILED),
    ("fda/pccp/mp.update", put("made", "users_told_on", None), INSUFFICIENT),
    ("fda/pccp/mp.rollback", put("return to the former version", "metrics.0.value", "9000"), FAILED),
    ("fda/pccp/mp.rollback", put("change plan", "planned_changes.0.rollback_when", None), INSUFFICIENT),
    ("fda/pccp/mp.monitoring", put("monitoring plan", "indicators.0.alert", None), INSUFFICIENT),
    ("fda/pccp/mp.monitoring", put("monitoring plan", "groups", None), INSUFFICIENT),
    ("fda/pccp/mp.labeling-update", put("label", "identifiers.udi", "00810001-1"), FAILED),
    ("fda/pccp/mp.labeling-update", put("version before", "udi", "00810001-2"), FAILED),
    ("fda/pccp/mp.labeling-update", put("label", "status", "draft"), INSUFFICIENT),
    ("fda/pccp/mp.cyber", put("altered update", "attacks.0.successes", 1), FAILED),
    ("fda/pccp/mp.records", put("made", "verification", None), INSUFFICIENT),
    ("fda/pccp/mp.records", put("made", "approved_on", "2026-11-22"), FAILED),
    ("fda/pccp/traceability", put("change plan", "planned_changes.0.protocol", [{"part": "update", "where": "4"}]),
     INSUFFICIENT),
    ("fda/pccp/ia.benefit-risk", put("change plan", "planned_changes.0.hazards", None), INSUFFICIENT),
    ("fda/pccp/labeling", put("label", "figures.0.value", "0.91"), FAILED),
    ("fda/pccp/public-summary", put("public summary", "statements", [{"statement": "s", "where": "1"}]), INSUFFICIENT),
    ("fda/pccp/public-summary", put("public summary", "answers", ["fda/aidsf/summary.updates"]), GAP),
    ("fda/pccp/labeling", put("label", "answers", ["fda/cyber/labeling"]), GAP),
    ("fda/pccp/execution-record", put("made", "to_version", None), INSUFFICIENT),
    ("fda/pccp/execution-record", put("made", "conformance.decided_on", "2026-11-22"), FAILED),
    ("fda/pccp/deviation", put("made", "conformance.open_deviations", 1), FAILED),
    ("fda/pccp/version-control", put("submission", "change_plan.cited_version", "2"), FAILED),
    ("fda/pccp/later-submission", put("later submission", "change_plan.implemented", None), INSUFFICIENT),
    ("fda/dsf/risk-management-file", put("risks", "hazards.0.controls.0.implemented", None), FAILED),
    ("fda/dsf/srs", put("specification", "traces.0.untraced", 1), FAILED),
    ("fda/dsf/srs", put("specification", "status", "draft"), INSUFFICIENT),
    ("fda/dsf/sds", put("specification", "traces.3.items", "units"), GAP),
    ("fda/dsf/testing", put("testing", "testing.1", {"level": "unit", "run": 9, "passed": 8, "justified": 0,
                                                       "unresolved": 1}), FAILED),
    ("fda/dsf/version-history", put("version", "changes", None), INSUFFICIENT),
    ("fda/dsf/unresolved-anomalies", put("anomalies", "traces.0.untraced", 2), FAILED),
    ("fda/dsf/ots", put("bill of materials", "listed.0.tested_version", "2.0"), FAILED),
    ("fda/524b/b.1", put("vulnerability-handling", "deadlines", [{"step": "triage", "days": 5}]), GAP),
    ("fda/524b/b.2", put("security patch", "implemented_on", "2026-10-20"), FAILED),
    ("fda/524b/b.3", put("bill of materials", "model", "clinical-risk@1"), NeedVerdict.STALE),
    ("fda/524b/a", put("submission", "contents.2.answers", ["fda/cyber/sbom"]), GAP),
    ("fda/cyber/risk-assessment", put("risks", "overall", {"acceptable": False, "conclusion": "c"}), FAILED),
    ("fda/524b/b.3", put("bill of materials", "unexplained", None), INSUFFICIENT),
    ("fda/cyber/sbom", put("bill of materials", "unexplained", 2), FAILED),
    ("fda/cyber/vulnerability-support", put("bill of materials", "vulnerabilities.0.justification", None), FAILED),
    ("fda/cyber/anomalies", put("anomalies", "traces.1.untraced", 1), FAILED),
    ("fda/cyber/traceability", put("trace", "traces.0.untraced", 1), FAILED),
    ("fda/cyber/traceability", put("trace", "traces.2.untraced", 1), FAILED),
    ("fda/cyber/metrics", put("monitoring report", "metrics.2.name", "uptime"), GAP),
    ("fda/cyber/architecture-views", put("views", "topics.1", "overview"), GAP),
    ("fda/cyber/controls", put("controls", "topics.2", "overview"), GAP),
    ("fda/cyber/controls", put("controls", "traces.0.untraced", 1), FAILED),
    ("fda/cyber/testing", put("penetration test", "findings.0.status", "open"), FAILED),
    ("fda/cyber/testing", put("penetration test", "techniques", ["fuzzing"]), GAP),
    ("fda/cyber/modifications", put("made", "cybersecurity_affected", None), INSUFFICIENT),
    ("fda/cds/criterion-4", put("comprehension", "metrics.0.x", 20), FAILED),
    ("fda/gmlp/3", put("test data", "composition", [{"group": {"sex": "F"}, "n": 210}]), INSUFFICIENT),
    ("fda/gmlp/4", put("test data", "leakage.shared", 3), FAILED),
    ("fda/gmlp/5", put("test data", "annotation.annotators", 1), INSUFFICIENT),
    ("fda/gmlp/7", put("team study", "metrics.0.ci_low", "-0.01"), FAILED),
    ("fda/gmlp/10", put("monitoring plan", "indicators.0.alert", None), INSUFFICIENT),
]  # fmt: skip


@pytest.mark.parametrize(("row", "change", "verdict"), REFUSED, ids=[f"{n}:{one[0]}" for n, one in enumerate(REFUSED)])
def test_what_a_reviewer_would_refuse_is_refused(
    row: str, change: Callable[[dict[str, Json]], None], verdict: NeedVerdict
) -> None:
    records = copy.deepcopy(authored())
    change(records)
    approved = tuple(title for title in APPROVED if title in records)
    verdicts = {need.verdict for need in findings(held(records, approved), row)[row].needs}
    assert verdict in verdicts, verdicts


@pytest.mark.parametrize("row", ["fda/fdca-515c/authorization", "fda/pccp/mp.records", "fda/pccp/execution-record",
                                 "fda/pccp/dom.types", "fda/dsf/documentation-level", "fda/524b/c"])  # fmt: skip
def test_what_nobody_approved_does_not_count(row: str) -> None:
    assert INSUFFICIENT in {need.verdict for need in findings(held(authored(), ()), row)[row].needs}
