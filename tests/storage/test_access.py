"""Grants, sessions and the log of visits."""

import sqlite3
from pathlib import Path

import pytest

from compliance.errors import Unavailable, UnknownReference
from compliance.storage.access import FILE, Access

MORNING, NOON, EVENING, LATER = (f"2026-11-24T{hour}:00:00Z" for hour in ("08", "12", "18", "20"))


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path)


def grant(access: Access, until: str = EVENING):
    return access.add_grant("Notified body", ["clinical-risk@1"], ["eu-ai-act"], created_at=MORNING, expires_at=until)


def test_a_token_opens_a_session_until_the_grant_ends(access: Access) -> None:
    made, token = grant(access)
    found, session = access.open_session(token, NOON, LATER) or pytest.fail("refused")
    assert found == made
    assert access.session(session, NOON) == made
    assert access.session(session, EVENING) is None
    assert access.open_session(token, EVENING, LATER) is None


def test_a_session_ends_by_itself_by_leaving_and_by_revocation(access: Access) -> None:
    made, token = grant(access)
    sessions = [(access.open_session(token, MORNING, NOON) or pytest.fail("refused"))[1] for _ in range(3)]
    assert access.session(sessions[0], NOON) is None
    access.close_session(sessions[1])
    assert access.session(sessions[1], MORNING) is None
    access.revoke_grant(made.id, MORNING)
    assert access.session(sessions[2], MORNING) is None
    assert access.open_session(token, MORNING, NOON) is None
    assert [known.state_at(NOON) for known in access.grants()] == ["revoked"]


def test_unknown_tokens_and_grants_open_nothing(access: Access) -> None:
    grant(access)
    assert access.open_session("", NOON, LATER) is None
    assert access.session("guess", NOON) is None
    with pytest.raises(UnknownReference, match="no grant"):
        access.revoke_grant("guess", NOON)


def test_no_token_is_written_down(access: Access, tmp_path: Path) -> None:
    _, token = grant(access)
    _, session = access.open_session(token, NOON, LATER) or pytest.fail("refused")
    access.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in kept
    assert session.encode() not in kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_visits_are_append_only_and_a_doctored_one_is_named(access: Access, tmp_path: Path) -> None:
    made, _ = grant(access)
    for number in range(5):
        access.log(made.id, made.holder, f"GET /evidence/EV-{number:06d}", 200, NOON)
    access.log("other", "Somebody else", "GET /", 404, NOON)
    assert [visit.n for visit in access.visits(made.id, before=5, limit=2)] == [4, 3]
    assert len(access.visits(made.id)) == 5
    assert access.first_broken_visit() is None

    intruder = sqlite3.connect(tmp_path / FILE)
    for statement in (
        "DELETE FROM visits",
        "UPDATE visits SET result = 200",
        "INSERT INTO visits SELECT 9,at,grant_id,holder,what,result,chain FROM visits LIMIT 1",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            intruder.execute(statement)
    intruder.rollback()
    intruder.executescript("DROP TRIGGER visits_update; UPDATE visits SET what = 'GET /' WHERE n = 3;")
    assert access.first_broken_visit() == 3


def test_a_damaged_file_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match=r"portal\.db") as caught:
        Access(tmp_path)
    assert caught.value.remedy
