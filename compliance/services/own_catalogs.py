"""The catalogs of one system: those at hand by id, and a company's own by the path of a file in the workspace.

A file can be changed by anybody who can write to the workspace, so a catalog of one's own counts as the profile does:
only as signed. The `system-description` names its digest and carries it as an attachment; an assessment reads that
copy, whatever the file says by now, and names the digest of every catalog that it went by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core.canonical import digest
from compliance.core.catalog import Catalog, Requirement
from compliance.core.findings import Used
from compliance.core.system import CATALOG_FILES
from compliance.errors import ComplianceError, InvalidInput, Unavailable, UnknownReference
from compliance.services import catalogs

if TYPE_CHECKING:
    from compliance.core.evidence import Evidence
    from compliance.services.config import Config
    from compliance.services.workspace import Workspace

MEDIA_TYPE = "application/yaml"


@dataclass(frozen=True, slots=True)
class InUse:
    """A catalog of the system, and the digest of the file that it was read from."""

    catalog: Catalog
    sha256: str

    @property
    def used(self) -> Used:
        return Used(self.catalog.id, self.catalog.version, self.sha256)


def is_file(name: str) -> bool:
    """Whether a name under `[system] catalogs` is the path of a file."""
    return name.endswith(CATALOG_FILES)


def to_sign(root: Path, config: "Config") -> dict[str, Any]:
    """Return the record that signs compliance.toml as it stands, its own catalogs with it.

    Raises InvalidInput for a catalog file that is none, or whose id or rows another catalog of the system has.
    """
    content = config.system_content()
    own = [(name, _read(root, name)) for name in config.system.catalogs if is_file(name)]
    if not own:
        return {"kind": "system-description", **content}
    _distinct([*catalogs.load_all(n for n in config.system.catalogs if not is_file(n)), *(c for _, (c, _) in own)])
    return {
        "kind": "system-description",
        **content,
        "own_catalogs": [
            {"path": name, "id": catalog.id, "version": catalog.version, "sha256": digest(data)}
            for name, (catalog, data) in own
        ],
        "attachments": [
            {"data": data, "name": f"{catalog.id}.yaml", "media_type": MEDIA_TYPE} for _, (catalog, data) in own
        ],
    }


def differs(root: Path, config: "Config", content: Any) -> bool:
    """Say whether compliance.toml, or a catalog that it names, differs from what `content` signed."""
    try:
        written = to_sign(root, config)
    except ComplianceError:  # a file that cannot be signed is not what was signed
        return True
    parts = ("system", "profile", "description", "own_catalogs")
    return any((content.get(part) or None) != (written.get(part) or None) for part in parts)


def in_use(ws: "Workspace", signed: "Evidence | None" = None, only: Sequence[str] | None = None) -> list[InUse]:
    """Return the catalogs of the system as signed, or those of `only`: ids at hand, own ids or own paths.

    Raises UnknownReference for a name that is neither, Unavailable where the signed copy of a file is gone.
    """
    content = (signed or ws.system_record()).content
    own = {entry["path"]: entry for entry in content.get("own_catalogs", [])}
    by_id = {entry["id"]: entry for entry in own.values() if entry["id"] not in catalogs.ids()}
    found = []
    for name in dict.fromkeys(only or content["system"].get("catalogs", [])):
        entry = own.get(name) or by_id.get(name)
        if entry is not None:
            found.append(InUse(_signed_copy(ws, entry), entry["sha256"]))
        elif is_file(name):
            raise UnknownReference(
                f"The catalog {name} is not signed.",
                remedy="Name it under [system] catalogs, then `compliance log record compliance.toml`.",
            )
        else:
            found.append(InUse(catalogs.load(name), catalogs.sha256(name)))
    return found


def signed(ws: "Workspace") -> list[InUse]:
    """Return the workspace's own catalogs, as they were signed last."""
    own = ws.system_record().content.get("own_catalogs", [])
    return [InUse(_signed_copy(ws, entry), entry["sha256"]) for entry in own]


def find(ws: "Workspace", name: str) -> tuple[Catalog, list[Requirement]] | None:
    """Return a catalog of the workspace's own by its id, or by one of its rows, with the rows that are meant."""
    for catalog in (each.catalog for each in signed(ws)):
        if rows := [row for row in catalog.requirements if name in (catalog.id, row.id)]:
            return catalog, rows
    return None


def _read(root: Path, name: str) -> tuple[Catalog, bytes]:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise InvalidInput(
            f"The catalog {name} lies outside the workspace.",
            remedy="Copy it into the workspace: it is signed with it.",
        )
    data = catalogs.read_bytes(path)
    catalog = catalogs.checked(data, name)
    _refuse_borrowed(catalog, name)
    return catalog, data


def _refuse_borrowed(catalog: Catalog, name: str) -> None:
    """Refuse a catalog of one's own under the id of one that ships, or with a row of one."""
    if catalog.id.casefold() in {known.casefold() for known in catalogs.ids()}:
        raise InvalidInput(
            f"{name}: the id {catalog.id} is that of a catalog at hand.", remedy="Give your catalog an id of its own."
        )
    catalogs.refuse_shipped(catalog, name)


def _distinct(found: Sequence[Catalog]) -> None:
    """Refuse catalogs that share an id or a row: a finding must say which text it is about."""
    owner: dict[str, str] = {}
    for catalog in found:
        for name in (catalog.id, *(row.id for row in catalog.requirements)):
            if (other := owner.setdefault(name, catalog.id)) != catalog.id:
                raise InvalidInput(
                    f"{name} stands in two catalogs of this system, {other} and {catalog.id}.",
                    remedy=f"Begin the ids of your own rows with {catalog.id}/.",
                )


def _signed_copy(ws: "Workspace", entry: Any) -> Catalog:
    path = ws.attachments / entry["sha256"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The signed copy of the catalog {entry['path']} cannot be read: {error.strerror}.",
            remedy="`compliance rebuild` brings attachments back from MLflow; or sign the catalog again.",
        ) from error
    if digest(data) != entry["sha256"]:
        raise Unavailable(
            f"The signed copy of the catalog {entry['path']} was changed.",
            remedy="`compliance verify` names it; `compliance rebuild` brings it back from MLflow.",
        )
    catalog = catalogs.read(data, entry["path"])
    _refuse_borrowed(catalog, entry["path"])
    return catalog
