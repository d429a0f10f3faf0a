"""Options that many commands share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

WorkspaceDir = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Workspace folder (default: the nearest one upwards with a compliance.toml).",
    ),
]
AnyWorkspace = Annotated[
    Path | None,
    typer.Option("--workspace", metavar="DIR", help="Taken by every command; this one reads no workspace."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Key = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help="Signing key, by name or URI (default: the workspace's).")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME@VERSION", help="Model version (default: the newest on record of the system's model)."),
]
Catalogs = Annotated[
    list[str] | None, typer.Option("--catalog", metavar="ID", help="Catalog; may be repeated (default: the system's).")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Judge as on this day, for example 2026-11-23.")
]
