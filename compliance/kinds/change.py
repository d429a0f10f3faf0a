"""A change to the system: what, why, how big in law, how it was shown safe; or a plan of such changes (PCCP)."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.change_plan import Conformance, Impact, PlannedChange
from compliance.kinds.fields import Positive, Record, Text, Thing, Word


class RegulatoryDecision(Strict):
    """Whether an authority must see it first, and why."""

    regime: Word
    """AI Act, MDR, 21 CFR 807.81…"""
    decision: Literal[
        "no-submission", "within-plan", "notify", "new-submission", "substantial-modification", "significant-change"
    ]
    reason: Text
    reference: Word | None = None


class Change(Content):
    """One change that was made, or the plan of changes allowed beforehand."""

    kind: ClassVar[str] = "change"

    type: Literal["change", "plan", "patch", "rejected-update"]
    description: Text
    reason: Text | None = None
    from_version: Thing | None = None
    to_version: Thing | None = None
    affected: list[Word] | None = None
    """model, data, software, labelling, intended purpose, infrastructure…"""
    plan_version: Word | None = None
    """Of a plan: the version on its title page."""
    planned_changes: list[PlannedChange] | None = None
    impact: Impact | None = None
    plan: Thing | None = None
    planned_change: Word | None = None
    """The id in the plan that this change stays within."""
    conformance: Conformance | None = None
    update_interval_days: Positive | None = None
    """Of a plan: the longest time between two updates."""
    correction_interval_days: Positive | None = None
    """Of a plan: the longest time from finding that validity or fairness is at risk to its correction."""
    substantial: bool | None = None
    substantial_reason: Text | None = None
    decisions: list[RegulatoryDecision] | None = None
    risk_assessment: Text | None = None
    cybersecurity_affected: bool | None = None
    """Whether the change may affect cybersecurity (FD&C 524B)."""
    cybersecurity_impact: Text | None = None
    severity: Literal["critical", "high", "medium", "low"] | None = None
    """Of the vulnerability that a patch closes."""
    identified_on: IsoDate | None = None
    """Day on which the defect or vulnerability was found."""
    verification: list[Record] | None = None
    equivalence: Text | None = None
    """Why results on the tested version hold for the released one."""
    users_told: Text | None = None
    users_told_on: IsoDate | None = None
    risk_reviewed_on: IsoDate | None = None
    """Day on which its effect on risk controls was analysed (IEC 62304 clause 7.4)."""
    approved_on: IsoDate | None = None
    """Day on which it was let through, to be carried out."""
    due_on: IsoDate | None = None
    """Day by which it has to be in place, by the provider's own limit."""
    implemented_on: IsoDate | None = None
    rollback: Text | None = None

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.type == "plan" and not self.planned_changes:
            raise ValueError("is a plan without planned_changes")
        if self.substantial is not None and not self.substantial_reason:
            raise ValueError("decides whether the change is substantial without substantial_reason")
        return self
