"""Keyed fingerprints of records and patients: overlap of datasets can be measured without showing a record.

HMAC-SHA256 under a secret of the workspace. A salt that readers know would not do: patient numbers can be guessed.
They stay personal data: a restricted attachment that leaves in no bundle. Two sets under different secrets cannot be
compared, which is not the same as having nothing in common.
"""

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from compliance.core.canonical import canonical
from compliance.core.evidence import Evidence
from compliance.errors import InvalidInput, Unavailable, VerificationFailed
from compliance.services.tables import Table

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

ATTACHMENT = "fingerprints.json"
ALGORITHM = "HMAC-SHA256"
_KEY = Path(".compliance") / "fingerprint.key"
_HEX = 32
"""Half a digest is kept: 128 bits are plenty to tell a million records apart."""


@dataclass(frozen=True, slots=True)
class Sets:
    """The fingerprints of one dataset."""

    secret_id: str
    record_columns: tuple[str, ...]
    records: frozenset[str]
    patient_column: str | None
    patients: frozenset[str] | None


def secret(root: Path) -> bytes:
    """Return the workspace's fingerprint secret, made on first use and readable by its owner alone."""
    path = root / _KEY
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            found = bytes.fromhex(path.read_text(encoding="ascii").strip())
        else:
            found = token_bytes(32)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(found.hex() + "\n")
    except ValueError as error:
        raise Unavailable(
            f"{path} is damaged.", remedy="Restore it from a backup; a new one compares with nothing old."
        ) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}.", remedy="Check disk and permissions.") from error
    if len(found) != 32:
        raise Unavailable(
            f"{path} is damaged.", remedy="Restore it from a backup; a new one compares with nothing old."
        )
    return found


def of_table(key: bytes, table: Table, patient: str | None) -> Sets:
    """Return the fingerprints of a table's rows, patient column left out, and of its patients."""
    patients = table.column(patient, "patient") if patient else None
    names = tuple(sorted(name for name in table.columns if name != patient))
    rows = zip(*(table.columns[name] for name in names), strict=True)
    return Sets(
        secret_id=sha256(b"fingerprint secret\0" + key).hexdigest()[:16],
        record_columns=names,
        records=frozenset(_print(key, b"record", canonical(list(row))) for row in rows),
        patient_column=patient,
        patients=None if patients is None else frozenset(_print(key, b"patient", p.encode()) for p in patients if p),
    )


def _print(key: bytes, what: bytes, value: bytes) -> str:
    return hmac.digest(key, what + b"\0" + value, "sha256").hex()[:_HEX]


def to_bytes(sets: Sets) -> bytes:
    """Return the attachment: sorted, so that the order of rows is not told."""
    return json.dumps(
        {
            "v": 1,
            "algorithm": ALGORITHM,
            "secret_id": sets.secret_id,
            "record_columns": sets.record_columns,
            "records": sorted(sets.records),
            "patient_column": sets.patient_column,
            "patients": None if sets.patients is None else sorted(sets.patients),
        },
        separators=(",", ":"),
    ).encode()


def summary(sets: Sets) -> dict[str, Any]:
    """Return what the record says of the attachment."""
    of_patients = (
        {"patients": len(sets.patients), "patient_column": sets.patient_column} if sets.patients is not None else {}
    )
    return {
        "attachment": ATTACHMENT,
        "algorithm": ALGORITHM,
        "secret_id": sets.secret_id,
        "records": len(sets.records),
        "record_columns": list(sets.record_columns),
        **of_patients,
    }


def of_evidence(ws: "Workspace", piece: Evidence) -> Sets:
    """Return the fingerprints of a dataset on record, their bytes checked against the signed statement.

    Raises InvalidInput where it has none, Unavailable where they are not here, VerificationFailed where they changed.
    """
    said: Mapping[str, Any] | None = piece.content.get("fingerprints")
    attachments: Sequence[Mapping[str, Any]] = piece.predicate.get("attachments", [])
    attached = next((a for a in attachments if said and a["name"] == said["attachment"]), None)
    if said is None or attached is None:
        raise InvalidInput(
            f"{piece.number} ({piece.subjects[0]['name']}) has no fingerprints, so its overlap cannot be measured.",
            remedy="Log the dataset with `compliance log dataset FILE` as a new version.",
        )
    path = ws.attachments / attached["sha256"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The fingerprints of {piece.number} are not here: {error.strerror}.",
            remedy="Restore .compliance/attachments.",
        ) from error
    if sha256(data).hexdigest() != attached["sha256"]:
        raise VerificationFailed(
            f"The fingerprints of {piece.number} are not the bytes that were signed.", remedy="Run `compliance verify`."
        )
    found = json.loads(data)
    patients = found["patients"]
    return Sets(
        found["secret_id"],
        tuple(found["record_columns"]),
        frozenset(found["records"]),
        found["patient_column"],
        None if patients is None else frozenset(patients),
    )
