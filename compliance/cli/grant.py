"""`compliance grant …`: an auditor's permission to read."""

from typing import Annotated

import typer

from compliance.cli import options, output


def create(
    holder: Annotated[str, typer.Argument(help="Who may read, as the access log shall name them.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="Days until it ends.")] = 30,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME@VERSION", help="Only these model versions.")] = None,
    catalog: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these catalogs.")] = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Address of the portal, as the auditor reaches it.")
    ] = "http://127.0.0.1:8321",
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a link that lets one person read. It is shown once; only its hash is kept."""
    from compliance.services import grants
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        link = grants.create(ws, holder, days, model or [], catalog or [])
    address = url.rstrip("/") + link
    if as_json:
        output.result({"holder": holder, "days": days, "link": address})
        return
    output.put(address)
    output.say(f"Opens for {holder} for {days} days. It is shown only now; send it by a channel you trust.")


def list_(workspace: options.WorkspaceDir = None, as_json: options.AsJson = False) -> None:
    """List the grants, with scope and end."""
    from compliance.services import grants
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = grants.list_(ws)
    if as_json:
        output.result([grant.to_dict() for grant in found])
        return
    if not found:
        output.say("No grant was made.")
        return
    output.table(
        ("grant", "holder", "scope", "until", "state"),
        [(g.id, g.holder, ", ".join((*g.models, *g.catalogs)) or "everything", g.expires_at, g.state) for g in found],
    )


def revoke(
    grant: Annotated[str, typer.Argument(help="Its id, from `compliance grant list`.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """End a grant now; sessions opened with it end too."""
    from compliance.services import grants
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        grants.revoke(ws, grant)
    if as_json:
        output.result({"grant": grant, "revoked": True})
        return
    output.put(f"Ended grant {grant}.")
