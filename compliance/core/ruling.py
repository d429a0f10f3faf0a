"""One requirement: its needs, its question and what people decided, into one finding. The first rule that holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from compliance.core import advice
from compliance.core.applicability import Reach
from compliance.core.case import Case
from compliance.core.catalog import Requirement
from compliance.core.decisions import Decisions
from compliance.core.evidence import Evidence
from compliance.core.findings import Finding, NeedResult, NeedVerdict, Rule, Verdict
from compliance.core.needs import UNVERIFIED, Weighing


@dataclass(frozen=True, slots=True)
class _Ruled:
    finding: Verdict
    rule: Rule
    reason: str
    next: str
    missing: str = ""
    """One sentence, where the reason says more."""


class Row:
    """One requirement of an assessment, with its needs weighed as far as the record goes."""

    def __init__(self, case: Case, catalog: str, requirement: Requirement, reach: Reach) -> None:
        self.requirement = requirement
        self._case, self._catalog, self._reach = case, catalog, reach
        self._decided = Decisions(case, requirement)

    def decide(self) -> None:
        """Read anew what people decided about the requirement."""
        before, self._decided = self._decided, Decisions(self._case, self.requirement)
        if self._decided.carried != before.carried:
            self.__dict__.pop("needs", None)

    def takes(self, piece: Evidence) -> bool:
        """Take in a piece that came last, and say whether it can change the finding."""
        decides = piece.kind == "determination" and self.requirement.id in (piece.content.get("requirements") or [])
        if decides:
            self.decide()
        weighed = self.needs if "needs" in self.__dict__ else []
        return sum(weighing.takes(piece) for weighing in weighed) > 0 or decides

    @cached_property
    def needs(self) -> Sequence[Weighing]:
        """The needs, weighed when they are first asked for."""
        carried = frozenset(self._decided.carried)
        return [Weighing(self._case, self.requirement, need, carried) for need in self.requirement.needs]

    def finding(self) -> Finding:
        """Return what can be said about the requirement now."""
        row, reach = self.requirement, self._reach
        blank = Finding(row, self._catalog, Verdict.GAP, "", binding=reach.binding, applies_from=reach.applies_from)
        if reach.applies is False:
            gap = self._decided.the("known-gap")
            reason, known = (f"{reach.reason} {_said(gap)}", (gap.number,)) if gap else (reach.reason, ())
            return replace(blank, finding=Verdict.NOT_APPLICABLE, reason=reason, rule=Rule.PROFILE, evidence=known)
        if ruling := self._decided.the("not-applicable"):
            failed = [one for one in self._results() if one.verdict is NeedVerdict.FAILED]
            return replace(
                blank,
                finding=Verdict.NOT_APPLICABLE,
                reason=_said(ruling),
                rule=Rule.DETERMINED,
                evidence=(ruling.number,),
                flags=tuple(f"Decided although its need {one.need} fails: {one.reason}" for one in failed),
            )
        results = self._results()
        shown = tuple(dict.fromkeys(number for result in results for number in result.evidence))
        met = self._answer
        decided = self._rule(results)
        carried = tuple(number for number in self._decided.carried.values() if number in shown)
        flags = [flag for result in results for flag in result.flags]
        if carried:
            by = ", ".join(f"{act} under the planned change {plan}" for act, plan in self._decided.allowed_by)
            flags.append(f"{', '.join(carried)} of an earlier version counts: carried over by {by}.")
        return replace(
            blank,
            finding=decided.finding,
            rule=decided.rule,
            reason=decided.reason,
            missing=decided.missing,
            next=decided.next,
            evidence=(*shown, met.number) if met else shown,
            against=tuple(dict.fromkeys(number for result in results for number in result.against)),
            needs=tuple(results),
            ask_open=self._ask_open,
            carried=carried,
            flags=tuple(dict.fromkeys(flags)),
        )

    @property
    def _ask_open(self) -> bool:
        return self.requirement.ask is not None and self._answer is None

    @property
    def _answer(self) -> Evidence | None:
        """The decision `met`, unless evidence came after it that it should rest on."""
        met = self._decided.the("met")
        return None if met is None or self._unread(met) else met

    def _unread(self, met: Evidence) -> Evidence | None:
        at = self._decided.taken_at(met)
        return next((newer for weighing in self.needs if (newer := weighing.came_after(at))), None)

    def _results(self) -> list[NeedResult]:
        results = []
        for weighing in self.needs:
            if weighing.asked:
                result = weighing.result()
                step = advice.for_need(self.requirement, weighing.need, result, self._case.model)
                results.append(replace(result, next=step))
        return results

    def _rule(self, results: Sequence[NeedResult]) -> _Ruled:
        row, decided = self.requirement, self._decided
        if ruling := decided.the("not-met"):
            step = f"compliance show {ruling.number}"
            return _Ruled(Verdict.FAILED, Rule.DETERMINED, _said(ruling), step, f"{ruling.number} decided: not met.")
        passed = [result for result in results if result.verdict is NeedVerdict.PASSED]
        open_ = [result for result in results if result.verdict is not NeedVerdict.PASSED]
        if failed := _first(open_, NeedVerdict.FAILED):
            return _of(Verdict.FAILED, failed)
        if self._reach.applies is None:
            step, why = "compliance log record compliance.toml", self._reach.reason
            return _Ruled(Verdict.UNDETERMINED, Rule.PROFILE_SILENT, why, step, why)
        gap, ask = decided.the("known-gap"), advice.for_ask(row, self._case.model)
        if not open_ and not (gap and self._ask_open):
            return self._shown(passed, ask)
        known = f" {_said(gap)}" if gap else ""
        if passed and not open_:
            told = f"Its evidence is on record, but a gap is known:{known}"
            return _Ruled(Verdict.PARTIAL, Rule.KNOWN_GAP, told, ask, _known(gap))
        if passed:
            first = open_[0]
            told = f"{len(passed)} of {len(results)} needs are shown. {first.need}: {first.reason}{known}"
            return _Ruled(Verdict.PARTIAL, Rule.SOME_SHOWN, told, first.next, _sentence(first.reason))
        for verdict, finding in ((NeedVerdict.INSUFFICIENT, Verdict.INSUFFICIENT), (NeedVerdict.STALE, Verdict.STALE)):
            if worst := _first(open_, verdict):
                why = self._not_carried() if finding is Verdict.STALE else ""
                return replace(_of(finding, worst), reason=f"{worst.reason}{why}{known}")
        if open_:
            reason = " ".join(dict.fromkeys(result.reason for result in open_)) + known
            return replace(_of(Verdict.GAP, open_[0]), reason=reason)
        return _Ruled(Verdict.GAP, Rule.KNOWN_GAP, known.strip(), ask, _known(gap))

    def _shown(self, passed: Sequence[NeedResult], ask: str) -> _Ruled:
        """Rule where no need is open: met, unless its question is, or what it all rests on does not stand."""
        if self._ask_open:
            missing = "A person in the role reviewer or approver must answer its question."
            return _Ruled(Verdict.UNDETERMINED, Rule.QUESTION_OPEN, self._open(), ask, missing)
        if self._case.ledger is not None and not self._case.ledger.ok:
            told = f"{UNVERIFIED} Until it does, nothing is met."
            return _Ruled(Verdict.INSUFFICIENT, Rule.LEDGER, told, "compliance verify", UNVERIFIED)
        if gone := self._case.withdrawn_model:
            return _Ruled(Verdict.INSUFFICIENT, Rule.WITHDRAWN, gone, "compliance list --kind model-version", gone)
        ruling = self._answer
        reason = " ".join([*(result.reason for result in passed), *([_said(ruling)] if ruling else [])])
        return _Ruled(Verdict.MET, Rule.DETERMINED if ruling and not passed else Rule.ALL_SHOWN, reason, "")

    def _open(self) -> str:
        """Say why the row's question is open."""
        row, refused = self.requirement, self._decided.refused
        reason = "Its evidence is on record; a person must decide: " if row.needs else "A person must decide: "
        if any(not weighing.asked for weighing in self.needs):
            reason = "A person must decide: "
        earlier = self._case.authority.earlier_decisions(row.id, self._case.model)
        met = self._decided.the("met")
        if met and (newer := self._unread(met)):
            reason = f"{met.number} decided it before {newer.number} was on record. {reason}"
        elif refused:
            reason = f"{refused[-1]} {reason}"
        elif earlier:
            about = ", ".join(str(subject.get("name")) for subject in earlier[-1].subjects)
            reason = f"{earlier[-1].number} decided it for {about}, not for this version. {reason}"
        return f"{reason}{row.ask}"

    def _not_carried(self) -> str:
        return f" {self._decided.refused[-1]}" if self._decided.refused else ""


def _of(finding: Verdict, result: NeedResult) -> _Ruled:
    return _Ruled(finding, result.rule, result.reason, result.next, _sentence(result.reason))


def _first(results: Sequence[NeedResult], verdict: NeedVerdict) -> NeedResult | None:
    return next((result for result in results if result.verdict is verdict), None)


def _sentence(reason: str) -> str:
    """Return the first sentence of a reason: the one that says what is missing."""
    first, stop, _ = reason.partition(". ")
    return f"{first}." if stop else reason


def _known(gap: Evidence | None) -> str:
    return f"{gap.number} names a known gap." if gap else ""


def _said(ruling: Evidence) -> str:
    text = str(ruling.content.get("reason") or ruling.title)
    return f"{ruling.number} ({ruling.content.get('decision')}): {text}"
