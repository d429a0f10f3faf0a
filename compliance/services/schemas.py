"""The JSON Schemas that the models and catalogs say: one per kind of evidence, one per need.

Generated, never edited; `.ci/drift` compares what is in the repository with what the code says.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from compliance.core.wire import predicate_type
from compliance.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping


def listing() -> list[tuple[str, str, str]]:
    """Return kind, predicate type and schema file of every kind."""
    from compliance.kinds import kinds

    return [(kind, predicate_type(kind), f"evidence/{kind}.schema.json") for kind in kinds()]


def generate() -> "Mapping[str, str]":
    """Return relative path and text of every schema, as under `schemas/`."""
    from compliance.kinds import schema
    from compliance.services import catalogs

    evidence = {f"evidence/{name}": text for name, text in schema.generate().items()}
    return evidence | {f"needs/{name}": text for name, text in catalogs.need_schemas().items()}


def export(folder: Path) -> list[Path]:
    """Write every schema under `folder` and return the files. Raises Unavailable where it cannot be written."""
    written = []
    try:
        for name, text in generate().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise Unavailable(
            f"{error.filename}: {error.strerror}.", remedy="Choose a folder that can be written, with --dir."
        ) from error
    return written
