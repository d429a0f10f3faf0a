"""Approvals and decisions, keys, lineage, search, the reader's own visits, and how to verify without this portal."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import Response

from compliance.core.evidence import Evidence
from compliance.core.findings import Finding
from compliance.core.shelf import references
from compliance.portal import tables
from compliance.portal.records import Filter, Record, page
from compliance.portal.views.overview import assessed, chosen_model
from compliance.portal.web import Visit
from compliance.storage.access import Access

ACTS = ("approval", "determination", "revocation")
FOUND = 20
MAX_PER_KIND = 200


async def approvals(visit: Visit) -> Response:
    """GET /approvals: who signed what, in which role, when, and what it means."""
    found = sorted(index for kind in ACTS for index in visit.records.select(visit.scope, Filter(kind=kind)))
    cut = page(found, before=_index(visit, "before"), after=_index(visit, "after"))
    acts = [_act(visit, visit.records.rows[index]) for index in cut.indexes]
    return visit.pages.render(visit, "approvals.html", nav="approvals", acts=acts, cut=cut)


def approvals_exported(kind: str) -> Callable[[Visit], Any]:
    """GET /approvals.csv and /approvals.json"""

    async def handler(visit: Visit) -> Response:
        found = sorted(index for kind in ACTS for index in visit.records.select(visit.scope, Filter(kind=kind)))
        rows = [_act(visit, visit.records.rows[index]) for index in reversed(found)]
        columns = ("evidence", "act", "meaning", "what", "model", "who", "role", "key", "logged_at", "reason")
        return tables.as_csv(rows, columns, "approvals") if kind == "csv" else tables.as_json(rows, "approvals")

    return handler


async def keys(visit: Visit) -> Response:
    """GET /keys"""
    ws = visit.portal.ws
    return visit.pages.render(
        visit, "keys.html", nav="keys", keys=visit.records.keys.current(), log_key=ws.config.ledger.log_key,
        genesis=ws.config.ledger.genesis, note=visit.portal.ledger.checkpoint() or "",
    )  # fmt: skip


async def lineage(visit: Visit) -> Response:
    """GET /lineage: what each model version came from, and what was shown about it."""
    family = visit.portal.ws.config.system.model
    named = [one for one in reversed(visit.records.models.values()) if visit.scope.has_model(one.name)]
    named.sort(key=lambda one: one.name.partition("@")[0] != family)
    models = [(one, _origins(visit, one.name), _shown_about(visit, one.name)) for one in named]
    return visit.pages.render(visit, "lineage.html", nav="lineage", models=models)


async def search(visit: Visit) -> Response:
    """GET /search: one box over requirements and evidence."""
    q = visit.query.get("q", "").strip()[:200]
    words = q.lower().split()
    records = visit.records
    found = records.select(visit.scope, Filter(q=q)) if words else []
    _, findings, _ = await assessed(visit, chosen_model(visit))
    matching = [one for one in findings if words and all(word in _words(one) for word in words)]
    rows = [(records.rows[index], records.state(records.rows[index])) for index in reversed(found[-FOUND:])]
    return visit.pages.render(
        visit, "search.html", nav="", q=q, rows=rows, total=len(found), findings=matching[:FOUND], of=len(matching)
    )


async def visits(visit: Visit) -> Response:
    """GET /visits: the reader's own, and whether the log of all visits is whole."""
    listed = visit.portal.access.visits(visit.grant.id, before=_index(visit, "before"), limit=101)
    broken = await asyncio.to_thread(_broken, visit)
    more = listed[99].n if len(listed) > 100 else None
    return visit.pages.render(visit, "visits.html", nav="visits", visits=listed[:100], older=more, broken=broken)


def visits_exported(kind: str) -> Callable[[Visit], Any]:
    """GET /visits.csv and /visits.json"""

    async def handler(visit: Visit) -> Response:
        rows = [
            {"at": one.at, "what": one.what, "result": one.result} for one in visit.portal.access.visits(visit.grant.id)
        ]
        return (
            tables.as_csv(rows, ("at", "what", "result"), "visits") if kind == "csv" else tables.as_json(rows, "visits")
        )

    return handler


async def help_(visit: Visit) -> Response:
    """GET /help"""
    return visit.pages.render(visit, "help.html", nav="help", log_key=visit.portal.ws.config.ledger.log_key)


def _words(finding: Finding) -> str:
    row = finding.requirement
    return f"{row.id} {row.ref} {row.text}".lower()


def _act(visit: Visit, record: Record) -> dict[str, Any]:
    """Return one approval, decision or revocation as a row."""
    if record.erased:
        return {"evidence": record.number, "act": record.kind, "meaning": "erased", "what": [], "model": "", "who": "",
                "role": "", "key": "", "logged_at": record.logged_at, "reason": ""}  # fmt: skip
    piece = visit.portal.ledger.piece(record.index)
    content = piece.content
    key = visit.records.keys.known(piece.signer, piece.index)
    requirements = content.get("requirements")
    undone = "erased" if content.get("erasure") else "revoked"
    what = list(requirements) if isinstance(requirements, list) else [one.name for one in record.subjects]
    return {
        "evidence": record.number, "act": record.kind,
        "meaning": str(content.get("meaning") or content.get("decision") or undone),
        "what": what, "model": ", ".join(sorted(record.models)), "who": key.holder if key else "an unknown key",
        "role": ", ".join(key.roles) if key else "", "key": key.name if key else "", "logged_at": record.logged_at,
        "reason": str(content.get("reason", "")),
    }  # fmt: skip


def _origins(visit: Visit, model: str) -> list[tuple[str, str, str, str | None, str]]:
    """Return what a version came from: (named in, field, name, address, said), each once."""
    found: dict[tuple[str, str], tuple[str, str, str, str | None, str]] = {}
    for piece in _pieces(visit, model, ("model-version", "training-run")):
        for field, value in piece.content.items():
            for ref in references(value):
                if "@" in str(ref["name"]) and ref["name"] != model:  # a thing on record, not a file inside one
                    name, sha256 = str(ref["name"]), str(ref["sha256"])
                    said = str(ref.get("role", ""))
                    row = (piece.number, field.replace("_", " "), name, visit.locate(name, sha256), said)
                    found.setdefault((name, sha256), row)
    return list(found.values())


def _shown_about(visit: Visit, model: str) -> list[tuple[str, list[tuple[Record, str]], int]]:
    """Return the evidence about a version by kind, newest first, with how many there are."""
    records = visit.records
    shown = []
    for kind, _ in records.facets(visit.scope).kinds:
        found = records.select(visit.scope, Filter(kind=kind, model=model))
        if found:
            newest = [(records.rows[index], records.state(records.rows[index])) for index in reversed(found[-20:])]
            shown.append((kind, newest, len(found)))
    return shown


def _pieces(visit: Visit, model: str, kinds: tuple[str, ...]) -> list[Evidence]:
    records = visit.records
    indexes = [i for kind in kinds for i in records.select(visit.scope, Filter(kind=kind, model=model))[-MAX_PER_KIND:]]
    return [visit.portal.ledger.piece(index) for index in indexes if not records.rows[index].erased]


def _broken(visit: Visit) -> int | None:
    access = Access(visit.portal.access.path.parent)
    try:
        return access.first_broken_visit()
    finally:
        access.close()


def _index(visit: Visit, name: str) -> int | None:
    text = visit.query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
