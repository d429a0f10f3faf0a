"""The crosswalks that ship: complete against the outlines, every requirement real, every row owned by somebody."""

import re
from pathlib import Path

import pytest

from compliance.errors import InvalidInput
from compliance.kinds import kinds
from compliance.services import catalogs, crosswalks

OUTLINES = Path(__file__).resolve().parents[3] / "shared" / "regulations" / "dossier-outlines.md"
SHIPPED = {path.stem: path for path in crosswalks.files()}
ID = re.compile(r"[a-z-]+/[a-z0-9.*/-]+")


def table(heading: str) -> list[list[str]]:
    if not OUTLINES.is_file():
        pytest.skip("the dossier outlines are not at hand")
    text = OUTLINES.read_text(encoding="utf-8")
    section = text[text.index(f"\n## {heading}") :].removeprefix("\n").split("\n## ")[0]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_every_row_of_the_outlines_table_is_there() -> None:
    rows = [set(row.requirements) for row in crosswalks.check(SHIPPED["evidence"]).rows]
    expected = [set(ID.findall(", ".join(row[1:]))) for row in table("Crosswalk")]
    assert len(expected) == 10
    assert [ids for ids in expected if ids not in rows] == []


def test_whatever_the_model_card_answers_is_mapped() -> None:
    crosswalk = crosswalks.check(SHIPPED["model-card"])
    mapped = {requirement for row in crosswalk.rows for requirement in row.requirements}
    known = [row.id for catalog in catalogs.available() for row in catalog.requirements]
    wanted = {
        requirement
        for row in table("(vii)")
        for name in ID.findall(row[2])
        for requirement in known
        if requirement == name or (name.endswith("*") and requirement.startswith(name[:-1]))
    }
    assert len(wanted) > 50
    assert wanted - mapped == set()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_crosswalk_that_ships_names_only_requirements_and_kinds_that_are(name: str) -> None:
    crosswalk = crosswalks.check(SHIPPED[name])
    known = {row.id for catalog in catalogs.available() for row in catalog.requirements}
    assert crosswalk.id == name
    assert {requirement for row in crosswalk.rows for requirement in row.requirements} <= known
    assert {kind for row in crosswalk.rows for kind in row.kinds} <= {*kinds(), "audit-trail"}


def test_every_row_says_who_made_it_and_that_it_is_our_own() -> None:
    for crosswalk in crosswalks.available():
        for row in crosswalk.rows:
            assert row.said_by.startswith("own mapping by Compliance Tracker project")
            assert (crosswalk.id == "sources") == (row.stated_in is not None)


def test_the_evidence_of_a_row_is_of_a_kind_that_each_requirement_looks_for() -> None:
    """Where a source itself points from one to the other, it may point from a rule to what stands under it."""
    rows = {row.id: row for catalog in catalogs.available() for row in catalog.requirements}
    looked_for = {name: {*row.evidence_kinds, *(need.kind for need in row.needs)} for name, row in rows.items()}
    assert [
        (row.evidence, requirement)
        for crosswalk in crosswalks.available()
        for row in crosswalk.rows
        for requirement in row.requirements
        if not looked_for[requirement] & set(row.kinds) and (row.stated_in is None or "AI Act" in row.stated_in)
    ] == []


@pytest.mark.parametrize(
    ("requirement", "also"),
    [
        ("eu-ai-act/art-16.g", {"eu-ai-act/art-47.1", "eu-ai-act/annex-iv.8"}),
        ("eu-ai-act/annex-iv.9", {"eu-ai-act/art-72.3"}),
        ("eu-ai-act/art-53.1.a", {"eu-ai-act/annex-xi.s1.2.d"}),
        ("eu-ai-act/art-49.1", {"eu-ai-act/annex-viii.a.12"}),
    ],
)
def test_what_the_act_itself_points_to_is_mapped(requirement: str, also: set[str]) -> None:
    told = {one.requirement: one.said_by for one in crosswalks.for_requirement(requirement)}
    assert also <= told.keys()
    assert all("AI Act" in told[name] for name in also)


def test_a_requirement_tells_what_else_its_evidence_answers() -> None:
    also = crosswalks.for_requirement("fda/iso13485/7.3.6")
    says = "own mapping by Compliance Tracker project, after 21 CFR 820.10(c): ISO 13485 clause 7.3 with its subclauses"
    assert [(one.requirement, one.evidence) for one in also] == [("fda/qmsr/820.10.c", "design verification report")]
    assert also[0].said_by == says
    assert crosswalks.for_requirement("eu-ai-act/art-12.3") == []


def test_what_one_answers_answers_it_too() -> None:
    for requirement in {name for c in crosswalks.available() for row in c.rows for name in row.requirements}:
        for one in crosswalks.for_requirement(requirement):
            assert requirement in {back.requirement for back in crosswalks.for_requirement(one.requirement)}


GOOD = """id: mine
version: "1"
date: 2026-11-24
title: Ours
rows:
- evidence: release record
  kinds: [approval]
  requirements: [eu-ai-act/art-16.a, fda/part11/11.50.a.3]
  made_by: Quality department
  basis: own mapping
"""


def test_a_good_crosswalk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert [one.requirement for one in crosswalks.check(path).also("eu-ai-act/art-16.a")] == ["fda/part11/11.50.a.3"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("art-16.a", "art-16.aa", 8, "did you mean eu-ai-act/art-16.a?"),
        ("art-16.a", "art-16.*", 8, "rows.0.requirements.0"),
        ("fda/part11/11.50.a.3", "eu-ai-act/art-16.a", 6, "names one requirement twice"),
        (", fda/part11/11.50.a.3", "", 8, "at least 2 items"),
        ("kinds: [approval]", "kinds: [aproval]", 7, "no kind of evidence is called aproval"),
        ("own mapping", "official", 10, "rows.0.basis"),
        ("made_by", "made_bye", 9, "made_bye"),
        ("  made_by: Quality department\n", "", 6, "rows.0.made_by"),
        ("id: mine", "id: mine\nid: mine", 2, "twice"),
    ],
)
def test_a_broken_crosswalk_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        crosswalks.check(path)
    assert words in refused.value.problem
    assert f"mine.yaml:{line}: " in refused.value.problem
    assert refused.value.remedy
