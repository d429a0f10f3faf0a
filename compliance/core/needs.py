"""One need against everything on record: passed, failed, insufficient, stale or gap, and why.

The order of DESIGN 11.6: a missed criterion fails the need whatever else passes; then one piece that satisfies
all passes it; else the first of insufficient, stale, gap. The newest piece explains a verdict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

from compliance.core import criteria, matching
from compliance.core.authority import Authority
from compliance.core.catalog import AUDIT_TRAIL, Need, Requirement
from compliance.core.evidence import Basis, Evidence
from compliance.core.findings import NeedResult, NeedVerdict, Thing
from compliance.core.shelf import Shelf

UNVERIFIED = "The ledger does not verify: `compliance verify` names the record."
LISTED = 5
"""At most this many pieces are named for or against."""


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

    def stale_before(self, need: Need) -> str | None:
        """Return the moment before which evidence is past the need's age."""
        if need.max_age_days is None:
            return None
        return f"{(date.fromisoformat(self.on) - timedelta(days=need.max_age_days)).isoformat()}T00:00:00Z"


def weigh(case: Case, requirement: Requirement, need: Need, carried: frozenset[str]) -> NeedResult:
    """Return what the record shows of one need; `carried` holds digests that a signed carry-over lets count."""
    if need.kind == AUDIT_TRAIL:
        return _ledger_answers(case, need)
    valid = case.validators(requirement, need)
    mine = case.candidates(need, carried)
    if missed := [piece for piece in mine if _misses(case, need, piece) and valid.is_valid(piece.statement)]:
        return _failed(case, need, missed)
    refused: dict[NeedVerdict, tuple[str, list[Evidence]]] = {}
    for piece in reversed(mine):
        outcome = _judge(case, need, piece, valid)
        if isinstance(outcome, _Passed):
            return NeedResult(need.id, NeedVerdict.PASSED, outcome.reason, outcome.evidence)
        verdict, reason = outcome
        refused.setdefault(verdict, (reason, []))[1].append(piece)
    for verdict in (NeedVerdict.INSUFFICIENT, NeedVerdict.STALE):
        if verdict in refused:
            reason, pieces = refused[verdict]
            return NeedResult(need.id, verdict, reason, against=_numbers(pieces))
    return _elsewhere(case, need)


@dataclass(frozen=True, slots=True)
class _Passed:
    reason: str
    evidence: tuple[str, ...]


def _misses(case: Case, need: Need, piece: Evidence) -> bool:
    if need.criterion != "passed" or _identity_only(need, piece):
        return False
    wanted = need.metrics.any_of if need.metrics else None
    return any(one.outcome is criteria.Outcome.MISSED for one in criteria.about(case.outcomes(piece), wanted))


def _failed(case: Case, need: Need, missed: Sequence[Evidence]) -> NeedResult:
    newest = missed[-1]
    wanted = need.metrics.any_of if need.metrics else None
    tests = criteria.about(case.outcomes(newest), wanted)
    first, *others = [one for one in tests if one.outcome is criteria.Outcome.MISSED]
    too = f" It misses {', '.join(one.criterion for one in others)} too." if others else ""
    reason = f"In {newest.number}, {first.reason}{too}"
    return NeedResult(need.id, NeedVerdict.FAILED, reason, against=_numbers(reversed(missed)))


def _judge(case: Case, need: Need, piece: Evidence, valid: Validator) -> _Passed | tuple[NeedVerdict, str]:
    """Judge one piece by every condition, the statement's own first."""
    if piece.completeness != "complete":
        why = piece.predicate.get("completeness_reason") or "no reason given"
        return NeedVerdict.INSUFFICIENT, f"{piece.number} is {piece.completeness}: {str(why).rstrip('.')}."
    if _identity_only(need, piece):
        return NeedVerdict.INSUFFICIENT, (
            f"{piece.number} is about a published identity (digest basis identity): nobody here holds the bytes."
        )
    if why := _two_roles(case, piece):
        return NeedVerdict.INSUFFICIENT, why
    if lacking := matching.lacks(need, piece):
        return NeedVerdict.INSUFFICIENT, lacking
    if not valid.is_valid(piece.statement):
        return NeedVerdict.INSUFFICIENT, f"{piece.number} does not meet the schema of this need."
    if need.signer_role and not case.authority.has_role(piece, need.signer_role):
        return NeedVerdict.INSUFFICIENT, f"{piece.number} is not signed in the role {need.signer_role}."
    evidence, reasons = [piece.number], []
    if need.criterion:
        plan = case.plan_of(piece)
        if plan is None:
            return NeedVerdict.INSUFFICIENT, f"No plan: {piece.number} names no acceptance plan that is on record."
        shown = _criterion(case, need, piece, plan)
        if shown[0] is not None:
            return NeedVerdict.INSUFFICIENT, shown[0]
        evidence.append(plan.number)
        reasons.append(shown[1])
    if need.approved:
        approval, why = case.authority.approval(piece, need.approved)
        if approval is None:
            return NeedVerdict.INSUFFICIENT, f"No approval: {why}"
        evidence.append(approval.number)
        reasons.append(f"{need.approved.meaning.capitalize()} by {approval.number}.")
    limit = case.stale_before(need)
    if limit and piece.logged_at < limit:
        return NeedVerdict.STALE, f"{piece.number} of {piece.logged_at[:10]} is older than {need.max_age_days} days."
    return _Passed(" ".join([f"{piece.number} shows it: {piece.title}.", *reasons]), tuple(evidence))


def _criterion(case: Case, need: Need, piece: Evidence, plan: Evidence) -> tuple[str | None, str]:
    """Return (why the criteria do not carry it, or None; what they show)."""
    family = case.model.family if case.model else ""
    if why := criteria.foreign_plan(piece, plan, family) or criteria.declared_late(piece, plan):
        return why, ""
    wanted = need.metrics.any_of if need.metrics else None
    tests = criteria.about(case.outcomes(piece), wanted)
    if not tests:
        named = " or ".join(wanted) if wanted else "any metric"
        return f"Plan {plan.number} declares no criterion on {named}.", ""
    for one in tests:
        if one.outcome is criteria.Outcome.UNTESTED:
            return one.reason, ""
    if groups := criteria.missing_groups(piece, plan):
        return f"A declared group is missing: {piece.number} does not report {'; '.join(groups)}.", ""
    return None, f"{tests[0].reason} Declared in {plan.number} before the run."


def _two_roles(case: Case, piece: Evidence) -> str | None:
    """Return why a result's data cannot count in its role, or None: the same bytes are on record in another one."""
    dataset = piece.content.get("dataset")
    if not isinstance(dataset, Mapping):
        return None
    role = dataset.get("role")
    for number, other in case.shelf.roles_of(str(dataset.get("sha256")), case.model):
        if other != role:
            return (
                f"Wrong data role: {piece.number} counts {dataset.get('name')} as {role} data, "
                f"but {number} says that the same bytes are {other} data."
            )
    return None


def _identity_only(need: Need, piece: Evidence) -> bool:
    return need.bytes == "required" and any(
        subject.get("annotations", {}).get("basis") == Basis.IDENTITY for subject in piece.subjects
    )


def _elsewhere(case: Case, need: Need) -> NeedResult:
    """Nothing speaks of this version: say whether an earlier one was shown, or that nothing is on record."""
    families = _families(case, need)
    old = [
        piece
        for family in families
        for piece in case.shelf.family(need.kind, family)
        if matching.selects(need, piece.content)
    ]
    if old:
        newest = max(old, key=lambda piece: piece.index)
        about = ", ".join(str(subject.get("name")) for subject in newest.subjects)
        wanted = case.model.name if case.model and need.about == "model-version" else "what this version rests on"
        reason = f"{newest.number} is about {about}, not about {wanted}."
        return NeedResult(need.id, NeedVerdict.STALE, reason, against=_numbers(reversed(old)))
    return NeedResult(need.id, NeedVerdict.GAP, _nothing(case, need))


def _families(case: Case, need: Need) -> list[str]:
    if need.about == "model-version":
        return [case.model.family] if case.model else []
    if need.about == "dataset":
        return sorted({dataset.family for dataset in case.datasets.values()})
    return []


def _nothing(case: Case, need: Need) -> str:
    if case.model is None and need.about != "system":
        return "No model version is on record."
    subject = {
        "model-version": f" about {case.model.name if case.model else ''}",
        "dataset": f" about a dataset that {case.model.name if case.model else ''} was made from or measured on",
        "system": "",
    }[need.about]
    return f"No {need.kind} evidence{subject} is on record{_conditions(need)}."


def _conditions(need: Need) -> str:
    parts = [f"{path} {_either(values)}" for path, values in need.where.items()]
    if need.metrics:
        parts.append(f"metric {_either(need.metrics.any_of)}")
    return f" with {', '.join(parts)}" if parts else ""


def _either(values: Sequence[object]) -> str:
    words = [
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value) for value in values
    ]
    return " or ".join(words) if len(words) <= LISTED else f"{', '.join(words[:3])} or a like one"


def _ledger_answers(case: Case, need: Need) -> NeedResult:
    if case.ledger is None:
        return NeedResult(need.id, NeedVerdict.INSUFFICIENT, "The ledger was not verified for this assessment.")
    if not case.ledger.ok:
        return NeedResult(need.id, NeedVerdict.FAILED, UNVERIFIED)
    return NeedResult(need.id, NeedVerdict.PASSED, f"The ledger verifies: {case.ledger.checked} entries checked.")


def _numbers(pieces: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple(_first(piece.number for piece in pieces))


def _first(numbers: Iterator[str]) -> Iterator[str]:
    for _, number in zip(range(LISTED), numbers, strict=False):
        yield number
