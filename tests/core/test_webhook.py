"""Deliveries as MLflow itself signs them hold; anything else does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.webhook import DELIVERY, SIGNATURE, TIMESTAMP, verify_delivery
from compliance.errors import VerificationFailed

SECRET = "s3cret"
NOW = 1_780_000_000


def headers(body: str, *, secret: str = SECRET, at: str = str(NOW), delivery: str = "d-1") -> dict[str, str]:
    from mlflow.webhooks.delivery import _generate_hmac_signature

    signature = _generate_hmac_signature(secret, delivery, at, body)
    return {SIGNATURE: signature, TIMESTAMP: at, DELIVERY: delivery}


@given(body=st.text(), delivery=st.text(min_size=1, alphabet=st.characters(codec="latin-1")))
def test_what_mlflow_signs_holds(body: str, delivery: str) -> None:
    given_ = headers(body, delivery=delivery)
    assert verify_delivery(SECRET.encode(), given_, body.encode(), NOW + 10) == delivery


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({SIGNATURE: "v1,AAAA"}, NOW),
        ({SIGNATURE: "v1,é"}, NOW),
        ({DELIVERY: "d-2"}, NOW),
        ({DELIVERY: ""}, NOW),
        ({TIMESTAMP: str(NOW + 1)}, NOW),
        ({}, NOW + 301),
        ({}, NOW - 301),
    ],
)
def test_what_differs_does_not_hold(change: dict[str, str], now: int) -> None:
    with pytest.raises(VerificationFailed):
        verify_delivery(SECRET.encode(), headers("{}") | change, b"{}", now)


def test_a_signed_time_that_is_none_does_not_hold() -> None:
    with pytest.raises(VerificationFailed):
        verify_delivery(SECRET.encode(), headers("{}", at="soon"), b"{}", NOW)


def test_another_body_or_secret_does_not_hold() -> None:
    for secret, body in ((SECRET, b"[]"), ("other", b"{}")):
        with pytest.raises(VerificationFailed):
            verify_delivery(secret.encode(), headers("{}"), body, NOW)
