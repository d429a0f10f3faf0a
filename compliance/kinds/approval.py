"""An approval: a person's signature under exactly these records, with its meaning (21 CFR 11.50)."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import Basis, EvidenceNumber, IsoDate, Sha256, Strict, Subject
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Thing, Word


class DossierContent(Strict):
    """A compiled dossier, by the digest of its `ID.json`, cut off at a ledger position."""

    name: Word
    sha256: Sha256
    at: EvidenceNumber | None = None
    model: Thing | None = None
    """The model version that the dossier is about."""


class Approval(Content):
    """Authored, reviewed or approved; it counts only from a person's key in a role that may."""

    kind: ClassVar[str] = "approval"
    own: ClassVar[Literal["bytes", "content", "none"]] = "none"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    meaning: Literal["authored", "reviewed", "approved"]
    printed_name: Word | None = None
    """Of the signer, as it was at signing (21 CFR 11.50(a)(1)); the key's registered name is no substitute for it."""
    utc_offset: str | None = Field(default=None, pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$")
    """The signer's local time at signing, beside the record's UTC time: `+01:00`."""
    evidence: list[Record] | None = None
    dossier: DossierContent | None = None
    reason: Text | None = None
    conditions: Text | None = None
    valid_until: IsoDate | None = None
    """Last day on which it counts for its records; left out, it counts until it is revoked."""

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.evidence and self.dossier is None:
            raise ValueError("names no evidence and no dossier")
        if self.dossier and self.valid_until:
            raise ValueError("has a last day, but approves a dossier, which is what it is for good")
        names = [record.name for record in self.evidence or []]
        if len(set(names)) < len(names):
            raise ValueError("names one record twice")
        return self

    def default_title(self) -> str:
        what = [record.name for record in self.evidence or []]
        if self.dossier:
            about = self.dossier.model
            what.append(f"{self.dossier.name} of {about.name}" if about else self.dossier.name)
        shown = ", ".join(what[:3]) + (f" and {len(what) - 3} more" if len(what) > 3 else "")
        return f"{self.meaning.capitalize()}: {shown}"

    def also_about(self) -> list[Subject]:
        about = [Subject.of(record.name, record.sha256, Basis.CONTENT) for record in self.evidence or []]
        if self.dossier:
            about.append(Subject.of(self.dossier.name, self.dossier.sha256, Basis.FILE))
        return about
