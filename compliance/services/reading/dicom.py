"""DICOM folders: one row an object, of a few header tags (DICOM PS3.6). Pixels are not read, names never asked for.

Only the tags named here are parsed at all. Patient IDs and object UIDs are fingerprinted and leave no other trace;
of dates the record keeps the months from the first to the last. Two objects are the same record where their SOP
Instance UID is the same: an image that was given a new UID, as de-identification does, is not found by that.
"""

import re
import warnings
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import Unavailable
from compliance.services.reading.data import Data
from compliance.services.reading.groups import are_people
from compliance.services.reading.table import Table, from_text

if TYPE_CHECKING:
    from pydicom import Dataset

TAGS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "device": "ManufacturerModelName",
    "institution": "InstitutionName",
    "body_part": "BodyPartExamined",
    "study_date": "StudyDate",
    "patient_id": "PatientID",
    "sex": "PatientSex",
    "age": "PatientAge",
    "height": "Rows",
    "width": "Columns",
    "sop_instance_uid": "SOPInstanceUID",
}
_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
"""Packed as a whole, pixels included: it would be unpacked into memory to see its header."""
_MOST = 200


def is_dicom(start: bytes) -> bool:
    return start[128:132] == b"DICM"


def read(root: Path, files: Sequence[str]) -> Data:
    """Read the headers of `files` under `root`. Raises Unavailable where pydicom is not installed."""
    try:
        import pydicom
        from pydicom.filereader import read_file_meta_info
    except ImportError as error:
        raise Unavailable(
            f"{root} holds DICOM files, and pydicom reads them.", remedy="pip install 'compliance-tracker[dicom]'"
        ) from error
    rows: list[list[str | None]] = []
    broken = 0
    with _quiet():
        for name in files:
            try:
                meta = read_file_meta_info(root / name)
                if meta.get("MediaStorageSOPClassUID", "") == _DIRECTORY:
                    continue
                if meta.get("TransferSyntaxUID", "") == _DEFLATED:
                    raise ValueError
                header = pydicom.dcmread(root / name, stop_before_pixels=True, specific_tags=list(TAGS.values()))
                row = [_value(header, column, tag) for column, tag in TAGS.items()]
            except Exception:  # pydicom raises whatever it meets in bytes that lie
                broken += 1
                continue
            broken += row[-1] is None
            rows.append(row)
    gaps = [f"{broken} of {len(files)} DICOM files could not be read whole."] if broken else []
    if not rows:
        return Data(gaps=gaps)
    columns = dict(zip(TAGS, map(list, zip(*rows, strict=True)), strict=True))
    table = from_text(str(root), "DICOM", [columns], 0)
    return Data(table, _fields(table), gaps, _defaults(table), ("sop_instance_uid",))


@contextmanager
def _quiet() -> Iterator[None]:
    """Let pydicom say nothing of values that break its rules: it repeats them."""
    from pydicom import config

    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = before


def _value(header: "Dataset", column: str, tag: str) -> str | None:
    value: Any = header.get(tag)
    if value is None:
        return None
    text = ("\\".join(map(str, value)) if isinstance(value, MutableSequence) else str(value)).strip()
    if column == "sex":
        return text if text in ("F", "M", "O") else None
    if column == "study_date":
        return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if re.fullmatch(r"\d{8}", text) else None
    if column == "age":
        age = re.fullmatch(r"(\d{3})([DWMY])", text)
        return (str(int(age[1])) if age[2] == "Y" else "0") if age else None
    return text or None


def _fields(table: Table) -> dict[str, Any]:
    devices = zip(table.column("manufacturer", ""), table.column("device", ""), strict=True)
    equipment = sorted({" ".join(part for part in device if part)[:_MOST] for device in devices} - {""})
    modalities = sorted({value[:_MOST] for value in table.column("modality", "") if value})
    told = {"modalities": modalities, "equipment": equipment[:_MOST]}
    return {"file_format": "DICOM"} | {name: values for name, values in told.items() if values}


def _defaults(table: Table) -> dict[str, Any]:
    """Return what to count by: the tags that some object has, and of those that are printed, the ones that group."""
    known = {column: set(table.column(column, "")) for column in TAGS}
    known = {column: values for column, values in known.items() if values != {None}}
    groups = [
        column
        for column in ("modality", "manufacturer", "sex", "institution")
        if column in known and not are_people(len(known[column]), table.rows)
    ]
    site = {"site": groups.pop()} if "institution" in groups else {}
    others = {"patient": "patient_id", "time": "study_date"}
    return {"groups": groups} | site | {option: column for option, column in others.items() if column in known}
