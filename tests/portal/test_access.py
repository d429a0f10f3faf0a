"""Coming in, staying in, and what a grant hides."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.portal import signed_in

from compliance import InvalidInput, UnknownReference, Workspace
from compliance.portal.app import ROUTES, create_app
from compliance.services import acts, grants
from compliance.storage import access as storage

PAGES = ["/", "/requirements", "/evidence", "/dossiers", "/lineage", "/approvals", "/keys", "/visits", "/help",
         "/search", "/evidence.csv", "/evidence/EV-000000", "/checkpoint",
         "/evidence/EV-000000.sigstore.json", "/no/such/page"]  # fmt: skip


def visitor(root: Path, address: str = "http://127.0.0.1") -> TestClient:
    return TestClient(create_app(root), base_url=address, follow_redirects=False)


def link(root: Path, days: int = 30, **scope: list[str]) -> str:
    with Workspace.open(root, read_only=True) as ws:
        return grants.create(ws, "Notified body", days, **scope)


@pytest.mark.parametrize("page", PAGES)
def test_without_a_session_nothing_is_shown(made: Path, page: str) -> None:
    answer = visitor(made).get(page)
    assert answer.status_code == 401
    assert "EV-0" not in answer.text


def test_opening_the_link_signs_nobody_in_and_the_button_does(made: Path) -> None:
    client, path = visitor(made), link(made)
    door = client.get(path)
    assert door.status_code == 200
    assert not door.cookies
    assert client.get("/").status_code == 401
    entered = client.post("/grant", data={"token": path.removeprefix(grants.PATH)})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/").status_code == 200


def test_the_cookie_is_secure_everywhere_but_on_loopback(made: Path) -> None:
    token = link(made).removeprefix(grants.PATH)
    local = visitor(made).post("/grant", data={"token": token}).headers["set-cookie"]
    assert "Secure" not in local
    for address in ("https://portal.example.org", "http://portal.example.org", "http://10.0.0.2"):
        cookie = visitor(made, address).post("/grant", data={"token": token}).headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
    assert "https" in visitor(made, "http://portal.example.org").get(link(made)).text
    assert "<form" not in visitor(made, "http://portal.example.org").get(link(made)).text


@pytest.mark.parametrize("form", [{"token": "guess"}, {"token": ""}, {}, {"token": "x" * 10_000}])
def test_a_wrong_token_opens_nothing(made: Path, form: dict[str, str]) -> None:
    answer = visitor(made).post("/grant", data=form)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_another_site_cannot_sign_somebody_in(made: Path) -> None:
    token = link(made).removeprefix(grants.PATH)
    answer = visitor(made).post("/grant", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_leaving_revocation_and_expiry_end_it(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(made)
    assert client.get("/keys").status_code == 200
    client.post("/leave")
    assert client.get("/keys").status_code == 401

    client = signed_in(made)
    with Workspace.open(made, read_only=True) as ws:
        grants.revoke(ws, grants.list_(ws)[-1].id)
    assert client.get("/keys").status_code == 401

    client = signed_in(made)
    later = (datetime.now(UTC) + timedelta(hours=13)).strftime("%Y-%m-%dT%H:%M:%SZ")
    monkeypatch.setattr("compliance.portal.web.now", lambda: later)
    assert client.get("/keys").status_code == 401


def test_no_route_takes_anything_but_signing_in_and_out(made: Path) -> None:
    client = signed_in(made)
    for path, _ in ROUTES:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, path.replace("{", "").replace("}", "")).status_code == 405, (method, path)


def test_a_scope_hides_other_versions_everywhere(made: Path, number) -> None:
    client = signed_in(made, models=["risk@1"], catalogs=["eu-ai-act"])
    hidden = number("evaluation", "risk@2")
    shown = number("evaluation", "risk@1")
    assert client.get(f"/evidence/{shown}").status_code == 200
    for path in ("", ".sigstore.json", ".entry.json", ".tlog-proof", "/attachments/" + "0" * 64):
        assert client.get(f"/evidence/{hidden}{path}").status_code == 404, path
    assert client.get("/?model=risk@2").status_code == 404
    assert client.get(f"/evidence/{number('approval', '')}").status_code == 404  # it approves what is hidden
    assert client.get("/requirements/fda-aidsf/device.purpose").status_code == 404
    for page in ("/", "/evidence", "/lineage", "/approvals", "/requirements", "/search?q=risk", "/evidence.json"):
        text = client.get(page).text
        assert "risk@2 on people" not in text, page
        assert f'href="/evidence/{hidden}"' not in text, page
        assert "fda-aidsf" not in text.replace("Catalogs", ""), page


def test_outside_the_scope_and_not_there_look_the_same(made: Path, number) -> None:
    client = signed_in(made, models=["risk@1"])
    hidden, absent = client.get(f"/evidence/{number('evaluation', 'risk@2')}"), client.get("/evidence/EV-999999")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text == absent.text


@pytest.fixture
def compiled(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a dossier about risk@1 that answers one catalog and indexes all evidence, approved."""
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    root = shutil.copytree(made, tmp_path / "compiled")
    (root / "dossiers").mkdir()
    with Workspace.open(root) as ws:
        pieces = ws.evidence()
        model = next(piece.subjects[0] for piece in pieces if piece.title.endswith("risk 1"))
        content = {
            "dossier": "annex-iv",
            "title": "Technical documentation",
            "document_number": "TD",
            "revision": "9",
            "date": "2026-11-24",
            "cutoff": {"evidence": pieces[-1].number},
            "model": {**model, "sha256": model["digest"]["sha256"]},
            "evidence": [{"evidence": piece.number} for piece in pieces],
            "sections": [{"findings": [{"catalog": "eu-ai-act"}]}],
        }
        for ending in (".json", ".pdf", ".zip", "-archive.pdf"):
            (root / "dossiers" / f"annex-iv{ending}").write_text(json.dumps(content))
        acts.approve(ws, [str(root / "dossiers" / "annex-iv.json")], "approved", key="approver")
    return root


def test_a_dossier_shows_who_signed_it_and_for_which_version(compiled: Path) -> None:
    text = signed_in(compiled).get("/dossiers").text
    assert "annex-iv-archive.pdf" in text
    assert "Approved: annex-iv of risk@1" in text
    (compiled / "dossiers" / "annex-iv.json").write_text((compiled / "dossiers" / "annex-iv.json").read_text() + " ")
    assert "nobody: a draft" in signed_in(compiled).get("/dossiers").text


def test_a_scope_withholds_dossiers_and_the_evidence_inside_them(compiled: Path) -> None:
    within = signed_in(compiled, models=["risk@1"])
    assert within.get("/dossiers/annex-iv.pdf").status_code == 200
    assert "annex-iv.zip, annex-iv-archive.pdf: with evidence outside" in within.get("/dossiers").text
    for name in ("annex-iv.zip", "annex-iv-archive.pdf"):
        assert within.get(f"/dossiers/{name}").status_code == 404
    for scope in ({"models": ["risk@2"]}, {"catalogs": ["fda-aidsf"]}):
        outside = signed_in(compiled, **scope)
        assert outside.get("/dossiers/annex-iv.pdf").status_code == 404
    assert "annex-iv of risk@1" not in signed_in(compiled, models=["risk@2"]).get("/approvals").text


def test_every_view_is_logged_and_the_reader_sees_it(made: Path) -> None:
    client = signed_in(made)
    client.get("/evidence/EV-000003")
    client.get("/evidence?kind=dataset")
    client.get("/evidence/EV-999999")
    rows = client.get("/visits.json").json()
    assert [(row["what"], row["result"]) for row in rows[:3]] == [
        ("GET /evidence/EV-999999", 404), ("GET /evidence?kind=dataset", 200), ("GET /evidence/EV-000003", 200),
    ]  # fmt: skip
    assert "chained by hash, and whole" in client.get("/visits").text


def test_no_token_reaches_the_log(made: Path) -> None:
    path = link(made)
    client = visitor(made)
    client.get(path)
    client.post("/grant", data={"token": path.removeprefix(grants.PATH)})
    for file in (made / ".compliance").glob("portal.db*"):
        assert path.removeprefix(grants.PATH).encode() not in file.read_bytes()


def test_a_doctored_log_of_visits_shows(made: Path, tmp_path: Path) -> None:
    import shutil

    root = shutil.copytree(made, tmp_path / "copy")
    client = signed_in(root)
    client.get("/keys")
    database = sqlite3.connect(root / ".compliance" / storage.FILE)
    database.executescript("DROP TRIGGER visits_update; UPDATE visits SET what = 'GET /help' WHERE what = 'GET /keys';")
    database.close()
    assert "was changed: line" in client.get("/visits").text


def test_grants_are_made_within_what_is_on_record(made: Path) -> None:
    with Workspace.open(made, read_only=True) as ws:
        with pytest.raises(UnknownReference, match="no model version"):
            grants.create(ws, "Somebody", 1, ["other@1"])
        with pytest.raises(UnknownReference, match="catalog"):
            grants.create(ws, "Somebody", 1, [], ["gdpr"])
        for holder in ("", "two\nlines", "x" * 300):
            with pytest.raises(InvalidInput):
                grants.create(ws, holder, 1)
        with pytest.raises(InvalidInput, match="out of range"):
            grants.create(ws, "Somebody", 0)
        grants.create(ws, "Somebody", 1, ["risk"])
        assert grants.list_(ws)[-1].models == ("risk@2",)  # the newest, by its full name
