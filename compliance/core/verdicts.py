"""One piece of evidence against one need: it shows it, shows the contrary, or cannot carry it, and by which rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compliance.core import criteria, faces, judgement, matching, paths
from compliance.core.case import Case, Validator
from compliance.core.catalog import MEASURED_KINDS, Need
from compliance.core.evidence import Evidence
from compliance.core.findings import NeedVerdict, Rule, Said

SMALL_CELL = 30
"""Below this a group's figure says little and is flagged, where the need names no other minimum: our own convention."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one piece comes to."""

    verdict: NeedVerdict
    rule: Rule
    reason: str
    evidence: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    lacking: int = 0
    """Fields of the need that the piece does not have."""
    field: str = ""
    """Path of the field that decided, where one did."""


def contrary(case: Case, need: Need, piece: Evidence) -> Outcome | None:
    """Return what a piece says that shows the contrary of its need, or None.

    Incomplete evidence, evidence of a published identity, on other data than asked, or of another version's figures
    shows nothing, so it shows no contrary either. A result that leaves out what a need asks beside the figures cannot
    show the need, but it can miss its criterion: nothing is hidden by describing it less.
    """
    said = _said(case, need, piece)
    if not said and not (need.criterion == "passed" and case.missed(piece)):
        return None
    return _contrary(case, need, piece, said)


def judge(case: Case, need: Need, piece: Evidence, valid: Validator) -> Outcome:
    """Judge one piece by every condition: what it shows to the contrary, the statement's own, then its company's."""
    said = _said(case, need, piece)
    if against := _contrary(case, need, piece, said):
        return against
    if declares_elsewhere(case, need, piece):
        why = f"{piece.number} declares the figures of another model version."
        return Outcome(NeedVerdict.STALE, Rule.OTHER_VERSION, why)
    lacking = _unfit(case, need, piece, valid, said) or _wrong_signer(case, need, piece)
    if lacking:
        return _cannot(need, piece, lacking)
    evidence = [piece.number]
    reasons: list[str] = []
    flags: list[str] = []
    if need.criterion:
        told = _criterion(case, need, piece)
        if isinstance(told, Said):
            return _cannot(need, piece, told)
        plan, reason, flagged = told
        evidence.append(plan.number)
        reasons.append(reason)
        flags += flagged
    if need.approved:
        approval, why = case.authority.approval(piece, need.approved, case.on)
        if approval is None:
            return _cannot(need, piece, Said(f"No approval: {why}", rule=Rule.NO_APPROVAL))
        evidence.append(approval.number)
        reasons.append(f"{need.approved.meaning.capitalize()} by {approval.number}.")
        if conditions := approval.content.get("conditions"):
            flags.append(f"{approval.number} has conditions: {conditions}")
    limit, since = case.stale_before(need), _measured_at(piece)
    if limit and since < limit:
        why = f"{piece.number} of {since[:10]} is older than {need.max_age_days} days."
        return Outcome(NeedVerdict.STALE, Rule.PAST_AGE, why)
    shown = " ".join([f"{piece.number} shows it: {piece.title}.", *reasons])
    flags = [*_small_cells(need, piece), *_doubts(case, piece), *flags]
    return Outcome(NeedVerdict.PASSED, Rule.SHOWN, shown, tuple(evidence), tuple(flags))


def is_hopeless(need: Need, piece: Evidence) -> bool:
    """Say, from its face alone, that a piece can neither show a need nor its contrary; so can none of the same face."""
    if piece.completeness != "complete" or _identity_only(need, piece) or not matching.in_state(need, piece.content):
        return True
    judged = [*need.must, *(relation.path for relation in need.relations), *need.unique]
    judged += ["figures"] if need.figures else []
    asked = [*need.fields, *need.holds, *need.least, *judged, *(["plan"] if need.criterion else [])]
    if any(_has(piece, path) for path in judged):
        return False
    if need.criterion == "passed" and _has(piece, "plan") and matching.is_measurement(need, piece):
        return False
    return not all(_has(piece, path) for path in asked) or matching.lacks_on_its_face(need, piece) is not None


def cannot_pass(case: Case, need: Need, piece: Evidence) -> bool:
    """Say, without judging it, that a piece never shows a need: its data or its plan do not count, or nobody signed."""
    if need.approved and not case.authority.is_signed_off(piece):
        return True
    return case.once(_data, piece) is not None or bool(need.criterion and isinstance(case.once(_declared, piece), Said))


def can_fail(need: Need) -> bool:
    """Say whether evidence can show the contrary of a need."""
    return need.criterion == "passed" or judgement.judges(need)


def declares_elsewhere(case: Case, need: Need, piece: Evidence) -> bool:
    """Say whether the figures that a document declares are another model version's."""
    versions = case.shelf.versions_of(piece) if need.figures and piece.content.get("figures") else set()
    return bool(versions) and (case.model is None or case.model.sha256 not in versions)


def _said(case: Case, need: Need, piece: Evidence) -> Sequence[Said]:
    return list(judgement.judged(case, need, piece)) if judgement.judges(need) else ()


def _has(piece: Evidence, path: str) -> bool:
    return piece.content.get(path.partition(".")[0].removesuffix("[]")) not in paths.EMPTY


def _cannot(need: Need, piece: Evidence, said: Said) -> Outcome:
    lacking = matching.missing(need, piece.content)
    return Outcome(NeedVerdict.INSUFFICIENT, said.rule, said.text, lacking=lacking, field=said.field)


def _identity_only(need: Need, piece: Evidence) -> bool:
    return need.bytes == "required" and faces.is_published_only(piece)


def _contrary(case: Case, need: Need, piece: Evidence, said: Sequence[Said]) -> Outcome | None:
    missed = _missed(case, need, piece) if need.criterion == "passed" else None
    against = next((one for one in said if one.against), None)
    if (missed is None and against is None) or piece.completeness != "complete" or _identity_only(need, piece):
        return None
    if missed and matching.is_measurement(need, piece):
        return missed
    if against is None or not matching.in_state(need, piece.content) or declares_elsewhere(case, need, piece):
        return None
    return Outcome(NeedVerdict.FAILED, Rule.CONTRARY, against.text, field=against.field)


def _missed(case: Case, need: Need, piece: Evidence) -> Outcome | None:
    missed = criteria.about(case.missed(piece), need.metrics.any_of if need.metrics else None)
    if not missed:
        return None
    first, *others = missed
    too = f" It misses {', '.join(one.criterion for one in others)} too." if others else ""
    plan = case.plan_of(piece)
    by = case.shelf.aside.get(plan.digest) if plan else None
    reason = f"In {piece.number}, {first.reason}{too}"
    if plan and by:
        reason += f" Plan {plan.number} was put aside by {by.number} afterwards; it stays what was declared."
    return Outcome(NeedVerdict.FAILED, Rule.CRITERION_MISSED, reason)


def _measured_at(piece: Evidence) -> str:
    """Return when a result's age begins: when its run ended, or began, if it says so; logging it makes it no newer."""
    ran = piece.content.get("ended_at") or piece.content.get("started_at")
    return min(piece.logged_at, ran) if ran and piece.kind in MEASURED_KINDS else piece.logged_at


def _unfit(case: Case, need: Need, piece: Evidence, valid: Validator, said: Sequence[Said]) -> Said | None:
    """Return why a statement alone, or what it is about, cannot carry the claim."""
    if piece.completeness != "complete":
        why = str(piece.predicate.get("completeness_reason") or "no reason given").rstrip(".")
        return Said(f"{piece.number} is {piece.completeness}: {why}.", rule=Rule.INCOMPLETE)
    if _identity_only(need, piece):
        why = f"{piece.number} is about a published identity (digest basis identity): nobody here holds the bytes."
        return Said(why, rule=Rule.PUBLISHED_ONLY)
    if why_not := (
        _not_borne_out(need, piece) or case.once(_data, piece) or matching.lacks(need, piece) or next(iter(said), None)
    ):
        return why_not
    if one_group := matching.compares_nothing(need, piece):
        return one_group
    if valid.is_valid(piece.statement):
        return None
    return Said(f"{piece.number} does not meet the schema of this need.", rule=Rule.SCHEMA)


def _not_borne_out(need: Need, piece: Evidence) -> Said | None:
    """Return which figure that the need looks at was claimed otherwise than the attached predictions give it."""
    differ = (piece.content.get("recomputation") or {}).get("differ") or ()
    for one in differ:
        if need.metrics is None or one["name"] in need.metrics.any_of:
            label = f"{one['name']} ({criteria.group_text(one.get('group'))})"
            why = f"The predictions of {piece.number} do not bear out its {label}: {one['what']}."
            return Said(why, rule=Rule.NOT_BORNE_OUT)
    return None


def _wrong_signer(case: Case, need: Need, piece: Evidence) -> Said | None:
    if not need.signer_role or case.authority.has_role(piece, need.signer_role):
        return None
    return Said(f"{piece.number} is not signed in the role {need.signer_role}.", rule=Rule.WRONG_SIGNER)


def _criterion(case: Case, need: Need, piece: Evidence) -> tuple[Evidence, str, list[str]] | Said:
    """Return the plan, what its criteria show and what is to be flagged; or why they do not carry it."""
    plan = case.once(_declared, piece)
    if isinstance(plan, Said):
        return plan
    tests = criteria.about(case.outcomes(piece), need.metrics.any_of if need.metrics else None)
    if not tests:
        named = " or ".join(need.metrics.any_of) if need.metrics else "any metric"
        return Said(f"Plan {plan.number} declares no criterion on {named}.", rule=Rule.NO_CRITERION)
    for one in tests:
        if one.outcome is criteria.Outcome.UNTESTED:
            return Said(one.reason, rule=one.rule)
    if need.metrics and (lacking := matching.tests_too_little(need.metrics, piece.number, [one.row for one in tests])):
        return lacking
    if groups := criteria.missing_groups(piece, plan, {one.metric for one in tests}):
        why = f"A declared group is missing: {piece.number} does not report {'; '.join(groups)}."
        return Said(why, rule=Rule.GROUP_MISSING)
    known = criteria.how_known(piece)
    flags = [*_weaknesses(plan, tests), *_second_look(case, piece, plan), *case.once(_other_plans, piece)]
    return plan, f"{tests[0].reason} Declared in {plan.number} before the run ({known}).", flags


def _weaknesses(plan: Evidence, tests: Sequence[criteria.Tested]) -> Iterator[str]:
    """Yield what a reviewer should know of criteria that were met: what they were tested on, what they leave out."""
    for weaker in dict.fromkeys(one.weaker for one in tests if one.weaker):
        named = ", ".join(one.criterion for one in tests if one.weaker == weaker)
        yield f"Criterion {named} is tested on {weaker}, as plan {plan.number} says."
    if all(one.row.get("group") for one in tests):
        groups = dict.fromkeys(criteria.group_text(one.row["group"]) for one in tests)
        yield f"Plan {plan.number} has criteria for {' and for '.join(groups)} only, none for all cases."


def _second_look(case: Case, piece: Evidence, plan: Evidence) -> Iterator[str]:
    """Yield that the data had been measured on before their plan was drawn up."""
    if first := case.looked_before(piece, plan):
        yield f"Plan {plan.number} was logged after {first.number} had measured this version on the same data."


def _other_plans(case: Case, piece: Evidence) -> Sequence[str]:
    """Return what a result misses of plans that stood when it came, and that it does not name."""
    plan, family, told = case.plan_of(piece), case.model.family if case.model else "", []
    for other in case.shelf.of("acceptance-plan"):
        named = plan is not None and other.subjects == plan.subjects
        if named or other.index > piece.index or criteria.foreign_plan(piece, other, family):
            continue
        missed = [one.criterion for one in criteria.test(piece, other) if one.outcome is criteria.Outcome.MISSED]
        if missed:
            told.append(f"{piece.number} misses {', '.join(missed)} of plan {other.number}, which it does not name.")
    return told


def _declared(case: Case, piece: Evidence) -> Evidence | Said:
    """Return the plan that declared what this result is held to, or why none does."""
    plan = case.plan_of(piece)
    if plan is None:
        return Said(f"No plan: {piece.number} names no acceptance plan that is on record.", rule=Rule.NO_PLAN)
    family = case.model.family if case.model else ""
    if why := criteria.foreign_plan(piece, plan, family):
        return Said(why, rule=Rule.WRONG_ROLE if why.startswith("Wrong data role") else Rule.PLAN_FOREIGN)
    if why := criteria.declared_late(piece, plan):
        return Said(why, rule=Rule.PLAN_LATE)
    by = case.shelf.aside.get(plan.digest)
    if by is not None and by.kind == "revocation":
        why = f"Plan {plan.number} was revoked by {by.number}: passing it shows nothing any more."
        return Said(why, rule=Rule.PLAN_WITHDRAWN)
    return plan


def _data(case: Case, piece: Evidence) -> Said | None:
    """Return why a result's data cannot count: withdrawn, or the same bytes are on record in another role."""
    dataset = piece.content.get("dataset")
    if not isinstance(dataset, dict):
        return None
    name, role, digest = dataset.get("name"), dataset.get("role"), str(dataset.get("sha256"))
    if gone := case.shelf.withdrawn("dataset", digest):
        record, by = gone
        how = "revoked" if by.kind == "revocation" else "superseded"
        why = f"{piece.number} rests on {name}, whose record {record.number} was {how} by {by.number}."
        return Said(why, rule=Rule.WITHDRAWN)
    for number, other in case.roles_of(digest):
        if other != role:
            why = (
                f"Wrong data role: {piece.number} counts {name} as {role} data, "
                f"but {number} says that the same bytes are {other} data."
            )
            return Said(why, rule=Rule.WRONG_ROLE)
    return None


def _small_cells(need: Need, piece: Evidence) -> list[str]:
    """Return a flag that names the groups with too few cases to say much; they are shown, not hidden."""
    least = (need.metrics.min_n if need.metrics else None) or SMALL_CELL
    small: Sequence[str] = [
        f"{row['name']} ({criteria.group_text(row['group'])}) n {row['n']}"
        for row in criteria.rows(piece.content)
        if row.get("group") and row.get("n") is not None and row["n"] < least and _is_named(need, row["name"])
    ]
    more = f" and {len(small) - 3} more" if len(small) > 3 else ""
    return [f"Small cells in {piece.number}, fewer than {least} cases: {'; '.join(small[:3])}{more}."] if small else []


def _doubts(case: Case, piece: Evidence) -> Iterator[str]:
    """Yield what a reviewer should know of a result that counts: nobody measured its figures, its data changed role."""
    basis = piece.predicate.get("source", {}).get("basis", "measured")
    if piece.kind in MEASURED_KINDS and basis != "measured":
        yield f"{piece.number} holds {basis} figures, not measured ones."
    dataset = piece.content.get("dataset")
    if isinstance(dataset, dict):
        for number, role in case.shelf.former_roles_of(str(dataset.get("sha256")), case.model):
            if role != dataset.get("role"):
                yield f"{dataset.get('name')} was {role} data in {number}, which was put aside."


def _is_named(need: Need, metric: str) -> bool:
    return need.metrics is None or metric in need.metrics.any_of
