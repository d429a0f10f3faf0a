"""A Croissant description given as a dataset: read by its importer, logged by its published identity.

Nobody here holds the bytes it tells of, and no address in it is opened; data that were downloaded are logged as such.
"""

from pathlib import Path
from typing import Any

from compliance.core.reading import MAX_BYTES
from compliance.errors import InvalidInput
from compliance.importers import Given, Importer, Source, recognise
from compliance.importers import read as read_import

TOOL = "Croissant"


def is_croissant(path: Path) -> bool:
    """Say whether a file is one JSON value that conforms to Croissant."""
    return _recognised(path) is not None


def read(path: Path, role: str) -> dict[str, Any]:
    """Return the record, as authored, with the description attached. Raises InvalidInput where it is damaged."""
    recognised = _recognised(path)
    assert recognised is not None
    importer, source = recognised
    (record,) = read_import(importer, source, Given(role=role)).records
    if record["kind"] != "dataset":
        raise InvalidInput(f"{path}: {record['completeness_reason']}", remedy="Mend the description.")
    return record


def _recognised(path: Path) -> tuple[Importer, Source] | None:
    if path.suffix.lower() not in (".json", ".jsonld") or not path.is_file() or path.stat().st_size > MAX_BYTES:
        return None
    source = Source.of(str(path), path.read_bytes())
    importer = recognise(source)
    return (importer, source) if importer is not None and importer.tool == TOOL else None
