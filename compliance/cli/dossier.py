"""`compliance dossier …`: documents compiled from an assessment and its evidence."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import DOES_NOT_HOLD


def list_(workspace: options.AnyWorkspace = None, as_json: options.AsJson = False) -> None:
    """List the dossiers that can be built."""
    from compliance.services import dossiers

    found = [{"id": entry.id, "title": entry.title, "version": entry.version} for entry in dossiers.available()]
    if as_json:
        output.result(found)
        return
    output.table(("id", "title", "version"), [(d["id"], d["title"], d["version"]) for d in found])


def build(
    dossier: Annotated[str, typer.Argument(metavar="ID", help="Which dossier; `compliance dossier list` names them.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder for the files (default: dossiers/).")
    ] = None,
    model: options.Model = None,
    at: Annotated[
        str | None, typer.Option(metavar="EV", help="Cut off after this entry of the ledger (default: the last).")
    ] = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Compile a dossier: submission PDF, signed archive PDF, HTML, JSON and bundle."""
    from compliance.services import dossiers
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws, output.progress("Compiling", quiet=as_json):
        built = dossiers.build(ws, dossier, model=model, out=out or ws.root / "dossiers", at=at)
    if as_json:
        output.result(built.to_dict())
        return
    for path in built.paths:
        output.put(path)
    output.say(", ".join(f"{count} {finding}" for finding, count in built.counts.items() if count))
    output.say(f"Digest of its content, which approvals name: {built.digest}")


def check(
    file: Annotated[Path, typer.Argument(help="A PDF or bundle that a dossier build made.")],
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a dossier file: fonts, tags, links, active content, signature, and the evidence it carries."""
    from compliance.services import dossiers

    report = dossiers.check(file)
    if as_json:
        output.result(report.to_dict())
    else:
        output.table(
            ("rule", "result", "detail"),
            [(r.rule, "ok" if r.ok else "problem", r.detail) for r in report.results],
        )
    if not report.ok:
        raise typer.Exit(DOES_NOT_HOLD)
