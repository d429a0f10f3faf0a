"""A predetermined change control plan in its parts: what may change, within which limits, and what it was shown to do.

The parts are those of FDA's PCCP guidance (modifications, protocol, impact), which Annex IV(2)(f) of the AI Act
asks for in fewer words.
"""

from typing import Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.fields import Count, Label, Number, Positive, Record, Text, Thing, Word


class Specification(Strict):
    """A characteristic of the device after a modification, and the limits that it must keep."""

    characteristic: Text
    metric: Label | None = None
    """As evaluations name it, where it is measured on data."""
    minimum: Number | None = None
    maximum: Number | None = None
    unit: Word | None = None

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("has neither a minimum nor a maximum, so nothing could break it")
        return self


class ProtocolPart(Strict):
    """Where one part of the modification protocol treats a modification (PCCP guidance, Section VII.C)."""

    part: Literal["data-management", "re-training", "performance-evaluation", "update"]
    where: Word


class PlannedChange(Strict):
    """One modification allowed beforehand: its bounds, its protocol, its effect (FD&C 515C; Annex IV(2)(f))."""

    id: Word
    modification: Text
    rationale: Text | None = None
    type: Literal["performance", "inputs", "use"] | None = None
    """Better figures on the same input; new or other input; a use or subpopulation within the indications."""
    implementation: Literal["automatic", "manual", "both"] | None = None
    reach: Literal["global", "local", "both"] | None = None
    """The same on all devices, or adapted to a site or patient."""
    local_conditions: Text | None = None
    """By which test a site or patient calls for a local one."""
    bounds: Text
    specifications: list[Specification] | None = None
    trigger: Text | None = None
    data: Text | None = None
    retraining: Text | None = None
    performance_evaluation: Text
    acceptance_plan: Thing | None = None
    testing: (
        list[Literal["database", "challenging-cases", "user-interaction", "hardware", "clinical-usability"]] | None
    ) = None
    """Which testing this modification calls for."""
    on_failure: Text | None = None
    """What happens where a criterion fails and the failure cannot be resolved."""
    update: Text | None = None
    rollback: Text | None = None
    rollback_hours: Positive | None = None
    """Within how many hours the former version is back everywhere."""
    rollback_when: list[Specification] | None = None
    """Limits that call for it when they are broken."""
    labelling: list[Word] | None = None
    """Sections of the labelling that it will touch."""
    risks: Text
    hazards: list[Word] | None = None
    """Their ids in the risk file."""
    traceability: Text | None = None
    protocol: list[ProtocolPart] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.reach in ("local", "both") and not self.local_conditions:
            raise ValueError(f"modification {self.id} is made locally, and local_conditions does not say when")
        parts = [one.part for one in self.protocol or []]
        if len(set(parts)) < len(parts):
            raise ValueError(f"modification {self.id} names one part of the protocol twice")
        return self


class Impact(Strict):
    """What the plan does to the whole device (PCCP guidance, Section VIII)."""

    alone: Text | None = None
    """The device with each modification by itself, against the device without any."""
    benefit_risk: Text | None = None
    assurance: Text | None = None
    """Why the protocol's verification and validation keep the device safe and effective."""
    interaction: Text | None = None
    """What carrying out one modification does to another."""
    cumulative: Text | None = None
    other_functions: Text | None = None
    """Other software functions, hardware, non-device functions, drug or biological parts."""


class Conformance(Strict):
    """Whether a change made under a plan keeps to it, decided before use (PCCP guidance, Section V.D and Figure 1)."""

    listed: bool
    """It is one of the plan's modifications, within the limits given there."""
    by_protocol: bool
    """It was made and tested as the modification protocol says."""
    authorised_plan: Thing | None = None
    """The plan that the authority's letter in force cites."""
    open_deviations: Count
    decided_on: IsoDate


class ImplementedChange(Strict):
    """A change already made under a plan, as a later submission sums it up."""

    planned_change: Word
    change: Record
    """Its record."""
    performance: Text


class SubmittedPlan(Strict):
    """A plan as a submission carries it, and as the letter that authorises it cites it (PCCP guidance, Section V)."""

    purpose: Literal["establish", "modify", "report-changes"]
    plan: Thing
    """The plan on record that was sent."""
    title: Word
    version: Word
    cited_title: Word | None = None
    cited_version: Word | None = None
    mentioned_in: (
        list[
            Literal["cover-letter", "table-of-contents", "device-description", "labelling", "equivalence-or-assurance"]
        ]
        | None
    ) = None
    """Where else in the submission it is pointed to."""
    changes_to_plan: Text | None = None
    tracked_changes: Word | None = None
    """File that shows them."""
    implemented: list[ImplementedChange] | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.mentioned_in or [])) < len(self.mentioned_in or []):
            raise ValueError("names one place of mentioned_in twice")
        return self
