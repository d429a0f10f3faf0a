"""One value, one spelling: RFC 8785 canonical JSON and its SHA-256.

Kept apart from `evidence` so that verification need not import pydantic.
"""

from hashlib import sha256
from typing import Any

import rfc8785

from compliance.errors import InvalidInput


def canonical(value: Any) -> bytes:
    """Return `value` as RFC 8785 bytes. Raises InvalidInput for NaN, infinity and integers beyond 2**53 - 1."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise InvalidInput(
            f"This value has no canonical JSON form: {error}.",
            remedy="Write large integers and measured numbers as text, and leave out NaN and infinity.",
        ) from error


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 lower-case hex digits."""
    return sha256(data).hexdigest()


def content_digest(content: Any) -> str:
    """Return the digest of a value that has no bytes of its own: SHA-256 over its canonical JSON."""
    return digest(canonical(content))
