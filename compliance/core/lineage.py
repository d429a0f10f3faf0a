"""Lineage: which data, code and run a thing came from, and what was built on it or measured with it.

Read from what signed evidence says of itself, never guessed: a link stands for one reference by digest in one
record. Pure; what is revoked or superseded is put aside before, by `core.shelf`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.shelf import ACTS, things

MADE = frozenset({"model-version", "dataset", "training-run"})
"""Kinds that say what a thing was made from. Other kinds speak about things, and stand downstream of them."""
BESIDE = frozenset({"overlaps"})
"""Fields that name a thing which this one was compared with, not made from."""
BOOKS = ACTS | {"system-description"}


@dataclass(frozen=True, slots=True)
class Node:
    """A thing, a commit, or a record about things."""

    name: str
    sha256: str | None
    """None for code that is known by its commit only."""

    @property
    def key(self) -> str:
        return self.sha256 or self.name


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a lineage, seen from the thing asked about."""

    node: Node
    relation: str
    """The field that names it, or the kind of the record that stands downstream."""
    evidence: str
    """Number of the record that says so."""
    steps: int
    """How many links away: 1 for a direct one."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.node.name,
            "sha256": self.node.sha256,
            "relation": self.relation,
            "evidence": self.evidence,
            "steps": self.steps,
        }


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a thing came from and what came from it, nearest first."""

    upstream: tuple[Link, ...]
    downstream: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    later: Node
    earlier: Node
    relation: str
    evidence: str


def lineage(
    evidence: Iterable[Evidence], sha256: str, successors: Mapping[str, tuple[str, str]] | None = None
) -> Lineage:
    """Return the lineage of the thing with this digest, through any number of steps.

    `successors` says what stands now for a thing whose record was superseded (`Shelf.successors`).
    """
    now = successors or {}
    up: dict[str, list[_Said]] = defaultdict(list)
    down: dict[str, list[_Said]] = defaultdict(list)
    for piece in evidence:
        for said in _says(piece):
            earlier = Node(*now[said.earlier.key]) if said.earlier.key in now else said.earlier
            link = replace(said, earlier=earlier)
            up[link.later.key].append(link)
            down[link.earlier.key].append(link)
    return Lineage(_walk(up, sha256, towards="earlier"), _walk(down, sha256, towards="later"))


def _walk(links: Mapping[str, list[_Said]], start: str, *, towards: str) -> tuple[Link, ...]:
    found: list[Link] = []
    seen, edge, steps = {start}, [start], 0
    while edge:
        steps += 1
        following: list[str] = []
        for said in (said for key in edge for said in links.get(key, ())):
            node: Node = getattr(said, towards)
            if node.key not in seen:
                seen.add(node.key)
                following.append(node.key)
                found.append(Link(node, said.relation, said.evidence, steps))
        edge = following
    return tuple(found)


def _says(piece: Evidence) -> Iterator[_Said]:
    """Yield every link that one record states."""
    if piece.kind in BOOKS:
        return
    subjects = [Node(name, digest) for digest, name in things(piece)]
    if piece.kind not in MADE:
        record = Node(piece.number, piece.digest)
        for _, node in _named(piece.content):
            yield _Said(record, node, piece.kind, piece.number)
        for subject in subjects:
            if subject.key != record.key:
                yield _Said(record, subject, piece.kind, piece.number)
        return
    own, *others = subjects
    for made in others:  # a training run is about itself and the model version that came out of it
        yield _Said(made, own, piece.kind, piece.number)
    for field, node in _named(piece.content):
        if field not in BESIDE and node.key not in {subject.key for subject in subjects}:
            yield _Said(own, node, field.replace("_", " "), piece.number)
    if code := _code(piece.content):
        yield _Said(own, code, "code", piece.number)


def _named(content: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    """Yield the top-level field and the thing for every reference by name and digest."""

    def inside(field: str, value: Any) -> Iterator[tuple[str, Node]]:
        if isinstance(value, Mapping):
            if isinstance(value.get("sha256"), str) and isinstance(value.get("name"), str):
                yield field, Node(value["name"], value["sha256"])
            for inner in value.values():
                yield from inside(field, inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from inside(field, inner)

    for field, value in content.items():
        yield from inside(field, value)


def _code(content: Mapping[str, Any]) -> Node | None:
    code = content.get("code") or {}
    commit = code.get("commit") or content.get("source_commit")
    if not (commit or code.get("sha256")):
        return None
    where = code.get("repository") or code.get("entry_point") or "code"
    return Node(f"{where}@{commit}" if commit else str(where), code.get("sha256"))
