"""`compliance import` on a real workspace: what it logs, what it asks for, what it leaves alone."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from support.terminal import plain, screen

from .conftest import Compliance
from .test_help import HEAVY, absent_after

SAMPLES = Path(__file__).resolve().parents[1] / "importers" / "samples"
WHOLE = SAMPLES / "inspect_ai" / "whole.eval"
AUDIT = SAMPLES / "pip_audit" / "all_skipped.json"
KEYS = {"file", "tool", "kind", "completeness", "reason", "evidence"}


def shown(compliance: Compliance, workspace: Path, number: str) -> Any:
    return compliance("show", number, "--json", cwd=workspace).json


def test_results_become_evidence_with_their_original_attached(compliance: Compliance, workspace: Path) -> None:
    done = compliance("import", WHOLE, AUDIT, "--model", "clinical-risk@1", "--json", cwd=workspace)
    assert done.code == 0, done.err
    assert all(row.keys() >= KEYS for row in done.json)
    assert [(row["tool"], row["kind"], row["completeness"]) for row in done.json] == [
        ("inspect-ai", "evaluation", "complete"),
        ("inspect-ai", "evaluation", "complete"),
        ("pip-audit", "sbom", "incomplete"),
    ]
    sha256 = hashlib.sha256(WHOLE.read_bytes()).hexdigest()
    assert (workspace / ".compliance" / "attachments" / sha256).read_bytes() == WHOLE.read_bytes()
    listed = {row["evidence"]: row for row in compliance("list", "--json", cwd=workspace).json}
    assert listed[done.json[2]["evidence"]]["completeness"] == "incomplete"
    told = json.dumps(shown(compliance, workspace, done.json[0]["evidence"]))
    for word in (sha256, '"import"', '"inspect-ai"', '"0.3.285"', '"restricted"', "Withheld: 6 samples"):
        assert word in told
    assert compliance("verify", "--all", "--offline", cwd=workspace).code == 0


def test_importing_again_adds_nothing_and_says_so(compliance: Compliance, workspace: Path, tmp_path: Path) -> None:
    first = compliance("import", WHOLE, "--json", cwd=workspace)
    copy = shutil.copy(WHOLE, tmp_path / "another name.bin")
    again = compliance("import", copy, "--json", cwd=workspace)
    assert again.code == 0
    assert [row["evidence"] for row in again.json] == [row["evidence"] for row in first.json]
    assert all(f"on record as {row['evidence']}" in row["reason"] for row in again.json)
    assert "0 logged, 2 on record already" in compliance("import", WHOLE, cwd=workspace).err


def test_what_a_file_cannot_say_is_asked_for_by_name(compliance: Compliance, workspace: Path) -> None:
    report = SAMPLES / "scikit_learn" / "classification_report.json"
    asked = compliance("import", report, WHOLE, "--json", cwd=workspace)
    assert asked.code == 2
    assert "--dataset NAME@VERSION" in asked.json[0]["reason"]
    assert asked.json[0]["evidence"] is None
    assert asked.json[1]["evidence"], "what one file lacks stops no other"
    told = compliance("import", report, "--dataset", "flchain-test@1", "--json", cwd=workspace)
    assert told.code == 0
    assert told.json[0]["evidence"]
    unknown = compliance("import", report, "--dataset", "nobody@1", "--json", cwd=workspace)
    assert unknown.code == 2
    assert unknown.json["error"]["code"] == "unknown-reference"


def test_hostile_files_never_crash_and_never_pass(compliance: Compliance, workspace: Path) -> None:
    folder = workspace / "hostile"
    folder.mkdir()
    (folder / "deep.json").write_bytes(b"[" * 500_000)
    (folder / "laughs.xml").write_text('<!DOCTYPE l [<!ENTITY a "ha">]><testsuites>&a;</testsuites>')
    (folder / "empty.json").write_bytes(b"")
    (folder / "nan.json").write_text('{"accuracy": NaN, "macro avg": {}, "weighted avg": {}}')
    (folder / "not.zip").write_bytes(b"PK\x03\x04 nothing")
    done = compliance("import", *sorted(folder.iterdir()), "--json", cwd=workspace)
    assert done.code == 2
    assert len(done.json) == 5
    assert all(row["completeness"] in (None, "unreadable") for row in done.json)


def test_the_table_names_files_as_they_lie_in_their_folder(compliance: Compliance, workspace: Path) -> None:
    folder = SAMPLES / "inspect_ai"
    told = compliance("import", folder, AUDIT, "--dry-run", cwd=workspace)
    assert f"as they lie in {SAMPLES}/." in told.err
    assert [line.split()[0] for line in told.out.splitlines()[1:]][-1] == "pip_audit/all_skipped.json"
    (alone,) = compliance("import", AUDIT, "--dry-run", cwd=workspace).out.splitlines()[1:]
    assert alone.startswith(str(AUDIT))


def test_a_path_that_is_not_there_and_names_that_repaint_the_terminal(compliance: Compliance, workspace: Path) -> None:
    gone = compliance("import", "nowhere.json", cwd=workspace)
    assert gone.code == 2
    assert "nowhere.json" in gone.err
    painted = workspace / "x\x1b[2J.json"
    painted.write_bytes(b"{}")
    assert "\x1b" not in compliance("import", painted, cwd=workspace).out


def test_on_a_terminal_each_outcome_stands_beneath_its_file(workspace: Path, environment: dict[str, str]) -> None:
    code, seen = screen(["import", str(AUDIT), "--model", "clinical-risk@1"], cwd=workspace, env=environment)
    lines = plain(seen).splitlines()
    at = next(position for position, line in enumerate(lines) if line.endswith(str(AUDIT)))
    assert code == 0
    assert re.match(r"  EV-\d{6} · pip-audit · sbom · incomplete: ", lines[at + 1])


def test_importing_loads_no_heavy_library(compliance: Compliance, workspace: Path, tmp_path: Path) -> None:
    loaded = absent_after(["import", str(WHOLE), str(AUDIT)], compliance, tmp_path, cwd=workspace)
    assert not loaded & (HEAVY | {"rich", "jinja2"})
