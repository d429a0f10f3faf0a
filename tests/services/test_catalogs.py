"""The catalogs that ship: complete against their sheets, answerable, and written against real fields."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from compliance.core.applicability import reach
from compliance.core.catalog import AUDIT_TRAIL, LAW, Catalog, Need, Requirement
from compliance.errors import UnknownReference
from compliance.kinds.schema import schema as kind_schema
from compliance.services import catalogs
from compliance.storage import assets

SHEETS = Path(__file__).resolve().parents[3] / "shared" / "regulations"
SECTIONS = {
    "eu-ai-act": ("eu-ai-act.md", ("1", "2"), r"eu-ai-act/"),
    "fda-aidsf": ("fda.md", ("2",), r"fda/"),
    "fda-pccp": ("fda.md", ("3",), r"fda/"),
    "fda-software": ("fda.md", ("4",), r"fda/"),
    "fda-cybersecurity": ("fda.md", ("5",), r"fda/"),
    "fda-cds": ("fda.md", ("6",), r"fda/cds/"),
    "fda-gmlp": ("fda.md", ("6",), r"fda/(gmlp|transparency)/"),
    "fda-submissions": ("fda.md", ("7",), r"fda/"),
    "fda-part-11": ("fda.md", ("8",), r"fda/"),
    "fda-qmsr": ("fda.md", ("9",), r"fda/"),
    "fda-estar": ("fda.md", ("10",), r"fda/"),
    "iso-14971": ("medical-standards.md", ("1",), r"std/"),
    "iec-62304": ("medical-standards.md", ("2",), r"std/"),
    "iso-42001": ("medical-standards.md", ("3",), r"std/"),
    "iso-23894": ("medical-standards.md", ("4",), r"std/"),
    "nist-ai-rmf": ("medical-standards.md", ("5",), r"std/"),
    "tripod-ai": ("medical-standards.md", ("6",), r"std/"),
    "reporting-guidelines": ("medical-standards.md", ("7",), r"std/"),
    "future-ai": ("medical-standards.md", ("8",), r"std/"),
    "chai": ("medical-standards.md", ("9",), r"std/"),
    "hti-1": ("medical-standards.md", ("10",), r"onc/"),
    "who": ("medical-standards.md", ("11",), r"who/"),
}
"""Which rows of which sections of which sheet a catalog holds."""
COUNTS = {"eu-ai-act.md": 351, "fda.md": 361, "medical-standards.md": 263}

CATALOGS = {catalog.id: catalog for catalog in catalogs.available()}
NEEDS = [
    (requirement, need)
    for catalog in CATALOGS.values()
    for requirement in catalog.requirements
    for need in requirement.needs
]


def sheet_rows(catalog: str) -> list[list[str]]:
    if not SHEETS.is_dir():
        pytest.skip("the fact sheets are not at hand")
    file, sections, ids = SECTIONS[catalog]
    found, section = [], ""
    for line in (SHEETS / file).read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\d+)\.", line):
            section = heading[1]
        elif section in sections and re.match(rf"\| {ids}", line):
            found.append([cell.strip() for cell in line[1:-1].split("|")])
    return found


@pytest.mark.parametrize("catalog", SECTIONS)
def test_no_row_of_the_sheet_is_lost_or_changed(catalog: str) -> None:
    assert [columns(requirement) for requirement in CATALOGS[catalog].requirements] == sheet_rows(catalog)


@pytest.mark.parametrize(("sheet", "rows"), COUNTS.items())
def test_the_catalogs_together_hold_every_row_once(sheet: str, rows: int) -> None:
    ids = [row.id for name, (file, *_) in SECTIONS.items() if file == sheet for row in CATALOGS[name].requirements]
    assert len(ids) == len(set(ids)) == rows


def columns(row: Requirement) -> list[str]:
    listed = [", ".join(values) for values in (row.binds, row.evidence_kinds, row.source)]
    return [
        row.id, row.ref, row.text, listed[0], listed[1], row.what_shows_it, row.measurable, row.tier, row.confidence,
        listed[2],
    ]  # fmt: skip


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=lambda catalog: catalog.id)
def test_every_measurable_core_row_has_a_need(catalog: Catalog) -> None:
    core = re.compile(r"eu-ai-act/(art-(9|1[0-5]|53|55)\.|annex-iv\.|annex-xi\.)|fda/aidsf/")
    lacking = [
        row.id
        for row in catalog.requirements
        if core.match(row.id) and row.measurable.startswith("yes") and row.tier == "C" and not row.needs
    ]
    assert lacking == []


def test_a_row_without_an_ask_is_never_met_by_presence_alone() -> None:
    bare = [row.id for c in CATALOGS.values() for row in c.requirements if not row.ask]
    assert bare
    for requirement, need in NEEDS:
        if not requirement.ask:
            assert need.judged_by_machine, (requirement.id, need.id)


def test_asks_are_questions_about_their_own_row() -> None:
    asks = [row.ask for catalog in CATALOGS.values() for row in catalog.requirements if row.ask]
    assert len(set(asks)) == len(asks)
    assert [ask for ask in asks if not ask.endswith("?") or len(ask.split()) < 8] == []


def test_no_fda_row_demands_that_something_happened() -> None:
    """Incidents, corrections and changes are asked of each that is on record: a sound device may have had none."""
    demanded = [
        f"{requirement.id}/{need.id}"
        for requirement, need in NEEDS
        if requirement.id.startswith("fda/")
        and (need.kind in ("incident", "capa") or (need.kind == "change" and "plan" not in need.where.get("type", ())))
        and not need.each
    ]
    assert demanded == []


def test_no_fda_row_lets_a_field_left_out_hide_a_missed_criterion() -> None:
    """A result that cannot carry a need cannot fail it: what describes a result is a need of its own."""
    hiding = [
        f"{requirement.id}/{need.id}"
        for requirement, need in NEEDS
        if requirement.id.startswith("fda/")
        and need.criterion == "passed"
        and (need.fields or need.least or need.groups)
    ]
    assert hiding == []


TOLD_TO_USERS = {"labelling", "instructions-for-use", "public-summary", "model-card"}
LABELS_THEMSELVES = {"fda/cfr-807.87.e", "fda/cfr-814.20.b.10"}
"""Rows that ask for the labeling as such, whatever it says."""


def test_an_fda_row_takes_a_label_only_where_it_says_that_it_speaks_to_the_row() -> None:
    """Else the same label would answer twenty rows that ask for twenty statements."""
    loose = [
        f"{requirement.id}/{need.id}"
        for requirement, need in NEEDS
        if requirement.id.startswith("fda/")
        and TOLD_TO_USERS.issuperset(need.where.get("document_type", ("none",)))
        and not (need.judged_by_machine or need.approved or "answers[]" in need.where)
        and requirement.id not in LABELS_THEMSELVES
    ]
    assert loose == []
    foreign = [
        f"{requirement.id}/{need.id}"
        for requirement, need in NEEDS
        if requirement.id.startswith("fda/") and need.where.get("answers[]", (requirement.id,)) != (requirement.id,)
    ]
    assert foreign == []


def test_an_fda_row_binds_as_its_citation_does() -> None:
    """Statute, regulation and the clauses that Part 820 incorporates bind; drafts, guidance and principles do not."""
    wrong = []
    for catalog in (one for one in CATALOGS.values() if one.id.startswith("fda-")):
        for row in catalog.requirements:
            cites_law = re.match(r"21 CFR|FD&C Act|ISO 13485", row.ref) or re.search(r"; (FD&C Act 50|QMSR)", row.ref)
            if row.ref.startswith("AI-DSF draft"):
                wanted = "draft guidance"
            elif re.match(r"GMLP|.*guiding principles", row.ref):
                wanted = "voluntary framework"
            else:
                wanted = "in force" if cites_law else "guidance"
            if not row.status.startswith(wanted) or row.is_law != (wanted == "in force"):
                wrong.append((row.id, row.ref, row.status))
    assert wrong == []


def test_fda_rows_reach_devices_on_the_us_market_only() -> None:
    """They say nothing of what is no device there; a framework is for whoever takes it up."""
    loose = [
        row.id
        for catalog in CATALOGS.values()
        for row in catalog.requirements
        if row.id.startswith("fda/")
        and not row.status.startswith("voluntary framework")
        and not (row.applies_if.get("markets") == ("US",) and {"us.pathway", "us.pccp"} & row.applies_if.keys())
    ]
    assert loose == []


def test_dates_follow_the_act() -> None:
    rows = {row.id.removeprefix("eu-ai-act/"): row for row in CATALOGS["eu-ai-act"].requirements}
    assert rows["art-15.1"].applies_from == {"annex-i": "2028-08-02", "annex-iii": "2027-12-02"}
    assert rows["art-53.1.a"].applies_from == {"gpai": "2025-08-02"}
    assert rows["art-50.1"].applies_from == {"any": "2026-08-02"}
    assert rows["art-4a.1"].applies_from == {"any": "2026-07-27"}
    assert rows["art-15.1"].status == "applies from 2027-12-02 (Annex III), 2028-08-02 (Annex I)"
    assert rows["annex-xi.s1.1.a"].status == "in force"
    assert {row.status for row in CATALOGS["fda-aidsf"].requirements} == {"draft guidance"}


ROLES = {
    "P": "provider", "M": "manufacturer", "D": "deployer", "G": "gpai-provider", "GS": "gpai-provider",
    "AR": "authorised-representative", "IMP": "importer", "DIS": "distributor",
}  # fmt: skip
"""What a profile calls those whom the AI Act sheet's codes name; authorities, notified bodies, suppliers have none."""
AI_ACT = {row.id.removeprefix("eu-ai-act/"): row for row in CATALOGS["eu-ai-act"].requirements}
BY_LIST = {"annex-i": "2028-08-02", "annex-iii": "2027-12-02"}


def test_rows_of_the_act_reach_whom_they_bind_and_nobody_else() -> None:
    assert {name: set(row.applies_if["roles"]) for name, row in AI_ACT.items()} == {
        name: {ROLES[code] for code in row.binds if code in ROLES} for name, row in AI_ACT.items()
    }
    systemic = [name for name, row in AI_ACT.items() if "gpai.systemic_risk" in row.applies_if]
    assert systemic == [name for name, row in AI_ACT.items() if "GS" in row.binds and "G" not in row.binds]


def due(name: str) -> dict[str, str]:
    """Return the days of section 3 of the sheet; what bites only for high-risk systems is due with Section 2."""
    single = {
        r"art-2\.13": "2026-07-27", r"art-4a\.": "2026-07-27", r"art-2\.scope|art-[45]\.": "2025-02-02",
        r"art-(50|57|59|9[1-3])\.|art-111\.2": "2026-08-02",
    }  # fmt: skip
    if re.match(r"art-5[1-5]\.|annex-xii?\.|art-111\.3", name):
        return {"gpai": "2025-08-02"}
    return next(({"any": day} for which, day in single.items() if re.match(which, name)), BY_LIST)


def test_rows_of_the_act_bind_from_the_days_that_the_sheet_gives() -> None:
    standards = {name: {**BY_LIST, "gpai": "2026-08-02"} for name in ("art-40.1", "art-41.5")}
    expected = {name: due(name) for name in AI_ACT} | standards
    assert {name: dict(row.applies_from) for name, row in AI_ACT.items()} == expected


def test_what_the_act_asks_for_annex_iii_alone_reaches_no_device_of_annex_i_alone() -> None:
    """Traps 2, 3 and 10 of the sheet: no registration, no impact assessment, no notice, no explanation."""
    device = {"roles": list(set(ROLES.values())), "high_risk": ["annex-i"], "features": []}
    both = {**device, "high_risk": ["annex-i", "annex-iii"]}
    only = re.compile(r"art-(27|86|49)\.|art-26\.(8|11)$|art-16\.i$|annex-viii\.|annex-vi\.|art-73\.9$|art-6\.4$")
    by_device, by_both = (
        {name for name, row in AI_ACT.items() if reach(row, profile, "2029-01-01").applies is not False}
        for profile in (device, both)
    )
    assert [name for name in by_device if only.match(name)] == []
    assert {"art-49.1", "art-27.1.a", "art-26.11", "art-86.1", "annex-viii.a.1", "annex-vi.2"} <= by_both


def test_every_status_is_one_of_the_words() -> None:
    words = (
        *LAW, "draft guidance", "guidance", "voluntary standard", "voluntary framework", "reporting guideline", "draft",
        "withdrawn",
    )  # fmt: skip
    assert [row.id for c in CATALOGS.values() for row in c.requirements if not row.status.startswith(words)] == []


@pytest.mark.parametrize(("requirement", "need"), NEEDS, ids=[f"{row.id}:{need.id}" for row, need in NEEDS])
def test_every_path_of_a_need_is_a_field_of_its_kind(requirement: Requirement, need: Need) -> None:
    if need.kind == AUDIT_TRAIL:
        return
    schema = kind_schema(need.kind)
    content = resolved(schema, schema["$defs"]["Predicate"]["properties"]["content"])
    related = [relation.path for relation in need.relations]
    related += [relation.to for relation in need.relations if relation.kind is None]
    for path in [*need.where, *need.fields, *need.holds, *need.must, *need.least, *need.unique, *related]:
        found = at(schema, content, path)
        assert found is not None, f"{need.kind} has no field {path}"
        for value in (*need.where.get(path, ()), *need.holds.get(path, ()), *need.must.get(path, ())):
            # A type that the kind lists must be one of its values, else the condition could never hold.
            allowed = found.get("enum") or ([found["const"]] if "const" in found else None)
            assert allowed is None or value in allowed, f"{path} of {need.kind} is never {value}"
    for relation in need.relations:
        if relation.kind:
            other = kind_schema(relation.kind)
            there = resolved(other, other["$defs"]["Predicate"]["properties"]["content"])
            assert at(other, there, relation.to) is not None, f"{relation.kind} has no field {relation.to}"
    if need.metrics or need.groups:
        assert at(schema, content, "metrics[].name") is not None


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part


def at(schema: dict[str, Any], part: dict[str, Any], path: str) -> dict[str, Any] | None:
    """Return the schema of the field at a path, or None where the kind has no such field."""
    for step in path.split("."):
        name = step.removesuffix("[]")
        # Free labels, such as those of `identifiers`, are fields by their pattern.
        free = (value for pattern, value in part.get("patternProperties", {}).items() if re.match(pattern, name))
        below = part.get("properties", {}).get(name) or next(free, None)
        if below is None:
            return None
        part = resolved(schema, below)
        if step.endswith("[]"):
            if part.get("type") != "array":
                return None
            part = resolved(schema, part["items"])
    return part


def test_need_schemas_have_not_drifted() -> None:
    folder = assets.folder("schemas") / "needs"
    written = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.json")}
    assert written == dict(catalogs.need_schemas())


def test_need_schemas_are_schemas() -> None:
    for text in catalogs.need_schemas().values():
        assert jsonschema_rs.meta.is_valid(json.loads(text))


def test_an_unknown_catalog_names_those_at_hand() -> None:
    with pytest.raises(UnknownReference) as refused:
        catalogs.load("eu-ai-atc")
    assert "eu-ai-act" in refused.value.remedy
