"""What is on record in other people's formats. Read-only; the same record gives the same bytes."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.errors import InvalidInput, Unavailable
from compliance.services.assess import assess_workspace
from compliance.services.own_catalogs import in_use

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

Export = Callable[["Workspace", str | None, Sequence[str] | None, str | date | None], bytes]


def export(
    ws: "Workspace",
    format_: str,
    *,
    model: str | None = None,
    catalogs: Sequence[str] | None = None,
    as_of: str | date | None = None,
) -> bytes:
    """Return the record in one of FORMATS. Raises InvalidInput for a format that is none."""
    if format_ not in FORMATS:
        raise InvalidInput(f"There is no format {format_}.", remedy=f"Choose among {', '.join(FORMATS)}.")
    return FORMATS[format_](ws, model, catalogs, as_of)


def write(data: bytes, path: Path) -> None:
    """Write an export. Raises Unavailable where the file cannot be written."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}.", remedy="Check the folder and its permissions."
        ) from error


def _oscal_catalog(
    ws: "Workspace", model: str | None, catalogs: Sequence[str] | None, as_of: str | date | None
) -> bytes:
    from compliance.exporters.oscal import to_catalog

    return to_catalog([used.catalog for used in in_use(ws, only=catalogs)])


def _oscal_profile(
    ws: "Workspace", model: str | None, catalogs: Sequence[str] | None, as_of: str | date | None
) -> bytes:
    from compliance.exporters.oscal import to_profile

    assessment = assess_workspace(ws, model=model, catalogs=catalogs, as_of=as_of)
    used = [each.catalog for each in in_use(ws, only=catalogs)]
    profile = ws.system_record().content["profile"]
    return to_profile(used, profile, system=assessment.system, on=assessment.as_of)


def _oscal_results(
    ws: "Workspace", model: str | None, catalogs: Sequence[str] | None, as_of: str | date | None
) -> bytes:
    from compliance import __version__
    from compliance.exporters.oscal_results import to_results

    assessment = assess_workspace(ws, model=model, catalogs=catalogs, as_of=as_of)
    evidence = {piece.number: piece for piece in ws.evidence()}
    return to_results(assessment, evidence, provider=ws.config.system.provider, tool_version=__version__)


def _ml_bom(ws: "Workspace", model: str | None, catalogs: Sequence[str] | None, as_of: str | date | None) -> bytes:
    from compliance.services.bills import ml_bom

    return ml_bom(ws, model, as_of)


def _ml_bom_17(ws: "Workspace", model: str | None, catalogs: Sequence[str] | None, as_of: str | date | None) -> bytes:
    from compliance.services.bills import ml_bom

    return ml_bom(ws, model, as_of, spec="1.7")


FORMATS: dict[str, Export] = {
    "oscal-catalog": _oscal_catalog,
    "oscal-profile": _oscal_profile,
    "oscal-assessment-results": _oscal_results,
    "cyclonedx-ml": _ml_bom,
    "cyclonedx-ml-1.7": _ml_bom_17,
}
