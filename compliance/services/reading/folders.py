"""Folders: told apart by what their files begin with, and read as the one kind of data that they hold.

DICOM objects, images, or tables of the same columns (as Hugging Face datasets are kept, with a card); what else lies
there is digested and counted, and named as not read.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from compliance.core.reading import read_value
from compliance.errors import InvalidInput, Unavailable
from compliance.services.reading import dicom, images
from compliance.services.reading.data import Data
from compliance.services.reading.files import read_table
from compliance.services.reading.table import Table, checked

TABLES = (".csv", ".parquet", ".pq", ".arrow", ".feather", ".jsonl", ".ndjson")
CARD = "README.md"
_SPLIT = re.compile(r"(train|test|validation|valid|val|dev)(?=[-_.]|$)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read_folder(root: Path, manifest: Sequence[tuple[str, str]]) -> Data:
    """Read a folder by its manifest of (name, SHA-256). Raises InvalidInput, Unavailable."""
    names = [name for name, _ in manifest]
    starts = {name: _start(root / name) for name in names}
    if objects := [name for name in names if dicom.is_dicom(starts[name]) or name.lower().endswith(".dcm")]:
        return _and_rest(dicom.read(root, objects), names, objects)
    if pictures := [name for name in names if images.is_image(starts[name])]:
        return _and_rest(images.read(root, pictures, dict(manifest)), names, pictures)
    tables = [name for name in names if name.lower().endswith(TABLES) and not PurePosixPath(name).name.startswith(".")]
    if not tables:
        return Data(fields=_files(names, []))
    return _and_rest(_tables(root, tables), names, [*tables, *({CARD} & set(names))])


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(132)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error


def _files(names: Sequence[str], read: Sequence[str]) -> dict[str, Any]:
    other = len(set(names) - set(read))
    told: dict[str, Any] = {"files": len(names)}
    return told | ({"remarks": [f"{other} files were digested and not read."]} if other and read else {})


def _and_rest(data: Data, names: Sequence[str], read: Sequence[str]) -> Data:
    rest = _files(names, read)
    remarks = [*data.fields.get("remarks", []), *rest.pop("remarks", [])]
    fields = {**data.fields, **rest} | ({"remarks": remarks} if remarks else {})
    return Data(data.table, fields, data.gaps, data.defaults, data.record, data.attachments)


def _tables(root: Path, names: Sequence[str]) -> Data:
    import pyarrow as pa

    parts = {name: read_table(root / name) for name in names}
    fields, attachments = _card(root)
    columns = {tuple(sorted(part.columns)) for part in parts.values()}
    if len(columns) > 1:
        told = "Its tables have different columns, so nothing is counted; log each table by itself."
        return Data(fields=fields | {"remarks": [told]}, attachments=attachments)
    try:
        whole = pa.concat_tables([part.data for part in parts.values()], promote_options="permissive")
    except pa.ArrowException as error:
        raise InvalidInput(
            f"The tables of {root} give one column different types.", remedy="Write them with one schema."
        ) from error
    formats = ", ".join(sorted({part.format for part in parts.values()}))
    fields |= {"file_format": formats} | _splits(parts)
    return Data(checked(Table(str(root), formats, whole)), fields, attachments=attachments)


def _splits(parts: Mapping[str, Table]) -> dict[str, Any]:
    """Return the sizes of the parts that file or folder names tell apart, if there are several."""
    sizes: dict[str, int] = {}
    for name, part in parts.items():
        found = next((match[1] for step in PurePosixPath(name).parts if (match := _SPLIT.match(step))), None)
        if found:
            sizes[found] = sizes.get(found, 0) + part.rows
    return {"splits": [{"group": {"split": name}, "n": n} for name, n in sorted(sizes.items())]} if sizes else {}


def _card(root: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a Hugging Face dataset card claims of licence and language, and the card itself."""
    path = root / CARD
    if not path.is_file() or path.stat().st_size > 1 << 20:
        return {}, []
    data = path.read_bytes()
    parts = data.split(b"\n---", 1)
    if not (data.startswith(b"---") and len(parts) == 2 and parts[0][3:].strip()):
        return {}, []
    card = read_value(parts[0][3:], f"{root / CARD} (its head)")
    if not isinstance(card, dict):
        raise InvalidInput(f"{path}: its head is no mapping.", remedy="Write `field: value` lines between the ---.")
    licence, spoken = card.get("license"), card.get("language")
    told: dict[str, Any] = {}
    if licence:
        told["licence"] = ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence)
    languages = [one for one in (spoken if isinstance(spoken, list) else [spoken]) if _LANGUAGE.fullmatch(str(one))]
    if languages:
        told["languages"] = languages
    if told:
        told["remarks"] = [f"{' and '.join(told)}: as {CARD} claims."]
    return told, [{"data": data, "name": CARD}]
