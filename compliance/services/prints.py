"""One pass over the rows of a table: its canonical digest, and keyed fingerprints of its records and patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from compliance.core import fingerprint, rows
from compliance.core.fingerprint import Fingerprints, Level, Prints
from compliance.services.reading.table import CHUNK, Table, as_text

if TYPE_CHECKING:
    import pyarrow as pa

_READY = r"^(-?[1-9][0-9]*|0|-?(0|[1-9][0-9]*)\.[0-9]*[1-9]|[A-Za-z][A-Za-z0-9_-]*)$"
"""Some of the values that `rows.plain` leaves as they are: plain numbers and words."""
_TRUTH = "^(?i:true|false)$"


@dataclass(frozen=True, slots=True)
class Taken:
    """What the rows of a table come to."""

    rows_sha256: str
    fingerprints: Fingerprints


def take(table: Table, secret: bytes, *, patient: str | None = None, record: Sequence[str] | None = None) -> Taken:
    """Digest and fingerprint every row; a record is all columns but the patient's, or those in `record`.

    Without the patient's number, so that one person under two numbers shows.
    """
    names = sorted(table.columns)
    kept = sorted(name for name in record or names if name != patient) or names
    digests, records, patients = bytearray(), bytearray(), bytearray()
    for start in range(0, table.rows, CHUNK):
        part = table.data.slice(start, CHUNK)
        cells = {name: netstrings(as_text(part[name])) for name in names}
        whole = _joined([cells[name] for name in names])
        digests += b"".join([sha256(row).digest() for row in whole])
        same = whole if kept == names else _joined([cells[name] for name in kept])
        records += b"".join(fingerprint.take(secret, "record", kept, same))
        if patient is not None:
            # The column may go by another name elsewhere; a row without a patient tells nothing about who is in both.
            known = (cell for cell in _joined([netstrings(_number(as_text(part[patient])))]) if cell != b"-")
            patients += b"".join(fingerprint.take(secret, "patient", ["patient"], known))
    levels: dict[Level, Prints] = {"record": fingerprint.packed(kept, records)}
    if patient is not None:
        levels["patient"] = fingerprint.packed(["patient"], patients)
    return Taken(rows.table_digest(names, digests), Fingerprints(fingerprint.secret_id(secret), levels))


def netstrings(text: "pa.ChunkedArray") -> "pa.Array":
    """Return what `rows.encode` returns of a column, quickly: most values are spelled as they should be."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wide = pa.large_string()
    values = text.combine_chunks().cast(wide)
    ready = pc.and_not(pc.match_substring_regex(values, _READY), pc.match_substring_regex(values, _TRUTH))
    if not pc.all(ready).as_py():
        others = pc.unique(values.filter(pc.invert(ready)).drop_null())
        spelled = pa.array([rows.plain(value) for value in others.to_pylist()], wide)
        values = pc.coalesce(spelled.take(pc.index_in(values, value_set=others)), values)
    colon, comma, end = (pa.scalar(mark, wide) for mark in (":", ",", ""))
    counted = pc.binary_join_element_wise(pc.binary_length(values).cast(wide), values, colon)
    return pc.fill_null(pc.binary_join_element_wise(counted, end, comma), pa.scalar("-", wide))


def _number(patients: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return patient numbers without the leading zeros that a spreadsheet, or pandas, takes away."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(pc.utf8_trim_whitespace(patients), r"^0+([0-9]+)$", r"\1")


def _joined(cells: "list[pa.Array]") -> list[bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar("", pa.large_string())
    found: list[bytes] = pc.binary_join_element_wise(*cells, nothing).cast(pa.large_binary()).to_pylist()
    return found
