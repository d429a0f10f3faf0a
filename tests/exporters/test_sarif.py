"""SARIF by its own schema (SchemaStore's sarif-2.1.0-rtm.5, as npm's @microsoft/jest-sarif 1.0.0-beta.0 carries it)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.findings import ON, assessment, found, requirement

from compliance.core.findings import Note, Verdict
from compliance.core.policy import Policy, decide
from compliance.exporters.sarif import to_sarif

SCHEMA = json.loads((Path(__file__).parents[1] / "vectors" / "sarif-2.1.0-rtm.5.json").read_text())
# The schema's pattern for a language is no regular expression (a bracket too many); nothing of ours has a language.
for part in ("run", "toolComponent"):
    del SCHEMA["definitions"][part]["properties"]["language"]["pattern"]
VALID = jsonschema_rs.validator_for(SCHEMA)

NEED = {"id": "doc", "kind": "document", "where": {"document_type": ["labelling"]}, "fields": ["statements"]}
FINDINGS = [found(f"law/{word.value}", word) for word in Verdict]
POLICY = {
    "block": ["failed", "gap"],
    "exceptions": [{"requirement": "law/gap", "findings": ["gap"], "reason": "In spring.", "expires": "2027-03-31"}],
}


def run(policy: dict[str, Any], *findings: Any, place: str = "ai/compliance.toml") -> dict[str, Any]:
    about = assessment(*findings)
    decision = decide(Policy.model_validate(policy), about.findings, ON)
    log = json.loads(to_sarif(about, decision, tool_version="0.1.0", place=place))
    VALID.validate(log)
    (only,) = log["runs"]
    return dict(only)


@pytest.mark.parametrize("policy", [{}, POLICY, {"block": []}, {"binding_only": True}])
def test_it_is_valid_whatever_the_policy(policy: dict[str, Any]) -> None:
    run(policy, *FINDINGS, found("law/later", "gap", binding=False, applies_from="2028-08-02"))


def test_no_finding_is_valid_as_well() -> None:
    assert run({})["results"] == []


def test_the_schema_would_notice() -> None:
    assert not VALID.is_valid({"version": "2.1.0", "runs": [{"tool": {}, "results": []}]})


def test_what_blocks_is_an_error_and_what_is_met_is_left_out() -> None:
    results = {r["ruleId"]: r for r in run({}, *FINDINGS)["results"]}
    assert results.keys() == {f"law/{w}" for w in Verdict} - {"law/met", "law/not-applicable"}
    assert {(r["kind"], r["level"]) for r in results.values()} == {("fail", "error")}


def test_an_exception_suppresses_with_its_reason_and_the_rest_is_for_review() -> None:
    results = {r["ruleId"]: r for r in run(POLICY, *FINDINGS)["results"]}
    assert results["law/gap"]["suppressions"][0]["justification"] == "In spring. (until 2027-03-31)"
    assert (results["law/failed"]["level"], results["law/stale"]["level"]) == ("error", "none")
    assert [r for r in results.values() if r["kind"] != "fail" and r["level"] != "none"] == []


def test_each_result_points_to_its_rule_and_place() -> None:
    with_need = found("law/labels", "gap", requirement=requirement("law/labels", needs=[NEED]), next="compliance log")
    told = run({}, *FINDINGS, with_need)
    for result in told["results"]:
        assert told["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "ai/compliance.toml"
        assert location["logicalLocations"][0]["fullyQualifiedName"] == f"clinical-risk@2/{result['ruleId']}"
    assert len({json.dumps(r["partialFingerprints"]) for r in told["results"]}) == len(told["results"])
    rule = next(r for r in told["tool"]["driver"]["rules"] if r["id"] == "law/labels")
    assert "where document_type is labelling" in rule["help"]["text"]
    assert next(r for r in told["results"] if r["ruleId"] == "law/labels")["message"]["text"].endswith("compliance log")


def test_what_does_not_agree_is_a_note_under_a_rule_of_its_own() -> None:
    notes = (Note("revoked failure", "EV-000005 missed.", ("EV-000005",)), Note("contradiction", "Two values."))
    about = replace(assessment(*FINDINGS), notes=notes)
    log = json.loads(to_sarif(about, decide(Policy(), about.findings, ON), tool_version="0.1.0", place="c.toml"))
    VALID.validate(log)
    (only,) = log["runs"]
    told = [result for result in only["results"] if result["level"] == "note"]
    assert [result["message"]["text"] for result in told] == ["EV-000005 missed.", "Two values."]
    rules = [only["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in told]
    assert rules == [result["ruleId"] for result in told] == ["note/revoked-failure", "note/contradiction"]


def test_the_same_findings_give_the_same_bytes() -> None:
    about = assessment(*FINDINGS)
    decision = decide(Policy(), about.findings, ON)
    first, second = (to_sarif(about, decision, tool_version="0.1.0", place="x") for _ in range(2))
    assert first == second
