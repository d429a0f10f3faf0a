"""Datasets: digested, counted, checked and fingerprinted where they lie. No row of one enters a record."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core.evidence import Evidence
from compliance.core.statistics import decimal
from compliance.errors import InvalidInput, Unavailable, UnknownReference
from compliance.services import fingerprints
from compliance.services.evaluations import MAX_GROUPS, label
from compliance.services.tables import Table, read_table

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

SMALL_CELL = 5
"""Counts below it are withheld from a composition: with a few attributes they point at somebody."""
_TABLES = (".csv", ".parquet", ".pq")
_TYPES = (
    ("integer", re.compile(r"[-+]?\d+")),
    ("number", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")),
    ("boolean", re.compile(r"true|false|True|False|TRUE|FALSE")),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("datetime", re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?")),
)


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two datasets share, by fingerprints. A level that cannot be compared is None, which is not zero."""

    first: str
    second: str
    records_shared: int | None
    patients_shared: int | None
    first_records: int
    second_records: int
    note: str

    @property
    def shared(self) -> int:
        """People in both where patients are known; else equal records."""
        return self.patients_shared if self.patients_shared is not None else self.records_shared or 0

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "shared": self.shared}


def log(
    ws: "Workspace",
    path: Path,
    *,
    name: str,
    version: str,
    role: str,
    suite: str | Path | None = None,
    target: str | None = None,
    groups: Sequence[str] = (),
    patient: str | None = None,
    key: str | None = None,
    **fields: Any,
) -> "list[Logged]":
    """Digest, profile, check and fingerprint a dataset and log it; `fields` are the kind's own.

    A table (CSV or Parquet) is counted; of a folder or another file only the bytes are digested, and a profile that
    is asked for all the same is refused. What is authored in `fields` stands, unless the data say otherwise.
    """
    from compliance.services import record
    from compliance.storage.digests import subject_digest

    path = Path(path).resolve()
    sha256, basis = subject_digest(path)
    authored: dict[str, Any] = {
        "kind": "dataset",
        "name": name,
        "version": version,
        "role": role,
        "sha256": sha256,
        "basis": basis.value,
        **{field: value for field, value in fields.items() if value is not None},
    }
    authored.setdefault("title", f"{name} {version} ({role})")
    if path.is_file() and path.suffix.lower() in _TABLES:
        table = read_table(path)
        for field, value in profile(table, target=target, groups=groups, patient=patient).items():
            _put(authored, field, value, path)
        sets = fingerprints.of_table(fingerprints.secret(ws.root), table, patient)
        authored["fingerprints"] = fingerprints.summary(sets)
        authored["attachments"] = [*(authored.get("attachments") or []), _attached(sets)]
        if found := _overlaps(ws, sets, f"{name}@{version}"):
            authored["overlaps"] = [*(authored.get("overlaps") or []), *found]
        authored.setdefault("file_format", "Parquet" if path.suffix.lower() != ".csv" else "CSV")
    elif suite or target or groups or patient:
        raise InvalidInput(
            f"{path} is not a table, so it cannot be profiled.",
            remedy="Give a CSV or Parquet file, or leave out the options.",
        )
    if suite is not None:
        from compliance.services import quality

        authored["quality"] = [*(authored.get("quality") or []), quality.run_suite(path, Path(suite))]
    return record.log(ws, [authored], how="log", base=path.parent, key=key)


def _put(authored: dict[str, Any], field: str, value: Any, path: Path) -> None:
    """Take a counted field; refuse an authored number that the data contradict."""
    if field in authored and isinstance(value, int) and authored[field] != value:
        raise InvalidInput(
            f"{field} is given as {authored[field]}, but {path.name} holds {value}.",
            remedy=f"Leave out {field}: it is counted.",
        )
    authored.setdefault(field, value)


def _attached(sets: fingerprints.Sets) -> dict[str, Any]:
    return {
        "data": fingerprints.to_bytes(sets),
        "name": fingerprints.ATTACHMENT,
        "media_type": "application/json",
        "classification": "restricted",
    }


def profile(
    table: Table, *, target: str | None = None, groups: Sequence[str] = (), patient: str | None = None
) -> dict[str, Any]:
    """Return what can be counted: rows, patients, columns with what is missing, classes, composition by group."""
    roles: dict[str | None, str] = dict.fromkeys(groups, "group")
    roles |= {target: "label", patient: "identifier"}
    labels = table.column(target, "target") if target else None
    found: dict[str, Any] = {
        "rows": table.rows,
        "columns": [_column(name, values, roles.get(name)) for name, values in table.columns.items()],
    }
    if patient:
        found["patients"] = len({value for value in table.column(patient, "patient") if value is not None})
    if labels is not None and target:
        found["labels"] = _labels(target, labels, table)
    if groups:
        found["composition"] = [part for name in groups for part in _composition(table, name, labels)]
    return found


def _column(name: str, values: Sequence[str | None], role: str | None) -> dict[str, Any]:
    present = [value for value in values if value is not None]
    missing = len(values) - len(present)
    column: dict[str, Any] = {
        "name": name,
        "type": _type(present),
        "missing": missing,
        "missing_share": decimal(Fraction(missing, len(values))),
        "distinct": len(set(present)),
    }
    return column | ({"role": role} if role else {})


def _type(values: Sequence[str]) -> str:
    distinct = set(values)
    if not distinct:
        return "empty"
    return next((name for name, pattern in _TYPES if all(pattern.fullmatch(value) for value in distinct)), "text")


def _labels(name: str, values: Sequence[str | None], table: Table) -> dict[str, Any]:
    counts = Counter(value for value in values if value is not None)
    if len(counts) > MAX_GROUPS:
        raise InvalidInput(
            f"The label column {name} of {table.path} has {len(counts)} different values.",
            remedy="Name the column that holds the classes; a measured outcome is no label.",
        )
    missing = sum(1 for value in values if value is None)
    classes = [{"value": value, "n": n} for value, n in sorted(counts.items())]
    return {"column": name, "classes": classes, **({"missing": missing} if missing else {})}


def _composition(table: Table, name: str, labels: Sequence[str | None] | None) -> list[dict[str, Any]]:
    """Count each group. Small counts are withheld, and one more with a lone one: else it follows from the total."""
    values = [value if value is not None else "not recorded" for value in table.column(name, "group")]
    counts = Counter(values)
    if len(counts) > MAX_GROUPS:
        raise InvalidInput(
            f"The group column {name} of {table.path} has {len(counts)} different values.",
            remedy=f"Give a column with at most {MAX_GROUPS}: bands instead of ages, for example.",
        )
    hidden = {value for value, n in counts.items() if n < SMALL_CELL}
    if len(hidden) == 1 and len(counts) > 1:
        hidden.add(min((value for value in counts if value not in hidden), key=lambda value: counts[value]))
    binary = labels is not None and {value for value in labels if value is not None} <= {"0", "1"}
    positives = Counter(v for v, y in zip(values, labels, strict=True) if y == "1") if binary and labels else None
    parts: list[dict[str, Any]] = []
    for value, n in sorted(counts.items()):
        part: dict[str, Any] = {"group": {label(name): value}}
        if value in hidden:
            parts.append(part | {"withheld": True})
            continue
        part |= {"n": n, "share": decimal(Fraction(n, table.rows))}
        if positives is not None:
            few = min(positives[value], n - positives[value]) < SMALL_CELL
            part |= {"withheld": True} if few else {"positives": positives[value]}
        parts.append(part)
    return parts


def compare(ws: "Workspace", first: str, second: str) -> Overlap:
    """Measure how many records and patients two datasets on record share.

    Raises InvalidInput where they cannot be compared (no fingerprints, or other secrets): never "no overlap" for that.
    """
    one, other = (fingerprints.of_evidence(ws, newest(ws, name)) for name in (first, second))
    if one.secret_id != other.secret_id:
        raise InvalidInput(
            f"{first} and {second} cannot be compared: their fingerprints were made under different secrets.",
            remedy="Log both in one workspace, from their files.",
        )
    records, patients = _shared(one, other)
    if records is None and patients is None:
        raise InvalidInput(
            f"{first} and {second} cannot be compared: they have other columns, and no patients in both.",
            remedy="Log both with --patient, or with the same columns.",
        )
    notes = []
    if records is None:
        notes.append("records have other columns and were not compared")
    if patients is None:
        notes.append("no patient column in both: people were not compared")
    elif records and not patients:
        notes.append("equal records of different patients: coincidence, or one person under two numbers")
    return Overlap(first, second, records, patients, len(one.records), len(other.records), "; ".join(notes))


def _shared(one: fingerprints.Sets, other: fingerprints.Sets) -> tuple[int | None, int | None]:
    records = len(one.records & other.records) if one.record_columns == other.record_columns else None
    patients = None
    if one.patients is not None and other.patients is not None:
        patients = len(one.patients & other.patients)
    return records, patients


def newest(ws: "Workspace", name: str) -> Evidence:
    """Return the newest dataset evidence of that name. Raises UnknownReference where there is none."""
    for index in reversed(ws.ledger.indexes_of("dataset")):
        piece = ws.ledger.piece(index)
        if name in (piece.subjects[0]["name"], piece.subjects[0]["name"].partition("@")[0]):
            return piece
    raise UnknownReference(
        f"No dataset on record is called {name}.", remedy="`compliance list --kind dataset` shows what is on record."
    )


def _overlaps(ws: "Workspace", sets: fingerprints.Sets, name: str) -> list[Mapping[str, Any]]:
    """Compare with every dataset on record that can be compared, so that leakage shows where it happens."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for index in ws.ledger.indexes_of("dataset"):
        piece = ws.ledger.piece(index)
        theirs = piece.subjects[0]["name"]
        if theirs == name or "fingerprints" not in piece.content:
            continue
        try:
            other = fingerprints.of_evidence(ws, piece)
        except Unavailable:  # lost or erased: `verify` says so, and it cannot be compared
            continue
        if other.secret_id != sets.secret_id:
            continue
        records, patients = _shared(sets, other)
        levels = (("record", records), ("patient", patients))
        found[theirs] = [
            {"dataset": theirs, "level": level, "shared": shared} for level, shared in levels if shared is not None
        ]
    return [overlap for overlaps in found.values() for overlap in overlaps]
