"""What is printed cannot address the terminal, fits it, and is plain in a pipe."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.cli import output
from compliance.storage import keys

HOSTILE = "safe\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 a\x9b31m b\u200b c\ufeff d\r e\x00"


def test_escapes_and_direction_marks_are_spelled_out() -> None:
    shown = output.clean(HOSTILE)
    assert shown.startswith(r"safe\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 a\x9b31m")
    assert all(unicodedata.category(c) not in ("Cc", "Cf") for c in shown)


@given(st.text(st.characters(blacklist_categories=())))
def test_nothing_that_moves_a_cursor_survives(text: str) -> None:
    shown = output.clean(text)
    assert not [
        c
        for c in shown
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and c not in "\n\t\u200c\u200d"
    ]
    assert "\n" not in output.line(text)


@pytest.mark.parametrize("text", ["Müller", "検証", "β-lactam ≥ 0.9", "می\u200cخواهم"])
def test_other_languages_are_left_alone(text: str) -> None:
    assert output.clean(text) == text


def test_json_results_are_ascii_and_lossless(capsys: pytest.CaptureFixture[str]) -> None:
    output.result({"title": HOSTILE})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed) == {"title": HOSTILE}


def test_a_table_in_a_pipe_is_aligned_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("a", "title"), [("EV-000001", "x" * 200), ("2", "[red]no markup[/red]\x1b[0m")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a          title"
    assert lines[1] == "EV-000001  " + "x" * 200
    assert lines[2] == r"2          [red]no markup[/red]\x1b[0m"


def on_terminal(code: str, **environment: str) -> str:
    """Run code whose stdout is an 80-column terminal; return what the terminal got."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm-256color", **environment},
    )
    os.close(follower)
    chunks = []
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # how Linux says that the other side of a terminal closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    process.wait(timeout=30)
    os.close(leader)
    return b"".join(chunks).decode()


TABLE = """
from compliance.cli import output
output.table(("requirement", "finding", "reason"),
             [("eu-ai-act/art-15.1", "failed", "word " * 40), ("x", "met", "[bold]plain[/bold]\\x1b[2J")])
output.heading("Next")
output.fields({"about": "word " * 40})
"""


def test_a_table_on_a_terminal_fits_and_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = on_terminal(TABLE)
    assert "\x1b[1;31mfailed" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 80
    assert "[bold]plain[/bold]" in plain
    assert "\x1b[2J" not in shown


def test_a_long_name_takes_no_column_from_a_table() -> None:
    code = "from compliance.cli import output\noutput.table(('what', 'as'), [('train.py@' + 'f' * 80, 'code')])"
    assert "code" in on_terminal(code)


def test_no_color_is_honoured() -> None:
    shown = on_terminal(TABLE, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_question_stops_the_bar_that_would_write_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    before: list[str] = []

    def asked(prompt: str) -> str:
        before.append(shown.getvalue())
        return "typed"

    monkeypatch.setattr(keys, "prompt", asked)
    with output.progress("Importing"):
        assert keys.prompt("Pass phrase: ") == "typed"
    assert keys.prompt is asked
    assert "Importing" in before[0]
    assert "\x1b[?25h" in before[0], "the bar has given the cursor back"
