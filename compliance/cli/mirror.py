"""`compliance sync` and `rebuild`: the mirror in MLflow, and the way back from it."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import COULD_NOT


def sync(
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many pieces of evidence.")] = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Write to MLflow what is pending, and mend artifact paths after a workspace was moved."""
    from compliance.services import sync as syncing
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws, output.progress("Mirroring", quiet=as_json) as progress:
        report = syncing.sync(ws, limit=limit, step=lambda left: progress("Writing to MLflow", ws.ledger.size - left))
    if as_json:
        output.result(report.to_dict())
    else:
        output.put(f"{report.mirrored} mirrored, {report.pending} pending.")
        if report.mended:
            output.put(f"{report.mended} paths mended: this workspace had moved.")
        for problem in report.problems:
            output.say(problem)
    if report.problems:
        raise typer.Exit(COULD_NOT)


def rebuild(
    against: Annotated[
        str | None, typer.Option(metavar="CHECKPOINT", help="Checkpoint file to prove the result against.")
    ] = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Rebuild a lost ledger from MLflow, and prove it whole against the last checkpoint."""
    from compliance.services import config
    from compliance.services import rebuild as rebuilding

    with output.progress("Rebuilding", quiet=as_json):
        report = rebuilding.rebuild(config.find(workspace or Path.cwd()), against=against)
    if as_json:
        output.result(report.to_dict())
        return
    output.put(f"Rebuilt {report.entries} entries and {report.attachments} attachments; the ledger is whole.")
    for digest in report.missing_attachments:
        output.say(f"The attachment {digest} is not in MLflow: bring it back from a copy of the workspace.")
