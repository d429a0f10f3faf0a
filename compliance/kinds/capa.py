"""A corrective or preventive action: problem, cause, action, and whether it worked."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Word


class Action(Strict):
    """One step, due and done."""

    action: Text
    type: Literal["correction", "corrective", "preventive", "withdrawal", "recall", "disable", "notice"]
    due: IsoDate | None = None
    done: IsoDate | None = None
    responsible: Word | None = None
    """A function."""
    evidence: list[Record] | None = None


class Capa(Content):
    """One action file from its opening to the check that it was effective."""

    kind: ClassVar[str] = "capa"

    number: Word
    problem: Text
    sources: list[Record] | None = None
    """Incidents, audits or monitoring that opened it."""
    opened_on: IsoDate
    due_on: IsoDate | None = None
    closed_on: IsoDate | None = None
    status: Literal["open", "implemented", "closed-effective", "closed-not-effective"]
    root_cause: Text | None = None
    risk_assessment: Text | None = None
    actions: list[Action] = Field(min_length=1)
    effectiveness_check: Text | None = None
    effectiveness_evidence: list[Record] | None = None
    retain_until: IsoDate | None = None
    people_informed: list[Text] | None = None
    """Distributors, deployers, authorities that were told (Art. 20)."""

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.closed_on and self.closed_on < self.opened_on:
            raise ValueError(f"was closed on {self.closed_on}, before it was opened on {self.opened_on}")
        if self.status.startswith("closed") and (self.closed_on is None or not self.effectiveness_check):
            raise ValueError("is closed, which needs closed_on and the effectiveness_check")
        return self
