"""PyRIT: success is the attack's; an error or an unknown outcome is no attack that failed."""

import json

from support.imports import SAMPLES, imported

FOLDER = SAMPLES / "pyrit"
RESULTS = json.loads((FOLDER / "attack_results.json").read_text())


def test_success_is_the_attacks() -> None:
    got = imported(FOLDER / "attack_results.json")
    assert (got.tool, got.version, got.only["kind"]) == ("PyRIT", "1.1.0", "safety-result")
    rate = got.row("attack_success_rate")
    assert (rate["x"], rate["n"], rate["value"]) == (1, 2, "0.500000")
    assert got.row("attack_success_rate", attack="PromptSendingAttack")["x"] == 1
    assert got.only["content"]["judge"] == {"kind": "rule", "name": "SubStringScorer"}


def test_errors_and_unknown_outcomes_make_it_incomplete() -> None:
    got = imported(FOLDER / "attack_results.json")
    assert got.only["completeness"] == "incomplete"
    assert "1 of 4 attacks ended in an error" in got.reasons
    assert "1 of 4 attacks nobody could determine" in got.reasons


def test_when_it_ran_is_carried() -> None:
    content = imported(FOLDER / "one.json").only["content"]
    assert content["started_at"] == "2026-11-24T04:20:37Z"
    assert content["ended_at"] == "2026-11-24T04:20:37Z"


def test_objectives_and_answers_stay_in_the_original() -> None:
    got = imported(FOLDER / "attack_results.json")
    assert "password" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"


def test_one_result_and_results_on_lines_read_alike() -> None:
    one = imported(FOLDER / "one.json")
    assert one.only["completeness"] == "complete"
    assert one.row("attack_success_rate")["n"] == 1
    lines = b"".join(json.dumps(result).encode() + b"\n" for result in RESULTS)
    assert imported(lines).rows == imported(FOLDER / "attack_results.json").rows
    assert "cut off" in imported(lines[:-200]).reasons


def test_harms_have_figures_of_their_own() -> None:
    named = [result | {"targeted_harm_categories": ["privacy"]} for result in RESULTS[:2]]
    got = imported(json.dumps(named).encode())
    assert got.row("attack_success_rate", harm="privacy")["n"] == 2
    assert got.only["content"]["harm_categories"] == ["privacy"]


def test_older_dumps_name_strategy_and_outcome_otherwise() -> None:
    old = {
        "conversation_id": "c",
        "objective": "o",
        "attack_identifier": {"__type__": "RedTeamingAttack", "__module__": "pyrit.executor", "id": "1"},
        "executed_turns": 3,
        "outcome": "AttackOutcome.FAILURE",
    }
    got = imported(json.dumps([old]).encode())
    assert got.row("attack_success_rate", attack="RedTeamingAttack")["x"] == 0
    assert got.version is None
    assert "Not stated in the file: its version and when it ran" in got.summaries


def test_only_errors_is_no_result() -> None:
    got = imported(json.dumps(RESULTS[3]).encode())
    assert (got.only["kind"], got.only["completeness"]) == ("document", "incomplete")


def test_a_cut_file_is_kept_as_unreadable() -> None:
    cut = (FOLDER / "attack_results.json").read_bytes()[:9000]
    assert imported(cut).only["completeness"] == "unreadable"
