"""SARIF 2.1.0: each run of a static analysis becomes a safety result on cybersecurity, counts by level and findings.

A run without results did not report; one whose invocation failed, or that tells of an error, did not end. Severity
follows the CVSS-like `security-severity` where a rule has one, else the level. Messages and snippets may quote secrets
and stay in the original: a finding is told by its rule and file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import UNKNOWN, Given, Importer, NotSaidError, Reading, UnreadableError, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import clip, inside, listing, mapping, number, present, some, utc, word

TOOL = "SARIF"
_OURS = "Compliance Tracker"

_LEVELS = {"error": "serious", "warning": "minor", "note": "negligible", "none": "negligible"}
"""Level to the severity of a finding, where no score says more."""
_SCORES = ((9.0, "critical"), (7.0, "serious"), (4.0, "minor"), (0.0, "negligible"))
_SKIPPED = ("pass", "notApplicable", "informational")
_MOST = 500


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict) or not isinstance(data.get("runs"), list):
        return False
    if "sarif" in str(data.get("$schema", "")).lower():
        return True
    return str(data.get("version", "")).startswith("2.") and all(
        isinstance(run, dict) and "driver" in (run.get("tool") or {}) for run in data["runs"]
    )


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the log")
    runs = [mapping(run, "a run") for run in listing(data["runs"], "runs")]
    if not runs:
        raise UnreadableError("The log holds no run.")
    if any(_driver(run).get("name") == _OURS for run in runs):
        raise NotSaidError(
            "This is what the gate of Compliance Tracker found; it rests on evidence that is on record already.",
            remedy="Leave it out: `compliance gate` finds the same again.",
        )
    results = sum(len(run.get("results") or []) for run in runs)
    records = [_record(run) for run in runs]
    for position, record in enumerate(records, 1):
        record["title"] += f" [{position}]" if len(records) > 1 else ""
    invocations = [one for run in runs for one in run.get("invocations") or []]
    starts, ends = (
        [moment for one in invocations if (moment := utc(one.get(key)))] for key in ("startTimeUtc", "endTimeUtc")
    )
    return Reading(
        records=records,
        tool_version=word(data.get("version")),
        started_at=min(starts) if starts else None,
        ended_at=max(ends) if ends else None,
        withheld=f"messages and places of {some(results, 'finding')}" if results else None,
    )


def _driver(run: Mapping[str, Any]) -> dict[str, Any]:
    return mapping(mapping(run["tool"], "tool")["driver"], "driver")


def _version(run: Mapping[str, Any]) -> str | None:
    driver = _driver(run)
    return word(driver.get("semanticVersion") or driver.get("version"))


def _record(run: Mapping[str, Any]) -> dict[str, Any]:
    driver = _driver(run)
    scanner = " ".join(filter(None, [word(driver.get("name")), _version(run)]))
    gaps = [*_gaps(run)]
    if not isinstance(run.get("results"), list):
        return no_result(TOOL, scanner, "The run has no results: it did not report.", gaps)
    rules = {str(rule.get("id")): mapping(rule, "a rule") for rule in _rules(run)}
    found = [result for result in run["results"] if result.get("kind", "fail") not in _SKIPPED]
    findings = [_finding(position, mapping(one, "a result"), rules) for position, one in enumerate(found, 1)]
    rows = Rows()
    for level in ("error", "warning", "note"):
        open_ = sum(
            1
            for one, told in zip(found, findings, strict=True)
            if _level(one, rules) == level and told["status"] == "open"
        )
        rows.add(f"open_{level}s", open_, unit="count", better="lower")
    listed = f"The first {_MOST} of {len(findings)} findings are listed here." if len(findings) > _MOST else ""
    return {
        "kind": "safety-result",
        "category": "cybersecurity",
        "title": f"{TOOL}: {scanner}",
        "tool": word(driver.get("name")) or "unnamed scanner",
        "tool_version": _version(run) or UNKNOWN,
        "method": f"Static analysis by {scanner}",
        "metrics": rows.rows,
        **present({"findings": findings[:_MOST]}),
        "judge": {"kind": "rule", "name": word(driver.get("name")) or "scanner"},
        "gaps": gaps,
        "summary": listed,
    }


def _gaps(run: Mapping[str, Any]) -> Iterator[str]:
    if mapping(run.get("externalPropertyFileReferences") or {}, "externalPropertyFileReferences").get("results"):
        yield "Results of the run stand in other files, which are not read."
    for invocation in listing(run.get("invocations") or [], "invocations"):
        if invocation.get("executionSuccessful") is not True:
            yield "The run's invocation did not end successfully."
        for key in ("toolExecutionNotifications", "toolConfigurationNotifications"):
            errors = [one for one in invocation.get(key) or [] if one.get("level") == "error"]
            if errors:
                yield f"The run tells of {len(errors)} errors of the tool itself."


def _rules(run: Mapping[str, Any]) -> Iterator[Any]:
    tool = mapping(run["tool"], "tool")
    for component in (tool["driver"], *(tool.get("extensions") or [])):
        yield from listing(component.get("rules") or [], "rules")


def _rule_id(result: Mapping[str, Any]) -> str:
    return str(result.get("ruleId") or (result.get("rule") or {}).get("id") or "unnamed rule")


def _level(result: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a result's level: its own, else its rule's default, else `warning` (SARIF 2.1.0, section 3.27.10)."""
    default = (rules.get(_rule_id(result), {}).get("defaultConfiguration") or {}).get("level")
    return str(result.get("level") or default or "warning")


def _finding(position: int, result: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rule = rules.get(_rule_id(result), {})
    described = (rule.get("shortDescription") or {}).get("text") or rule.get("name")
    places = [one.get("physicalLocation") or {} for one in listing(result.get("locations") or [], "locations")]
    uris = [str((place.get("artifactLocation") or {}).get("uri") or "") for place in places]
    where = f" in {inside(uris[0])}" if uris and uris[0] else ""
    return {
        "id": f"{clip(_rule_id(result), 180)}#{position}",
        "finding": clip(f"{_rule_id(result)}: {described}{where}" if described else f"{_rule_id(result)}{where}", 2000),
        "severity": _severity(result, rule, rules),
        "status": _status(result),
    }


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> str:
    score = number((rule.get("properties") or {}).get("security-severity"))
    if score is not None:
        return next((word_ for least, word_ in _SCORES if float(score) >= least), "negligible")
    return _LEVELS.get(_level(result, rules), "minor")


def _status(result: Mapping[str, Any]) -> str:
    """A suppression is accepted by somebody, unless it is still under review or was rejected."""
    if result.get("baselineState") == "absent":
        return "fixed"
    accepted = [one for one in result.get("suppressions") or [] if one.get("status", "accepted") == "accepted"]
    return "accepted" if accepted else "open"


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"runs"', b'"driver"', b'"results"'),))
