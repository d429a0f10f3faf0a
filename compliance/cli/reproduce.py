"""`compliance reproduce`: compute the figures of a piece of evidence again from the bytes that it names."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import DOES_NOT_HOLD


def reproduce(
    evidence: Annotated[str, typer.Argument(metavar="EV", help="Evaluation, safety result or dataset on record.")],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The data of a dataset, or a copy of the predictions; the digest must be that on record.",
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Print every figure, not only those that differ.")] = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Compute every figure of EV again from its own predictions or data, and say whether it still holds.

    Opens no connection. Exit 1 where a figure differs or the bytes are others, 3 where they are not there.
    """
    from compliance.services import reproduce as reproducing
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = reproducing.reproduce(ws, evidence, data)
    if as_json:
        output.result(found.to_dict())
    else:
        shown = [figure for figure in found.figures if figure.holds is False or (all_ and figure.holds)]
        if shown:
            output.table(
                ["figure", "group", "on record", "computed again", "verdict", "why"],
                [[f.name, f.group, f.claimed, f.recomputed, "holds" if f.holds else "differs", f.note] for f in shown],
            )
        left = [(f"{f.name} ({f.group})", f.note) for f in found.figures if f.holds is None]
        if left:
            output.heading("Not computed")
            output.fields(left, indent=2)
        verdict = "It holds" if found.holds else "It does not hold"
        output.put(
            f"{found.evidence} from {found.file} ({found.sha256[:12]}…): {found.count(True)} figures hold, "
            f"{found.count(False)} differ, {found.count(None)} not computed. {verdict}."
        )
    if not found.holds:
        raise typer.Exit(DOES_NOT_HOLD)
