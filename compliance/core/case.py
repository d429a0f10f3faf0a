"""One assessment's case: the evidence, who may say what, the model version and the day, each looked up once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

from compliance.core import criteria, matching, paths
from compliance.core.authority import Authority
from compliance.core.catalog import Need, Requirement
from compliance.core.evidence import Evidence
from compliance.core.findings import Thing
from compliance.core.shelf import Shelf, things


class LedgerState(Protocol):
    """What verification said of the ledger; `services.verify` answers with it."""

    @property
    def ok(self) -> bool: ...
    @property
    def checked(self) -> int: ...


class Validator(Protocol):
    def is_valid(self, instance: object) -> bool: ...


@dataclass(frozen=True)
class Case:
    """What every need of one assessment is weighed against."""

    shelf: Shelf
    authority: Authority
    model: Thing | None
    on: str
    ledger: LedgerState | None
    validators: Callable[[Requirement, Need], Validator]
    _outcomes: dict[int, list[criteria.Tested]] = field(default_factory=dict)
    _candidates: dict[tuple[object, ...], list[Evidence]] = field(default_factory=dict)
    _holders: dict[tuple[str, str], dict[str, list[Evidence]]] = field(default_factory=dict)

    @cached_property
    def datasets(self) -> dict[str, Thing]:
        return self.shelf.datasets_of(self.model) if self.model else {}

    @cached_property
    def plans(self) -> Mapping[str, Evidence]:
        """Acceptance plans by subject digest, each as first logged: order is what it proves.

        A superseded plan still is what was declared when the result came; a revoked one is nothing.
        """
        plans: dict[str, Evidence] = {}
        for piece in self.shelf.records.values():
            revoker = self.shelf.aside.get(piece.digest)
            if piece.kind == "acceptance-plan" and not (revoker and revoker.kind == "revocation"):
                for subject in piece.subjects:
                    plans.setdefault(subject["digest"].get("sha256", ""), piece)
        return plans

    def plan_of(self, piece: Evidence) -> Evidence | None:
        plan = piece.content.get("plan")
        return self.plans.get(plan.get("sha256", "")) if isinstance(plan, Mapping) else None

    def outcomes(self, piece: Evidence) -> list[criteria.Tested]:
        """Return every criterion of a result's plan as the result meets it; worked out once."""
        if piece.index not in self._outcomes:
            plan = self.plan_of(piece)
            self._outcomes[piece.index] = criteria.test(piece, plan) if plan else []
        return self._outcomes[piece.index]

    def candidates(self, need: Need, carried: frozenset[str]) -> Sequence[Evidence]:
        """Return the live evidence that speaks of a need, of this version or carried over to it, oldest first."""
        metrics = need.metrics.any_of if need.metrics else None
        key = (need.kind, need.about, repr(need.where), metrics, carried)
        if key not in self._candidates:
            about = self._about(need) if not carried else self._with_carried(need, carried)
            self._candidates[key] = [piece for piece in about if matching.selects(need, piece.content)]
        return self._candidates[key]

    def counterpart(self, kind: str, piece: Evidence) -> Evidence | None:
        """Return the newest live record of a kind about the same thing as a piece.

        The same thing is what the piece is itself about, else this model version, else the system: what speaks
        of another model version is about another thing.
        """
        abouts = [digest for digest, _ in things(piece)] + ([self.model.sha256] if self.model else [])
        for digest in abouts:
            found = [other for other in self.shelf.about(kind, digest) if other is not piece]
            if found:
                return found[-1]
        unbound = [other for other in self.shelf.of(kind) if other is not piece and not self.shelf.versions_of(other)]
        return unbound[-1] if unbound else None

    def others_with(self, piece: Evidence, path: str, value: object) -> list[Evidence]:
        """Return the live records of a piece's kind about other subjects that have this value at a path."""
        key = (piece.kind, path)
        if key not in self._holders:
            holders: dict[str, list[Evidence]] = defaultdict(list)
            for other in self.shelf.of(piece.kind):
                for said in paths.said(other.content, path):
                    holders[repr(said)].append(other)
            self._holders[key] = holders
        mine = {digest for digest, _ in things(piece)}
        same = self._holders[key].get(repr(value), [])
        return [other for other in same if not mine & {digest for digest, _ in things(other)}]

    def stale_before(self, need: Need) -> str | None:
        """Return the moment before which evidence is past the need's age."""
        if need.max_age_days is None:
            return None
        return f"{(date.fromisoformat(self.on) - timedelta(days=need.max_age_days)).isoformat()}T00:00:00Z"

    def _about(self, need: Need) -> Sequence[Evidence]:
        if need.about == "system":
            return self.shelf.of(need.kind)
        if need.about == "model-version":
            return self.shelf.about(need.kind, self.model.sha256) if self.model else []
        found = {piece.index: piece for digest in self.datasets for piece in self.shelf.about(need.kind, digest)}
        return [found[index] for index in sorted(found)]

    def _with_carried(self, need: Need, carried: frozenset[str]) -> Sequence[Evidence]:
        found = {piece.index: piece for piece in self._about(need)}
        for digest in carried - self.shelf.aside.keys():
            piece = self.shelf.records.get(digest)
            if piece is not None and piece.kind == need.kind:
                found[piece.index] = piece
        return [found[index] for index in sorted(found)]
