"""`compliance catalog …`: bodies of requirements, as data."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.cli import options, output
from compliance.cli.findings import block
from compliance.errors import UnknownReference

if TYPE_CHECKING:
    from compliance.core.catalog import Catalog, Requirement
    from compliance.core.catalog_diff import Cell
    from compliance.services.catalog_diff import Consequences
    from compliance.services.catalogs import Tally
    from compliance.services.workspace import Workspace


def list_(workspace: options.WorkspaceDir = None, as_json: options.AsJson = False) -> None:
    """List the catalogs that ship, those that plugins bring and, inside a workspace, its own as they were signed."""
    from compliance.services import catalogs, own_catalogs

    with _workspace(workspace) as ws:
        own = {each.catalog.id: each for each in own_catalogs.signed(ws)} if ws else {}
    found = [
        {
            "id": c.id,
            "version": c.version,
            "date": c.date,
            "title": c.title,
            "requirements": len(c.requirements),
            "sha256": own[c.id].sha256 if c.id in own else catalogs.sha256(c.id),
        }
        for c in [*catalogs.available(), *(each.catalog for each in own.values())]
    ]
    if as_json:
        output.result(found)
        return
    output.table(
        ("id", "version", "title", "requirements"),
        [(c["id"], c["version"], c["title"], c["requirements"]) for c in found],
    )


def show(
    wanted: Annotated[
        str,
        typer.Argument(metavar="CATALOG|REQUIREMENT", help="Id of a catalog, or of one requirement."),
    ],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a catalog's requirements, or one requirement in full.

    A requirement is shown with its legal status and dates, the systems that it reaches, what evidence shows it, the
    question that only a person can answer, and the requirements of other bodies that the same evidence answers.
    """
    catalog, rows = _wanted(wanted, workspace)
    one = len(rows) == 1 and rows[0].id == wanted
    if as_json:
        output.result(
            {
                "id": catalog.id,
                "version": catalog.version,
                "date": catalog.date,
                "title": catalog.title,
                "publisher": catalog.publisher,
                "requirements": [r.model_dump(mode="json", exclude_none=True, by_alias=True) for r in rows],
            }
        )
    elif one:
        _requirement(catalog, rows[0])
    else:
        block(f"{catalog.title}, version {catalog.version}", 0)
        output.put()
        output.table(("requirement", "citation", "text"), [(r.id, r.ref, r.text) for r in rows])


def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Catalog file, YAML (default: all catalogs at hand).")
    ] = None,
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a catalog: structure, ids, dates, needs against the kinds they name; count how its rows are answered.

    A row is answered by needs, which a machine judges, by a question to a person, or by both.
    """
    from compliance.services import catalogs

    checked = [catalogs.check(file)] if file else [catalogs.check(catalogs.path_of(name)) for name in catalogs.ids()]
    tallies = [catalogs.tally(catalog) for catalog in checked]
    if as_json:
        counted = [
            {"id": c.id, "version": c.version, "ok": True, **_counts(t)} for c, t in zip(checked, tallies, strict=True)
        ]
        output.result(counted[0] if file else counted)
        return
    _table(tallies)
    subject = f"{file}: {checked[0].id} {checked[0].version}" if file else f"{len(checked)} catalogs"
    output.say(f"{subject}: nothing is wrong.")
    if file and checked[0].id in catalogs.ids():
        output.say(f"  {checked[0].id} is the id of a catalog at hand: `compliance catalog diff` compares the two.")
        output.say("  To use yours in a system, give it and its rows ids of their own.")


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Catalog file or id, as it was.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Catalog file or id, as it is to be.")],
    model: options.Model = None,
    as_of: options.AsOf = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what B changes of A: new and removed rows, moved dates, changed cells.

    Inside a workspace also which findings would change for its system and model version, were B to take A's place.
    """
    from compliance.services import catalog_diff

    with _workspace(workspace) as ws:
        told = catalog_diff.diff(before, after, ws, model=model, as_of=as_of)
    if as_json:
        output.result(told.to_dict())
    else:
        _print_diff(told)


def _print_diff(told: "Consequences") -> None:
    text = told.diff
    heads = (f"{c.id} {c.version} of {c.date}" for c in (text.before, text.after))
    output.put(" → ".join(heads))
    if text.empty:
        output.put("No row differs.")
    elif (text.before.id, text.before.version) == (text.after.id, text.after.version):
        output.say("Both call themselves the same version: give the new text a version and a date of its own.")
    for title, rows in (("New", text.new), ("Removed", text.removed)):
        if rows:
            output.heading(f"{title}: {len(rows)}")
        for row in rows:
            output.put(f"  {row.id}  {row.ref}")
            block(f"{row.status}: {row.text}", 6)
    for title, changes in (("Dates and status", text.moved), ("Changed", text.changed)):
        if changes:
            output.heading(f"{title}: {len(changes)}")
        alike: dict[tuple[Cell, ...], list[str]] = defaultdict(list)
        for change in changes:
            alike[change.cells].append(change.requirement)
        for cells, requirements in alike.items():
            block(", ".join(requirements), 2)
            for cell in cells:
                output.put(f"      {cell.name}")
                block(f"- {cell.before or '(nothing)'}", 8)
                block(f"+ {cell.after or '(nothing)'}", 8)
    if told.as_of:
        output.heading(f"Findings that change for {told.model or 'no model version'}: {len(told.findings)}")
        for moved in told.findings:
            output.put(f"  {moved.requirement}: {moved.before or 'no row'} → {moved.after or 'no row'}")
            block(moved.reason, 6)


def _counts(tally: "Tally") -> dict[str, Any]:
    counts = tally.to_dict()
    del counts["catalog"]
    return counts


def _table(tallies: "Sequence[Tally]") -> None:
    rows = [tuple(tally.to_dict().values()) for tally in tallies]
    if len(rows) > 1:
        rows.append(("all", *(sum(int(row[column]) for row in rows) for column in range(1, len(rows[0])))))
    output.table(("catalog", "rows", "needs only", "ask only", "both", "needs", "unmeasured"), rows)


def _wanted(name: str, workspace: Path | None) -> "tuple[Catalog, list[Requirement]]":
    """Return a file's or catalog's rows, or one row: of a catalog at hand, else of the workspace's own."""
    from compliance.services import catalogs, own_catalogs

    try:
        if "/" in name and not own_catalogs.is_file(name):
            catalog, row = catalogs.find(name)
            return catalog, [row]
        catalog = catalogs.check(Path(name)) if own_catalogs.is_file(name) else catalogs.load(name)
        return catalog, list(catalog.requirements)
    except UnknownReference:
        with _workspace(workspace) as ws:
            own = own_catalogs.find(ws, name) if ws else None
        if own is None:
            raise
        return own


@contextmanager
def _workspace(named: Path | None) -> "Iterator[Workspace | None]":
    """Open the workspace that is named, or the one around us; none where we stand in none."""
    from compliance.services import config
    from compliance.services.workspace import Workspace

    if named is None and not config.is_inside(Path.cwd()):
        yield None
        return
    with Workspace.open(named, read_only=True) as ws:
        yield ws


def _requirement(catalog: "Catalog", row: "Requirement") -> None:
    from compliance.core import wording

    output.put(f"{row.id}  {row.ref}")
    output.put()
    output.fields({"": row.text}, indent=0)
    output.put()
    pairs = [
        ("catalog", f"{catalog.id} {catalog.version}: {catalog.title}"),
        ("status", row.status),
        ("binds from", wording.dates(row)),
        ("reaches", wording.applicability(row)),
        ("binds" if row.is_law else "speaks to", wording.bound(row)),
        ("shown by", row.what_shows_it),
        ("kinds", ", ".join(row.evidence_kinds)),
        ("measurable", row.measurable),
        ("tier", wording.tier(row)),
        ("confidence", f"{row.confidence}; source {', '.join(row.source)}"),
    ]
    output.fields([(name, value) for name, value in pairs if value], indent=2)
    if row.needs:
        output.heading("Needs")
        output.fields([(need.id, "\n".join(wording.need(need))) for need in row.needs], indent=2)
    if row.unmeasured:
        output.heading("Why nothing is measured")
        output.fields({"": row.unmeasured})
    if row.ask:
        output.heading("A person decides")
        output.fields({"": row.ask})
    _crosswalks(row)


def _crosswalks(row: "Requirement") -> None:
    """Print which requirements of other bodies the same evidence answers, and who says so."""
    from compliance.services import crosswalks

    found = crosswalks.readings(row.id)
    if found:
        output.heading("The same evidence answers")
    for (evidence, said_by), requirements in found.items():
        block(", ".join(requirements), 2)
        block(f"{evidence} ({said_by})", 6)
