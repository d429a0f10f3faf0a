"""Coverage: which lines ran, and nothing of whether a test passed."""

import json

import pytest
from support.imports import SAMPLES, Imported, imported, tool_of

FOLDER = SAMPLES / "coverage"
XML = (FOLDER / "coverage.xml").read_text()


def _said(got: Imported) -> dict[str, str]:
    return {one["statement"]: one["value"] for one in got.only["content"]["statements"]}


@pytest.mark.parametrize("name", ["coverage.xml", "coverage.json"])
def test_lines_and_branches_are_counted(name: str) -> None:
    got = imported(FOLDER / name)
    assert (got.tool, got.version, got.only["content"]["document_type"]) == ("coverage", "7.17.3", "test-report")
    said = _said(got)
    assert (said["lines"], said["lines covered"]) == ("6", "5")
    assert (said["branches"], said["branches covered"]) == ("2", "1")
    assert got.only["completeness"] == "complete"
    assert "nothing of whether a test passed" in got.summaries


def test_when_it_ran_is_in_the_xml_and_zoneless_in_the_json() -> None:
    assert "Run at 2026-11-24T04:49:17Z" in imported(FOLDER / "coverage.xml").summaries
    assert "2026-11-24T04:49:18.950605 by its machine's clock" in imported(FOLDER / "coverage.json").summaries


def test_counts_that_the_files_do_not_give_are_a_gap() -> None:
    assert (
        "6 lines covered are stated and 5 listed"
        in imported(XML.replace('lines-covered="5"', 'lines-covered="6"').encode()).reasons
    )
    data = json.loads((FOLDER / "coverage.json").read_text())
    data["totals"]["covered_lines"] = 6
    assert "6 lines covered are stated and 5 listed" in imported(json.dumps(data).encode()).reasons


def test_nothing_measured_is_no_pass() -> None:
    empty = b'<coverage version="7" line-rate="1" lines-valid="0" lines-covered="0"><packages/></coverage>'
    assert "No line was measured" in imported(empty).reasons


def test_a_cut_file_and_one_with_a_document_type_are_unreadable() -> None:
    assert imported(XML[:700].encode()).only["completeness"] == "unreadable"
    declared = XML.replace("<coverage ", '<!DOCTYPE coverage SYSTEM "http://example.org/a.dtd">\n<coverage ', 1)
    assert imported(declared.encode()).only["completeness"] == "unreadable"
    assert tool_of(b"<coverage/>") is None
