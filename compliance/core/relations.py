"""How the values of one record stand to those of another: dates in order, identities equal.

Dates and times compare by day where one of them is a day, or where days are added to the other one. Identities are
equal letter by letter: version 1.10 is not version 1.1. Numbers compare by what they count, written as text or not.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from compliance.core import paths
from compliance.core.catalog import Relation
from compliance.core.evidence import Evidence
from compliance.core.findings import Rule, Said
from compliance.core.paths import label

Counterpart = Callable[[str, Evidence], Evidence | None]
"""Kind and piece -> the newest live record of that kind about the same thing."""

_WORDS = {"equal": "equal to", "not-later": "not later than", "not-earlier": "not earlier than", "at-least": "at least"}
_DAY = len("2026-11-23")


def judged(relation: Relation, piece: Evidence, counterpart: Counterpart) -> Iterator[Said]:
    """Yield what stands otherwise than asked, and what is missing to tell."""
    other = piece if relation.kind is None else counterpart(relation.kind, piece)
    to_field = label(relation.to)
    if other is None:
        why = f"No {relation.kind} on record says {to_field}, to which {label(relation.path)} is held."
        yield Said(why, rule=Rule.NOT_COMPARABLE, field=relation.path)
        return
    for value, to in _pairs(relation, piece, other):
        if value in paths.EMPTY:
            yield Said(f"{piece.number} leaves out {label(relation.path)}.", field=relation.path)
        elif to in paths.EMPTY:
            why = f"{other.number} leaves out {to_field}, to which {label(relation.path)} is held."
            rule = Rule.FIELD_MISSING if other is piece else Rule.NOT_COMPARABLE
            yield Said(why, rule=rule, field=relation.to if other is piece else relation.path)
        else:
            yield from _told(relation, piece, other, value, to)


def _told(relation: Relation, piece: Evidence, other: Evidence, value: Any, to: Any) -> Iterator[Said]:
    where = "there" if other is piece else f"in {other.number}"
    added = f" plus {relation.days} days" if relation.days else ""
    wanted = f"{_WORDS[relation.relation]} {label(relation.to)} {where} ({to}{added})"
    says = f"{piece.number} says {value} for {label(relation.path)}"
    holds = stands(relation, value, to)
    if holds is None:
        why = f"{says}, which cannot be held to {label(relation.to)} ({to})."
        yield Said(why, rule=Rule.NOT_COMPARABLE, field=relation.path)
    elif not holds:
        yield Said(f"{says}, which must be {wanted}.", against=True, field=relation.path)


def _pairs(relation: Relation, piece: Evidence, other: Evidence) -> Iterator[tuple[Any, Any]]:
    """Yield the values to hold to each other: within one item where both paths go into the same list."""
    prefix = _shared_list(relation.path, relation.to) if other is piece else ""
    if not prefix:
        for value in paths.at(piece.content, relation.path):
            yield from ((value, to) for to in paths.at(other.content, relation.to))
        return
    for item in paths.at(piece.content, prefix):
        for value in paths.at(item, relation.path[len(prefix) + 1 :]):
            yield from ((value, to) for to in paths.at(item, relation.to[len(prefix) + 1 :]))


def _shared_list(path: str, to: str) -> str:
    """Return the deepest list that both paths go into: `reports[]` of `reports[].sent` and `reports[].due`."""
    shared: list[str] = []
    mine, theirs = path.split("."), to.split(".")
    for one, two in zip(mine[:-1], theirs[:-1], strict=False):
        if one != two:
            break
        shared.append(one)
    while shared and not shared[-1].endswith("[]"):
        shared.pop()
    return ".".join(shared)


def stands(relation: Relation, value: Any, to: Any) -> bool | None:
    """Say whether value stands so to the other; None where they are no dates, or no numbers."""
    if relation.relation == "equal":
        return bool(value == to and type(value) is type(to)) or _same_day(value, to)
    if relation.relation == "at-least":
        return None if isinstance(value, bool) or isinstance(to, bool) else _at_least(value, to)
    if not (_is_moment(value) and _is_moment(to)):
        return None
    if relation.days is None and len(value) == len(to):
        return bool(value <= to) if relation.relation == "not-later" else bool(value >= to)
    mine, theirs = date.fromisoformat(value[:_DAY]), date.fromisoformat(to[:_DAY])
    theirs += timedelta(days=relation.days or 0)
    return mine <= theirs if relation.relation == "not-later" else mine >= theirs


def _at_least(value: Any, to: Any) -> bool | None:
    try:
        one, two = Decimal(value), Decimal(to)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return one >= two if one.is_finite() and two.is_finite() else None


def _same_day(value: Any, to: Any) -> bool:
    dated = _is_moment(value) and _is_moment(to) and _DAY in (len(value), len(to))
    return dated and value[:_DAY] == to[:_DAY]


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or len(value) not in (_DAY, len("2026-11-23T10:02:11Z")):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
