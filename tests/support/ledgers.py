"""Small ledgers for tests: keys in memory, statements in a line, everything signed for real."""

import sqlite3
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.core import checkpoint, merkle
from compliance.core.canonical import canonical
from compliance.core.checkpoint import Checkpoint
from compliance.core.envelope import PublicKey, seal
from compliance.core.wire import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from compliance.storage.keys import Signer
from compliance.storage.ledger import Ledger

ORIGIN = "example.org/test"
NOW = "2026-11-23T10:00:00Z"

_evidence_key, _log_key = generate_private_key(SECP256R1()), Ed25519PrivateKey.generate()
SIGNER = Signer("pipeline", PublicKey.of(_evidence_key.public_key()), _evidence_key)
LOG = Signer("log", PublicKey.of(_log_key.public_key()), _log_key)
VKEY = checkpoint.vkey(ORIGIN, LOG.public_key.raw)


def sign_checkpoint(size: int, root: bytes) -> str:
    return checkpoint.sign(Checkpoint(ORIGIN, size, root), LOG.sign, LOG.public_key.raw)


def statement(kind: str, subject: str, sha256: str, content: Mapping[str, Any], **predicate: Any) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject, "digest": {"sha256": sha256}, "annotations": {"basis": "file"}}],
        "predicateType": predicate_type(kind),
        "predicate": {
            "system": "test",
            "title": f"About {subject}",
            "completeness": "complete",
            "recorded_at": NOW,
            "recorded_by": "pipeline",
            "data_classification": "internal",
            "attachments": [],
            "content": dict(content),
            **predicate,
        },
    }


def evidence(number: int, *, kind: str = "evaluation", subject: str | None = None, sha256: str | None = None) -> bytes:
    """Return the envelope of a small piece of evidence; `number` makes it unlike any other."""
    said = statement(kind, subject or f"model@{number}", sha256 or f"{number:064x}", {"number": number})
    return seal(canonical(said), SIGNER.sign, SIGNER.hint, PAYLOAD_TYPE)


def new_signer(name: str) -> Signer:
    key = generate_private_key(SECP256R1())
    return Signer(name, PublicKey.of(key.public_key()), key)


class Light:
    """A workspace of a ledger and compliance.toml, made without models: what `verify` needs and no more.

    EV-000000 genesis, EV-000001 the approver's key, EV-000002 evidence with an attachment, EV-000003 and 4 one batch,
    EV-000005 an approval of EV-000002.
    """

    def __init__(self, root: Path, url: str = "sqlite:///.compliance/ledger.db") -> None:
        self.root, self.approver = root, new_signer("approver")
        self.ledger = Ledger.create(url, root)
        (root / ".compliance/attachments").mkdir(parents=True)
        said = {"system": "test", "origin": ORIGIN, "log_key": VKEY}
        self.key_event(SIGNER, ["admin", "recorder"], holder_type="pipeline", **said)
        (root / "compliance.toml").write_text(
            f'[ledger]\nurl = "{url}"\nlog_key = "{VKEY}"\ngenesis = "{self.ledger.entry(0).envelope}"\n'
        )
        self.key_event(self.approver, ["approver"])
        self.attachment = b"predictions,of,somebody\n"
        self.log("evaluation", "model@1", "a" * 64, {"number": 1}, attachments=[self.attach(self.attachment)])
        self.log_many([("document", f"paper@{n}", f"{n:064x}", {"number": n}) for n in (2, 3)])
        approved = self.ledger.entry(2).envelope
        self.log("approval", "EV-000002", approved, {"meaning": "approved"}, signer=self.approver)

    def attach(self, data: bytes) -> dict[str, str]:
        digest = sha256(data).hexdigest()
        (self.root / ".compliance/attachments" / digest).write_bytes(data)
        return {"name": "data.csv", "media_type": "text/csv", "sha256": digest, "size": str(len(data))}

    def log(
        self,
        kind: str,
        subject: str,
        sha256: str,
        content: Mapping[str, Any],
        signer: Signer = SIGNER,
        **predicate: Any,
    ) -> int:
        said = statement(kind, subject, sha256, content, **{"recorded_by": signer.name, **predicate})
        return self.append([(kind, seal(canonical(said), signer.sign, signer.hint))])

    def log_many(self, records: list[tuple[str, str, str, Mapping[str, Any]]]) -> int:
        said = [(record[0], canonical(statement(*record))) for record in records]
        return self.append([(kind, seal(payload, SIGNER.sign, SIGNER.hint)) for kind, payload in said])

    def append(self, items: list[tuple[str, bytes]]) -> int:
        entries = self.ledger.append(items, sign_checkpoint=sign_checkpoint, now=NOW)
        (self.root / ".compliance/checkpoint").write_text(self.ledger.checkpoint() or "")
        return entries[0].index

    def key_event(
        self, key: Signer, roles: list[str], *, by: Signer = SIGNER, event: str = "registered", **more: Any
    ) -> int:
        content = {
            "event": event,
            "name": key.name,
            "holder": key.name,
            "holder_type": "person",
            "roles": roles,
            "public_key": key.public_pem,
            "hint": key.hint,
            "algorithm": key.algorithm,
            "valid_from": "2026-01-01T00:00:00Z",
            **more,
        }
        return self.log("key-event", f"key-{key.name}", sha256(canonical(content)).hexdigest(), content, signer=by)

    def attack(self, *statements: str) -> None:
        """Do as an owner of the file can: drop every guard, then run SQL; `flip(blob, place)` changes one bit."""
        self.ledger.close()
        connection = sqlite3.connect(self.root / ".compliance/ledger.db", isolation_level=None)
        connection.create_function("flip", 2, _flip)
        connection.create_function("leaf_hash", 1, lambda leaf: merkle.leaf_hash(leaf.encode()))
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for sql in statements:
            connection.execute(sql)
        connection.close()


def _flip(value: bytes | str, place: int) -> bytes | str:
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[place] ^= 1
    return data.decode() if isinstance(value, str) else bytes(data)
