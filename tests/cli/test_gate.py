"""The gate in CI: exit codes, policies from a file or from compliance.toml, exceptions that are always printed."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.cli.edge import run

from .conftest import EVALUATION

EXCEPTION = """
[[exceptions]]
requirement = "eu-ai-act/art-2.13"
findings = ["undetermined"]
reason = "Training is planned for spring."
expires = {expires}
"""


PROFILE = """[profile]
roles = ["provider"]
high_risk = ["annex-i"]
markets = ["EU", "US"]
features = []
device = { law = "MDR", class = "IIa", notified_body = true }
us = { pathway = "510(k)", class = "II", pccp = false, cyber_device = true, certified_health_it = false }

"""


@pytest.fixture
def answered(inside: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The workspace with a profile that leaves nothing open: what it does not say blocks under every policy."""
    config = inside / "compliance.toml"
    config.write_text(re.sub(r"(?ms)^\[profile\]$.*?(?=^\[)", PROFILE, config.read_text()))
    assert run(["log", "record", "compliance.toml"]) == 0
    capsys.readouterr()
    return inside


def gate(*arguments: str) -> int:
    return run(["gate", *arguments])


def test_by_default_it_is_closed_and_says_why(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate() == 1
    shown = capsys.readouterr().out
    assert "every open finding blocks" in shown
    assert "The gate is closed: " in shown
    assert "questions that a person answers" in shown
    assert "(from 20" in shown


def test_a_policy_that_blocks_nothing_opens_it(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answered / "release.toml").write_text("block = []\n")
    assert gate("--policy", "release.toml") == 0
    shown = capsys.readouterr().out
    assert "Policy: release.toml (sha256 " in shown
    assert "The gate is open. Passed over: " in shown


def test_a_pinned_policy_is_that_policy_or_none(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = answered / "release.toml"
    policy.write_text("block = []\n")
    pin = sha256(policy.read_bytes()).hexdigest()
    assert gate("--policy", "release.toml", "--policy-sha256", pin) == 0
    assert pin in capsys.readouterr().out
    policy.write_text("block = [] # as before?\n")
    assert gate("--policy", "release.toml", "--policy-sha256", pin) == 2
    assert "is not the policy that is pinned" in capsys.readouterr().err
    assert gate("--policy-sha256", pin) == 2


def test_a_failure_that_was_taken_back_is_told_whatever_the_policy(
    answered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answered / "release.toml").write_text("block = []\n")
    (answered / "result.yaml").write_text(EVALUATION.replace("x: 318", "x: 40"))
    assert run(["log", "evaluation", "result.yaml", "--json"]) == 0
    number = json.loads(capsys.readouterr().out)[0]["evidence"]
    assert run(["revoke", number, "--reason", "not our best day"]) == 0
    capsys.readouterr()
    assert gate("--policy", "release.toml", "--sarif", str(tmp_path / "gate.sarif")) == 0
    shown = capsys.readouterr().out
    assert gate("--policy", "release.toml", "--json") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "revoked failure" in {note["topic"] for note in notes}
    assert "not our best day" in shown
    results = json.loads((tmp_path / "gate.sarif").read_text())["runs"][0]["results"]
    told = [result["message"]["text"] for result in results if result["ruleId"].startswith("note/")]
    assert [note["text"] for note in notes] == told
    assert all(f"Note: {text}" in shown for text in told)


def test_no_policy_opens_it_over_a_ledger_that_does_not_verify(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inside / "release.toml").write_text("block = []\n")
    (inside / ".compliance" / "checkpoint").write_text("not a checkpoint\n")
    assert gate("--policy", "release.toml") == 1
    assert "The ledger does not verify" in capsys.readouterr().out


def test_nothing_asked_does_not_open_it(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = inside / "compliance.toml"
    config.write_text(re.sub(r"(?m)^catalogs = .*$", "catalogs = []", config.read_text()))
    assert run(["log", "record", "compliance.toml"]) == 0
    assert gate() == 1
    assert "Nothing was assessed: the system, as signed, names no catalog." in capsys.readouterr().out


def test_where_nothing_applies_it_stays_closed(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = inside / "compliance.toml"
    told = re.sub(
        r"(?ms)^\[profile\]$.*?(?=^\[)", '[profile]\nmarkets = ["EU"]\nroles = ["deployer"]\n', config.read_text()
    )
    config.write_text(told)
    assert run(["log", "record", "compliance.toml"]) == 0
    assert gate("--catalog", "fda-aidsf") == 1
    assert "no requirement of these catalogs applies to this system" in capsys.readouterr().out


def test_the_policy_may_stand_in_the_configuration(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = answered / "compliance.toml"
    config.write_text(config.read_text() + '\n[gate]\nblock = ["failed"]\nbinding_only = true\n')
    assert gate("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"] == "[gate] of compliance.toml"
    assert told["ok"] is True
    assert len(told["allowed"]) > 100


def test_exceptions_are_printed_every_time(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answered / "p.toml").write_text('block = ["undetermined"]\n' + EXCEPTION.format(expires="2099-12-31"))
    assert gate("--policy", "p.toml") == 1
    shown = capsys.readouterr().out
    assert "eu-ai-act/art-2.13 until 2099-12-31, excuses 1 finding: undetermined" in shown
    assert "Training is planned for spring." in shown
    (answered / "p.toml").write_text("block = []\n" + EXCEPTION.format(expires="2020-12-31"))
    assert gate("--policy", "p.toml") == 0
    assert "expired, counts no more: undetermined" in capsys.readouterr().out


def test_an_exception_opens_what_it_names_and_no_more(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answered / "p.toml").write_text('block = ["undetermined"]\n')
    gate("--policy", "p.toml", "--json")
    before = json.loads(capsys.readouterr().out)
    (answered / "p.toml").write_text('block = ["undetermined"]\n' + EXCEPTION.format(expires="2099-12-31"))
    gate("--policy", "p.toml", "--json")
    after = json.loads(capsys.readouterr().out)
    gone = {f["requirement"] for f in before["blocking"]} - {f["requirement"] for f in after["blocking"]}
    assert gone == {"eu-ai-act/art-2.13"}
    assert after["exceptions"][0]["excused"] == ["eu-ai-act/art-2.13"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("block = ['fail']\n", "block.0 must be"),
        ("blocks = []\n", "blocks is no field here"),
        ("block = [\n", "is not TOML"),
        (f"block = {'[' * 20_000}\n", "is not TOML"),
        (f"binding_only = {'1' * 5_000}\n", "is not TOML"),
        (EXCEPTION.format(expires='"soon"'), "exceptions.0.expires"),
        (EXCEPTION.format(expires="2099-12-31").replace("art-2.13", "art-2.99"), "eu-ai-act/art-2.99"),
        ("[catalogs.nope]\nblock = []\n", "nope is no catalog of this system"),
        (EXCEPTION.format(expires="2099-12-31").replace('findings = ["undetermined"]\n', ""), "findings is missing"),
        (EXCEPTION.format(expires="2099-12-31") + 'catalog = "eu-ai-act"\n', "one of the two"),
    ],
)
def test_a_policy_is_read_strictly(policy: str, words: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "p.toml").write_text(policy)
    assert gate("--policy", "p.toml", "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert words in error["problem"]
    assert "p.toml" in error["problem"]
    assert error["remedy"]


def test_a_policy_that_is_not_there_is_said(inside: Path) -> None:
    assert gate("--policy", "nowhere.toml") == 2


def test_sarif_is_written_whether_it_is_open_or_closed(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--sarif", "gate.sarif", "--json") == 1
    blocking = {f["requirement"] for f in json.loads(capsys.readouterr().out)["blocking"]}
    (run_,) = json.loads((inside / "gate.sarif").read_text())["runs"]
    assert {r["ruleId"] for r in run_["results"] if r["level"] == "error"} == blocking
    assert run_["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "compliance.toml"
    assert gate("--sarif", "nowhere/gate.sarif") == 3


def test_what_the_gate_found_is_no_evidence(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate("--sarif", "gate.sarif")
    capsys.readouterr()
    assert run(["import", "gate.sarif", "--model", "clinical-risk@1", "--json"]) != 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["evidence"] is None
    assert "rests on evidence that is on record already" in told["reason"]


def test_what_the_profile_leaves_open_blocks_under_every_policy(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inside / "p.toml").write_text("block = []\n")
    assert gate("--policy", "p.toml", "--json") == 1
    assert {one["rule"] for one in json.loads(capsys.readouterr().out)["blocking"]} == {"profile-silent"}


def test_what_it_did_not_look_at_is_told(
    answered: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (answered / "p.toml").write_text("block = []\n")
    assert gate("--policy", "p.toml", "--json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["left_out"], whole["unseen"]) == ([], 0)
    gate("--policy", "p.toml", "--catalog", "fda-aidsf")
    shown = capsys.readouterr().out
    assert "Not asked, though of this system: eu-ai-act." in shown
    monkeypatch.setattr("compliance.services.workspace.now", lambda: "2999-01-01T00:00:00Z")
    (answered / "result.yaml").write_text(EVALUATION)
    assert run(["log", "record", "result.yaml"]) == 0
    gate("--policy", "p.toml")
    assert "Not seen: 1 record logged after 20" in capsys.readouterr().out


def test_what_a_decision_put_out_of_scope_is_told(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answered / "p.toml").write_text("block = []\n")
    assert run(["key", "create", "reviewer"]) == 0
    public = ".compliance/keys/reviewer.pub"
    assert run(["key", "trust", public, "--holder", "Test reviewer", "--role", "reviewer"]) == 0
    decision = ["--decision", "not-applicable", "--reason", "Nobody is told.", "--key", "reviewer"]
    assert run(["determine", "eu-ai-act/art-2.13", *decision]) == 0
    assert gate("--policy", "p.toml") == 0
    shown = capsys.readouterr().out
    assert "not-applicable: eu-ai-act, 1" in shown
    assert "Nobody is told." in shown
    gate("--policy", "p.toml", "--json")
    told = json.loads(capsys.readouterr().out)["decided_away"]
    assert [finding["requirement"] for finding in told] == ["eu-ai-act/art-2.13"]
