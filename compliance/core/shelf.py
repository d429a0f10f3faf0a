"""The evidence of one system as it stood on a day, found by kind, subject and name in constant time.

What is revoked or superseded by live later evidence is put aside here, once; so is what speaks of
another system or of a later day. Order of arrival changes nothing: the ledger's index does the ordering.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from compliance.core import trust
from compliance.core.catalog import MEASURED_KINDS
from compliance.core.evidence import Evidence
from compliance.core.findings import Thing

ACTS = frozenset({"approval", "revocation", "determination", "key-event"})
TEST_ROLES = frozenset({"test", "external-test"})
_OF_VERSIONS = MEASURED_KINDS | {"model-version"}
"""Kinds whose subject is a model version."""


class Shelf:
    """Live evidence of `system` up to the end of the day `on` (UTC)."""

    def __init__(self, evidence: Iterable[Evidence], system: str, on: str) -> None:
        last = f"{on}T23:59:59Z"
        held = sorted((piece for piece in evidence if piece.logged_at <= last), key=lambda piece: piece.index)
        self.foreign = [piece for piece in held if piece.predicate.get("system", system) != system]
        """Evidence that says it belongs to another system; never counted."""
        if self.foreign:
            foreign = {piece.index for piece in self.foreign}
            held = [piece for piece in held if piece.index not in foreign]
        self.key_events = [piece for piece in held if piece.kind == "key-event"]
        self.keys = trust.keyring(self.key_events)
        self._versions = {digest for piece in held if piece.kind in _OF_VERSIONS for digest, _ in things(piece)}
        self.aside = _put_aside(held, self.keys, self.versions_of)
        """Digest -> the live record that revoked or superseded it."""
        self.records = {piece.digest: piece for piece in held}
        self.entered: dict[str, int] = {}
        """Digest of a model version -> index of its first record: what makes one version earlier than another."""
        for piece in held:
            if piece.kind == "model-version":
                self.entered.update((digest, piece.index) for digest, _ in things(piece) if digest not in self.entered)
        self.live: list[Evidence] = []
        self._kinds: dict[str, list[Evidence]] = defaultdict(list)
        self._about: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        self._families: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        self._gone: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        for piece in held:
            if piece.digest in self.aside:
                for digest, _ in set(things(piece)):
                    self._gone[piece.kind, digest].append(piece)
            else:
                self._put(piece)

    def add(self, piece: Evidence) -> None:
        """Put a live record on the shelf that came last and puts nothing aside."""
        self.records[piece.digest] = piece
        self._put(piece)

    def _put(self, piece: Evidence) -> None:
        self.live.append(piece)
        self._kinds[piece.kind].append(piece)
        for digest, name in set(things(piece)):
            self._about[piece.kind, digest].append(piece)
            self._families[piece.kind, name.partition("@")[0]].append(piece)

    def successors(self) -> dict[str, tuple[str, str]]:
        """Return what stands now, (name, digest), for each thing whose record was superseded by one of another digest.

        A record that is about itself has another digest when it says more; who named it before means the same thing.
        """
        found = {}
        for digest in self.aside:
            by = self._last(digest)
            if by is not None and by.kind != "revocation":
                then, now = (next(things(piece), ("", "")) for piece in (self.records[digest], by))
                if then[0] != now[0]:
                    found[then[0]] = (now[1], now[0])
        return found

    def _last(self, digest: str) -> Evidence | None:
        """Return the record that put another aside, or the one that put that aside in turn."""
        by = self.aside.get(digest)
        while by is not None and by.kind != "revocation" and by.digest in self.aside:
            by = self.aside[by.digest]
        return by

    def of(self, kind: str) -> Sequence[Evidence]:
        """Return the live evidence of a kind, oldest first."""
        return self._kinds.get(kind, [])

    def about(self, kind: str, sha256: str) -> Sequence[Evidence]:
        """Return the live evidence of a kind about exactly these bytes, oldest first."""
        return self._about.get((kind, sha256), [])

    def family(self, kind: str, name: str) -> Sequence[Evidence]:
        """Return the live evidence of a kind about any version of a name, oldest first."""
        return self._families.get((kind, name), [])

    def versions_of(self, piece: Evidence) -> set[str]:
        """Return the digests of the model versions that a piece speaks of."""
        return {digest for digest, _ in things(piece)} & self._versions

    def families_of(self, piece: Evidence) -> set[str]:
        """Return the names, without versions, of the models that a piece speaks of."""
        return {name.partition("@")[0] for digest, name in things(piece) if digest in self._versions}

    def withdrawn(self, kind: str, sha256: str) -> tuple[Evidence, Evidence] | None:
        """Return the newest record of a kind about these bytes and what put it aside, where no live one is left."""
        gone = None if self.about(kind, sha256) else self._gone.get((kind, sha256))
        return (gone[-1], self.aside[gone[-1].digest]) if gone else None

    def kinds(self) -> list[str]:
        return sorted(self._kinds)

    def datasets_of(self, model: Thing) -> dict[str, Thing]:
        """Return, by digest, the datasets that this model version was made from or measured on."""
        found: dict[str, Thing] = {}
        for kind in ("training-run", "model-version"):
            for piece in self.about(kind, model.sha256):
                found.update((ref["sha256"], _thing(ref)) for ref in references(piece.content) if "role" in ref)
        for kind in ("evaluation", "safety-result"):
            for piece in self.about(kind, model.sha256):
                if ref := piece.content.get("dataset"):
                    found[ref["sha256"]] = _thing(ref)
        return found

    def roles_of(self, sha256: str, model: Thing | None) -> Iterator[tuple[str, str]]:
        """Yield (number, role) of each live record that gives these bytes a role: datasets, this model and its runs."""
        return _roles(sha256, model, self.about)

    def former_roles_of(self, sha256: str, model: Thing | None) -> Iterator[tuple[str, str]]:
        """Yield (number, role) of each record that gave these bytes a role and was put aside."""
        return _roles(sha256, model, lambda kind, digest: self._gone.get((kind, digest), []))


def _roles(
    sha256: str, model: Thing | None, about: Callable[[str, str], Sequence[Evidence]]
) -> Iterator[tuple[str, str]]:
    """Yield which record gives these bytes which role.

    Test data that a version names among its training data were training data of it.
    """
    for piece in about("dataset", sha256):
        yield piece.number, str(piece.content.get("role"))
    for kind in ("training-run", "model-version"):
        for piece in about(kind, model.sha256) if model else ():
            trained_on = [id(one["dataset"]) for one in piece.content.get("training_data") or []]
            for ref in references(piece.content):
                if ref["sha256"] == sha256 and "role" in ref:
                    tested = ref["role"] in TEST_ROLES and id(ref) in trained_on
                    yield piece.number, "training" if tested else str(ref["role"])


def standing_versions(evidence: Iterable[Evidence]) -> Sequence[Evidence]:
    """Return the records of model versions that nobody put aside, oldest first."""
    told = [piece for piece in evidence if piece.kind in ("key-event", "model-version", "revocation")]
    system = str(told[0].predicate.get("system", "")) if told else ""
    return Shelf(told, system, "9999-12-31").of("model-version")


def _thing(ref: Mapping[str, Any]) -> Thing:
    return Thing(ref["name"], ref["sha256"])


def things(piece: Evidence) -> Iterator[tuple[str, str]]:
    """Yield (digest, name) of what a piece is about: its subjects, and the model version it names."""
    for subject in piece.subjects:
        digest = subject["digest"].get("sha256")
        if digest:
            yield digest, str(subject.get("name", ""))
    model = piece.content.get("model")
    if isinstance(model, dict) and "sha256" in model:
        yield model["sha256"], model["name"]


def references(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every reference by name and digest inside a record's content."""
    if isinstance(value, Mapping):
        if isinstance(value.get("sha256"), str) and isinstance(value.get("name"), str):
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)


def _put_aside(
    held: Sequence[Evidence], keys: trust.Keyring, versions_of: Callable[[Evidence], set[str]]
) -> dict[str, Evidence]:
    """Return what live later evidence revokes or supersedes, walking from the newest record back.

    Superseding counts only for an earlier record of the same kind about the same thing and with a reason, so that a
    missed criterion cannot be replaced in silence. What was revoked puts nothing aside, and a record that was itself
    superseded still does: replacing a record twice does not bring the first one back. What a person decided is not
    undone by a pipeline. Of system descriptions the newest counts, without a reason: each is the whole of the file.
    """
    by_digest = {piece.digest: piece for piece in held}
    aside: dict[str, Evidence] = {}
    described: Evidence | None = None
    for piece in reversed(held):
        by = aside.get(piece.digest)
        if by is not None and by.kind == "revocation":
            continue
        if piece.kind == "system-description":
            if described:
                aside.setdefault(piece.digest, described)
            described = described or piece
        for target in _targets(piece):
            earlier = by_digest.get(target)
            if earlier is None or earlier.index >= piece.index:
                continue
            if piece.kind != "revocation" and not _replaces(piece, earlier, versions_of):
                continue
            key = keys.at(piece.signer, piece.logged_at, piece.index)
            if key.may_withdraw(earlier.kind) if key else earlier.kind not in trust.LASTING:
                aside.setdefault(earlier.digest, piece)
    return aside


def _targets(piece: Evidence) -> list[str]:
    """Return the digests of the records that a piece asks to put aside."""
    if piece.kind == "revocation":
        return [subject["digest"].get("sha256", "") for subject in piece.subjects]
    supersedes = piece.predicate.get("supersedes") or {}
    return [str(supersedes.get("sha256", ""))] if str(supersedes.get("reason", "")).strip() else []


def _replaces(piece: Evidence, earlier: Evidence, versions_of: Callable[[Evidence], set[str]]) -> bool:
    """Say whether a record may stand in for another: same kind, same model versions, measured on the same."""
    same = piece.kind == earlier.kind and versions_of(piece) == versions_of(earlier)
    return same and data_of(piece) == data_of(earlier)


def data_of(piece: Evidence) -> tuple[str, ...]:
    """Return what a record is or was measured on, without versions: data, benchmark, else population; and for what."""
    content = piece.content
    if piece.kind == "dataset":
        return (_family(piece.subjects[0]),)
    data, benchmark = _family(content.get("dataset")), _family(content.get("benchmark"))
    if piece.kind not in MEASURED_KINDS:
        return (data,)
    where = "" if data or benchmark else str(content.get("population") or "")
    return data, benchmark, where, str(content.get("category") or content.get("type") or "")


def _family(named: Any) -> str:
    return str(named.get("name", "")).partition("@")[0] if isinstance(named, Mapping) else ""
