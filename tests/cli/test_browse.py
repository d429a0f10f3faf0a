"""What `show` makes of a record's content: facts, and lists as tables that fit."""

import pytest

from compliance.cli import browse

COLUMN = {"name": "age", "type": "number", "missing": 0, "distribution": {"mean": "64.2"}, "by_group": [{"n": 9}] * 5}
CONTENT = {
    "role": "test",
    "columns": [COLUMN, {"name": "sex", "type": "text", "missing": 3}],
    "quality": [{"suite": "s", "expectations": [{"expectation": "unique", "column": "id", "success": True}] * 50}],
    "sites": [],
}


def test_lists_become_tables_and_a_list_of_one_is_no_list() -> None:
    facts, lists = browse.arranged(CONTENT)
    assert facts == [("role", "test"), ("quality.suite", "s")]
    assert [(path, len(rows)) for path, rows in lists] == [("columns", 2), ("quality.expectations", 50)]


def test_a_table_fits_the_terminal_and_says_what_it_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, [(_, columns), (_, expectations)] = browse.arranged(CONTENT)
    monkeypatch.setenv("COLUMNS", "80")
    assert not browse._list("columns", columns)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "columns: 2",
        "name  type    missing  distribution.mean  by_group",
        "age   number  0        64.2               5 rows",
        "sex   text    3",
    ]
    monkeypatch.setenv("COLUMNS", "24")
    assert browse._list("columns", columns)
    assert capsys.readouterr().out.splitlines()[2] == "name  type    missing"
    assert browse._list("quality.expectations", expectations)
    assert len(capsys.readouterr().out.splitlines()) == 3 + browse.MOST_ROWS
