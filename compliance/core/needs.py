"""One need against everything on record: passed, failed, insufficient, stale or gap, and why.

The order of DESIGN 11.6: what shows the contrary (a missed criterion, or a value otherwise than the need judges) fails
the need whatever else passes; then one piece that satisfies all passes it; else the first of insufficient, stale, gap.
The newest piece explains a verdict; of those that lack fields, the one that lacks fewest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from compliance.core import criteria, judgement, matching, paths
from compliance.core.advice import PUBLISHED_ONLY
from compliance.core.case import Case, Validator
from compliance.core.catalog import AUDIT_TRAIL, Need, Requirement
from compliance.core.evidence import Basis, Evidence
from compliance.core.findings import NeedResult, NeedVerdict

UNVERIFIED = "The ledger does not verify: `compliance verify` names the record."
LISTED = 5
"""At most this many pieces are named for or against."""


def weigh(case: Case, requirement: Requirement, need: Need, carried: frozenset[str]) -> NeedResult:
    """Return what the record shows of one need; `carried` holds digests that a signed carry-over lets count."""
    if need.kind == AUDIT_TRAIL:
        return _ledger_answers(case, need)
    valid = case.validators(requirement, need)
    mine = case.candidates(need, carried)
    if contrary := [(piece, why) for piece in mine if (why := _contrary(case, need, piece, valid))]:
        newest = contrary[-1][1]
        return NeedResult(
            need.id, NeedVerdict.FAILED, newest, against=_numbers(piece for piece, _ in reversed(contrary))
        )
    refused: dict[NeedVerdict, list[tuple[Evidence, str]]] = {}
    shown: list[_Passed] = []
    for piece in reversed(mine):
        outcome = _judge(case, need, piece, valid)
        if isinstance(outcome, _Passed):
            shown.append(outcome)
            if not need.each:
                break
        else:
            verdict, reason = outcome
            refused.setdefault(verdict, []).append((piece, reason))
    if shown and not (need.each and refused):
        numbers = _first(number for one in shown for number in one.evidence)
        return NeedResult(need.id, NeedVerdict.PASSED, shown[0].reason, tuple(numbers))
    for verdict in (NeedVerdict.INSUFFICIENT, NeedVerdict.STALE):
        if pieces := refused.get(verdict):
            pieces.sort(key=lambda one: matching.missing(need, one[0].content))
            return NeedResult(need.id, verdict, pieces[0][1], against=_numbers(piece for piece, _ in pieces))
    return _elsewhere(case, need, valid)


def asked(case: Case, need: Need, carried: frozenset[str]) -> bool:
    """Say whether a need is asked at all: one of each piece on record is not where there is none."""
    return not need.each or bool(case.candidates(need, carried))


@dataclass(frozen=True, slots=True)
class _Passed:
    reason: str
    evidence: tuple[str, ...]


def _contrary(case: Case, need: Need, piece: Evidence, valid: Validator) -> str | None:
    """Return what a piece says that shows the contrary of its need, or None."""
    if piece.completeness != "complete" or _identity_only(need, piece):
        return None
    if need.criterion == "passed" and (missed := _missed(case, need, piece)) and valid.is_valid(piece.statement):
        return missed
    if (
        not judgement.judges(need)
        or not matching.in_state(need, piece.content)
        or _elsewhere_declared(case, need, piece)
    ):
        return None
    return next((said.text for said in judgement.judged(case, need, piece) if said.against), None)


def _missed(case: Case, need: Need, piece: Evidence) -> str | None:
    wanted = need.metrics.any_of if need.metrics else None
    tests = criteria.about(case.outcomes(piece), wanted)
    missed = [one for one in tests if one.outcome is criteria.Outcome.MISSED]
    if not missed:
        return None
    first, *others = missed
    too = f" It misses {', '.join(one.criterion for one in others)} too." if others else ""
    return f"In {piece.number}, {first.reason}{too}"


def _elsewhere_declared(case: Case, need: Need, piece: Evidence) -> bool:
    """Say whether the figures that a document declares are another model version's."""
    versions = case.shelf.versions_of(piece) if need.figures else set()
    return bool(versions) and (case.model is None or case.model.sha256 not in versions)


def _unfit(case: Case, need: Need, piece: Evidence, valid: Validator) -> str | None:
    """Return why a statement alone, or its subject, cannot carry the claim."""
    if piece.completeness != "complete":
        why = piece.predicate.get("completeness_reason") or "no reason given"
        return f"{piece.number} is {piece.completeness}: {str(why).rstrip('.')}."
    if _identity_only(need, piece):
        return f"{piece.number} is about a published identity (digest basis identity): {PUBLISHED_ONLY}"
    if why := _two_roles(case, piece) or matching.lacks(need, piece):
        return why
    if unsaid := next(judgement.judged(case, need, piece), None):
        return unsaid.text
    return None if valid.is_valid(piece.statement) else f"{piece.number} does not meet the schema of this need."


def _judge(case: Case, need: Need, piece: Evidence, valid: Validator) -> _Passed | tuple[NeedVerdict, str]:
    """Judge one piece by every condition, the statement's own first."""
    if _elsewhere_declared(case, need, piece):
        return NeedVerdict.STALE, f"{piece.number} declares the figures of another model version."
    if unfit := _unfit(case, need, piece, valid):
        return NeedVerdict.INSUFFICIENT, unfit
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


def _elsewhere(case: Case, need: Need, valid: Validator) -> NeedResult:
    """Nothing speaks of this version: say whether an earlier one was shown, or that nothing is on record."""
    families = _families(case, need)
    old = [
        piece
        for family in families
        for piece in case.shelf.family(need.kind, family)
        if matching.selects(need, piece.content) and valid.is_valid(piece.statement)
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
    parts = [f"{path.replace('[]', '')} {paths.wordy(values)}" for path, values in need.where.items()]
    if need.metrics:
        parts.append(f"metric {paths.wordy(need.metrics.any_of)}")
    return f" with {', '.join(parts)}" if parts else ""


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
