"""`compliance verify`: check without trusting anyone's server. Imports neither MLflow nor pydantic."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import COULD_NOT, DOES_NOT_HOLD


def verify(
    target: Annotated[
        str | None,
        typer.Argument(metavar="EV|BUNDLE|PDF", help="Evidence number or file (default: the whole workspace)."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="CHECKPOINT", help="Checkpoint file or log key kept elsewhere, which the ledger must extend."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also compare everything that was written to MLflow.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no connection, whatever else is asked.")] = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Check every signature, digest and proof, and name the first record that does not hold."""
    from compliance.services import verify as verifying

    start = workspace or Path.cwd()
    if target is None:
        report = verifying.verify_workspace(start, against=against, all=everything and not offline)
    elif target.startswith("EV-"):
        report = verifying.verify_evidence(start, target)
    else:
        report = verifying.verify_bundle(Path(target), against=against)
    if as_json:
        output.result(report.to_dict())
    else:
        for problem in report.problems:
            output.put(f"{problem.evidence or 'ledger'}: {problem.problem}")
        pending = f", {report.pending} not in MLflow yet" if report.pending else ""
        found = len(report.problems)
        verdict = "holds" if report.ok else f"does not hold: {found} problem{'' if found == 1 else 's'}"
        output.put(f"{report.checked} checked{pending}; mirror {report.mirror}. It {verdict}.")
        for note in report.notes:
            output.say(note)
    if not report.ok:
        raise typer.Exit(DOES_NOT_HOLD)
    if report.mirror == "unreachable":
        raise typer.Exit(COULD_NOT)
