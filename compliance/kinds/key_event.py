"""A key-event: a key enters, changes or leaves. The ledger's keyring is read from these and from nothing else.

EV-000000 is one, signed by the very key that it registers; every other must be signed by an admin's key
(`compliance.core.trust` decides which events count).
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.envelope import load_public_key
from compliance.core.evidence import Name, UtcTime
from compliance.errors import InvalidInput
from compliance.kinds.base import Content
from compliance.kinds.fields import Text, Word

KeyRole = Literal["recorder", "reviewer", "approver", "admin"]


class KeyEvent(Content):
    """What happened to one key. It counts from the next entry on."""

    kind: ClassVar[str] = "key-event"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    event: Literal["registered", "rotated", "expired", "revoked"]
    key_name: Name
    """What `recorded_by` of its evidence says. One key at a time stands under a name."""
    hint: str = Field(pattern=r"^[A-Za-z0-9+/]{43}=$")
    """base64(SHA-256(DER SubjectPublicKeyInfo)): the key id in its envelopes."""
    holder: Word | None = None
    """Whose key it is: a person by name or function, or a pipeline."""
    holder_type: Literal["person", "pipeline"] | None = None
    roles: list[KeyRole] | None = None
    public_key: str | None = None
    """PEM."""
    algorithm: Literal["p256", "ed25519"] | None = None
    valid_from: UtcTime | None = None
    valid_until: UtcTime | None = None
    replaces: str | None = Field(default=None, pattern=r"^[A-Za-z0-9+/]{43}=$")
    """Hint of the key that a rotation retires."""
    reason: Text | None = None
    system: Name | None = None
    """Genesis only, as `origin` and `log_key`: whose ledger this is."""
    origin: Word | None = None
    log_key: Word | None = None
    """Verifier key of the log (C2SP), which signs the checkpoints."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.event in ("registered", "rotated"):
            needed = ("holder", "holder_type", "roles", "public_key", "algorithm", "valid_from")
            if missing := [name for name in needed if not getattr(self, name)]:
                raise ValueError(f"a key that enters needs {', '.join(missing)}")
            self._same_key()
        if (self.event == "rotated") != (self.replaces is not None):
            raise ValueError("`replaces` belongs to a rotation, and a rotation needs it")
        if self.event == "revoked" and self.reason is None:
            raise ValueError("a revocation says why, in `reason`")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("`valid_until` lies before `valid_from`")
        return self

    def _same_key(self) -> None:
        try:
            key = load_public_key((self.public_key or "").encode())
        except InvalidInput as error:
            raise ValueError(error.problem) from None
        if key.hint != self.hint or key.algorithm != self.algorithm:
            raise ValueError("`hint` and `algorithm` are not those of `public_key`")

    def default_title(self) -> str:
        return f"Key {self.key_name} {self.event}"
