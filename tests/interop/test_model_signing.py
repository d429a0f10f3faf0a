"""`model_signing verify`, as released, judges our signature over a model folder."""

import base64
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import safetensors.numpy

from compliance import System, Workspace
from compliance.errors import InvalidInput
from compliance.exporters.oms import FILE_NAME, sign_folder
from compliance.storage.digests import folder_manifest
from compliance.storage.keys import Signer, create_key

SAFETENSORS = safetensors.numpy.save({"a": np.zeros((2, 3), np.float32)})
SHARED = Path(__file__).resolve().parents[2].parent / "shared/vectors/oms"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return create_key(tmp_path / "keys", "pipeline", b"for this test")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "clinical-risk"
    for name in ("config.json", "a/x", "a-b/x", "a.b", "weights/модель.bin", ".gitattributes", "sub/.gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def judged(model: Path) -> subprocess.CompletedProcess[str]:
    return told(model, model.parent / FILE_NAME, model.parent / "keys/pipeline.pub")


def told(model: Path, signature: Path, key: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", "verify", "key", model]
    command += ["--signature", signature, "--public_key", key]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_model_signing_accepts_the_folder_and_refuses_one_flipped_byte(model: Path, signer: Signer) -> None:
    signature = sign_folder(model.name, folder_manifest(model), signer.public_key, signer.sign)
    (model.parent / FILE_NAME).write_bytes(signature)
    accepted = judged(model)
    assert accepted.returncode == 0, accepted.stderr

    (model / "a-b/x").write_text("a-b/y")
    refused = judged(model)
    assert refused.returncode != 0
    assert "mismatch" in refused.stderr.lower() + refused.stdout.lower()

    (model / "a-b/x").write_text("a-b/x")
    (model / "unlisted").touch()
    assert judged(model).returncode != 0

    (model / "unlisted").unlink()
    outer = json.loads(signature)
    raw = bytearray(base64.b64decode(outer["dsseEnvelope"]["signatures"][0]["sig"]))
    raw[-1] ^= 1
    outer["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(raw).decode()
    (model.parent / FILE_NAME).write_text(json.dumps(outer))
    assert judged(model).returncode != 0


def test_the_signature_that_travels_in_mlflow_is_accepted(mirrored: Any, tmp_path: Path) -> None:
    signature, key = tmp_path / FILE_NAME, mirrored.keys / "training-pipeline.pub"
    signature.write_bytes(mirrored.artifact("model-version", f"attachments/{FILE_NAME}"))
    assert told(mirrored.model, signature, key).returncode == 0
    copy = tmp_path / mirrored.model.name
    copy.mkdir()
    (copy / "weights.bin").write_bytes(bytes(999) + b"\x01")
    assert told(copy, signature, key).returncode != 0


@pytest.mark.parametrize(
    "files",
    [
        {"модель 模型 é.safetensors": SAFETENSORS, "empty": b"", "sub/ö/.hidden": b"x"},
        {"model.gguf": b"GGUF" + bytes(20)},
        {"only-empty": b""},
        {"model.pkl": pickle.dumps({"a": 1}), "MLmodel": b"flavors: {}\n", "requirements.txt": b"numpy==2.0\n"},
        {"model.onnx": b"\x08\x0a\x3a\x00", ".gitattributes": b"* text"},
        SAFETENSORS,
        b"",
    ],
    ids=["unicode", "gguf", "empty", "mlflow", "onnx", "file", "empty file"],
)
def test_model_signing_accepts_what_log_model_signs(
    files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every shape of model that `log model` takes, by the signature that the evidence carries."""
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    path = tmp_path / "мodel v1"
    if isinstance(files, bytes):
        path.write_bytes(files)
    else:
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    system = System(id="demo", name="Demo", provider="Nobody")
    with Workspace.create(tmp_path / "ws", system=system, origin="example.org/demo") as ws:
        (logged,) = ws.log_model(path, name="m", version="1")
        (attached,) = ws.ledger.piece(int(logged.evidence[3:])).predicate["attachments"]
        signature, key = ws.attachments / attached["sha256"], ws.root / ".compliance/keys/training-pipeline.pub"
    assert attached["name"] == FILE_NAME
    accepted = told(path, signature, key)
    assert accepted.returncode == 0, accepted.stderr
    inside = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    victim = next(file for file in inside if file.name != ".gitattributes")
    victim.write_bytes(victim.read_bytes() + b"!")
    assert told(path, signature, key).returncode != 0


def test_model_signing_names_no_ed25519(tmp_path: Path, model: Path) -> None:
    ed25519 = create_key(tmp_path / "keys", "person", b"for this test", "ed25519")
    with pytest.raises(InvalidInput, match="Ed25519"):
        sign_folder(model.name, folder_manifest(model), ed25519.public_key, ed25519.sign)


def test_the_standards_own_schema_judges_our_bundle_as_it_judges_its_examples(model: Path, signer: Signer) -> None:
    if not SHARED.exists():
        pytest.skip(f"no {SHARED}")
    schemas = {(schema := json.loads(path.read_text()))["$id"]: schema for path in (SHARED / "schemas/v1.0").iterdir()}
    validator = jsonschema_rs.validator_for(
        schemas["https://model_signing/bundle/v1.0/schema"], retriever=schemas.__getitem__
    )
    examples = SHARED / "test-vectors/v1.0"
    assert all(validator.is_valid(json.loads(path.read_text())) for path in (examples / "valid").iterdir())
    assert not any(
        validator.is_valid(json.loads(path.read_text() or "null")) for path in (examples / "invalid").iterdir()
    )
    assert validator.is_valid(
        json.loads(sign_folder(model.name, folder_manifest(model), signer.public_key, signer.sign))
    )
