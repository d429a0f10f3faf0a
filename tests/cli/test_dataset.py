"""Datasets on the command line: proposed expectations, a database, and leakage told at once."""

import json
import sqlite3
from pathlib import Path

import pytest

from .conftest import Compliance


@pytest.fixture
def here(workspace: Path) -> Path:
    """A workspace of our own, with two tables and a database that share ten patients."""
    root = workspace
    with sqlite3.connect(root / "clinic.db") as connection:
        connection.execute("CREATE TABLE visits (mrn TEXT, age INTEGER, sex TEXT)")
        for name, first, last in (("train", 0, 100), ("test", 90, 150)):
            lines = [(f"p{i}", 40 + i % 30, "FM"[i % 2]) for i in range(first, last)]
            (root / f"{name}.csv").write_text("mrn,age,sex\n" + "".join(f"{m},{a},{s}\n" for m, a, s in lines))
            if name == "train":
                connection.executemany("INSERT INTO visits VALUES (?, ?, ?)", lines)
    return root


def test_a_proposed_suite_is_written_once_and_never_over(compliance: Compliance, here: Path) -> None:
    asked = ("dataset", "propose", "train.csv", "-o", "suite.json", "--patient", "mrn")
    first = compliance(*asked, cwd=here)
    assert (first.code, first.out) == (0, "")
    assert json.loads((here / "suite.json").read_text())["expectations"]
    assert "p17" not in (here / "suite.json").read_text()
    again = compliance(*asked, cwd=here)
    assert (again.code, "is there already" in again.err) == (2, True)
    assert compliance("dataset", "propose", "model.bin", "-o", "x.json", cwd=here).code == 2


def test_a_table_of_a_database_shares_patients_with_a_file_and_it_is_said_at_once(
    compliance: Compliance, here: Path
) -> None:
    about = ("--version", "1", "--patient", "mrn", "--group", "sex")
    held_out = compliance("log", "dataset", "test.csv", "--name", "held-out", "--role", "test", *about, cwd=here)
    assert (held_out.code, held_out.out) == (0, "EV-000005  dataset  held-out@1\n")
    database = ("--sql", "sqlite:///clinic.db", "--table", "visits")
    told = compliance("log", "dataset", *database, "--name", "visits", "--role", "train", *about, cwd=here)
    assert (told.code, told.out.count("held-out@1")) == (0, 1)
    assert "10 shared between development and test" in told.err
    compared = compliance("dataset", "compare", "visits", "held-out", "--json", cwd=here)
    assert (compared.code, compared.json["shared_patients"]) == (1, 10)
    assert "Near-duplicates" in compliance("dataset", "compare", "visits", "held-out", cwd=here).out


@pytest.mark.parametrize(
    "given", [(), ("test.csv", "--sql", "sqlite:///clinic.db"), ("test.csv", "--table", "visits"),
              ("--sql", "sqlite:///clinic.db"), ("--sql", "sqlite:///clinic.db", "--table", "nothing")]
)  # fmt: skip
def test_what_to_read_is_said_once(compliance: Compliance, here: Path, given: tuple[str, ...]) -> None:
    refused = compliance("log", "dataset", *given, "--name", "a", "--version", "1", "--role", "test", cwd=here)
    assert refused.code == 2
    assert "Traceback" not in refused.err
