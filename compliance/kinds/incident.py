"""An incident: what happened, who was harmed, what was decided about reporting it, what came of it."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Strict, UtcTime
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Record, Text, Word


class Report(Strict):
    """One notice to an authority: due, sent, acknowledged."""

    authority: Word
    rule: Word | None = None
    due: IsoDate | None = None
    sent: IsoDate | None = None
    reference: Word | None = None
    kind: Literal["initial", "follow-up", "final"] | None = None


class Reportability(Strict):
    """The decision whether it must be reported, and why."""

    reportable: bool
    reason: Text
    decided_on: IsoDate | None = None


class Complaint(Strict):
    """What a complaint record holds (21 CFR 820.35(a)); who complained is kept elsewhere, and only where is said."""

    device_name: Word
    received_on: IsoDate
    udi: Word | None = None
    """Or UPC."""
    other_identification: Word | None = None
    complainant_kept_in: Word | None = None
    """Where name, address and phone are kept."""
    evaluation: Text | None = None
    """Of review and investigation, or why there was none."""
    correction: Text | None = None
    reply: Text | None = None


class Incident(Content):
    """A serious incident, malfunction, security event, complaint or supervisory measure."""

    kind: ClassVar[str] = "incident"

    type: Literal[
        "serious-incident",
        "malfunction",
        "near-miss",
        "complaint",
        "security",
        "privacy",
        "regulatory-measure",
        "misuse",
    ]
    description: Text
    occurred_on: IsoDate | None = None
    became_aware_at: UtcTime | None = None
    public_on: IsoDate | None = None
    status: Literal["open", "investigating", "closed", "unknown"]
    severity: Literal["death", "serious", "non-serious", "none", "unknown"] | None = None
    limb: Literal["health", "critical-infrastructure", "fundamental-rights", "property-or-environment"] | None = None
    """Limb (a) to (d) of Art. 3(49) AI Act that makes it serious."""
    widespread: bool | None = None
    """Whether it is a widespread infringement (Art. 3(61) AI Act)."""
    harm: Text | None = None
    people_affected: Count | None = None
    patients_affected: Literal["yes", "no", "unknown"] | None = None
    jurisdiction: Word | None = None
    authority: Word | None = None
    addressees: list[Word] | None = None
    measure: Text | None = None
    legal_basis: Text | None = None
    provider_response: Text | None = None
    cause: Text | None = None
    investigation: Text | None = None
    causal_link: Literal["established", "reasonably-likely", "excluded", "unknown"] | None = None
    reportability: Reportability | None = None
    first_reported_on: IsoDate | None = None
    """Day of the first report to the authority that had to be told: the day that a reporting clock runs to."""
    reports: list[Report] | None = None
    complaint: Complaint | None = None
    due_on: IsoDate | None = None
    """Day by which it has to be dealt with, by the provider's own limit."""
    closed_on: IsoDate | None = None
    retain_until: IsoDate | None = None
    hazards: list[Word] | None = None
    capa: list[Record] | None = None
    system_preserved: bool | None = None
    """Whether the system was left unaltered until authorities were informed (Art. 73(6))."""
    remarks: list[Text] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        aware = self.became_aware_at
        if self.occurred_on and aware and aware[:10] < self.occurred_on:
            raise ValueError(f"was known at {aware}, before it occurred on {self.occurred_on}")
        sent = [report.sent for report in self.reports or [] if report.sent]
        if self.first_reported_on and sent and self.first_reported_on not in sent:
            raise ValueError(
                f"was first reported on {self.first_reported_on}, but none of its reports was sent that day"
            )
        return self
