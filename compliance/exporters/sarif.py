"""What the gate found as SARIF 2.1.0, the form in which code hosts show results beside a change.

One result per open finding: what blocks is an error; what an exception lets pass is suppressed with its reason, and
what the policy does not block is for review, without a level, as the standard asks of results that are no failure.
One note for each thing on record that does not agree, a failure that was taken back among them: no rule of a catalog.
A requirement has no line in a file: its place is logical, and the file beside it is compliance.toml, which hosts need
to show a result at all. Deterministic: neither time nor machine enters. Standard: OASIS SARIF 2.1.0.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from compliance.core import wording
from compliance.core.catalog import Requirement
from compliance.core.findings import Assessment, Finding, Note
from compliance.core.policy import Decision, GateException

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(assessment: Assessment, decision: Decision, *, tool_version: str, place: str) -> bytes:
    """Return the gate's results; `place` is compliance.toml as a path below the folder that CI checked out."""
    blocking = {finding.requirement.id for finding in decision.blocking}
    passed_over = {finding.requirement.id for finding in (*decision.not_binding, *decision.allowed)}
    shown = [f for f in assessment.findings if f.requirement.id in blocking | passed_over | decision.excused.keys()]
    rules = {finding.requirement.id: position for position, finding in enumerate(shown)}
    topics = list(dict.fromkeys(note.topic for note in assessment.notes))
    rules |= {topic: len(shown) + position for position, topic in enumerate(topics)}
    driver = {
        "name": "Compliance Tracker",
        "semanticVersion": tool_version,
        "rules": [
            *(_rule(finding.requirement, finding.catalog) for finding in shown),
            *({"id": _topic(topic), "shortDescription": {"text": f"On record: {topic}"}} for topic in topics),
        ],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"compliance-gate/{assessment.system}/"},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(assessment, finding, rules[finding.requirement.id], place)
            | _level(finding, finding.requirement.id in blocking, decision.excused.get(finding.requirement.id))
            for finding in shown
        ]
        + [_note(assessment, note, rules[note.topic], place) for note in assessment.notes],
        "properties": {
            "system": assessment.system,
            "model": assessment.model.name if assessment.model else None,
            "asOf": assessment.as_of,
            "catalogs": [used.to_dict() for used in assessment.catalogs],
        },
    }
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return (json.dumps(log, indent=1, ensure_ascii=False) + "\n").encode()


def _rule(requirement: Requirement, catalog: str) -> dict[str, Any]:
    return {
        "id": requirement.id,
        "shortDescription": {"text": f"{requirement.ref}: {requirement.what_shows_it}"},
        "fullDescription": {"text": requirement.text},
        "help": {"text": "\n".join(_help(requirement))},
        "properties": {"tags": [catalog, requirement.status], "tier": requirement.tier},
    }


def _help(requirement: Requirement) -> Iterable[str]:
    yield f"Status: {requirement.status}"
    for need in requirement.needs:
        yield f"Need {need.id}: {'; '.join(wording.need(need))}"
    if requirement.ask:
        yield f"A person decides: {requirement.ask}"


def _result(assessment: Assessment, finding: Finding, rule: int, place: str) -> dict[str, Any]:
    requirement = finding.requirement
    about = assessment.model.name if assessment.model else assessment.system
    to_do = f" Next: {finding.next}" if finding.next else ""
    where = {"name": requirement.id, "fullyQualifiedName": f"{about}/{requirement.id}", "kind": "requirement"}
    return {
        "ruleId": requirement.id,
        "ruleIndex": rule,
        "message": {"text": f"{finding.finding}: {requirement.ref}. {finding.reason}{to_do}"},
        "locations": [_place(place) | {"logicalLocations": [where]}],
        "partialFingerprints": _fingerprint("requirement", assessment, requirement.id),
        "properties": {
            "finding": finding.finding.value,
            "binding": finding.binding,
            "appliesFrom": finding.applies_from,
            "evidence": list(finding.evidence),
            "against": list(finding.against),
        },
    }


def _note(assessment: Assessment, note: Note, rule: int, place: str) -> dict[str, Any]:
    return {
        "ruleId": _topic(note.topic),
        "ruleIndex": rule,
        "kind": "fail",
        "level": "note",
        "message": {"text": note.text},
        "locations": [_place(place)],
        "partialFingerprints": _fingerprint("note", assessment, note.text),
        "properties": {"evidence": list(note.evidence)},
    }


def _topic(topic: str) -> str:
    return f"note/{topic.replace(' ', '-')}"


def _place(place: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": place}, "region": {"startLine": 1}}}


def _fingerprint(what: str, assessment: Assessment, text: str) -> dict[str, str]:
    return {f"{what}/v1": sha256(f"{assessment.system}\n{text}".encode()).hexdigest()}


def _level(finding: Finding, blocks: bool, exception: GateException | None) -> dict[str, Any]:
    if blocks:
        return {"kind": "fail", "level": "error"}
    if exception is not None:
        why = f"{exception.reason} (until {exception.expires})"
        suppression = {"kind": "external", "status": "accepted", "justification": why}
        return {"kind": "fail", "level": "warning", "suppressions": [suppression]}
    return {"kind": "review", "level": "none"}
