"""A bill of materials: which components a release holds. The file itself is attached."""

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import Sha256, Strict, UtcTime
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Text, Thing, Word, counted, listed


class Component(Strict):
    """A component that a reader must be able to find without opening the file."""

    name: Word
    version: Word | None = None
    tested_version: Word | None = None
    """The version that the product was tested with."""
    purl: Word | None = None
    licence: Word | None = None
    sha256: Sha256 | None = None
    support_level: Word | None = None
    end_of_support: Word | None = None
    thing: Thing | None = None


class Vulnerability(Strict):
    """A known vulnerability and what was decided about it."""

    id: Word
    component: Word | None = None
    severity: Literal["critical", "high", "medium", "low", "none", "unknown"]
    status: Literal["affected", "not-affected", "fixed", "under-investigation"]
    justification: Text | None = None


class Sbom(Content):
    """The components of one release, by type, with what is known to be wrong with them."""

    kind: ClassVar[str] = "sbom"

    format: Literal["CycloneDX", "SPDX", "syft", "pip-audit"]
    format_version: Word
    type: Literal["software", "model", "dataset", "build", "system"]
    attachment: Word
    """Name of the attached file."""
    serial: Word | None = None
    generated_at: UtcTime | None = None
    tool: Word | None = None
    components: Count
    without_version: Count | None = None
    without_licence: Count | None = None
    unexplained: Count | None = None
    """Components that lack a minimum element (supplier, version, identifier, relationship) for no stated reason."""
    listed: list[Component] | None = None
    vulnerabilities_checked_at: UtcTime | None = None
    vulnerabilities: list[Vulnerability] | None = None
    unassessed: Count | None = None
    """Known vulnerabilities under investigation, or neither fixed nor justified. Counted here."""

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not {"vulnerabilities", "vulnerabilities_checked_at"} & content.keys():
            return content
        unassessed = sum(
            one.get("status") == "under-investigation"
            or (one.get("status") != "fixed" and not one.get("justification"))
            for one in listed(content, "vulnerabilities")
        )
        return counted(content, "its list gives", {"unassessed": unassessed})

    @model_validator(mode="after")
    def _within(self) -> Self:
        for field in ("without_version", "without_licence", "unexplained"):
            if (getattr(self, field) or 0) > self.components:
                raise ValueError(f"{field} is more than the {self.components} components")
        return self
