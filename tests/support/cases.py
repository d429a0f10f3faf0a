"""Records written by hand, and the ledger they make: what assessment and dossiers are tested on without a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from compliance.core.envelope import load_public_key
from compliance.core.evidence import Evidence, predicate_type

Json = dict[str, Any]
SYSTEM = "clinical-risk"


def sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@cache
def public_key(name: str) -> tuple[str, str]:
    key = ec.derive_private_key(int(sha(name), 16) % 2**200 + 1, ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), load_public_key(pem).hint


@dataclass
class Record:
    """One record before it has a place in the ledger."""

    kind: str
    subject: Json
    content: Json
    signer: str = "pipeline"
    at: str = ""
    predicate: Json | None = None


def subject(name: str, digest: str, basis: str = "content") -> Json:
    return {"name": name, "digest": {"sha256": digest}, "annotations": {"basis": basis}}


def key_event(name: str, roles: list[str], kind: str = "person", event: str = "registered") -> Record:
    pem, hint = public_key(name)
    content = {
        "event": event, "name": name, "holder": f"Demonstration {name}", "holder_type": kind, "roles": roles,
        "public_key": pem, "hint": hint, "valid_from": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return Record("key-event", subject(f"key-{name}@1", sha(name + event)), content)


def ledger(records: Mapping[str, Record]) -> dict[str, Evidence]:
    """Give each record its place, one an hour from nine, and a digest that its name stands for."""
    pieces = {}
    for index, (name, record) in enumerate(records.items()):
        predicate = {
            "system": SYSTEM, "title": name, "completeness": "complete", "source": {"how": "record"},
            "content": record.content, **(record.predicate or {}),
        }  # fmt: skip
        statement = {"subject": [record.subject], "predicateType": predicate_type(record.kind), "predicate": predicate}
        logged = record.at or f"2026-11-20T{index:02d}:00:00Z"
        pieces[name] = Evidence(index, sha(name), record.kind, logged, public_key(record.signer)[1], statement)
    return pieces
