"""OSCAL as compliance-trestle reads it: its models (made from NIST's schemas), its validators, its profile resolver."""

import json
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.cases import Record, ledger, sha, subject
from support.findings import MODEL, ON, assessment, found, requirement
from trestle.core.profile_resolver import ProfileResolver
from trestle.core.validator_factory import validator_factory
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.catalog import Catalog
from trestle.oscal.profile import Profile

from compliance.core.applicability import reach
from compliance.core.findings import Note, Rule, Thing, Verdict
from compliance.exporters.oscal import CATALOG_FILE, control_id, to_catalog, to_profile
from compliance.exporters.oscal_results import to_results
from compliance.services import catalogs

PROFILE = {"roles": ["provider"], "high_risk": ["annex-i"], "markets": ["EU"], "features": []}
BODIES = [catalogs.load(name) for name in ("eu-ai-act", "fda-pccp", "chai")]
VALID = validator_factory.get(Namespace(mode="all"))
UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def accepted(model: Any, data: bytes, tmp_path: Path, name: str) -> Any:
    """Read it with trestle's own model and put it to all of trestle's validators."""
    path = tmp_path / name
    path.write_bytes(data)
    read = model.oscal_read(path)
    assert read is not None
    assert VALID.model_is_valid(read, quiet=True)
    return read


def uuids(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every UUID of a document with the name it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from uuids(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from uuids(inner, key)
    elif key.endswith("uuid"):
        yield key, value


def test_every_catalog_that_ships_is_accepted_and_whole(tmp_path: Path) -> None:
    bodies = catalogs.available()
    read = accepted(Catalog, to_catalog(bodies), tmp_path, CATALOG_FILE)
    ids = [control.id for group in read.groups for control in group.controls]
    assert ids == [control_id(row.id) for body in bodies for row in body.requirements]
    assert len(set(ids)) == len(ids)
    labels = [control.props[0].value for group in read.groups for control in group.controls]
    assert labels == [row.id for body in bodies for row in body.requirements]


def test_every_cell_of_a_row_is_carried() -> None:
    controls = {c["id"]: c for group in json.loads(to_catalog(BODIES))["catalog"]["groups"] for c in group["controls"]}
    for row in (row for body in BODIES for row in body.requirements):
        text = json.dumps(controls[control_id(row.id)], ensure_ascii=False)
        cells = [row.ref, row.text, row.what_shows_it, row.measurable, row.status, row.ask, row.unmeasured]
        cells += [*row.evidence_kinds, *row.source, row.tier, row.confidence]
        assert [cell for cell in cells if cell and json.dumps(cell, ensure_ascii=False)[1:-1] not in text] == []


def test_needs_and_questions_are_objectives() -> None:
    document = json.loads(to_catalog(BODIES))
    control = next(c for c in document["catalog"]["groups"][0]["controls"] if c["id"] == "eu-ai-act_art-15.1")
    parts = {part["name"]: part for part in control["parts"]}
    row = next(row for row in BODIES[0].requirements if row.id == "eu-ai-act/art-15.1")
    assert parts["statement"]["prose"] == row.text
    names = [part["id"] for part in parts["assessment-objective"]["parts"]]
    assert names == [f"eu-ai-act_art-15.1_obj.{need.id}" for need in row.needs] + ["eu-ai-act_art-15.1_obj.person"]
    assert parts["assessment-objective"]["parts"][-1]["prose"] == row.ask


@pytest.mark.parametrize("profile", [PROFILE, {}, {**PROFILE, "roles": ["distributor"]}])
def test_trestle_resolves_the_profile_to_what_reaches_the_system(profile: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / ".trestle").mkdir()
    accepted(Catalog, to_catalog(BODIES), tmp_path, CATALOG_FILE)
    accepted(Profile, to_profile(BODIES, profile, system="x", on=ON), tmp_path, "profile.json")
    document = json.loads((tmp_path / "profile.json").read_text())
    document["profile"]["imports"][0]["href"] = str(tmp_path / CATALOG_FILE)
    (tmp_path / "profile.json").write_text(json.dumps(document))
    resolved = ProfileResolver.get_resolved_profile_catalog(tmp_path, str(tmp_path / "profile.json"))
    controls = [c.id for group in resolved.groups or [] for c in group.controls or []]
    rows = [row for body in BODIES for row in body.requirements]
    assert sorted(controls) == sorted(control_id(r.id) for r in rows if reach(r, profile, ON).applies is not False)


EVIDENCE = ledger(
    {
        "evaluation": Record("evaluation", subject("clinical-risk@2", sha("model 2")), {"metrics": []}),
        "instructions\nfor use": Record("document", subject("ifu@1", sha("ifu")), {}),
        "unnamed": Record("document", subject("other@1", sha("other")), {}),
    }
)
PIECES = {piece.number: piece for piece in EVIDENCE.values()}
FINDINGS = [
    found("law/met", "met", evidence=("EV-000000", "EV-000001")),
    found("law/failed", "failed", against=("EV-000000",), next="compliance show EV-000000"),
    found("law/gap", "gap", binding=False, applies_from="2028-08-02"),
    found("law/stale", "stale", against=("EV-000001",)),
    found("law/partial", "partial", evidence=("EV-000001",)),
    found("law/insufficient", "insufficient", against=("EV-000000",)),
    found("law/undetermined", "undetermined", ask_open=True, requirement=requirement("law/undetermined")),
    found("law/not-applicable", "not-applicable", reason="It reaches others."),
]


def results(*findings: Any) -> bytes:
    return to_results(assessment(*findings), PIECES, provider="A provider", tool_version="0.1.0")


def test_every_finding_has_its_place(tmp_path: Path) -> None:
    read = accepted(AssessmentResults, results(*FINDINGS), tmp_path, "results.json")
    (result,) = read.results
    states = {finding.title.partition(":")[0]: finding.target.status for finding in result.findings}
    assert states.keys() == {f"law/{word}" for word in Verdict} - {"law/not-applicable"}
    assert [name for name, status in states.items() if status.state.value == "satisfied"] == ["law/met"]
    assert (states["law/failed"].reason, states["law/gap"].reason) == ("fail", "other")
    assert {risk.title.partition(" ")[0] for risk in result.risks} == states.keys() - {"law/met", "law/undetermined"}
    by_title = {risk.title.partition(" ")[0]: risk for risk in result.risks}
    assert by_title["law/gap"].deadline.date().isoformat() == "2028-08-02"
    assert by_title["law/failed"].remediations[0].description == "compliance show EV-000000"
    (selection,) = result.reviewed_controls.control_selections
    assert [each.control_id for each in selection.exclude_controls] == ["law_not-applicable"]
    assert "It reaches others." in selection.remarks


def test_what_a_reviewer_should_see_beside_a_finding_is_carried(tmp_path: Path) -> None:
    findings = [
        found("law/failed", "failed", evidence=("EV-000001",), against=("EV-000000",), next="compliance show EV-000000",
              rule=Rule.CONTRARY, flags=("Small cells in EV-000000.",)),
        found("law/undetermined", "undetermined", ask_open=True, flags=("The start is only stated.",),
              next="compliance determine law/undetermined"),
    ]  # fmt: skip
    note = Note("contradiction", "sensitivity is 0.9 and 0.8.", ("EV-000000", "EV-000001"))
    told = replace(assessment(*findings), notes=(note,))
    data = to_results(told, PIECES, provider="A provider", tool_version="0.1.0")
    (result,) = accepted(AssessmentResults, data, tmp_path, "results.json").results
    assert result.remarks == "contradiction (EV-000000, EV-000001): sensitivity is 0.9 and 0.8."
    failed, undetermined = result.findings
    props = {prop.name: prop.value for prop in failed.props}
    assert (props["rule"], props["evidence-for"], props["evidence-against"]) == ("contrary", "EV-000001", "EV-000000")
    assert failed.remarks == "Small cells in EV-000000."
    assert {prop.name: prop.value for prop in undetermined.props}["next"] == "compliance determine law/undetermined"
    assert undetermined.remarks.endswith("in your judgement?\n\nThe start is only stated.")


def test_evidence_is_named_by_the_digest_of_its_envelope() -> None:
    document = json.loads(results(*FINDINGS))["assessment-results"]
    observations = document["results"][0]["observations"]
    named = [prop["value"] for each in observations for prop in each["relevant-evidence"][0]["props"]]
    assert named == [PIECES["EV-000000"].digest, PIECES["EV-000001"].digest], "what no finding names is left out"
    resources = {r["uuid"]: r for r in document["back-matter"]["resources"]}
    for observation in observations:
        resource = resources[observation["relevant-evidence"][0]["href"].removeprefix("#")]
        assert resource["rlinks"][0]["hashes"][0]["value"] in named
    assert [each["methods"] for each in observations] == [["TEST"], ["EXAMINE"]]


@pytest.mark.parametrize("model", [MODEL, None])
@pytest.mark.parametrize("findings", [FINDINGS, FINDINGS[:1], FINDINGS[-1:], []])
def test_references_lead_somewhere_and_uuids_are_of_version_5(
    findings: list[Any], model: Thing | None, tmp_path: Path
) -> None:
    data = to_results(assessment(*findings, model=model), PIECES, provider="A provider", tool_version="0.1.0")
    accepted(AssessmentResults, data, tmp_path, "results.json")
    found_ = list(uuids(json.loads(data)))
    assert all(UUID5.fullmatch(value) for _, value in found_)
    own = [value for key, value in found_ if key == "uuid"]
    assert len(set(own)) == len(own)
    assert {value for key, value in found_ if key != "uuid"} <= set(own)


def test_the_same_input_gives_the_same_bytes_and_another_version_other_uuids() -> None:
    assert results(*FINDINGS) == results(*FINDINGS)
    assert to_catalog(BODIES) == to_catalog(BODIES)
    without = to_results(assessment(*FINDINGS, model=None), PIECES, provider="A provider", tool_version="0.1.0")
    first, second = (dict(uuids(json.loads(data)["assessment-results"]["results"])) for data in (results(), without))
    assert first["uuid"] != second["uuid"]
