"""A company's own catalog counts as it was signed, not as its file reads today."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from compliance import Profile, System, Workspace
from compliance.errors import ComplianceError, InvalidInput, Unavailable, UnknownReference
from compliance.services import acts, catalogs, grants, own_catalogs, record
from compliance.services.verify import verify_workspace

from .test_catalog_check import GOOD

ASKED = GOOD + "  ask: Would you release this model version to your own family's hospital?\n"
FILE = "catalogs/qms.yaml"


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    root = tmp_path / "ws"
    (root / "catalogs").mkdir(parents=True)
    (root / FILE).write_text(ASKED)
    return created(root, ["fda-aidsf", FILE])


def created(root: Path, names: list[str]) -> Workspace:
    system = System(id="demo", name="Demo", provider="Nobody", model="demo", catalogs=names)
    return Workspace.create(root, system=system, profile=Profile(), origin="example.org/demo")


def test_what_is_signed_names_the_digest_and_carries_the_file(ws: Workspace) -> None:
    signed = ws.system_record()
    digest = sha256(ASKED.encode()).hexdigest()
    assert signed.content["own_catalogs"] == [{"path": FILE, "id": "qms", "version": "1", "sha256": digest}]
    assert (ws.attachments / digest).read_text() == ASKED
    assert not ws.profile_differs()
    assert verify_workspace(ws.root).ok


def test_the_assessment_names_what_it_went_by(ws: Workspace) -> None:
    found = ws.assess()
    assert found.finding("qms/release") is not None
    assert [(used.id, used.sha256) for used in found.catalogs] == [
        ("fda-aidsf", catalogs.sha256("fda-aidsf")),
        ("qms", sha256(ASKED.encode()).hexdigest()),
    ]
    assert {f.catalog for f in ws.assess(catalogs=["qms"]).findings} == {"qms"}
    assert {f.catalog for f in ws.assess(catalogs=[FILE]).findings} == {"qms"}


def test_a_changed_file_counts_only_once_it_is_signed(ws: Workspace) -> None:
    (ws.root / FILE).write_text(ASKED.replace("qms/release", "qms/release-2"))
    before = ws.assess()
    assert before.finding("qms/release") is not None
    assert [note.topic for note in before.notes] == ["profile"]
    assert "a catalog that it names" in before.notes[0].text
    record.log_file(ws, ws.root / "compliance.toml")
    after = ws.assess()
    assert (after.finding("qms/release"), after.notes) == (None, ())
    assert after.finding("qms/release-2") is not None


def test_a_file_that_is_gone_or_broken_changes_nothing_that_is_signed(ws: Workspace) -> None:
    for damage in ("- broken", None):
        (ws.root / FILE).write_text(damage) if damage else (ws.root / FILE).unlink()
        found = ws.assess()
        assert found.finding("qms/release") is not None
        assert [note.topic for note in found.notes] == ["profile"]
        with pytest.raises(ComplianceError):
            record.log_file(ws, ws.root / "compliance.toml")


def test_a_changed_signed_copy_is_refused_and_does_not_verify(ws: Workspace) -> None:
    copy = ws.attachments / sha256(ASKED.encode()).hexdigest()
    copy.write_text(ASKED.replace("measured", "guessed"))
    with pytest.raises(Unavailable, match="was changed"):
        ws.assess()
    assert not verify_workspace(ws.root).ok
    copy.unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        ws.assess()


def test_people_decide_about_its_rows_and_grants_name_it(ws: Workspace) -> None:
    record.log(ws, [{"kind": "model-version", "name": "demo@1", "title": "One", "sha256": "a" * 64}])
    acts.determine(ws, ["qms/release"], "demo@1", "known-gap", "Nothing is measured yet.")
    assert "known-gap" in (ws.assess().finding("qms/release") or pytest.fail("no finding")).reason
    assert grants.create(ws, "An auditor", 3, catalogs=["qms"])
    with pytest.raises(UnknownReference):
        grants.create(ws, "An auditor", 3, catalogs=[FILE])


def test_a_file_that_nobody_signed_is_not_assessed(ws: Workspace) -> None:
    (ws.root / "other.yaml").write_text(ASKED.replace("qms", "other"))
    with pytest.raises(UnknownReference, match="is not signed"):
        ws.assess(catalogs=["other.yaml"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ASKED.replace("id: qms\n", "id: fda-aidsf\n"), "the id fda-aidsf is that of a catalog at hand"),
        (ASKED.replace("qms/release", "fda/aidsf/terms.validation"), "is that of a row that ships"),
        (ASKED.replace("id: qms\n", "id: FDA-aidsf\n"), "the id FDA-aidsf is that of a catalog at hand"),
        (ASKED.replace("qms/release", "eu-ai-act/art-15.1"), "the id eu-ai-act/art-15.1 is that of a row that ships"),
        (ASKED.replace("tier: C", "tier: Z"), "qms.yaml:14: qms/release"),
    ],
)
def test_a_catalog_that_cannot_be_told_from_others_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    root = tmp_path / "ws"
    root.mkdir()
    (root / "qms.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=words):
        created(root, ["fda-aidsf", "qms.yaml"])
    assert not (root / "compliance.toml").exists()


@pytest.mark.parametrize("name", ["../qms.yaml", "/etc/qms.yaml", "a/../qms.yaml", "qms/", "a/b", ""])
def test_a_path_that_leaves_the_workspace_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="catalogs"):
        System(id="demo", name="Demo", provider="Nobody", catalogs=[name])


def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "qms.yaml").write_text(ASKED)
    root = tmp_path / "ws"
    root.mkdir()
    (root / "qms.yaml").symlink_to(tmp_path / "qms.yaml")
    with pytest.raises(InvalidInput, match="outside the workspace"):
        own_catalogs._read(root, "qms.yaml")


def test_without_a_catalog_of_its_own_a_record_says_what_it_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    with created(tmp_path / "ws", ["fda-aidsf"]) as plain:
        signed = plain.system_record()
    assert "own_catalogs" not in signed.content
    assert signed.predicate["attachments"] == []
    assert json.dumps(signed.content["system"]["catalogs"]) == '["fda-aidsf"]'


SOFT = """\
id: fda-aidsf
version: "1"
date: 2026-11-23
title: Not FDA's
publisher: Nobody
requirements:
"""


def by_hand(ws: Workspace) -> dict[str, object]:
    """Return a description of the system that brings an easy catalog under the id of one that ships."""
    text = SOFT + "".join(f"{line}\n" for line in GOOD.splitlines()[GOOD.splitlines().index("requirements:") + 1 :])
    (ws.root / "soft.yaml").write_text(text)
    own = {"path": "soft.yaml", "id": "fda-aidsf", "version": "1", "sha256": sha256(text.encode()).hexdigest()}
    return {
        "kind": "system-description",
        **ws.config.system_content(),
        "own_catalogs": [own],
        "attachments": [{"path": "soft.yaml", "name": "fda-aidsf.yaml"}],
    }


def test_a_description_is_signed_as_compliance_toml_stands_and_never_by_hand(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="a description of the system is not written by hand"):
        ws.log_records([by_hand(ws)])
    other = shutil.copytree(ws.root / "catalogs", tmp_path / "other" / "catalogs").parent / "compliance.toml"
    other.write_text((ws.root / "compliance.toml").read_text().replace('name = "Demo"', 'name = "Another"'))
    with pytest.raises(InvalidInput, match="not written by hand"):
        record.log_file(ws, other)


def test_no_signed_catalog_stands_in_for_one_that_ships(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = by_hand(ws)
    by = "compliance.services.by_hand.refuse_description"
    monkeypatch.setattr(by, lambda *_: None)  # as a program of somebody else's might sign it
    ws.log_records([forged])
    used = own_catalogs.in_use(ws, only=["fda-aidsf"])[0]
    assert used.sha256 == catalogs.sha256("fda-aidsf")
    with pytest.raises(InvalidInput, match="the id fda-aidsf is that of a catalog at hand"):
        own_catalogs.in_use(ws, only=["soft.yaml"])


@pytest.mark.parametrize("number", ["EV-000000", "EV-000001"])
def test_a_key_and_a_description_are_not_withdrawn(ws: Workspace, number: str) -> None:
    with pytest.raises(InvalidInput, match="is not withdrawn"):
        acts.revoke(ws, number, "It is in the way.")
