"""A catalog that somebody else wrote: read where it is right, and where it is wrong refused with line and remedy."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.catalog import Catalog
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import catalogs

GOOD = """\
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
SECOND = GOOD[GOOD.index("- id") :]


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "qms.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        catalogs.check(path)
    assert refused.value.remedy
    return refused.value


def test_a_good_catalog_of_ones_own_is_read(tmp_path: Path) -> None:
    assert catalogs.check(written(tmp_path, GOOD)).id == "qms"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("tier: C", "tier: Z", 14, "qms/release: tier must be"),
        ("about: model-version", "about: modell", 19, "qms/release: needs[0].about must be"),
        ("criterion: passed", "fields: [metrics]", 7, "add an ask"),
        ("  status: in force", "  status: mandatory", 7, "a status that does not begin with in force"),
        (
            "  status: in force",
            "  status: in force\n  applies_if: {roles: [providr]}",
            18,
            "roles is never providr in a profile; did you mean provider?",
        ),
        (
            "  status: in force",
            "  status: in force\n  applies_if: {device.class: [IV]}",
            18,
            "device.class is never IV in a profile",
        ),
        (
            "  status: in force",
            "  status: in force\n  applies_if: {us.pccp: ['maybe']}",
            18,
            "us.pccp is never maybe in a profile",
        ),
        (
            "  status: in force",
            "  status: in force\n  applies_unless: {gpai.open_source: [true], roles: [providr]}",
            18,
            "applies_unless roles is never providr in a profile",
        ),
        ("  status: in force", "  statuss: in force", 17, "did you mean status?"),
        ("  status: in force", "  statuss: in force", 7, "status is missing"),
        ("id: measured, kind", "id: measured, id: twice, kind", 19, "gives the field 'id' twice"),
        ("- id: qms/release", "- id: qms", 7, "must be an id in lower case with a slash"),
        ("- id: qms/release", "- qms/release", 8, "YAML"),
        ("requirements:", "requirements: 3\nrows:", 6, "requirements must be a list"),
        (
            "kind: evaluation, about: model-version, criterion: passed",
            "kind: documnt, must: {date: [x]}",
            19,
            "documnt",
        ),
        (
            "about: model-version, criterion: passed",
            "relations: [{path: date, is: equal, to: x, kind: nope}]",
            19,
            "no kind nope",
        ),
        (
            "criterion: passed",
            "criterion: passed, where: {dataset.rol: [test]}",
            19,
            "evaluation has no field dataset.rol; did you mean dataset.role?",
        ),
        (
            "kind: evaluation, about: model-version, criterion: passed",
            "kind: sbom, must: {'vulnerabilities[].status': [fixd]}",
            19,
            "vulnerabilities[].status is never fixd in sbom; did you mean fixed?",
        ),
        ("criterion: passed", "least: {nothing: 2}", 19, "evaluation has no field nothing"),
        ("criterion: passed", "holds: {setting: [lab]}", 19, "holds.setting is never lab in evaluation"),
        ("criterion: passed", "holds: {setting: []}", 19, "holds.setting names no value"),
        ("criterion: passed", "unique: [dataset.name.first]", 19, "no field dataset.name.first"),
        (
            "criterion: passed",
            "relations: [{path: started_at, is: equal, to: wieght, kind: model-version}]",
            19,
            "model-version has no field wieght",
        ),
        # The vocabulary has no expressions: neither a pattern nor any other word of one is known.
        ("criterion: passed", 'criterion: passed, pattern: "(a+)+$"', 19, "needs[0].pattern is no field here"),
        ("criterion: passed", "where: {'dataset[': [x]}", 19, "must be the path of a field"),
        ('"yes: a criterion is met"', "perhaps", 13, "measurable must be no, or yes: or partly:"),
        ("date: 2026-01-01", "date: 2026-02-30", 3, "calendar date"),
        # What a reader would not see, or would take for something else, stands in no cell.
        ("title: Company rules", 'title: "Company \\e[2Jrules"', 4, "title holds U+001B, a character that is not seen"),
        ("Release only", "Release \u202eonly", 9, "text holds U+202E"),
        ("Release only", "Release\u200bonly", 9, "text holds U+200B"),
        ("title: Company rules", 'title: "  "', 4, "title is empty"),
        ("binds: [P]", 'binds: [" "]', 10, "binds[0] is empty"),
        ("qms/release", "qms/r\u0435lease", 7, "it holds U+0435, cyrillic small letter ie"),
        ("id: qms\n", "id: q\u043cs\n", 1, "id must be letters, digits, dots, _ and -"),
    ],
)
def test_a_broken_row_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    problem = refusal(written(tmp_path, GOOD.replace(old, new, 1))).problem
    told = [text for text in problem.splitlines() if words in text]
    assert told, problem
    assert told[0].startswith(f"{tmp_path / 'qms.yaml'}:{line}: ")


@pytest.mark.parametrize(
    ("measurable", "more", "words"),
    [
        ('"yes: a count"', "", "no need measures it"),
        ('"partly: a count"', "", "say under `unmeasured` why none measures it"),
        ('"no"', "  unmeasured: nobody counts it\n", "unmeasured explains a row that is measurable in part"),
        ('"partly: a count"', "  unmeasured: nobody counts it\n", None),
        ('"no"', "", None),
    ],
)
def test_a_row_that_is_measurable_is_measured_or_says_why_not(
    tmp_path: Path, measurable: str, more: str, words: str | None
) -> None:
    row = GOOD[: GOOD.index("  needs:")].replace('"yes: a criterion is met"', measurable)
    path = written(tmp_path, f"{row}{more}  ask: Would you release this version to your own hospital?\n")
    if words is None:
        assert catalogs.tally(catalogs.check(path)).ask_only == 1
    else:
        told = refusal(path).problem
        assert told.startswith(f"{path}:7: qms/release: ")
        assert words in told


def test_text_of_any_script_is_read(tmp_path: Path) -> None:
    text = "می\u200cخواهم — Prüfung\n    über zwei Zeilen"
    assert catalogs.check(written(tmp_path, GOOD.replace("Release only", text))).requirements[0].text.startswith("می")


def test_a_broken_row_is_not_called_an_empty_list_as_well(tmp_path: Path) -> None:
    problem = refusal(written(tmp_path, GOOD.replace("tier: C", "tier: Z"))).problem
    assert len(problem.splitlines()) == 1


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    broken = GOOD.replace("tier: C", "tier: Z").replace("  binds:", "  bind:")
    lines = [int(line.split(":")[1]) for line in refusal(written(tmp_path, broken)).problem.splitlines()]
    assert lines == [7, 10, 14], "binds is missing from the row of line 7, bind is unknown, tier is none"


def test_of_very_many_problems_the_first_are_told(tmp_path: Path) -> None:
    broken = GOOD + "".join(f"x{place}: 1\n" for place in range(100_000))
    *first, last = refusal(written(tmp_path, broken)).problem.splitlines()
    assert (first[0].rpartition(": ")[2], len(first), last) == ("x0 is no field here.", 20, "and many more")


def test_two_rows_with_one_id_are_told_with_both_lines(tmp_path: Path) -> None:
    problem = refusal(written(tmp_path, GOOD + SECOND)).problem
    assert problem.endswith("qms.yaml:20: qms/release: this id stands in line 7 already.")


def test_two_rows_that_ask_the_same_are_told_with_both_lines(tmp_path: Path) -> None:
    ask = "  ask: Would you sell this model version to your own family's hospital?\n"
    text = GOOD + ask + SECOND.replace("qms/release", "qms/other") + ask
    assert "qms/other: this question is asked in line 20 already" in refusal(written(tmp_path, text)).problem


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"- 1\n", "is not a record"),
        (b"id: &a qms\ntitle: *a\n", ":1: uses an anchor"),
        (b"a: &a [*a]\n", ":1: uses an anchor"),
        (b"--- !!python/object/apply:os.system [ls]\n", ":1: uses a tag"),
        (b"id: \xff\xfe\n", "qms.yaml:1: is not UTF-8"),
        (b"id: qms\n\xe9\n", "qms.yaml:2: is not UTF-8"),
        (b"id: qms\nid: qms\n", ":2: gives the field 'id' twice"),
        (b"id: {", "is not YAML"),
        (b"x: " + b"[" * 100_000, "nested deeper"),
        (b"id: x\ntitle: a\x1bb\n", "qms.yaml:2: holds a character that YAML does not allow"),
        (b"id: x\nrequirements: [" + b"1," * 1_000_000 + b"1]", "qms.yaml:2: holds more than 500000 names and values"),
        (b"id: x\nrequirements:\n" + b"- 1\n" * 20_000, ":2: 20000 requirements are too many"),
        (b"id: x\n---\nid: y\n", ":3: a catalog is one document"),
    ],
)
def test_a_file_that_is_no_catalog_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in refusal(written(tmp_path, data)).problem


def test_a_file_too_large_to_be_a_catalog_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = written(tmp_path, b"id: qms\n")
    with path.open("r+b") as stream:
        stream.truncate(50 * 2**20)
    started = time.monotonic()
    assert "larger than 4 MB" in refusal(path).problem
    assert time.monotonic() - started < 2


def test_a_folder_is_no_catalog(tmp_path: Path) -> None:
    assert "is no file" in refusal(tmp_path).problem


@pytest.mark.parametrize("text", ["a" * 200_000 + "!", "a-" * 100_000 + "/", "a/" * 100_000 + "A"])
def test_no_text_makes_the_check_slow(tmp_path: Path, text: str) -> None:
    """Every pattern of the vocabulary is matched in linear time, whatever it is given."""
    path = written(tmp_path, GOOD.replace("qms/release", text).replace("id: measured", f"id: {text}"))
    started = time.monotonic()
    assert len(refusal(path).problem) < 2_000
    assert time.monotonic() - started < 2


@given(st.binary(max_size=400))
def test_no_bytes_are_a_fault(data: bytes) -> None:
    judged(data)


@given(st.text(max_size=40), st.sampled_from(["tier: C", "qms/release", "evaluation", "[P]", "criterion: passed"]))
def test_no_text_in_a_row_is_a_fault(text: str, at: str) -> None:
    judged(GOOD.replace(at, text, 1).encode())


def judged(data: bytes) -> Catalog | InvalidInput:
    """Read it, or refuse it with a remedy; anything else that is raised is a fault."""
    try:
        return catalogs.read(data, "x.yaml")
    except InvalidInput as error:
        return error


def test_counts_are_of_the_rows(tmp_path: Path) -> None:
    ask = "  ask: Would you sell this model version to your own family's hospital?\n"
    partly = SECOND.replace("qms/release", "qms/partly").replace('"yes: a', '"partly: a')
    asked = partly[: partly.index("  needs")] + "  unmeasured: nobody counts it\n" + ask
    counted = catalogs.tally(catalogs.check(written(tmp_path, GOOD + asked)))
    assert counted.to_dict() == {
        "catalog": "qms",
        "requirements": 2,
        "needs_only": 1,
        "ask_only": 1,
        "both": 0,
        "needs": 1,
        "unmeasured": 1,
    }


def test_every_row_that_ships_is_counted_once() -> None:
    for catalog in catalogs.available():
        counted = catalogs.tally(catalog)
        assert counted.needs_only + counted.ask_only + counted.both == counted.requirements


def test_every_requirement_is_found_by_its_id() -> None:
    for catalog in catalogs.available():
        row = catalog.requirements[-1]
        assert catalogs.find(row.id) == (catalog, row)
    with pytest.raises(UnknownReference):
        catalogs.find("fda/no-such-row")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that brings a catalog, and one that brings nothing that can be loaded."""
    (tmp_path / "qms_rules.py").write_text(f"from pathlib import Path\nFILE = Path({str(tmp_path / 'qms.yaml')!r})\n")
    written(tmp_path, GOOD)
    info = tmp_path / "qms_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: qms-rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[compliance.catalogs]\nqms = qms_rules:FILE\nbroken = no_such_module:FILE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "qms_rules", raising=False)
    catalogs._brought.cache_clear()
    yield tmp_path
    catalogs._brought.cache_clear()


def test_a_package_may_bring_a_catalog(plugin: Path) -> None:
    assert "qms" in catalogs.ids()
    assert catalogs.load("qms").title == "Company rules"
    assert catalogs.find("qms/release")[0].id == "qms"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("id: qms\n", "id: eu-ai-act\n", "calls itself eu-ai-act, but is installed as qms"),
        ("qms/release", "eu-ai-act/art-15.1", "the id eu-ai-act/art-15.1 is that of a row that ships"),
    ],
)
def test_a_package_brings_no_catalog_that_passes_for_another(plugin: Path, old: str, new: str, words: str) -> None:
    written(plugin, GOOD.replace(old, new, 1))
    with pytest.raises(InvalidInput, match=words) as refused:
        catalogs.load("qms")
    assert refused.value.remedy


def test_a_package_that_is_broken_is_named_and_the_rest_works(plugin: Path) -> None:
    with pytest.raises(InvalidInput, match="no_such_module") as refused:
        catalogs.load("broken")
    assert "uninstall" in refused.value.remedy
    assert catalogs.load("fda-pccp").id == "fda-pccp"
