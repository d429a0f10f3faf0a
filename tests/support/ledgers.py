"""Small ledgers for tests: keys in memory, statements in a line, everything signed for real."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.core import checkpoint
from compliance.core.canonical import canonical
from compliance.core.checkpoint import Checkpoint
from compliance.core.envelope import PublicKey, seal
from compliance.core.wire import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from compliance.storage.keys import Signer

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
