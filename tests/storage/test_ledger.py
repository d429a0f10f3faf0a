"""The ledger under real processes, real kills and an owner who edits the file."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support import ledgers
from support.ledgers import NOW, VKEY, evidence, sign_checkpoint

from compliance.core import checkpoint, merkle
from compliance.core.canonical import digest
from compliance.errors import Conflict, InvalidInput, Unavailable, UnknownReference, VerificationFailed
from compliance.services import scan
from compliance.services.verify import verify_evidence, verify_workspace
from compliance.storage import database
from compliance.storage.ledger import Entry, Ledger

SQLITE = "sqlite:///.compliance/ledger.db"
TESTS = Path(__file__).resolve().parents[1]


def append(ledger: Ledger, *numbers: int, now: str = NOW) -> list[Entry]:
    items = [("evaluation", evidence(number)) for number in numbers]
    return ledger.append(items, sign_checkpoint=sign_checkpoint, now=now)


def assert_whole(ledger: Ledger) -> None:
    """Replay the whole ledger: indexes without gaps, tree, every checkpoint, every envelope."""
    entries = list(ledger.entries())
    assert [entry.index for entry in entries] == list(range(len(entries)))
    leaves = [merkle.leaf_hash(entry.leaf) for entry in entries]
    assert ledger.leaf_hashes() == leaves
    assert ledger.root(len(leaves)) == merkle.root(leaves)
    for entry in entries:
        envelope = ledger.envelope(entry.envelope)
        assert envelope is not None
        assert digest(envelope) == entry.envelope
    for note in ledger.checkpoints():
        signed = checkpoint.verify(note, VKEY)
        assert signed.root == merkle.root(leaves[: signed.size])
    assert checkpoint.verify(ledger.checkpoint() or "", VKEY).size == len(entries)
    assert [entry.logged_at for entry in entries] == sorted(entry.logged_at for entry in entries)


def run(code: str, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start another process with the test's own helpers at hand."""
    setup = (
        "import sys; from pathlib import Path; from support.ledgers import *; "
        "from compliance.storage.ledger import Ledger; url, root, *more = sys.argv[1:]; root = Path(root)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    return subprocess.Popen(
        [sys.executable, "-c", setup + code, *arguments[:1], str(folder), *arguments[1:]],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_is_appended_is_read_back(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        assert (ledger.size, ledger.checkpoint(), list(ledger.entries())) == (0, None, [])
        first = append(ledger, 1, 2, 3)
        (fourth,) = append(ledger, 4)
        assert [entry.index for entry in (*first, fourth)] == [0, 1, 2, 3]
        assert ledger.append([], sign_checkpoint=sign_checkpoint, now=NOW) == []
        assert_whole(ledger)
    with Ledger.open(url, tmp_path, read_only=True) as ledger:
        assert list(ledger.entries()) == [*first, fourth]
        assert ledger.entry(3) == fourth
        assert (
            fourth.leaf
            == b'{"envelope":"%s","kind":"evaluation","logged_at":"2026-11-23T10:00:00Z","v":1}'
            % fourth.envelope.encode()
        )
        piece = ledger.piece(3)
        assert (piece.number, piece.digest, piece.signer) == ("EV-000003", fourth.envelope, ledgers.SIGNER.hint)
        assert piece.content == {"number": 4}
        assert len(list(ledger.checkpoints())) == 2
        assert checkpoint.unverified(ledger.covering_checkpoint(1) or "").size == 3
        with pytest.raises(UnknownReference, match="EV-000004"):
            ledger.entry(4)
        with pytest.raises(Unavailable):
            append(ledger, 5)


def test_proofs_from_stored_nodes_hold(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, *range(21))
        leaves = ledger.leaf_hashes()
        for size in range(1, 22):
            head = ledger.root(size)
            assert head == merkle.root(leaves[:size])
            for index in range(size):
                merkle.verify_inclusion(leaves[index], index, size, ledger.inclusion(index, size), head)
                merkle.verify_consistency(index, size, ledger.root(index), head, ledger.consistency(index, size))


def test_the_clock_never_goes_back(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, 1, now="2026-11-23T10:00:05Z")
        assert append(ledger, 2, now="2026-11-23T09:00:00Z")[0].logged_at == "2026-11-23T10:00:05Z"
        assert append(ledger, 3, now="2026-11-24T00:00:00Z")[0].logged_at == "2026-11-24T00:00:00Z"


def test_all_or_none(url: str, tmp_path: Path) -> None:
    def refuse(size: int, root: bytes) -> str:
        raise KeyboardInterrupt

    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, 1)
        with pytest.raises(KeyboardInterrupt):
            ledger.append([("evaluation", evidence(2))], sign_checkpoint=refuse, now=NOW)
        with pytest.raises(Conflict, match=r"model@1 stands for 0000.* already \(EV-000000\)"):
            ledger.append(
                [("evaluation", evidence(3)), ("evaluation", evidence(4, subject="model@1"))],
                sign_checkpoint=sign_checkpoint,
                now=NOW,
            )
        repeated = ledger.envelope(ledger.entry(0).envelope) or b""
        with pytest.raises(Conflict, match="on record already, as EV-000000"):
            ledger.append([("evaluation", repeated)], sign_checkpoint=sign_checkpoint, now=NOW)
        assert ledger.size == 1
        append(ledger, 5)
        assert_whole(ledger)


def test_one_name_and_version_is_one_digest_within_a_batch_too(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        both = [("dataset", evidence(n, subject="data@1", sha256=f"{n:064x}")) for n in (1, 2)]
        with pytest.raises(Conflict, match="data@1"):
            ledger.append(both, sign_checkpoint=sign_checkpoint, now=NOW)
        assert ledger.size == 0


def test_finding_subjects_and_pages(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        for number, (kind, subject, sha) in enumerate(
            [
                ("model-version", "risk@1", "a" * 64),
                ("model-version", "risk@2", "b" * 64),
                ("dataset", "risk-data@1", "c" * 64),
                ("evaluation", "risk@1", "a" * 64),
            ]
        ):
            envelope = evidence(number, kind=kind, subject=subject, sha256=sha)
            ledger.append([(kind, envelope)], sign_checkpoint=sign_checkpoint, now=NOW)
        newest = ledger.subject("risk")
        assert newest is not None
        assert (newest.name, newest.index, newest.basis) == ("risk@1", 3, "file")
        assert [row.index for row in ledger.subjects("risk")] == [0, 1, 3]
        assert [row.index for row in ledger.subjects("risk@2")] == [1]
        assert ledger.subject("risk@3") is ledger.subject("ris") is None
        assert ledger.indexes_about("a" * 64) == [0, 3]
        assert ledger.indexes_about("a" * 64, kind="evaluation") == [3]
        assert ledger.indexes_of("dataset") == [2]
        assert ledger.index_of(ledger.entry(2).envelope) == 2
        assert [row.index for row in ledger.listing(limit=3)] == [3, 2, 1]
        assert [row.index for row in ledger.listing(before=2)] == [1, 0]
        (row,) = ledger.listing(kind="model-version", before=1)
        assert (row.title, row.completeness, row.recorded_by) == ("About risk@1", "complete", "pipeline")


def test_the_mirrors_queue(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, 1, 2, 3)
        assert ledger.pending() == [0, 1, 2]
        assert ledger.lease(0, "me", 60)
        assert not ledger.lease(0, "you", 60)
        assert ledger.lease(1, "me", -1)
        assert ledger.pending() == [1, 2]  # a lease that ran out is free again
        assert ledger.lease_many([0, 1, 2], "you", 60) == [1, 2]
        ledger.mirrored(0, "run0")
        ledger.failed(1, "no route to host")
        assert ledger.mirror_states() == {0: "mirrored", 1: "pending", 2: "sending"}
        assert (ledger.mirror_run(0), ledger.mirror_run(1)) == ("run0", None)
        assert ledger.mirror_error(1) == "no route to host"
        assert ledger.pending_count() == 2
        assert not ledger.lease(0, "me", 60)


def test_indexes_are_made_again(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, *range(9))
        ledger.mirrored(4, "run4")
        before = [ledger.listing(), ledger.subjects("model"), ledger.inclusion(3, 9)]
        for table in ("nodes", "records", "subjects"):
            ledger._db.run(f"DROP TABLE {table}")
        ledger.reindex()
        assert [ledger.listing(), ledger.subjects("model"), ledger.inclusion(3, 9)] == before
        assert ledger.mirror_run(4) == "run4"
        ledger._db.run("DROP TABLE mirror")
        ledger.reindex()
        assert ledger.pending() == list(range(9))
        append(ledger, 9)
        assert_whole(ledger)


def test_an_erased_envelope_leaves_its_proof(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        entries = append(ledger, 1, 2, 3)
        assert ledger.erase(entries[1].envelope)
        assert not ledger.erase(entries[1].envelope)
        assert ledger.envelope(entries[1].envelope) is None
        assert [piece.index for piece in ledger.evidence()] == [0, 2]
        with pytest.raises(UnknownReference, match="erased"):
            ledger.piece(1)
        leaf = merkle.leaf_hash(entries[1].leaf)
        merkle.verify_inclusion(leaf, 1, 3, ledger.inclusion(1, 3), ledger.root(3))
        assert ledger.subject("model@2") is None
        with pytest.raises(Unavailable, match="append-only"):  # the guard is back
            ledger._db.run("DELETE FROM envelopes")
        append(ledger, 4)
        ledger.reindex()
        assert [row.index for row in ledger.listing()] == [3, 2, 0]


@pytest.mark.parametrize("table", ["entries", "envelopes", "checkpoints"])
def test_the_truth_is_append_only(url: str, tmp_path: Path, table: str) -> None:
    key = "size" if table == "checkpoints" else "idx"
    attacks = [
        f"UPDATE {table} SET {key} = {key}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1",
    ]
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, 1, 2)
        if url.startswith("sqlite"):
            attacks.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")
        else:
            attacks.append(f"TRUNCATE {table}")
            attacks.append(
                f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT ({key}) DO UPDATE SET {key} = 7"
            )
        for attack in attacks:
            with pytest.raises(Unavailable, match=r"append-only|only grows"):
                ledger._db.run(attack)
        with pytest.raises(Unavailable, match="only grows"):
            ledger._db.run("INSERT INTO entries VALUES (7, ?, ?)", ("{}", b""))
        assert_whole(ledger)


def test_it_signs_no_second_history(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        append(ledger, 1, 2, 3)
        ledger._db.run("UPDATE nodes SET hash = ?", (bytes(32),))
        with pytest.raises(VerificationFailed, match="does not continue its last checkpoint"):
            append(ledger, 4)
        ledger.reindex()
        append(ledger, 4)
        assert_whole(ledger)


def test_many_processes_append_at_once(url: str, tmp_path: Path) -> None:
    Ledger.create(url, tmp_path).close()
    code = (
        "import os\n"
        "start = int(more[0])\n"
        "with Ledger.open(url, root) as ledger:\n"
        "    for number in range(start, start + 25):\n"
        "        envelope = evidence(number)\n"
        "        ledger.append([('evaluation', envelope)], sign_checkpoint=sign_with(more[1]), now=NOW)\n"
    )
    # every process signs as the one log, whose key they share
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    raw = ledgers.LOG.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
    helper = (
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        "def sign_with(key):\n"
        "    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key))\n"
        "    public = private.public_key().public_bytes_raw()\n"
        "    return lambda size, head: checkpoint.sign(Checkpoint(ORIGIN, size, head), private.sign, public)\n"
    )
    writers = [run(helper + code, tmp_path, url, str(100 * number), raw) for number in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    with Ledger.open(url, tmp_path) as ledger:
        assert ledger.size == 100
        assert_whole(ledger)
        numbers = [piece.content["number"] for piece in ledger.evidence()]
        for start in range(0, 400, 100):  # each writer's own order is kept
            own = [number for number in numbers if start <= number < start + 100]
            assert own == list(range(start, start + 25))


def test_threads_share_a_ledger(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        threads = [threading.Thread(target=append, args=(ledger, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.size == 8
        assert_whole(ledger)


def test_a_kill_loses_nothing_that_was_acknowledged(url: str, tmp_path: Path) -> None:
    Ledger.create(url, tmp_path).close()
    code = (
        "with Ledger.open(url, root) as ledger:\n"
        "    number = 0\n"
        "    while True:\n"
        "        entries = ledger.append([('evaluation', evidence(number + i)) for i in range(3)],\n"
        "                                sign_checkpoint=sign_checkpoint, now=NOW)\n"
        "        number += 3\n"
        "        print(*(entry.envelope for entry in entries), flush=True)\n"
    )
    writer = run(code, tmp_path, url)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(10)]
    time.sleep(0.05)
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.read().splitlines(keepends=True)
    writer.wait(10)
    whole = [line.split() for line in acknowledged if line.endswith("\n")]
    with Ledger.open(url, tmp_path) as ledger:
        entries = list(ledger.entries())
        assert len(entries) % 3 == 0
        assert [entry.envelope for entry in entries][: 3 * len(whole)] == [name for names in whole for name in names]
        assert ledger.root(len(entries)) == merkle.root([merkle.leaf_hash(entry.leaf) for entry in entries])


def test_either_database_verifies_in_several_processes(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "STRETCH", 5)
    monkeypatch.setattr(scan, "PAYS_FROM", 10)
    light = ledgers.Light(tmp_path, url)
    light.log_many([("document", f"more@{n}", f"{n:064x}", {"number": n}) for n in range(20)])
    assert verify_workspace(tmp_path).problems == []
    light.ledger.erase(light.ledger.entry(17).envelope)
    (problem,) = verify_workspace(tmp_path).problems
    assert problem.evidence == "EV-000017"
    assert verify_evidence(tmp_path, "EV-000016").ok


def test_a_locked_ledger_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.05)
    Ledger.create(SQLITE, tmp_path).close()
    other = sqlite3.connect(tmp_path / ".compliance/ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Ledger.open(SQLITE, tmp_path) as ledger:
        with pytest.raises(Unavailable, match="Another process has been writing"):
            append(ledger, 1)
        other.execute("ROLLBACK")
        append(ledger, 1)


def test_a_full_disk_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    with Ledger.create(SQLITE, tmp_path) as ledger:
        append(ledger, 1)
        pages = ledger._db.rows("PRAGMA page_count")[0][0]
        ledger._db.rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unavailable, match="disk is full"):
            append(ledger, *range(2, 40))
        ledger._db.rows("PRAGMA max_page_count = 100000")
        assert ledger.size == 1
        append(ledger, 2)
        assert_whole(ledger)


def test_a_newer_layout_is_refused(url: str, tmp_path: Path) -> None:
    with Ledger.create(url, tmp_path) as ledger:
        ledger._db.run("UPDATE ledger_schema SET version = 2")
    with pytest.raises(Unavailable, match="layout 2; this program knows layout 1"):
        Ledger.open(url, tmp_path)


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="There is no ledger"):
        Ledger.open(SQLITE, tmp_path)
    (tmp_path / "text").write_text("not a database, whatever its name says" * 100)
    with pytest.raises(Unavailable, match="is not a ledger"):
        Ledger.open("sqlite:///text", tmp_path)
    sqlite3.connect(tmp_path / "empty").close()
    (tmp_path / "empty").touch()
    with pytest.raises(Unavailable, match="holds no ledger"):
        Ledger.open("sqlite:///empty", tmp_path)
    with pytest.raises(InvalidInput, match="cannot live at mysql"):
        Ledger.open("mysql://user:secret@host/db", tmp_path)
    Ledger.create(SQLITE, tmp_path).close()
    with pytest.raises(Conflict, match="exists already"):
        Ledger.create(SQLITE, tmp_path)


def test_a_password_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="refused") as raised:
        Ledger.open("postgresql://me:hunter2@127.0.0.1:1/nowhere", tmp_path)
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1:1/nowhere" in str(raised.value)


def test_a_reader_beside_a_writer_sees_what_is_new(tmp_path: Path) -> None:
    with Ledger.create(SQLITE, tmp_path) as writer, Ledger.open(SQLITE, tmp_path, read_only=True) as reader:
        for size in range(1, 4):
            append(writer, size)
            assert reader.size == size


READER = """
import os
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with Ledger.open(url, root, read_only=True) as ledger:
    print(ledger.size, len(list(ledger.entries())))
"""


def test_a_read_only_copy_is_read_as_it_stands(tmp_path: Path) -> None:
    """By another user, in a folder where SQLite may not put its -shm file."""
    with Ledger.create(SQLITE, tmp_path) as ledger:
        append(ledger, 1, 2)
    folder = tmp_path / ".compliance"
    for path in (*reversed(tmp_path.parents[:-2]), tmp_path):
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o755)
    (folder / "ledger.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        reader = run(READER, tmp_path, SQLITE)
        assert reader.stdout is not None
        assert reader.stdout.read().split() == ["2", "2"]
        assert reader.wait(10) == 0
    finally:
        folder.chmod(0o755)


def test_opening_and_appending_does_not_import_the_heavy_half(tmp_path: Path) -> None:
    Ledger.create(SQLITE, tmp_path).close()
    code = (
        "with Ledger.open(url, root) as ledger:\n"
        "    ledger.append([('evaluation', evidence(1))], sign_checkpoint=sign_checkpoint, now=NOW)\n"
        "print([name for name in ('sqlmodel', 'sqlalchemy', 'pydantic', 'mlflow', 'psycopg') if name in sys.modules])\n"
    )
    process = run(code, tmp_path, SQLITE)
    assert process.stdout is not None
    assert process.stdout.read() == "[]\n"
