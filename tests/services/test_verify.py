"""Every stored thing is changed, as an owner of the files can, and verification names it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.ledgers import LOG, NOW, ORIGIN, SIGNER, VKEY, Light, new_signer, sign_checkpoint, statement

from compliance.core import checkpoint
from compliance.core.canonical import canonical
from compliance.core.checkpoint import Checkpoint
from compliance.core.envelope import seal
from compliance.errors import InvalidInput, Unavailable, UnknownReference
from compliance.services import scan
from compliance.services.verify import Report, verify_evidence, verify_workspace
from compliance.storage.ledger import Ledger


@pytest.fixture
def light(tmp_path: Path) -> Light:
    made = Light(tmp_path)
    report = verify_workspace(tmp_path)
    assert (report.problems, report.checked) == ([], 6)
    return made


def found(report: Report) -> list[tuple[str | None, str]]:
    assert not report.ok
    return [(problem.evidence, problem.problem) for problem in report.problems]


SWAP = "UPDATE {0} SET idx = CASE idx WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE idx IN (3, 4)"
RENUMBER = "UPDATE {0} SET idx = -(idx - 1) WHERE idx > 3"
POSITIVE = "UPDATE {0} SET idx = -idx WHERE idx < 0"
TABLES = ("entries", "envelopes", "records", "subjects")


def each(sql: str) -> list[str]:
    return [sql.format(table) for table in TABLES]


ATTACKS = {
    "an envelope's byte": (
        ["UPDATE envelopes SET envelope = flip(envelope, 40) WHERE idx = 2"],
        ("EV-000002", "the envelope was changed"),
    ),
    "an envelope's signature": (
        ["UPDATE envelopes SET envelope = flip(envelope, length(envelope) - 10) WHERE idx = 2"],
        ("EV-000002", "the envelope was changed"),
    ),
    "an envelope's digest": (
        ["UPDATE envelopes SET digest = flip(digest, 0) WHERE idx = 2"],
        ("EV-000002", "under another digest"),
    ),
    "an entry": (
        ["UPDATE entries SET leaf = replace(leaf, '10:00:00', '10:00:01') WHERE idx = 3"],
        ("EV-000003", "the entry was changed"),
    ),
    "an entry dated back": (
        ["UPDATE entries SET leaf = replace(leaf, '2026-11-23', '2026-11-22') WHERE idx = 3"],
        ("EV-000003", "it is dated 2026-11-22T10:00:00Z, before the entry"),
    ),
    "an entry and its hash": (
        [
            "UPDATE entries SET leaf = replace(leaf, '10:00:00', '10:00:01') WHERE idx = 5",
            "UPDATE entries SET hash = leaf_hash(leaf) WHERE idx = 5",
        ],
        ("EV-000005", "changed after it was logged"),
    ),
    "an entry's hash": (
        ["UPDATE entries SET hash = flip(hash, 0) WHERE idx = 3"],
        ("EV-000003", "its hash is not the one in the tree"),
    ),
    "an entry that is none": (
        ["UPDATE entries SET leaf = '{}' WHERE idx = 3"],
        ("EV-000003", "the entry cannot be read"),
    ),
    "the order": (
        [*each(SWAP), *each(POSITIVE)],
        ("EV-000003", "changed after it was logged: the tree to EV-000004 is not what the checkpoint over 5"),
    ),
    "an entry in the middle, gone": (
        [f"DELETE FROM {table} WHERE idx = 3" for table in TABLES],
        ("EV-000003", "the entry is missing"),
    ),
    "an entry in the middle, gone and closed up": (
        [
            *[f"DELETE FROM {table} WHERE idx = 3" for table in TABLES],
            *each(RENUMBER),
            *each(POSITIVE),
        ],
        ("EV-000003", "changed after it was logged"),
    ),
    "the last entry, gone": (
        [f"DELETE FROM {table} WHERE idx = 5" for table in TABLES],
        ("EV-000005", "cut off: a checkpoint over 6 entries is stored, and 5 are left"),
    ),
    "the last entry and its checkpoint, gone": (
        [*[f"DELETE FROM {table} WHERE idx = 5" for table in TABLES], "DELETE FROM checkpoints WHERE size = 6"],
        (None, "cut or rolled back: .compliance/checkpoint knows 6 entries, the ledger holds 5"),
    ),
    "the last checkpoint, gone": (
        ["DELETE FROM checkpoints WHERE size = 6"],
        ("EV-000005", "no checkpoint covers this entry"),
    ),
    "an entry without a checkpoint": (
        ["INSERT INTO entries SELECT 6, leaf, hash FROM entries WHERE idx = 5"],
        ("EV-000006", "the same envelope stands as EV-000005 already"),
    ),
    "everything": (
        [f"DELETE FROM {table}" for table in (*TABLES, "checkpoints", "nodes")],
        (None, "the ledger does not hold its first entry: it was emptied"),
    ),
    "a checkpoint's root": (
        ["UPDATE checkpoints SET note = flip(note, 25) WHERE size = 3"],
        ("EV-000002", "the checkpoint over 3 entries"),
    ),
    "a checkpoint's signature": (
        ["UPDATE checkpoints SET note = flip(note, length(note) - 20) WHERE size = 3"],
        ("EV-000002", "the checkpoint over 3 entries: "),
    ),
    "a checkpoint in another's place": (
        ["UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 2) WHERE size = 3"],
        ("EV-000002", "stands in place of 3"),
    ),
    "an envelope, gone": (
        ["DELETE FROM envelopes WHERE idx = 3"],
        ("EV-000003", "the envelope is missing, and no erasure of it is on record"),
    ),
    "an envelope without an entry": (
        ["INSERT INTO envelopes SELECT 9, 'another' || digest, envelope FROM envelopes WHERE idx = 3"],
        ("EV-000009", "an envelope without an entry"),
    ),
    "a key-event": (
        ["UPDATE envelopes SET envelope = flip(envelope, 700) WHERE idx = 1"],
        ("EV-000005", "No trusted key signed this envelope"),
    ),
    "the index of records": (
        ["UPDATE records SET title = 'Something better' WHERE idx = 3"],
        ("EV-000003", "the index `records` does not say what is signed"),
    ),
    "the index of records, a row": (["DELETE FROM records WHERE idx = 3"], ("EV-000003", "the index `records`")),
    "the index of subjects": (
        ["UPDATE subjects SET sha256 = 'f' WHERE idx = 3"],
        ("EV-000003", "the index `subjects` does not say what is signed"),
    ),
    "the index of nodes": (["UPDATE nodes SET hash = flip(hash, 0) WHERE pos = 2"], (None, "the index `nodes`")),
    "a subject that no entry names": (
        ["INSERT INTO subjects SELECT 99, place, name, stem, 'f', basis, kind FROM subjects WHERE idx = 3"],
        (None, "the table `subjects` holds rows that belong to no entry"),
    ),
    "a record that no entry names": (
        [
            "INSERT INTO records SELECT -1, kind, title, completeness, classification, recorded_at, recorded_by "
            "FROM records WHERE idx = 3"
        ],
        (None, "the table `records` holds rows"),
    ),
    "a checkpoint over nothing": (["INSERT INTO checkpoints VALUES (0, 'x')"], (None, "the table `checkpoints`")),
    "an entry of another type": (
        ["UPDATE entries SET leaf = CAST(leaf AS BLOB) WHERE idx = 3"],
        ("EV-000003", "the entry cannot be read"),
    ),
    "an envelope of another type": (
        ["UPDATE envelopes SET envelope = 'text' WHERE idx = 3"],
        ("EV-000003", "the envelope was changed"),
    ),
    "a hash of another type": (
        ["UPDATE entries SET hash = 'text' WHERE idx = 3"],
        ("EV-000003", "its hash is not the one in the tree"),
    ),
    "a checkpoint of another type": (
        ["UPDATE checkpoints SET note = CAST(note AS BLOB) WHERE size = 3"],
        ("EV-000002", "the checkpoint over 3 entries"),
    ),
    "the index of nodes, dropped": (["DROP TABLE nodes"], (None, "the index `nodes`")),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_change_in_the_database_is_found_and_named(light: Light, name: str) -> None:
    statements, (evidence, problem) = ATTACKS[name]
    light.attack(*statements)
    problems = found(verify_workspace(light.root))
    assert any(where == evidence and problem in what for where, what in problems), problems
    firsts = [where for where, _ in problems]
    assert firsts == sorted(firsts, key=lambda where: where or "~"), "first bad record first"


def test_every_bit_of_an_envelope_counts(light: Light) -> None:
    length = len(light.ledger.envelope(light.ledger.entry(2).envelope) or b"")
    for place in range(0, length, 97):
        light.attack(f"UPDATE envelopes SET envelope = flip(envelope, {place}) WHERE idx = 2")
        assert ("EV-000002", ATTACKS["an envelope's byte"][1][1]) in [
            (where, what[: len("the envelope was changed")]) for where, what in found(verify_workspace(light.root))
        ]
        light.attack(f"UPDATE envelopes SET envelope = flip(envelope, {place}) WHERE idx = 2")
    assert verify_workspace(light.root).ok


def test_the_checkpoint_file(light: Light) -> None:
    path = light.root / ".compliance/checkpoint"
    good = path.read_text()
    path.write_text(good.replace("6", "7", 1))
    assert any("checkpoint" in what for _, what in found(verify_workspace(light.root)))
    path.unlink()
    assert (None, "the file .compliance/checkpoint is missing") in found(verify_workspace(light.root))


def test_attachments(light: Light) -> None:
    (path,) = (light.root / ".compliance/attachments").iterdir()
    path.write_bytes(light.attachment.replace(b"some", b"nobo"))
    assert found(verify_workspace(light.root)) == [("EV-000002", "the attachment data.csv was changed")]
    assert found(verify_evidence(light.root, "EV-000002")) == [("EV-000002", "the attachment data.csv was changed")]
    path.unlink()
    assert found(verify_workspace(light.root)) == [("EV-000002", "the attachment data.csv is missing")]


def test_an_erasure_on_record_is_no_problem(light: Light) -> None:
    digest = light.ledger.entry(2).envelope
    (path,) = (light.root / ".compliance/attachments").iterdir()
    path.unlink()
    light.ledger.erase(digest)
    assert ("EV-000002", ATTACKS["an envelope, gone"][1][1]) in found(verify_workspace(light.root))
    light.log("revocation", "EV-000002", digest, {"erasure": True, "reason": "asked for"})
    assert verify_workspace(light.root).problems == []


def test_a_ledger_rolled_back(light: Light) -> None:
    older = light.root.with_name("older")
    light.ledger.close()
    shutil.copytree(light.root, older)
    light.ledger = Ledger.open("sqlite:///.compliance/ledger.db", light.root)
    light.log("document", "late@1", "9" * 64, {})
    kept = light.root / "dossiers/annex-iv/checkpoint"
    kept.parent.mkdir(parents=True)
    kept.write_text(light.ledger.checkpoint() or "")
    light.ledger.close()
    shutil.copytree(older / ".compliance", light.root / ".compliance", dirs_exist_ok=True)
    told = "cut or rolled back: dossiers/annex-iv/checkpoint knows 7 entries, the ledger holds 6"
    assert found(verify_workspace(light.root)) == [(None, told)]
    elsewhere = light.root.with_name("kept-elsewhere")
    kept.rename(elsewhere)
    assert verify_workspace(light.root).ok  # nothing here can tell any more …
    told = "cut or rolled back: the checkpoint given with --against knows 7 entries, the ledger holds 6"
    assert found(verify_workspace(light.root, against=elsewhere)) == [(None, told)]  # … and what lies elsewhere can


def test_a_ledger_rewritten_wholesale_by_an_insider(light: Light) -> None:
    """With every key in hand: a new ledger from the same genesis, one number better."""
    kept = light.ledger.checkpoint() or ""
    pieces = [(entry.kind, light.ledger.envelope(entry.envelope) or b"") for entry in light.ledger.entries()]
    better = statement("evaluation", "model@1", "a" * 64, {"number": 100})
    pieces[2] = ("evaluation", seal(canonical(better), SIGNER.sign, SIGNER.hint))
    light.ledger.close()
    shutil.rmtree(light.root / ".compliance")
    ledger = Ledger.create("sqlite:///.compliance/ledger.db", light.root)
    ledger.append(pieces, sign_checkpoint=sign_checkpoint, now=NOW)
    (light.root / ".compliance/checkpoint").write_text(ledger.checkpoint() or "")
    ledger.close()
    assert verify_workspace(light.root).ok
    told = "history was rewritten: the first 6 entries are not those that the checkpoint given with --against signs"
    assert found(verify_workspace(light.root, against=kept)) == [(None, told)]
    assert verify_workspace(light.root, against=VKEY).ok


def test_another_log_than_the_one_known_elsewhere(light: Light) -> None:
    other = checkpoint.vkey(ORIGIN, new_ed25519())
    told = "the ledger is signed by another log key than the one given with --against"
    assert found(verify_workspace(light.root, against=other)) == [(None, told)]
    foreign = checkpoint.sign(Checkpoint("example.org/other", 1, bytes(32)), LOG.sign, LOG.public_key.raw)
    assert any("not signed by" in what for _, what in found(verify_workspace(light.root, against=foreign)))
    with pytest.raises(InvalidInput, match="no file nonsense"):
        verify_workspace(light.root, against="nonsense")
    with pytest.raises(InvalidInput, match="verifier key"):
        verify_workspace(light.root, against="a+b")


def new_ed25519() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def test_another_genesis_than_the_pinned_one(light: Light) -> None:
    path = light.root / "compliance.toml"
    text = path.read_text()
    path.write_text(text.replace('genesis = "', 'genesis = "f'))
    assert found(verify_workspace(light.root))[0] == (
        "EV-000000",
        "the ledger does not begin with the genesis that compliance.toml pins",
    )
    path.write_text(text.replace(VKEY, checkpoint.vkey(ORIGIN, new_ed25519())))
    assert ("EV-000000", "compliance.toml names another log key than the ledger's genesis") in found(
        verify_workspace(light.root)
    )


# --- keys --------------------------------------------------------------------------------------------------


def test_a_key_that_was_never_registered(light: Light) -> None:
    light.log("document", "paper@9", "9" * 64, {}, signer=new_signer("stranger"))
    assert [where for where, _ in found(verify_workspace(light.root))] == ["EV-000006"]
    assert "No trusted key signed" in found(verify_workspace(light.root))[0][1]
    assert "No trusted key signed" in found(verify_evidence(light.root, "EV-000006"))[0][1]


def test_a_key_that_was_registered_only_later(light: Light) -> None:
    early = new_signer("early")
    light.log("document", "paper@9", "9" * 64, {}, signer=early)
    light.key_event(early, ["recorder"])
    light.log("document", "paper@10", "8" * 64, {}, signer=early)
    told = "signed by a key that is registered only later, at entry 7"
    assert found(verify_workspace(light.root)) == [("EV-000006", told)]


def test_a_revoked_key(light: Light) -> None:
    light.key_event(light.approver, ["approver"], event="revoked", reason="lost")
    light.log("document", "paper@9", "9" * 64, {}, signer=light.approver)
    told = "signed by the key approver, which was revoked at entry 6"
    assert found(verify_workspace(light.root)) == [("EV-000007", told)]  # and EV-000005, signed before, still holds


def test_a_key_outside_its_validity(light: Light) -> None:
    short = new_signer("short")
    light.key_event(short, ["recorder"], valid_until="2026-11-01T00:00:00Z")
    light.log("document", "paper@9", "9" * 64, {}, signer=short)
    ((where, what),) = found(verify_workspace(light.root))
    assert where == "EV-000007"
    assert "outside its validity" in what


def test_a_rotated_key(light: Light) -> None:
    new = new_signer("pipeline")
    light.key_event(new, ["admin", "recorder"], event="rotated", replaces=SIGNER.hint, holder_type="pipeline")
    light.log("document", "paper@9", "9" * 64, {}, signer=new)
    assert verify_workspace(light.root).ok
    light.log("document", "paper@10", "8" * 64, {}, signer=SIGNER)
    told = "signed by the key pipeline, which was rotated at entry 6"
    assert found(verify_workspace(light.root)) == [("EV-000008", told)]


def test_only_an_admin_registers_keys(light: Light) -> None:
    friend = new_signer("friend")
    light.key_event(friend, ["approver"], by=light.approver)
    light.log("approval", "EV-000003", "b" * 64, {"meaning": "approved"}, signer=friend)
    problems = found(verify_workspace(light.root))
    assert ("EV-000006", "the key approver has not the role admin that key-event evidence needs") in problems
    assert ("EV-000007", "unknown key") in problems


def test_roles_are_kept(light: Light) -> None:
    approved = light.ledger.entry(2).envelope
    light.log("approval", "EV-000002", approved, {"meaning": "approved"})
    ((where, what),) = found(verify_workspace(light.root))
    assert (where, what) == (
        "EV-000006",
        "the key pipeline has not the role approver that approval (approved) evidence needs",
    )


def test_a_name_that_is_not_the_keys(light: Light) -> None:
    light.log("document", "paper@9", "9" * 64, {}, recorded_by="approver")
    told = "it says it was recorded by approver, but the key is pipeline's"
    assert found(verify_workspace(light.root)) == [("EV-000006", told)]


def test_contradictions_between_entry_and_envelope(light: Light) -> None:
    said = canonical(statement("document", "paper@9", "9" * 64, {}))
    light.append([("evaluation", seal(said, SIGNER.sign, SIGNER.hint))])
    light.log("document", "paper@10", "8" * 64, {}, system="another")
    problems = found(verify_workspace(light.root))
    assert problems[0][0] == "EV-000006"
    assert "the entry says evaluation, the envelope https://w3id.org/" in problems[0][1]
    assert problems[1] == ("EV-000007", "it belongs to another system (another)")


def test_a_name_that_changed_its_digest(light: Light) -> None:
    light.attack("DELETE FROM subjects WHERE name = 'paper@2'")  # so that the ledger does not notice
    light.log("document", "paper@2", "9" * 64, {})
    assert ("EV-000006", "paper@2 stands for another digest than before") in found(verify_workspace(light.root))


def test_signed_nonsense_is_a_problem_and_no_crash(light: Light) -> None:
    for payload in (b"[]", b"{}", b"not json", b'{"predicate":[]}', b'{"predicate":{"content":7},"subject":"x"}'):
        envelope = seal(payload, SIGNER.sign, SIGNER.hint)
        try:
            light.append([("document", envelope)])
        except InvalidInput:
            continue
    report = verify_workspace(light.root)
    assert {where for where, _ in found(report)} == {f"EV-{index:06d}" for index in range(6, report.checked)}


# --- as a whole -----------------------------------------------------------------------------------------------


def test_one_piece_of_evidence(light: Light) -> None:
    assert verify_evidence(light.root, "EV-000002").ok
    with pytest.raises(UnknownReference, match="EV-000099"):
        verify_evidence(light.root, "EV-000099")
    with pytest.raises(InvalidInput, match="no evidence number"):
        verify_evidence(light.root, "EV-x")
    light.attack("UPDATE nodes SET hash = flip(hash, 3) WHERE pos = 0")
    assert "leads to another root" in found(verify_evidence(light.root, "EV-000002"))[0][1]


def test_without_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no workspace"):
        verify_workspace(tmp_path)
    (tmp_path / "compliance.toml").write_text("[ledger]\nurl = 7")
    with pytest.raises(InvalidInput, match="log_key"):
        verify_workspace(tmp_path)
    (tmp_path / "compliance.toml").write_text('[ledger]\nlog_key = "a"\ngenesis = "b"')
    with pytest.raises(Unavailable, match="no ledger"):
        verify_workspace(tmp_path)


@pytest.mark.parametrize("table", ["entries", "envelopes", "checkpoints"])
def test_a_damaged_file_is_a_finding(light: Light, table: str) -> None:
    page = light.ledger._db.rows("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))[0][0]
    light.ledger.close()
    path = light.root / ".compliance/ledger.db"
    data = bytearray(path.read_bytes())
    data[4096 * (page - 1) : 4096 * page] = bytes(4096)
    path.write_bytes(data)
    assert any("damaged" in what for _, what in found(verify_workspace(light.root)))


@pytest.mark.parametrize("processes", [1, 2])
def test_long_ledgers_are_checked_in_stretches(light: Light, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setattr(scan, "STRETCH", 7)
    monkeypatch.setattr(scan, "PAYS_FROM", 10 if processes > 1 else 10_000)
    light.log_many([("document", f"more@{n}", f"{n:064x}", {"number": n}) for n in range(40)])
    light.log("document", "late@1", "9" * 64, {})
    assert verify_workspace(light.root).problems == []
    light.attack(
        "UPDATE envelopes SET envelope = flip(envelope, 40) WHERE idx IN (20, 33)",
        "UPDATE entries SET leaf = replace(leaf, '10:00:00', '10:00:01') WHERE idx = 46",
        "UPDATE entries SET hash = leaf_hash(leaf) WHERE idx = 46",
    )
    problems = found(verify_workspace(light.root))
    assert [where for where, _ in problems] == ["EV-000020", "EV-000033", "EV-000046", None]
    assert "history was rewritten: the first 47 entries are not those that .compliance/checkpoint signs" in problems[3]


def test_the_report_as_json(light: Light) -> None:
    light.attack("DELETE FROM envelopes WHERE idx = 3")
    said = json.loads(json.dumps(verify_workspace(light.root).to_dict()))
    assert (said["ok"], said["checked"], said["pending"], said["mirror"]) == (False, 6, 6, "left out")
    assert {"evidence": "EV-000003", "problem": ATTACKS["an envelope, gone"][1][1]} in said["problems"]
    assert "not that it is true" in said["notes"][0]


def test_verification_needs_no_heavy_library(light: Light) -> None:
    light.ledger.close()
    code = (
        "import sys; from compliance.services.verify import *; assert verify_workspace(sys.argv[1]).ok; "
        "verify_evidence(sys.argv[1], 'EV-000002'); import compliance.services.verify_bundle; "
        "heavy = ('pydantic', 'sqlmodel', 'sqlalchemy', 'mlflow', 'numpy', 'pandas', 'weasyprint', 'yaml', 'pikepdf'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, light.root], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
