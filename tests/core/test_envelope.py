"""Envelopes are held to our vectors, to Wycheproof and sigstore-conformance, and to properties."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.canonical import canonical, digest
from compliance.core.envelope import PublicKey, load_public_key, pae, seal, signer_hint, unseal, unverified_payload
from compliance.errors import BadSignature, InvalidInput

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/evidence.json").read_text(encoding="utf-8"))
SHARED = Path(__file__).resolve().parents[2].parent / "shared/vectors"
DSSE, KEYS = VECTORS["dsse"], VECTORS["keys"]
PRIVATE = derive_private_key(int(KEYS["signer_p256_d"], 16), SECP256R1())
PUBLIC = PublicKey.of(PRIVATE.public_key())
TRUSTED = {PUBLIC.hint: PUBLIC}
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(KEYS["log_ed25519_seed"]))


def sign(data: bytes) -> bytes:
    return PRIVATE.sign(data, ECDSA(SHA256(), deterministic_signing=True))


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


def test_what_is_signed_is_what_the_standard_says() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world").hex() == VECTORS["dsse_spec"]["pae_hex"]
    assert digest(pae("application/vnd.in-toto+json", DSSE["payload"].encode())) == DSSE["pae_sha256"]


def test_our_envelope_is_the_vectors_envelope() -> None:
    envelope = seal(DSSE["payload"].encode(), sign, PUBLIC.hint)
    assert json.loads(envelope) == VECTORS["bundle"]["dsseEnvelope"]
    assert digest(envelope) == VECTORS["envelope_jcs_sha256"]
    assert unseal(envelope, TRUSTED) == DSSE["payload"].encode() == unverified_payload(envelope)


def test_our_key_id_is_the_one_that_cosign_computes() -> None:
    assert load_public_key(KEYS["signer_p256_pem"].encode()) == PUBLIC
    assert PUBLIC.hint == KEYS["hint_cosign_b64_sha256_spki"]
    assert PUBLIC.pem == KEYS["signer_p256_pem"]


def test_ed25519_signs_the_encoding_itself() -> None:
    public = PublicKey.of(ED25519.public_key())
    envelope = seal(DSSE["payload"].encode(), ED25519.sign, public.hint)
    assert json.loads(envelope)["signatures"][0]["sig"] == DSSE["sig_ed25519_b64"]
    assert unseal(envelope, {public.hint: public}) == DSSE["payload"].encode()
    assert public.raw.hex() == KEYS["log_ed25519_pub"]


def test_url_safe_base64_is_read_as_well() -> None:
    outer = VECTORS["bundle"]["dsseEnvelope"]
    signature = {"keyid": PUBLIC.hint, "sig": outer["signatures"][0]["sig"].replace("+", "-").replace("/", "_")}
    assert unseal(canonical({**outer, "signatures": [signature]}), TRUSTED) == DSSE["payload"].encode()


@given(st.binary(max_size=300), st.text(max_size=30))
def test_an_envelope_is_canonical_and_opens_to_what_was_sealed(payload: bytes, payload_type: str) -> None:
    envelope = seal(payload, ED25519.sign, "any hint", payload_type)
    assert rfc8785.dumps(json.loads(envelope)) == envelope
    assert unseal(envelope, {"any hint": PublicKey.of(ED25519.public_key())}) == payload


@given(st.data())
def test_no_changed_byte_opens_to_another_payload(data: st.DataObject) -> None:
    envelope = bytearray(seal(DSSE["payload"].encode(), sign, PUBLIC.hint))
    place = data.draw(st.integers(0, len(envelope) - 1))
    envelope[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert unseal(bytes(envelope), TRUSTED) == DSSE["payload"].encode()  # base64 has bits that mean nothing
    except BadSignature:
        return


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"payload":"","payloadType":"","signatures":[]}',
        b'{"payload":"","payloadType":1,"signatures":[{"sig":""}]}',
        b'{"payload":"?","payloadType":"","signatures":[{"sig":""}]}',
        b'{"payload":"","payload":"","payloadType":"","signatures":[{"sig":""}]}',
        b'{"payload":"","payloadType":"","signatures":[' + b",".join([b'{"sig":""}'] * 17) + b"]}",
    ],
)
def test_what_is_no_envelope_is_refused(envelope: bytes) -> None:
    with pytest.raises(BadSignature):
        unseal(envelope, TRUSTED)
    with pytest.raises(BadSignature):
        signer_hint(envelope)


def test_a_key_id_proves_nothing() -> None:
    envelope = seal(b"{}", ED25519.sign, PUBLIC.hint)
    with pytest.raises(BadSignature, match="does not match"):
        unseal(envelope, TRUSTED)
    with pytest.raises(BadSignature, match="No trusted key"):
        unseal(envelope, {})


def test_other_keys_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key

    pem = generate_private_key(SECP384R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InvalidInput, match="neither"):
        load_public_key(pem)
    with pytest.raises(InvalidInput, match="PEM"):
        load_public_key(b"ssh-ed25519 AAAA")


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha256_test.json", "ed25519_test.json"])
def test_wycheproof(name: str) -> None:
    groups = json.loads(shared(f"wycheproof/{name}").read_text())["testGroups"]
    wrong = [
        case["tcId"]
        for group in groups
        for case in group["tests"]
        if _accepts(group, case) != (case["result"] == "valid")
    ]
    assert sum(len(group["tests"]) for group in groups) > 150
    assert wrong == []


def _accepts(group: dict[str, Any], case: dict[str, Any]) -> bool:
    key = PublicKey.of(load_der_public_key(bytes.fromhex(group["publicKeyDer"])))
    try:
        key.verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("name", ["managed-key-happy-path", "managed-key-and-trusted-root"])
def test_sigstore_conformance_managed_keys(name: str) -> None:
    folder = shared(f"sigstore-conformance/{name}")
    bundle = json.loads((folder / "bundle.sigstore.json").read_text())
    key = load_public_key((folder / "key.pub").read_bytes())
    assert key.hint == bundle["verificationMaterial"]["publicKey"]["hint"]
    message = bundle["messageSignature"]  # over an artifact that is not here, so its digest stands in
    signature, hashed = (base64.b64decode(text) for text in (message["signature"], message["messageDigest"]["digest"]))
    assert isinstance(key.key, EllipticCurvePublicKey)
    key.key.verify(signature, hashed, ECDSA(Prehashed(SHA256())))


def test_sigstore_conformance_wrong_key() -> None:
    pem = (shared("sigstore-conformance/managed-key-wrong-key_fail") / "key.pub").read_bytes()
    with pytest.raises(InvalidInput):  # its point is not on the curve
        load_public_key(pem)


def test_canonical_json() -> None:
    vector = VECTORS["jcs"]
    assert canonical(json.loads(vector["input"])).hex() == vector["canonical_hex"]
    folder = shared("jcs")
    for path in sorted((folder / "input").iterdir()):
        expected = bytes.fromhex((folder / "outhex" / path.name.replace(".json", ".txt")).read_text())
        assert canonical(json.loads(path.read_bytes())) == expected
