"""The evidence of one system as it stood on a day, found by kind, subject and name in constant time.

What is revoked or superseded by live later evidence is put aside here, once; so is what speaks of
another system or of a later day. Order of arrival changes nothing: the ledger's index does the ordering.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from compliance.core import trust
from compliance.core.evidence import Evidence
from compliance.core.findings import Thing

ACTS = frozenset({"approval", "revocation", "determination", "key-event"})


class Shelf:
    """Live evidence of `system` up to the end of the day `on` (UTC)."""

    def __init__(self, evidence: Iterable[Evidence], system: str, on: str) -> None:
        last = f"{on}T23:59:59Z"
        held = sorted((piece for piece in evidence if piece.logged_at <= last), key=lambda piece: piece.index)
        self.foreign = [piece for piece in held if piece.predicate.get("system", system) != system]
        """Evidence that says it belongs to another system; never counted."""
        foreign = {piece.index for piece in self.foreign}
        held = [piece for piece in held if piece.index not in foreign]
        self.key_events = [piece for piece in held if piece.kind == "key-event"]
        self.keys = trust.keyring(self.key_events)
        self.aside = _put_aside(held, self.keys)
        """Digest -> the live record that revoked or superseded it."""
        self.live = [piece for piece in held if piece.digest not in self.aside]
        self.records = {piece.digest: piece for piece in held}
        self._versions = {digest for piece in held if piece.kind == "model-version" for digest, _ in things(piece)}
        self._kinds: dict[str, list[Evidence]] = defaultdict(list)
        self._about: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        self._families: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        for piece in self.live:
            self._kinds[piece.kind].append(piece)
            for digest, name in set(things(piece)):
                self._about[piece.kind, digest].append(piece)
                self._families[piece.kind, name.partition("@")[0]].append(piece)

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
        """Yield (number, role) of each live record that gives these bytes a role: datasets, and this model's runs."""
        for piece in self.about("dataset", sha256):
            yield piece.number, str(piece.content.get("role"))
        for piece in self.about("training-run", model.sha256) if model else ():
            for ref in references(piece.content):
                if ref["sha256"] == sha256 and "role" in ref:
                    yield piece.number, str(ref["role"])


def _thing(ref: Mapping[str, Any]) -> Thing:
    return Thing(ref["name"], ref["sha256"])


def things(piece: Evidence) -> Iterator[tuple[str, str]]:
    """Yield (digest, name) of what a piece is about: its subjects, and the model version it names."""
    for subject in piece.subjects:
        digest = subject["digest"].get("sha256")
        if digest:
            yield digest, str(subject.get("name", ""))
    model = piece.content.get("model")
    if isinstance(model, Mapping) and "sha256" in model:
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


def _put_aside(held: Sequence[Evidence], keys: trust.Keyring) -> dict[str, Evidence]:
    """Return what live later evidence revokes or supersedes, walking from the newest record back.

    Superseding counts only for an earlier record of the same kind and with a reason, so that a missed
    criterion cannot be replaced in silence. A revocation that was itself revoked revokes nothing, and what a
    person decided is not undone by a pipeline.
    """
    by_digest = {piece.digest: piece for piece in held}
    aside: dict[str, Evidence] = {}
    for piece in reversed(held):
        if piece.digest in aside:
            continue
        if piece.kind == "revocation":
            targets = [subject["digest"].get("sha256") for subject in piece.subjects]
        else:
            targets = [_superseded(piece, by_digest)]
        for target in targets:
            earlier = by_digest.get(target or "")
            if earlier is None or earlier.index >= piece.index:
                continue
            key = keys.at(piece.signer, piece.logged_at, piece.index)
            if key is None or key.may_withdraw(earlier.kind):
                aside.setdefault(earlier.digest, piece)
    return aside


def _superseded(piece: Evidence, by_digest: Mapping[str, Evidence]) -> str | None:
    supersedes = piece.predicate.get("supersedes")
    if not supersedes or not str(supersedes.get("reason", "")).strip():
        return None
    target = str(supersedes.get("sha256", ""))
    earlier = by_digest.get(target)
    return target if earlier is not None and earlier.kind == piece.kind else None
