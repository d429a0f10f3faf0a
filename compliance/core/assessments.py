"""Assessments after they were made: a part of one, and two side by side. Pure; nothing is assessed again here."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compliance.core.findings import Assessment, Finding, NeedVerdict, Verdict

WORST_FIRST = (
    Verdict.FAILED,
    Verdict.GAP,
    Verdict.INSUFFICIENT,
    Verdict.STALE,
    Verdict.PARTIAL,
    Verdict.UNDETERMINED,
    Verdict.MET,
)
"""How far a finding is from `met`; `not-applicable` stands outside. `undetermined` is nearest: its needs are shown."""


def narrow(
    assessment: Assessment,
    *,
    findings: Collection[str] = (),
    requirement: str = "",
    binding: bool = False,
) -> Assessment:
    """Return the part of an assessment that has one of `findings`, an id that begins so, and binds already.

    A whole id means that one requirement, not the points below it: `art-9.2` is not `art-9.2.a`.
    """
    whole = any(found.requirement.id == requirement for found in assessment.findings)
    kept = tuple(
        found
        for found in assessment.findings
        if (not findings or found.finding.value in findings)
        and (found.requirement.id == requirement if whole else found.requirement.id.startswith(requirement))
        and (found.binding or not binding)
    )
    tally = Counter(found.finding.value for found in kept)
    return replace(assessment, findings=kept, counts={verdict.value: tally[verdict.value] for verdict in Verdict})


def resting_on(findings: Iterable[Finding], number: str) -> list[tuple[Finding, str]]:
    """Return the findings that rest on a piece of evidence, and how it bears on each that it does not carry."""
    return [(one, _bearing(one, number)) for one in findings if number in one.evidence or number in one.against]


def _bearing(finding: Finding, number: str) -> str:
    against = [need.verdict for need in finding.needs if number in need.against]
    return "speaks against it" if NeedVerdict.FAILED in against else "cannot carry it" if against else ""


@dataclass(frozen=True, slots=True)
class Moved:
    """One requirement under two assessments."""

    requirement: str
    catalog: str
    before: Verdict | None
    """None where the row is new."""
    after: Verdict | None
    """None where the row is gone."""
    reason: str
    """Of the finding that stands now; of the earlier one where the row is gone."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "requirement": self.requirement,
            "catalog": self.catalog,
            "before": self.before.value if self.before else None,
            "after": self.after.value if self.after else None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became better, what became worse, what stays open, requirement by requirement."""

    before: str
    after: str
    better: tuple[Moved, ...]
    worse: tuple[Moved, ...]
    open: tuple[Moved, ...]
    """The same finding in both, neither met nor out of scope."""
    scope: tuple[Moved, ...]
    """Applicable in one of the two only."""

    def to_dict(self) -> dict[str, Any]:
        parts = {"better": self.better, "worse": self.worse, "open": self.open, "scope": self.scope}
        return {"before": self.before, "after": self.after} | {
            name: [moved.to_dict() for moved in part] for name, part in parts.items()
        }


def compare(before: Assessment, after: Assessment) -> Comparison:
    """Return how each requirement that both assess moved from one to the other."""
    parts: dict[str, list[Moved]] = {"better": [], "worse": [], "open": [], "scope": []}
    for moved in moves(before.findings, after.findings):
        if moved.before and moved.after and (part := _part(moved.before, moved.after)):
            parts[part].append(moved)
    return Comparison(
        _model(before), _model(after), *(tuple(parts[name]) for name in ("better", "worse", "open", "scope"))
    )


def moves(before: Sequence[Finding], after: Sequence[Finding]) -> list[Moved]:
    """Return every requirement of either, with both findings: in the later order, rows that are gone at the end."""
    earlier = {found.requirement.id: found for found in before}
    moved = []
    for found in after:
        old = earlier.pop(found.requirement.id, None)
        moved.append(
            Moved(found.requirement.id, found.catalog, old.finding if old else None, found.finding, found.reason)
        )
    moved += [Moved(old.requirement.id, old.catalog, old.finding, None, old.reason) for old in earlier.values()]
    return moved


def _part(before: Verdict, after: Verdict) -> str | None:
    if before is after:
        return None if after in (Verdict.MET, Verdict.NOT_APPLICABLE) else "open"
    if Verdict.NOT_APPLICABLE in (before, after):
        return "scope"
    return "better" if WORST_FIRST.index(after) > WORST_FIRST.index(before) else "worse"


def _model(assessment: Assessment) -> str:
    return assessment.model.name if assessment.model else "no model version"
