"""What a piece of evidence is: subjects, the in-toto Statement, and evidence as read back from the ledger.

The wire format is in-toto Statement v1 (https://github.com/in-toto/attestation, spec/v1); the predicate
types are ours, one per kind. Numbers that a regulator reads are decimal strings, never floats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from compliance.core import wire

STATEMENT_TYPE = wire.STATEMENT_TYPE
PAYLOAD_TYPE = wire.PAYLOAD_TYPE
PREDICATES = wire.PREDICATES
EVIDENCE_NUMBER = wire.EVIDENCE_NUMBER
predicate_type = wire.predicate_type
kind_of = wire.kind_of
evidence_number = wire.evidence_number

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VERSION = r"[A-Za-z0-9][A-Za-z0-9._+-]*"


def _plain(text: str) -> str:
    """Refuse digits of other scripts, which mean the same and sort after every ASCII date."""
    if not text.isascii():
        raise ValueError("has other characters than ASCII")
    return text


def _utc(text: str) -> str:
    try:
        datetime.strptime(_plain(text), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise ValueError("must be a UTC time such as 2026-11-23T10:02:11Z") from None
    return text


def _iso_date(text: str) -> str:
    try:
        datetime.strptime(_plain(text), "%Y-%m-%d")
    except ValueError:
        raise ValueError("must be a calendar date such as 2026-11-23") from None
    return text


def _decimal(text: str) -> str:
    try:
        finite = Decimal(_plain(text)).is_finite()
    except (InvalidOperation, ValueError):
        finite = False
    if not finite:
        raise ValueError("must be a finite decimal number in quotes, such as '0.947'")
    return text


def _proportion(text: str) -> str:
    if not 0 <= Decimal(text) <= 1:
        raise ValueError("must lie between 0 and 1; a proportion is not a percentage")
    return text


def visible(text: str) -> str:
    """Refuse a text of which a reader sees nothing: a reason of blanks is none."""
    if not any(letter.isprintable() and not letter.isspace() for letter in text):
        raise ValueError("is blank")
    return text


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""64 lower-case hex digits."""
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=200)]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$", max_length=200)]
NameVersion = Annotated[str, StringConstraints(pattern=f"^{NAME}@{VERSION}$", max_length=400)]
"""`NAME@VERSION`; it names one digest for ever."""
EvidenceNumber = Annotated[str, StringConstraints(pattern=r"^EV-\d{6,}$")]
UtcTime = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"), AfterValidator(_utc)]
"""Whole seconds, UTC: `2026-11-23T10:02:11Z`."""
IsoDate = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_iso_date)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?$", max_length=40), AfterValidator(_decimal)]
"""A number as its source wrote it, all digits kept: `"0.90"` stays `"0.90"`."""
Proportion = Annotated[DecimalText, AfterValidator(_proportion)]
"""A decimal string in 0..1, never per cent."""


def utc_text(moment: datetime) -> str:
    """Return an aware moment as `UtcTime`. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Basis(StrEnum):
    """What the bytes behind a subject's digest are (docs/reference/digests)."""

    FILE = "file"
    """SHA-256 of the file's bytes, as `sha256sum` prints it."""
    FOLDER = "folder"
    """Root digest of the OpenSSF Model Signing v1.0 manifest over every file."""
    TABLE = "table"
    """Over all rows of a frame or SQL table that is no file."""
    CONTENT = "content"
    """RFC 8785 of the record's own `content`."""
    IDENTITY = "identity"
    """Published name, version, repository and revision: nobody here holds the bytes."""


class Strict(BaseModel):
    """Base of all our models: frozen, and a field that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class Digest(Strict):
    sha256: Sha256


class Annotations(Strict):
    basis: Basis


class Subject(Strict):
    """What a statement is about. Consumers match by digest; the name is for people."""

    name: str = Field(min_length=1, max_length=400)
    digest: Digest
    annotations: Annotations

    @classmethod
    def of(cls, name: str, sha256: str, basis: Basis) -> "Subject":
        return cls(name=name, digest=Digest(sha256=sha256), annotations=Annotations(basis=basis))


class Completeness(StrEnum):
    """Decided before any verdict."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNREADABLE = "unreadable"


class SourceBasis(StrEnum):
    MEASURED = "measured"
    PUBLISHED = "published"
    ESTIMATED = "estimated"


class Classification(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Attachment(Strict):
    """A file that travels beside the statement; the statement holds only its digest."""

    name: str = Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$")
    media_type: str = Field(pattern=r"^[\w.+-]+/[\w.+-]+$", max_length=100)
    sha256: Sha256
    size: str = Field(pattern=r"^\d+$")
    """Bytes, as text: RFC 8785 carries integers only up to 2**53 - 1."""
    classification: Classification


class Citation(Strict):
    """Where a published fact was read."""

    title: str
    authors: str | None = None
    year: int | None = None
    venue: str | None = None
    identifier: str | None = None
    where: str | None = None
    checked_in: list[str] = []
    confidence: Literal["high", "medium", "low"] | None = None


class MLflowOrigin(Strict):
    """The MLflow object that a piece of evidence was captured from."""

    run_id: str | None = None
    experiment: str | None = None
    registered_model: str | None = None
    logged_model: str | None = None
    prompt: str | None = None
    dataset: str | None = None
    """Id of an evaluation dataset."""


class Source(Strict):
    """How a piece of evidence came to be."""

    basis: SourceBasis
    how: Literal["init", "record", "log", "capture", "import", "act"]
    tool: str
    tool_version: str | None
    file_sha256: Sha256 | None = None
    """Digest of the file that was read, where there was one."""
    mlflow: MLflowOrigin | None = None
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence as read back from the ledger, its signature checked or taken on record.

    Plain dictionaries inside, so that reading 100,000 of them stays cheap; the kinds' models
    validated them when they were written.
    """

    index: int
    digest: str
    """SHA-256 of the envelope bytes: what approvals, revocations and supersedings name."""
    kind: str
    logged_at: str
    """The ledger's clock (UtcTime): what `--as-of` goes by."""
    signer: str
    """Key id (hint) of the envelope's signature."""
    statement: Mapping[str, Any]
    content: Mapping[str, Any] = field(init=False, compare=False, repr=False)
    """The kind's own fields, of the statement; a field here because an assessment reads it a million times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", self.statement["predicate"].get("content", {}))

    @property
    def number(self) -> str:
        return evidence_number(self.index)

    @property
    def predicate(self) -> Mapping[str, Any]:
        predicate: Mapping[str, Any] = self.statement["predicate"]
        return predicate

    @property
    def subjects(self) -> list[Mapping[str, Any]]:
        subjects: list[Mapping[str, Any]] = self.statement["subject"]
        return subjects

    @property
    def title(self) -> str:
        return str(self.predicate.get("title", ""))

    @property
    def completeness(self) -> str:
        return str(self.predicate.get("completeness", Completeness.UNREADABLE))

    def is_about(self, sha256: str) -> bool:
        return any(subject["digest"].get("sha256") == sha256 for subject in self.subjects)
