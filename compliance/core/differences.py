"""What differs between two looks at the same thing, in words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

TOLD = 20
"""At most this many differences are named; the two looks themselves hold them all."""
VALUE = 60


def members(what: str, before: Mapping[str, Any], after: Mapping[str, Any], *, values: bool = False) -> Iterator[str]:
    """Yield each member that is gone, was added or was changed; with `values`, from what to what."""
    for name in sorted(before.keys() - after.keys()):
        yield f"the {what} {name} is gone"
    for name in sorted(after.keys() - before.keys()):
        yield f"the {what} {name} was added" + (f" ({_short(after[name])})" if values else "")
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            told = f" from {_short(before[name])} to {_short(after[name])}" if values else ""
            yield f"the {what} {name} was changed{told}"


def told(differences: Iterable[str]) -> str:
    """Return differences as one text, the first ones in full and the others counted."""
    found = list(differences)
    more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
    return "; ".join(found[:TOLD]) + more


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= VALUE else f"{text[:VALUE]}…"
