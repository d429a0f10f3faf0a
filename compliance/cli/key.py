"""`compliance key …`: signing keys. Trust is read from the ledger, never from a folder."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.log import told


def create(
    name: Annotated[str, typer.Argument(help="Name of the key, such as a function: demonstration-approver.")],
    algorithm: Annotated[str, typer.Option(metavar="ALGORITHM", help="p256 or ed25519.")] = "p256",
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a key pair in .compliance/keys, encrypted. `compliance key trust` registers it."""
    from compliance.services import keys
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        made = keys.create(ws, name, algorithm=algorithm)
    if as_json:
        output.result({"name": name, "hint": made.hint, "public_key": made.public_pem})
        return
    output.put(f"Made {name}: .compliance/keys/{name}.pem and {name}.pub")
    output.say(f"Register it: compliance key trust .compliance/keys/{name}.pub --holder … --person --role approver")


def list_(workspace: options.WorkspaceDir = None, as_json: options.AsJson = False) -> None:
    """List the keys that the ledger knows: holder, roles, validity."""
    from compliance.services import keys
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = keys.list_(ws)
    if as_json:
        output.result([key.to_dict() for key in found])
        return
    output.table(
        ("key", "holder", "type", "roles", "state"),
        [(k.name, k.holder, k.holder_type, ", ".join(k.roles), k.state) for k in found],
    )


def trust(
    public_key: Annotated[Path, typer.Argument(metavar="FILE.pub", help="Public key, PEM.")],
    holder: Annotated[str, typer.Option(metavar="TEXT", help="Whose key it is, as approvals will print it.")],
    role: Annotated[
        list[str], typer.Option(metavar="ROLE", help="recorder, reviewer, approver or admin; may be repeated.")
    ],
    person: Annotated[bool, typer.Option("--person/--pipeline", help="Approvals need a person's key.")] = True,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the key (default: the file's).")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day on which it may sign.")] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Register a public key in the ledger, signed by an admin."""
    from compliance.services import keys
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(
            keys.trust(
                ws,
                public_key,
                name=name or public_key.stem,
                holder=holder,
                holder_type="person" if person else "pipeline",
                roles=role,
                valid_until=until,
                key=key,
            ),
            as_json,
        )


def rotate(
    name: Annotated[str, typer.Argument(help="Key to replace.")],
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a new pair for the same holder and roles, and retire the old one."""
    from compliance.services import keys
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(keys.rotate(ws, name, key=key), as_json)


def revoke(
    name: Annotated[str, typer.Argument(help="Key to withdraw.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: lost, copied, holder left.")],
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Withdraw a key from now on. What it signed before stays valid."""
    from compliance.services import keys
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(keys.revoke(ws, name, reason=reason, key=key), as_json)
