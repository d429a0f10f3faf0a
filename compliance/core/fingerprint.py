"""Keyed fingerprints of records and patients: which of them two datasets share, without showing one.

A fingerprint is HMAC-SHA256 (RFC 2104) under a secret that stays in the workspace, cut to 16 bytes: with a salt
that readers know, patient numbers could be guessed. Sets made under different secrets are never compared.

What is hashed: `record` or `patient`, a line feed, the column names as canonical JSON, a line feed, and every value
as a netstring (`3:F 1,`) in the order of the names, in its one spelling (`core.rows`); a missing value is `-`, an
empty one `0:,`. Columns stand in alphabetical order, so that their order in a file does not matter. A patient number of
digits has no leading zeros, which many a tool loses.

The file: a line with the format, one with the id of the secret, then per level a line `record 5512 ["age","sex"]`
and the fingerprints in hexadecimal, sorted, one a line.
"""

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from compliance.core.canonical import canonical

FORMAT = "compliance-tracker fingerprints 3"
"""1 spelled moments and truth values as their file did, 2 told the patient 007 from 7."""
MEDIA_TYPE = "text/plain"
SIZE = 16

Level = Literal["record", "patient"]

_HEADER = re.compile(r"(record|patient) (\d+) (\[.*\])")
_LINE = 2 * SIZE + 1
_PART = SIZE << 16


@dataclass(frozen=True, slots=True)
class Prints:
    """The distinct fingerprints of one level, and of which columns they were made."""

    columns: tuple[str, ...]
    packed: bytes
    """Sorted, one after another: five million of them in 80 MB."""

    def __len__(self) -> int:
        return len(self.packed) // SIZE


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


def take(secret: bytes, level: Level, columns: Sequence[str], rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the fingerprint of every row of netstrings, which stand in the order of `columns`: alphabetical."""
    if list(columns) != sorted(columns):
        raise ValueError("columns out of order")
    head = b"%s\n%s\n" % (level.encode(), canonical(list(columns)))
    for row in rows:
        yield hmac.digest(secret, head + row, "sha256")[:SIZE]


def packed(columns: Sequence[str], found: bytes | bytearray) -> Prints:
    """Return fingerprints that stand one after another as a sorted set."""
    import numpy as np

    ordered = np.sort(np.frombuffer(found, dtype=f"S{SIZE}"))
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return Prints(tuple(columns), ordered[first].tobytes())


def write(found: Fingerprints) -> bytes:
    """Return the text of a fingerprint file."""
    told = [f"{FORMAT}\nsecret {found.secret_id}\n".encode()]
    for level, prints in found.levels.items():
        told.append(f"{level} {len(prints)} {json.dumps(list(prints.columns), ensure_ascii=False)}\n".encode())
        told += _lines(prints.packed)
    return b"".join(told)


def _lines(packed: bytes) -> Iterator[bytes]:
    """Yield fingerprints in hexadecimal, one a line, many lines at a time."""
    for at in range(0, len(packed), _PART):
        yield packed[at : at + _PART].hex("\n", SIZE).encode() + b"\n"


def read(data: bytes) -> Fingerprints:
    """Read a fingerprint file. Raises ValueError for anything that `write` does not write."""
    first, secret, *_ = [*data[:200].split(b"\n"), b"", b""]
    if first.decode(errors="replace") != FORMAT or not secret.startswith(b"secret "):
        raise ValueError("is no fingerprint file of this format")
    levels: dict[Level, Prints] = {}
    at = len(first) + len(secret) + 2
    while at < len(data):
        end = data.find(b"\n", at)
        header = _HEADER.fullmatch(data[at:end].decode()) if end > 0 else None
        if header is None:
            raise ValueError(f"byte {at} begins no header")
        level: Level = "record" if header[1] == "record" else "patient"
        at = end + 1 + int(header[2]) * _LINE
        levels[level] = _read(level, tuple(json.loads(header[3])), data[end + 1 : at], int(header[2]))
    return Fingerprints(secret.decode().removeprefix("secret "), levels)


def _read(level: Level, columns: tuple[str, ...], lines: bytes, count: int) -> Prints:
    values = bytes.fromhex(lines.decode())
    prints = packed(columns, values)
    if prints.packed != values or len(prints) != count or lines != b"".join(_lines(values)):
        raise ValueError(f"{level}: does not hold {count} different fingerprints in order")
    return prints


def shared(first: Fingerprints, second: Fingerprints, level: Level) -> Shared:
    """Count what two datasets share at one level; where that cannot be told, say why."""
    import numpy as np

    if first.secret_id != second.secret_id:
        return Shared(None, "not comparable: the fingerprints were made under different secrets")
    one, other = first.levels.get(level), second.levels.get(level)
    if one is None or other is None:
        return Shared(None, f"not comparable: no {level} fingerprints of {'either' if one is other else 'one of them'}")
    if level == "record" and one.columns != other.columns:
        return Shared(None, "not comparable: the columns differ")
    mine, theirs = (np.frombuffer(prints.packed, dtype=f"S{SIZE}") for prints in (one, other))
    return Shared(len(np.intersect1d(mine, theirs, assume_unique=True)))
