"""One need against one statement: does it speak of this need at all, and what does it lack?

The compiled JSON Schema decides (`jsonschema_rs`, which here resolves no reference); this module says in words why
it said no. Conditions that select (a category, a document's type, a metric's name) make other evidence
irrelevant; all other conditions make it insufficient. A data role is no selection: results on the wrong data are
evidence that cannot carry the claim, and that is said.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

import jsonschema_rs

from compliance.core import criteria
from compliance.core.catalog import ANY_GROUP, INTERVAL, Metrics, Need, compile_need
from compliance.core.evidence import Evidence
from compliance.errors import InvalidInput

EMPTY: tuple[Any, ...] = (None, "", [], {})


def _refuse(uri: str) -> NoReturn:
    raise InvalidInput(f"A need's schema refers to {uri}.", remedy="Nothing is fetched: write the condition out.")


def validator(requirement: str, need: Need) -> jsonschema_rs.Draft202012Validator:
    """Return the compiled schema of a need."""
    return jsonschema_rs.Draft202012Validator(compile_need(requirement, need), retriever=_refuse)


def at(content: Any, path: str) -> list[Any]:
    """Return the values at a path such as `dataset.role` or `hazards[].controls`; None for a field that is missing."""
    values = [content]
    for name, many in _steps(path):
        below = [value.get(name) if isinstance(value, dict) else None for value in values]
        values = [item for value in below for item in (value or [None])] if many else below
    return values


@cache
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in path.split("."))


def selects(need: Need, content: Mapping[str, Any]) -> bool:
    """Say whether evidence of the need's kind speaks of what the need is about."""
    for path, allowed in need.where.items():
        if not _is_role(path) and not any(value in allowed for value in at(content, path)):
            return False
    return need.metrics is None or any(row["name"] in need.metrics.any_of for row in criteria.rows(content))


def lacks(need: Need, piece: Evidence) -> str | None:
    """Return what a statement lacks of its need's schema, in one sentence, or None where it lacks nothing.

    In words, and sooner than the schema; it never finds fault with what the schema accepts.
    """
    number, content = piece.number, piece.content
    for path, allowed in need.where.items():
        found = [value for value in at(content, path) if value is not None]
        if not any(value in allowed for value in found):
            wanted = " or ".join(map(str, allowed))
            if _is_role(path):
                return f"Wrong data role: {number} rests on {_listed(found) or 'no'} data, not on {wanted} data."
            return f"{number} says {_listed(found) or 'nothing'} for {path}, not {wanted}."
    for path in need.fields:
        if any(value in EMPTY for value in at(content, path)):
            return f"{number} leaves out {path}."
    if need.metrics and (why := _lacking_rows(need.metrics, number, content)):
        return why
    for group in need.groups:
        if len(_groups(need, content, group)) < 2:
            what = "any groups" if group == ANY_GROUP else f"groups by {group}"
            return f"{number} does not report its results for {what}, with intervals."
    return None


def _lacking_rows(metrics: Metrics, number: str, content: Mapping[str, Any]) -> str | None:
    named = [row for row in criteria.rows(content) if row["name"] in metrics.any_of]
    names = _listed(sorted({row["name"] for row in named}))
    if metrics.interval and not any(all(row.get(field) is not None for field in INTERVAL) for row in named):
        return f"{number} reports {names} with no interval."
    if metrics.min_n and not any((row.get("n") or 0) >= metrics.min_n for row in named):
        largest = max((row.get("n") or 0 for row in named), default=0)
        return f"Too few cases: {number} reports {names} with n {largest}, the need asks for {metrics.min_n}."
    return None


def _groups(need: Need, content: Mapping[str, Any], group: str) -> list[Mapping[str, Any]]:
    """Return the rows that break a metric of the need down by an attribute, as its schema counts them."""
    found = []
    for row in criteria.rows(content):
        by = row.get("group") or {}
        named = need.metrics is None or row["name"] in need.metrics.any_of
        bounded = not (need.metrics and need.metrics.interval) or all(row.get(field) is not None for field in INTERVAL)
        if by and named and bounded and (group == ANY_GROUP or group in by):
            found.append(row)
    return found


def _is_role(path: str) -> bool:
    return path.endswith(".role")


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values))
