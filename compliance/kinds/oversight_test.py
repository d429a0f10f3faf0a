"""An oversight test: whether people can understand, question, override and stop the system."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import Strict, UtcTime
from compliance.kinds.base import Content
from compliance.kinds.evaluation import MetricRows
from compliance.kinds.fields import Count, Dataset, Positive, Record, Text, Thing, Word


class Participants(Strict):
    """Who took part, by function: never a name."""

    n: Positive
    profile: Text
    training_given: Text | None = None
    intended_users: bool | None = None


class Task(Strict):
    """A task that users must manage, and how many did."""

    task: Text
    critical: bool
    attempts: Positive
    successes: Count
    use_errors: list[Text] | None = None
    hazard: Word | None = None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.successes > self.attempts:
            raise ValueError(f"has {self.successes} successes in {self.attempts} attempts")
        return self


class OversightTest(Content):
    """A usability, comprehension, override, stop or human-AI-team test of one model version."""

    kind: ClassVar[str] = "oversight-test"
    own: ClassVar[Literal["bytes", "content", "none"]] = "none"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "required"

    type: Literal[
        "usability-formative", "usability-summative", "comprehension", "automation-bias", "override", "stop",
        "human-ai-team", "configuration", "readability", "accessibility",
    ]  # fmt: skip
    plan: Thing | None = None
    dataset: Dataset | None = None
    started_at: UtcTime | None = None
    protocol: Text
    participants: Participants
    environment: Text | None = None
    tasks: list[Task] | None = None
    metrics: MetricRows | None = None
    measures: list[Text] | None = None
    """The oversight measures that were tested (Art. 14(3)-(4))."""
    conclusion: Text
    limits: list[Text] | None = None
    risk_controls: list[Record] | None = Field(default=None)

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if not self.tasks and not self.metrics:
            raise ValueError("has neither tasks nor metrics: what was measured?")
        return self
