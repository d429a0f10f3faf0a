"""Suites of expectations: checked before anything runs, proposed from data, run where the data are."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import datasets as support
from support import postgres

from compliance import InvalidInput, Workspace
from compliance.errors import Unavailable
from compliance.services import expectations, suites
from compliance.services.reading.sql import Sql
from compliance.services.reading.table import from_frame

SECRETS = ["MRN-77341-SECRET", "97531.25", "Zaphod Beeblebrox"]
FRAME = pd.DataFrame(
    {
        "patient": [f"p{i:04d}" for i in range(200)] + [SECRETS[0]],
        "age": [None if i % 20 == 3 else 40.0 + i % 40 for i in range(200)] + [97531.25],
        "sex": ["FM"[i % 2] for i in range(200)] + ["F"],
        "note": ["ok"] * 200 + [SECRETS[2]],
        "died": [int(i % 4 == 0) for i in range(201)],
    }
)
"""One row that must leak nowhere."""
SUITE: dict[str, Any] = {
    "name": "cohort",
    "expectations": [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 0, "max_value": 120},
         "meta": {"requirements": ["eu-ai-act/art-10.3.quality"]}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "sex", "value_set": ["F", "M"]}},
        {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "note", "value_set": ["ok"]}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "height"}},
        {"type": "expect_column_values_to_be_between",
         "kwargs": {"column": "age", "min_value": 0, "max_value": 120, "row_condition": 'col("sex") == "M"',
                    "condition_parser": "great_expectations"}},
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 201}},
    ],
}  # fmt: skip
OUTCOMES = [False, True, False, None, True, True]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in support.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return support.workspace(tmp_path / "ws")


def suite(**kwargs: Any) -> bytes:
    type_ = kwargs.pop("type", "expect_column_values_to_not_be_null")
    meta = kwargs.pop("meta", {})
    return json.dumps({"name": "s", "expectations": [{"type": type_, "kwargs": kwargs, "meta": meta}]}).encode()


# --- what is refused -------------------------------------------------------------------------------

CODE = "age > 3 and @__import__('os').system('touch /tmp/ran')"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (suite(column="x", row_condition=CODE, condition_parser="pandas"), "evaluated as code"),
        (suite(column="x", row_condition=CODE, condition_parser="spark"), "evaluated as code"),
        (suite(column="x", row_condition=CODE), "evaluated as code"),
        (suite(column="x", row_condition={"type": "pass_through", "pass_through_filter": CODE}), "evaluated as code"),
        (suite(column="x", row_condition={"type": "and", "conditions": [
            {"type": "pass_through", "pass_through_filter": CODE}]}), "evaluated as code"),
        (suite(column="x", row_condition={"pass_through_filter": CODE}), "evaluated as code"),
        (suite(column="x", row_condition={"type": "nullity", "column": {"name": "a` or @x"}}), "has a `"),
        (suite(column="x", row_condition='col("a`b") == 1', condition_parser="great_expectations"), "has a `"),
        (suite(type="unexpected_rows_expectation", unexpected_rows_query="DELETE FROM t"), "unexpected_rows_query"),
        (suite(column="x", meta={"requirements": ["eu-ai-act/art-10.33"]}), "expectation 1: .*art-10.33"),
    ],
)  # fmt: skip
def test_a_suite_brings_no_code_and_names_no_requirement_that_there_is_not(data: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        suites.read_suite(data, "s.json")


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "comparison", "column": {"name": "sex"}, "operator": "==", "parameter": "M"},
        {"type": "and", "conditions": [
            {"type": "comparison", "column": {"name": "sex"}, "operator": "IN", "parameter": ["M", "'; @x"]},
            {"type": "nullity", "column": {"name": "age"}, "is_null": False}]},
    ],
)  # fmt: skip
def test_a_condition_in_great_expectations_own_words_is_taken(condition: dict[str, Any]) -> None:
    asked = suites.read_suite(suite(type="expect_column_values_to_be_between", column="age", min_value=0,
                                    max_value=120, row_condition=condition), "s.json")  # fmt: skip
    run = expectations.validate(None, from_frame(FRAME, "f"), asked, "s.json", "pandas")
    (told,) = run["expectations"]
    assert (told["success"], told["elements"]) == (True, 90 if condition["type"] == "and" else 100)


# --- proposing -------------------------------------------------------------------------------------


def test_a_proposed_suite_holds_for_the_data_it_was_made_from_and_says_why() -> None:
    table = from_frame(FRAME, "f")
    proposed = suites.propose(table, "starter", patient="patient")
    asked = suites.read_suite(json.dumps(proposed).encode(), "starter.json")
    run = expectations.validate(None, table, asked, "starter.json", "pandas")
    assert (run["success"], run["not_evaluated"]) == (True, 0)
    by_column = {(one["kwargs"].get("column"), one["type"]): one["kwargs"] for one in proposed["expectations"]}
    assert by_column["died", "expect_column_values_to_be_in_set"]["value_set"] == [0, 1]
    assert by_column["age", "expect_column_values_to_not_be_null"]["mostly"] == 0.95
    ages = by_column["age", "expect_column_values_to_be_between"]
    assert (ages["min_value"], ages["max_value"], ages["mostly"]) == (20, 100, 0.99)
    assert ("note", "expect_column_values_to_be_in_set") not in by_column
    assert all(one["meta"]["reason"] and one["meta"]["requirements"] for one in proposed["expectations"])


def test_a_proposed_suite_repeats_nobodys_value() -> None:
    text = json.dumps(suites.propose(from_frame(FRAME, "f"), "starter", patient="patient"))
    assert not [value for value in (*SECRETS, "p0001") if value in text]


# --- where the data are ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if not postgres.INSTALLED:
        pytest.skip("PostgreSQL's server (initdb, pg_ctl) is not installed on this machine")
    with postgres.server() as where:
        yield where


def test_a_table_in_postgresql_is_validated_there_and_logged_by_its_rows(ws: Workspace, server: str) -> None:
    import sqlalchemy as sa

    (ws.root / "suite.json").write_text(json.dumps(SUITE))
    url = f"postgresql://test:hunter2-SECRET@/postgres?{server.removesuffix('&user=test')}"
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA clinic"))
        FRAME.to_sql("visits", connection, schema="clinic", index=False)
    source = Sql(url, table="clinic.visits")
    given: dict[str, Any] = {"role": "train", "patient": "patient", "suite": ws.root / "suite.json"}
    piece = support.on_record(ws, ws.log_dataset(source, name="visits", version="1", **given))
    (run,) = piece.content["quality"]
    assert [one.get("success") for one in run["expectations"]] == OUTCOMES
    assert run["expectations"][0]["requirements"] == ["eu-ai-act/art-10.3.quality"]
    assert piece.content["source_reference"] == "postgresql+psycopg:///postgres, table clinic.visits"
    with engine.connect() as connection:
        tables = connection.execute(sa.text("SELECT count(*) FROM pg_tables WHERE schemaname IN ('public','clinic')"))
        assert tables.scalar() == 1  # nothing was written there

    frame = support.on_record(ws, ws.log_dataset(FRAME, name="frame", version="1", role="train"))
    assert frame.content["rows_sha256"] == piece.subjects[0]["digest"]["sha256"]

    asked = Sql(url, query="SELECT age, sex FROM clinic.visits WHERE patient <> 'MRN-77341-SECRET'")
    piece = support.on_record(ws, ws.log_dataset(asked, name="q", version="1", role="train"))
    assert (piece.content["rows"], [a["classification"] for a in piece.predicate["attachments"]]) == (
        200,
        ["restricted", "restricted"],
    )
    kept = b"".join(p.read_bytes() for p in (ws.root / ".compliance").rglob("ledger.db*"))
    assert not [value for value in (*SECRETS, "hunter2") if value.encode() in kept]
    with pytest.raises(InvalidInput, match="refused the query"):
        ws.log_dataset(Sql(url, query="DELETE FROM clinic.visits"), name="d", version="1", role="train")
    with pytest.raises(InvalidInput, match=r"no table clinic\.nothing"):
        ws.log_dataset(Sql(url, table="clinic.nothing"), name="d", version="1", role="train")
    engine.dispose()


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        (("nothing at all", "t"), InvalidInput, "URL is none"),
        (("oracool://h/d", "t"), InvalidInput, "no such database"),
        (("postgresql://me:SECRET@127.0.0.1:9/d", "t"), Unavailable, "could not be read"),
    ],
)
def test_a_database_out_of_reach_is_named_without_its_password(
    ws: Workspace, source: tuple[str, str], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told) as refusal:
        ws.log_dataset(Sql(*source), name="d", version="1", role="train")
    assert "SECRET" not in str(refusal.value)


def test_a_table_and_a_query_at_once_are_refused() -> None:
    with pytest.raises(InvalidInput, match="either a table or a query"):
        Sql("sqlite://", table="t", query="SELECT 1")


SPARK = """
import json, sys
from pathlib import Path
from compliance.services import expectations
from compliance.services.reading import read_table
from compliance.services.suites import read_suite
data, suite = map(Path, sys.argv[1:])
table = read_table(data)
run = expectations.validate(data, table, read_suite(suite.read_bytes(), suite.name), suite.name, "spark")
print("RUN " + json.dumps(run))
"""


def test_spark_validates_parquet_and_tells_counts_only(tmp_path: Path) -> None:
    """In a process of its own: Spark's session would outlive the test."""
    found = os.pathsep.join(filter(None, [str(Path(sys.prefix, "spark")), os.environ.get("PYTHONPATH")]))
    local = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "PYTHONPATH": found}
    probe = [sys.executable, "-c", "import pyspark"]
    if subprocess.run(probe, capture_output=True, check=False, env=local).returncode:
        pytest.skip("pyspark is not installed (make .venv/spark)")
    java = shutil.which("java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    if 'version "17' not in said:
        pytest.skip("Spark needs Java 17, which is not installed on this machine")
    FRAME.to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    (tmp_path / "script.py").write_text(SPARK)  # pyspark takes a `python -c` for one of its own doctests and leaves
    command = [sys.executable, *(str(tmp_path / name) for name in ("script.py", "rows.parquet", "suite.json"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=local)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RUN ")]
    assert lines, done.stderr[-2_000:]
    run = json.loads(lines[0].removeprefix("RUN "))
    assert [one.get("success") for one in run["expectations"]] == OUTCOMES
    assert not [value for value in SECRETS if value in json.dumps(run)]


def test_without_spark_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(Unavailable, match="Spark is not installed") as refusal:
        expectations.validate(tmp_path, from_frame(FRAME, "f"), SUITE, "s", "spark")
    assert "compliance-tracker[spark]" in refusal.value.remedy
