"""The catalogs that ship: complete against their sheets, answerable, and written against real fields."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from compliance.core.catalog import AUDIT_TRAIL, Catalog, Need, Requirement
from compliance.errors import InvalidInput, UnknownReference
from compliance.kinds.schema import schema as kind_schema
from compliance.services import catalogs
from compliance.storage import assets

SHEETS = Path(__file__).resolve().parents[3] / "shared" / "regulations"
ROW = re.compile(r"^\| (?:eu-ai-act|fda)/")

CATALOGS = {catalog.id: catalog for catalog in catalogs.available()}
NEEDS = [
    (requirement, need)
    for catalog in CATALOGS.values()
    for requirement in catalog.requirements
    for need in requirement.needs
]


def sheet_rows(catalog: str) -> list[list[str]]:
    file, first, last = {
        "eu-ai-act": ("eu-ai-act.md", "## 1.", "## 3."),
        "fda-aidsf": ("fda.md", "## 2.", "## 3."),
    }[catalog]
    if not SHEETS.is_dir():
        pytest.skip("the fact sheets are not at hand")
    text = (SHEETS / file).read_text(encoding="utf-8")
    section = text[text.index(f"\n{first}") : text.index(f"\n{last}")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in section.splitlines() if ROW.match(line)]


@pytest.mark.parametrize(("catalog", "rows"), [("eu-ai-act", 351), ("fda-aidsf", 123)])
def test_no_row_of_the_sheet_is_lost_or_changed(catalog: str, rows: int) -> None:
    expected = sheet_rows(catalog)
    assert len(expected) == rows
    assert [columns(requirement) for requirement in CATALOGS[catalog].requirements] == expected


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


def test_dates_follow_the_act() -> None:
    rows = {row.id.removeprefix("eu-ai-act/"): row for row in CATALOGS["eu-ai-act"].requirements}
    assert rows["art-15.1"].applies_from == {"annex-i": "2028-08-02", "annex-iii": "2027-12-02"}
    assert rows["art-53.1.a"].applies_from == {"gpai": "2025-08-02"}
    assert rows["art-50.1"].applies_from == {"any": "2026-08-02"}
    assert rows["art-4a.1"].applies_from == {"any": "2026-07-27"}
    assert rows["art-15.1"].status == "applies from 2027-12-02 (Annex III), 2028-08-02 (Annex I)"
    assert rows["annex-xi.s1.1.a"].status == "in force"
    assert {row.status for row in CATALOGS["fda-aidsf"].requirements} == {"draft guidance"}


@pytest.mark.parametrize(("requirement", "need"), NEEDS, ids=[f"{row.id}:{need.id}" for row, need in NEEDS])
def test_every_path_of_a_need_is_a_field_of_its_kind(requirement: Requirement, need: Need) -> None:
    if need.kind == AUDIT_TRAIL:
        return
    schema = kind_schema(need.kind)
    content = resolved(schema, schema["$defs"]["Predicate"]["properties"]["content"])
    for path in [*need.where, *need.fields]:
        found = at(schema, content, path)
        assert found is not None, f"{need.kind} has no field {path}"
        for value in need.where.get(path, ()):
            # A type that the kind lists must be one of its values, else the condition could never hold.
            allowed = found.get("enum") or ([found["const"]] if "const" in found else None)
            assert allowed is None or value in allowed, f"{path} of {need.kind} is never {value}"
    if need.metrics or need.groups:
        assert at(schema, content, "metrics[].name") is not None


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part


def at(schema: dict[str, Any], part: dict[str, Any], path: str) -> dict[str, Any] | None:
    """Return the schema of the field at a path, or None where the kind has no such field."""
    for step in path.split("."):
        below = part.get("properties", {}).get(step.removesuffix("[]"))
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


GOOD = """
id: qms
version: "1"
date: 2026-01-01
title: Company rules
publisher: Example
requirements:
- id: qms/release
  ref: Rule 1
  text: Release only what was measured.
  binds: [P]
  evidence_kinds: [evaluation]
  what_shows_it: an evaluation
  measurable: "yes: a criterion is met"
  tier: C
  confidence: high
  source: [K]
  status: in force
  needs:
  - {id: measured, kind: evaluation, about: model-version, criterion: passed}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (
            "kind: evaluation, about: model-version, criterion: passed",
            "kind: documnt, where: {date: [x]}",
            19,
            "documnt",
        ),
        ("about: model-version", "about: modell", 19, "needs.0.about"),
        ("tier: C", "tier: Z", 14, "qms/release: tier"),
        ("criterion: passed", "fields: [metrics]", 7, "add an ask"),
        ("  status: in force", "  statuss: in force", 17, "statuss"),
        ("id: measured, kind", "id: measured, id: twice, kind", 19, "id"),
        ("- id: qms/release", "- id: qms", 7, "requirements"),
    ],
)
def test_a_broken_catalog_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = tmp_path / "qms.yaml"
    path.write_text(GOOD.replace(old, new, 1).lstrip(), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        catalogs.check(path)
    assert words in refused.value.problem
    assert f"qms.yaml:{line}: " in refused.value.problem


def test_a_good_catalog_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "qms.yaml"
    path.write_text(GOOD.lstrip(), encoding="utf-8")
    assert catalogs.check(path).id == "qms"


def test_an_unknown_catalog_names_those_at_hand() -> None:
    with pytest.raises(UnknownReference) as refused:
        catalogs.load("eu-ai-atc")
    assert "eu-ai-act" in refused.value.remedy
