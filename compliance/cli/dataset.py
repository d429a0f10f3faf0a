"""`compliance dataset …`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import COULD_NOT, DOES_NOT_HOLD, fail

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


def propose(
    path: Annotated[Path, typer.Argument(help="Table, or folder of tables.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to write the suite (JSON).")],
    patient: Annotated[
        str | None, typer.Option(metavar="COL", help="Column that identifies the patient; nothing is proposed of it.")
    ] = None,
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Propose a suite of expectations from what the data show, for a person to edit.

    Each line says why. It describes these data; what they should be is yours to write.
    """
    from compliance.services import datasets, suites

    if out.exists():
        fail(f"{out} is there already.", "Name another file: an edited suite is not written over.")
    data, _, _ = datasets.read(path)
    if data.table is None or not data.is_rows:
        fail(f"{path} holds no table.", "Give a table, or a folder of tables with the same columns.")
    suite = suites.propose(data.table, out.stem, patient=patient)
    out.write_text(json.dumps(suite, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        output.result({"file": str(out), "expectations": len(suite["expectations"])})
        return
    output.say(f"Proposed {len(suite['expectations'])} expectations in {out}. Read and edit each before you use it.")


def _show(found: "Comparison") -> None:
    told = found.to_dict()
    output.fields(
        (name.replace("_", " "), told[name])
        for name in ("shared_records", "shared_patients", "note", "limits")
        if told[name] is not None
    )
    rows = [
        [part, *("not counted" if size[part] is None else size[part] for size in found.sizes), ""]
        for part in ("rows", "patients")
    ]
    for row in found.composition:
        group = ", ".join(f"{name} {value}" for name, value in row["group"].items())
        rows.append([group, row["first"] or "none", row["second"] or "none", row["difference"] or ""])
    output.put()
    output.table(["", found.first, found.second, "difference"], rows)
