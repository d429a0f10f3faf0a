"""`compliance import`: evidence from the result files of other tools."""

import os
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import MUST_CHANGE
from compliance.cli.findings import block

if TYPE_CHECKING:
    from compliance.services.importing import Outcome


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Result files, or folders of them.")],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@VERSION",
            help="Model version that the results are about (default: the newest on record of the system's model).",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME@VERSION", help="Dataset that was measured on or validated.")
    ] = None,
    plan: Annotated[str | None, typer.Option(metavar="NAME@VERSION", help="Acceptance plan they are held to.")] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="evaluation or safety-result, where the file could be either.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="WORD", help="Category of safety results, such as robustness or bias.")
    ] = None,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Role of a dataset that is described.")] = None,
    truth: Annotated[
        str | None, typer.Option(metavar="COL", help="Of predictions: column with the reference standard.")
    ] = None,
    score: Annotated[str | None, typer.Option(metavar="COL", help="Of predictions: column with the score.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Of predictions: column to report groups by; may be repeated."),
    ] = None,
    cases: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="How many cases there should be, where a file cannot show it."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be logged, and log nothing.")] = False,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Recognise other tools' results by their content and log them, the original bytes attached.

    Incomplete results are logged as incomplete and never count as a pass; bytes that are on record add nothing.
    What one file lacks stops no other. Exit code 0: all is on record. Exit code 2: nobody recognises a file that
    was named (one found in a folder is only listed), a file is damaged (its original is then kept), or something
    must be said that no file can say; the table tells which, and what to do.
    """
    from compliance.importers import Given
    from compliance.services import importing
    from compliance.services.workspace import Workspace

    given = Given(kind, category, role, truth, score, tuple(group or ()), cases)
    with Workspace.open(workspace) as ws:
        named = importing.resolve(ws, importing.Named(model, dataset, plan))
        if named.model and model is None:
            output.say(f"Results are taken to be about {named.model}; --model names another version.")
        with output.progress("Importing", quiet=as_json) as progress:
            outcomes = importing.run(ws, files, given=given, named=named, dry_run=dry_run, key=key, progress=progress)
    if as_json:
        output.result([outcome.to_json() for outcome in outcomes])
    else:
        _told(outcomes, dry_run)
    if any(outcome.refused for outcome in outcomes):
        raise typer.Exit(MUST_CHANGE)


def _shared(files: list[str]) -> str:
    """Return the folder that all files lie in, with its `/`; none where there is none, or only one file."""
    if len(set(files)) < 2 or len({file.startswith("/") for file in files}) > 1:
        return ""
    folder = os.path.commonpath([os.path.dirname(file) for file in files]).rstrip("/") + "/"
    return folder if all(file.startswith(folder) for file in files) else ""


def _told(outcomes: "list[Outcome]", dry_run: bool) -> None:
    """Print a table where programs read it; on a terminal, where paths would wrap, each file above what it says."""
    folder = _shared([outcome.file for outcome in outcomes])
    if folder:
        output.say(f"Files are named as they lie in {folder}.")
    if sys.stdout.isatty():
        for file, of_file in groupby(outcomes, key=lambda one: one.file[len(folder) :]):
            output.put(output.line(file))
            for one in of_file:
                said = [part for part in (one.evidence, one.tool, one.kind, one.completeness) if part]
                block(f"{' · '.join(said)}{': ' if said and one.reason else ''}{one.reason or ''}", 2, 6)
    else:
        output.table(
            ("file", "tool", "kind", "completeness", "evidence", "why"),
            [
                (
                    one.file[len(folder) :],
                    one.tool or "-",
                    one.kind or "-",
                    one.completeness or "-",
                    one.evidence or "-",
                    one.reason or "",
                )
                for one in outcomes
            ],
        )
    new, unknown = sum(one.new for one in outcomes), sum(one.tool is None for one in outcomes)
    stand = sum(not one.new and one.kind is not None for one in outcomes)
    asked = len(outcomes) - new - unknown - stand
    verb = "would be logged" if dry_run else "logged"
    output.say(f"{new} {verb}, {stand} on record already, {asked} in need of an option, {unknown} not recognised.")
    if any(outcome.refused for outcome in outcomes):
        output.say("Mend what is said of the others, or say it with an option, and import them again.")
