"""Requirements and what the evidence on record says about each."""

from collections.abc import Callable
from typing import Any

from fastapi import Response

from compliance.core.findings import Finding, Verdict
from compliance.portal import tables
from compliance.portal.views.overview import assessed, chosen_model, counts
from compliance.portal.web import NotHere, Visit

PAGE = 100
BINDS = {
    "P": "provider", "M": "product or device manufacturer", "D": "deployer", "G": "provider of a general-purpose model",
    "GS": "provider of a general-purpose model with systemic risk", "AR": "authorised representative",
    "IMP": "importer", "DIS": "distributor", "NB": "notified body", "MSA": "market surveillance authority",
    "SUP": "supplier", "S": "sponsor or manufacturer", "RS": "electronic record system", "U": "signer or user",
    "QMS": "owner of the quality system",
}  # fmt: skip
"""The catalogs' codes for whom a row binds."""
COLUMNS = (
    "requirement",
    "catalog",
    "ref",
    "text",
    "finding",
    "reason",
    "evidence",
    "against",
    "next",
    "binding",
    "applies_from",
)


async def listed(visit: Visit) -> Response:
    """GET /requirements"""
    model = chosen_model(visit)
    assessment, findings, problem = await assessed(visit, model)
    found = _narrowed(visit, findings)
    pages = max((len(found) + PAGE - 1) // PAGE, 1)
    asked = visit.query.get("page", "1")
    number = min(int(asked), pages) if asked.isdecimal() and asked != "0" else 1
    return visit.pages.render(
        visit, "requirements.html", nav="requirements", model=model, assessment=assessment, problem=problem,
        shown=found[(number - 1) * PAGE : number * PAGE], total=len(found), of=len(findings), counts=counts(findings),
        catalogs=visit.scope.catalogs_of(dict.fromkeys(one.catalog for one in findings)),
        models=[name for name in visit.records.models if visit.scope.has_model(name)],
        verdicts=[verdict.value for verdict in Verdict], page=number, pages=pages, wanted=_wanted(visit),
    )  # fmt: skip


def exported(kind: str) -> Callable[[Visit], Any]:
    """GET /requirements.csv and /requirements.json: the same rows as the page, unpaged."""

    async def handler(visit: Visit) -> Response:
        _, findings, _ = await assessed(visit, chosen_model(visit))
        rows = [{**one.to_dict(), "text": one.requirement.text} for one in _narrowed(visit, findings)]
        if kind == "csv":
            return tables.as_csv(rows, COLUMNS, "requirements")
        return tables.as_json(rows, "requirements")

    return handler


async def shown(visit: Visit) -> Response:
    """GET /requirements/{id}"""
    model = chosen_model(visit)
    assessment, findings, _ = await assessed(visit, model)
    wanted = visit.request.path_params["id"]
    place = next((place for place, one in enumerate(findings) if one.requirement.id == wanted), None)
    if place is None:
        raise NotHere
    finding = findings[place]
    needs = list(zip(finding.requirement.needs, finding.needs, strict=True)) if finding.needs else []
    return visit.pages.render(
        visit, "requirement.html", nav="requirements", finding=finding, model=model, assessment=assessment,
        needs=needs, unweighed=finding.requirement.needs if not finding.needs else (),
        for_it=[_line(visit, number) for number in finding.evidence],
        against=[_line(visit, number) for number in finding.against],
        bound=[BINDS.get(code, code) for code in finding.requirement.binds],
        before=findings[place - 1].requirement if place else None,
        after=findings[place + 1].requirement if place + 1 < len(findings) else None,
    )  # fmt: skip


def _line(visit: Visit, number: str) -> tuple[str, str, str, str]:
    """Return number, kind, title and state of a piece of evidence, or its bare number outside the scope."""
    if not visit.sees_number(number):
        return number, "", "outside the scope of your grant", ""
    record = visit.record(number)
    return number, record.kind, record.title, visit.records.state(record)


def _wanted(visit: Visit) -> dict[str, str]:
    return {name: visit.query.get(name, "") for name in ("catalog", "finding", "binding", "q")}


def _narrowed(visit: Visit, findings: list[Finding]) -> list[Finding]:
    wanted = _wanted(visit)
    words = wanted["q"].lower().split()
    return [
        one
        for one in findings
        if (not wanted["catalog"] or one.catalog == wanted["catalog"])
        and (not wanted["finding"] or one.finding.value == wanted["finding"])
        and (not wanted["binding"] or one.binding == (wanted["binding"] == "yes"))
        and (not words or all(word in _words(one) for word in words))
    ]


def _words(finding: Finding) -> str:
    row = finding.requirement
    return f"{row.id} {row.ref} {row.text} {finding.reason} {' '.join(finding.evidence)}".lower()
