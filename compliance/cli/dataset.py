"""`compliance dataset …`."""

from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import DOES_NOT_HOLD


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Dataset, NAME@VERSION.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Dataset, NAME@VERSION.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure how many records and patients two datasets share, without showing one: exit 1 if any."""
    from compliance.services import datasets
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        overlap = datasets.compare(ws, first, second)
    if as_json:
        output.result(overlap.to_dict())
    else:
        output.fields((name.replace("_", " "), value) for name, value in overlap.to_dict().items() if value != "")
    if overlap.shared:
        raise typer.Exit(DOES_NOT_HOLD)
