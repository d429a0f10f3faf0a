"""One need against everything on record: passed, failed, insufficient, stale or gap, and why.

The order of DESIGN 11.6: what shows the contrary (a missed criterion, or a value otherwise than the need judges) fails
the need whatever else passes; then one piece that satisfies all passes it; else the first of insufficient, stale, gap.
The newest piece explains a verdict; of those that lack fields, the one that lacks fewest. A weighing can take in one
piece more, and then says what weighing all again would say.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from compliance.core import matching, paths, verdicts
from compliance.core.case import Case, Validator
from compliance.core.catalog import AUDIT_TRAIL, MEASURED_KINDS, Need, Requirement
from compliance.core.evidence import Evidence
from compliance.core.findings import NeedResult, NeedVerdict, Rule
from compliance.core.verdicts import Outcome

UNVERIFIED = "The ledger does not verify: `compliance verify` names the record."
T = TypeVar("T")
LISTED = 5
"""At most this many pieces are named for or against."""


class _Pile:
    """The pieces of one verdict, what lacks fewest fields and is newest first; no more than are named."""

    def __init__(self) -> None:
        self.held: list[tuple[Evidence, Outcome]] = []

    def __contains__(self, piece: Evidence) -> bool:
        return any(held.index == piece.index for held, _ in self.held)

    def drop(self, piece: Evidence) -> None:
        self.held = [one for one in self.held if one[0].index != piece.index]

    def put(self, piece: Evidence, outcome: Outcome) -> None:
        """Put a piece in its place; one that lies here already is replaced."""
        if len(self.held) == LISTED and _order((piece, outcome)) > _order(self.held[-1]):
            return
        self.drop(piece)
        self.held.append((piece, outcome))
        self.held.sort(key=_order)
        del self.held[LISTED:]

    @property
    def newest(self) -> Outcome:
        return self.held[0][1]

    def numbers(self) -> tuple[str, ...]:
        return tuple(piece.number for piece, _ in self.held)


def _order(one: tuple[Evidence, Outcome]) -> tuple[int, int]:
    piece, outcome = one
    return outcome.lacking, -piece.index


class Weighing:
    """What the record shows of one need; `carried` holds digests that a signed carry-over lets count."""

    def __init__(self, case: Case, requirement: Requirement, need: Need, carried: frozenset[str]) -> None:
        self.need = need
        self._case, self._requirement, self._carried = case, requirement, carried
        self.weigh()

    def weigh(self) -> None:
        """Weigh everything on record."""
        self._piles: dict[NeedVerdict, _Pile] = {}
        self._asked = not self.need.each
        if self.need.kind == AUDIT_TRAIL:
            return
        for bundle in self._bundles():
            self._asked = True
            self._take(bundle)

    def takes(self, piece: Evidence) -> bool:
        """Take in a piece that came last, and say whether it can change the result."""
        need = self.need
        if need.approved and piece.kind == "approval":
            return max(self._signed_off(subject["digest"].get("sha256", "")) for subject in piece.subjects)
        if self._is_held_to(piece):
            self.weigh()
            return True
        if piece.kind != need.kind:
            return False
        about = self._case.is_about(piece, need.about)
        if not about or not matching.selects(need, piece.content):
            return not about or _is_near(need, piece)
        self._asked = True
        self._put(piece, verdicts.judge(self._case, need, piece, self._valid))
        return True

    def _is_held_to(self, piece: Evidence) -> bool:
        """Say whether other evidence is held to what this piece says."""
        need = self.need
        if need.unique and piece.kind == need.kind:
            return True
        return (need.figures and piece.kind in MEASURED_KINDS) or piece.kind in {one.kind for one in need.relations}

    def _signed_off(self, digest: str) -> bool:
        """Judge a piece again that somebody signed; say whether it speaks of the need."""
        piece = self._case.shelf.records.get(digest)
        if piece is None or piece.kind != self.need.kind or digest in self._case.shelf.aside:
            return False
        if not self._speaks(piece):
            return False
        outcome, before = verdicts.judge(self._case, self.need, piece, self._valid), self._verdict_of(piece)
        if before in (None, outcome.verdict):
            self._put(piece, outcome)
        elif outcome.verdict is NeedVerdict.PASSED and not self.need.each:
            self._piles[before].drop(piece)  # what cannot carry the need is not told where it is shown
            self._put(piece, outcome)
        else:
            self.weigh()
        return True

    @property
    def asked(self) -> bool:
        """Whether the need is asked at all: one of each piece on record is not where there is none."""
        return self._asked

    def result(self) -> NeedResult:
        need, piles = self.need, self._piles
        if need.kind == AUDIT_TRAIL:
            return _ledger_answers(self._case, need)
        if pile := piles.get(NeedVerdict.FAILED):
            return _against(need, NeedVerdict.FAILED, pile)
        refused = [verdict for verdict in (NeedVerdict.INSUFFICIENT, NeedVerdict.STALE) if verdict in piles]
        shown = piles.get(NeedVerdict.PASSED)
        if shown and (unanswered := self._unanswered()):
            return unanswered
        if shown and not (need.each and refused):
            held = [outcome for _, outcome in shown.held] if need.each else [shown.newest]
            numbers = _first(number for one in held for number in one.evidence)
            flags = tuple(dict.fromkeys(flag for one in held for flag in one.flags))
            return NeedResult(
                need.id, NeedVerdict.PASSED, shown.newest.reason, tuple(numbers), rule=Rule.SHOWN, flags=flags
            )
        if refused:
            return _against(need, refused[0], piles[refused[0]])
        return _elsewhere(self._case, need, self._valid)

    def came_after(self, index: int) -> Evidence | None:
        """Return the evidence that nobody can have read who decided at a place in the ledger, where all of it is newer.

        Asked of needs that only look for what is there: what a machine judges, it judges whenever it comes.
        """
        shown = self._piles.get(NeedVerdict.PASSED)
        if self.need.judged_by_machine or shown is None or shown.held[0][0].index < index:
            return None
        older = (piece for bundle in self._bundles() for piece in bundle if piece.index < index)
        passed = (verdicts.judge(self._case, self.need, piece, self._valid).verdict for piece in older)
        seen = not self.need.each and NeedVerdict.PASSED in passed
        return None if seen else shown.held[0][0]

    @cached_property
    def _valid(self) -> Validator:
        return self._case.validators(self._requirement, self.need)

    def _bundles(self) -> Iterator[Sequence[Evidence]]:
        """Yield the live evidence that speaks of the need, of this version or carried over to it, by face."""
        for bundle in self._case.sorted(self.need.kind, self.need.about).bundles():
            if matching.selects(self.need, bundle[0].content):
                yield bundle
        for digest in sorted(self._carried - self._case.shelf.aside.keys()):
            piece = self._case.shelf.records.get(digest)
            if piece is None or piece.kind != self.need.kind or self._case.is_about(piece, self.need.about):
                continue
            if matching.selects(self.need, piece.content):
                yield [piece]

    def _take(self, bundle: Sequence[Evidence]) -> None:
        """Judge a bundle, newest first: all of it only where any of it could still change the verdict."""
        case, need = self._case, self.need
        if verdicts.is_hopeless(need, bundle[-1]):
            for piece in bundle[-LISTED:]:
                self._put(piece, verdicts.judge(case, need, piece, self._valid))
            return
        settled, refused, fallible = False, 0, verdicts.can_fail(need)
        for piece in reversed(bundle):
            outcome: Outcome | None = None
            if settled or (refused >= LISTED and verdicts.cannot_pass(case, need, piece)):
                if fallible:
                    outcome = verdicts.contrary(case, need, piece)
            else:
                outcome = verdicts.judge(case, need, piece, self._valid)
                settled = outcome.verdict is NeedVerdict.PASSED and not need.each
                refused += outcome.verdict is NeedVerdict.INSUFFICIENT
            if outcome:
                self._put(piece, outcome)
            if settled and not fallible:
                return

    def _unanswered(self) -> NeedResult | None:
        """Return that a failure was put aside and that nothing measured since, on the same data, shows the need.

        A good result of an earlier day does not stand in for a bad one that somebody took back.
        """
        case, need = self._case, self.need
        for piece, by in case.withdrawn_failures if need.criterion == "passed" else ():
            if piece.kind != need.kind or not self._speaks(piece):
                continue
            if verdicts.contrary(case, need, piece) is None:
                continue
            since = (verdicts.judge(case, need, one, self._valid) for one in case.measured_again(piece))
            if not any(outcome.verdict is NeedVerdict.PASSED for outcome in since):
                why = (
                    f"{piece.number} missed its criterion and was put aside by {by.number}; "
                    "no result on the same data since then shows the need."
                )
                return NeedResult(need.id, NeedVerdict.INSUFFICIENT, why, against=(piece.number,), rule=Rule.WITHDRAWN)
        return None

    def _speaks(self, piece: Evidence) -> bool:
        about = self._case.is_about(piece, self.need.about) or piece.digest in self._carried
        return about and matching.selects(self.need, piece.content)

    def _verdict_of(self, piece: Evidence) -> NeedVerdict | None:
        """Return the verdict under which a piece is among the newest; None where it is not."""
        return next((verdict for verdict, pile in self._piles.items() if piece in pile), None)

    def _put(self, piece: Evidence, outcome: Outcome) -> None:
        self._piles.setdefault(outcome.verdict, _Pile()).put(piece, outcome)


def _against(need: Need, verdict: NeedVerdict, pile: _Pile) -> NeedResult:
    newest = pile.newest
    return NeedResult(need.id, verdict, newest.reason, against=pile.numbers(), rule=newest.rule, field=newest.field)


def _elsewhere(case: Case, need: Need, valid: Validator) -> NeedResult:
    """Nothing speaks of this version: say whether an earlier one was shown, what else there is, or that nothing is."""
    bundles = case.elsewhere(need.kind, need.about).bundles()
    of_it = [b for b in bundles if not verdicts.is_hopeless(need, b[0]) and matching.selects(need, b[0].content)]
    newest_first = sorted((piece for bundle in of_it for piece in bundle), key=_place, reverse=True)
    old = list(_first(piece for piece in newest_first if valid.is_valid(piece.statement)))
    if old:
        about = ", ".join(str(subject.get("name")) for subject in old[0].subjects)
        wanted = case.model.name if case.model and need.about == "model-version" else "what this version rests on"
        reason = f"{old[0].number} is about {about}, not about {wanted}."
        numbers = tuple(piece.number for piece in old)
        return NeedResult(need.id, NeedVerdict.STALE, reason, against=numbers, rule=Rule.OTHER_VERSION)
    if need.kind == need.about == "dataset" and case.model and (apart := _unlinked(case, need)):
        name = ", ".join(str(subject.get("name")) for subject in apart.subjects)
        made = f"{case.model.name} was made from it or measured on it"
        reason = f"{apart.number} is about {name}, and nothing on record says that {made}."
        return NeedResult(need.id, NeedVerdict.GAP, reason, against=(apart.number,), rule=Rule.OTHER_EVIDENCE)
    others = case.sorted(need.kind, need.about).bundles()
    near = max((bundle[-1] for bundle in others if _is_near(need, bundle[0])), key=_place, default=None)
    rule = Rule.NOTHING if near is None else Rule.OTHER_EVIDENCE
    return NeedResult(need.id, NeedVerdict.GAP, _nothing(case, need, near), rule=rule)


def _unlinked(case: Case, need: Need) -> Evidence | None:
    """Return the newest evidence that speaks of the need, of data that nothing ties to this version."""
    bundles = case.sorted(need.kind, "system").bundles()
    return max((b[-1] for b in bundles if matching.selects(need, b[0].content)), key=_place, default=None)


def _place(piece: Evidence) -> int:
    return piece.index


def _nothing(case: Case, need: Need, near: Evidence | None) -> str:
    if case.model is None and need.about != "system":
        return "No model version is on record."
    subject = {
        "model-version": f" about {case.model.name if case.model else ''}",
        "dataset": f" about a dataset that {case.model.name if case.model else ''} was made from or measured on",
        "system": "",
    }[need.about]
    nearest = f"; {near.number} {_differs(need, near)}" if near else ""
    return f"No {need.kind} evidence{subject} is on record{_conditions(need)}{nearest}."


def _conditions(need: Need) -> str:
    parts = [f"{paths.label(path)} {paths.wordy(values)}" for path, values in need.where.items()]
    if need.metrics:
        parts.append(f"metric {paths.wordy(need.metrics.any_of)}")
    return f" with {', '.join(parts)}" if parts else ""


def _is_near(need: Need, piece: Evidence) -> bool:
    """Say whether evidence of the kind differs in one thing of several: a document of the type about another row."""
    wanted = {path: values for path, values in need.where.items() if path not in matching.STATES}
    if len(wanted) + (need.metrics is not None) < 2:
        return False
    held = [paths.hold(piece.content, {path: values}) for path, values in wanted.items()]
    if need.metrics:
        held.append(any(row["name"] in need.metrics.any_of for row in piece.content.get("metrics") or []))
    return held.count(False) <= 1


def _differs(need: Need, near: Evidence) -> str:
    """Say in what the nearest evidence of the kind is about something else."""
    for path, allowed in need.where.items():
        if path not in matching.STATES and not paths.hold(near.content, {path: allowed}):
            found = paths.wordy(list(dict.fromkeys(paths.said(near.content, path))))
            return f"says {found or 'nothing'} for {paths.label(path)}"
    if need.metrics:
        named = sorted({str(row["name"]) for row in near.content.get("metrics") or []})
        return f"reports {paths.wordy(named) or 'none'}"
    return "has no one item of which all of that holds"


def _ledger_answers(case: Case, need: Need) -> NeedResult:
    if case.ledger is None:
        told = NeedVerdict.INSUFFICIENT, "The ledger was not verified for this assessment."
    elif not case.ledger.ok:
        told = NeedVerdict.FAILED, UNVERIFIED
    else:
        told = NeedVerdict.PASSED, f"The ledger verifies: {case.ledger.checked} entries checked."
    return NeedResult(need.id, *told, rule=Rule.LEDGER)


def _first(items: Iterable[T]) -> Iterator[T]:
    for _, item in zip(range(LISTED), items, strict=False):
        yield item
