"""`log model`, `log sbom` and `export --format cyclonedx-ml` as a pipeline calls them."""

import json
import pickle
from pathlib import Path

from .conftest import Compliance


def test_a_model_from_file_to_bill(compliance: Compliance, workspace: Path) -> None:
    folder = workspace / "hub"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    (folder / "\x1b[2J.gguf").write_bytes(b"no")
    where = ("hub", "--name", "triage", "--version")
    hostile = compliance("log", "model", *where, "1", cwd=workspace)
    assert (hostile.code, "cannot be trusted" in hostile.err, "\x1b" in hostile.err) == (2, True, False)
    (folder / "\x1b[2J.gguf").unlink()

    refused = compliance("log", "model", *where, "1", "--licence", "MIT", "--json", cwd=workspace)
    assert refused.code == 2
    assert refused.json["error"]["code"] == "conflict"
    assert "MIT" in refused.err
    assert "apache-2.0" in refused.err

    done = compliance("log", "model", *where, "1", "--base-model", "clinical-risk@1", "--no-cache", cwd=workspace)
    assert (done.code, done.out.split()[1:]) == (0, ["model-version", "triage@1"])
    assert "model.pkl is a program (pickle): loading it runs what stands in it." in done.err
    shown = compliance("show", done.out.split()[0], "--json", cwd=workspace).out
    assert "clinical-risk@1" in shown

    (workspace / "requirements.txt").write_text("numpy==2.1.0\n")
    bill = compliance("log", "sbom", "requirements.txt", "--model", "triage@1", "--json", cwd=workspace)
    assert [piece["kind"] for piece in bill.json] == ["sbom"]

    written = compliance("export", "--format", "cyclonedx-ml", "--model", "triage@1", "-o", "b.json", cwd=workspace)
    assert written.code == 0, written.err
    assert json.loads((workspace / "b.json").read_text())["metadata"]["component"]["bom-ref"] == "triage@1"


def test_a_link_and_nothing_are_refused(compliance: Compliance, workspace: Path) -> None:
    (workspace / "link").symlink_to("model.bin")
    for path, why in (("link", "symbolic link"), ("absent", "nothing at")):
        done = compliance("log", "model", path, "--name", "x", "--version", "1", cwd=workspace)
        assert (done.code, why in done.err) == (2, True), done.err
