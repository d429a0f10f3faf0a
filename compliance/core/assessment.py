"""Assess: catalogs x evidence x system x date -> one finding per requirement. Pure.

The rules are DESIGN 11.6; each finding says in one sentence which of them decided it. Time is an argument: evidence
logged after the day `on` is not seen, and a row that binds later is assessed now and says from when it binds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compliance.core import advice, consistency, matching, needs
from compliance.core.applicability import Reach, reach
from compliance.core.authority import Authority
from compliance.core.case import Case, LedgerState, Validator
from compliance.core.catalog import Catalog, Need, Requirement
from compliance.core.evidence import Evidence
from compliance.core.findings import Assessment, Finding, NeedResult, NeedVerdict, Note, Thing, Verdict
from compliance.core.needs import weigh
from compliance.core.shelf import Shelf

__all__ = ["Assessment", "Finding", "NeedResult", "NeedVerdict", "Note", "Thing", "Validators", "Verdict", "assess"]


class Validators:
    """Compiled need schemas, each compiled on first use and kept for the next assessment."""

    def __init__(self) -> None:
        self._compiled: dict[str, Validator] = {}

    def __call__(self, requirement: Requirement, need: Need) -> Validator:
        key = f"{requirement.id}/{need.id}/{hash(need.model_dump_json())}"
        if key not in self._compiled:
            self._compiled[key] = matching.validator(requirement.id, need)
        return self._compiled[key]


def assess(
    catalogs: Iterable[Catalog],
    evidence: Iterable[Evidence],
    profile: Mapping[str, Any],
    *,
    system: str,
    model: Thing | None,
    on: str,
    ledger: LedgerState | None = None,
    validators: Validators | None = None,
) -> Assessment:
    """Return one finding per requirement for a model version on the day `on` (YYYY-MM-DD).

    `profile` is the profile as signed; `ledger` is what verification said, which answers needs of kind
    `audit-trail`. Evidence of another system, or logged later, counts for nothing.
    """
    shelf = Shelf(evidence, system, on)
    case = Case(shelf, Authority(shelf), model, on, ledger, validators or Validators())
    findings = tuple(
        _find(case, catalog.id, requirement, reach(requirement, profile, on))
        for catalog in catalogs
        for requirement in catalog.requirements
    )
    counts = {verdict.value: 0 for verdict in Verdict}
    for finding in findings:
        counts[finding.finding.value] += 1
    return Assessment(on, system, model, findings, counts, tuple(_notes(case)))


def _notes(case: Case) -> list[Note]:
    notes = consistency.contradictions(case.shelf, case.model)
    if case.shelf.foreign:
        numbers = tuple(piece.number for piece in case.shelf.foreign)
        notes.append(Note("another system", "Evidence of another system is on record and counts for nothing.", numbers))
    return notes


def _find(case: Case, catalog: str, requirement: Requirement, reached: Reach) -> Finding:
    """Decide one requirement: the first rule that holds."""
    blank = Finding(requirement, catalog, Verdict.GAP, "", binding=reached.binding, applies_from=reached.applies_from)
    if reached.applies is False:
        return replace(blank, finding=Verdict.NOT_APPLICABLE, reason=reached.reason)
    decided = _Decisions(case, requirement)
    if ruling := decided.the("not-applicable"):
        return replace(blank, finding=Verdict.NOT_APPLICABLE, reason=_said(ruling), evidence=(ruling.number,))
    carried, numbers = decided.carried()
    asked = [need for need in requirement.needs if needs.asked(case, need, carried)]
    results = [weigh(case, requirement, need, carried) for need in asked]
    results = [
        replace(result, next=advice.for_need(requirement, need, result, case.model))
        for need, result in zip(asked, results, strict=True)
    ]
    shown = [*dict.fromkeys(number for result in results for number in result.evidence)]
    against = tuple(dict.fromkeys(number for result in results for number in result.against))
    met, ask_open = decided.the("met"), requirement.ask is not None
    if met is not None:
        shown.append(met.number)
        ask_open = False
    drawn = replace(
        blank,
        evidence=tuple(shown),
        against=against,
        needs=tuple(results),
        ask_open=ask_open,
        carried=tuple(number for number in numbers if number in shown),
    )
    verdict, reason, step = _rule(case, requirement, results, decided, reached, ask_open=ask_open)
    return replace(drawn, finding=verdict, reason=reason, next=step)


def _rule(
    case: Case,
    requirement: Requirement,
    results: Sequence[NeedResult],
    decided: "_Decisions",
    reached: Reach,
    *,
    ask_open: bool,
) -> tuple[Verdict, str, str]:
    """Return finding, reason and next command."""
    if ruling := decided.the("not-met"):
        return Verdict.FAILED, _said(ruling), f"compliance show {ruling.number}"
    passed = [result for result in results if result.verdict is NeedVerdict.PASSED]
    open_ = [result for result in results if result.verdict is not NeedVerdict.PASSED]
    if failed := _first(open_, NeedVerdict.FAILED):
        return Verdict.FAILED, failed.reason, failed.next
    if reached.applies is None:
        return Verdict.UNDETERMINED, reached.reason, "compliance log record compliance.toml"
    gap = decided.the("known-gap")
    if not open_ and not (gap and ask_open):
        if ask_open:
            return (
                Verdict.UNDETERMINED,
                _open(case, requirement, decided, results),
                advice.for_ask(requirement, case.model),
            )
        if case.ledger is not None and not case.ledger.ok:
            return Verdict.INSUFFICIENT, f"{needs.UNVERIFIED} Until it does, nothing is met.", "compliance verify"
        ruling = decided.the("met")
        reason = " ".join([*(result.reason for result in passed), *([_said(ruling)] if ruling else [])])
        return Verdict.MET, reason, ""
    known = f" {_said(gap)}" if gap else ""
    if passed and not open_:
        told = f"Its evidence is on record, but a gap is known:{known}"
        return Verdict.PARTIAL, told, advice.for_ask(requirement, case.model)
    if passed:
        first = open_[0]
        told = f"{len(passed)} of {len(results)} needs are shown. {first.need}: {first.reason}"
        return Verdict.PARTIAL, told + known, first.next
    for verdict, finding in ((NeedVerdict.INSUFFICIENT, Verdict.INSUFFICIENT), (NeedVerdict.STALE, Verdict.STALE)):
        if worst := _first(open_, verdict):
            return finding, worst.reason + known, worst.next
    reason = " ".join(dict.fromkeys(result.reason for result in open_))
    return Verdict.GAP, (reason + known).strip(), open_[0].next if open_ else advice.for_ask(requirement, case.model)


def _first(results: Sequence[NeedResult], verdict: NeedVerdict) -> NeedResult | None:
    return next((result for result in results if result.verdict is verdict), None)


def _open(case: Case, requirement: Requirement, decided: "_Decisions", results: Sequence[NeedResult]) -> str:
    """Say why a row's question is open."""
    reason = "Its evidence is on record; a person must decide: " if results else "A person must decide: "
    earlier = case.authority.earlier_decisions(requirement.id, case.model)
    if decided.refused:
        reason = f"{decided.refused[-1]} {reason}"
    elif earlier:
        about = ", ".join(str(subject.get("name")) for subject in earlier[-1].subjects)
        reason = f"{earlier[-1].number} decided it for {about}, not for this version. {reason}"
    return f"{reason}{requirement.ask}"


def _said(ruling: Evidence) -> str:
    text = str(ruling.content.get("reason") or ruling.title)
    return f"{ruling.number} ({ruling.content.get('decision')}): {text}"


class _Decisions:
    """The determinations that count for one requirement and this model version."""

    def __init__(self, case: Case, requirement: Requirement) -> None:
        self._case = case
        self.refused: list[str] = []
        self._by: dict[str, Evidence] = {}
        self._carrying: list[Evidence] = []
        decisions = list(case.authority.decisions(requirement.id, case.model))
        for piece in decisions:
            if why := case.authority.refusal(piece, case.on):
                self.refused.append(why)
            elif piece.content.get("decision") == "carried-over":
                self._carrying.append(piece)
            else:
                self._by[str(piece.content.get("decision"))] = piece
        for digest in self.carried()[0]:
            earlier = case.shelf.records.get(digest)
            if earlier is not None and digest not in case.shelf.aside and self._decides(earlier, requirement.id):
                self._by.setdefault(str(earlier.content.get("decision")), earlier)

    def _decides(self, piece: Evidence, requirement: str) -> bool:
        decides = piece.kind == "determination" and requirement in (piece.content.get("requirements") or [])
        return decides and not self._case.authority.refusal(piece, self._case.on)

    def the(self, decision: str) -> Evidence | None:
        """Return the newest live determination with this decision; a later one does not hide a `not-met`."""
        return self._by.get(decision)

    def carried(self) -> tuple[frozenset[str], list[str]]:
        """Return digests and numbers of the evidence that signed carry-overs let count."""
        named = [record for piece in self._carrying for record in piece.content.get("carry") or []]
        return frozenset(record["sha256"] for record in named), [record["name"] for record in named]
