"""`compliance dataset …`."""

from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import COULD_NOT, DOES_NOT_HOLD

if TYPE_CHECKING:
    from compliance.services.datasets import Comparison


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Dataset, NAME@VERSION.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Dataset, NAME@VERSION.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure how many records and patients two datasets share, without showing one.

    Exit 1 if they share any, 3 if that cannot be told.
    """
    from compliance.services import datasets
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = datasets.compare(ws, first, second)
    if as_json:
        output.result(found.to_dict())
    else:
        _show(found)
    if found.undecided:
        raise typer.Exit(COULD_NOT)
    if found.shared:
        raise typer.Exit(DOES_NOT_HOLD)


def _show(found: "Comparison") -> None:
    told = found.to_dict()
    output.fields(
        (name.replace("_", " "), told[name])
        for name in ("shared_records", "shared_patients", "note")
        if told[name] is not None
    )
    rows = [
        [part, *("not counted" if size[part] is None else size[part] for size in found.sizes)]
        for part in ("rows", "patients")
    ]
    for row in found.composition:
        group = ", ".join(f"{name} {value}" for name, value in row["group"].items())
        rows.append([group, row["first"] or "none", row["second"] or "none"])
    output.put()
    output.table(["", found.first, found.second], rows)
