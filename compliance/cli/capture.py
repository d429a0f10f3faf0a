"""`compliance capture`: evidence from what MLflow already holds."""

from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail
from compliance.cli.log import told

if TYPE_CHECKING:
    from compliance.services.completeness import Look


def capture(
    run: Annotated[list[str] | None, typer.Option(metavar="ID", help="MLflow run; may be repeated.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[@VERSION]", help="Registered model, newest version if none.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All tracked runs and model versions, then what is left without evidence.")
    ] = False,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make evidence of finished runs or registered model versions, and say what has none.

    What is tracked stands in compliance.toml, under `mlflow`: `experiments` and `models`, names or patterns.
    """
    if bool(run) + bool(model) + everything != 1:
        fail(
            "Give one of --run, --model and --all.",
            "--run takes a run id, --model a registered model's NAME or NAME@VERSION.",
        )
    from compliance.services import capture as capturing
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws, output.progress("Reading MLflow", quiet=as_json):
        if everything:
            from compliance.services.completeness import capture_all

            look = capture_all(ws, key=key)
        elif model:
            logged = capturing.capture_model(ws, model, key=key)
        else:
            logged = [piece for run_id in run or [] for piece in capturing.capture_run(ws, run_id, key=key)]
    if everything:
        _told_all(look, as_json)
    else:
        told(logged, as_json)


def _told_all(look: "Look", as_json: bool) -> None:
    if as_json:
        output.result({"logged": [piece.to_json() for piece in look.logged], **look.to_dict()})
        return
    told(look.logged, as_json)
    seen = ", ".join(f"{count} {what}s" for what, count in look.counts.items())
    output.put()
    if not look.uncovered:
        output.put(f"Seen: {seen}. All have evidence.")
        return
    output.put(f"Seen: {seen}. Without valid evidence:")
    output.table(
        ("what", "name", "state", "id"),
        [(one["what"], one["name"], one["state"], one.get("detail") or one.get("id", "")) for one in look.uncovered],
    )
