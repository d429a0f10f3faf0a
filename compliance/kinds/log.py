"""A log: what the system or the process records by itself, shown by a sample and by a test that it works."""

from typing import ClassVar, Literal

from pydantic import Field

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.dataset import Period
from compliance.kinds.fields import Count, Number, Record, Text, Word


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

    what: Literal["run", "evaluation-run", "safety-run", "model-version", "dataset"]
    name: Word
    id: Word | None = None
    state: Literal["no-evidence", "changed", "unfinished", "deleted", "unreadable"]
    detail: Text | None = None


Control = Literal[
    "access", "authority", "order-of-steps", "input-source", "tampering", "copies", "backup-and-restore", "retrieval",
    "signature-display", "signature-transfer", "signing-components", "signing-session", "session-timeout",
    "separation-of-duties", "biometrics", "credential-uniqueness", "credential-review", "credential-loss",
    "credential-misuse", "tokens", "identity-check", "encryption", "software-validation",
]  # fmt: skip


class Assurance(Strict):
    """Software of production or quality system, as assured for its use here (FDA CSA guidance; ISO 13485 4.1.6)."""

    software: Word
    version: Word
    intended_use: Text
    risk: Text
    """What a failure could do to product quality and patients, and so how far the tests go."""
    issues: list[Text] | None = None
    """Found in testing, with what became of each."""
    supplier_evidence: list[Record] | None = None
    acceptable: bool
    assured_on: IsoDate
    first_used_on: IsoDate | None = None
    """Of this version."""


class Log(Content):
    """One log: system events, processing steps, access to data, test runs or reviews."""

    kind: ClassVar[str] = "log"

    type: Literal[
        "system-events", "data-processing", "data-access", "test-run", "review", "deletion", "configuration",
        "override", "completeness", "servicing",
    ]  # fmt: skip
    description: Text
    events: list[Event] = Field(min_length=1)
    control: Control | None = None
    """Which control of an electronic record system a test run or review is about (21 CFR 11)."""
    assurance: Assurance | None = None
    due_on: IsoDate | None = None
    """Day by which it was planned: of a review or test that comes at intervals."""
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
