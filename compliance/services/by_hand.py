"""What nobody may write into a record: what only a measurement says, keys, another description of the system."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compliance.core.reading import Located
from compliance.errors import InvalidInput
from compliance.services import config as configuration

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

MEASURED: Mapping[str, tuple[str, ...]] = {
    "dataset": ("fingerprints", "leakage", "rows_sha256"),
    "evaluation": ("recomputation",),
    "safety-result": ("recomputation",),
}
"""Fields that say what we found in the bytes; whoever writes a record by hand has not measured them."""


def refuse(record: Mapping[str, Any], where: str | Located) -> None:
    """Raise InvalidInput for what a record that somebody wrote may not say."""
    _refuse_measured(record, where)
    if record.get("kind") == "key-event":  # nobody held its holder and its end against the other keys
        raise InvalidInput(
            f"{_at(where, 'kind')}: an event of a key is not written by hand.", remedy="`compliance key` makes it."
        )


def _refuse_measured(record: Mapping[str, Any], where: str | Located) -> None:
    """Refuse what only a measurement may say in a record that somebody wrote."""
    for name in MEASURED.get(str(record.get("kind")), ()):
        if name in record:
            raise InvalidInput(f"{_at(where, name)}: {name} is measured, never written.", remedy=f"Leave out {name}.")
    rows = record.get("metrics")
    for row in rows if isinstance(rows, list | tuple) and "predictions" not in record else ():
        if isinstance(row, Mapping) and row.get("origin") == "recomputed":
            raise InvalidInput(
                f"{_at(where, 'metrics')}: {row.get('name')} is called recomputed, but no predictions are attached.",
                remedy="Leave out origin, or attach the predictions and name their columns.",
            )


def refuse_description(ws: "Workspace", record: Mapping[str, Any], where: str | Located) -> None:
    """Refuse a description of the system that is not this workspace's compliance.toml: its catalogs are checked there.

    A description written by hand could bring a catalog of its own under the id of one that ships.
    """
    from compliance.services import own_catalogs

    if record != own_catalogs.to_sign(ws.root, configuration.read(ws.root)):
        raise InvalidInput(
            f"{_at(where, 'kind')}: a description of the system is not written by hand.",
            remedy=f"Write it into {ws.root / configuration.FILE}, and log that file: `compliance log record`.",
        )


def _at(where: str | Located, field: str) -> str:
    return where.at((field,)) if isinstance(where, Located) else where
