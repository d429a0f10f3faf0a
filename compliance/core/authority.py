"""Who signed what, in which role: approvals of exactly one digest, and decisions about requirements.

Keys and their roles are read from the ledger's key-events as they stood at each entry (`core.trust`).
"""

from collections import defaultdict
from collections.abc import Sequence

from compliance.core import trust
from compliance.core.catalog import Approved
from compliance.core.evidence import Evidence
from compliance.core.findings import Thing
from compliance.core.people import person
from compliance.core.shelf import Shelf

DECIDING = frozenset({"reviewer", "approver"})
"""Roles whose holder may decide that a row is met or does not apply; the holder must be a person."""


class Authority:
    """The approvals and determinations on a shelf, each weighed by its signer's role at that entry."""

    def __init__(self, shelf: Shelf) -> None:
        self._keys = shelf.keys
        self._approvals: dict[str, list[Evidence]] = defaultdict(list)
        self._determinations: dict[str, list[Evidence]] = defaultdict(list)
        for kind in ("approval", "determination"):
            for piece in shelf.of(kind):
                self.add(piece)

    def add(self, piece: Evidence) -> None:
        """Take in an approval or determination that came last; other kinds decide nothing."""
        if piece.kind == "approval":
            for subject in piece.subjects:
                self._approvals[subject["digest"].get("sha256", "")].append(piece)
        elif piece.kind == "determination":
            for requirement in piece.content.get("requirements") or []:
                self._determinations[requirement].append(piece)

    def is_signed_off(self, piece: Evidence) -> bool:
        """Say whether anybody signed anything about exactly this piece."""
        return piece.digest in self._approvals

    def key(self, piece: Evidence) -> trust.Registered | None:
        """Return the key behind a piece as it stood at that entry; None where it was not valid there."""
        return self._keys.at(piece.signer, piece.logged_at, piece.index)

    def has_role(self, piece: Evidence, role: str) -> bool:
        key = self.key(piece)
        return key is not None and role in key.roles

    def approval(self, piece: Evidence, asked: Approved, on: str) -> tuple[Evidence | None, str]:
        """Return the approval that a piece needs on a day, or why none counts."""
        why = f"{piece.number} is not {asked.meaning} by anyone in the role {asked.role}."
        given = self._approvals.get(piece.digest, ())
        signed = [piece, *(one for one in given if one.content.get("meaning") == "authored")]
        authors = {person(key.holder) for one in signed if (key := self.key(one))}
        wrote = {one.signer for one in signed}
        for approval in reversed(given):
            key = self.key(approval)
            if approval.content.get("meaning") != asked.meaning:
                continue
            if (until := approval.content.get("valid_until")) and until < on:
                why = f"{approval.number} lapsed on {until}."
            elif key is None:
                why = f"{approval.number} {asked.meaning} {piece.number} with a key that was not valid then."
            elif asked.role not in key.roles or key.holder_type != "person":
                why = f"{approval.number} is signed by {key.holder}, who is no person in the role {asked.role}."
            elif asked.not_author and (person(key.holder) in authors or approval.signer in wrote):
                why = f"{approval.number} is signed by {key.holder}, who also recorded or wrote {piece.number}."
            else:
                return approval, ""
        return None, why

    def decisions(self, requirement: str, model: Thing | None) -> Sequence[Evidence]:
        """Return the determinations about a row and this model version, oldest first."""
        return [] if model is None else [
            piece for piece in self._determinations.get(requirement, ()) if _about(piece, model.sha256)
        ]  # fmt: skip

    def earlier_decisions(self, requirement: str, model: Thing | None) -> Sequence[Evidence]:
        """Return the determinations about a row and another version of this model."""
        return [
            piece for piece in self._determinations.get(requirement, ()) if model and not _about(piece, model.sha256)
        ]

    def refusal(self, piece: Evidence, on: str) -> str | None:
        """Return why a determination does not count on a day, or None where its signer may decide so."""
        until = piece.content.get("valid_until")
        if until and until < on:
            return f"{piece.number} lapsed on {until}."
        key, decision = self.key(piece), str(piece.content.get("decision"))
        if key is None:
            return f"{piece.number} says {decision} with a key that was not valid then."
        if decision == "carried-over" and "approver" not in key.roles:
            return f"{piece.number} carries evidence over, but {key.holder} is no approver."
        may = key.holder_type == "person" and DECIDING & set(key.roles)
        if decision in ("met", "not-applicable", "carried-over") and not may:
            return f"{piece.number} says {decision}, but {key.holder} is no person in the role reviewer or approver."
        return None


def _about(piece: Evidence, sha256: str) -> bool:
    model = piece.content.get("model") or {}
    return piece.is_about(sha256) or model.get("sha256") == sha256
