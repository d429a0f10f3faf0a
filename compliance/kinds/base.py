"""What every kind of evidence is: typed content inside a predicate inside an in-toto Statement.

A kind is one `Content` model, one JSON Schema and one predicate type. It says here what its evidence is about;
what it says there is its own file. No kind is a free-form dictionary.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from compliance.core.evidence import (
    STATEMENT_TYPE,
    Attachment,
    Classification,
    Completeness,
    Name,
    Source,
    Strict,
    Subject,
    UtcTime,
    predicate_type,
)
from compliance.kinds.fields import RecordReference, Text, Word

SCHEMA_VERSION = 1

Title = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Content(Strict):
    """The fields of one kind, as recorded. Subclasses say what their evidence is about."""

    kind: ClassVar[str]
    own: ClassVar[Literal["bytes", "content", "none"]] = "content"
    """The evidence's own subject: bytes that were digested, its own content, or none."""
    named: ClassVar[bool] = False
    """Whether the author must name it NAME@VERSION, because other records refer to it."""
    about_model: ClassVar[Literal["required", "optional", "no"]] = "optional"
    """Whether it is (also) about a model version, authored as `model: NAME@VERSION`."""

    def default_title(self) -> str | None:
        """Return a title for a record that comes without one, where the content suggests it."""
        return None

    def default_name(self, digest: str) -> str:
        """Return the subject's name for a record about itself that has none."""
        return f"{self.kind}@{digest[:12]}"

    def also_about(self) -> list[Subject]:
        """Return subjects that the content itself names: the records that an approval signs."""
        return []


class Supersedes(RecordReference):
    """The record that this one replaces, and why. It stays on record, and no longer counts."""

    reason: Text


class Predicate(Strict):
    """What every piece of evidence says beside its kind's own content."""

    schema_version: Literal[1]
    system: Name
    recorded_at: UtcTime
    recorded_by: Word
    """The registered name of the signing key."""
    title: Title
    summary: str = Field(max_length=20_000)
    source: Source
    completeness: Completeness
    completeness_reason: Text | None = None
    """What is missing; required where it is not complete."""
    attachments: list[Attachment]
    supersedes: Supersedes | None = None
    data_classification: Classification
    content: dict[str, Any]


def statement(subjects: list[Subject], kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """Return the in-toto Statement as a plain value, ready to be made canonical."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [subject.model_dump(mode="json") for subject in subjects],
        "predicateType": predicate_type(kind),
        "predicate": predicate,
    }


class Identity(Strict):
    """What a thing is published as, where nobody here holds its bytes. Its canonical JSON is digested."""

    name: Word
    version: Word
    repository: Word | None = None
    revision: Word | None = None


def recorded(content: Strict) -> dict[str, Any]:
    """Return a model as it is recorded: only what was said, absent instead of null."""
    return content.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
