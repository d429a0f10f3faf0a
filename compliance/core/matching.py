"""One need against one statement: does it speak of this need at all, and what does it lack?

The compiled JSON Schema decides (`jsonschema_rs`, which here resolves no reference); this module says in words why
it said no. Conditions that select (a category, a document's type, a metric's name) make other evidence
irrelevant; all other conditions make it insufficient. Three fields are no selection: results on the wrong data, a
draft of the document (both but for `each`) and a change that nobody decided under the rule are evidence that cannot
carry the claim, and that is said.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from unicodedata import normalize

import jsonschema_rs

from compliance.core import criteria, paths
from compliance.core.catalog import ANY_GROUP, INTERVAL, Metrics, Need, compile_need
from compliance.core.evidence import Evidence
from compliance.core.findings import Rule, Said
from compliance.errors import InvalidInput

NAMED = 5
"""So many of the values that a list does not hold are named."""
DATA_ROLE, STATUS, REGIME = "dataset.role", "status", "decisions[].regime"
STATES = frozenset({DATA_ROLE, STATUS, REGIME})
"""Paths that `where` requires instead of selecting by them."""


def _refuse(uri: str) -> NoReturn:
    raise InvalidInput(f"A need's schema refers to {uri}.", remedy="Nothing is fetched: write the condition out.")


def validator(requirement: str, need: Need) -> jsonschema_rs.Draft202012Validator:
    """Return the compiled schema of a need."""
    return jsonschema_rs.Draft202012Validator(compile_need(requirement, need), retriever=_refuse)


def selects(need: Need, content: Mapping[str, Any]) -> bool:
    """Say whether evidence of the need's kind speaks of what the need is about.

    A need that is asked of each piece is asked of those on the data and with the status that it names.
    """
    required = STATES - {DATA_ROLE, STATUS} if need.each else STATES
    wanted = {path: allowed for path, allowed in need.where.items() if path not in required}
    if wanted and not paths.hold(content, wanted):
        return False
    return need.metrics is None or any(row["name"] in need.metrics.any_of for row in criteria.rows(content))


def lacks(need: Need, piece: Evidence) -> Said | None:
    """Return what a statement lacks of its need's schema, in one sentence, or None where it lacks nothing.

    In words, and sooner than the schema; it never finds fault with what the schema accepts.
    """
    return lacks_on_its_face(need, piece) or _lacks_inside(need, piece)


def lacks_on_its_face(need: Need, piece: Evidence) -> Said | None:
    """Return what is lacking that `core.faces` sorts evidence by: role, state, metric rows and their groups."""
    number, content = piece.number, piece.content
    if not _holds(need, content, DATA_ROLE):
        found, wanted = paths.said(content, DATA_ROLE), need.where[DATA_ROLE]
        return Said(
            f"Wrong data role: {number} rests on {paths.wordy(found) or 'no'} data, not on {paths.wordy(wanted)} data.",
            rule=Rule.WRONG_ROLE,
            field=DATA_ROLE,
        )
    if not _holds(need, content, STATUS):
        found, wanted = paths.said(content, STATUS), need.where[STATUS]
        why = f"{number} says {paths.wordy(found) or 'nothing'} for status, not {paths.wordy(wanted)}."
        return Said(why, rule=Rule.WRONG_STATUS, field=STATUS)
    if not _holds(need, content, REGIME):
        why = f"{number} holds no decision under {paths.wordy(need.where[REGIME])}."
        return Said(why, field=REGIME)
    if need.metrics and (lacking := _lacking_rows(need.metrics, number, content)):
        return lacking
    for group in need.groups:
        if len(_groups(need, content, group)) < 2:
            what = "any groups" if group == ANY_GROUP else f"groups by {group}"
            bounded = ", with intervals" if need.metrics and need.metrics.interval else ""
            return Said(f"{number} does not report its results for {what}{bounded}.", rule=Rule.GROUP_MISSING)
    return None


def _lacks_inside(need: Need, piece: Evidence) -> Said | None:
    for path in need.fields:
        if any(value in paths.EMPTY for value in paths.at(piece.content, path)):
            return Said(f"{piece.number} leaves out {paths.label(path)}.", field=path)
    for path, wanted in need.holds.items():
        found = paths.said(piece.content, path)
        if lacking := [value for value in wanted if not paths.one_of(value, found)]:
            named = ", ".join(str(value) for value in lacking[:NAMED])
            more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
            return Said(f"{piece.number} leaves out {named}{more} in {paths.label(path)}.", field=path)
    for path, least in need.least.items():
        if why := _too_few(piece.number, piece.content, path, least):
            return why
    return None


def missing(need: Need, content: Mapping[str, Any]) -> int:
    """Return how many of the fields that a need asks for are not there at all."""
    return sum(content.get(path.partition(".")[0].removesuffix("[]")) in paths.EMPTY for path in need.fields)


def _lacking_rows(metrics: Metrics, number: str, content: Mapping[str, Any]) -> Said | None:
    named = _named(metrics, content)
    names = paths.wordy(sorted({row["name"] for row in named}))
    if metrics.interval and not any(_is_bounded(row, metrics) for row in named):
        return Said(f"{number} reports {names} with no interval.", rule=Rule.NO_INTERVAL)
    if metrics.min_n and not any((row.get("n") or 0) >= metrics.min_n for row in named):
        largest = max((row.get("n") or 0 for row in named), default=0)
        why = f"Too few cases: {number} reports {names} with n {largest}, the need asks for {metrics.min_n}."
        return Said(why, rule=Rule.TOO_FEW)
    return None


def _named(metrics: Metrics, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in criteria.rows(content) if row["name"] in metrics.any_of]


def tests_too_little(metrics: Metrics, number: str, tested: Sequence[Mapping[str, Any]]) -> Said | None:
    """Return that no row under a criterion is one that a need asks for; others may be, and no criterion tests them."""
    if any(_carries(row, metrics) for row in tested):
        return None
    lacking = _lacking_rows(metrics, number, {"metrics": tested})
    rule = lacking.rule if lacking else Rule.TOO_FEW
    wanted = [*(["an interval"] if metrics.interval else []), *([f"n {metrics.min_n}"] if metrics.min_n else [])]
    why = f"No row of {number} under a criterion of its plan has {' and '.join(wanted) or 'a value'}."
    return Said(why, rule=rule)


def _carries(row: Mapping[str, Any], metrics: Metrics) -> bool:
    enough = (row.get("n") or 0) >= (metrics.min_n or 0)
    return enough and row.get("value") is not None and _is_bounded(row, metrics)


def _is_bounded(row: Mapping[str, Any], metrics: Metrics | None) -> bool:
    """Say whether a row has the interval that a need asks for, if it asks."""
    return metrics is None or not metrics.interval or all(row.get(field) is not None for field in INTERVAL)


def _groups(need: Need, content: Mapping[str, Any], group: str) -> list[Mapping[str, Any]]:
    """Return the rows that break a metric of the need down by an attribute, as its schema counts them."""
    found = []
    for row in criteria.rows(content):
        by = row.get("group") or {}
        named = need.metrics is None or row["name"] in need.metrics.any_of
        if by and named and _is_bounded(row, need.metrics) and (group == ANY_GROUP or group in by):
            found.append(row)
    return found


def compares_nothing(need: Need, piece: Evidence) -> Said | None:
    """Return that rows are there without a value, or that results by an attribute are of one group, told several times.

    No schema can count values, nor say which row has one.
    """
    if need.metrics and not any(_carries(row, need.metrics) for row in _named(need.metrics, piece.content)):
        return Said(f"{piece.number} names {paths.wordy(need.metrics.any_of)} without a value.", rule=Rule.NO_ROW)
    for group in need.groups:
        by = [row["group"] for row in _groups(need, piece.content, group) if row.get("value") is not None]
        names = {name for one in by for name in one} if group == ANY_GROUP else {group}
        if all(len({_spelt(one[name]) for one in by if name in one}) < 2 for name in names):
            what = "of one group" if group == ANY_GROUP else f"of one group by {group}"
            return Said(f"{piece.number} reports the results {what} only.", rule=Rule.GROUP_MISSING)
    return None


def _spelt(group: str) -> str:
    """Return a group's name without what makes no other group: case, spacing, how letters are encoded."""
    return " ".join("".join(filter(str.isprintable, normalize("NFKC", group))).casefold().split())


def in_state(need: Need, content: Mapping[str, Any]) -> bool:
    """Say whether evidence rests on data in the role, and is in the state, that the need asks for, if it asks."""
    return all(_holds(need, content, path) for path in STATES)


def is_measurement(need: Need, piece: Evidence) -> bool:
    """Say whether a result measures what a need asks, in its state: whatever it leaves out beside, it can miss."""
    rows = need.metrics and _lacking_rows(need.metrics, piece.number, piece.content)
    return in_state(need, piece.content) and not rows


def _holds(need: Need, content: Mapping[str, Any], path: str) -> bool:
    allowed = need.where.get(path)
    return allowed is None or any(value in allowed for value in paths.at(content, path))


def _too_few(number: str, content: Mapping[str, Any], path: str, least: int) -> Said | None:
    for value in paths.at(content, path):
        if value is None:
            return Said(f"{number} leaves out {paths.label(path)}, of which the need asks for {least}.", field=path)
        count = len(value) if isinstance(value, list | tuple) else value
        if not isinstance(count, int) or count < least:
            why = f"{number} says {count} for {paths.label(path)}, the need asks for {least} at least."
            return Said(why, rule=Rule.TOO_FEW, field=path)
    return None
