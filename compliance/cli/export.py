"""`compliance export`: the record in other people's formats."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output


def export(
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="oscal-catalog, oscal-profile, oscal-assessment-results or cyclonedx-ml."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write (default: to stdout).")
    ] = None,
    model: options.Model = None,
    catalog: options.Catalogs = None,
    as_of: options.AsOf = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Write requirements and findings as OSCAL 1.2, or a model's bill of materials as CycloneDX.

    oscal-catalog: the requirements of the system's catalogs. oscal-profile: those that reach the system; it looks for
    the catalog as oscal-catalog.json beside it. oscal-assessment-results: the findings, with the digest of every piece
    of evidence they name. cyclonedx-ml: the model version with its card, datasets, metrics and parts, as CycloneDX 1.6
    (cyclonedx-ml-1.7: as 1.7). The same record gives the same bytes.
    """
    from compliance.services import export as exporting
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        data = exporting.export(ws, format_, model=model, catalogs=catalog, as_of=as_of)
    if out is None:
        sys.stdout.write(data.decode())
        return
    exporting.write(data, out)
    if as_json:
        output.result({"format": format_, "file": str(out), "bytes": len(data)})
    else:
        output.put(f"Wrote {out}: {format_}, {len(data)} bytes.")
