"""The ledger as the portal lists it: one light row per piece of evidence, kept in memory and grown with the ledger.

Rows are for finding and listing. A page about one piece of evidence reads that piece again and checks its
signature and its place in the ledger; nothing here is proof.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compliance.core.evidence import Evidence, evidence_number
from compliance.core.shelf import references
from compliance.core.trust import Keyring
from compliance.storage.ledger import Entry, Ledger

PAGE = 50
ERASED = "erased"
_KEPT_SELECTIONS = 256


@dataclass(frozen=True, slots=True)
class Named:
    """A subject or a reference, by name and digest."""

    name: str
    sha256: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the list of evidence."""

    index: int
    digest: str
    kind: str
    logged_at: str
    title: str
    subjects: tuple[Named, ...]
    recorded_by: str
    signer: str
    completeness: str
    basis: str
    """`measured`, `published` or `estimated`."""
    models: frozenset[str]
    """Model versions that it concerns; empty where it concerns none in particular."""
    words: str
    """What a search looks through, in lower case."""

    @property
    def number(self) -> str:
        return evidence_number(self.index)

    @property
    def erased(self) -> bool:
        return self.completeness == ERASED


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; every field is in the address of the page."""

    kind: str = ""
    model: str = ""
    signer: str = ""
    state: str = ""
    """`current`, `superseded` or `revoked`."""
    q: str = ""


@dataclass(frozen=True, slots=True)
class Facets:
    """What the evidence in scope can be narrowed by."""

    total: int
    kinds: list[tuple[str, int]]
    signers: list[tuple[str, str]]
    """(key id, name), by name."""


@dataclass(slots=True)
class Records:
    """All rows, what later evidence did to earlier, and the indexes that lists are cut from."""

    rows: list[Record] = field(default_factory=list)
    homes: dict[tuple[str, str], int] = field(default_factory=dict)
    """(name, digest) of a subject -> index of the first evidence about it."""
    models: dict[str, Named] = field(default_factory=dict)
    """Every model version on record, oldest first."""
    approved_by: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    revoked_by: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    superseded_by: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    keys: Keyring = field(default_factory=Keyring)
    _models_of: dict[str, frozenset[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _facets: dict[Any, Facets] = field(default_factory=dict)
    _selections: OrderedDict[Any, list[int]] = field(default_factory=OrderedDict)

    def continued_by(self, ledger: Ledger) -> bool:
        """Say whether the ledger goes on where these rows end; if not, it was replaced or rolled back."""
        if not self.rows:
            return True
        last = self.rows[-1]
        return ledger.size > last.index and ledger.entry(last.index).envelope == last.digest

    def grow(self, ledger: Ledger) -> None:
        """Take in what was appended since the last call."""
        start, size = len(self.rows), ledger.size
        if size == start:
            return
        pieces = ledger.evidence(start, size)
        piece = next(pieces, None)
        for entry in ledger.entries(start, size):
            if piece is not None and piece.index == entry.index:
                self._numbers[piece.digest] = piece.index
                self.rows.append(self._take(piece))
                piece = next(pieces, None)
            else:
                self.rows.append(_erased(entry))
        self._selections.clear()
        self._facets.clear()

    def state(self, record: Record) -> str:
        """Return `erased`, `revoked`, `superseded` or `current`."""
        if record.erased:
            return ERASED
        if record.digest in self.revoked_by:
            return "revoked"
        return "superseded" if record.digest in self.superseded_by else "current"

    def select(self, scope: Any, wanted: Filter) -> list[int]:
        """Return the indexes that a scope and a filter leave, oldest first; kept until the ledger grows."""
        key = (scope, wanted)
        found = self._selections.get(key)
        if found is None:
            found = [row.index for row in self.rows if scope.sees(row) and self._matches(row, wanted)]
            self._selections[key] = found
            if len(self._selections) > _KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        else:
            self._selections.move_to_end(key)
        return found

    def facets(self, scope: Any) -> Facets:
        """Return the kinds and signers of the evidence in scope; kept until the ledger grows."""
        if scope not in self._facets:
            rows = [self.rows[index] for index in self.select(scope, Filter())]
            signers = sorted({(row.signer, row.recorded_by) for row in rows if row.signer}, key=lambda pair: pair[::-1])
            self._facets[scope] = Facets(len(rows), sorted(Counter(row.kind for row in rows).items()), signers)
        return self._facets[scope]

    def _matches(self, row: Record, wanted: Filter) -> bool:
        return (
            (not wanted.kind or row.kind == wanted.kind)
            and (not wanted.signer or row.signer == wanted.signer)
            and (not wanted.model or wanted.model in row.models)
            and (not wanted.state or self.state(row) == wanted.state)
            and all(word in row.words for word in wanted.q.lower().split())
        )

    def _take(self, piece: Evidence) -> Record:
        subjects = tuple(_named(subject) for subject in piece.subjects)
        for subject in subjects:
            self.homes.setdefault((subject.name, subject.sha256), piece.index)
        predicate = piece.predicate
        supersedes = predicate.get("supersedes")
        if isinstance(supersedes, Mapping):
            self.superseded_by[str(supersedes.get("sha256"))].append(piece.index)
        if piece.kind == "model-version":
            for subject in subjects:
                self.models.setdefault(subject.name, subject)
        elif piece.kind == "key-event":
            self.keys.take(piece)
        elif piece.kind in ("approval", "revocation"):
            acts = self.approved_by if piece.kind == "approval" else self.revoked_by
            for subject in subjects:
                acts[subject.sha256].append(piece.index)
                if piece.content.get("erasure"):
                    self._forget(subject.sha256)
        models = self._concerned(piece, subjects)
        self._models_of[piece.digest] = models
        title = piece.title
        by = str(predicate.get("recorded_by", ""))
        source = predicate.get("source")
        basis = str(source.get("basis", "")) if isinstance(source, Mapping) else ""
        words = " ".join(
            (
                piece.number,
                piece.kind,
                title,
                by,
                str(predicate.get("summary", ""))[:2000],
                *(f"{subject.name} {subject.sha256}" for subject in subjects),
                piece.digest,
            )
        )
        return Record(
            piece.index, piece.digest, piece.kind, piece.logged_at, title, subjects, by, piece.signer,
            piece.completeness, basis, models, words.lower(),
        )  # fmt: skip

    def _forget(self, digest: str) -> None:
        """Drop what a row says about evidence that was erased since it was read."""
        if (index := self._numbers.get(digest)) is not None:
            row = self.rows[index]
            self.rows[index] = _erased(Entry.make(index, digest, row.kind, row.logged_at))

    def number_of(self, digest: str) -> int | None:
        """Return the index of the evidence with this digest."""
        return self._numbers.get(digest)

    def _concerned(self, piece: Evidence, subjects: Sequence[Named]) -> frozenset[str]:
        """Return the model versions that a piece is about, itself or through the records that it acts on."""
        own = frozenset(subject.name for subject in subjects if subject.name in self.models)
        if own:
            return own
        acted = [self._models_of[subject.sha256] for subject in subjects if subject.sha256 in self._models_of]
        if acted:
            return frozenset().union(*acted)
        return frozenset(str(ref["name"]) for ref in references(piece.content) if ref["name"] in self.models)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and where its neighbours begin."""

    indexes: list[int]
    total: int
    first: int
    """Place of its first line in the whole list, from 1."""
    newer: int | None
    older: int | None

    @property
    def last(self) -> int:
        return self.first + len(self.indexes) - 1


def page(
    found: Sequence[int],
    *,
    before: int | None = None,
    after: int | None = None,
    descending: bool = True,
    size: int = PAGE,
) -> Page:
    """Cut one page by keyset: the lines below `before`, or above `after`; their number never shifts the page."""
    if after is not None:
        start = bisect_right(found, after)
        chosen = found[start : start + size]
    elif before is not None:
        stop = bisect_left(found, before)
        chosen = found[max(stop - size, 0) : stop]
        start = stop - len(chosen)
    else:
        start = max(len(found) - size, 0) if descending else 0
        chosen = found[start : start + size]
    end = start + len(chosen)
    newer = chosen[-1] if chosen and end < len(found) else None
    older = chosen[0] if chosen and start > 0 else None
    lines = chosen[::-1] if descending else list(chosen)
    first = (len(found) - end if descending else start) + 1 if chosen else 0
    return Page(list(lines), len(found), first, newer, older)


def _named(subject: Mapping[str, Any]) -> Named:
    digest, annotations = subject.get("digest"), subject.get("annotations")
    sha256 = digest.get("sha256", "") if isinstance(digest, Mapping) else ""
    basis = annotations.get("basis", "") if isinstance(annotations, Mapping) else ""
    return Named(str(subject.get("name", "")), str(sha256), str(basis))


def _erased(entry: Entry) -> Record:
    return Record(
        entry.index, entry.envelope, entry.kind, entry.logged_at, "Content erased; entry and digest remain", (), "", "",
        ERASED, "", frozenset(), f"{evidence_number(entry.index)} {entry.kind} erased {entry.envelope}".lower(),
    )  # fmt: skip
