"""A key event: how a key enters, changes or leaves. Trust is read from these, never from a folder."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from compliance.core.envelope import load_public_key
from compliance.core.evidence import Name, UtcTime
from compliance.errors import InvalidInput
from compliance.kinds.base import Content
from compliance.kinds.fields import Text, Word

Pem = Annotated[
    str, StringConstraints(pattern=r"^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$")
]


class KeyEvent(Content):
    """One public key, who holds it, what it may sign and when. The first one of a ledger names the ledger itself."""

    kind: ClassVar[str] = "key-event"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    event: Literal["registered", "rotated", "expired", "revoked"]
    name: Name
    holder: Word
    """A function, never a person's private details."""
    holder_type: Literal["person", "pipeline"]
    roles: list[Literal["recorder", "reviewer", "approver", "admin"]] = Field(min_length=1)
    public_key: Pem
    hint: Word
    """Base64 of the SHA-256 of the key's SPKI DER."""
    algorithm: Word
    valid_from: UtcTime
    valid_until: UtcTime | None = None
    replaces: Word | None = None
    """Hint of the key that this one follows."""
    reason: Text | None = None
    system: Name | None = None
    origin: Word | None = None
    log_key: Word | None = None
    """The log's verification key (C2SP vkey), in the ledger's first entry."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.valid_until and self.valid_until <= self.valid_from:
            raise ValueError(f"is valid until {self.valid_until}, which is not after {self.valid_from}")
        if self.event == "revoked" and not self.reason:
            raise ValueError("a revocation needs its reason")
        if (self.event == "rotated") != (self.replaces is not None):
            raise ValueError("`replaces` belongs to a rotation, and a rotation needs it")
        try:
            key = load_public_key(self.public_key.encode())
        except InvalidInput as error:
            raise ValueError(f"public_key: {error.problem}") from None
        if (key.hint, key.algorithm) != (self.hint, self.algorithm):
            raise ValueError("hint and algorithm are not those of public_key")
        return self

    def default_title(self) -> str:
        return f"Key {self.event}: {self.name}"

    def default_name(self, digest: str) -> str:
        return f"key-{self.name}@{digest[:12]}"
