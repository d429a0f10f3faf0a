"""`compliance catalog …`: bodies of requirements, as data."""

from pathlib import Path
from typing import Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail


def list_(workspace: options.AnyWorkspace = None, as_json: options.AsJson = False) -> None:
    """List the catalogs that ship, and those that plugins bring."""
    from compliance.services import catalogs

    found = [
        {"id": c.id, "version": c.version, "title": c.title, "requirements": len(c.requirements)}
        for c in catalogs.available()
    ]
    if as_json:
        output.result(found)
        return
    output.table(
        ("id", "version", "title", "requirements"),
        [(c["id"], c["version"], c["title"], c["requirements"]) for c in found],
    )


def show(
    catalog: Annotated[str, typer.Argument(metavar="ID", help="Catalog id, or the id of one requirement.")],
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a catalog's requirements, or one requirement in full."""
    from compliance.services import catalogs

    found = catalogs.load(catalog.partition("/")[0])
    wanted = [r for r in found.requirements if "/" not in catalog or r.id == catalog]
    if not wanted:
        fail(f"{catalog} is not in this catalog.", f"`compliance catalog show {found.id}` lists its requirements.")
    if as_json:
        output.result(
            {
                "id": found.id,
                "version": found.version,
                "title": found.title,
                "requirements": [r.model_dump(mode="json", exclude_none=True) for r in wanted],
            }
        )
    elif "/" in catalog:
        from compliance.cli.browse import flat

        output.fields(flat(wanted[0].model_dump(mode="json", exclude_none=True)))
    else:
        output.put(f"{found.title}, version {found.version}")
        output.put()
        output.table(("requirement", "citation", "text"), [(r.id, r.ref, r.text) for r in wanted])


def check(
    file: Annotated[Path, typer.Argument(help="Catalog file, YAML.")],
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a catalog file: structure, ids, dates, needs against the kinds they name."""
    from compliance.services import catalogs

    checked = catalogs.check(file)
    if as_json:
        output.result(
            {"id": checked.id, "version": checked.version, "requirements": len(checked.requirements), "ok": True}
        )
        return
    output.put(f"{file}: {checked.id} {checked.version} holds {len(checked.requirements)} requirements.")
