"""Which key may sign what, and when: read from the ledger's key-events, never from a folder.

EV-000000 is a self-signed key-event whose digest `compliance.toml` pins; every other key enters, changes or
leaves by a key-event that a registered admin signed. An event counts from the entry after it: order is proof, and
nothing is registered or revoked backwards. Pure, on plain dictionaries, so that verification needs no models.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from compliance.core.envelope import PublicKey, load_public_key
from compliance.errors import InvalidInput

ROLES = ("recorder", "reviewer", "approver", "admin")

DECISIONS = frozenset({"approval", "determination", "revocation"})
"""Kinds that say what somebody decided."""

LASTING = frozenset({"key-event", "system-description"})
"""Kinds that nobody withdraws: keys end by an event of their own, and the newest description counts."""

_UNDOERS = frozenset({"reviewer", "approver", "admin"})
_WRITERS = frozenset({"recorder", "reviewer", "approver"})
_BY_KIND: Mapping[str, frozenset[str]] = {
    "key-event": frozenset({"admin"}),
    "revocation": _WRITERS | {"admin"},
    "system-description": frozenset({"admin", "approver"}),  # it decides which requirements apply
}
_BY_DECISION: Mapping[tuple[str, str], frozenset[str]] = {
    ("approval", "reviewed"): frozenset({"reviewer", "approver"}),
    ("approval", "approved"): frozenset({"approver"}),
    ("determination", "carried-over"): frozenset({"approver"}),
    ("revocation", "erasure"): frozenset({"admin", "approver"}),  # it cannot be undone
}


class KeyEvent(Protocol):
    """A key-event as read from the ledger; `core.evidence.Evidence` is one."""

    @property
    def index(self) -> int: ...
    @property
    def signer(self) -> str:
        """Key id whose signature over the event was checked, or is taken on record."""

    @property
    def logged_at(self) -> str: ...
    @property
    def content(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Registered:
    """A key as the ledger registered it."""

    key: PublicKey
    name: str
    holder: str
    holder_type: str
    """`person` or `pipeline`."""
    roles: tuple[str, ...]
    valid_from: str
    valid_until: str | None
    since: int
    """Index of the key-event that made it so."""
    ended: str | None = None
    """`rotated`, `expired` or `revoked`, once it was."""

    @property
    def hint(self) -> str:
        return self.key.hint

    def valid_at(self, moment: str) -> bool:
        """Say whether `moment` (UtcTime) lies in the key's validity."""
        return self.valid_from <= moment and (self.valid_until is None or moment <= self.valid_until)

    def may_sign(self, kind: str, content: Mapping[str, Any] | None = None) -> bool:
        """Say whether this key's roles cover evidence of `kind`, with that content if it is given."""
        return self.refusal(kind, content) is None

    def may_withdraw(self, kind: str) -> bool:
        """Say whether this key's holder may revoke or supersede evidence of `kind`; who decides also undoes it."""
        decides = self.holder_type == "person" and not _UNDOERS.isdisjoint(self.roles)
        return kind not in LASTING and (decides or kind not in DECISIONS)

    def refusal(self, kind: str, content: Mapping[str, Any] | None = None) -> str | None:
        """Return why this key may not sign such evidence, or None where it may."""
        decision = str((content or {}).get("meaning") or (content or {}).get("decision") or "")
        if kind == "revocation" and (content or {}).get("erasure") is True:
            decision = "erasure"
        asked = _BY_DECISION.get((kind, decision)) or _BY_KIND.get(kind, _WRITERS)
        if not asked.intersection(self.roles):
            what = f"{kind} ({decision})" if (kind, decision) in _BY_DECISION else kind
            return f"the key {self.name} has not the role {' or '.join(sorted(asked))} that {what} evidence needs"
        if kind == "approval" and self.holder_type != "person":
            return f"the key {self.name} is a pipeline's, and approvals need a person's key"
        return None


@dataclass(slots=True)
class Keyring:
    """Every key that was ever registered, and what became of it."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    """Key-events that do not count: (index, why)."""
    _history: dict[str, list[Registered]] = field(default_factory=dict)

    def at(self, hint: str, moment: str, index: int | None = None) -> Registered | None:
        """Return the key if it may be relied on at `moment` by the entry `index` (default: the next entry)."""
        key = self.known(hint, index)
        return key if key is not None and key.ended is None and key.valid_at(moment) else None

    def known(self, hint: str, index: int | None = None) -> Registered | None:
        """Return the key as it stood before entry `index`, ended or not; genesis knows itself."""
        history = self._history.get(hint, [])
        if index == 0:
            return next((key for key in history if key.since == 0), None)
        return next((key for key in reversed(history) if index is None or key.since < index), None)

    def fault(self, hint: str, moment: str, index: int) -> str | None:
        """Return why the key must not be relied on by entry `index`, or None where it may."""
        return self.fault_of(self.known(hint, index), hint, moment)

    def fault_of(self, key: Registered | None, hint: str, moment: str) -> str | None:
        """As `fault`, for what `known` returned."""
        if key is None:
            later = self.known(hint)
            return f"signed by a key that is registered only later, at entry {later.since}" if later else "unknown key"
        if key.ended is not None:
            return f"signed by the key {key.name}, which was {key.ended} at entry {key.since}"
        if not key.valid_at(moment):
            return (
                f"signed by the key {key.name} outside its validity ({key.valid_from} to {key.valid_until or 'open'})"
            )
        return None

    def current(self) -> list[Registered]:
        """Return every key as it stands now, oldest registration first."""
        return sorted((history[-1] for history in self._history.values()), key=lambda key: key.since)

    def named(self, name: str) -> Registered | None:
        """Return the key that stands under `name` now, ended ones last."""
        found = [key for key in self.current() if key.name == name]
        return next((key for key in reversed(found) if key.ended is None), found[-1] if found else None)

    def take(self, event: KeyEvent) -> None:
        """Take the next event in; one that does not count becomes a problem."""
        if why := self._apply(event):
            self.problems.append((event.index, why))

    def _apply(self, event: KeyEvent) -> str | None:
        content = event.content
        kind, hint = content.get("event"), str(content.get("hint", ""))
        if why := self._unauthorised(event):
            return why
        if kind in ("expired", "revoked"):
            return self._end(hint, str(kind), event.index)
        if kind == "rotated":
            return self._enter(event) or self._end(str(content["replaces"]), "rotated", event.index)
        return self._enter(event) if kind == "registered" else f"nobody here knows the event {kind!r}"

    def _unauthorised(self, event: KeyEvent) -> str | None:
        if event.index == 0:
            own = event.content.get("event") == "registered" and event.content.get("hint") == event.signer
            return None if own else "the ledger does not begin with a self-signed registration"
        if why := self.fault(event.signer, event.logged_at, event.index):
            return why
        return self._history[event.signer][-1].refusal("key-event")

    def _enter(self, event: KeyEvent) -> str | None:
        key = _registered(event.content, event.index)
        if key is None:
            return "it does not describe a key, or its hint is not that of its public key"
        if (known := self._history.get(key.hint)) and known[-1].ended == "revoked":
            return "it brings back a key that was revoked"
        replaces = event.content.get("replaces")
        if event.content["event"] == "rotated" and replaces not in self._history:
            return "it replaces a key that was never registered"
        standing = self.named(key.name)
        if standing and standing.ended is None and standing.hint not in (key.hint, replaces):
            return f"another key stands under the name {key.name}"
        self._history.setdefault(key.hint, []).append(key)
        return None

    def _end(self, hint: str, how: str, index: int) -> str | None:
        if hint not in self._history:
            return "it ends a key that was never registered"
        self._history[hint].append(replace(self._history[hint][-1], ended=how, since=index))
        return None


def keyring(events: Iterable[KeyEvent]) -> Keyring:
    """Return the keys that these key-events (oldest first) register; events that do not count are its `problems`."""
    ring = Keyring()
    for event in events:
        ring.take(event)
    return ring


def _registered(content: Mapping[str, Any], index: int) -> Registered | None:
    words = {name: content.get(name) for name in ("name", "holder", "holder_type", "valid_from")}
    roles, pem, until = content.get("roles"), content.get("public_key"), content.get("valid_until")
    if not all(isinstance(word, str) and word for word in words.values()):
        return None
    if not isinstance(roles, list) or not isinstance(pem, str):
        return None
    try:
        key = load_public_key(pem.encode())
    except InvalidInput:
        return None
    if key.hint != content.get("hint"):
        return None
    return Registered(
        **{name: str(word) for name, word in words.items()},
        key=key,
        roles=tuple(role for role in ROLES if role in roles),
        valid_until=str(until) if until else None,
        since=index,
    )
