"""Outside judges read what we hand out: each accepts our envelope and refuses it with one flipped byte.

One of the envelopes was taken out of a real MLflow run, with MLflow's own client.
None of this code is ours: securesystemslib, OpenSSL, Sigstore's JavaScript verifier, in-toto's own parser.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
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
from compliance.core.envelope import load_public_key, pae, seal
from compliance.core.evidence import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from compliance.exporters.sigstore import from_bundle, to_bundle
from compliance.storage.keys import create_key

NODE = Path(__file__).parent / "node"
STATEMENT = {
    "_type": STATEMENT_TYPE,
    "predicateType": predicate_type("evaluation"),
    "subject": [{"name": "clinical-risk@2", "digest": {"sha256": "5f" * 32}, "annotations": {"basis": "folder"}}],
    "predicate": {"schema_version": 1, "title": "Sensibilité · ≥ 0.70", "content": {"metrics": [{"n": 214}]}},
}


@dataclass(frozen=True)
class HandedOut:
    """What somebody outside holds: a bundle and the signer's public key."""

    bundle: bytes
    public_pem: str
    hint: str
    algorithm: str


@pytest.fixture(scope="module", params=["p256", "ed25519", "from-mlflow"])
def given(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    if request.param == "from-mlflow":
        evidence = request.getfixturevalue("mirrored")
        public = load_public_key((evidence.keys / "training-pipeline.pub").read_bytes())
        return HandedOut(evidence.bundle("evaluation"), public.pem, public.hint, public.algorithm)
    signer = create_key(tmp_path_factory.mktemp("keys"), "pipeline", b"for this test", request.param)
    sealed = to_bundle(seal(canonical(STATEMENT), signer.sign, signer.hint))
    return HandedOut(sealed, signer.public_pem, signer.hint, signer.algorithm)


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
def test_securesystemslib(given: HandedOut, change: Callable[[bytes], bytes]) -> None:
    key = SSlibKey.from_crypto(load_pem_public_key(given.public_pem.encode()), keyid=given.hint)
    good = Envelope.from_dict(envelope_of(given.bundle))
    assert list(good.verify([key], threshold=1)) == [given.hint]
    assert json.loads(good.payload)["predicateType"] == STATEMENT["predicateType"]
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelope_of(change(given.bundle))).verify([key], threshold=1)


@pytest.mark.parametrize("change", FLIPS)
def test_openssl(given: HandedOut, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    (tmp_path / "key.pub").write_text(given.public_pem)
    how = (
        ["dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "signed"]
        if given.algorithm == "p256"
        else ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin", "-sigfile", "sig", "-in", "signed"]
    )

    def judged(candidate: bytes) -> int:
        envelope = envelope_of(candidate)
        (tmp_path / "signed").write_bytes(pae(envelope["payloadType"], base64.b64decode(envelope["payload"])))
        (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        return subprocess.run(["openssl", *how], cwd=tmp_path, capture_output=True, check=False).returncode

    assert judged(given.bundle) == 0
    assert judged(change(given.bundle)) == 1


@pytest.mark.parametrize("change", FLIPS)
def test_sigstore_verify(given: HandedOut, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    if not shutil.which("node") or not (NODE / "node_modules/@sigstore/verify").exists():
        pytest.skip("@sigstore/verify is not installed: run `npm ci --prefix tests/interop/node`")
    (tmp_path / "key.pub").write_text(given.public_pem)

    def judged(candidate: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "bundle.json").write_bytes(candidate)
        command = ["node", NODE / "verify.mjs", tmp_path / "bundle.json", tmp_path / "key.pub"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    accepted, refused = judged(given.bundle), judged(change(given.bundle))
    assert (accepted.returncode, accepted.stdout) == (0, "accepted\n"), accepted.stderr
    assert refused.returncode == 1
    assert "signature verification failed" in refused.stderr


def test_in_toto_attestation(given: HandedOut) -> None:
    payload = base64.b64decode(envelope_of(given.bundle)["payload"])
    statement = Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement()))
    statement.validate()
    assert statement.pb.predicate_type == STATEMENT["predicateType"]
    assert len(statement.pb.subject[0].digest["sha256"]) == 64
    with pytest.raises(ParseError):
        json_format.Parse(payload.replace(b'"subject"', b'"subjecu"'), statement_pb2.Statement())


def test_the_envelope_comes_back_out_of_the_bundle_byte_for_byte(given: HandedOut) -> None:
    envelope = from_bundle(given.bundle)
    assert to_bundle(envelope) == given.bundle
    assert json.loads(envelope)["payloadType"] == PAYLOAD_TYPE
