"""Webhook deliveries as MLflow signs them (Standard Webhooks 1.0: HMAC-SHA256 over id, time and body). Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping

from compliance.errors import VerificationFailed

SCHEME = "v1"
TOLERANCE_SECONDS = 300
"""A delivery older or newer than this is a replay, or comes from a clock that is wrong."""
SIGNATURE, TIMESTAMP, DELIVERY = "x-mlflow-signature", "x-mlflow-timestamp", "x-mlflow-delivery-id"
_REMEDY = "Give MLflow and the watcher the same secret, and check their clocks."


def verify_delivery(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Return the id of a delivery whose signature holds at the time `now` (seconds); header names in lower case.

    Raises VerificationFailed otherwise, and never says what the right signature would have been.
    """
    delivery, at, given = (headers.get(name, "") for name in (DELIVERY, TIMESTAMP, SIGNATURE))
    signed = b".".join((delivery.encode(), at.encode(), body))
    expected = f"{SCHEME},{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"
    if not delivery or not hmac.compare_digest(given.encode(), expected.encode()):
        raise VerificationFailed("A webhook delivery carries no valid signature.", remedy=_REMEDY)
    if not at.isdecimal() or abs(now - int(at)) > TOLERANCE_SECONDS:
        raise VerificationFailed("A webhook delivery is too old, or from a clock that is wrong.", remedy=_REMEDY)
    return delivery
