"""One assessment's case: the evidence, who may say what, the model version and the day, each looked up once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar

from compliance.core import criteria, paths
from compliance.core.authority import Authority
from compliance.core.catalog import MEASURED_KINDS, Need, Requirement
from compliance.core.claims import Claims
from compliance.core.evidence import Evidence
from compliance.core.faces import Sorted, Sorter
from compliance.core.findings import Thing
from compliance.core.shelf import Shelf, data_of, things

T = TypeVar("T")


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
    sorter: Sorter
    _asked: dict[tuple[object, int], Any] = field(default_factory=dict)
    _sorted: dict[tuple[str, str], Sorted] = field(default_factory=dict)
    _elsewhere: dict[tuple[str, str], Sorted] = field(default_factory=dict)
    _holders: dict[tuple[str, str], dict[str, list[Evidence]]] = field(default_factory=dict)
    _roles: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @cached_property
    def datasets(self) -> dict[str, Thing]:
        return self.shelf.datasets_of(self.model) if self.model else {}

    @cached_property
    def withdrawn_model(self) -> str | None:
        """Return in one sentence that the model version's own record was put aside, or None."""
        gone = self.shelf.withdrawn("model-version", self.model.sha256) if self.model else None
        if gone is None or self.model is None:
            return None
        record, by = gone
        return f"{record.number}, the record of {self.model.name}, was put aside by {by.number}: nothing is met for it."

    @cached_property
    def claims(self) -> Claims:
        sha256 = self.model.sha256 if self.model else ""
        return Claims(piece for kind in sorted(MEASURED_KINDS) for piece in self.shelf.about(kind, sha256))

    @cached_property
    def declaring(self) -> list[Evidence]:
        """Documents that declare figures, of this version or of none, oldest first."""
        return [piece for piece in self.shelf.of("document") if self._declares(piece)]

    @cached_property
    def plans(self) -> Mapping[str, Sequence[Evidence]]:
        """Acceptance plans by subject digest, every record of each, oldest first: order is what they prove."""
        plans: dict[str, list[Evidence]] = defaultdict(list)
        for piece in self.shelf.records.values():
            if piece.kind == "acceptance-plan":
                for subject in piece.subjects:
                    plans[subject["digest"].get("sha256", "")].append(piece)
        return plans

    def plan_of(self, piece: Evidence) -> Evidence | None:
        """Return the plan that a result names, as it stood when the result was logged, or None.

        A plan that was revoked or superseded afterwards still is what was declared; one that was withdrawn before
        the result declares nothing.
        """
        plan = piece.content.get("plan")
        for record in self.plans.get(plan.get("sha256", ""), ()) if isinstance(plan, Mapping) else ():
            by = self.shelf.aside.get(record.digest)
            if by is None or by.index > piece.index:
                return record
        return None

    def once(self, ask: Callable[["Case", Evidence], T], piece: Evidence) -> T:
        """Return the answer to a question about a piece that no need changes; it is asked once."""
        key = ask, piece.index
        if key not in self._asked:
            self._asked[key] = ask(self, piece)
        answer: T = self._asked[key]
        return answer

    def outcomes(self, piece: Evidence) -> Sequence[criteria.Tested]:
        """Return every criterion of a result's plan as the result meets it."""
        return self.once(_outcomes, piece)

    def missed(self, piece: Evidence) -> Sequence[criteria.Tested]:
        """Return the criteria that a result misses."""
        return self.once(_missed, piece)

    @cached_property
    def withdrawn_failures(self) -> Sequence[tuple[Evidence, Evidence]]:
        """Results about this version that missed a criterion and were put aside, each with what put it aside."""
        put_aside = ((self.shelf.records[digest], by) for digest, by in self.shelf.aside.items())
        return [(piece, by) for piece, by in put_aside if self.is_about(piece, "model-version") and self.missed(piece)]

    @cached_property
    def rescoped(self) -> tuple[Evidence, Evidence] | None:
        """The description of the system in force, and the one when this version was logged, where they are two."""
        entered = self.shelf.entered.get(self.model.sha256) if self.model else None
        told = [piece for piece in self.shelf.records.values() if piece.kind == "system-description"]
        before = [piece for piece in told if entered is not None and piece.index < entered]
        return (told[-1], before[-1]) if before and before[-1] is not told[-1] else None

    @cached_property
    def erasures(self) -> Sequence[Evidence]:
        """The revocations that erased what they name, whatever became of them."""
        held = self.shelf.records.values()
        return [piece for piece in held if piece.kind == "revocation" and piece.content.get("erasure") is True]

    def looked_before(self, piece: Evidence, plan: Evidence) -> Evidence | None:
        """Return the first result before a plan that measured this version on what a piece measured it on."""
        first = self._first_looks.get((piece.kind, data_of(piece)))
        return first if first and first.index < plan.index else None

    @cached_property
    def _first_looks(self) -> Mapping[tuple[str, tuple[str, ...]], Evidence]:
        """The first result of a kind about this version on each data, whatever became of it."""
        looks: dict[tuple[str, tuple[str, ...]], Evidence] = {}
        for one in self.shelf.records.values():
            if one.kind in MEASURED_KINDS and self.is_about(one, "model-version"):
                looks.setdefault((one.kind, data_of(one)), one)
        return looks

    def measured_again(self, piece: Evidence) -> Sequence[Evidence]:
        """Return the live results about this version that came after a piece, on the same data by name."""
        later = self.shelf.about(piece.kind, self.model.sha256) if self.model else []
        return [one for one in later if one.index > piece.index and data_of(one) == data_of(piece)]

    def sorted(self, kind: str, about: str) -> Sorted:
        """Return the live evidence of a kind about this version, its datasets or the system, sorted by face."""
        if (kind, about) not in self._sorted:
            self._sorted[kind, about] = Sorted(self.sorter, self._about(kind, about))
        return self._sorted[kind, about]

    def elsewhere(self, kind: str, about: str) -> Sorted:
        """Return the live evidence of a kind about other versions of this model or of its datasets, sorted by face."""
        if (kind, about) not in self._elsewhere:
            families: set[str] = set()
            if about == "model-version" and self.model:
                families = {self.model.family}
            elif about == "dataset":
                families = {dataset.family for dataset in self.datasets.values()}
            mine = {piece.index for piece in self._about(kind, about)}
            held = (piece for family in sorted(families) for piece in self.shelf.family(kind, family))
            self._elsewhere[kind, about] = Sorted(self.sorter, (one for one in held if one.index not in mine))
        return self._elsewhere[kind, about]

    def is_about(self, piece: Evidence, about: str) -> bool:
        """Say whether a piece is about this version, about one of its datasets, or, as all are, about the system."""
        digests = {digest for digest, _ in things(piece)}
        if about == "model-version":
            return self.model is not None and self.model.sha256 in digests
        return about == "system" or not digests.isdisjoint(self.datasets)

    def counterpart(self, kind: str, piece: Evidence) -> Evidence | None:
        """Return the newest live record of a kind about the same thing as a piece.

        The same thing is what the piece is itself about, else this model version, else the system: what speaks
        of another model version is about another thing.
        """
        abouts = [digest for digest, _ in things(piece)] + ([self.model.sha256] if self.model else [])
        for digest in abouts:
            for other in reversed(self.shelf.about(kind, digest)):
                if other is not piece:
                    return other
        unbound = (other for other in reversed(self.shelf.of(kind)) if not self.shelf.versions_of(other))
        return next((other for other in unbound if other is not piece), None)

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
        return [other for other in same if mine.isdisjoint(digest for digest, _ in things(other))]

    def roles_of(self, sha256: str) -> Sequence[tuple[str, str]]:
        """Return number and role of each live record that gives these bytes a role; read once."""
        if sha256 not in self._roles:
            self._roles[sha256] = list(self.shelf.roles_of(sha256, self.model))
        return self._roles[sha256]

    def stale_before(self, need: Need) -> str | None:
        """Return the moment before which evidence is past the need's age."""
        if need.max_age_days is None:
            return None
        return f"{(date.fromisoformat(self.on) - timedelta(days=need.max_age_days)).isoformat()}T00:00:00Z"

    def extend(self, piece: Evidence) -> None:
        """Take in a piece that came last and changes nothing about how the others read."""
        claims, declaring = self.claims, self.declaring  # read before the piece is on the shelf
        self.shelf.add(piece)
        self.authority.add(piece)
        for (kind, about), pieces in self._sorted.items():
            if kind == piece.kind and self.is_about(piece, about):
                pieces.add(piece)
        for kind, about in [key for key in self._elsewhere if key[0] == piece.kind]:
            if not self.is_about(piece, about):
                del self._elsewhere[kind, about]
        for key in [key for key in self._holders if key[0] == piece.kind]:
            del self._holders[key]
        if piece.kind in MEASURED_KINDS and self.is_about(piece, "model-version"):
            claims.add(piece)
        if piece.kind == "document" and self._declares(piece):
            declaring.append(piece)

    def _declares(self, piece: Evidence) -> bool:
        versions = self.shelf.versions_of(piece) if piece.content.get("figures") else None
        return versions is not None and (not versions or bool(self.model and self.model.sha256 in versions))

    def _about(self, kind: str, about: str) -> Sequence[Evidence]:
        if about == "system":
            return self.shelf.of(kind)
        if about == "model-version":
            return self.shelf.about(kind, self.model.sha256) if self.model else []
        found = {piece.index: piece for digest in self.datasets for piece in self.shelf.about(kind, digest)}
        return [found[index] for index in sorted(found)]


def _outcomes(case: Case, piece: Evidence) -> Sequence[criteria.Tested]:
    plan = case.plan_of(piece)
    return criteria.test(piece, plan) if plan else []


def _missed(case: Case, piece: Evidence) -> Sequence[criteria.Tested]:
    return [one for one in case.outcomes(piece) if one.outcome is criteria.Outcome.MISSED]
