"""The system as its provider describes it: `compliance.toml`, signed.

Profile and catalogs count only as this says them: a catalog of one's own travels as an attachment, named by digest.
"""

from typing import ClassVar, Literal

from pydantic import Field

from compliance.core.evidence import Name, Sha256, Strict
from compliance.core.system import CatalogName, Description, Profile, System
from compliance.kinds.base import Content
from compliance.kinds.fields import Text


class OwnCatalog(Strict):
    """A catalog file of the workspace as it was when this was signed."""

    path: CatalogName
    id: Name
    version: Text
    sha256: Sha256
    """Of the file, which is attached."""


class SystemDescription(Content):
    """Identity, profile and description; the newest on record is the one that counts."""

    kind: ClassVar[str] = "system-description"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    system: System
    profile: Profile
    description: Description
    own_catalogs: list[OwnCatalog] = Field(default=[])

    def default_title(self) -> str:
        return f"{self.system.name}: system description"
