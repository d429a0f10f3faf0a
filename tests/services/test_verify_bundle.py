"""A bundle in a stranger's hands: whole it passes, and no member can be changed, dropped or exchanged unseen."""

import json
import stat
import subprocess
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from support.ledgers import LOG, ORIGIN, SIGNER, VKEY, Light, evidence, new_signer, sign_checkpoint

from compliance.core import checkpoint
from compliance.core.checkpoint import Checkpoint
from compliance.core.wire import evidence_number
from compliance.errors import InvalidInput
from compliance.exporters.sigstore import to_bundle
from compliance.services.verify import Report, verify_bundle, verify_workspace


def members(light: Light) -> dict[str, bytes]:
    ledger, size = light.ledger, light.ledger.size
    note = ledger.checkpoint() or ""
    found = {"checkpoint": note.encode(), "log.vkey": f"{VKEY}\n".encode(), "dossier.json": b'{"title": "Annex IV"}'}
    for entry in ledger.entries():
        stem = f"evidence/{evidence_number(entry.index)}"
        found[f"{stem}.sigstore.json"] = to_bundle(ledger.envelope(entry.envelope) or b"")
        found[f"{stem}.entry.json"] = entry.leaf
        found[f"{stem}.tlog-proof"] = checkpoint.proof(entry.index, ledger.inclusion(entry.index, size), note).encode()
    found[f"attachments/{sha256(light.attachment).hexdigest()}"] = light.attachment
    found["keys/pipeline.pub"] = SIGNER.public_pem.encode()
    found["leaves.bin"] = b"".join(ledger.leaf_hashes())
    return found


def summed(found: Mapping[str, bytes]) -> dict[str, bytes]:
    lines = [f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(found.items())]
    return {**found, "SHA256SUMS": "".join(lines).encode()}


def pack(path: Path, found: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return path


def said(report: Report) -> list[tuple[str | None, str]]:
    assert not report.ok
    return [(problem.evidence, problem.problem) for problem in report.problems]


@pytest.fixture
def light(tmp_path: Path) -> Light:
    return Light(tmp_path / "ws")


def test_a_whole_bundle_passes_and_says_whose_keys_it_used(light: Light, tmp_path: Path) -> None:
    path = pack(tmp_path / "b.zip", summed(members(light)))
    report = verify_bundle(path)
    assert (report.problems, report.checked) == ([], 6)
    assert any("keys that the bundle itself brings" in note for note in report.notes)
    against = verify_bundle(path, against=VKEY)
    assert against.ok
    assert not any("itself brings" in note for note in against.notes)


def test_the_list_of_digests_is_for_sha256sum(light: Light, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack(tmp_path / "b.zip", summed(members(light)))) as archive:
        archive.extractall(tmp_path / "out")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "out", check=True)


def test_no_member_can_be_changed(light: Light, tmp_path: Path) -> None:
    """Each in turn, and the list of digests made to fit wherever the proofs alone must notice."""
    good = members(light)
    unproved = {"dossier.json", "keys/pipeline.pub"}
    for name, data in good.items():
        bad = {**good, name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]}
        listed = {**bad, "SHA256SUMS": summed(good)["SHA256SUMS"]}
        for kind in (listed, *([] if name in unproved else [summed(bad)])):
            path = pack(tmp_path / "bad.zip", kind)
            if name == "log.vkey":
                with pytest.raises(InvalidInput, match="verifier key"):  # no log key any more: no bundle
                    verify_bundle(path)
            else:
                assert not verify_bundle(path).ok, name


def test_no_member_can_be_dropped(light: Light, tmp_path: Path) -> None:
    good = summed(members(light))
    for name in good:
        path = pack(tmp_path / "bad.zip", {other: data for other, data in good.items() if other != name})
        if name in ("checkpoint", "log.vkey"):
            with pytest.raises(InvalidInput, match=f"holds no {name}"):
                verify_bundle(path)
        elif name != "SHA256SUMS":
            assert any(name in what for _, what in said(verify_bundle(path))), name


def test_evidence_cannot_take_anothers_place(light: Light, tmp_path: Path) -> None:
    good = members(light)
    for suffix in ("sigstore.json", "entry.json", "tlog-proof"):
        bad = {**good, f"evidence/EV-000003.{suffix}": good[f"evidence/EV-000004.{suffix}"]}
        assert "EV-000003" in [where for where, _ in said(verify_bundle(pack(tmp_path / "bad.zip", bad)))]
    bad = {name.replace("EV-000003", "EV-000007"): data for name, data in good.items()}
    assert "EV-000007" in [where for where, _ in said(verify_bundle(pack(tmp_path / "bad.zip", bad)))]


@pytest.mark.parametrize("name", ["EV-3", f"EV-{'1' * 5000}", "EV-٠٠٠٠٠٣"])
def test_evidence_under_a_name_that_is_no_number(name: str, light: Light, tmp_path: Path) -> None:
    found = {**members(light), f"evidence/{name}.sigstore.json": b"{}"}
    path = pack(tmp_path / "b.zip", summed(found))
    assert any("is not named after an evidence number" in problem for _, problem in said(verify_bundle(path)))


def test_a_key_for_other_tools_that_nobody_registered(light: Light, tmp_path: Path) -> None:
    found = members(light)
    found["keys/pipeline.pub"] = found["keys/pipeline.pub"].replace(b"A", b"B", 1)
    path = pack(tmp_path / "b.zip", summed(found))
    assert said(verify_bundle(path)) == [(None, "keys/pipeline.pub is no key that the evidence registers")]


def test_an_entry_dated_otherwise(light: Light, tmp_path: Path) -> None:
    """Its envelope still fits; only the proof of inclusion can tell."""
    good = members(light)
    name = "evidence/EV-000003.entry.json"
    bad = {**good, name: good[name].replace(b"10:00:00", b"10:00:01")}
    del bad["leaves.bin"]
    (problem,) = said(verify_bundle(pack(tmp_path / "bad.zip", summed(bad))))
    assert problem[0] == "EV-000003"
    assert "leads to another root" in problem[1]


def test_without_the_first_entry_no_key_is_known(light: Light, tmp_path: Path) -> None:
    bad = {name: data for name, data in members(light).items() if "EV-000000" not in name}
    problems = said(verify_bundle(pack(tmp_path / "bad.zip", bad)))
    assert problems[0] == ("EV-000000", "the bundle does not hold the ledger's first entry, so no key can be checked")


def test_a_bundle_made_up_by_somebody_else(light: Light, tmp_path: Path) -> None:
    """Whole in itself: only what is known from elsewhere tells."""
    path = pack(tmp_path / "b.zip", members(light))
    other = checkpoint.vkey(ORIGIN, bytes(range(32)))
    problem = (None, "the bundle was signed by another log than the one given with --against")
    assert said(verify_bundle(path, against=other)) == [problem]


def test_against_earlier_and_later_checkpoints(light: Light, tmp_path: Path) -> None:
    earlier = next(note for note in light.ledger.checkpoints() if checkpoint.unverified(note).size == 3)
    full = members(light)
    path = pack(tmp_path / "b.zip", full)
    bare = pack(tmp_path / "bare.zip", {name: data for name, data in full.items() if name != "leaves.bin"})
    assert verify_bundle(path, against=earlier).ok
    assert verify_bundle(path, against=path).ok
    assert verify_bundle(bare, against=light.ledger.checkpoint()).ok
    forked = checkpoint.sign(Checkpoint(ORIGIN, 3, bytes(32)), LOG.sign, LOG.public_key.raw)
    problem = (None, "history was rewritten: the entries up to EV-000002 are not those of the earlier checkpoint")
    assert said(verify_bundle(path, against=forked)) == [problem]
    with pytest.raises(InvalidInput, match="cannot be compared with a checkpoint over 3"):
        verify_bundle(bare, against=earlier)
    with pytest.raises(InvalidInput, match="cannot be compared with a checkpoint over 9"):
        verify_bundle(path, against=sign_checkpoint(9, bytes(32)))


def test_a_bundle_under_dossiers_holds_the_workspace(light: Light) -> None:
    (light.root / "dossiers").mkdir()
    pack(light.root / "dossiers/annex-iv.zip", members(light))
    assert verify_workspace(light.root).ok
    forked = {**members(light), "checkpoint": sign_checkpoint(4, bytes(32)).encode()}
    pack(light.root / "dossiers/annex-iv.zip", forked)
    problem = "history was rewritten: the first 4 entries are not those that dossiers/annex-iv.zip signs"
    assert said(verify_workspace(light.root)) == [(None, problem)]


def test_a_stranger_among_the_signers(light: Light, tmp_path: Path) -> None:
    light.log("document", "paper@9", "9" * 64, {}, signer=new_signer("stranger"))
    (problem,) = said(verify_bundle(pack(tmp_path / "b.zip", members(light))))
    assert problem == ("EV-000006", "No trusted key signed this envelope.")


def test_a_pdf_that_carries_the_bundle(light: Light, tmp_path: Path) -> None:
    import pikepdf

    good = members(light)
    for name, data in (("good", good["leaves.bin"]), ("bad", bytes(32))):
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            for member, content in {**good, "leaves.bin": data}.items():
                pdf.attachments[member] = content
            pdf.save(tmp_path / f"{name}.pdf")
    assert verify_bundle(tmp_path / "good.pdf").ok
    assert said(verify_bundle(tmp_path / "bad.pdf")) == [(None, "leaves.bin is not the tree that the checkpoint signs")]
    (tmp_path / "none.pdf").write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(InvalidInput, match="no PDF"):
        verify_bundle(tmp_path / "none.pdf")


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "C:\\up", "a\\b"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        member = zipfile.ZipInfo("x")
        member.filename = name
        archive.writestr(member, b"")
    with pytest.raises(InvalidInput, match="leads out"):
        verify_bundle(tmp_path / "bad.zip")


def test_links_bombs_and_rubbish_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    link = zipfile.ZipInfo("checkpoint")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidInput, match="is a link"):
        verify_bundle(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    with pytest.raises(InvalidInput, match="10000 members"):
        verify_bundle(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as member:
        for _ in range(1025):
            member.write(bytes(1 << 20))
    with pytest.raises(InvalidInput, match="1 GB"):
        verify_bundle(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("checkpoint", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("checkpoint", b"two")
    with pytest.raises(InvalidInput, match="stands twice"):
        verify_bundle(path)
    path.write_text("no archive")
    with pytest.raises(InvalidInput, match="no zip archive"):
        verify_bundle(path)
    with pytest.raises(InvalidInput, match="There is no file"):
        verify_bundle(tmp_path / "none.zip")


def test_a_member_longer_than_it_says(tmp_path: Path) -> None:
    path = pack(tmp_path / "bad.zip", {"checkpoint": b"A" * 100})
    sizes = (100).to_bytes(4, "little") * 2
    path.write_bytes(path.read_bytes().replace(sizes, sizes[:4] + (50).to_bytes(4, "little")))
    with pytest.raises(InvalidInput, match="damaged"):
        verify_bundle(path)


def test_what_was_left_out_is_said(light: Light, tmp_path: Path) -> None:
    found = members(light)
    last = evidence_number(light.ledger.size - 1)
    for suffix in ("sigstore.json", "entry.json", "tlog-proof"):
        del found[f"evidence/{last}.{suffix}"]
    report = verify_bundle(pack(tmp_path / "b.zip", found))
    assert any(f"the first {last}; a revocation among them would go unseen" in note for note in report.notes)
    whole = verify_bundle(pack(tmp_path / "whole.zip", members(light)))
    assert not any("go unseen" in note for note in whole.notes)


def with_later_approvals(light: Light) -> dict[str, bytes]:
    found, cut = members(light), light.ledger.size
    light.append([("evaluation", evidence(41)), ("evaluation", evidence(42))])
    ledger, size = light.ledger, light.ledger.size
    note = ledger.checkpoint() or ""
    found["approvals/checkpoint"] = note.encode()
    hashes = [node.hex() for node in ledger.consistency(cut, size)]
    found["approvals/consistency.json"] = json.dumps({"old": cut, "new": size, "hashes": hashes}).encode()
    for entry in ledger.entries(cut):
        stem = f"approvals/{evidence_number(entry.index)}"
        found[f"{stem}.sigstore.json"] = to_bundle(ledger.envelope(entry.envelope) or b"")
        found[f"{stem}.entry.json"] = entry.leaf
        found[f"{stem}.tlog-proof"] = checkpoint.proof(entry.index, ledger.inclusion(entry.index, size), note).encode()
    return found


def test_records_after_the_cut_off_are_checked_under_a_checkpoint_that_extends_the_first(
    light: Light, tmp_path: Path
) -> None:
    found = with_later_approvals(light)
    report = verify_bundle(pack(tmp_path / "b.zip", found))
    assert report.ok
    assert report.checked == light.ledger.size
    for name in [name for name in found if name.startswith("approvals/")]:
        place = len(found[name]) // 2
        changed = found[name][:place] + bytes([found[name][place] ^ 1]) + found[name][place + 1 :]
        assert said(verify_bundle(pack(tmp_path / "changed.zip", found | {name: changed}))), name
    stranger = dict(found)
    del stranger["approvals/consistency.json"]
    assert said(verify_bundle(pack(tmp_path / "stranger.zip", stranger)))
