"""A submission or notice to an authority: what was sent, when, and what came back."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Sha256, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Word


class Item(Strict):
    """One file or field of what was sent."""

    name: Word
    sha256: Sha256 | None = None
    answers: list[Word] | None = None
    value: Text | None = None


class Letter(Strict):
    """What the authority answered or asked, and what was done."""

    date: IsoDate
    type: Literal["acknowledgement", "request", "deficiency", "decision", "closure"]
    summary: Text
    due: IsoDate | None = None
    answered_on: IsoDate | None = None
    evidence: list[Record] | None = None


class Submission(Content):
    """One submission, registration or notice."""

    kind: ClassVar[str] = "submission"

    type: Literal[
        "510(k)", "de-novo", "pma", "pma-supplement", "q-submission", "pccp", "eu-database", "eudamed",
        "technical-documentation", "serious-incident-report", "vigilance-report", "adverse-event-report",
        "gpai-notification", "information-request", "real-world-testing-plan", "public-summary", "other",
    ]  # fmt: skip
    authority: Word
    reference: Word | None = None
    rule: Word | None = None
    submitted_on: IsoDate | None = None
    due_on: IsoDate | None = None
    status: Literal["planned", "submitted", "accepted", "under-review", "granted", "refused", "withdrawn"]
    contents: list[Item] | None = None
    correspondence: list[Letter] | None = None
    outcome: Text | None = None
    conditions: Text | None = None

    @model_validator(mode="after")
    def _sent(self) -> Self:
        if self.status not in ("planned", "withdrawn") and self.submitted_on is None:
            raise ValueError(f"is {self.status}, but submitted_on is missing")
        return self
