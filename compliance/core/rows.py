"""Rows as bytes: one spelling for each value, and one digest for all rows of a table.

Two tables that hold the same values have the same digest, wherever they are kept: a CSV file, a Parquet file and a
SQL table agree. What that takes is written for others to compute again in docs/reference/digests.md; it says that
rows hold the same values, not that columns have the same types: the text `61.0` and the number 61 are one value.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from hashlib import sha256

from compliance.core.canonical import canonical

ROW_FORMAT = b"compliance-tracker rows 1\n"
SIZE = 32
"""Bytes of one row's digest."""

_PLAIN = re.compile(r"-?(?!0$)(0|[1-9]\d*)(\.\d*[1-9])?|0")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|(?=\.))(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_CLOCK = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?", re.ASCII)
_EXACT = Context(prec=10_000)
_TRUTH = frozenset({"true", "false"})


def plain(text: str) -> str:
    """Return the one spelling of a value: numbers, truth values, moments, times in theirs; other text trimmed, in NFC.

    `6.1e1` is `61`, `True` is `true`, `2026-01-02 05:00+02:00` is `2026-01-02T03:00:00Z`; a moment without a zone
    at midnight is its date, as most tools write it. `007` is text.
    """
    text = text.strip()
    if _PLAIN.fullmatch(text) and text.isascii():
        return text
    if _NUMBER.fullmatch(text) and any(map(str.isdigit, text)):
        number = Decimal(text)
        return f"{_EXACT.normalize(number):f}" if number else "0"
    if text.lower() in _TRUTH:
        return text.lower()
    if moment := _MOMENT.fullmatch(text):
        return _moment(*moment.groups()) or text
    if clock := _CLOCK.fullmatch(text):
        minute, second, fraction = clock.groups()
        return f"{minute}:{second or '00'}" + _fraction(fraction)
    return unicodedata.normalize("NFC", text)


def _moment(day: str, minute: str, second: str | None, fraction: str | None, zone: str | None) -> str | None:
    """Spell a moment in UTC where it has a zone; None where the calendar or the clock knows no such moment."""
    try:
        at = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}{zone or ''}")
        if zone:
            at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    parts = _fraction(fraction)
    if not zone and not parts and minute == "00:00" and second in (None, "00"):
        return day
    return f"{at:%Y-%m-%dT%H:%M:%S}{parts}" + ("Z" if zone else "")


def _fraction(digits: str | None) -> str:
    kept = (digits or "").rstrip("0")
    return f".{kept}" if kept else ""


def netstring(text: str | None) -> bytes:
    """Return a value so that no two rows of values run together to the same bytes."""
    if text is None:
        return b"-"
    data = text.encode()
    return b"%d:%s," % (len(data), data)


def encode(values: Sequence[str | None]) -> list[bytes]:
    """Return every value of a column as the netstring of its one spelling."""
    known = {value: netstring(None if value is None else plain(value)) for value in set(values)}
    return [known[value] for value in values]


def table_digest(columns: Sequence[str], rows: bytearray) -> str:
    """Return the digest of a table from the SHA-256 of each row, one after another in `rows`, which is sorted here.

    Sorted, because a SQL table has no order; equal rows count as often as they stand there.
    """
    import numpy as np

    np.frombuffer(rows, dtype=f"S{SIZE}").sort()
    whole = sha256(ROW_FORMAT + canonical(sorted(columns)) + b"\n")
    whole.update(rows)
    return whole.hexdigest()
