"""`compliance demo`: the whole of the product on two example systems."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output


def demo(
    directory: Annotated[
        Path, typer.Option("--workspace", metavar="DIR", help="Folder to make the two workspaces in.")
    ] = Path("build/demo"),
    as_json: options.AsJson = False,
) -> None:
    """Train, log, assess, compile and verify two example systems; asks nothing."""
    from compliance.services import demo as demonstration

    with output.progress("Demonstration", quiet=as_json) as progress:
        results = demonstration.run(directory, progress)
    if as_json:
        output.result([found.to_dict() for found in results])
        return
    for found in results:
        output.heading(found.title)
        output.fields(found.summary, indent=2)
