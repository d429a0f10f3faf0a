"""What a change of a catalog means: for its text, and for the findings of the system at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core.assessments import Moved, moves
from compliance.core.canonical import digest
from compliance.core.catalog_diff import Diff
from compliance.core.catalog_diff import diff as diff_texts
from compliance.services import catalogs
from compliance.services.assess import assess_workspace
from compliance.services.own_catalogs import InUse, in_use, is_file

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Consequences:
    """Two texts of a catalog, and the findings that differ between them."""

    diff: Diff
    model: str | None
    """The model version that was assessed; None outside a workspace."""
    as_of: str | None
    findings: tuple[Moved, ...]

    def to_dict(self) -> dict[str, Any]:
        assessed = {"model": self.model, "as_of": self.as_of, "findings": [moved.to_dict() for moved in self.findings]}
        return self.diff.to_dict() | (assessed if self.as_of else {})


def diff(
    before: str,
    after: str,
    ws: "Workspace | None" = None,
    *,
    model: str | None = None,
    as_of: str | date | None = None,
) -> Consequences:
    """Compare two catalogs, each a file or an id; inside a workspace, assess its system by either as well.

    Raises what reading a catalog raises: InvalidInput with lines, UnknownReference for an id that is none.
    """
    old, new = (_read(name, ws) for name in (before, after))
    told = diff_texts(old.catalog, new.catalog)
    if ws is None:
        return Consequences(told, None, None, ())
    earlier, later = (assess_workspace(ws, model=model, catalogs=[each], as_of=as_of) for each in (old, new))
    moved = tuple(each for each in moves(earlier.findings, later.findings) if each.before is not each.after)
    return Consequences(told, later.model.name if later.model else None, later.as_of, moved)


def _read(name: str, ws: "Workspace | None") -> InUse:
    path = Path(name)
    if is_file(name) or path.is_file():
        data = catalogs.read_bytes(path)
        return InUse(catalogs.checked(data, name), digest(data))
    names: Sequence[str] = [name]
    return in_use(ws, only=names)[0] if ws else InUse(catalogs.load(name), catalogs.sha256(name))
