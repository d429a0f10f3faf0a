"""The system as its provider describes it: `compliance.toml`, signed. The profile counts only as this says it."""

from typing import ClassVar, Literal

from compliance.core.system import Description, Profile, System
from compliance.kinds.base import Content


class SystemDescription(Content):
    """Identity, profile and description; the newest on record is the one that counts."""

    kind: ClassVar[str] = "system-description"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    system: System
    profile: Profile
    description: Description

    def default_title(self) -> str:
        return f"{self.system.name}: system description"
