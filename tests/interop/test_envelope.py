"""Outside judges read what we hand out: each accepts our envelope and refuses it with one flipped byte.

None of this code is ours: securesystemslib, OpenSSL, Sigstore's JavaScript verifier, in-toto's own parser.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from google.protobuf.json_format import ParseError
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from compliance.core.canonical import canonical
from compliance.core.envelope import pae, seal
from compliance.core.evidence import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from compliance.exporters.sigstore import from_bundle, to_bundle
from compliance.storage.keys import Signer, create_key

NODE = Path(__file__).parent / "node"
STATEMENT = {
    "_type": STATEMENT_TYPE,
    "predicateType": predicate_type("evaluation"),
    "subject": [{"name": "clinical-risk@2", "digest": {"sha256": "5f" * 32}, "annotations": {"basis": "folder"}}],
    "predicate": {"schema_version": 1, "title": "Sensibilité · ≥ 0.70", "content": {"metrics": [{"n": 214}]}},
}


@pytest.fixture(scope="module", params=["p256", "ed25519"])
def signer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return create_key(tmp_path_factory.mktemp("keys"), "pipeline", b"for this test", request.param)


@pytest.fixture
def bundle(signer: Signer) -> bytes:
    return to_bundle(seal(canonical(STATEMENT), signer.sign, signer.hint))


def envelope_of(bundle: bytes) -> dict:
    return json.loads(bundle)["dsseEnvelope"]


def flip(part: str) -> Callable[[bytes], bytes]:
    """Return what changes one byte of the signed payload, or of the signature."""

    def flipped(bundle: bytes) -> bytes:
        outer = json.loads(bundle)
        holder, name = (
            (outer["dsseEnvelope"], "payload") if part == "payload" else (outer["dsseEnvelope"]["signatures"][0], "sig")
        )
        raw = bytearray(base64.b64decode(holder[name]))
        raw[len(raw) // 2] ^= 1
        holder[name] = base64.b64encode(raw).decode()
        return canonical(outer)

    return flipped


FLIPS = [pytest.param(flip(part), id=f"flipped-{part}") for part in ("payload", "signature")]


@pytest.mark.parametrize("change", FLIPS)
def test_securesystemslib(bundle: bytes, signer: Signer, change: Callable[[bytes], bytes]) -> None:
    key = SSlibKey.from_crypto(load_pem_public_key(signer.public_pem.encode()), keyid=signer.hint)
    good = Envelope.from_dict(envelope_of(bundle))
    assert list(good.verify([key], threshold=1)) == [signer.hint]
    assert json.loads(good.payload) == STATEMENT
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelope_of(change(bundle))).verify([key], threshold=1)


@pytest.mark.parametrize("change", FLIPS)
def test_openssl(bundle: bytes, signer: Signer, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    (tmp_path / "key.pub").write_text(signer.public_pem)
    how = (
        ["dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "signed"]
        if signer.algorithm == "p256"
        else ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin", "-sigfile", "sig", "-in", "signed"]
    )

    def judged(candidate: bytes) -> int:
        envelope = envelope_of(candidate)
        (tmp_path / "signed").write_bytes(pae(envelope["payloadType"], base64.b64decode(envelope["payload"])))
        (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        return subprocess.run(["openssl", *how], cwd=tmp_path, capture_output=True, check=False).returncode

    assert judged(bundle) == 0
    assert judged(change(bundle)) == 1


@pytest.mark.parametrize("change", FLIPS)
def test_sigstore_verify(bundle: bytes, signer: Signer, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    if not shutil.which("node") or not (NODE / "node_modules/@sigstore/verify").exists():
        pytest.skip("@sigstore/verify is not installed: run `npm ci --prefix tests/interop/node`")
    (tmp_path / "key.pub").write_text(signer.public_pem)

    def judged(candidate: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "bundle.json").write_bytes(candidate)
        command = ["node", NODE / "verify.mjs", tmp_path / "bundle.json", tmp_path / "key.pub"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    accepted, refused = judged(bundle), judged(change(bundle))
    assert (accepted.returncode, accepted.stdout) == (0, "accepted\n"), accepted.stderr
    assert refused.returncode == 1
    assert "signature verification failed" in refused.stderr


def test_in_toto_attestation(bundle: bytes) -> None:
    payload = base64.b64decode(envelope_of(bundle)["payload"])
    statement = Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement()))
    statement.validate()
    assert statement.pb.predicate_type == STATEMENT["predicateType"]
    assert statement.pb.subject[0].digest["sha256"] == "5f" * 32
    with pytest.raises(ParseError):
        json_format.Parse(payload.replace(b'"subject"', b'"subjecu"'), statement_pb2.Statement())


def test_the_envelope_comes_back_out_of_the_bundle_byte_for_byte(signer: Signer) -> None:
    envelope = seal(canonical(STATEMENT), signer.sign, signer.hint)
    assert from_bundle(to_bundle(envelope)) == envelope
    assert json.loads(envelope)["payloadType"] == PAYLOAD_TYPE
