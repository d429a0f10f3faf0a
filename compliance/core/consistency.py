"""The same claim in two pieces of evidence with different numbers: shown side by side, never averaged."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from compliance.core import criteria
from compliance.core.catalog import MEASURED_KINDS
from compliance.core.findings import Note, Thing
from compliance.core.shelf import Shelf

Claim = tuple[str, str, str, str, str]


def contradictions(shelf: Shelf, model: Thing | None) -> list[Note]:
    """Return a note per metric, group, test material and threshold of this model version that has several values."""
    if model is None:
        return []
    claims: dict[Claim, dict[Decimal, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for kind in sorted(MEASURED_KINDS):
        for piece in shelf.about(kind, model.sha256):
            on = _measured_on(piece.content)
            for row in criteria.rows(piece.content):
                if row.get("value") is not None:
                    claim = (
                        kind,
                        on,
                        row["name"],
                        criteria.group_text(row.get("group")),
                        str(row.get("threshold", "")),
                    )
                    claims[claim][Decimal(row["value"])].append((row["value"], piece.number))
    return [_note(claim, values) for claim, values in sorted(claims.items()) if len(values) > 1]


def _measured_on(content: Mapping[str, Any]) -> str:
    """Return what a result is about: figures of two benchmarks, tasks or populations are two claims."""
    dataset, benchmark = content.get("dataset") or {}, content.get("benchmark") or {}
    parts = [
        dataset.get("name"),
        benchmark.get("name"),
        benchmark.get("version"),
        content.get("category"),
        content.get("task"),
        content.get("population"),
        content.get("language"),
    ]
    return ", ".join(part for part in parts if part)


def _note(claim: Claim, values: dict[Decimal, list[tuple[str, str]]]) -> Note:
    _, on, metric, group, _ = claim
    shown = "; ".join(
        f"{told[0][0]} in {', '.join(number for _, number in told)}" for _, told in sorted(values.items())
    )
    where = f" on {on}" if on else ""
    numbers = tuple(number for _, told in sorted(values.items()) for _, number in told)
    return Note("contradiction", f"{metric} ({group}){where} has several values on record: {shown}.", numbers)
