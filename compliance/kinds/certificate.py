"""A certificate, declaration or registration: who issued what, for what, until when."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Thing, Word


class Certificate(Content):
    """One certificate. It lapses by itself on its last day."""

    kind: ClassVar[str] = "certificate"

    type: Literal[
        "eu-declaration-of-conformity", "notified-body-certificate", "qms-certificate", "registration", "ce-marking",
        "authorised-representative", "clearance", "approval", "test-certificate", "scope-designation",
        "ethics-approval",
    ]  # fmt: skip
    number: Word
    issuer: Word
    issuer_number: Word | None = None
    """The notified body's four digits."""
    scope: Text
    laws: list[Word] | None = None
    """Acts that it names; a combined declaration names each."""
    standards: list[Word] | None = None
    codes: list[Word] | None = None
    """Designation or technology codes."""
    issued_on: IsoDate
    valid_until: IsoDate | None = None
    place: Word | None = None
    signed_by: Word | None = None
    """A function."""
    conditions: Text | None = None
    status: Literal["valid", "suspended", "withdrawn", "restricted", "expired"]
    document: Thing | None = None
    based_on: list[Record] | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.valid_until and self.valid_until < self.issued_on:
            raise ValueError(f"is valid until {self.valid_until}, before it was issued on {self.issued_on}")
        return self
