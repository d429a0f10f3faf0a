"""The first page: which system this is, what was found, whether the store holds, and what is in scope."""

from collections import Counter

from fastapi import Response

from compliance.core.findings import Assessment, Finding, Verdict
from compliance.errors import ComplianceError, UnknownReference
from compliance.portal.records import Filter
from compliance.portal.web import NotHere, Visit


def chosen_model(visit: Visit) -> str | None:
    """Return the model version that the address names, or the one meant where it names none."""
    visible = [name for name in visit.records.models if visit.scope.has_model(name)]
    asked = visit.query.get("model")
    if asked:
        if asked not in visible:
            raise NotHere
        return asked
    return visit.portal.default_model(visible)


async def assessed(visit: Visit, model: str | None) -> tuple[Assessment | None, list[Finding], str]:
    """Return the assessment, its findings in scope, and why there is none where there is none."""
    if model is None and visit.scope.models is not None:
        return None, [], "No model version in the scope of this grant is on record."
    try:
        assessment = await visit.portal.assessment(model)
    except UnknownReference as error:
        return None, [], error.problem
    found = [finding for finding in assessment.findings if visit.scope.has_catalog(finding.catalog)]
    return assessment, found, ""


def counts(findings: list[Finding]) -> list[tuple[str, int]]:
    """Return how often each verdict was found, in the order from good to bad to not applicable."""
    found = Counter(finding.finding for finding in findings)
    return [(verdict.value, found[verdict]) for verdict in Verdict]


async def overview(visit: Visit) -> Response:
    """GET /"""
    model = chosen_model(visit)
    assessment, findings, problem = await assessed(visit, model)
    catalogs = dict.fromkeys(one.catalog for one in findings)
    by_catalog = [(name, counts([one for one in findings if one.catalog == name])) for name in catalogs]
    failed = [one for one in findings if one.finding is Verdict.FAILED]
    integrity = await visit.portal.integrity()
    try:
        profile = visit.portal.ws.signed_profile()
    except ComplianceError:
        profile = None
    return visit.pages.render(
        visit, "overview.html", nav="overview", model=model, models=_models(visit), assessment=assessment,
        problem=problem, by_catalog=by_catalog, integrity=integrity, profile=profile,
        facets=visit.records.facets(visit.scope),
        latest=[visit.records.rows[index] for index in reversed(visit.records.select(visit.scope, Filter())[-8:])],
        first_steps=failed[:8], failed=len(failed),
    )  # fmt: skip


def _models(visit: Visit) -> list[str]:
    return [name for name in visit.records.models if visit.scope.has_model(name)]
