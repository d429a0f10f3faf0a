"""`log model`: what the files say goes on record, first; what contradicts them is refused with both values."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from compliance import Conflict, InvalidInput, Profile, System, Unavailable, Workspace
from compliance.services import models
from compliance.storage import digest_cache, digests

README = b"""---
license: apache-2.0
language: [en, de]
base_model: example-org/Base-7B
library_name: transformers
datasets: [example/notes]
---
# A model
"""
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 32000,
          "max_position_embeddings": 4096, "transformers_version": "4.57.1"}  # fmt: skip
WEIGHTS = save({"a": np.zeros((3, 4), np.float16), "norm": np.zeros(4, np.float32)})


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        root = tmp_path_factory.mktemp("ws") / "ws"
        system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=["eu-ai-act"])
        with Workspace.create(root, system=system, profile=Profile(), origin="example.org/demo") as workspace:
            yield workspace


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_bytes(README)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


versions = iter(range(1, 1000))


def logged(ws: Workspace, path: Path, **fields: Any) -> dict[str, Any]:
    """Log a model under a version of its own and return the content on record."""
    (piece,) = models.log_model(ws, path, name="m", version=str(next(versions)), **fields)
    return dict(ws.ledger.piece(int(piece.evidence[3:])).content)


def test_what_the_files_say_stands_on_record(ws: Workspace, model: Path) -> None:
    content = logged(ws, model)
    assert content["weights_format"] == "safetensors"
    assert content["weights_precision"] == "F16, F32"
    assert content["parameters"] == {"total": 16}
    assert content["licence"] == "apache-2.0"
    assert content["languages"] == ["en", "de"]
    assert content["architecture"] == "LlamaForCausalLM"
    assert (content["vocabulary"], content["context_length"], content["artefacts"]) == (32000, 4096, 3)
    assert content["components"] == [
        {"name": "example-org/Base-7B", "source": "README.md", "how_used": "Base model, as README.md says"}
    ]
    (file,) = content["files"]
    assert (file["name"], file["format"], file["tensors"], file["runs_code"]) == (
        "model.safetensors", "safetensors", 2, False,
    )  # fmt: skip
    assert file["sha256"] == digests.file_digest(model / "model.safetensors")
    assert (
        "framework is left open: README.md says transformers; config.json says transformers 4.57.1."
        in (content["remarks"])
    )


@pytest.mark.parametrize(
    ("field", "agreeing", "contradicting", "both"),
    [
        ("licence", "Apache License, Version 2.0", "MIT", ("MIT", "apache-2.0")),
        ("weights_format", "safetensors, one file", "GGUF", ("GGUF", "safetensors")),
        ("weights_precision", "float16", "FP8 e4m3", ("FP8 e4m3", "F16, F32")),
        ("parameters", {"total": 16, "active": 12}, {"total": 17}, ("17", "16")),
        ("context_length", 4096, 8192, ("8192", "4096")),
    ],
)
def test_the_authors_word_stands_unless_it_contradicts(
    ws: Workspace, model: Path, field: str, agreeing: Any, contradicting: Any, both: tuple[str, str]
) -> None:
    assert logged(ws, model, **{field: agreeing})[field] == agreeing
    before = ws.ledger.size
    with pytest.raises(Conflict, match=field) as caught:
        logged(ws, model, **{field: contradicting})
    assert all(value in caught.value.problem for value in both)
    assert ws.ledger.size == before


def test_where_files_are_silent_the_author_speaks(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(100))
    content = logged(ws, tmp_path / "weights.bin", licence="MIT", weights_format="flat", framework="own")
    assert (content["licence"], content["weights_format"], content["framework"]) == ("MIT", "flat", "own")
    assert "files" not in content


def test_files_that_contradict_each_other_are_told_and_the_author_may_decide(ws: Workspace, model: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(str(model / "m.gguf"), "llama")
    writer.add_license("mit")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    content = logged(ws, model)
    assert "licence" not in content
    assert any("apache-2.0" in remark and "mit" in remark for remark in content["remarks"])
    assert logged(ws, model, licence="MIT")["licence"] == "MIT"
    with pytest.raises(Conflict, match="BSD"):
        logged(ws, model, licence="BSD")
    assert "parameters" not in content  # two models' worth of weights: which is meant is not said


def test_a_base_model_on_record_is_linked(ws: Workspace, model: Path, tmp_path: Path) -> None:
    (tmp_path / "base.bin").write_bytes(b"base")
    models.log_model(ws, tmp_path / "base.bin", name="Base-7B", version="1")
    content = logged(ws, model, base_model="Base-7B@1")
    assert content["base_model"]["name"] == "Base-7B@1"
    assert content["components"][0]["model"] == content["base_model"]
    with pytest.raises(InvalidInput, match="Nothing on record"):
        logged(ws, model, base_model="absent@1")


def test_a_shard_that_is_missing_is_named(ws: Workspace, model: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidInput, match=r"needs model-00002\.safetensors"):
        logged(ws, model)
    (model / "model-00002.safetensors").write_bytes(WEIGHTS)
    assert logged(ws, model)["parameters"] == {"total": 32}


def test_an_mlflow_model_brings_signature_and_environment(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"age": [50.0, 60.0, 70.0, 80.0], "creatinine": [1.0, 1.2, 0.9, 1.4]})
    fitted = LogisticRegression().fit(frame, [0, 0, 1, 1])
    monkeypatch.chdir(tmp_path)
    mlflow.sklearn.save_model(
        fitted,
        tmp_path / "m",
        signature=mlflow.models.infer_signature(frame, fitted.predict(frame)),
        pip_requirements=["scikit-learn==1.6.1", "pandas>=2"],
        serialization_format="cloudpickle",
    )
    content = logged(ws, tmp_path / "m")
    assert [(column["name"], column["type"], column["required"]) for column in content["inputs"]] == [
        ("age", "double", True),
        ("creatinine", "double", True),
    ]
    assert content["framework"].startswith("sklearn ")
    assert content["environment"]["python"].startswith("3.")
    assert {"name": "scikit-learn", "version": "1.6.1"} in content["environment"]["packages"]
    assert not any(package["name"] == "pandas" for package in content["environment"]["packages"])
    (file,) = (file for file in content["files"] if file["runs_code"])
    assert any(name.startswith("sklearn.linear_model") for name in file["imports"])
    with pytest.raises(Conflict, match=r"scikit-learn 1\.5\.0 and 1\.6\.1"):
        logged(ws, tmp_path / "m", environment={"packages": [{"name": "scikit_learn", "version": "1.5.0"}]})
    with pytest.raises(Conflict, match="inputs"):
        logged(ws, tmp_path / "m", inputs=[{"name": "age", "type": "number"}])


def test_a_record_with_a_path_is_held_to_the_files_too(ws: Workspace, model: Path) -> None:
    (ws.root / "hub").mkdir()
    for file in model.iterdir():
        (ws.root / "hub" / file.name).write_bytes(file.read_bytes())
    authored = {"kind": "model-version", "name": "hub", "version": "1", "title": "As a record", "path": "hub"}
    with pytest.raises(Conflict, match="licence is MIT as you say it"):
        ws.log_records([authored | {"licence": "MIT"}])
    (logged,) = ws.log_records([authored])
    assert ws.ledger.piece(int(logged.evidence[3:])).content["parameters"] == {"total": 16}


PAPERS = {
    "MLmodel": ("flavors", "signature", "python_function", "inputs", "outputs", "python_version", "code", "sklearn"),
    "config.json": ("model_type", "architectures", "vocab_size", "auto_map", "quantization_config", "quant_method"),
    "adapter_config.json": ("base_model_name_or_path", "peft_type"),
    "model.safetensors.index.json": ("weight_map",),
    "README.md": ("license", "license_name", "license_link", "language", "base_model", "datasets", "pipeline_tag"),
    "conda.yaml": ("python", "dependencies", "pip"),
    "requirements.txt": ("a==1",),
}
VALUES = st.recursive(
    st.sampled_from([None, True, -1, 5, 2**60, 1.5, "", "x" * 300, "en", "other", '[{"name": 5}]', "[5]", "a==1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(sum(PAPERS.values(), ())), inner),
    max_leaves=6,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(PAPERS)), st.data())
def test_whatever_a_paper_says_the_model_can_be_logged_or_is_refused(
    ws: Workspace, tmp_path: Path, paper: str, data: st.DataObject
) -> None:
    keys = data.draw(st.dictionaries(st.sampled_from(PAPERS[paper]), VALUES, max_size=4))
    text = json.dumps(keys)
    (tmp_path / "any").mkdir(exist_ok=True)
    for file in (tmp_path / "any").iterdir():
        file.unlink()
    (tmp_path / "any" / paper).write_text(f"---\n{text}\n---\n" if paper == "README.md" else text)
    assert re.fullmatch("|The environment has .*|.* needs .*, which is not there.*", refusal(ws, tmp_path / "any"))


def refusal(ws: Workspace, path: Path) -> str:
    try:
        logged(ws, path)
    except InvalidInput as error:
        return error.problem
    return ""


def test_papers_that_cannot_be_read_are_told_and_nothing_is_taken(ws: Workspace, model: Path) -> None:
    (model / "README.md").write_bytes(b"---\nlicense: &a mit\nlanguage: *a\n---\n")
    (model / "config.json").write_text('{"model_type": "x", "model_type": "y"}')
    content = logged(ws, model)
    assert "licence" not in content
    assert sum(remark.startswith("Nothing was taken from") for remark in content["remarks"]) == 2


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("model.safetensors"), lambda p: p.symlink_to("/etc")])
def test_links_are_refused(ws: Workspace, model: Path, make: Any) -> None:
    make(model / "link")
    with pytest.raises(InvalidInput, match="symbolic link"):
        logged(ws, model)
    with pytest.raises(InvalidInput, match="link is a symbolic link"):
        logged(ws, model / "link")
    (model.parent / "other").symlink_to(model / "sub")
    (model / "sub").mkdir()
    (model / "sub/weights.bin").write_bytes(b"w")
    with pytest.raises(InvalidInput, match="other is a symbolic link"):
        logged(ws, model.parent / "other")


def test_a_model_that_changes_meanwhile_is_refused(ws: Workspace, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = digests.folder_manifest

    def late(path: Path, cache: Any = None) -> list[tuple[str, str]]:
        (path / "model.safetensors").write_bytes(WEIGHTS)
        return manifest(path, cache)

    monkeypatch.setattr(digests, "folder_manifest", late)
    with pytest.raises(Unavailable, match="changed while"):
        logged(ws, model)


def test_a_large_model_is_read_once_and_verification_never_asks_the_cache(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(digest_cache.SMALLEST))
    now, read, counted = time.time_ns, digests._read, []
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
    monkeypatch.setattr(digests, "_read", lambda *given: counted.append(1) or read(*given))
    for cache, reads in ((True, 1), (True, 1), (False, 2)):
        heard: list[str] = []
        already = len(counted)
        logged(ws, tmp_path / "weights.bin", cache=cache, tell=heard.append)
        assert len(counted) == reads
        assert heard == (["Not read again, untouched since they were digested: 1 of 1 files."] * (reads == already))
    code = (
        "import sys; from compliance.cli import main\n"
        "try: main()\nexcept SystemExit as done: assert not done.code\n"
        "assert 'compliance.storage.digest_cache' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", "--workspace", str(ws.root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
