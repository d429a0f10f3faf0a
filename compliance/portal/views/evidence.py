"""The list of evidence, and the page about one piece of it: plain summary first, proof and raw statement after."""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Response
from markupsafe import Markup

from compliance.core import assessments
from compliance.core.cited import LONGEST, visible
from compliance.core.evidence import Citation, Evidence, Source, evidence_number
from compliance.core.findings import Finding
from compliance.errors import ComplianceError
from compliance.kinds import in_order
from compliance.portal import measures, proof, shapes, tables
from compliance.portal.records import Filter, Record, page
from compliance.portal.views.overview import assessed, chosen_model
from compliance.portal.web import NotHere, Visit

COLUMNS = (
    "evidence",
    "kind",
    "title",
    "subject",
    "recorded_by",
    "logged_at",
    "completeness",
    "basis",
    "state",
    "sha256",
)
STATES = ("current", "superseded", "revoked", "erased")
MEASURED = ("evaluation", "safety-result")
DRAWN = ("curves", "calibration")
_SPARSE = dict.fromkeys(
    ("summary", "completeness_reason", "supersedes", "recorded_at", "data_classification"), ""
)  # what the page prints and a record may leave out
MAX_STATEMENT = 200_000
"""Characters of the raw statement that the page prints; the download holds all of it."""


async def listed(visit: Visit) -> Response:
    """GET /evidence"""
    wanted = _filter(visit)
    records = visit.records
    found = records.select(visit.scope, wanted)
    descending = visit.query.get("order") != "oldest"
    cut = page(found, before=_index(visit, "before"), after=_index(visit, "after"), descending=descending)
    facets = records.facets(visit.scope)
    models = [name for name in records.models if visit.scope.has_model(name)]
    rows = [(records.rows[index], records.state(records.rows[index])) for index in cut.indexes]
    return visit.pages.render(
        visit, "evidence-list.html", nav="evidence", rows=rows,
        cut=cut, wanted=wanted, descending=descending, facets=facets, models=models, states=STATES,
    )  # fmt: skip


def exported(kind: str) -> Callable[[Visit], Any]:
    """GET /evidence.csv and /evidence.json: every row of the list, unpaged."""

    async def handler(visit: Visit) -> Response:
        records = visit.records
        rows = [
            _row(records.rows[i], records.state(records.rows[i])) for i in records.select(visit.scope, _filter(visit))
        ]
        if kind == "csv":
            for row in rows:
                row["subject"] = [subject["name"] for subject in row["subject"]]
            return tables.as_csv(rows, COLUMNS, "evidence")
        return tables.as_json(rows, "evidence")

    return handler


async def shown(visit: Visit) -> Response:
    """GET /evidence/{number}"""
    record = visit.record(visit.request.path_params["number"])
    checks = proof.steps(visit.portal.ledger, visit.records.keys, record.index, visit.portal.ws.config.ledger.log_key)
    around = _around(visit, record)
    if record.erased:
        return visit.pages.render(
            visit, "evidence-erased.html", nav="evidence", record=record, checks=checks,
            revoked=_lines(visit, visit.records.revoked_by.get(record.digest, [])), **around,
        )  # fmt: skip
    piece = visit.portal.ledger.piece(record.index)
    statement = json.dumps(piece.statement, ensure_ascii=False, indent=2)
    records = visit.records
    return visit.pages.render(
        visit, "evidence.html", nav="evidence", record=record, state=records.state(record),
        predicate=_SPARSE | dict(piece.predicate),
        checks=checks, key=records.keys.known(piece.signer, piece.index), statement=_spelled(statement[:MAX_STATEMENT]),
        cut=len(statement) > MAX_STATEMENT, approved=_lines(visit, records.approved_by.get(record.digest, [])),
        revoked=_lines(visit, records.revoked_by.get(record.digest, [])),
        superseded=_lines(visit, records.superseded_by.get(record.digest, [])),
        counts_for=await _counts_for(visit, record),
        hrefs=[visit.locate(one.name, one.sha256) for one in record.subjects],
        log_key=visit.portal.ws.config.ledger.log_key, **around, **_content(visit, piece, record),
    )  # fmt: skip


def _content(visit: Visit, piece: Evidence, record: Record) -> dict[str, Any]:
    """Arrange what the record says. Content that has not its kind's shape is left to the raw statement."""
    nothing = shapes.Facts(())
    bare: dict[str, Any] = {
        "measured": [], "figures": [], "drawn": nothing, "plan": None, "facts": nothing, "citation": nothing,
        "source": nothing, "attachments": [],
    }  # fmt: skip
    content, source, locate = piece.content, piece.predicate["source"], visit.locate
    try:
        arranged: dict[str, Any] = {}
        if piece.kind in MEASURED:
            subject = record.subjects[0].name if record.subjects else record.number
            arranged["measured"] = measures.measures(content)
            arranged["figures"] = measures.plots(content, subject)
            arranged["drawn"] = shapes.facts({key: content[key] for key in DRAWN if key in content}, locate)
            arranged["plan"] = _plan(visit, piece)
        without = ("metrics", *DRAWN) if arranged else ()
        arranged["facts"] = shapes.facts(in_order(piece.kind, content), locate, without=without)
        arranged["source"] = shapes.facts(source, locate, order=list(Source.model_fields), without=("citation",))
        arranged["citation"] = shapes.facts(source.get("citation") or {}, locate, order=list(Citation.model_fields))
        arranged["attachments"] = [dict(one) for one in piece.predicate.get("attachments", [])]
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return bare
    return bare | arranged


def _plan(visit: Visit, piece: Evidence) -> measures.PlanTest | None:
    """Return the criteria of the plan that a result names, tested, where the plan is in scope."""
    named = piece.content.get("plan")
    if not isinstance(named, Mapping):
        return None
    index = visit.records.homes.get((str(named["name"]), str(named["sha256"])))
    if index is None or not visit.scope.sees(visit.records.rows[index]):
        return None
    return measures.plan_test(piece, visit.portal.ledger.piece(index))


async def _counts_for(visit: Visit, record: Record) -> list[tuple[Finding, str]]:
    """Return the findings that rest on this evidence, for the model version meant, and how it bears on each."""
    try:
        _, findings, _ = await assessed(visit, chosen_model(visit))
    except NotHere:
        raise
    except ComplianceError:
        return []
    return assessments.resting_on(findings, record.number)


def _around(visit: Visit, record: Record) -> dict[str, Any]:
    """Return the numbers before and after in scope."""
    found = visit.records.select(visit.scope, Filter())
    place = bisect_left(found, record.index)
    before, after = found[place - 1 : place] if place else [], found[place + 1 : place + 2]
    return {
        "before": evidence_number(before[0]) if before else None,
        "after": evidence_number(after[0]) if after else None,
    }


def _lines(visit: Visit, indexes: list[int]) -> list[Record]:
    return [visit.records.rows[index] for index in indexes if visit.scope.sees(visit.records.rows[index])]


def _filter(visit: Visit) -> Filter:
    return Filter(*(visit.query.get(name, "")[:200] for name in ("kind", "model", "signer", "state", "q")))


def _index(visit: Visit, name: str) -> int | None:
    text = visit.query.get(name, "").removeprefix("EV-")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _row(record: Record, state: str) -> dict[str, Any]:
    return {
        "evidence": record.number, "kind": record.kind, "title": record.title,
        "subject": [{"name": one.name, "sha256": one.sha256, "basis": one.basis} for one in record.subjects],
        "recorded_by": record.recorded_by, "logged_at": record.logged_at, "completeness": record.completeness,
        "basis": record.basis, "state": state, "sha256": record.digest,
    }  # fmt: skip


def _spelled(text: str) -> Markup:
    """Return a long text as HTML with its invisible characters spelled out."""
    return Markup("".join(visible(text[at : at + LONGEST]) for at in range(0, len(text), LONGEST)))
