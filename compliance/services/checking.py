"""Checking one record, and a stretch of records, of a ledger: signature, key, digest, leaf and what they say.

What `verify` and the verification of bundles share. Plain dictionaries: nothing here needs pydantic, and an
envelope of a kind that nobody here knows is checked like any other. The order is fixed: an envelope is held to its
digest, then to its signature, and only then is what it says read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from compliance.core import merkle
from compliance.core.envelope import (
    PublicKey,
    load_public_key,
    signer_hint,
    unseal,
    unseal_and_tell,
    unverified_payload,
)
from compliance.core.trust import Keyring
from compliance.core.wire import evidence_number, predicate_type
from compliance.errors import BadSignature, InvalidInput

LEAF = re.compile(
    r'\{"envelope":"([0-9a-f]{64})","kind":"([a-z0-9-]+)","logged_at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)","v":1\}'
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold."""

    index: int | None
    """Index of the record; None where it concerns the ledger as a whole."""
    problem: str

    @property
    def evidence(self) -> str | None:
        """The record's number, such as EV-000017."""
        return None if self.index is None else evidence_number(self.index)

    def to_dict(self) -> dict[str, Any]:
        return {"evidence": self.evidence, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the envelope of one record says, its signature checked, and what is wrong with it."""

    statement: Mapping[str, Any] | None
    """None where the envelope does not hold."""
    problems: tuple[str, ...]

    @property
    def content(self) -> Mapping[str, Any]:
        predicate = self.predicate
        content = predicate.get("content")
        return content if isinstance(content, dict) else {}

    @property
    def predicate(self) -> Mapping[str, Any]:
        predicate = (self.statement or {}).get("predicate")
        return predicate if isinstance(predicate, dict) else {}

    def attachments(self) -> Iterator[tuple[str, str, str]]:
        """Yield (digest, size, name) of each attachment."""
        listed = self.predicate.get("attachments")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict):
                yield str(one.get("sha256")), str(one.get("size")), str(one.get("name"))

    def subjects(self) -> Iterator[tuple[str, str]]:
        """Yield (name, digest) of each subject."""
        listed = (self.statement or {}).get("subject")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("digest"), dict):
                yield str(one.get("name")), str(one["digest"].get("sha256"))


@dataclass(frozen=True, slots=True)
class Event:
    """A key-event whose signature was checked."""

    index: int
    signer: str
    logged_at: str
    content: Mapping[str, Any]


@dataclass(slots=True)
class Trust:
    """The ledger's keys, read from its key-events with every signature checked."""

    ring: Keyring = field(default_factory=Keyring)
    keys: dict[str, PublicKey] = field(default_factory=dict)
    genesis: Mapping[str, Any] = field(default_factory=dict)
    """What EV-000000 says: system, origin, log key."""
    problems: list[Problem] = field(default_factory=list)

    def take(self, index: int, logged_at: str, envelope: bytes) -> None:
        """Check the next key-event and let it change the ring. Genesis is signed by the key that it brings."""
        try:
            if index == 0:
                self._begin(unverified_payload(envelope))
            statement = json.loads(unseal(envelope, self.keys))
            content = statement["predicate"]["content"]
            if statement["predicateType"] != predicate_type("key-event"):
                raise ValueError("it is no key-event")
            self.ring.take(Event(index, signer_hint(envelope), logged_at, content))
            if "public_key" in content:
                key = load_public_key(str(content["public_key"]).encode())
                self.keys.setdefault(key.hint, key)
        except (BadSignature, InvalidInput) as error:
            self.problems.append(Problem(index, f"key-event not counted: {error.problem}"))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.problems.append(Problem(index, f"key-event not counted: it cannot be read ({error})"))

    def _begin(self, payload: bytes) -> None:
        self.genesis = json.loads(payload)["predicate"]["content"]
        key = load_public_key(str(self.genesis["public_key"]).encode())
        self.keys[key.hint] = key

    def all_problems(self) -> list[Problem]:
        """Return what is wrong with key-events: their own faults and those that do not count."""
        return self.problems + [Problem(index, f"key-event not counted: {why}") for index, why in self.ring.problems]


def check_record(index: int, leaf: tuple[str, str, str], envelope: bytes, trust: Trust) -> Checked:
    """Check one envelope against its leaf (digest, kind, logged_at) and against the keys of the ledger."""
    digest, kind, logged_at = leaf
    if sha256(envelope).hexdigest() != digest:
        return Checked(None, ("the envelope was changed: its digest is not the one in the ledger's entry",))
    try:
        hint, payload = unseal_and_tell(envelope, trust.keys)
        statement = json.loads(payload)
    except BadSignature as error:
        return Checked(None, (error.problem,))
    except (ValueError, RecursionError):
        return Checked(None, ("the signed bytes are no JSON",))
    if not isinstance(statement, dict) or not isinstance(statement.get("predicate"), dict):
        return Checked(None, ("the signed bytes are no statement",))
    checked = Checked(statement, ())
    return Checked(statement, tuple(_contradictions(index, kind, logged_at, hint, checked, trust)))


def _contradictions(index: int, kind: str, logged_at: str, hint: str, checked: Checked, trust: Trust) -> Iterator[str]:
    """Yield where the statement contradicts its entry, its key or the ledger."""
    statement, predicate = checked.statement or {}, checked.predicate
    if statement.get("predicateType") != predicate_type(kind):
        yield f"the entry says {kind}, the envelope {statement.get('predicateType')}"
    if predicate.get("system") != trust.genesis.get("system"):
        yield f"it belongs to another system ({predicate.get('system')})"
    key = trust.ring.known(hint, index)
    if fault := trust.ring.fault_of(key, hint, logged_at):
        yield fault
    if key is None or fault:
        return
    if refusal := key.refusal(kind, checked.content):
        yield refusal
    if predicate.get("recorded_by") != key.name:
        yield f"it says it was recorded by {predicate.get('recorded_by')}, but the key is {key.name}'s"


def read_leaf(leaf: str) -> tuple[str, str, str] | None:
    """Return (envelope digest, kind, logged_at) of a stored leaf, or None where it is not one."""
    match = LEAF.fullmatch(leaf)
    return (match[1], match[2], match[3]) if match else None


def leaf_problem(leaf: str, stored: bytes) -> str | None:
    """Return what is wrong between a stored leaf and its stored hash."""
    if merkle.leaf_hash(leaf.encode()) != stored:
        return "the entry was changed: its hash is not the one in the tree"
    return None
