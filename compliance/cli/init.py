"""`compliance init`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output


def init(
    system: Annotated[str, typer.Option(metavar="NAME", help="The AI system's name; its id is made from it.")],
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Who is responsible for it: the manufacturer or provider.")
    ],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make the workspace in.")] = Path(),
    catalog: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Catalog that applies; may be repeated.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the system's model (default: the system's id).")
    ] = None,
    purpose: Annotated[str | None, typer.Option(metavar="TEXT", help="Intended purpose, in a sentence.")] = None,
    origin: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the log, yours alone: a domain and path (default: PROVIDER/ID)."),
    ] = None,
    ledger: Annotated[
        str, typer.Option(metavar="URL", help="sqlite:/// or postgresql:// address of the ledger.")
    ] = "sqlite:///.compliance/ledger.db",
    mlflow: Annotated[
        str, typer.Option(metavar="URI", help="MLflow tracking URI of the mirror.")
    ] = "sqlite:///mlflow.db",
    passphrase_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the pass phrase, inside DIR. For demonstrations only."),
    ] = None,
    demonstration: Annotated[bool, typer.Option("--demonstration", help="Mark every page as a demonstration.")] = False,
    workspace: Annotated[Path | None, typer.Option("--workspace", metavar="DIR", help="The same as DIR.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a workspace: compliance.toml, two key pairs, and a ledger that begins with its own keys."""
    from compliance.core.system import Profile, System
    from compliance.services.config import MLflowConfig
    from compliance.services.workspace import Workspace

    wanted = catalog or []
    if wanted:
        from compliance.services import catalogs

        for id_ in wanted:
            catalogs.load(id_)  # refuses an id that nobody knows, before anything is made
    identity = slug(system)
    with Workspace.create(
        workspace or directory,
        system=System(
            id=identity,
            name=system,
            provider=provider,
            model=model or identity,
            catalogs=wanted,
            demonstration=demonstration,
        ),
        profile=Profile(intended_purpose=purpose) if purpose else None,
        origin=origin or f"{slug(provider).lower()}/{identity.lower()}",
        ledger_url=ledger,
        mlflow=MLflowConfig(tracking_uri=mlflow),
        passphrase_file=str(passphrase_file) if passphrase_file else None,
    ) as ws:
        made = {
            "workspace": str(ws.root),
            "system": identity,
            "log_key": ws.config.ledger.log_key,
            "genesis": ws.config.ledger.genesis,
        }
    if as_json:
        output.result(made)
        return
    output.put(f"Made a workspace for {system} in {made['workspace']}")
    output.fields({"log key": made["log_key"], "genesis": made["genesis"]}, indent=2)
    output.say("Keep the log key somewhere else as well: it tells a rewritten ledger from this one.")
    output.say("Next: fill in [profile] of compliance.toml, then `compliance log record compliance.toml`.")


def slug(text: str) -> str:
    """Return `text` as a name the product accepts: letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or "system"
