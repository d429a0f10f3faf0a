"""A procedure of the quality system: what it governs, which version is in force, who released it."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Positive, Record, Text, Thing, Word

Topic = Literal[
    "risk-management", "data-management", "design-control", "change-control", "testing", "post-market-monitoring",
    "incident-reporting", "document-control", "record-keeping", "supplier-control", "training", "human-oversight",
    "cybersecurity", "vulnerability-handling", "capa", "regulatory-strategy", "communication", "resources",
    "accountability", "identity-and-signature", "backup-and-restore", "computer-system-validation", "copyright",
    "maintenance", "other",
]  # fmt: skip


class Clause(Strict):
    """Which clause of which requirement the procedure carries out, and where in it."""

    requirement: Word
    where: Word | None = None


class Deadline(Strict):
    """A step of the procedure that has to be done within so many days, and of what."""

    step: Word
    severity: Literal["critical", "high", "medium", "low"] | None = None
    days: Positive


class Procedure(Content):
    """One released version of one procedure."""

    kind: ClassVar[str] = "procedure"

    topic: Topic
    number: Word
    revision: Word
    purpose: Text
    scope: Text | None = None
    responsibilities: Text | None = None
    steps: list[Text] | None = None
    deadlines: list[Deadline] | None = None
    records_kept: list[Text] | None = None
    retention_years: Count | None = None
    """How long these records are kept at least, from the release of the device."""
    retention_covers_lifetime: bool | None = None
    """Whether they are kept for the device's defined lifetime, where that is longer."""
    status: Literal["draft", "released", "obsolete"]
    effective_from: IsoDate | None = None
    next_review: IsoDate | None = None
    clauses: list[Clause] | None = None
    document: Thing | None = None
    """The document evidence that holds its text."""
    applied_in: list[Record] | None = Field(default=None)
    """Records that show it was followed."""

    @model_validator(mode="after")
    def _in_force(self) -> Self:
        if self.status == "released" and self.effective_from is None:
            raise ValueError("is released, but effective_from is missing")
        return self
