"""Where a field stands in a record's content: `dataset.role`; `hazards[].controls` goes into a list.

The one reading of paths: what a need's compiled schema accepts is found here too, and in the same places.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {})


def at(content: Any, path: str) -> list[Any]:
    """Return the values at a path; None for a field that is missing, and for a list without items."""
    values = [content]
    for name, many in _steps(path):
        below = [value.get(name) if isinstance(value, dict) else None for value in values]
        values = [item for value in below for item in (value or [None])] if many else below
    return values


def at_picked(content: Any, path: str, picks: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Return the values at a path that goes into a list, of the items that satisfy `picks`; all where it is empty."""
    if not picks:
        return at(content, path)
    name, _, rest = path.partition("[].")
    return [value for item in at(content, f"{name}[]") if hold(item, picks) for value in at(item, rest)]


def said(content: Any, path: str) -> list[Any]:
    """Return the values at a path that are there."""
    return [value for value in at(content, path) if value not in EMPTY]


def one_of(value: Any, allowed: Sequence[Any]) -> bool:
    """Say whether a value is one of these; yes is not 1, as in JSON Schema."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in allowed)


def hold(content: Any, conditions: Mapping[str, Sequence[Any]]) -> bool:
    """Say whether content satisfies all conditions; those that go into one list are satisfied by one item of it."""
    here: dict[tuple[str, bool], dict[str, Sequence[Any]]] = {}
    for path, allowed in conditions.items():
        head, _, rest = path.partition(".")
        here.setdefault((head.removesuffix("[]"), head.endswith("[]")), {})[rest] = allowed
    if not isinstance(content, Mapping):
        return not here
    for (name, many), below in here.items():
        value = content.get(name)
        items = (value if isinstance(value, list | tuple) else []) if many else [value]
        if not any(_holds(item, below) for item in items):
            return False
    return True


def _holds(value: Any, below: Mapping[str, Sequence[Any]]) -> bool:
    deeper = {path: allowed for path, allowed in below.items() if path}
    return ("" not in below or one_of(value, below[""])) and (not deeper or hold(value, deeper))


def label(path: str) -> str:
    """Return a path as a reader says it: `document type`, `"not verified" of trace`. The path stays beside it in JSON.

    Fields are named in words, so that their names are labels; a kind that is added needs no table.
    """
    *around, name = path.replace("[]", "").replace("_", " ").split(".")
    return " of ".join([f'"{name}"', *reversed(around)]) if around else name


def wordy(values: Sequence[Any], limit: int = 5) -> str:
    """Return values as a reader says them: `yes or no`, `fixed or not-affected`."""
    words = [("yes" if value else "no") if isinstance(value, bool) else str(value) for value in values]
    return " or ".join(words) if len(words) <= limit else f"{', '.join(words[:3])} or a like one"


@cache
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in path.split("."))
