"""A log: what the system or the process records by itself, shown by a sample and by a test that it works."""

from typing import ClassVar, Literal

from pydantic import Field

from compliance.core.evidence import Strict
from compliance.kinds.base import Content
from compliance.kinds.dataset import Period
from compliance.kinds.fields import Count, Number, Text, Word


class Event(Strict):
    """A kind of event that is logged, and what it serves."""

    event: Word
    fields: list[Word] | None = None
    serves: list[Word] | None = None
    """risk, modification, monitoring, deployer-oversight (Art. 12(2)); an indicator of the monitoring plan."""
    seen: Count | None = None
    """How many in the period or test."""


class Uncovered(Strict):
    """Something of MLflow's that has no evidence here, or no longer is what its evidence says."""

    what: Literal["run", "model-version", "dataset"]
    name: Word
    id: Word | None = None
    state: Literal["no-evidence", "changed", "unfinished", "deleted", "unreadable"]
    detail: Text | None = None


class Log(Content):
    """One log: system events, processing steps, access to data, test runs or reviews."""

    kind: ClassVar[str] = "log"

    type: Literal[
        "system-events", "data-processing", "data-access", "test-run", "review", "deletion", "configuration", "override",
        "completeness",
    ]  # fmt: skip
    description: Text
    events: list[Event] = Field(min_length=1)
    period: Period | None = None
    entries: Count | None = None
    expected: Count | None = None
    lost: Count | None = None
    failed: Count | None = None
    """Of a test run: how many did not pass."""
    traceable: Number | None = None
    """Share of outputs that lead back to input, model version and user."""
    retention_days: Count | None = None
    protection: Text | None = None
    """Why entries cannot be changed or switched off unseen."""
    accessible_to: list[Word] | None = None
    attachment: Word | None = None
    """Name of the attached sample or export."""
    scope: list[Word] | None = None
    """Of a completeness log: which experiments and registered models were looked at."""
    uncovered: list[Uncovered] | None = None
    """Of a completeness log: what has no evidence; empty where everything has."""
    conclusion: Text | None = None
