"""A determination: what a person decided that no machine can, about requirements and one model version."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Word


class Determination(Content):
    """A signed, reasoned decision; `carried-over` makes named evidence of an earlier version count for this one."""

    kind: ClassVar[str] = "determination"
    own: ClassVar[Literal["bytes", "content", "none"]] = "none"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "required"

    requirements: list[Word] = Field(min_length=1)
    decision: Literal["met", "not-met", "not-applicable", "carried-over", "known-gap"]
    reason: Text
    carry: list[Record] | None = None
    """Evidence that is carried over."""
    based_on: list[Record] | None = None
    """Evidence that the decision rests on."""
    change_assessment: Text | None = None
    """Why the change leaves the carried evidence valid."""
    needed: Text | None = None
    """What would close a known gap."""
    closable_by: Text | None = None
    """Who could close it."""
    what_is_known: Text | None = None
    valid_until: IsoDate | None = None

    @model_validator(mode="after")
    def _carries(self) -> Self:
        if (self.decision == "carried-over") != bool(self.carry):
            raise ValueError("`carry` names the evidence of a carried-over decision, and of no other")
        if len(set(self.requirements)) < len(self.requirements):
            raise ValueError("names one requirement twice")
        return self

    def default_title(self) -> str:
        first, *rest = self.requirements
        return f"{self.decision.capitalize()}: {first}" + (f" and {len(rest)} more" if rest else "")
