"""Paper: records that say nothing, and records that say it of somebody else's system, meet no requirement at all."""

from collections.abc import Iterator
from functools import cache

import pytest
from support.cases import SYSTEM, Json, Record, key_event, ledger, sha, subject
from support.papers import papers

from compliance.core.assessment import Assessment, Thing, Validators, assess
from compliance.core.catalog import AUDIT_TRAIL
from compliance.core.evidence import Evidence
from compliance.core.findings import NeedVerdict, Verdict
from compliance.kinds import kinds
from compliance.kinds.schema import schema
from compliance.services import catalogs

from .test_mutations import MODEL, OTHER, PROFILE, TABLE, about, found, story

PAPER = Thing("x@1", sha("x"), "file")
EVERYWHERE: Json = {
    **PROFILE,
    "roles": ["provider", "manufacturer", "deployer", "gpai-provider", "sponsor", "importer", "distributor"],
    "high_risk": ["annex-i", "annex-iii"],
    "features": ["talks-to-people", "generates-content", "keeps-learning", "special-category-data"],
    "gpai": {"systemic_risk": True, "open_source": True},
    "us": {**PROFILE["us"], "certified_health_it": True},
}
VERSIONS = frozenset(
    {"evaluation", "safety-result", "oversight-test", "model-version", "training-run", "determination"}
)
TURNS = 40
"""As many as the longest list of words that a field may have, so that every word occurs."""


class Verified:
    ok, checked = True, 1000


@cache
def validators() -> Validators:
    return Validators()


def assessed(evidence: list[Evidence], model: Thing) -> Assessment:
    return assess(
        catalogs.available(), evidence, EVERYWHERE, system=SYSTEM, model=model, on="2026-11-23", ledger=Verified(),
        validators=validators(),
    )  # fmt: skip


def paper() -> Iterator[tuple[str, Record]]:
    """Yield a record of every kind in every variety, signed by a pipeline, about one model version or none."""
    model, data = {"name": PAPER.name, "sha256": PAPER.sha256}, {"name": "x@2", "sha256": sha("data"), "role": "test"}
    schemas = {kind: schema(kind) for kind in sorted(kinds()) if kind not in ("key-event", "revocation")}
    yield "genesis", key_event("pipeline", ["admin", "recorder"], "pipeline")
    for place, (kind, content) in enumerate(papers(schemas, model, data, TURNS)):
        about_ = subject(f"x-{place}@1", sha(f"paper {place}"))
        if kind in VERSIONS:
            about_ = subject(PAPER.name, PAPER.sha256, PAPER.basis)
        elif kind == "dataset":
            about_ = subject(data["name"], data["sha256"], "file")
        yield f"paper {place}", Record(kind, about_, content, at="2026-11-20T11:00:00Z")
    rows = [row.id for catalog in catalogs.available() for row in catalog.requirements]
    met = {"requirements": rows, "decision": "met", "reason": "x"}
    yield "all met", Record("determination", subject(PAPER.name, PAPER.sha256, PAPER.basis), met)


def test_a_workspace_that_says_x_everywhere_meets_nothing() -> None:
    evidence = list(ledger(dict(paper())).values())
    assessment = assessed(evidence, PAPER)
    assert {piece.kind for piece in evidence} == set(kinds()) - {"revocation"}
    assert [found.requirement.id for found in assessment.findings if found.finding is Verdict.MET] == []


def test_records_that_leave_all_out_meet_nothing() -> None:
    bare = {name: Record(one.kind, one.subject, {}, at=one.at) for name, one in paper() if one.kind != "key-event"}
    keys = {"genesis": key_event("pipeline", ["admin", "recorder"], "pipeline")}
    assert assessed(list(ledger({**keys, **bare}).values()), PAPER).counts["met"] == 0


def test_evidence_of_another_system_meets_nothing() -> None:
    copied = story()
    for record in copied.values():
        if record.kind != "key-event":
            record.predicate = {"system": "somebody-elses"}
    evidence = list(ledger(copied).values())
    for finding in assessed(evidence, MODEL).findings:
        assert finding.finding is not Verdict.MET
        kinds_of = {need.id: need.kind for need in finding.requirement.needs}
        assert {need.need for need in finding.needs if need.verdict is NeedVerdict.PASSED} <= {
            name for name, kind in kinds_of.items() if kind == AUDIT_TRAIL
        }


@pytest.mark.parametrize("requirement", TABLE)
def test_evidence_copied_with_its_bytes_meets_nothing(requirement: str) -> None:
    """The system's name was written over; the model that was measured is still another one."""
    copied = story()
    for record in copied.values():
        if record.subject == about() and record.kind != "model-version":
            record.subject = about(OTHER)
    assert found(requirement, copied).finding is not Verdict.MET
