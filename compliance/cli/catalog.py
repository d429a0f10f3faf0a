"""`compliance catalog …`: bodies of requirements, as data."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.cli import options, output

if TYPE_CHECKING:
    from compliance.core.catalog import Catalog, Requirement
    from compliance.services.catalogs import Tally


def list_(workspace: options.AnyWorkspace = None, as_json: options.AsJson = False) -> None:
    """List the catalogs that ship, and those that plugins bring."""
    from compliance.services import catalogs

    found = [
        {
            "id": c.id,
            "version": c.version,
            "date": c.date,
            "title": c.title,
            "requirements": len(c.requirements),
            "sha256": catalogs.sha256(c.id),
        }
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
    wanted: Annotated[
        str,
        typer.Argument(metavar="CATALOG|REQUIREMENT", help="Id of a catalog, or of one requirement."),
    ],
    workspace: options.AnyWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a catalog's requirements, or one requirement in full.

    A requirement is shown with its legal status and dates, the systems that it reaches, what evidence shows it,
    and the question that only a person can answer.
    """
    from compliance.services import catalogs

    one = "/" in wanted
    catalog, rows = _one(wanted) if one else _whole(catalogs.load(wanted))
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
        output.put(f"{catalog.title}, version {catalog.version}")
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

    checked = [catalogs.check(file)] if file else catalogs.available()
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


def _counts(tally: "Tally") -> dict[str, Any]:
    counts = tally.to_dict()
    del counts["catalog"]
    return counts


def _table(tallies: "Sequence[Tally]") -> None:
    rows = [tuple(tally.to_dict().values()) for tally in tallies]
    if len(rows) > 1:
        rows.append(("all", *(sum(int(row[column]) for row in rows) for column in range(1, len(rows[0])))))
    output.table(("catalog", "rows", "needs only", "ask only", "both", "needs", "unmeasured"), rows)


def _one(requirement: str) -> "tuple[Catalog, list[Requirement]]":
    from compliance.services import catalogs

    catalog, row = catalogs.find(requirement)
    return catalog, [row]


def _whole(catalog: "Catalog") -> "tuple[Catalog, list[Requirement]]":
    return catalog, list(catalog.requirements)


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
        ("binds", wording.bound(row)),
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
