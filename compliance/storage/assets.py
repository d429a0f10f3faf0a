"""Where the data folders are that ship with the package: templates, schemas, evidence.

In a wheel they lie inside the package (`compliance/_assets/`); in a checkout, and in an
editable install of one, beside it. Nothing here reads them.
"""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(name: Literal["templates", "schemas", "evidence"]) -> Path:
    """Return one of the three data folders."""
    shipped = _PACKAGE / "_assets" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name
