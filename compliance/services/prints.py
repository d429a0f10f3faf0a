"""One pass over the rows of a table: its canonical digest, and keyed fingerprints of its records and patients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from compliance.core import fingerprint, rows
from compliance.core.fingerprint import Fingerprints, Level, Prints
from compliance.services.reading.table import CHUNK, Table, as_text


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
    kept = sorted(name for name in record or names if name != patient)
    by_record = fingerprint.keyed(secret, "record", kept)
    # The column may go by another name elsewhere; a row without a patient tells nothing about who is in both.
    by_patient = fingerprint.keyed(secret, "patient", ["patient"])
    digests, records, patients = bytearray(), bytearray(), bytearray()
    for start in range(0, table.rows, CHUNK):
        part = table.data.slice(start, CHUNK)
        cells = {name: rows.encode(as_text(part[name]).to_pylist()) for name in names}
        whole = _joined(cells[name] for name in names)
        digests += b"".join([sha256(row).digest() for row in whole])
        records += b"".join(fingerprint.take(by_record, whole if kept == names else _joined(cells[n] for n in kept)))
        if patient is not None:
            patients += b"".join(fingerprint.take(by_patient, (cell for cell in cells[patient] if cell != b"-")))
    levels: dict[Level, Prints] = {"record": fingerprint.packed(kept, records)}
    if patient is not None:
        levels["patient"] = fingerprint.packed(["patient"], patients)
    return Taken(rows.table_digest(names, digests), Fingerprints(fingerprint.secret_id(secret), levels))


def _joined(cells: Iterable[Sequence[bytes]]) -> list[bytes]:
    return [b"".join(row) for row in zip(*cells, strict=True)]
