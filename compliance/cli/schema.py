"""`compliance schema …`: the JSON Schemas of evidence and of needs, generated from the models."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output


def list_(workspace: options.AnyWorkspace = None, as_json: options.AsJson = False) -> None:
    """List the kinds of evidence, with predicate type and schema."""
    from compliance.services import schemas

    found = [{"kind": kind, "predicate_type": type_, "schema": name} for kind, type_, name in schemas.listing()]
    if as_json:
        output.result(found)
        return
    output.table(("kind", "predicate type"), [(f["kind"], f["predicate_type"]) for f in found])


def export(
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder to write evidence/ and needs/ into.")],
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the generated schemas: one per kind, one per need that a schema can decide."""
    from compliance.services import schemas

    written = schemas.export(directory)
    if as_json:
        output.result([str(path) for path in written])
        return
    output.put(f"Wrote {len(written)} schemas into {directory}")
