"""What an auditor takes away: bundles, entries, proofs, attachments, keys, the checkpoint, dossiers.

Everything is handed out as an attachment, never rendered here. Attachments classed as restricted are withheld: their
digest is shown, their bytes are not.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Response
from starlette.responses import FileResponse

from compliance.exporters.sigstore import SUFFIX, to_bundle
from compliance.portal import proof
from compliance.portal.web import NotHere, Visit, key_id

_TYPES = {".pdf": "application/pdf", ".json": "application/json", ".zip": "application/zip"}
_FORMS = (
    (".pdf", "the document, to read and to print"),
    (".html", "the same as a web page"),
    (".zip", "bundle: evidence, proofs and keys, to verify offline"),
    ("-archive.pdf", "the document, signed, with all of the bundle attached inside"),
    (".json", "content, for programs; approvals name its digest"),
)
_CARRY_EVIDENCE = (".zip", "-archive.pdf")


async def bundle(visit: Visit) -> Response:
    """GET /evidence/{number}.sigstore.json"""
    record = visit.record(visit.request.path_params["number"])
    envelope = visit.portal.ledger.envelope(record.digest)
    if envelope is None:
        raise NotHere
    return _attachment(to_bundle(envelope), f"{record.number}{SUFFIX}", "application/json")


async def entry(visit: Visit) -> Response:
    """GET /evidence/{number}.entry.json: the leaf, byte for byte as the tree hashes it."""
    record = visit.record(visit.request.path_params["number"])
    return _attachment(visit.portal.ledger.entry(record.index).leaf, f"{record.number}.entry.json", "application/json")


async def inclusion(visit: Visit) -> Response:
    """GET /evidence/{number}.tlog-proof"""
    record = visit.record(visit.request.path_params["number"])
    text = proof.text(visit.portal.ledger, record.index)
    return _attachment(text.encode(), f"{record.number}.tlog-proof", "text/plain; charset=utf-8")


async def attachment(visit: Visit) -> Response:
    """GET /evidence/{number}/attachments/{sha256}"""
    record = visit.record(visit.request.path_params["number"])
    wanted = visit.request.path_params["sha256"]
    if record.erased:
        raise NotHere
    piece = visit.portal.ledger.piece(record.index)
    for named in piece.predicate.get("attachments", []):
        if named["sha256"] == wanted and named["classification"] != "restricted":
            path = visit.portal.ws.attachments / wanted
            if path.is_file():
                return FileResponse(path, media_type="application/octet-stream", filename=str(named["name"]))
    raise NotHere


async def key(visit: Visit) -> Response:
    """GET /keys/{id}.pem"""
    for known in visit.records.keys.current():
        if key_id(known.hint) == visit.request.path_params["id"]:
            return _attachment(known.key.pem.encode(), f"{known.name}.pub", "application/x-pem-file")
    raise NotHere


async def checkpoint(visit: Visit) -> Response:
    """GET /checkpoint: keep it, and hold a later ledger against it."""
    note = visit.portal.ledger.checkpoint()
    if note is None:
        raise NotHere
    return _attachment(note.encode(), "checkpoint", "text/plain; charset=utf-8")


async def dossiers(visit: Visit) -> Response:
    """GET /dossiers"""
    found = _dossiers(visit)
    for one in found:
        acts = [visit.records.rows[index] for index in visit.records.approved_by.get(one["sha256"], [])]
        one["approvals"] = [(record, visit.records.state(record)) for record in acts if visit.scope.sees(record)]
    return visit.pages.render(visit, "dossiers.html", nav="dossiers", dossiers=found)


async def dossier(visit: Visit) -> Response:
    """GET /dossiers/{path}"""
    wanted = visit.request.path_params["path"]
    for listed in _dossiers(visit):
        for name, path, _, _ in listed["files"]:
            if name == wanted:
                return FileResponse(
                    path, media_type=_TYPES.get(path.suffix, "application/octet-stream"), filename=path.name
                )
    raise NotHere


def _dossiers(visit: Visit) -> list[dict[str, Any]]:
    """Return the compiled dossiers in scope, from what stands under dossiers/; only listed files can be fetched.

    A file that carries evidence outside the scope is withheld, and named as withheld.
    """
    folder = visit.portal.root / "dossiers"
    found = []
    for path in sorted(folder.rglob("*.json")):
        said = _said(path)
        if said is None or not visit.scope.has_model(said["model"]):
            continue
        if not all(map(visit.scope.has_catalog, said["catalogs"])):
            continue
        whole = all(map(visit.sees_number, said["evidence"]))
        files, withheld = [], []
        for ending, what in _FORMS:
            one = path.with_name(f"{path.stem}{ending}")
            if one.is_file() and not one.is_symlink():
                if whole or ending not in _CARRY_EVIDENCE:
                    files.append((str(one.relative_to(folder)), one, what, one.stat().st_size))
                else:
                    withheld.append(one.name)
        found.append({**said, "files": files, "withheld": withheld})
    return found


def _said(path: Path) -> dict[str, Any] | None:
    """Return what a dossier's content says of itself, or None for a file that is none."""
    try:
        data = path.read_bytes()
        content = json.loads(data)
        model = content["model"]
        name = model["name"] if isinstance(model, dict) else ""
        return {
            "id": str(content["dossier"]), "title": str(content["title"]), "model": str(name),
            "number": str(content["document_number"]), "revision": str(content["revision"]),
            "date": str(content["date"]), "cut_off": str(content["cutoff"]["evidence"]),
            "sha256": sha256(data).hexdigest(), "evidence": [str(one["evidence"]) for one in content["evidence"]],
            "catalogs": {str(one["catalog"]) for section in content["sections"] for one in section["findings"]},
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _attachment(body: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)
