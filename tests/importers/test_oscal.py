"""OSCAL: a control without finding, a finding without state, a result without end are no pass.

Built after `examples/ar/json/ifa_assessment-results-example.json` of usnistgov/oscal-content, and held against what
this project's own exporter writes.
"""

import json
from typing import Any

import pytest
import yaml
from support.imports import Imported, imported, tool_of

from compliance.importers import NotSaidError

METADATA = {
    "title": "Monthly assessment",
    "last-modified": "2026-02-01T13:57:28-04:00",
    "version": "2026-02",
    "oscal-version": "1.1.2",
    "parties": [{"uuid": "e7730080-71ce-4b20-bec4-84f33136fd58", "type": "person", "name": "Invented Person"}],
}


def _finding(target: str, state: str | None = "satisfied") -> dict[str, Any]:
    status = {"status": {"state": state}} if state else {}
    told = {"type": "objective-id", "target-id": target, **status}
    return {"uuid": "45d8a6c2", "title": "A title", "description": "Invented Person said so", "target": told}


def _result(*findings: dict[str, Any], reviewed: tuple[str, ...] = ("ac-6.1", "ac-7"), **more: Any) -> dict[str, Any]:
    selection = {"include-controls": [{"control-id": name} for name in reviewed]}
    return {
        "uuid": "a1d20136",
        "title": "February",
        "start": "2026-02-01T08:31:20-04:00",
        "end": "2026-02-01T08:46:51-04:00",
        "reviewed-controls": {"control-selections": [selection]},
        "findings": list(findings),
        **more,
    }


def _content(*results: dict[str, Any]) -> dict[str, Any]:
    return {"assessment-results": {"uuid": "ec0dad37", "metadata": METADATA, "results": list(results)}}


def _imported(*results: dict[str, Any]) -> Imported:
    return imported(json.dumps(_content(*results)).encode())


def test_states_of_controls_become_a_report() -> None:
    got = _imported(_result(_finding("ac-6.1_obj"), _finding("ac-7", "not-satisfied"), risks=[{"status": "open"}]))
    content = got.only["content"]
    assert (got.tool, got.version, content["document_type"]) == ("OSCAL", "1.1.2", "audit-report")
    assert got.only["title"] == "OSCAL: Monthly assessment, 1 of 2 satisfied"
    assert [one["statement"] for one in content["statements"]] == [
        "ac-6.1_obj: satisfied", "ac-7: not-satisfied", "risks that are not closed",
    ]  # fmt: skip
    assert content["statements"][-1]["value"] == "1"
    assert got.only["completeness"] == "complete"
    assert "Run at 2026-02-01T12:31:20Z" in got.summaries


def test_a_control_without_finding_was_not_assessed() -> None:
    got = _imported(_result(_finding("ac-6.1_obj"), reviewed=("ac-6.1", "ac-6", "ac-7")))
    assert "has no finding on ac-6, ac-7" in got.reasons, "a finding on ac-6.1 says nothing of ac-6"


def test_no_state_no_end_and_no_finding_are_no_pass() -> None:
    assert (
        "1 of 2 findings of February have no state"
        in _imported(_result(_finding("ac-6.1"), _finding("ac-7", None))).reasons
    )
    assert "does not say when it ended" in _imported(_result(_finding("ac-6.1"), _finding("ac-7"), end=None)).reasons
    assert "holds no finding" in _imported(_result(reviewed=())).reasons
    assert "The file holds no result" in _imported().reasons


def test_names_and_what_people_wrote_are_withheld() -> None:
    got = _imported(_result(_finding("ac-6.1"), _finding("ac-7")))
    assert "Invented Person" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"


def test_yaml_reads_like_json() -> None:
    content = _content(_result(_finding("ac-6.1"), _finding("ac-7")))
    got = imported(yaml.safe_dump(content, sort_keys=False).encode())
    assert got.only["content"]["statements"] == imported(json.dumps(content).encode()).only["content"]["statements"]


def test_what_this_tool_wrote_is_no_evidence() -> None:
    assets = {"assessment-assets": {"components": [{"title": "Compliance Tracker"}]}}
    with pytest.raises(NotSaidError, match="on record already"):
        _imported(_result(_finding("ac-6.1"), **{"local-definitions": assets}))


def test_other_oscal_files_are_left_alone_and_a_cut_one_is_unreadable() -> None:
    assert tool_of(b'{"catalog": {"metadata": {}}}') is None
    cut = json.dumps(_content(_result(_finding("ac-6.1")))).encode()[:-40]
    assert imported(cut).only["completeness"] == "unreadable"
