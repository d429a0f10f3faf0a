"""Tables: the same typed rows are the same rows in every format; what pandas makes of them changes nothing."""

import contextlib
import csv
import json
import random
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datasets import on_record

from compliance import InvalidInput, Workspace
from compliance.core.rows import encode
from compliance.services.prints import netstrings, take
from compliance.services.reading import read_table, sql
from compliance.services.reading.sql import Sql
from compliance.services.reading.table import Table, from_frame

SECRET = b"s" * 32
ROWS: list[dict[str, Any]] = [
    {
        "patient": f"p{i:03d}",
        "age": 40 + i,
        "kappa": None if i % 7 == 3 else i / 3,
        "dose": Decimal(i) / 4,
        "died": i % 3 == 0,
        "born": date(1950, 1, 1 + i % 28),
        "seen": datetime(2026, 1, 1 + i % 28, i % 24, 30, 5, 120_000, tzinfo=UTC),
        "note": None if i % 5 == 1 else ["Ärztin, \"ok\"", "line\nbreak", " spaces ", "007"][i % 4],
    }
    for i in range(40)
]  # fmt: skip


def arrow() -> pa.Table:
    return pa.Table.from_pylist(ROWS)


def digest(table: Table, patient: str | None = "patient") -> str:
    return take(table, SECRET, patient=patient).rows_sha256


def write_csv(path: Path) -> None:
    pd.DataFrame(ROWS).to_csv(path, index=False)


def write_stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, arrow().schema) as writer:
        writer.write_table(arrow())


def write_jsonl(path: Path) -> None:
    said = [{k: v if isinstance(v, int | float | str) or v is None else str(v) for k, v in row.items()} for row in ROWS]
    path.write_text("".join(json.dumps(row) + "\n" for row in said))


def write_reversed(path: Path) -> None:
    """Other order of rows and of columns."""
    pd.DataFrame(ROWS[::-1])[list(ROWS[0])[::-1]].to_csv(path, index=False)


WRITERS = {
    "rows.csv": write_csv,
    "european.csv": lambda path: pd.DataFrame(ROWS).to_csv(path, index=False, sep=";", decimal=","),
    "tabs.csv": lambda path: pd.DataFrame(ROWS).to_csv(path, index=False, sep="\t", encoding="utf-8-sig"),
    "bars.txt": lambda path: pd.DataFrame(ROWS).to_csv(path, index=False, sep="|", quoting=csv.QUOTE_ALL),
    "reversed.csv": write_reversed,
    "rows.parquet": lambda path: pa.parquet.write_table(arrow(), path),
    "rows.feather": lambda path: pa.feather.write_feather(arrow(), str(path)),
    "rows.arrow": write_stream,
    "rows.jsonl": write_jsonl,
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_have_the_same_digest_and_fingerprints_in_every_format(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    table = read_table(tmp_path / name)
    expected = take(Table("memory", "Arrow", arrow()), SECRET, patient="patient")
    assert take(table, SECRET, patient="patient") == expected
    assert table.rows == len(ROWS)


def test_the_program_in_the_documentation_computes_the_same_digest(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs/reference/digests.md"
    program = page.read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "rows.csv").write_text('sex,name,age\nF,"Ä, ""x""",61\nM,,7\nF,"Ä, ""x""",61\n')
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(read_table(tmp_path / "rows.csv"), None)


def test_one_changed_value_changes_the_digest() -> None:
    other = [dict(row) for row in ROWS]
    other[17]["kappa"] = 17 / 3 + 1e-15
    assert digest(Table("m", "Arrow", pa.Table.from_pylist(other))) != digest(Table("m", "Arrow", arrow()))


def test_rows_of_a_database_are_the_same_rows(tmp_path: Path, ws: Workspace) -> None:
    """There the digest over rows is the subject; the file of the same rows has it beside its own."""
    pd.DataFrame(ROWS).to_csv(tmp_path / "rows.csv", index=False)
    with sqlite3.connect(tmp_path / "clinic.db") as connection:
        connection.execute("CREATE TABLE visits (patient TEXT, age INTEGER, kappa REAL, dose NUMERIC, died BOOLEAN, "
                           "born DATE, seen TEXT, note TEXT)")  # fmt: skip
        for row in ROWS:
            values = [
                float(v) if isinstance(v, Decimal) else str(v) if isinstance(v, date) else v for v in row.values()
            ]
            connection.execute(f"INSERT INTO visits VALUES ({','.join('?' * len(row))})", values)
    source = Sql(f"sqlite:///{tmp_path}/clinic.db?timeout=5", table="visits")
    piece = on_record(ws, ws.log_dataset(source, name="visits", version="1", role="test", patient="patient"))
    csv = on_record(ws, ws.log_dataset(tmp_path / "rows.csv", name="file", version="1", role="test"))
    (subject,) = piece.subjects
    assert subject["annotations"]["basis"] == "table"
    assert subject["digest"]["sha256"] == piece.content["rows_sha256"] == csv.content["rows_sha256"]
    assert piece.content["source_reference"] == "sqlite:///clinic.db, table visits"
    assert str(tmp_path) not in json.dumps(piece.statement)


TEXTS = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.sampled_from(["True", "-0", "0.50", "1.", "P01", "2026-01-02 00:00", "007", "a\n", "-", "1e3", "e\u0301"]),
    st.floats().map(str),
)


@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_the_quick_way_to_spell_a_column_is_the_documented_one(values: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(values, pa.string())])
    assert [value.encode() for value in netstrings(column).to_pylist()] == encode(values)


# --- frames ----------------------------------------------------------------------------------------


def frames() -> dict[str, pd.DataFrame]:
    plain = pd.DataFrame(ROWS)
    berlin = plain.assign(seen=plain["seen"].dt.tz_convert("Europe/Berlin"))
    return {
        "plain": plain,
        "categories": plain.assign(note=plain["note"].astype("category"), died=plain["died"].astype("category")),
        "arrow-backed": plain.convert_dtypes(dtype_backend="pyarrow"),
        "nullable": plain.convert_dtypes(),
        "another zone": berlin,
        "objects": plain.astype(object),
        "a named index": plain.set_index("patient"),
    }


@pytest.mark.parametrize("name", frames())
def test_a_frame_is_its_rows_whatever_pandas_keeps_them_in(name: str) -> None:
    assert digest(from_frame(frames()[name], "the frame")) == digest(Table("m", "Arrow", arrow()))


def test_a_moment_before_whole_hours_were_agreed_on_keeps_its_seconds() -> None:
    """Berlin was 53 minutes and 28 seconds ahead, for which ISO 8601 has no offset."""
    moment = pa.array([datetime(1890, 1, 1, tzinfo=UTC)]).cast(pa.timestamp("us", "Europe/Berlin"))
    table = Table("m", "Arrow", pa.table({"x": moment}))
    assert encode(table.column("x", "test")) == [b"20:1890-01-01T00:00:00Z,"]


def test_values_of_several_types_in_one_column_are_kept_as_they_are_spelled() -> None:
    mixed = from_frame(pd.DataFrame({"x": [1, "a", 2.5, None, True, date(2026, 1, 2), [1, {"b": None}]]}), "f")
    assert mixed.text("x").to_pylist() == ["1", "a", "2.5", None, "true", "2026-01-02", '["1",{"b":null}]']


def test_a_time_of_day_is_the_same_in_a_frame_a_file_and_a_database(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": [time(7, 30), time(23, 59, 5, 120_000)]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("create table rows (at time)")
        connection.executemany("insert into rows values (?)", [[at.isoformat()] for at in frame["at"]])
    stored = sql.read(Sql(f"sqlite:///{tmp_path / 'rows.db'}", table="rows")).table
    assert stored is not None
    digests = {digest(table, None) for table in (from_frame(frame, "f"), read_table(tmp_path / "rows.csv"), stored)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DROP TABLE rows", "refused the query"),
        ("DELETE FROM rows", "refused the query"),
        ("SELECT name FROM rows WHERE name = 'SECRET' AND", "refused the query"),
        ("-- SECRET", "gives no rows"),
    ],
)
def test_a_query_that_reads_nothing_is_refused_and_writes_nothing(tmp_path: Path, query: str, told: str) -> None:
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE rows (name TEXT)")
        connection.execute("INSERT INTO rows VALUES (' :b')")
    with pytest.raises(InvalidInput, match=told) as refusal:
        sql.read(Sql(f"sqlite:///{tmp_path / 'rows.db'}", query=query))
    assert "SECRET" not in str(refusal.value)
    kept = sql.read(Sql(f"sqlite:///{tmp_path / 'rows.db'}", query="SELECT name FROM rows WHERE name = ' :b'")).table
    assert kept is not None
    assert kept.rows == 1


def test_a_database_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.db: there is no such file"):
        sql.read(Sql(f"sqlite:///{tmp_path / 'gone.db'}", table="rows"))
    assert not (tmp_path / "gone.db").exists()


def test_bands_of_ages_as_pandas_cuts_them_are_groups() -> None:
    bands = from_frame(pd.DataFrame({"band": pd.cut([20, 45, float("nan")], [0, 40, 80])}), "f")
    assert bands.text("band").to_pylist() == ["(0.0, 40.0]", "(40.0, 80.0]", None]


def test_numbers_beyond_64_bits_are_kept() -> None:
    assert from_frame(pd.DataFrame({"x": [10**30, 1]}), "f").text("x").to_pylist() == [str(10**30), "1"]


def test_nested_and_binary_columns_have_one_spelling(tmp_path: Path) -> None:
    table = Table("m", "Arrow", pa.table({"x": [[1, 2], None], "y": [{"b": 1, "a": "ü"}, None], "z": [b"\x00", None]}))
    said = [{"x": [1, 2.0], "y": {"b": 1, "a": "ü"}}, {"x": None}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    assert read_table(tmp_path / "rows.jsonl").text("x").to_pylist() == table.text("x").to_pylist()
    spelled = {name: table.text(name).to_pylist() for name in table.columns}
    assert spelled == {
        "x": ['["1","2"]', None],
        "y": ['{"a":"ü","b":"1"}', None],
        "z": ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", None],
    }


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"x": []}), "no rows"),
        (pd.DataFrame(), "no rows"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns called 'x'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "two columns called '1'"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([1], name="x")), "index of the frame is called x"),
        (pd.DataFrame({"x": pd.Series(["\ud800"], dtype=object)}), "half a character"),
    ],
)
def test_a_frame_that_is_no_table_is_refused(ws: Workspace, frame: pd.DataFrame, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        ws.log_dataset(frame, name="f", version="1", role="train")


def test_a_frame_is_logged_by_its_rows(ws: Workspace) -> None:
    piece = on_record(ws, ws.log_dataset(pd.DataFrame(ROWS), name="f", version="1", role="train", time="seen"))
    assert piece.subjects[0]["annotations"]["basis"] == "table"
    assert piece.content["period"] == {"start": "2026-01-01", "end": "2026-01-31"}
    types = {column["name"]: column["type"] for column in piece.content["columns"]}
    assert types == {"patient": "text", "age": "integer", "kappa": "number", "dose": "number", "died": "boolean",
                     "born": "date", "seen": "time", "note": "text"}  # fmt: skip


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("x.parquet", b"PAR1 and no more", "no whole Parquet file"),
        ("x.arrow", b"ARROW1\0\0 and no more", "no whole Arrow file"),
        ("x.feather", b"FEA1 and no more", "Feather of version 1"),
        ("x.parquet", b"a,b\n1,2\n", "not what its name says"),
        ("x.csv", b"\x1f\x8b\x08 packed", r"packed \(gzip\)"),
        ("x.jsonl", b'{"a": 1}\n{"a": SECRET\n', r"x\.jsonl:2: this line is no JSON"),
        ("x.jsonl", b'{"a": 1}\n[1]\n', "is no object"),
        ("x.jsonl", b'{"a": 1, "a": 2}\n', "gives a field twice"),
        ("x.jsonl", b"\n", "no rows"),
        ("x.json", b'[\n {"a": "SECRET"}]', "one JSON array"),
        ("x.json", b'{\n "a": "SECRET"}', r"x\.json:1: this line is no JSON"),
        ("x.xlsx", b"PK\x03\x04", "is a workbook"),
        ("x.db", b"SQLite format 3\0", "is a database"),
        ("x.csv", b",a\n0,SECRET\n", "column 1 has no name"),
        ("x.csv", b"SECRET;45;F\nx;50;F\n", "name of column 3 .* is a value"),
        ("x.csv", b"SECRET,1950-02-03\nx,1951-02-03\n", "name of column 2 .* is a value"),
        ("x.csv", b"SECRET,36.6,45,1.5\nx,38.1,50,2\n", "name of column 2 .* is a value"),
    ],
)
def test_a_damaged_file_is_named_and_no_value_of_it_repeated(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput, match=told) as refusal:
        read_table(tmp_path / name)
    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.feather"])
def test_no_broken_copy_of_a_file_brings_anything_but_a_refusal(tmp_path: Path, name: str) -> None:
    """Arrow takes the offsets in a file as they are; one beyond the data reads other memory, or ends the process."""
    WRITERS[name](tmp_path / name)
    whole, drawn = (tmp_path / name).read_bytes(), random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(drawn.randint(1, 4)):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        (tmp_path / name).write_bytes(data)
        with contextlib.suppress(InvalidInput):
            digest(read_table(tmp_path / name), None)


@pytest.mark.parametrize("header", ["id,0,1,2", "id,1100.5,1101,1101.5", "id,7157,672,1956", "id,1x1,2x1,F"])
def test_names_that_are_numbers_of_columns_or_an_axis_are_names(tmp_path: Path, header: str) -> None:
    (tmp_path / "x.csv").write_text(f"{header}\na,0,1,M\nb,2,0,M\n")
    assert read_table(tmp_path / "x.csv").columns == header.split(",")


def test_a_frame_whose_names_are_its_first_row_is_refused() -> None:
    frame = pd.DataFrame({"Jane Doe": ["Bo", "Cy"], "F": ["M", "F"]})
    with pytest.raises(InvalidInput, match="name of column 2 of the frame is a value"):
        from_frame(frame, "the frame")


def test_a_long_text_is_one_cell(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,note\n1," + "x" * 200_000 + "\n")
    assert read_table(tmp_path / "x.csv").rows == 1
