"""The DSSE envelope: sign bytes, keep those bytes, and parse nothing before its signature holds.

Follows DSSE v1.0.2 (https://github.com/secure-systems-lab/dsse). Signatures are ECDSA P-256 (DER, over
SHA-256 of the pre-authentication encoding) or Ed25519. We write exactly one signature, and the envelope
itself as RFC 8785 bytes, so that one statement signed once has one digest. A key id selects a key and
proves nothing. Held to tests/vectors/evidence.json and to other people's vectors.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from compliance.core.canonical import canonical
from compliance.core.wire import PAYLOAD_TYPE
from compliance.errors import BadSignature, InvalidInput

VerifiedPayload = NewType("VerifiedPayload", bytes)
"""Bytes whose signature was checked. Only `unseal` makes one."""

MAX_SIGNATURES = 16
_ECDSA_SHA256 = ECDSA(SHA256())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that may check evidence: ECDSA on P-256, or Ed25519."""

    algorithm: str
    """`p256` or `ed25519`."""
    pem: str
    hint: str
    """base64(SHA-256(DER SubjectPublicKeyInfo)), as cosign computes it: our key id."""
    key: EllipticCurvePublicKey | Ed25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: object) -> "PublicKey":
        """Wrap a `cryptography` public key. Raises InvalidInput for any other algorithm or curve."""
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            algorithm = "p256"
        elif isinstance(key, Ed25519PublicKey):
            algorithm = "ed25519"
        else:
            raise InvalidInput(
                "This key is neither ECDSA P-256 nor Ed25519.",
                remedy="Make one with `compliance key create NAME`.",
            )
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return cls(algorithm, pem, base64.b64encode(sha256(der).digest()).decode(), key)

    @property
    def raw(self) -> bytes:
        """The bare key: 32 bytes for Ed25519, an uncompressed point for P-256."""
        if isinstance(self.key, Ed25519PublicKey):
            return self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return self.key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if `signature` over `data` is by this key. Raises BadSignature."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                self.key.verify(signature, data, _ECDSA_SHA256)
        except InvalidSignature:
            raise BadSignature(
                "The signature does not match the signed bytes.",
                remedy="The bytes were changed after signing, or signed by another key. Ask for the original.",
                key_ids=[self.hint],
            ) from None


def load_public_key(pem: bytes) -> PublicKey:
    """Read a public key from PEM. Raises InvalidInput."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise InvalidInput(
            "This is not a public key in PEM form.",
            remedy="Give the file that starts with `-----BEGIN PUBLIC KEY-----` (NAME.pub).",
        ) from None
    return PublicKey.of(key)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the exact bytes that get signed (DSSE v1 pre-authentication encoding)."""
    kind = payload_type.encode()  # encode first: the length counts bytes, not characters
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, sign: Callable[[bytes], bytes], hint: str, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Sign `payload` and return the envelope as RFC 8785 bytes."""
    signature = sign(pae(payload_type, payload))
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": hint, "sig": base64.b64encode(signature).decode()}],
        }
    )


def unseal(envelope: bytes, trusted: Mapping[str, PublicKey]) -> VerifiedPayload:
    """Check one trusted signature, then hand over the payload. Raises BadSignature.

    `trusted` maps key ids to keys; a signature by a key that is not in it is passed over.
    """
    return unseal_and_tell(envelope, trusted)[1]


def unseal_and_tell(envelope: bytes, trusted: Mapping[str, PublicKey]) -> tuple[str, VerifiedPayload]:
    """As `unseal`, and return also the id of the key whose signature holds."""
    parts = _open(envelope)
    signed = pae(parts.payload_type, parts.payload)
    for key_id, signature in parts.signatures:
        if key := trusted.get(key_id):
            key.verify(signature, signed)
            return key_id, VerifiedPayload(parts.payload)
    raise BadSignature(
        "No trusted key signed this envelope.",
        remedy="Register the signer with `compliance key trust PUBLIC_KEY`, or ask a registered one to sign.",
        key_ids=[key_id for key_id, _ in parts.signatures],
    )


def signer_hint(envelope: bytes) -> str:
    """Return the key id that the (first) signature claims. A claim: only `unseal` proves it."""
    return _open(envelope).signatures[0][0]


def unverified_payload(envelope: bytes) -> bytes:
    """Return the payload without checking anything: for indexes and for showing, never for trust."""
    return _open(envelope).payload


@dataclass(frozen=True, slots=True)
class _Parts:
    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]


def _open(envelope: bytes) -> _Parts:
    """Take the envelope apart; its payload stays opaque bytes."""
    try:
        outer = _decode(str(envelope, "utf-8"))
        signatures = tuple((str(s.get("keyid", "")), _unbase64(s["sig"])) for s in outer["signatures"])
        payload_type, payload = outer["payloadType"], _unbase64(outer["payload"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadSignature(
            f"This is not a DSSE envelope ({type(error).__name__}: {error}).",
            remedy="Give the file as it was handed out; it may have been cut short or edited.",
        ) from None
    if not isinstance(payload_type, str) or not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise BadSignature(
            f"An envelope carries 1 to {MAX_SIGNATURES} signatures and names its payload type.",
            remedy="Give the file as it was handed out; it may have been cut short or edited.",
        )
    return _Parts(payload_type, payload, signatures)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


_decode = json.JSONDecoder(object_pairs_hook=_no_duplicates).decode


def _unbase64(text: str) -> bytes:
    """Decode standard or URL-safe base64, as DSSE asks of a verifier; anything else is refused."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        pass  # slower, and rarely needed
    try:
        return binascii.a2b_base64(text.translate(_URL_SAFE), strict_mode=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None


_URL_SAFE = str.maketrans("-_", "+/")
