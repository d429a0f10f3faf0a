"""What the pages say: findings with their reasons, evidence with its proof, nothing trusted on the way."""

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.portal import HOSTILE, PLAN, signed_in

from compliance import Profile, System, Workspace
from compliance.core import checkpoint, merkle
from compliance.exporters.sigstore import from_bundle
from compliance.portal import measures, tables
from compliance.portal.web import HEADERS
from compliance.services import acts


def test_the_overview_orients(reader: TestClient) -> None:
    text = reader.get("/").text
    for words in (
        "Estimates the risk of death",
        "Notified body",
        "Demonstration",
        "All 11 records",
        "risk@2",
        "eu-ai-act",
    ):
        assert words in text
    assert "Five-year risk &lt;b&gt;score" in text


def test_a_missed_criterion_reaches_the_requirement_and_its_evidence(reader: TestClient, number) -> None:
    result = number("evaluation", "risk@2")
    text = reader.get("/requirements/eu-ai-act/art-15.1").text
    assert "v-failed" in text
    assert "misses" in text
    assert f'href="/evidence/{result}"' in text
    page = reader.get(f"/evidence/{result}").text
    assert re.search(r"sens-men</th><td[^>]*><span class=\"verdict v-missed\">", page)
    assert re.search(r"sens-women</th><td[^>]*><span class=\"verdict v-passed\">", page)
    assert "0.739 to 0.851" in page
    assert "171 of 214" in page
    assert "/requirements/eu-ai-act/art-15.1" in page
    assert "speaks against it" in page
    assert "cannot carry it" in page
    assert "speaks against it" not in reader.get(f"/evidence/{number('evaluation', 'risk@1')}").text


@pytest.mark.parametrize("row", ["art-9.5.c", "art-15.4.redundancy", "art-16.f", "art-73.2"])
def test_a_need_that_is_asked_of_each_piece_has_a_page_where_there_is_none(reader: TestClient, row: str) -> None:
    page = reader.get(f"/requirements/eu-ai-act/{row}")
    assert page.status_code == 200
    assert "each " in page.text


def test_a_requirement_tells_what_else_its_evidence_answers_and_who_says_so(reader: TestClient) -> None:
    text = reader.get("/requirements/eu-ai-act/art-16.g").text
    assert "The same evidence answers" in text
    assert 'href="/requirements/eu-ai-act/annex-iv.8?model=risk%402"' in text
    assert "own mapping by Compliance Tracker project" in text
    elsewhere = reader.get("/requirements/eu-ai-act/annex-iv.2.f").text
    assert "fda/pccp/dom.list" in elsewhere
    assert 'href="/requirements/fda/pccp/dom.list' not in elsewhere, (
        "a row of a catalog that is not assessed has no page"
    )


def test_requirements_are_narrowed_by_catalog_finding_and_words(reader: TestClient) -> None:
    rows = reader.get("/requirements.json?catalog=eu-ai-act&finding=failed").json()
    assert rows
    assert {row["finding"] for row in rows} == {"failed"}
    found = reader.get("/requirements?q=robustness+cybersecurity&catalog=eu-ai-act").text
    assert "Art. 15(1)" in found
    assert "Art. 9(6)" not in found


def test_evidence_is_narrowed_and_exported_alike(reader: TestClient) -> None:
    assert [row["kind"] for row in reader.get("/evidence.json?kind=evaluation").json()] == ["evaluation"] * 2
    rows = list(csv.DictReader(io.StringIO(reader.get("/evidence.csv?q=held+risk@2").text.lstrip("\ufeff"))))
    assert [row["subject"] for row in rows] == ["risk@2"]
    assert reader.get("/evidence?state=revoked").text.count("/evidence/EV-") == 0


def test_the_downloads_verify_by_themselves(reader: TestClient, number, made: Path, tmp_path: Path) -> None:
    result = number("evaluation", "risk@2")
    entry = reader.get(f"/evidence/{result}.entry.json").content
    envelope = from_bundle(reader.get(f"/evidence/{result}.sigstore.json").content)
    with Workspace.open(made, read_only=True) as ws:
        assert json.loads(entry)["envelope"] == ws.ledger.entry(int(result[3:])).envelope
        log_key = ws.config.ledger.log_key
    index, path, note = checkpoint.read_proof(reader.get(f"/evidence/{result}.tlog-proof").text)
    head = checkpoint.verify(note, log_key)
    merkle.verify_inclusion(merkle.leaf_hash(entry), index, head.size, path, head.root)
    key = re.search(r'href="(/keys/[0-9a-f]{64}\.pem)"', reader.get(f"/evidence/{result}").text)
    assert key
    (tmp_path / "key.pub").write_bytes(reader.get(key[1]).content)
    parts = json.loads(envelope)
    import base64

    payload = base64.b64decode(parts["payload"])
    kind = parts["payloadType"].encode()
    (tmp_path / "signed").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(parts["signatures"][0]["sig"]))
    judged = ["openssl", "dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "signed"]
    assert subprocess.run(judged, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_restricted_attachments_are_withheld_and_others_handed_out(reader: TestClient, number, made: Path) -> None:
    result = number("evaluation", "risk@2")
    text = reader.get(f"/evidence/{result}").text
    assert "withheld" in text
    with Workspace.open(made, read_only=True) as ws:
        restricted, internal = ws.ledger.piece(int(result[3:])).predicate["attachments"]
    assert reader.get(f"/evidence/{result}/attachments/{restricted['sha256']}").status_code == 404
    answer = reader.get(f"/evidence/{result}/attachments/{internal['sha256']}")
    assert answer.text == "How it was done.\n"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert reader.get(f"/evidence/EV-000000/attachments/{internal['sha256']}").status_code == 404


def test_nothing_in_evidence_is_trusted(reader: TestClient, number) -> None:
    for page in (f"/evidence/{number('document')}", "/evidence", "/search?q=script"):
        text = reader.get(page).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\u202e" not in text
        assert "\u0007" not in text
        assert "U+202E" in text
        assert "{{7*7}}" in text  # as written, not 49
        assert 'href="javascript' not in text
    reflected = reader.get("/search", params={"q": HOSTILE}).text
    assert "<script>alert" not in reflected


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    body = tables.as_csv([{"a": "=HYPERLINK(1)", "b": ["@x", "-1"], "c": "-0.5", "d": None}], "abcd", "t").body.decode()
    assert list(csv.reader(io.StringIO(body.lstrip("\ufeff"))))[1] == ["'=HYPERLINK(1)", "'@x; -1", "-0.5", ""]
    for start in ("\n=", "＝", "＋", "－", "＠"):
        assert f"'{start}1" in tables.as_csv([{"a": f"{start}1"}], "a", "t").body.decode()


def test_every_answer_carries_the_security_headers(reader: TestClient) -> None:
    for path in ("/", "/static/style.css", "/no/such/page", "/grant/x", "/evidence.csv"):
        answer = reader.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    assert "unsafe-inline" not in HEADERS["Content-Security-Policy"]
    assert reader.get("/").headers["cache-control"] == "no-store"
    assert "style=" not in reader.get("/evidence/EV-000008").text


def test_only_listed_files_have_an_address(reader: TestClient) -> None:
    for path in ("/static/frame.html", "/static/../../pyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml",
                 "/dossiers/../compliance.toml", "/dossiers/%2e%2e/compliance.toml", "/evidence/EV-1",
                 "/evidence/EV-00000x", "/evidence/EV-99999999999999999999", "/keys/00.pem"):  # fmt: skip
        assert reader.get(path).status_code == 404, path


@pytest.fixture
def copy(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return shutil.copytree(made, tmp_path / "copy")


def test_what_is_logged_while_it_runs_appears(copy: Path) -> None:
    client = signed_in(copy)
    assert "All 11 records" in client.get("/").text
    with Workspace.open(copy) as ws:
        ws.log_records([PLAN | {"name": "acceptance-risk@2", "title": "Logged while the portal runs"}])
    assert "Logged while the portal runs" in client.get("/evidence").text
    assert "All 12 records" in client.get("/").text


def test_superseded_revoked_and_erased_records_say_so(copy: Path) -> None:
    client = signed_in(copy)
    with Workspace.open(copy) as ws:
        plan = next(piece.number for piece in ws.evidence() if piece.kind == "acceptance-plan")
        memo = next(piece.number for piece in ws.evidence() if piece.kind == "document")
        client.get("/evidence")  # the portal has read both before
        acts.revoke(ws, plan, "Wrong threshold")
        acts.revoke(ws, memo, "Names a person", erase="GDPR Art. 17")
    assert "v-revoked" in client.get(f"/evidence/{plan}").text
    erased = client.get(f"/evidence/{memo}")
    assert erased.status_code == 200
    assert "was erased" in erased.text
    assert "U+202E" not in client.get("/evidence").text
    assert client.get(f"/evidence/{memo}.sigstore.json").status_code == 404
    assert client.get(f"/evidence/{memo}.tlog-proof").status_code == 200
    assert "v-holds" in client.get("/").text


def test_a_changed_envelope_is_shown_as_changed(copy: Path, number) -> None:
    result = number("evaluation", "risk@2")
    ledger = sqlite3.connect(copy / ".compliance/ledger.db")
    envelope = ledger.execute("SELECT envelope FROM envelopes WHERE idx = ?", (int(result[3:]),)).fetchone()[0]
    ledger.execute("DROP TRIGGER envelopes_update")
    outer = json.loads(envelope)
    sig = outer["signatures"][0]["sig"]
    outer["signatures"][0]["sig"] = sig[:-6] + ("A" if sig[-6] != "A" else "B") + sig[-5:]
    changed = json.dumps(outer, separators=(",", ":"), sort_keys=True).encode()
    ledger.execute("UPDATE envelopes SET envelope = ? WHERE idx = ?", (changed, int(result[3:])))
    ledger.commit()
    ledger.close()
    client = signed_in(copy)
    page = client.get(f"/evidence/{result}").text
    assert page.count("v-fails") >= 2  # the digest and the signature
    assert "v-fails" in client.get("/").text


def test_a_changed_neighbour_breaks_the_place_in_the_ledger(copy: Path, number) -> None:
    result = number("evaluation", "risk@2")
    ledger = sqlite3.connect(copy / ".compliance/ledger.db")
    ledger.execute("DROP TRIGGER entries_update")
    ledger.execute("UPDATE entries SET hash = ? WHERE idx = ?", (bytes(32), int(result[3:]) ^ 1))
    ledger.commit()
    ledger.close()
    page = signed_in(copy).get(f"/evidence/{result}").text
    assert re.search(r"v-fails\">fails</span></td>\s*<td>It stands at its place", page)


def test_a_ledger_rolled_back_is_noticed_against_what_the_portal_remembers(copy: Path) -> None:
    early = {
        path.name: path.read_bytes()
        for path in (copy / ".compliance").iterdir()
        if path.is_file() and "portal" not in path.name
    }
    with Workspace.open(copy) as ws:
        ws.log_records([PLAN | {"name": "acceptance-risk@2"}])
    client = signed_in(copy)
    assert "v-holds" in client.get("/").text
    for path in (copy / ".compliance").glob("ledger.db*"):
        path.unlink()
    for name, data in early.items():
        (copy / ".compliance" / name).write_bytes(data)
    assert "v-fails" in signed_in(copy).get("/").text


def test_an_interval_that_no_source_states_says_so() -> None:
    row = {"name": "accuracy", "x": 93, "n": 100, "value": "0.930", "ci_low": "0.861080", "ci_high": "0.971395",
           "ci_level": "0.95", "ci_method": "clopper-pearson", "origin": "stated", "ci_origin": "computed"}  # fmt: skip
    assert measures.measures({"metrics": [row]})[0].origin == "stated; interval computed here"
    del row["ci_origin"]
    assert measures.measures({"metrics": [row]})[0].origin == "stated"


def test_a_figure_that_its_own_predictions_refute_says_so() -> None:
    women = {"name": "recall", "group": {"sex": "F"}, "value": "0.93"}
    differ = {"name": "sensitivity", "group": {"sex": "F"}, "what": "0.93 is claimed, but it is 0.83"}
    rows = measures.measures(
        {"metrics": [women, women | {"group": {"sex": "M"}}], "recomputation": {"differ": [differ]}}
    )
    assert [row.refuted for row in rows] == [differ["what"], ""]


def test_what_the_profile_does_not_say_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    system = System(id="new", name="New", provider="Nobody", model="new", catalogs=["chai"], demonstration=False)
    Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/new").close()
    assert "None" not in signed_in(tmp_path / "ws").get("/").text
