"""Files of a submission, and what a check of each found: the facts that FDA's eCopy and PDF rules are about.

What follows from a name or a size is worked out here, and a claim that differs is refused. A megabyte is a million
bytes, the stricter reading.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import StringConstraints, model_validator

from compliance.core.evidence import Sha256, Strict
from compliance.kinds.fields import Count, Positive, Word

Bytes = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]
Size = Literal["up-to-50-mb", "up-to-400-mb", "up-to-1-gb", "under-4-gb", "larger"]

ECOPY_NAME = re.compile(r"[0-9]{3}_[A-Za-z0-9 ._-]{1,125}\.pdf")
"""eCopy guidance, Attachment 1, Section C.1: a three-digit prefix, then at most 125 plain characters."""
SPECIFIED_NAME = re.compile(r"[a-z0-9_-]+\.pdf")
"""FDA PDF Specifications v4.1: lower case, no punctuation but hyphens and underscores."""
ECTD_NAME = re.compile(r"(?=.{1,64}$)[a-z0-9-]+\.pdf")
"""ICH eCTD: lower case, letters, digits and hyphens, at most 64 characters with the extension."""


def size_of(bytes_: str) -> Size:
    """Return which of the limits that authorities name a size keeps."""
    count = int(bytes_)
    if count <= 50_000_000:
        return "up-to-50-mb"
    if count <= 400_000_000:
        return "up-to-400-mb"
    if count <= 1_000_000_000:
        return "up-to-1-gb"
    return "under-4-gb" if count < 4_000_000_000 else "larger"


class Sized(Strict):
    """Something of so many bytes."""

    bytes: Bytes
    """As text: RFC 8785 carries integers only up to 2**53 - 1."""
    size: Size | None = None
    """Worked out from `bytes`."""

    @model_validator(mode="before")
    @classmethod
    def _measured(cls, content: Any) -> Any:
        """Work out what follows, so that it is recorded."""
        return _with(content, cls._following(content)) if isinstance(content, dict) else content

    @classmethod
    def _following(cls, content: dict[str, Any]) -> dict[str, Any]:
        count = str(content.get("bytes", ""))
        return {"size": size_of(count)} if re.fullmatch(r"[0-9]{1,18}", count) else {}


class PdfFile(Sized):
    """One PDF beside the authority's own form."""

    name: Word
    """File name as sent."""
    sha256: Sha256
    volume: Word | None = None
    """Folder: `VOL_001_…` in an eCopy."""
    section: Word | None = None
    """Section of the template that it goes to: `Labeling`, `Performance Testing`."""
    field: Word | None = None
    """Question or field within the section: `Software Description`."""
    answers: list[Word] | None = None
    """Requirement ids."""
    ecopy_name: bool | None = None
    specified_name: bool | None = None
    ectd_name: bool | None = None
    pages: Positive | None = None
    pdf_version: Word | None = None
    encrypted: bool | None = None
    """Whether a password opens it."""
    restricted: bool | None = None
    """Whether any other security setting is on."""
    embedded_files: Count | None = None
    active_items: Count | None = None
    """JavaScript, actions, sound, video, animation and 3D content."""
    annotations: Count | None = None
    """Beside links."""
    searchable: bool | None = None
    """Whether every page that shows text holds it as text."""
    fonts_embedded: bool | None = None
    bookmarks: Count | None = None
    broken_links: Count | None = None
    """Links and bookmarks that lead nowhere."""
    initial_view: Literal["bookmarks-and-page", "page", "other"] | None = None
    """`other`: bookmarks that stay hidden, a panel without bookmarks, another layout."""
    pages_as_numbered: bool | None = None
    """Whether the number printed on each page is the one that the viewer counts."""
    fits_letter: bool | None = None
    """Whether it prints on 8.5 by 11 inch paper with margins of 3/4 inch left and 3/8 inch elsewhere."""
    upright: bool | None = None
    """Whether every page opens the way it is read."""
    linearized: bool | None = None

    @classmethod
    def _following(cls, content: dict[str, Any]) -> dict[str, Any]:
        name = str(content.get("name", ""))
        forms = {"ecopy_name": ECOPY_NAME, "specified_name": SPECIFIED_NAME, "ectd_name": ECTD_NAME}
        return super()._following(content) | {form: bool(rule.fullmatch(name)) for form, rule in forms.items()}

    @model_validator(mode="after")
    def _a_pdf(self) -> Self:
        if not self.name.lower().endswith(".pdf"):
            raise ValueError(f"{self.name} is no PDF; it goes under other_files")
        return self


class OtherFile(Sized):
    """One file that is no PDF."""

    name: Word
    sha256: Sha256
    folder: Word
    """`MISC FILES` or `STATISTICAL DATA` in an eCopy."""
    zipped: bool
    holds_pdf: bool


def _with(content: dict[str, Any], following: dict[str, Any]) -> dict[str, Any]:
    for field, value in following.items():
        if content.get(field) not in (None, value):
            raise ValueError(f"{field} is given as {content[field]}, but it is {value}")
    return {**content, **following}
