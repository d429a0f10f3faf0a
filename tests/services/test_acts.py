"""What people sign: an approval shows who signed, when by their own clock, and with what meaning."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.core.system import Profile, System
from compliance.errors import InvalidInput
from compliance.services import acts, keys
from compliance.services.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
    system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=["eu-ai-act"])
    return Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")


@pytest.fixture(params=[("UTC0", "+00:00"), ("CET-1", "+01:00"), ("NST3:30", "-03:30")], ids=lambda zone: zone[0])
def offset(request: pytest.FixtureRequest) -> Iterator[str]:
    zone, offset = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield offset
    time.tzset()


def test_an_approval_shows_printed_name_local_time_and_meaning(ws: Workspace, offset: str) -> None:
    keys.trust(ws, keys.create(ws, "approver"), holder="Ada Example", roles=["approver"])
    (logged,) = acts.approve(ws, ["EV-000000"], "approved", "approver")
    signed = next(piece for piece in ws.evidence() if piece.number == logged.evidence)
    shown = {name: signed.content[name] for name in ("printed_name", "utc_offset", "meaning")}
    assert shown == {"printed_name": "Ada Example", "utc_offset": offset, "meaning": "approved"}


def test_a_key_that_nobody_registered_signs_no_approval(ws: Workspace) -> None:
    keys.create(ws, "stranger")
    with pytest.raises(InvalidInput, match="not registered"):
        acts.approve(ws, ["EV-000000"], "approved", "stranger")


@pytest.mark.parametrize("decision", ["met", "not-applicable"])
def test_a_decision_that_would_not_count_is_not_signed(ws: Workspace, decision: str) -> None:
    (ws.root / "model").write_text("weights")
    ws.log_model(ws.root / "model", name="m", version="1")
    before = len(ws.evidence())
    with pytest.raises(InvalidInput, match="counts from a person in the role reviewer or approver"):
        acts.determine(ws, ["eu-ai-act/art-15.1"], "m@1", decision, "Looked at.")
    assert len(ws.evidence()) == before
    acts.determine(ws, ["eu-ai-act/art-15.1"], "m@1", "not-met", "Not shown.")
    keys.trust(ws, keys.create(ws, "reviewer"), holder="Test reviewer", roles=["reviewer"])
    assert acts.determine(ws, ["eu-ai-act/art-15.1"], "m@1", decision, "Looked at.", key="reviewer")


def test_a_decision_cites_what_shows_the_requirement(ws: Workspace) -> None:
    (ws.root / "model").write_text("weights")
    ws.log_model(ws.root / "model", name="m", version="1")
    catalog = ws.assess(model="m@1")
    shown = next(one for one in catalog.findings if one.evidence and one.ask_open)
    keys.trust(ws, keys.create(ws, "reviewer"), holder="Test reviewer", roles=["reviewer"])
    acts.determine(ws, [shown.requirement.id], "m", "met", "Read it.", key="reviewer")
    cited = ws.evidence()[-1].content["based_on"]
    assert [record["name"] for record in cited] == sorted(shown.evidence)


def test_erasing_takes_more_than_recording(ws: Workspace) -> None:
    (logged,) = ws.log_records(
        [{"kind": "log", "title": "l", "type": "review", "description": "d", "events": [{"event": "e"}]}]
    )
    keys.trust(ws, keys.create(ws, "other"), holder="Pipeline", roles=["recorder"], holder_type="pipeline")
    with pytest.raises(InvalidInput, match="has not the role admin or approver"):
        acts.revoke(ws, logged.evidence, "In the way.", erase="Some law", key="other")
    assert ws.ledger.piece(int(logged.evidence[3:])).kind == "log"


def test_an_approval_may_have_a_last_day(ws: Workspace) -> None:
    keys.trust(ws, keys.create(ws, "approver"), holder="Ada Example", roles=["approver"])
    acts.approve(ws, ["EV-000000"], "approved", "approver", until="2027-06-30")
    assert ws.evidence()[-1].content["valid_until"] == "2027-06-30"
    with pytest.raises(InvalidInput, match="valid_until"):
        acts.approve(ws, ["EV-000000"], "approved", "approver", until="soon")
