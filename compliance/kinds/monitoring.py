"""Monitoring after release: the plan with its limits, or what one period showed."""

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.dataset import Period
from compliance.kinds.evaluation import MetricRows
from compliance.kinds.fields import Count, Dataset, Label, Number, Record, Text, Thing, Word, counted, listed


class Indicator(Strict):
    """What is watched, how often, and from which value on somebody acts."""

    metric: Label
    description: Text | None = None
    source: Text
    frequency: Word
    alert: Number | None = None
    action: Number | None = None
    cause: (
        Literal[
            "performance",
            "patient-mix",
            "input-shift",
            "data-integrity",
            "user-behaviour",
            "security",
            "complaints",
            "fairness",
        ]
        | None
    ) = None
    responsible: Word | None = None
    """A function."""


class Alert(Strict):
    """A limit that was crossed, and what was decided (FDA AI-DSF XI; reportability)."""

    metric: Label
    value: Number | None = None
    limit: Number | None = None
    decision: Text
    reportable: bool | None = None
    evidence: list[Record] | None = None


class Monitoring(Content):
    """A post-market monitoring plan, or the results of one period under it."""

    kind: ClassVar[str] = "monitoring"

    type: Literal["plan", "report", "observation"]
    plan: Thing | None = None
    indicators: list[Indicator] | None = None
    groups: list[Label] | None = None
    """Attributes by which performance is watched group by group, under the same limits."""
    methods: Text | None = None
    feedback: Text | None = None
    """How users' reports reach the provider."""
    communication: Text | None = None
    period: Period | None = None
    cases: Count | None = None
    sites: Count | None = None
    dataset: Dataset | None = None
    metrics: MetricRows | None = None
    alerts: list[Alert] | None = None
    undecided_alerts: Count | None = None
    """Alerts of which nobody has said whether they are reportable. Counted here."""
    conclusion: Text | None = None
    risk_file_update: Text | None = None
    review_interval_days: Count | None = None
    reported_on: IsoDate | None = None
    due_on: IsoDate | None = None
    """Day by which the plan asks for this report."""

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("type") == "plan":
            return content
        undecided = sum(one.get("reportable") is None for one in listed(content, "alerts"))
        return counted(content, "its alerts give", {"undecided_alerts": undecided})

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.type == "plan" and not self.indicators:
            raise ValueError("is a plan without indicators")
        if self.type == "report" and (self.period is None or self.conclusion is None):
            raise ValueError("is a report, which needs its period and conclusion")
        return self
