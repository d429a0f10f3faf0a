"""Two texts of a catalog, row by row: what is new, what is gone, which dates moved, which cells changed. Pure.

Rows are matched by id, which is stable for ever; a row under another id is a new one. Needs are matched by their own
id, so that one reworded need does not hide the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.core import wording
from compliance.core.catalog import Catalog, Need, Requirement

DATES = ("applies_from", "status")
"""Cells that say from when a row binds, and with what force."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row that says something else; text for people, empty where it was not there or is gone."""

    name: str
    before: str
    after: str

    def to_dict(self) -> dict[str, str]:
        return {"cell": self.name, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Changed:
    """A row of both texts, and its cells that differ."""

    requirement: str
    cells: tuple[Cell, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"requirement": self.requirement, "cells": [cell.to_dict() for cell in self.cells]}


@dataclass(frozen=True, slots=True)
class Diff:
    """What a later text of a catalog says otherwise than an earlier one."""

    before: Catalog
    after: Catalog
    new: tuple[Requirement, ...]
    removed: tuple[Requirement, ...]
    moved: tuple[Changed, ...]
    """Rows whose dates or legal status changed, with those cells."""
    changed: tuple[Changed, ...]
    """Rows of which anything else changed, with those cells."""

    @property
    def empty(self) -> bool:
        return not (self.new or self.removed or self.moved or self.changed)

    def to_dict(self) -> dict[str, Any]:
        return {
            "before": _head(self.before),
            "after": _head(self.after),
            "new": [_row(row) for row in self.new],
            "removed": [_row(row) for row in self.removed],
            "moved": [row.to_dict() for row in self.moved],
            "changed": [row.to_dict() for row in self.changed],
        }


def diff(before: Catalog, after: Catalog) -> Diff:
    """Return what `after` says otherwise than `before`, rows in the order of their own text."""
    old = {row.id: row for row in before.requirements}
    new = {row.id: row for row in after.requirements}
    both = [(row.id, list(_cells(old[row.id], row))) for row in after.requirements if row.id in old]
    return Diff(
        before,
        after,
        tuple(row for row in after.requirements if row.id not in old),
        tuple(row for row in before.requirements if row.id not in new),
        tuple(_changed(both, dates=True)),
        tuple(_changed(both, dates=False)),
    )


def _changed(rows: Sequence[tuple[str, list[Cell]]], *, dates: bool) -> Iterator[Changed]:
    for name, cells in rows:
        if mine := tuple(cell for cell in cells if (cell.name in DATES) is dates):
            yield Changed(name, mine)


def _cells(before: Requirement, after: Requirement) -> Iterator[Cell]:
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if name == "needs":
            yield from _needs(old, new)
        else:
            yield Cell(name, _text(old), _text(new))


def _needs(before: Sequence[Need], after: Sequence[Need]) -> Iterator[Cell]:
    old, new = ({need.id: need for need in needs} for needs in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield Cell(
                f"need {name}", *("; ".join(wording.need(n)) if n else "" for n in (old.get(name), new.get(name)))
            )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _row(row: Requirement) -> dict[str, str]:
    return {"requirement": row.id, "ref": row.ref, "text": row.text, "status": row.status}


def _head(catalog: Catalog) -> dict[str, Any]:
    return {
        "id": catalog.id,
        "version": catalog.version,
        "date": catalog.date,
        "requirements": len(catalog.requirements),
    }
