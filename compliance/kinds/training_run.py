"""A training run: code, data, parameters, environment and what came out."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from compliance.core.evidence import Sha256, Strict, UtcTime
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Dataset, Number, Text, Word
from compliance.kinds.model_version import Compute, Environment


class Code(Strict):
    """What was run."""

    repository: Word | None = None
    commit: Word | None = None
    dirty: bool | None = None
    """Whether files differed from the commit."""
    entry_point: Word | None = None
    sha256: Sha256 | None = None


class Figure(Strict):
    """A figure of the training itself (loss, tuning score), with the step it belongs to."""

    name: Word
    value: Number
    step: Count | None = None
    values: Count | None = None
    """How many values its history holds; `value` is the last of them."""
    dataset: Dataset | None = None


class TrainingRun(Content):
    """One run that made, or was to make, a model version."""

    kind: ClassVar[str] = "training-run"

    started_at: UtcTime
    ended_at: UtcTime | None = None
    outcome: Word = Field(default="finished", pattern=r"^(finished|failed|stopped)$")
    code: Code | None = None
    datasets: list[Dataset] | None = None
    parameters: dict[Word, Word] | None = None
    figures: list[Figure] | None = None
    seed: Word | None = None
    environment: Environment | None = None
    compute: list[Compute] | None = None
    method: Text | None = None
    selection: Text | None = None
    """How this version was chosen among candidates, and on which data."""
    mlflow_run: Word | None = None
    parent_run: Word | None = None
    """Id of the MLflow run that this one is nested in."""
    deterministic: bool | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ended_at and self.ended_at < self.started_at:
            raise ValueError(f"ended at {self.ended_at}, before it started at {self.started_at}")
        return self
