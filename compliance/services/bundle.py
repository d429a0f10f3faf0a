"""The bundle of a dossier: all evidence, proofs, checkpoint and public keys, to be verified offline by strangers.

The layout is the one that `services.verify_bundle` reads; the archive PDF carries the same members
inside. Restricted attachments never leave. Same evidence, same bytes.
"""

import zipfile
from base64 import b64decode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from compliance.core import checkpoint, trust
from compliance.core.canonical import canonical, digest
from compliance.core.dossier import Cutoff
from compliance.core.evidence import Classification, Evidence, evidence_number
from compliance.exporters.sigstore import SUFFIX, to_bundle

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

Members = dict[str, bytes]
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


def members(
    ws: "Workspace",
    cutoff: Cutoff,
    evidence: Sequence[Evidence],
    approvals: Sequence[Evidence],
    documents: Mapping[str, bytes],
    about: Mapping[str, Any],
) -> Members:
    """Return every file of the bundle by name. `documents` are the dossier itself; `about` opens the manifest."""
    found: Members = dict(documents)
    found["checkpoint"] = cutoff.checkpoint.encode()
    found["log.vkey"] = f"{ws.config.ledger.log_key}\n".encode()
    found["leaves.bin"] = b"".join(ws.ledger.leaf_hashes(stop=cutoff.checkpoint_size))
    for entry in ws.ledger.entries(stop=cutoff.size):
        found |= _record(ws, "evidence", entry.index, cutoff.checkpoint, cutoff.checkpoint_size)
    later = _later(ws, cutoff, approvals)
    if later:
        found |= _extended(ws, cutoff, later)
    attached, kept = _attachments(ws, evidence)
    found |= kept
    ring = trust.keyring(piece for piece in [*evidence, *later] if piece.kind == "key-event")
    for key in ring.current():
        found[f"keys/{b64decode(key.hint).hex()}.pub"] = key.key.pem.encode()
    found["manifest.json"] = canonical(
        {
            "v": 1,
            **about,
            "cutoff": {"evidence": cutoff.evidence, "size": cutoff.size, "checkpoint_size": cutoff.checkpoint_size},
            "genesis": ws.config.ledger.genesis,
            "evidence": [_line(piece) for piece in evidence],
            "attachments": attached,
            "approvals": [_line(piece) for piece in approvals],
        }
    )
    found["SHA256SUMS"] = "".join(f"{digest(found[name])}  {name}\n" for name in sorted(found)).encode()
    return found


def to_zip(files: Members) -> bytes:
    """Return a zip of `files`: sorted, without dates or owners, so that the same members give the same bytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _REGULAR_FILE, 3
            archive.writestr(info, files[name], compresslevel=6)
    return out.getvalue()


def _record(ws: "Workspace", folder: str, index: int, note: str, size: int) -> Members:
    """Return leaf, proof and envelope of one entry; an envelope erased by law is not there any more."""
    entry, stem = ws.ledger.entry(index), f"{folder}/{evidence_number(index)}"
    found = {
        f"{stem}.entry.json": entry.leaf,
        f"{stem}.tlog-proof": checkpoint.proof(index, ws.ledger.inclusion(index, size), note).encode(),
    }
    envelope = ws.ledger.envelope(entry.envelope)
    if envelope is not None:
        found[f"{stem}{SUFFIX}"] = to_bundle(envelope)
    return found


def _later(ws: "Workspace", cutoff: Cutoff, approvals: Sequence[Evidence]) -> list[Evidence]:
    """Return the approvals given after the cut-off, and what their keys' validity hangs on: key-events, revocations."""
    last = max((piece.index for piece in approvals), default=-1)
    named = {piece.index for piece in approvals}
    return [
        piece
        for piece in ws.ledger.evidence(cutoff.size, last + 1)
        if piece.index in named or piece.kind in ("key-event", "revocation")
    ]


def _extended(ws: "Workspace", cutoff: Cutoff, later: Sequence[Evidence]) -> Members:
    """Return later records under a later checkpoint that is proved to extend ours."""
    note = ws.ledger.covering_checkpoint(max(piece.index for piece in later)) or ""
    size = checkpoint.unverified(note).size
    proof = ws.ledger.consistency(cutoff.checkpoint_size, size)
    found = {
        "approvals/checkpoint": note.encode(),
        "approvals/consistency.json": canonical(
            {"old": cutoff.checkpoint_size, "new": size, "hashes": [node.hex() for node in proof]}
        ),
    }
    for piece in later:
        found |= _record(ws, "approvals", piece.index, note, size)
    return found


def _attachments(ws: "Workspace", evidence: Sequence[Evidence]) -> tuple[list[dict[str, Any]], Members]:
    """Return what is said of every attachment, and the bytes of those that may leave."""
    said: list[dict[str, Any]] = []
    kept: Members = {}
    for piece in evidence:
        for attachment in piece.predicate.get("attachments", []):
            path = ws.attachments / attachment["sha256"]
            leaves = attachment["classification"] != Classification.RESTRICTED and path.is_file()
            said.append({"evidence": piece.number, **attachment, "included": leaves})
            if leaves:
                kept[f"attachments/{attachment['sha256']}"] = path.read_bytes()
    return said, kept


def _line(piece: Evidence) -> dict[str, Any]:
    return {
        "evidence": piece.number,
        "index": piece.index,
        "kind": piece.kind,
        "envelope": piece.digest,
        "logged_at": piece.logged_at,
        "key": b64decode(piece.signer).hex(),
    }
