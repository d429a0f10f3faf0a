"""A training record: which functions learned what, by when, and how that was checked. No person is named."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Positive, Text, Thing, Word


class Function(Strict):
    """A function, how many hold it, and how many were trained."""

    function: Word
    assigned: Positive
    trained: Count
    assessed: Count | None = None
    acknowledged: Count | None = None
    """How many signed that they answer for what is done under their signature."""

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.trained > self.assigned or (self.assessed or 0) > self.trained:
            raise ValueError(
                f"{self.function}: {self.assigned} assigned, {self.trained} trained, {self.assessed} assessed"
            )
        return self


class TrainingRecord(Content):
    """One training, given."""

    kind: ClassVar[str] = "training-record"

    topic: Literal[
        "ai-literacy",
        "system-use",
        "human-oversight",
        "quality-system",
        "data-handling",
        "security",
        "competence",
        "electronic-records",
        "other",
    ]
    content_summary: Text
    material: Thing | None = None
    audience: Literal["staff", "deployers", "annotators", "oversight-persons", "mixed"]
    functions: list[Function] = Field(min_length=1)
    held_on: IsoDate
    valid_until: IsoDate | None = None
    assessment: Text | None = None
    """How competence was checked."""
    effectiveness: Text | None = None
