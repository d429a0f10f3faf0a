"""`compliance capture`: evidence from what MLflow already holds."""

from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail
from compliance.cli.log import told


def capture(
    run: Annotated[list[str] | None, typer.Option(metavar="ID", help="MLflow run; may be repeated.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[@VERSION]", help="Registered model, newest version if none.")
    ] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make evidence of finished runs or of a registered model version."""
    if bool(run) == bool(model):
        fail(
            "Give either --run or --model.", "--run takes a run id, --model a registered model's NAME or NAME@VERSION."
        )
    from compliance.services import capture as capturing
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws, output.progress("Reading MLflow", quiet=as_json):
        if model:
            logged = capturing.capture_model(ws, model, key=key)
        else:
            logged = [piece for run_id in run or [] for piece in capturing.capture_run(ws, run_id, key=key)]
    told(logged, as_json)
