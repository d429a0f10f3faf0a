"""A document: a controlled one of the provider's, or a published one that others rely on."""

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Sha256, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Group, Label, Language, Number, Positive, Text, Thing, Word, counted, listed

Type = Literal[
    "instructions-for-use", "design-specification", "labelling", "user-interface", "study-protocol", "study-report",
    "statistical-plan", "policy", "acceptable-use-policy", "copyright-policy", "training-content-summary", "licence",
    "model-card", "datasheet", "technical-report", "publication", "test-report", "standard-application",
    "declaration", "clinical-evaluation", "integration-guide", "price-list", "survey", "press", "regulation",
    "architecture", "public-summary", "import-original", "plan", "register", "impact-assessment", "management-review",
    "audit-report", "reporting-checklist", "source-attributes", "prompt", "other",
]  # fmt: skip


COUNTS = ("rows", "patients", "positives")
"""Figures that count a dataset and estimate nothing."""


class Item(Strict):
    """One statement of the document that this record relies on, where it stands there."""

    statement: Text
    where: Word | None = None
    value: Number | None = None
    unit: Word | None = None
    group: Group | None = None


class Figure(Strict):
    """A number that the document declares, to be held against the result or dataset that it comes from."""

    name: Label
    """A metric as evaluations name it; or a count of a dataset: `rows`, `patients`, `positives`."""
    value: Number
    ci_low: Number | None = None
    ci_high: Number | None = None
    group: Group | None = None
    dataset: Thing | None = None
    """The dataset that it was measured on or counts; left out: any."""


class Trace(Strict):
    """How completely one set of items leads to another, counted."""

    items: Literal[
        "user-needs",
        "requirements",
        "risks",
        "risk-controls",
        "architecture",
        "design",
        "units",
        "anomalies",
        "threats",
        "limitations",
    ]
    to: Literal[
        "requirements", "design", "implementation", "verification", "validation", "risk-evaluation",
        "security-evaluation", "risk-controls", "labelling",
    ]  # fmt: skip
    total: Count
    """0 only of anomalies: none is left unresolved."""
    untraced: Count
    """How many of them lead nowhere yet."""

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.total == 0 and self.items != "anomalies":
            raise ValueError(f"traces no {self.items} at all")
        if self.untraced > self.total:
            raise ValueError(f"{self.untraced} of {self.total} {self.items} cannot be untraced")
        return self


class Testing(Strict):
    """How one level of software testing came out, counted."""

    level: Literal["unit", "integration", "system", "regression"]
    run: Positive
    passed: Count
    justified: Count
    """Failed, with a reason why that is acceptable."""
    unresolved: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.passed + self.justified + self.unresolved != self.run:
            raise ValueError(f"{self.level}: passed, justified and unresolved do not add up to the {self.run} run")
        return self


class Document(Content):
    """One version of one document. Its subject is the file where its bytes are here, else this record."""

    kind: ClassVar[str] = "document"
    own: ClassVar[Literal["bytes", "content", "none"]] = "content"

    document_type: Type
    number: Word | None = None
    revision: Word | None = None
    date: IsoDate | None = None
    due_on: IsoDate | None = None
    """Day by which it was planned: of a review, audit or assessment that comes at intervals."""
    publisher: Word | None = None
    language: Language | None = None
    languages: list[Language] | None = None
    pages: int | None = None
    sha256_published: Sha256 | None = None
    """Digest of the document as its source states it, or of the copy that was read."""
    status: Literal["draft", "in-review", "released", "obsolete", "published"] | None = None
    abstract: Text | None = None
    statements: list[Item] | None = None
    figures: list[Figure] | None = None
    by_group: Count | None = None
    """Figures of a group. Counted here, as the next; a count of one's own that differs is refused."""
    without_interval: Count | None = None
    """Estimates, which counts of a dataset are not, that are declared without both bounds of their interval."""
    traces: list[Trace] | None = None
    testing: list[Testing] | None = None
    intended_purpose: Text | None = None
    """As the document prints it, letter by letter."""
    identifiers: dict[Label, Word] | None = None
    """What the document says the product is: udi, model, certificate, pccp_version, us_status, record_system."""
    topics: list[Word] | None = None
    """What it treats, out of a set that a requirement names (views of an architecture, categories of controls)."""
    answers: list[Word] | None = None
    """Requirement ids or clauses that it speaks to."""
    audience: Text | None = None
    readability: Text | None = None
    licence: Word | None = None
    url: Word | None = None
    """Printed, never opened."""
    replaces: Thing | None = None
    contradicts: list[Text] | None = None
    remarks: list[Text] | None = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        figures = listed(content, "figures")
        counts = {
            "by_group": sum(bool(one.get("group")) for one in figures),
            "without_interval": sum(
                one.get("name") not in COUNTS and None in (one.get("ci_low"), one.get("ci_high")) for one in figures
            ),
        }
        told = counted(content, "its figures give", counts)
        return told if figures else content

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.topics or [])) < len(self.topics or []):
            raise ValueError("names one topic twice")
        return self
