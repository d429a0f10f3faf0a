"""Grants: an outside reader's permission to use the portal. Made, listed and ended here; used in `compliance.portal`.

A grant is a link with a 256-bit token, shown once. It narrows to model versions and catalogs, ends by itself, and
never lets anybody write.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from compliance.core.evidence import utc_text
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import own_catalogs
from compliance.storage.access import Access, Grant

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

PATH = "/grant/"
"""Where the portal takes a token. No log holds an address that begins so."""
MAX_HOLDER, MAX_DAYS = 200, 366


@dataclass(frozen=True, slots=True)
class Listed:
    """A grant, and whether it opens anything now."""

    id: str
    holder: str
    models: tuple[str, ...]
    catalogs: tuple[str, ...]
    created_at: str
    expires_at: str
    state: str
    """`open`, `expired` or `revoked`."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def create(ws: "Workspace", holder: str, days: int, models: Sequence[str] = (), catalogs: Sequence[str] = ()) -> str:
    """Make a grant and return its link, without scheme and host. Raises InvalidInput, UnknownReference."""
    holder = holder.strip()
    if not holder or len(holder) > MAX_HOLDER or not holder.isprintable():
        raise InvalidInput(
            "A grant needs the name of its holder, in one line.",
            remedy="Name who will read, as the access log shall name them.",
        )
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"{days} days is out of range.", remedy=f"Choose 1 to {MAX_DAYS} days.")
    scope = [_model(ws, name) for name in models]
    for catalog in catalogs:
        in_use = [used.catalog.id for used in own_catalogs.in_use(ws)]
        if catalog not in in_use:
            raise UnknownReference(
                f"The workspace does not use the catalog {catalog!r}.",
                remedy=f"Choose among {', '.join(in_use) or 'none'}.",
            )
    moment = datetime.now(UTC)
    access = _access(ws)
    try:
        _, token = access.add_grant(
            holder,
            scope,
            catalogs,
            created_at=utc_text(moment),
            expires_at=utc_text(moment + timedelta(days=days)),
        )
    finally:
        access.close()
    return PATH + token


def list_(ws: "Workspace") -> list[Listed]:
    """Return every grant ever made, oldest first."""
    access = _access(ws)
    try:
        moment = utc_text(datetime.now(UTC))
        return [_listed(grant, moment) for grant in access.grants()]
    finally:
        access.close()


def revoke(ws: "Workspace", grant_id: str) -> None:
    """End a grant and every session opened with it. Raises UnknownReference."""
    access = _access(ws)
    try:
        access.revoke_grant(grant_id, utc_text(datetime.now(UTC)))
    finally:
        access.close()


def _model(ws: "Workspace", name: str) -> str:
    """Return NAME@VERSION of a model version on record."""
    found = [row for row in ws.ledger.subjects(name) if row.kind == "model-version"]
    if not found:
        raise UnknownReference(
            f"{name} is no model version on record.", remedy="`compliance list --kind model-version` shows them."
        )
    return found[-1].name


def _access(ws: "Workspace") -> Access:
    return Access(ws.root / ".compliance")


def _listed(grant: Grant, moment: str) -> Listed:
    return Listed(
        grant.id, grant.holder, grant.models, grant.catalogs, grant.created_at, grant.expires_at, grant.state_at(moment)
    )
