"""A record's content as shapes that a page can lay out: facts, lists, tables, references.

Works on any content, so that a kind that nobody here knows still reads well. It arranges; it leaves nothing
out but what it says it left out, and the statement itself stands below in full.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.core.cited import words

MAX_ROWS = 200
MAX_COLUMNS = 10
_REFERENCE = frozenset({"name", "sha256", "role", "basis", "reason"})
_ABBREVIATIONS = {"Ci": "CI", "Id": "ID", "Udi": "UDI", "Url": "URL", "N": "n", "X": "x", "P value": "p value"}

Locate = Callable[[str, str], str | None]
"""(name, digest) -> address of the page about it, or None where there is none in scope."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    shape = "text"


@dataclass(frozen=True, slots=True)
class Reference:
    """Something on record, named by name and digest."""

    name: str
    sha256: str
    href: str | None
    said: str
    """What else the reference says: a dataset's role, a reason."""
    shape = "reference"


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple["Shape", ...]
    more: int = 0
    shape = "items"


@dataclass(frozen=True, slots=True)
class Facts:
    facts: tuple[tuple[str, "Shape"], ...]
    shape = "facts"


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple["Shape", ...], ...]
    more: int = 0
    """Rows left out here."""
    shape = "table"


Shape = Text | Reference | Items | Facts | Table


def label(key: str) -> str:
    """Return a field's name as a reader would write it."""
    text = words(key)
    return _ABBREVIATIONS.get(text, text.replace("Ci ", "CI ").replace("Ppv", "PPV").replace("Npv", "NPV"))


def shape(value: Any, locate: Locate) -> Shape:
    """Arrange any JSON value."""
    if isinstance(value, Mapping):
        return _mapping(value, locate)
    if isinstance(value, list | tuple):
        return _list(value, locate)
    return Text(_scalar(value))


def facts(
    content: Mapping[str, Any], locate: Locate, *, order: Sequence[str] = (), without: Sequence[str] = ()
) -> Facts:
    """Arrange a record's fields: those of `order` first, in that order; empty ones left out."""
    keys = [*(key for key in order if key in content), *(key for key in content if key not in order)]
    return Facts(
        tuple(
            (label(key), shape(content[key], locate))
            for key in keys
            if key not in without and content[key] not in (None, "", [], {})
        )
    )


def _scalar(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _mapping(value: Mapping[str, Any], locate: Locate) -> Shape:
    if {"name", "sha256"} <= value.keys() <= _REFERENCE:
        said = "; ".join(f"{label(key).lower()} {value[key]}" for key in ("role", "reason") if value.get(key))
        name, sha256 = str(value["name"]), str(value["sha256"])
        return Reference(name, sha256, locate(name, sha256), said)
    if _is_small(value):
        return Text(", ".join(f"{label(key).lower()} {_scalar(inner)}" for key, inner in value.items()))
    return facts(value, locate)


def _list(value: Sequence[Any], locate: Locate) -> Shape:
    shown, more = value[:MAX_ROWS], max(len(value) - MAX_ROWS, 0)
    if shown and all(isinstance(item, Mapping) for item in shown):
        nested = dict.fromkeys(key for item in shown for key, inner in item.items() if _is_rows(inner))
        if nested and len(shown) > 1 and all("name" in item for item in shown):
            whole = [{key: inner for key, inner in item.items() if key not in nested} for item in shown]
            parts = [(label(key), _list(_by_name(value, key), locate)) for key in nested]
            return Facts((("Each", _list(whole, locate)), *parts))
        columns = list(dict.fromkeys(key for item in shown for key in item))
        if len(columns) <= MAX_COLUMNS and all(_fits_a_cell(inner) for item in shown for inner in item.values()):
            rows = tuple(
                tuple(shape(item[key], locate) if item.get(key) is not None else Text("") for key in columns)
                for item in shown
            )
            return Table(tuple(label(key) for key in columns), rows, more)
    return Items(tuple(shape(item, locate) for item in shown), more)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _by_name(items: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the rows that stand within each item as rows of one table that names the item."""
    return [{"of": item["name"]} | dict(row) for item in items for row in item.get(key) or ()]


def _fits_a_cell(value: Any) -> bool:
    if isinstance(value, Mapping):
        return {"name", "sha256"} <= value.keys() <= _REFERENCE or _is_small(value)
    if isinstance(value, list | tuple):
        return len(value) <= 6 and not any(isinstance(inner, Mapping | list) for inner in value)
    return True


def _is_small(value: Mapping[str, Any]) -> bool:
    """Say whether a mapping reads well as one line: few short facts, or more if they are all short."""
    longest = 60 if len(value) <= 3 else 12
    return 0 < len(value) <= 10 and all(
        not isinstance(inner, Mapping | list) and len(str(inner)) <= longest for inner in value.values()
    )
