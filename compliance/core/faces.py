"""Evidence sorted by its face: the few values that needs look at first, so that 100,000 pieces are asked once.

Pieces of one kind with the same face are alike for every need's `where`, `metrics` and `groups`, for completeness
and published identity, and in which fields they have at all; one of them answers for all.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compliance.core.catalog import INTERVAL, Catalog
from compliance.core.evidence import Basis, Evidence

Tree = dict[str, Any]
"""Field -> what needs read below it; an empty tree is read as it stands."""


class Sorter:
    """What the needs of these catalogs look at, by kind, and the face that a piece shows to them."""

    def __init__(self, catalogs: Iterable[Catalog]) -> None:
        self._trees: dict[str, Tree] = defaultdict(dict)
        self._minima: dict[str, list[int]] = defaultdict(list)
        for need in (need for catalog in catalogs for row in catalog.requirements for need in row.needs):
            for path in need.where:
                tree = self._trees[need.kind]
                for step in path.split("."):
                    tree = tree.setdefault(step.removesuffix("[]"), {})
            if need.metrics and need.metrics.min_n and need.metrics.min_n not in self._minima[need.kind]:
                insort(self._minima[need.kind], need.metrics.min_n)

    def face(self, piece: Evidence) -> tuple[object, ...]:
        """Return the face of a piece, hashable."""
        content = piece.content
        read = self._trees.get(piece.kind)
        return (
            piece.completeness,
            is_published_only(piece),
            frozenset([name for name, value in content.items() if value or value == 0]),
            _read(content, read) if read else None,
            tuple(sorted([_row(row, self._minima[piece.kind]) for row in content.get("metrics") or ()])),
        )


class Sorted:
    """Pieces of one kind in bundles of one face, each oldest first."""

    def __init__(self, sorter: Sorter, pieces: Iterable[Evidence]) -> None:
        self._sorter = sorter
        self._bundles: dict[tuple[object, ...], list[Evidence]] = {}
        for piece in pieces:
            self.add(piece)

    def add(self, piece: Evidence) -> None:
        self._bundles.setdefault(self._sorter.face(piece), []).append(piece)

    def bundles(self) -> Iterable[Sequence[Evidence]]:
        return self._bundles.values()


def is_published_only(piece: Evidence) -> bool:
    """Say whether a piece speaks of a published identity, whose bytes nobody here holds."""
    return Basis.IDENTITY in [subject.get("annotations", {}).get("basis") for subject in piece.subjects]


def _read(value: Any, tree: Tree) -> object:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return frozenset([_read(item, tree) for item in value])
    if not tree or not isinstance(value, dict):
        return (repr(value),)
    return tuple([_read(value.get(name), below) for name, below in tree.items()])


def _row(row: Mapping[str, Any], minima: Sequence[int]) -> tuple[str, bool, int, tuple[str, ...]]:
    """Return what needs see of a metric row: name, group, whether it has an interval, which minima it reaches."""
    bounded = None not in map(row.get, INTERVAL)
    group = row.get("group")
    return row["name"], bounded, bisect_right(minima, row.get("n") or 0), tuple(sorted(group)) if group else ()
