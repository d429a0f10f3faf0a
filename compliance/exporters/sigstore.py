"""Evidence as a Sigstore bundle v0.3, the form in which other people's verifiers take an envelope.

The signer's plain public key is named by a hint; there is no certificate and no third party.
The way back refuses a bundle that it could not have written from an envelope of ours: nothing else
could come out with the digest that the ledger holds. Whether a signature holds is `core.envelope`'s
question, not asked here. Format: sigstore/protobuf-specs, `sigstore_bundle.proto`.
"""

import json
from typing import Any

from compliance.core.canonical import canonical
from compliance.core.envelope import signer_hint
from compliance.errors import BadSignature, InvalidInput

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SUFFIX = ".sigstore.json"


def to_bundle(envelope: bytes) -> bytes:
    """Return the bundle around a DSSE envelope, as RFC 8785 bytes."""
    return canonical(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": signer_hint(envelope)}},
            "dsseEnvelope": json.loads(envelope),
        }
    )


def from_bundle(bundle: bytes) -> bytes:
    """Return the envelope inside a bundle, as the RFC 8785 bytes that its digest is over.

    Other proofs in the bundle (timestamps, log entries) are passed over.
    """
    try:
        parts = json.loads(bundle, object_pairs_hook=_no_duplicates)
        media_type, hint = parts["mediaType"], parts["verificationMaterial"]["publicKey"]["hint"]
        envelope = canonical(parts["dsseEnvelope"])
        signatures = parts["dsseEnvelope"]["signatures"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"This is not a Sigstore bundle with a public key and a DSSE envelope ({type(error).__name__}: {error}).",
            remedy=f"Give a file that ends in `{SUFFIX}`, as it was handed out.",
        ) from None
    if media_type != MEDIA_TYPE:
        raise InvalidInput(f"The bundle says it is {media_type!r}.", remedy=f"Give one of type {MEDIA_TYPE}.")
    if len(signatures) != 1 or signer_hint(envelope) != hint:
        raise BadSignature(
            "The bundle must carry exactly one signature, by the key that it names.",
            remedy="Ask for the bundle as it was handed out.",
        )
    return envelope


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members
