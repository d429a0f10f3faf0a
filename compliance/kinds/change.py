"""A change to the system: what, why, how big in law, how it was shown safe; or a plan of such changes (PCCP)."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Positive, Record, Text, Thing, Word


class PlannedChange(Strict):
    """One modification allowed beforehand: its bounds, its protocol, its effect (FD&C 515C; Annex IV(2)(f))."""

    id: Word
    modification: Text
    bounds: Text
    trigger: Text | None = None
    data: Text | None = None
    retraining: Text | None = None
    performance_evaluation: Text
    acceptance_plan: Thing | None = None
    update: Text | None = None
    rollback: Text | None = None
    risks: Text
    traceability: Text | None = None


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
    planned_changes: list[PlannedChange] | None = None
    plan: Thing | None = None
    planned_change: Word | None = None
    """The id in the plan that this change stays within."""
    update_interval_days: Positive | None = None
    """Of a plan: the longest time between two updates."""
    correction_interval_days: Positive | None = None
    """Of a plan: the longest time from finding that validity or fairness is at risk to its correction."""
    substantial: bool | None = None
    substantial_reason: Text | None = None
    decisions: list[RegulatoryDecision] | None = None
    risk_assessment: Text | None = None
    cybersecurity_impact: Text | None = None
    verification: list[Record] | None = None
    equivalence: Text | None = None
    """Why results on the tested version hold for the released one."""
    users_told: Text | None = None
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
