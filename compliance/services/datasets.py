"""A dataset on record: digested, profiled, validated and fingerprinted from the very bytes that were read.

What is measured here cannot be stated by hand. No row enters the record; fingerprints are a restricted attachment.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import fingerprint, oms
from compliance.core.evidence import Basis
from compliance.core.fingerprint import Fingerprints
from compliance.errors import InvalidInput, Unavailable
from compliance.services import expectations, overlap, prints
from compliance.services.cases import named
from compliance.services.overlap import Comparison, Side, compare
from compliance.services.profile import profile
from compliance.services.reading import croissant, files, folders, sql
from compliance.services.reading.data import Data
from compliance.services.reading.sql import Sql
from compliance.services.reading.table import from_frame
from compliance.storage.digests import folder_manifest, subject_digest
from compliance.storage.secret import fingerprint_secret

if TYPE_CHECKING:
    import pandas as pd

    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

__all__ = ["Comparison", "Sql", "compare", "log", "read"]

FINGERPRINTS = "fingerprints.txt"


def log(
    ws: "Workspace",
    source: "Path | Sql | pd.DataFrame",
    /,
    *,
    name: str,
    version: str,
    role: str,
    title: str | None = None,
    suite: str | Path | None = None,
    engine: str = "pandas",
    key: str | None = None,
    target: str | None = None,
    groups: Sequence[str] = (),
    patient: str | None = None,
    time: str | None = None,
    site: str | None = None,
    **fields: Any,
) -> "list[Logged]":
    """Log a file, a folder, the rows of a database or a pandas frame as `dataset`; `fields` are the kind's own.

    Of what has rows everything is measured; any other folder is digested and its files are counted. Test data that
    are on record get a new record where a newcomer to development shares them. Raises InvalidInput, before anything
    is logged, for what cannot be read, a column that is not there, or a suite that is none.
    """
    from compliance.services import record

    given = {name: value for name, value in fields.items() if value is not None}
    authored = {"kind": "dataset", "name": name, "version": version, "role": role, **given}
    authored["title"] = title or f"{name} {version} ({role})"
    if isinstance(source, Path):
        record.refuse_private(ws, source.resolve(), source)
    if isinstance(source, Path) and croissant.is_croissant(source):
        described = croissant.read(source, role) | authored
        return record.log(ws, [described], how="log", base=source.absolute().parent, key=key)
    options = {"target": target, "groups": named(groups), "patient": patient, "time": time, "site": site}
    data, digest, basis = read(source)
    told, found = _measured(ws, source, data, options, suite, engine)
    whole = f"{name.partition('@')[0]}@{version}"
    records = [authored]
    if found:
        others = overlap.on_record(ws)
        newcomer = Side(whole, role, authored.get("parent"), known=found.fingerprints)
        told |= overlap.measured(newcomer, others)
        records += overlap.restated(newcomer, others)
    if isinstance(source, Path) and read(source, digest_only=True)[1:] != (digest, basis):
        raise Unavailable(f"{source} changed while it was read.", remedy="Wait until it is written, then try again.")
    subject = {"sha256": digest or (found.rows_sha256 if found else None), "basis": basis.value}
    records[0] = _joined(authored, told, data.table.name if data.table else str(source)) | subject
    base = source.absolute().parent if isinstance(source, Path) else ws.root
    return record.log(ws, records, how="log", base=base, key=key)


def read(source: "Path | Sql | pd.DataFrame", *, digest_only: bool = False) -> tuple[Data, str | None, Basis]:
    """Return what a source holds, the digest of its bytes (None where it is no file), and what that is of."""
    if isinstance(source, Sql):
        return sql.read(source), None, Basis.TABLE
    if not isinstance(source, Path):
        return Data(from_frame(source, "the frame")), None, Basis.TABLE
    if source.is_dir():
        manifest = folder_manifest(source)
        data = Data() if digest_only else folders.read_folder(source, manifest)
        return data, oms.root(manifest), Basis.FOLDER
    digest, basis = subject_digest(source)
    if digest_only:
        return Data(), digest, basis
    table = files.read_table(source)
    return Data(table, {"file_format": table.format}), digest, basis


def _measured(
    ws: "Workspace",
    source: object,
    data: Data,
    options: Mapping[str, Any],
    suite: str | Path | None,
    engine: str,
) -> tuple[dict[str, Any], prints.Taken | None]:
    """Return everything that the bytes tell, as fields of a record, and what the rows come to."""
    told = dict(data.fields)
    told["attachments"] = list(data.attachments)
    if data.table is None:
        for option, value in {**options, "suite": suite}.items():
            if value:
                raise InvalidInput(
                    f"{source} is a folder without one table: {option} belongs to a table.",
                    remedy="Give one file, or a folder whose tables have the same columns.",
                )
        return told | _incomplete(data.gaps), None
    chosen = {**data.defaults, **{option: value for option, value in options.items() if value}}
    told |= profile(data.table, **chosen)
    gaps = list(data.gaps)
    if suite is not None:
        run, written = expectations.run(source, data.table, Path(suite), engine)
        told["quality"] = [run]
        told["attachments"].append({"data": written, "name": Path(suite).name})
        if run["not_evaluated"]:
            gaps.append(f"{run['not_evaluated']} of {run['evaluated']} expectations could not be evaluated.")
    patient = chosen.get("patient")
    found = prints.take(data.table, fingerprint_secret(ws.root), patient=patient, record=data.record)
    told |= _described(found.fingerprints, data.table.rows, patient)
    if data.is_rows:
        told["rows_sha256"] = found.rows_sha256
    kept = {"data": fingerprint.write(found.fingerprints), "name": FINGERPRINTS, "classification": "restricted"}
    told["attachments"].append(kept)
    return told | _incomplete(gaps), found


def _incomplete(gaps: Sequence[str]) -> dict[str, str]:
    return {"completeness": "incomplete", "completeness_reason": " ".join(gaps)} if gaps else {}


def _described(found: Fingerprints, rows: int, patient: str | None) -> dict[str, Any]:
    records = found.levels["record"]
    told: dict[str, Any] = {
        "attachment": FINGERPRINTS,
        "algorithm": "HMAC-SHA256",
        "secret_id": found.secret_id,
        "records": len(records),
        "record_columns": list(records.columns),
    }
    if patient is None:
        return {"fingerprints": told, "duplicate_records": rows - len(records)}
    # Two spellings of one number are one patient, so the fingerprints count, not the column.
    patients = len(found.levels["patient"])
    told |= {"patients": patients, "patient_column": patient}
    return {"fingerprints": told, "duplicate_records": rows - len(records), "patients": patients}


def _joined(authored: Mapping[str, Any], measured: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Put what was measured beside what was written; of columns, units, roles and notes may be written."""
    from compliance.services.by_hand import MEASURED

    joined = dict(authored)
    for name in MEASURED["dataset"]:
        if name in authored:
            raise InvalidInput(f"{name} is measured, never written.", remedy=f"Leave out {name}.")
    by_hand = authored.get("overlaps", [])
    if not all(one.get("level") == "site" for one in by_hand):
        raise InvalidInput("overlaps of records and patients are measured.", remedy="Write those of sites only.")
    for name, value in measured.items():
        if name == "columns" and "columns" in authored:
            joined[name] = _columns(authored[name], value, source)
        elif name == "sites" and "sites" in authored:
            joined[name] = _sites(authored[name], value, source)
        elif name in ("remarks", "overlaps", "attachments"):
            joined[name] = [*value, *authored.get(name, [])]
        elif name in ("licence", "languages") and name in authored:
            continue  # what a card claims gives way to what is written
        elif name in authored and authored[name] != value:
            raise InvalidInput(
                f"{name} is measured from {source}, and what is written differs.", remedy=f"Leave out {name}."
            )
        else:
            joined[name] = value
    return joined


def _columns(written: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]], source: str) -> list[Any]:
    by_name = {column["name"]: dict(column) for column in measured}
    for column in written:
        name = _one_of(by_name, str(column.get("name")), "columns", f"{source} has no column")
        by_name[name] = dict(column) | by_name[name] | ({"role": column["role"]} if "role" in column else {})
    return list(by_name.values())


def _sites(written: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]], source: str) -> list[Any]:
    """Add country and setting, as written, to the sites that were counted."""
    by_name = {site["name"]: dict(site) for site in measured}
    for site in written:
        name = _one_of(by_name, str(site.get("name")), "sites", f"{source} has no record of")
        by_name[name] = dict(site) | by_name[name]
    return list(by_name.values())


def _one_of(by_name: Mapping[str, Any], name: str, field: str, problem: str) -> str:
    if name not in by_name:
        near = get_close_matches(name, by_name, 1)
        remedy = f"Did you mean {near[0]}?" if near else "Leave it out."
        raise InvalidInput(f"{field}: {problem} {name}.", remedy=remedy)
    return name
