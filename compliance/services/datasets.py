"""A dataset on record: digested, profiled, validated and fingerprinted from the very bytes that were read.

What is measured here cannot be stated by hand. No row enters the record; fingerprints are a restricted attachment.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import fingerprint
from compliance.core.fingerprint import Fingerprints, Prints
from compliance.errors import InvalidInput, Unavailable
from compliance.services import expectations, overlap
from compliance.services.overlap import Comparison, compare
from compliance.services.profile import profile
from compliance.services.tables import Table, read_table
from compliance.storage.digests import subject_digest
from compliance.storage.secret import fingerprint_secret

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

__all__ = ["Comparison", "compare", "log"]

FINGERPRINTS = "fingerprints.txt"


def log(
    ws: "Workspace",
    path: Path,
    *,
    name: str,
    version: str,
    role: str,
    title: str | None = None,
    suite: str | Path | None = None,
    target: str | None = None,
    groups: Sequence[str] = (),
    patient: str | None = None,
    key: str | None = None,
    **fields: Any,
) -> "list[Logged]":
    """Log a CSV or Parquet file, or a folder of any files, as `dataset`; `fields` are the kind's own.

    A folder is digested and its files are counted; of a table everything is measured. Raises InvalidInput, before
    anything is logged, for what cannot be read, a column that is not there, or a suite that is none.
    """
    from compliance.services import record

    path = Path(path).absolute()
    authored = {
        "kind": "dataset",
        "name": name,
        "version": version,
        "role": role,
        "title": title or f"{name} {version} ({role})",
        **{field: value for field, value in fields.items() if value is not None},
    }
    if path.is_dir():
        _refuse_for_folder(path, suite=suite, target=target, groups=groups, patient=patient)
        authored |= {"path": path.name, "files": sum(1 for file in path.rglob("*") if file.is_file())}
    else:
        authored = _measured(ws, path, authored, suite=suite, target=target, groups=groups, patient=patient)
    return record.log(ws, [authored], how="log", base=path.parent, key=key)


def _refuse_for_folder(path: Path, **options: object) -> None:
    for option, value in options.items():
        if value:
            raise InvalidInput(
                f"{path} is a folder: {option} belongs to a table.", remedy="Give one CSV or Parquet file."
            )


def _measured(
    ws: "Workspace",
    path: Path,
    authored: Mapping[str, Any],
    *,
    suite: str | Path | None,
    target: str | None,
    groups: Sequence[str],
    patient: str | None,
) -> dict[str, Any]:
    """Return the record of a table with everything that its bytes tell."""
    sha256, basis = subject_digest(path)
    table = read_table(path)
    measured = profile(table, target=target, groups=groups, patient=patient)
    measured["file_format"] = "CSV" if table.first_line else "Parquet"
    attachments = list(authored.get("attachments") or [])
    incomplete: dict[str, str] = {}
    if suite is not None:
        run, written = expectations.run(path, Path(suite))
        measured["quality"] = [run]
        attachments.append({"data": written, "name": Path(suite).name})
        if run["not_evaluated"]:
            told = f"{run['not_evaluated']} of {run['evaluated']} expectations could not be evaluated."
            incomplete = {"completeness": "incomplete", "completeness_reason": told}
    prints = _fingerprints(table, patient, fingerprint_secret(ws.root))
    measured |= _described(prints, table.rows, patient)
    attachments.append({"data": fingerprint.write(prints), "name": FINGERPRINTS, "classification": "restricted"})
    whole = f"{str(authored['name']).partition('@')[0]}@{authored['version']}"
    measured |= overlap.measured(ws, whole, authored["role"], authored.get("parent"), prints)
    if subject_digest(path) != (sha256, basis):
        raise Unavailable(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
    joined = _joined(authored, measured, path.name)
    return joined | incomplete | {"sha256": sha256, "basis": basis.value, "attachments": attachments}


def _fingerprints(table: Table, patient: str | None, secret: bytes) -> Fingerprints:
    """Fingerprint rows without the patient's number, so that one person under two numbers shows, and patients."""
    columns = sorted(column for column in table.columns if column != patient)
    rows = zip(*(fingerprint.encode(table.columns[column]) for column in columns), strict=True)
    levels: dict[fingerprint.Level, Prints] = {"record": fingerprint.take(secret, "record", columns, rows)}
    if patient is not None:
        # The column may go by another name elsewhere; a row without a patient tells nothing about who is in both.
        known = [value for value in table.columns[patient] if value is not None]
        encoded = ((one,) for one in fingerprint.encode(known))
        levels["patient"] = fingerprint.take(secret, "patient", ["patient"], encoded)
    return Fingerprints(fingerprint.secret_id(secret), levels)


def _described(prints: Fingerprints, rows: int, patient: str | None) -> dict[str, Any]:
    records = prints.levels["record"]
    told: dict[str, Any] = {
        "attachment": FINGERPRINTS,
        "algorithm": "HMAC-SHA256",
        "secret_id": prints.secret_id,
        "records": len(records.values),
        "record_columns": list(records.columns),
    }
    if patient is None:
        return {"fingerprints": told, "duplicate_records": rows - len(records.values)}
    # Two spellings of one number are one patient, so the fingerprints count, not the column.
    patients = len(prints.levels["patient"].values)
    told |= {"patients": patients, "patient_column": patient}
    return {"fingerprints": told, "duplicate_records": rows - len(records.values), "patients": patients}


def _joined(authored: Mapping[str, Any], measured: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Put what was measured beside what was written; of columns, units, roles and notes may be written."""
    joined = dict(authored)
    for name in ("fingerprints", "leakage"):
        if name in authored:
            raise InvalidInput(f"{name} is measured, never written.", remedy=f"Leave out {name}.")
    for name, value in measured.items():
        if name == "columns" and "columns" in authored:
            joined[name] = _columns(authored[name], value, file)
        elif name == "overlaps" and all(one.get("level") == "site" for one in authored.get(name, [])):
            joined[name] = [*value, *authored.get(name, [])]
        elif name in authored and authored[name] != value:
            raise InvalidInput(
                f"{name} is measured from {file}, and what is written differs.", remedy=f"Leave out {name}."
            )
        else:
            joined[name] = value
    return joined


def _columns(written: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]], file: str) -> list[Any]:
    by_name = {column["name"]: dict(column) for column in measured}
    for column in written:
        name = str(column.get("name"))
        if name not in by_name:
            near = get_close_matches(name, by_name, 1)
            raise InvalidInput(
                f"columns: {file} has no column {name}.",
                remedy=f"Did you mean {near[0]}?" if near else "Leave it out.",
            )
        by_name[name] = dict(column) | by_name[name] | ({"role": column["role"]} if "role" in column else {})
    return list(by_name.values())
