"""OSCAL assessment-results (JSON or YAML): a document, an audit report with the state of each assessed control.

A control that was to be reviewed and has no finding is not assessed, which is no pass; so is a finding without state,
and a result without end. Open risks are counted. What people wrote, and their names, stay in the original. An
assessment that Compliance Tracker wrote itself is no evidence: it rests on the record already.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, NotSaidError, Reading
from compliance.importers.source import Source
from compliance.importers.values import listing, mapping, present, utc, word

TOOL = "OSCAL"

_ROOT = "assessment-results"
_STATES = ("satisfied", "not-satisfied")
_OURS = "compliance tracker"


def _content(source: Source) -> Any:
    if isinstance(source.json, dict):
        return source.json.get(_ROOT)
    return source.yaml[0].get(_ROOT) if source.holds(b"assessment-results:") and source.yaml else None


def _recognise(source: Source) -> bool:
    content = _content(source)
    return isinstance(content, dict) and {"metadata", "results"} <= content.keys()


def _read(source: Source, given: Given) -> Reading:
    content = mapping(_content(source), _ROOT)
    told = mapping(content["metadata"], "metadata")
    results = [mapping(one, "a result") for one in listing(content["results"], "results")]
    if any(_OURS in str(one.get("title")).lower() for result in results for one in _platforms(result)):
        raise NotSaidError(
            "This is an assessment that Compliance Tracker wrote; it rests on evidence that is on record already.",
            remedy="Import what it rests on: `compliance verify BUNDLE` checks a bundle with its evidence.",
        )
    findings = [mapping(one, "a finding") for result in results for one in result.get("findings") or []]
    risks = [mapping(one, "a risk") for result in results for one in result.get("risks") or []]
    gaps = [] if results else ["The file holds no result."]
    gaps += [gap for result in results for gap in _gaps(result)]
    states = [_state(one) for one in findings]
    statements = [
        {"statement": f"{word(_target(one).get('target-id')) or 'a control'}: {state or 'no state'}"}
        for one, state in zip(findings, states, strict=True)
    ]
    open_risks = sum(1 for one in risks if one.get("status") != "closed")
    statements += [{"statement": "risks that are not closed", "value": str(open_risks)}]
    met = states.count("satisfied")
    record = {
        "kind": "document",
        "document_type": "audit-report",
        "title": f"{TOOL}: {word(told.get('title')) or 'assessment results'}, {met} of {len(findings)} satisfied",
        "statements": statements,
        **present({"revision": word(told.get("version"))}),
    }
    times = {end: [time for one in results if (time := utc(one.get(end)))] for end in ("start", "end")}
    return Reading(
        records=[record],
        tool_version=word(told.get("oscal-version")),
        started_at=min(times["start"], default=None),
        ended_at=max(times["end"], default=None),
        gaps=gaps,
        withheld=f"names of {len(told.get('parties') or [])} parties and what they wrote",
        notes=["The version is that of OSCAL; which tool assessed the file need not say."],
    )


def _platforms(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the components that assessed."""
    here = mapping(result.get("local-definitions") or {}, "local-definitions")
    yield from mapping(here.get("assessment-assets") or {}, "assessment-assets").get("components") or []


def _target(finding: Mapping[str, Any]) -> dict[str, Any]:
    return mapping(finding.get("target") or {}, "target")


def _state(finding: Mapping[str, Any]) -> str | None:
    status = _target(finding).get("status")
    state = status.get("state") if isinstance(status, dict) else status
    return str(state) if state in _STATES else None


def _gaps(result: Mapping[str, Any]) -> Iterator[str]:
    title = word(result.get("title")) or "a result"
    if not result.get("end"):
        yield f"{title} does not say when it ended."
    findings = [mapping(one, "a finding") for one in result.get("findings") or []]
    if not findings:
        yield f"{title} holds no finding."
    if stateless := sum(1 for one in findings if _state(one) is None):
        yield f"{stateless} of {len(findings)} findings of {title} have no state."
    targets = [str(_target(one).get("target-id")) for one in findings]
    missing = [name for name in _reviewed(result) if not any(_speaks(target, name) for target in targets)]
    if missing:
        yield f"{title} has no finding on {', '.join(missing[:20])}{' and others' if len(missing) > 20 else ''}."


def _reviewed(result: Mapping[str, Any]) -> Iterator[str]:
    for chosen in mapping(result.get("reviewed-controls") or {}, "reviewed-controls").get("control-selections") or []:
        for one in mapping(chosen, "a selection").get("include-controls") or []:
            yield str(one.get("control-id"))


def _speaks(target: str, control: str) -> bool:
    """Say whether a finding's target is a control, or a statement or objective of it: `ac-6.1_obj.a`."""
    return target == control or target.startswith(f"{control}_")


_MARKS = ((b'"assessment-results"', b'"oscal-version"'),)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
