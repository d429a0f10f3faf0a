"""OpenAI evals: no final report is no end; a limit, an error and a lost event are never a pass."""

import json

from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "openai_evals"
RUN = [json.loads(line) for line in (FOLDER / "run.jsonl").read_text().splitlines()]


def _lines(entries: list[dict]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def test_accuracy_is_counted_again_from_the_matches() -> None:
    got = imported(FOLDER / "run.jsonl")
    assert (got.tool, got.version) == ("OpenAI evals", None)
    assert (got.row("accuracy")["x"], got.row("accuracy")["n"]) == (0, 3)
    assert got.only["completeness"] == "complete"
    content = got.only["content"]
    assert (content["benchmark"]["name"], content["seed"]) == ("test-match", "20220722")
    assert content["started_at"].startswith("2026-11-24T04:2")
    assert "names the tested model as dummy" in content["tested_model_statement"]


def test_without_final_report_the_run_did_not_end() -> None:
    got = imported(_lines([entry for entry in RUN if "final_report" not in entry]))
    assert got.only["completeness"] == "incomplete"
    assert "no final report" in got.reasons


def test_a_limit_is_no_whole_run() -> None:
    assert "limited to 2 samples" in imported(FOLDER / "limited.jsonl").reasons


def test_lost_events_and_errors_are_gaps() -> None:
    assert "Events are missing" in imported(_lines([*RUN[:3], RUN[4]])).reasons
    broken = [*RUN[:4], RUN[4] | {"type": "error", "data": {"type": "RuntimeError", "message": "down"}}]
    assert "1 samples ended in an error" in imported(_lines(broken)).reasons


def test_a_report_that_its_matches_contradict_is_a_gap() -> None:
    changed = [RUN[0], {"final_report": {"accuracy": 1.0}, "run_id": "r"}, *RUN[2:]]
    got = imported(_lines(changed))
    assert "states an accuracy of 1.0, but 0 of 3 match" in got.reasons
    assert got.row("accuracy")["x"] == 0


def test_other_figures_are_taken_as_the_report_states_them() -> None:
    got = imported(FOLDER / "fuzzy.jsonl")
    assert got.row("f1")["value"] == "0.0"
    nan = [RUN[0], {"final_report": {"f1_score": float("nan")}, "run_id": "r"}]
    assert imported(_lines(nan)).only["completeness"] == "incomplete"


def test_answers_are_withheld() -> None:
    got = imported(FOLDER / "run.jsonl")
    assert "Washington" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"


def test_a_cut_file_is_incomplete_and_other_lines_are_left_alone() -> None:
    assert "cut off" in imported((FOLDER / "run.jsonl").read_bytes()[:-50]).reasons
    assert tool_of(b'{"spec": {"a": 1}}\n') is None
