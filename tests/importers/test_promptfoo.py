"""promptfoo: errors are no failures, a filtered run is not whole, prompts stay in the original."""

import json
from copy import deepcopy
from typing import Any

import pytest
from support.imports import SAMPLES, imported, tool_of

from compliance.importers import NotSaidError

FOLDER = SAMPLES / "promptfoo"
EVAL = json.loads((FOLDER / "eval.json").read_text())


def _with(**changes: Any) -> bytes:
    data = deepcopy(EVAL)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        place[last] = value
    return json.dumps(data).encode()


def test_errors_are_neither_failures_nor_passes() -> None:
    got = imported(FOLDER / "eval.json")
    assert (got.tool, got.version) == ("promptfoo", "0.121.20")
    assert got.only["completeness"] == "incomplete"
    assert "1 of 6 tests ended in an error" in got.reasons
    echo, broken = (got.row("pass_rate", provider=p, prompt=n) for p, n in (("echo", "1"), ("broken", "2")))
    assert (echo["x"], echo["n"]) == (2, 3)
    assert (broken["x"], broken["n"]) == (2, 2), "the test that ended in an error is not counted"
    assert got.row("pass_rate", provider="echo", prompt="1", assertion="drug")["x"] == 0
    assert got.only["content"]["started_at"] == "2026-11-24T04:13:04Z"
    assert "names the tested model as" in got.only["content"]["tested_model_statement"]


def test_a_test_that_asserts_nothing_is_no_pass() -> None:
    got = imported(FOLDER / "no_assertion.json")
    assert "1 of 2 tests assert nothing" in got.reasons
    assert (got.row("pass_rate")["x"], got.row("pass_rate")["n"]) == (1, 1)


def test_an_xml_that_promptfoo_did_not_write_well_is_still_its_own() -> None:
    """Named scores become names of elements, whatever is in them."""
    page = b"<promptfoo>\n  <evalId>eval-1</evalId>\n  <Names the drug>1</Names the drug>\n</promptfoo>"
    assert tool_of(page) == "promptfoo"


def test_prompts_stay_in_the_restricted_original() -> None:
    got = imported(FOLDER / "eval.json")
    assert "5 mg" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"


def test_a_filtered_run_is_incomplete_although_the_file_does_not_say_so() -> None:
    assert "3 tests are configured and 1 were run" in imported(FOLDER / "filtered.json").reasons


def test_a_file_that_lost_tests_is_incomplete() -> None:
    got = imported(_with(results__results=EVAL["results"]["results"][:-1]))
    assert "counts 6 tests and holds 5" in got.reasons


def test_a_file_whose_counts_contradict_its_tests_is_incomplete() -> None:
    stats = EVAL["results"]["stats"] | {"successes": 5, "failures": 0}
    assert "its tests give another number" in imported(_with(results__stats=stats)).reasons


def test_lines_alone_do_not_say_how_many_there_should_be() -> None:
    whole = (FOLDER / "eval.jsonl").read_bytes()
    got = imported(whole)
    assert got.only["completeness"] == "incomplete"
    assert "how many there should be" in got.reasons
    assert "2 of 8 cases are missing" in imported(whole, cases=8).reasons
    assert "missing" not in imported(whole, cases=6).reasons
    assert "cut off" in imported(whole[:-40]).reasons


def test_a_red_team_run_counts_attacks_that_succeeded() -> None:
    got = imported(FOLDER / "redteam.json")
    assert (got.only["kind"], got.only["content"]["category"]) == ("safety-result", "adversarial")
    assert (got.row("attack_success_rate")["x"], got.row("attack_success_rate")["n"]) == (1, 2)
    assert got.row("attack_success_rate", plugin="pii:direct")["x"] == 1
    assert got.only["completeness"] == "complete"


def test_files_of_version_2_call_no_test_an_error_that_was_graded() -> None:
    graded = {"pass": False, "score": 0, "componentResults": []}
    common = {"provider": {"id": "openai:gpt-4"}, "vars": {}, "prompt": {"raw": "q", "label": "q"}}
    tests = [
        common | {"success": True, "gradingResult": graded | {"pass": True}},
        common | {"success": False, "gradingResult": graded, "error": "expected another answer"},
        common | {"success": False, "error": "429 Too Many Requests"},
    ]
    stats = {"successes": 1, "failures": 2}
    old = {"results": {"version": 2, "timestamp": "2024-05-01T10:00:00.000Z", "results": tests, "stats": stats}}
    got = imported(json.dumps(old).encode())
    assert (got.row("pass_rate")["x"], got.row("pass_rate")["n"]) == (1, 2)
    assert "1 of 3 tests ended in an error" in got.reasons
    assert got.version is None
    assert "Not stated in the file: its version" in got.summaries


def test_nothing_judged_is_no_evaluation() -> None:
    error = EVAL["results"]["results"][2] | {"failureReason": 2, "success": False}
    stats = {"successes": 0, "failures": 0, "errors": 1}
    got = imported(_with(results__results=[error], results__stats=stats))
    assert (got.only["kind"], got.only["completeness"]) == ("document", "incomplete")


def test_a_cut_file_is_kept_as_unreadable() -> None:
    assert imported((FOLDER / "eval.json").read_bytes()[:9000]).only["completeness"] == "unreadable"


@pytest.mark.parametrize(
    "page", [b"<promptfoo>\n<evalId>e</evalId></promptfoo>", b"evalId: e\nm:\n  promptfooVersion: 0"]
)
def test_pages_made_for_reading_ask_for_the_json(page: bytes) -> None:
    assert tool_of(page) == "promptfoo"
    with pytest.raises(NotSaidError, match="JSON"):
        imported(page)
