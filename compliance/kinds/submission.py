"""A submission or notice to an authority: what was sent, when, and what came back."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compliance.core.evidence import IsoDate, Sha256, Strict
from compliance.kinds.base import Content
from compliance.kinds.change_plan import SubmittedPlan
from compliance.kinds.fields import Label, Record, Text, Word
from compliance.kinds.submitted import OtherFile, PdfFile, Sized


class Item(Strict):
    """One file or field of what was sent."""

    name: Word
    sha256: Sha256 | None = None
    answers: list[Word] | None = None
    value: Text | None = None
    omitted: Text | None = None
    """Why it is left out."""


class Letter(Strict):
    """What the authority answered or asked, and what was done."""

    date: IsoDate
    type: Literal["acknowledgement", "request", "deficiency", "decision", "closure"]
    summary: Text
    due: IsoDate | None = None
    answered_on: IsoDate | None = None
    evidence: list[Record] | None = None


class Applicant(Strict):
    """Who submits."""

    name: Word
    address: Text | None = None
    phone: Word | None = None
    email: Word | None = None
    contact: Word | None = None
    """A function."""
    establishment_registration: Word | None = None


class SubmittedDevice(Strict):
    """The device as the submission names and classes it."""

    trade_name: Word | None = None
    common_name: Word | None = None
    """Common or usual name; where there is none, the classification name."""
    classification_name: Word | None = None
    device_class: Literal["I", "II", "III", "unclassified"] | None = None
    class_basis: Text | None = None
    """Regulation and panel, or why it is not classified."""
    product_code: Word | None = None


class PredicateDevice(Strict):
    """A legally marketed device to which equivalence is claimed."""

    number: Word
    name: Word
    version: Word | None = None
    """The version that is compared with."""
    authorised_version: Word | None = None
    """The version that this number cleared or approved, before any change under a change control plan (515C(c))."""


class Statement(Strict):
    """A statement or certification in the submission."""

    text: Text
    signed: bool
    signed_on: IsoDate | None = None
    where: Word | None = None
    """File and page."""

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.signed and self.signed_on is None:
            raise ValueError("is signed, but signed_on is missing")
        return self


class Statements(Strict):
    """Statements that rules ask for by name; one that does not apply says so in its text."""

    truthful_and_accurate: Statement | None = None
    safety_information: Statement | None = None
    """That safety and effectiveness information is given to whoever asks (21 CFR 807.93)."""
    financial: Statement | None = None
    """Certification or disclosure (21 CFR 54)."""
    clinical_investigations: Statement | None = None
    """Informed consent, review boards, good clinical practice (21 CFR 50, 56, 812)."""
    class_iii: Statement | None = None
    """Certification of the search behind a class III summary (21 CFR 807.94)."""
    performance_standards: Statement | None = None
    paediatric: Statement | None = None
    cover_letter: Statement | None = None
    electronic_signatures: Statement | None = None
    """That electronic signatures are meant to bind as handwritten ones do (21 CFR 11.100(c))."""


class Submission(Content):
    """One submission, registration or notice."""

    kind: ClassVar[str] = "submission"

    type: Literal[
        "510(k)", "de-novo", "pma", "pma-supplement", "q-submission", "pccp", "eu-database", "eudamed",
        "technical-documentation", "serious-incident-report", "vigilance-report", "adverse-event-report",
        "gpai-notification", "information-request", "real-world-testing-plan", "public-summary",
        "correction-or-removal-report", "periodic-report", "signature-certification", "other",
    ]  # fmt: skip
    route: (
        Literal["traditional", "abbreviated", "special", "original", "modular", "180-day", "panel-track", "real-time"]
        | None
    ) = None
    """Which kind of 510(k), De Novo, PMA or supplement it is."""
    authority: Word
    reference: Word | None = None
    rule: Word | None = None
    submitted_on: IsoDate | None = None
    due_on: IsoDate | None = None
    """By the rule's own count of days, working days where it counts those."""
    clock_started_on: IsoDate | None = None
    """Day from which the rule counts: of becoming aware, of starting a correction."""
    format: Literal["estar", "ecopy", "ectd", "form", "letter"] | None = None
    applicant: Applicant | None = None
    device: SubmittedDevice | None = None
    predicates: list[PredicateDevice] | None = None
    change_plan: SubmittedPlan | None = None
    statements: Statements | None = None
    prepared_on: IsoDate | None = None
    status: Literal["planned", "submitted", "accepted", "under-review", "granted", "refused", "withdrawn"]
    intended_purpose: Text | None = None
    """As it was sent, letter by letter."""
    identifiers: dict[Label, Word] | None = None
    """What was sent says the product is: udi, model, certificate."""
    contents: list[Item] | None = None
    files: list[PdfFile] | None = None
    other_files: list[OtherFile] | None = None
    package: Sized | None = None
    """Everything that is sent, together."""
    files_checked_by: Word | None = None
    """Tool and version."""
    correspondence: list[Letter] | None = None
    outcome: Text | None = None
    conditions: Text | None = None

    @model_validator(mode="after")
    def _sent(self) -> Self:
        if self.status not in ("planned", "withdrawn") and self.submitted_on is None:
            raise ValueError(f"is {self.status}, but submitted_on is missing")
        return self
