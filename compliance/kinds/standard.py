"""A standard or common specification that is applied: which edition, how far, what instead."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Word


class Clause(Strict):
    """How one clause was dealt with."""

    clause: Word
    applied: Literal["full", "part", "not-applied", "not-applicable"]
    how: Text | None = None
    evidence: list[Record] | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.applied != "full" and not self.how:
            raise ValueError(f"clause {self.clause} is applied {self.applied}, and `how` does not say why")
        return self


class Standard(Content):
    """One standard in one edition."""

    kind: ClassVar[str] = "standard"

    number: Word
    edition: Word
    edition_title: Text
    status: Literal["harmonised", "recognised", "common-specification", "code-of-practice", "other"]
    cited_in: Word | None = None
    """Where it is cited: OJ reference or FDA recognition number."""
    cited_on: IsoDate | None = None
    applied: Literal["full", "part"]
    clauses: list[Clause] | None = None
    covers: list[Word] | None = None
    """Requirement ids that it gives a presumption for, or is used for."""
    alternative: Text | None = None
    """The solution used where it is not applied."""

    @model_validator(mode="after")
    def _in_part(self) -> Self:
        if self.applied == "part" and not self.clauses and not self.alternative:
            raise ValueError("is applied in part, so clauses or alternative must say which and what instead")
        return self
