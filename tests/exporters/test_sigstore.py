"""The bundle reader refuses what no envelope of ours could have become. The verifiers of others: tests/interop."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.canonical import canonical, digest
from compliance.core.envelope import seal
from compliance.errors import ComplianceError
from compliance.exporters.sigstore import from_bundle, to_bundle

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
BUNDLE = json.loads(to_bundle(seal(b"{}", lambda _: b"signature", "hint")))


@given(st.binary(), st.binary(min_size=1), st.text(max_size=40))
def test_there_and_back_is_the_same_bytes(payload: bytes, signature: bytes, hint: str) -> None:
    envelope = seal(payload, lambda _: signature, hint)
    assert from_bundle(to_bundle(envelope)) == envelope


def test_the_vectors_bundle_holds_the_vectors_envelope() -> None:
    path = SHARED / "reference/evidence-vectors.json"
    if not path.exists():
        pytest.skip(f"no {path}")
    vectors = json.loads(path.read_text())
    envelope = from_bundle(json.dumps(vectors["bundle"], indent=2).encode())
    assert digest(envelope) == vectors["envelope_jcs_sha256"]
    assert to_bundle(envelope) == canonical(vectors["bundle"])


@pytest.mark.parametrize(
    "bundle",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"mediaType":"x"}',
        canonical(BUNDLE | {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1"}),
        canonical(BUNDLE | {"verificationMaterial": {"publicKey": {"hint": "another"}}}),
        canonical(BUNDLE | {"dsseEnvelope": {"signatures": []}}),
        canonical(BUNDLE | {"dsseEnvelope": "text"}),
        canonical(
            BUNDLE | {"dsseEnvelope": BUNDLE["dsseEnvelope"] | {"signatures": BUNDLE["dsseEnvelope"]["signatures"] * 2}}
        ),
        canonical(BUNDLE).replace(b'"payload":', b'"payload":"e30=","payload":'),
    ],
)
def test_anything_else_is_refused_with_a_remedy(bundle: bytes) -> None:
    with pytest.raises(ComplianceError) as caught:
        from_bundle(bundle)
    assert caught.value.remedy


def test_sigstores_own_bundles_over_bare_files_hold_no_evidence() -> None:
    folder = SHARED / "vectors/sigstore-conformance"
    if not folder.exists():
        pytest.skip(f"no {folder}")
    for path in folder.glob("*/bundle.sigstore.json"):
        with pytest.raises(ComplianceError, match="DSSE envelope"):
            from_bundle(path.read_bytes())
