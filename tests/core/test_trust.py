"""The keyring is a function of the key-events: order decides, and nothing works backwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from support.ledgers import new_signer

from compliance.core.trust import Keyring, keyring
from compliance.storage.keys import Signer

ADMIN, APPROVER, OTHER = new_signer("admin"), new_signer("approver"), new_signer("other")
START, LATER = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"


@dataclass(frozen=True)
class Event:
    index: int
    signer: str
    content: Mapping[str, Any]
    logged_at: str = START


def event(index: int, key: Signer, its_roles: list[str], *, by: Signer = ADMIN, **content: Any) -> Event:
    said = {
        "event": "registered",
        "name": key.name,
        "holder": key.name,
        "holder_type": "person",
        "roles": its_roles,
        "public_key": key.public_pem,
        "hint": key.hint,
        "algorithm": key.algorithm,
        "valid_from": START,
    }
    return Event(index, by.hint, said | content)


GENESIS = event(0, ADMIN, ["admin", "recorder"], holder_type="pipeline")


def ring(*events: Event) -> Keyring:
    return keyring([GENESIS, *events])


def test_genesis_registers_itself() -> None:
    found = ring()
    assert found.problems == []
    assert found.fault(ADMIN.hint, START, 0) is None
    assert found.fault(ADMIN.hint, START, 1) is None
    assert found.at(ADMIN.hint, LATER) is not None
    stranger = keyring([event(0, ADMIN, ["admin"], by=OTHER)])
    assert stranger.problems == [(0, "the ledger does not begin with a self-signed registration")]
    assert stranger.at(ADMIN.hint, LATER) is None


def test_an_event_counts_from_the_entry_after_it() -> None:
    found = ring(event(3, APPROVER, ["approver"]))
    assert found.fault(APPROVER.hint, START, 3) == "signed by a key that is registered only later, at entry 3"
    assert found.fault(APPROVER.hint, START, 4) is None
    assert found.fault(OTHER.hint, START, 4) == "unknown key"


def test_only_admins_register() -> None:
    found = ring(event(1, APPROVER, ["approver"]), event(2, OTHER, ["admin"], by=APPROVER))
    assert found.problems == [(2, "the key approver has not the role admin that key-event evidence needs")]
    assert found.at(OTHER.hint, START) is None
    assert ring(event(1, OTHER, ["admin"], by=OTHER)).problems == [(1, "unknown key")]


def test_an_ended_key_stays_ended_and_one_that_expired_may_be_registered_again() -> None:
    for how in ("revoked", "expired"):
        found = ring(event(1, APPROVER, ["approver"]), event(4, APPROVER, ["approver"], event=how))
        assert found.fault(APPROVER.hint, START, 4) is None
        assert found.fault(APPROVER.hint, START, 5) == f"signed by the key approver, which was {how} at entry 4"
    again = ring(
        event(1, APPROVER, ["approver"]),
        event(2, APPROVER, ["approver"], event="expired"),
        event(5, APPROVER, ["reviewer"]),
    )
    key = again.at(APPROVER.hint, START)
    assert key is not None
    assert key.roles == ("reviewer",)
    assert again.fault(APPROVER.hint, START, 4) is not None


def test_a_revoked_admin_registers_nobody() -> None:
    found = ring(
        event(1, OTHER, ["admin"]),
        event(2, ADMIN, ["admin"], by=OTHER, event="revoked"),
        event(3, APPROVER, ["approver"]),
    )
    assert found.problems == [(3, "signed by the key admin, which was revoked at entry 2")]


def test_rotation_hands_the_name_over() -> None:
    new = new_signer("admin")
    found = ring(event(1, new, ["admin"], event="rotated", replaces=ADMIN.hint))
    assert found.problems == []
    assert found.at(ADMIN.hint, START) is None
    named = found.named("admin")
    assert named is not None
    assert named.hint == new.hint
    lost = ring(event(1, new, ["admin"], event="rotated", replaces=OTHER.hint))
    assert lost.problems == [(1, "it replaces a key that was never registered")]
    assert lost.at(new.hint, START) is None


def test_one_key_at_a_time_under_a_name() -> None:
    found = ring(event(1, OTHER, ["recorder"], name="admin"))
    assert found.problems == [(1, "another key stands under the name admin")]


def test_validity() -> None:
    found = ring(event(1, OTHER, ["recorder"], valid_from=LATER, valid_until="2026-07-01T00:00:00Z"))
    assert found.at(OTHER.hint, START) is None
    assert found.at(OTHER.hint, LATER) is not None
    assert found.at(OTHER.hint, "2026-07-01T00:00:01Z") is None
    assert "outside its validity (2026-06-01T00:00:00Z to 2026-07-01" in (found.fault(OTHER.hint, START, 2) or "")


def test_what_describes_no_key() -> None:
    why = "it does not describe a key, or its hint is not that of its public key"
    for wrong in ({"hint": ADMIN.hint}, {"public_key": "PEM"}, {"roles": "admin"}, {"name": ""}, {"holder": None}):
        assert ring(event(1, OTHER, ["recorder"], **wrong)).problems == [(1, why)], wrong
    assert ring(event(1, OTHER, ["recorder"], event="lost")).problems == [(1, "nobody here knows the event 'lost'")]
    ended = ring(event(1, OTHER, ["recorder"], event="revoked"))
    assert ended.problems == [(1, "it ends a key that was never registered")]


def test_roles_and_what_they_cover() -> None:
    robot = new_signer("robot")
    found = ring(
        event(1, APPROVER, ["approver"]),
        event(2, OTHER, ["reviewer"]),
        event(3, robot, ["approver"], holder_type="pipeline"),
    )
    admin, approver, reviewer, pipeline = (found.named(name) for name in ("admin", "approver", "other", "robot"))
    assert admin is not None
    assert approver is not None
    assert reviewer is not None
    assert pipeline is not None
    assert admin.may_sign("key-event")
    assert not approver.may_sign("key-event")
    assert approver.may_sign("approval", {"meaning": "approved"})
    assert reviewer.may_sign("approval", {"meaning": "reviewed"})
    assert not reviewer.may_sign("approval", {"meaning": "approved"})
    assert not admin.may_sign("approval", {"meaning": "reviewed"})
    assert "approvals need a person's key" in (pipeline.refusal("approval", {"meaning": "approved"}) or "")
    assert approver.may_sign("determination", {"decision": "carried-over"})
    assert not reviewer.may_sign("determination", {"decision": "carried-over"})
    assert reviewer.may_sign("evaluation")
    assert admin.may_sign("system-description")
    assert approver.may_sign("system-description")
    assert not reviewer.may_sign("system-description")
    assert reviewer.may_sign("revocation")
    assert not reviewer.may_sign("revocation", {"erasure": True})
    only_admin = ring(event(1, OTHER, ["admin"])).named("other")
    assert only_admin is not None
    assert not only_admin.may_sign("evaluation")
    assert only_admin.may_sign("revocation")


def test_a_revoked_key_does_not_come_back() -> None:
    told = [event(1, OTHER, ["recorder"]), event(2, OTHER, ["recorder"], event="revoked", reason="lost")]
    again = ring(*told, event(3, OTHER, ["approver"], name="another-name"))
    assert again.problems == [(3, "it brings back a key that was revoked")]
    assert again.at(OTHER.hint, LATER) is None
