"""OSCAL assessment-results as JSON: each result becomes a test report, its findings as statements with their state.

What somebody else found is a document here and decides no requirement of ours. A result without an end, or one that lists
neither finding nor observation, is incomplete. Observations may quote data and stay in the original.
"""

from collections.abc import Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, UnreadableError
from compliance.importers.source import Source
from compliance.importers.values import clip, listing, mapping, present, some, utc, word

TOOL = "OSCAL assessment-results"


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and isinstance(data.get("assessment-results"), dict)


def _read(source: Source, given: Given) -> Reading:
    data = mapping(mapping(source.json, "the file")["assessment-results"], "assessment-results")
    metadata = mapping(data["metadata"], "metadata")
    results = [mapping(one, "a result") for one in listing(data["results"], "results")]
    if not results:
        raise UnreadableError("The file holds no result.")
    name = word(metadata.get("title")) or "assessment"
    records = [_record(name, position, result) for position, result in enumerate(results, 1)]
    observations = sum(len(one.get("observations") or []) for one in results)
    starts = [moment for one in results if (moment := utc(one.get("start")))]
    return Reading(
        records=records,
        tool_version=word(metadata.get("oscal-version")),
        started_at=min(starts) if starts else None,
        withheld=some(observations, "observation") if observations else None,
    )


def _record(name: str, position: int, result: Mapping[str, Any]) -> dict[str, Any]:
    findings = [mapping(one, "a finding") for one in listing(result.get("findings") or [], "findings")]
    gaps = []
    if not result.get("end"):
        gaps.append("The result names no end.")
    if not findings and not result.get("observations"):
        gaps.append("It lists neither a finding nor an observation.")
    statements = [_finding(one) for one in findings]
    open_ = sum(1 for one in statements if one["statement"].startswith("not-satisfied"))
    return {
        "kind": "document",
        "document_type": "test-report",
        "title": clip(f"{TOOL}: {name}, {word(result.get('title')) or 'result'} [{position}]", 300),
        **present({"statements": statements}),
        "gaps": gaps,
        "summary": f"{some(len(findings), 'finding')}, {open_} not satisfied.",
    }


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    target = mapping(finding.get("target") or {}, "target")
    state = word(mapping(target.get("status") or {}, "status").get("state")) or "without a state"
    where = {"where": word(target.get("target-id"))}
    return {"statement": clip(f"{state}: {finding.get('title') or 'a finding'}", 2000), **present(where)}


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"assessment-results"', b'"import-ap"'),))
