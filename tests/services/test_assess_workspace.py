"""What decides an assessment of a workspace is what was signed, not what the configuration says today."""

from pathlib import Path

import pytest

from compliance import Profile, System, Workspace
from compliance.errors import UnknownReference
from compliance.services import record


def test_catalogs_count_as_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    system = System(id="demo", name="Demo", provider="Nobody", catalogs=["eu-ai-act", "fda-aidsf"])
    with Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo") as ws:
        path = ws.root / "compliance.toml"
        path.write_text(path.read_text().replace('catalogs = ["eu-ai-act", "fda-aidsf"]', 'catalogs = ["fda-aidsf"]'))
    with Workspace.open(tmp_path / "ws") as ws:
        found = ws.assess()
        assert {finding.catalog for finding in found.findings} == {"eu-ai-act", "fda-aidsf"}
        assert [note.topic for note in found.notes] == ["profile"]
        record.log_file(ws, path)
        assert {finding.catalog for finding in ws.assess().findings} == {"fda-aidsf"}


def test_the_newest_version_that_stands_is_meant_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    system = System(id="demo", name="Demo", provider="Nobody", model="net", catalogs=["fda-cds"])
    versions = [
        {
            "kind": "model-version",
            "name": "net",
            "version": str(n),
            "title": "Net",
            "sha256": f"{n}" * 64,
            "basis": "file",
        }
        for n in (1, 2)
    ]
    with Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo") as ws:
        logged = ws.log_records(versions)
        assert named(ws) == "net@2"
        ws.log_records([{"kind": "revocation", "evidence": logged[1].evidence, "reason": "The wrong file."}])
        assert named(ws) == "net@1"
        assert named(ws, "net@2") == "net@2"


def named(ws: Workspace, model: str | None = None) -> str | None:
    found = ws.assess(model=model).model
    return found.name if found else None


def test_a_day_before_the_ledger_began_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    system = System(id="demo", name="Demo", provider="Nobody", catalogs=["fda-aidsf"])
    ws = Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")
    with pytest.raises(UnknownReference, match="on 2020-01-01: this ledger begins on 2"):
        ws.assess(as_of="2020-01-01")
