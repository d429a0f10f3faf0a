"""Whether the fields that a row names are there: a condition on any other could never hold.

Of a need, the fields of its kind; of `applies_if` and `applies_unless`, the answers that a profile can give.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from compliance.core.applicability import NONE
from compliance.core.catalog import AUDIT_TRAIL, Need, Requirement
from compliance.core.system import Profile
from compliance.kinds.schema import schema

DEEP = 4
"""How far the nearest right path is looked for."""


def problems(need: Need) -> Iterator[str]:
    """Yield what no evidence of the need's kind could ever satisfy, in words."""
    if need.kind == AUDIT_TRAIL:
        return
    there = [relation.to for relation in need.relations if relation.kind is None]
    paths = [
        *need.where,
        *need.fields,
        *need.must,
        *need.holds,
        *need.least,
        *need.unique,
        *(r.path for r in need.relations),
        *there,
    ]
    for path in dict.fromkeys(paths):
        yield from _unknown(need.kind, path)
    for relation in need.relations:
        if relation.kind is not None:
            yield from _unknown(relation.kind, relation.to)
    for word, conditions in (("where", need.where), ("holds", need.holds), ("must", need.must)):
        for path, values in conditions.items():
            allowed = _allowed(_field(need.kind, path))
            for value in values:
                if allowed is not None and value not in allowed:
                    yield f"{word}.{path} is never {value} in {need.kind}{_near(str(value), [str(a) for a in allowed])}"


def described(kind: str, path: str) -> str:
    """Return what the kind's model says of the field at a path; empty where its name says it all."""
    around, _, name = path.rpartition(".")
    part = _field(kind, around) if around else _content(kind)
    return str((_property(part or {}, name.removesuffix("[]")) or {}).get("description", ""))


def unreachable(row: Requirement) -> Iterator[tuple[str, str]]:
    """Yield cell and fault where no profile could ever say what a row asks of it: it would silently reach nobody."""
    asked = [("applies_if", *one) for one in row.applies_if.items()]
    for cell, key, values in (*asked, *(("applies_unless", *one) for one in row.applies_unless.items())):
        answer, listed = _answer(key)
        allowed = ["yes", "no"] if answer.get("type") == "boolean" else answer.get("enum")
        for value in values:
            if answer.get("type") == "boolean":
                fits = isinstance(value, bool)
            elif allowed is not None:
                fits = value in allowed or (listed and value == NONE)
            else:
                fits = isinstance(value, str) and re.search(answer.get("pattern", ""), value) is not None
            if not fits:
                yield cell, f"{key} is never {value} in a profile{_near(str(value), allowed or [])}"


@cache
def _answer(key: str) -> tuple[dict[str, Any], bool]:
    """Return the schema of one answer under a key of the profile, and whether the key takes a list of them."""
    whole = node = Profile.model_json_schema()
    listed = False
    for part in key.split("."):
        node = next(option for option in node["properties"][part].get("anyOf", [node["properties"][part]]))
        if listed := node.get("type") == "array":
            node = node["items"]
        if "$ref" in node:
            node = whole["$defs"][node["$ref"].rpartition("/")[2]]
    return node, listed


def _unknown(kind: str, path: str) -> Iterator[str]:
    if _field(kind, path) is None:
        yield f"{kind} has no field {path}{_near(path, _paths(kind))}"


def _near(name: str, known: "list[str] | tuple[str, ...]") -> str:
    near = get_close_matches(name, known, 1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _allowed(field: dict[str, Any] | None) -> list[Any] | None:
    if field is None:
        return None
    return field.get("enum") or ([field["const"]] if "const" in field else None)


@cache
def _schema(kind: str) -> dict[str, Any]:
    return schema(kind, described=True)


def _content(kind: str) -> dict[str, Any]:
    return _resolved(kind, _schema(kind)["$defs"]["Predicate"]["properties"]["content"])


def _resolved(kind: str, part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = _schema(kind)["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part


def _field(kind: str, path: str) -> dict[str, Any] | None:
    """Return the schema of the field at a path; None where the kind has no such field."""
    part = _content(kind)
    for step in path.split("."):
        below = _property(part, step.removesuffix("[]"))
        if below is None:
            return None
        part = _resolved(kind, below)
        if step.endswith("[]"):
            if "items" not in part:
                return None
            part = _resolved(kind, part["items"])
    return part


def _property(part: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the schema of a field, or what any label of a map holds."""
    labels = [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]
    found = part.get("properties", {}).get(name)
    return found if found is not None else next((label for label in labels if isinstance(label, dict)), None)


@cache
def _paths(kind: str) -> tuple[str, ...]:
    return tuple(_below(kind, _content(kind), "", DEEP))


def _below(kind: str, part: dict[str, Any], prefix: str, depth: int) -> Iterator[str]:
    for name, inner in part.get("properties", {}).items():
        field = _resolved(kind, inner)
        many = "items" in field
        path = f"{prefix}{name}{'[]' if many else ''}"
        yield path
        if depth > 1:
            yield from _below(kind, _resolved(kind, field["items"]) if many else field, f"{path}.", depth - 1)
