"""Keyed fingerprints of records and patients: which of them two datasets share, without showing one.

A fingerprint is HMAC-SHA256 (RFC 2104) under a secret that stays in the workspace, cut to 16 bytes: with a salt
that readers know, patient numbers could be guessed. Sets made under different secrets are never compared.

What is hashed: `record` or `patient`, a line feed, the column names as canonical JSON, a line feed, and every value
as a netstring (`3:F 1,`) in the order of the names; a missing value is `-`, an empty one `0:,`. Columns stand in
alphabetical order, so that their order in a file does not matter. A number is written in its shortest plain form, so
that `61`, `61.0` and `6.1e1` agree; text that is no number, such as `007`, is NFC without white space at its ends.

The file: a line with the format, one with the id of the secret, then per level a line `record 5512 ["age","sex"]`
and the fingerprints in hexadecimal, sorted, one a line.
"""

import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from hashlib import sha256
from typing import Literal

from compliance.core.canonical import canonical

FORMAT = "compliance-tracker fingerprints 1"
MEDIA_TYPE = "text/plain"
SIZE = 16

Level = Literal["record", "patient"]

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|(?=\.))(\.\d*)?([eE][+-]?\d{1,2})?")
_EXACT = Context(prec=10_000)
_HEADER = re.compile(r"(record|patient) (\d+) (\[.*\])")


@dataclass(frozen=True, slots=True)
class Prints:
    """The distinct fingerprints of one level, and of which columns they were made."""

    columns: tuple[str, ...]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What one dataset's fingerprint file holds."""

    secret_id: str
    levels: Mapping[Level, Prints]


@dataclass(frozen=True, slots=True)
class Shared:
    """How many are in both; or, where `count` is absent, why nobody can tell."""

    count: int | None
    reason: str | None = None


def secret_id(secret: bytes) -> str:
    """Return the name of a secret: the first 16 hex digits of its SHA-256."""
    return sha256(secret).hexdigest()[:16]


def plain(text: str) -> str:
    """Return the one spelling of a value: numbers in shortest plain form, other text trimmed and in NFC."""
    text = text.strip()
    if _NUMBER.fullmatch(text) and any(map(str.isdigit, text)):
        number = Decimal(text)
        return f"{_EXACT.normalize(number):f}" if number else "0"
    return unicodedata.normalize("NFC", text)


def netstring(text: str | None) -> bytes:
    """Return a value so that no two rows of values run together to the same bytes."""
    if text is None:
        return b"-"
    data = text.encode()
    return b"%d:%s," % (len(data), data)


def take(secret: bytes, level: Level, columns: Sequence[str], rows: Iterable[tuple[bytes, ...]]) -> Prints:
    """Fingerprint rows of netstrings, whose values stand in the order of `columns`: alphabetical."""
    if list(columns) != sorted(columns):
        raise ValueError("columns out of order")
    key = hmac.new(secret, b"%s\n%s\n" % (level.encode(), canonical(list(columns))), "sha256")
    return Prints(tuple(columns), frozenset(_each(key, rows)))


def _each(key: hmac.HMAC, rows: Iterable[tuple[bytes, ...]]) -> Iterable[str]:
    for row in rows:
        one = key.copy()
        one.update(b"".join(row))
        yield one.hexdigest()[: 2 * SIZE]


def write(found: Fingerprints) -> bytes:
    """Return the text of a fingerprint file."""
    lines = [FORMAT, f"secret {found.secret_id}"]
    for level, prints in found.levels.items():
        lines.append(f"{level} {len(prints.values)} {json.dumps(list(prints.columns), ensure_ascii=False)}")
        lines += sorted(prints.values)
    return ("\n".join(lines) + "\n").encode()


def read(data: bytes) -> Fingerprints:
    """Read a fingerprint file. Raises ValueError for anything that `write` does not write."""
    lines = data.decode().split("\n")
    if len(lines) < 3 or lines[0] != FORMAT or not lines[1].startswith("secret ") or lines[-1]:
        raise ValueError("is no fingerprint file of this format")
    levels: dict[Level, Prints] = {}
    at = 2
    while at < len(lines) - 1:
        header = _HEADER.fullmatch(lines[at])
        if header is None:
            raise ValueError(f"line {at + 1} is no header")
        level: Level = "record" if header[1] == "record" else "patient"
        count = int(header[2])
        values = frozenset(lines[at + 1 : at + 1 + count])
        if len(values) != count or any(len(value) != 2 * SIZE for value in values):
            raise ValueError(f"{level}: does not hold {count} different fingerprints")
        levels[level] = Prints(tuple(json.loads(header[3])), values)
        at += 1 + count
    return Fingerprints(lines[1].removeprefix("secret "), levels)


def shared(first: Fingerprints, second: Fingerprints, level: Level) -> Shared:
    """Count what two datasets share at one level; where that cannot be told, say why."""
    if first.secret_id != second.secret_id:
        return Shared(None, "not comparable: the fingerprints were made under different secrets")
    one, other = first.levels.get(level), second.levels.get(level)
    if one is None or other is None:
        return Shared(None, f"not comparable: no {level} fingerprints of {'either' if one is other else 'one of them'}")
    if level == "record" and one.columns != other.columns:
        return Shared(None, "not comparable: the columns differ")
    return Shared(len(one.values & other.values))


def encode(values: Sequence[str | None]) -> list[bytes]:
    """Return every value of a column as the netstring of its one spelling."""
    known = {value: netstring(None if value is None else plain(value)) for value in set(values)}
    return [known[value] for value in values]
