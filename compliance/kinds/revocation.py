"""A revocation: this record no longer counts. It stays on record, unless the law asked for its erasure."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import Basis, Subject
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text


class Revocation(Content):
    """Who revoked what, and why; with `erasure`, its envelope and attachments were removed as well."""

    kind: ClassVar[str] = "revocation"
    own: ClassVar[Literal["bytes", "content", "none"]] = "none"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    evidence: Record
    reason: Text
    erasure: bool = False
    legal_basis: Text | None = None
    """The law that asks for erasure."""

    @model_validator(mode="after")
    def _lawful(self) -> Self:
        if self.erasure and not self.legal_basis:
            raise ValueError("erasure needs its legal_basis")
        return self

    def default_title(self) -> str:
        return f"{'Erased' if self.erasure else 'Revoked'}: {self.evidence.name}"

    def also_about(self) -> list[Subject]:
        return [Subject.of(self.evidence.name, self.evidence.sha256, Basis.CONTENT)]
