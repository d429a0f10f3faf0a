"""Rows as bytes: one spelling a value, one digest a table, recomputed here with the standard library alone."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.rows import encode, netstring, plain, table_digest


@pytest.mark.parametrize("text", ["61", "61.0", "6.1e1", "+61", " 61 ", "61.", "0061e0"[2:]])
def test_a_number_has_one_spelling(text: str) -> None:
    assert plain(text) == "61"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("007", "007"), ("-0.0", "0"), ("-0", "0"), (".50", "0.5"), ("-1.10", "-1.1"), ("1e4000", "1e4000"),
     ("1.2.3", "1.2.3"), (".", "."), ("e\u0301", "\u00e9"), ("", ""), ("1e20", "1" + "0" * 20), ("\u0661", "\u0661"),
     ("1\u0661", "1\u0661"), ("07:30", "07:30:00"), ("07:30:05.100000", "07:30:05.1"), ("27:30", "27:30"),
     ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
     ("True", "true"), ("FALSE", "false"), ("truer", "truer"),
     ("2026-01-02", "2026-01-02"), ("2026-01-02 00:00:00", "2026-01-02"), ("2026-01-02T00:00", "2026-01-02"),
     ("2026-01-02 03:04:05.120000", "2026-01-02T03:04:05.12"), ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z"),
     ("2026-01-02 00:00:00+0000", "2026-01-02T00:00:00Z"), ("2026-01-02 00:00:00.5", "2026-01-02T00:00:00.5"),
     ("2026-01-02 03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
     ("2026-02-30 03:04", "2026-02-30 03:04"), ("0001-01-01T00:00+14:00", "0001-01-01T00:00+14:00")],
)  # fmt: skip
def test_one_value_has_one_spelling_and_no_digit_is_lost(text: str, spelled: str) -> None:
    assert plain(text) == spelled


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.decimals(-(10**30), 10**30)))
def test_every_number_keeps_its_value_and_is_spelled_once(number: float | int | Decimal) -> None:
    text = plain(str(number))
    assert Decimal(text) == Decimal(str(number))
    assert plain(text) == text
    assert "e" not in text.lower()


@given(st.datetimes(), st.integers(-14, 14))
def test_one_moment_is_one_moment_in_every_zone(moment: datetime, hours: int) -> None:
    if not 2 <= moment.year <= 9998:
        return
    there = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert plain(there.isoformat()) == plain(moment.replace(tzinfo=UTC).isoformat())


def test_a_table_has_the_digest_that_its_documentation_tells_how_to_compute() -> None:
    """The words of docs/reference/digests.md, in another program."""
    rows = [{"sex": "F", "age": "61"}, {"sex": None, "age": "7"}, {"sex": "F", "age": "61"}]

    def row(cells: dict[str, str | None]) -> bytes:
        values = (cells[name] for name in sorted(cells))
        return b"".join(b"-" if v is None else f"{len(v.encode())}:{v},".encode() for v in values)

    head = b"compliance-tracker rows 1\n" + json.dumps(["age", "sex"], separators=(",", ":")).encode() + b"\n"
    expected = sha256(head + b"".join(sorted(sha256(row(one)).digest() for one in rows))).hexdigest()
    columns = [encode(["61", "7", "61"]), encode(["F", None, "F"])]
    hashes = bytearray(b"".join(sha256(b"".join(cells)).digest() for cells in zip(*columns, strict=True)))
    assert table_digest(["sex", "age"], hashes) == expected


@given(st.permutations([netstring(str(i % 3)) for i in range(6)]))
def test_order_does_not_matter_and_repetition_does(rows: list[bytes]) -> None:
    def of(some: list[bytes]) -> str:
        return table_digest(["x"], bytearray(b"".join(sha256(row).digest() for row in some)))

    assert of(rows) == of(sorted(rows))
    assert of(rows[1:]) != of(rows)
