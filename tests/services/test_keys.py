"""Keys enter, rotate and leave on record, and a workspace verifies through all of it."""

from pathlib import Path

import pytest

from compliance import Conflict, InvalidInput, Profile, System, UnknownReference, Workspace
from compliance.services import keys
from compliance.services.verify import verify_workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
    system = System(id="demo", name="Demo", provider="Nobody")
    return Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")


def states(ws: Workspace) -> dict[str, str]:
    return {key.name: key.state for key in keys.list_(ws)}


def note(ws: Workspace, name: str, key: str | None = None) -> None:
    ws.log_records([{"kind": "document", "name": name, "title": name, "document_type": "other"}], key=key)


def test_a_key_signs_once_it_is_registered(ws: Workspace) -> None:
    made = keys.create(ws, "approver")
    with pytest.raises(InvalidInput, match="not registered"):
        note(ws, "early@1", key="approver")
    (logged,) = keys.trust(ws, made, holder="Demonstration approver", roles=["approver", "approver"])
    assert logged.kind == "key-event"
    (admin, approver) = keys.list_(ws)
    assert (admin.name, admin.roles, admin.holder_type) == ("training-pipeline", ("recorder", "admin"), "pipeline")
    assert (approver.holder, approver.roles, approver.state) == ("Demonstration approver", ("approver",), "active")
    assert approver.to_dict()["hint"] == made.hint
    assert verify_workspace(ws.root).ok


def test_a_public_key_from_elsewhere(ws: Workspace) -> None:
    from compliance.storage.keys import create_key

    create_key(ws.root / "elsewhere", "auditor", b"their own secret")
    keys.trust(ws, ws.root / "elsewhere/auditor.pub", holder="Auditor", roles=["reviewer"], valid_until="2999-12-31")
    (key,) = (key for key in keys.list_(ws) if key.name == "auditor")
    assert key.valid_until == "2999-12-31T23:59:59Z"
    assert verify_workspace(ws.root).ok


def test_rotation_keeps_the_name_and_retires_the_key(ws: Workspace) -> None:
    before = (ws.root / ".compliance/keys/training-pipeline.pub").read_bytes()
    keys.rotate(ws, "training-pipeline")
    assert (ws.root / ".compliance/keys/training-pipeline.pub").read_bytes() != before
    assert (ws.root / ".compliance/keys/training-pipeline.retired-0.pub").read_bytes() == before
    keys.create(ws, "later")
    keys.trust(ws, ws.root / ".compliance/keys/later.pub", holder="Later", roles=["recorder"])  # the new key is admin
    assert sorted(key.state for key in keys.list_(ws)) == ["active", "active", "rotated"]
    assert verify_workspace(ws.root).ok


def test_a_rotation_that_fails_changes_nothing(ws: Workspace) -> None:
    made = keys.create(ws, "approver")
    keys.trust(ws, made, holder="Approver", roles=["approver"])
    folder = ws.root / ".compliance/keys"
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(InvalidInput, match="has not the role admin"):
        keys.rotate(ws, "approver", key="approver")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_revocation(ws: Workspace) -> None:
    keys.trust(ws, keys.create(ws, "second"), holder="Second", roles=["admin", "recorder"])
    keys.revoke(ws, "training-pipeline", reason="The machine was sold.", key="second")
    assert states(ws) == {"training-pipeline": "revoked", "second": "active"}
    with pytest.raises(InvalidInput, match="not registered in this ledger, or not valid"):
        note(ws, "late@1", key="training-pipeline")
    assert verify_workspace(ws.root).ok


def test_refusals(ws: Workspace) -> None:
    with pytest.raises(Conflict, match="the only admin's key"):
        keys.revoke(ws, "training-pipeline", reason="Why not.")
    with pytest.raises(InvalidInput, match="ledger's own key"):
        keys.create(ws, "log")
    with pytest.raises(Conflict, match="already"):
        keys.create(ws, "training-pipeline")
    with pytest.raises(UnknownReference, match="No key named nobody"):
        keys.rotate(ws, "nobody")
    made = keys.create(ws, "made")
    with pytest.raises(InvalidInput, match="no role king"):
        keys.trust(ws, made, holder="Made", roles=["king"])
    with pytest.raises(InvalidInput, match="no day"):
        keys.trust(ws, made, holder="Made", roles=["recorder"], valid_until="tomorrow")
    with pytest.raises(Conflict, match="stands under the name"):
        keys.trust(ws, made, name="training-pipeline", holder="Made", roles=["recorder"])
    for holder, why in (("Trаining", "several scripts"), ("Made\u200b", "not seen"), ("training-pipeIine", "like")):
        with pytest.raises(InvalidInput, match=why):
            keys.trust(ws, made, holder=holder, roles=["recorder"])
    (ws.root / "text.pub").write_text("hello")
    with pytest.raises(InvalidInput, match="PEM"):
        keys.trust(ws, ws.root / "text.pub", holder="Made", roles=["recorder"])
    assert states(ws) == {"training-pipeline": "active"}


def test_a_key_enters_by_its_command_and_never_again_once_revoked(ws: Workspace) -> None:
    signer = keys.create(ws, "lost")
    keys.trust(ws, signer, holder="Test reviewer", roles=["reviewer"])
    keys.revoke(ws, "lost", reason="copied")
    with pytest.raises(Conflict, match="was revoked, as lost: it does not come back"):
        keys.trust(ws, signer, holder="Test reviewer", roles=["approver"], name="found")
    by_hand = {"kind": "key-event", "event": "registered", "name": "found", "holder": "Me", "roles": ["approver"]}
    with pytest.raises(InvalidInput, match="an event of a key is not written by hand"):
        ws.log_records([by_hand])
    assert verify_workspace(ws.root).ok
