"""`compliance approve`, `determine` and `revoke`: what people decide and sign."""

from typing import Annotated, Any

import typer

from compliance.cli import options
from compliance.cli.log import told


def approve(
    evidence: Annotated[
        list[str], typer.Argument(metavar="EV...|DOSSIER.json", help="Evidence numbers, or a dossier's JSON.")
    ],
    meaning: Annotated[str, typer.Option(metavar="MEANING", help="authored, reviewed or approved.")],
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="On what grounds.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day on which it counts.")] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Sign an approval of evidence or of a dossier, with a person's key."""
    from compliance.services import acts
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(acts.approve(ws, evidence, meaning, key, reason=reason, until=until), as_json)


def determine(
    requirement: Annotated[list[str], typer.Argument(metavar="REQUIREMENT...", help="Requirement ids.")],
    decision: Annotated[
        str, typer.Option(metavar="DECISION", help="met, not-met, not-applicable, carried-over or known-gap.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, in words an auditor will read.")],
    model: options.Model = None,
    carry: Annotated[
        list[str] | None, typer.Option(metavar="EV", help="Evidence of an earlier version that counts for this one.")
    ] = None,
    based_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EV", help="Evidence that the decision rests on; to carry over, the planned change that allows it."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day on which it counts.")] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Sign a decision about requirements that no machine can take."""
    from compliance.services import acts
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        named: dict[str, Any] = {"carry": carry or [], "based_on": based_on or []}
        named |= {"valid_until": until} if until else {}
        told(acts.determine(ws, requirement, model, decision, reason, **named, key=key), as_json)


def revoke(
    evidence: Annotated[str, typer.Argument(metavar="EV", help="Evidence number.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, in words an auditor will read.")],
    erase: Annotated[
        str | None,
        typer.Option(metavar="LEGAL-BASIS", help="Also erase its envelope, as this law asks; entry and digest remain."),
    ] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Withdraw a piece of evidence. It stays on record, marked as revoked."""
    from compliance.services import acts
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(acts.revoke(ws, evidence, reason, erase=erase, key=key), as_json)
