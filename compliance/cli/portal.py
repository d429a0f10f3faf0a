"""`compliance portal`: serve the read-only portal."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail


def portal(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than loopback needs TLS in front.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8321,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Serve the read-only portal for auditors. Give access with `compliance grant create`."""
    import socket
    import sys

    from compliance.services import config

    root = config.find(workspace or Path.cwd())
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        fail(f"Cannot listen on {host}:{port}: {error.strerror}.", "Choose another --port, or 0 for a free one.")

    import uvicorn

    from compliance.portal.app import create_app

    app = create_app(root)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    if as_json:
        output.result({"url": address})
        sys.stdout.flush()
    output.say(f"Portal of {root.name} on {address} (Ctrl-C ends it).")
    output.say("Who may read: `compliance grant create`.")
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", server_header=False)).run(
        sockets=[listener]
    )
