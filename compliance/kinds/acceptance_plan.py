"""An acceptance plan: criteria fixed before the results. The log's order proves that they were."""

from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import Name, Strict
from compliance.kinds.base import Content
from compliance.kinds.dataset import Role
from compliance.kinds.fields import Group, Label, Level, Number, Positive, Text, Word
from compliance.kinds.metrics import KNOWN


class Criterion(Strict):
    """One thing that must hold, tested on a bound of the interval and not on the point estimate."""

    id: Word
    metric: Label
    group: Group | None = None
    comparator: Literal[">=", ">", "<=", "<"]
    threshold: Number
    bound: Literal["ci_low", "ci_high", "value"]
    """`value` tests the point estimate: allowed, and printed as such."""
    ci_level: Level | None = None
    min_n: Positive | None = None
    min_positives: Positive | None = None
    category: Word | None = None
    """The safety category it speaks to, where the metric alone does not say."""
    rationale: Text | None = None
    """Why this limit is clinically right."""
    hazard: Word | None = None
    """The id of the hazard in the risk file that it controls."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known = KNOWN.get(self.metric)
        limit = Decimal(self.threshold)
        if known and ((known.low is not None and limit < known.low) or (known.high is not None and limit > known.high)):
            raise ValueError(f"the threshold {self.threshold} lies outside the range of {self.metric}")
        if known and known.better != "target" and (known.better == "higher") != (">" in self.comparator):
            raise ValueError(f"{self.metric} is better {known.better}, so {self.comparator} would accept the worse")
        if known and limit == {">=": known.low, "<=": known.high}.get(self.comparator):
            raise ValueError(
                f"{self.metric} is {self.comparator} {self.threshold} whatever comes: nothing could miss it"
            )
        favourable = "ci_high" if ">" in self.comparator else "ci_low"
        if self.bound == favourable:
            raise ValueError(f"{self.comparator} on {self.bound} tests the kinder bound of the interval; use the other")
        if self.bound != "value" and self.ci_level is None:
            raise ValueError("a bound needs its ci_level")
        return self


class AcceptancePlan(Content):
    """Declared beforehand for one model, every version of it."""

    kind: ClassVar[str] = "acceptance-plan"
    named: ClassVar[bool] = True
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    model: Name
    """Every version of this model."""
    data_role: Role | None = None
    """The role that the dataset must have on record."""
    groups: list[Group] | None = None
    """Groups that must be reported, each."""
    criteria: list[Criterion] = Field(min_length=1)
    endpoints: Text | None = None
    hypotheses: Text | None = None
    sample_size: Text | None = None
    multiplicity: Text | None = None
    methods: Text | None = None
    subgroups: Text | None = None
    rationale: Text | None = None
    applies_to: Literal["evaluation", "safety-result", "both"] | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        if len(set(ids)) < len(ids):
            raise ValueError("two criteria share an id")
        return self
