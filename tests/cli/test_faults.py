"""Disk, lock, key, signal and server faults: exit 3 (or what shells expect), and a ledger that is whole afterwards."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compliance.cli.edge import run

from .conftest import Compliance, on_record

NOTE = "kind: document\nname: note-{n}@1\ntitle: Note {n}\ndocument_type: other\n"


def holds(root: Path, compliance: Compliance) -> int:
    """Check the ledger and return how many records it holds."""
    report = compliance("verify", "--json", cwd=root)
    assert report.code == 0, report.out
    return int(report.json["checked"])


def test_a_wrong_pass_phrase(workspace: Path, compliance: Compliance) -> None:
    before = on_record(workspace)
    ran = compliance("log", "record", "plan.yaml", "--json", cwd=workspace, COMPLIANCE_PASSPHRASE="wrong")
    assert ran.code == 3
    assert "pass phrase" in ran.json["error"]["problem"]
    assert on_record(workspace) == before


def test_no_pass_phrase_and_no_terminal_to_ask_on(workspace: Path, compliance: Compliance) -> None:
    ran = compliance("log", "record", "plan.yaml", cwd=workspace, COMPLIANCE_PASSPHRASE="")
    assert ran.code == 3
    assert "COMPLIANCE_PASSPHRASE" in ran.err


def test_a_key_that_nobody_registered(workspace: Path, compliance: Compliance) -> None:
    assert compliance("key", "create", "stranger", cwd=workspace).code == 0
    before = on_record(workspace)
    (workspace / "note.yaml").write_text(NOTE.format(n=1))
    ran = compliance("log", "record", "note.yaml", "--key", "stranger", cwd=workspace)
    assert ran.code == 2
    assert "key trust" in ran.err
    assert on_record(workspace) == before


def test_mlflow_out_of_reach_is_no_failure(workspace: Path, compliance: Compliance) -> None:
    (workspace / "note.yaml").write_text(NOTE.format(n=1))
    started = time.monotonic()
    ran = compliance("log", "record", "note.yaml", "--json", cwd=workspace)
    assert ran.code == 0
    assert ran.json[0]["mirror"] == "pending"
    assert time.monotonic() - started < 20
    assert compliance("sync", cwd=workspace).code == 3
    assert compliance("verify", "--all", cwd=workspace).code == 3
    assert holds(workspace, compliance) == 6


def test_a_locked_ledger(inside: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compliance.storage.database.LOCK_SECONDS", 0.2)
    (inside / "note.yaml").write_text(NOTE.format(n=1))
    holder = sqlite3.connect(inside / ".compliance" / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert run(["log", "record", "note.yaml"]) == 3
    finally:
        holder.close()
    err = capsys.readouterr().err
    assert "nother process" in err
    assert run(["log", "record", "note.yaml"]) == 0


def test_a_ledger_from_a_newer_version(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(inside / ".compliance" / "ledger.db")
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("UPDATE ledger_schema SET version = 99")
    connection.commit()
    connection.close()
    for command in (["list"], ["verify"], ["log", "record", "plan.yaml"]):
        assert run(command) == 3
        assert "layout 99" in capsys.readouterr().err


def test_an_envelope_that_was_changed(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(inside / ".compliance" / "ledger.db")
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    (digest,) = connection.execute("SELECT digest FROM envelopes LIMIT 1").fetchone()
    connection.execute("UPDATE envelopes SET envelope = ? WHERE digest = ?", (b'{"payload":"e30h"}', digest))
    connection.commit()
    connection.close()
    for command in (["list"], ["status"], ["verify"]):
        assert run(command) == 1
        out, err = capsys.readouterr()
        assert "EV-0000" in out + err
        assert "was changed" in out + err


def test_a_ledger_that_is_none(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / ".compliance" / "ledger.db").write_bytes(b"not a database, and long enough to be looked at" * 100)
    assert run(["list"]) == 3
    assert "ledger.db" in capsys.readouterr().err
    assert run(["verify"]) in (1, 3)


def test_a_ledger_that_is_gone(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / ".compliance" / "ledger.db").unlink()
    assert run(["log", "record", "plan.yaml"]) == 3
    assert "ledger" in capsys.readouterr().err
    assert not (inside / ".compliance" / "ledger.db").exists(), "no empty ledger may take the place of a lost one"


def test_a_reader_who_leaves(filled: Path, environment: Mapping[str, str]) -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "compliance", "list", "--json"],
        cwd=filled,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    assert listing.stderr.read() == b""
    assert listing.wait(timeout=60) in (0, 141)


def test_a_full_device_for_the_result(filled: Path, environment: Mapping[str, str]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "compliance", "list", "--json"],
            cwd=filled,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 3
    assert "disk is full" in ran.stderr
    assert "Traceback" not in ran.stderr


MOUNTS = {
    "read-only": "mount --bind {ws} {ws} && mount -o remount,bind,ro {ws}",
    "full": "mount -t tmpfs -o size=400k none {room} && cp -a {ws} {room}; head -c 400k /dev/zero > {room}/fill; true",
}


@pytest.mark.parametrize("fault", MOUNTS)
def test_a_disk_that_takes_nothing(fault: str, workspace: Path, tmp_path: Path, environment: Mapping[str, str]) -> None:
    """In a mount namespace of its own, so that nothing outside is touched."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount: unshare --mount is refused")
    (room := tmp_path / "room").mkdir()
    (workspace / "note.yaml").write_text(NOTE.format(n=1) + "summary: " + "long " * 3000 + "\n")
    root = workspace if fault == "read-only" else room / "ws"
    script = (
        MOUNTS[fault].format(ws=workspace, room=room)
        + f" && cd {root} && {sys.executable} -m compliance log record note.yaml; code=$?;"
        + f" {sys.executable} -m compliance list --json > {tmp_path}/list.json; echo code=$code read=$?"
    )
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "code=3 read=0" in ran.stdout, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Error: " in ran.stderr
    assert "note-1" not in (tmp_path / "list.json").read_text()


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5])
def test_ctrl_c_at_any_moment(
    delay: float, workspace: Path, environment: Mapping[str, str], compliance: Compliance
) -> None:
    (workspace / "notes.yaml").write_text("---\n".join(NOTE.format(n=n) for n in range(300)))
    logging = subprocess.Popen(
        [sys.executable, "-m", "compliance", "log", "record", "notes.yaml", "--json"],
        cwd=workspace,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(delay)
    logging.send_signal(signal.SIGINT)
    _, err = logging.communicate(timeout=60)
    if logging.returncode not in (0, 130):  # then Python itself was still starting, and the traceback is its own
        assert "compliance/cli" not in err
    else:
        assert "Traceback" not in err
    size = holds(workspace, compliance)
    assert size in (5, 305), "all or none"
    if logging.returncode == 0:
        assert size == 305, "what was acknowledged is on record"


def test_two_processes_log_at_once(workspace: Path, compliance: Compliance) -> None:
    for n in range(8):
        (workspace / f"note-{n}.yaml").write_text(NOTE.format(n=n))
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda n: compliance("log", "record", f"note-{n}.yaml", "--json", cwd=workspace), range(8)))
    assert [r.code for r in ran] == [0] * 8
    assert sorted(r.json[0]["evidence"] for r in ran) == [f"EV-{n:06d}" for n in range(5, 13)]
    assert holds(workspace, compliance) == 13


def test_a_fault_of_ours_is_said_to_be_one(
    inside: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("compliance.services.browse.rows", broken)
    monkeypatch.delenv("COMPLIANCE_DEBUG", raising=False)
    assert run(["list", "--json"]) == 3
    out, err = capsys.readouterr()
    assert '"code": "fault"' in out
    assert "Traceback" not in err
    assert "COMPLIANCE_DEBUG" in err
    monkeypatch.setenv("COMPLIANCE_DEBUG", "1")
    assert run(["list"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_copy_is_a_workspace_of_its_own(workspace: Path, tmp_path: Path, compliance: Compliance) -> None:
    copy = shutil.copytree(workspace, tmp_path / "elsewhere" / "copy")
    (copy / "note.yaml").write_text(NOTE.format(n=1))
    assert compliance("log", "record", "note.yaml", cwd=copy).code == 0
    assert holds(copy, compliance) == 6
    assert holds(workspace, compliance) == 5
    assert os.listdir(workspace / ".compliance")
