"""A dataset: where it came from, what is in it, what is missing, what was done to it.

A datasheet with counts (Annex IV(2)(d), Art. 10, FDA AI-DSF data management). Aggregates only: no row of it
enters a payload, and its fingerprints are a restricted attachment.
"""

from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Sha256, Strict, UtcTime
from compliance.kinds.base import Content, Identity
from compliance.kinds.columns import Column, Labels, Part
from compliance.kinds.fields import Count, Label, Language, Number, Positive, Share, Text, Thing, Word

Role = Literal[
    "train", "tune", "test", "external-test", "calibration", "monitoring", "pretraining", "fine-tuning", "alignment",
    "benchmark", "raw",
]  # fmt: skip


class Period(Strict):
    """Calendar days, both included."""

    start: IsoDate
    end: IsoDate

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self


class Site(Strict):
    """Where data were collected, under a name that stays the same across datasets."""

    name: Word
    country: Word | None = None
    setting: Word | None = None
    n: Count | None = None
    development: bool | None = None
    """Whether the site also gave development data."""


class Exclusion(Strict):
    """Records left out at one step; the steps add up from enrolled to rows."""

    reason: Text
    n: Count


class Preparation(Strict):
    """One processing step, in order, with what it did to the counts."""

    step: Text
    tool: Word | None = None
    source_commit: Word | None = None
    input_sha256: Sha256 | None = None
    same_in_product: bool | None = None
    """Whether the released pipeline does the same to live input."""


class Annotation(Strict):
    """How labels came to be (Art. 10(2)(c); FDA AI-DSF annotation and reference standard)."""

    reference_standard: Text
    uncertainty: Text | None = None
    protocol: Text | None = None
    annotators: Count | None = None
    qualification: Text | None = None
    blinded: bool | None = None
    adjudication: Text | None = None
    agreement: Number | None = None
    agreement_metric: Label | None = None
    quality_checks: Text | None = None
    judge_model: Word | None = None
    """Where a model, not a person, gave labels."""


class Quality(Strict):
    """One expectation on the data, as Great Expectations checked it: counts, never values."""

    expectation: Word
    column: Word | None = None
    expected: Text | None = None
    """What was asked, from the suite: bounds, sets, shares."""
    success: bool | None = None
    """Absent: it could not be evaluated, and `reason` says why; that is no failure of the data."""
    critical: bool | None = None
    elements: Count | None = None
    missing: Count | None = None
    unexpected: Count | None = None
    unexpected_share: Share | None = None
    observed: Number | None = None
    """A numeric aggregate only."""
    requirements: list[Word] | None = None
    """Which requirements it speaks to, as its suite says."""
    reason: Text | None = None

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.success is None and not self.reason:
            raise ValueError("has no outcome and no reason")
        if self.elements is not None and (self.unexpected or 0) > self.elements:
            raise ValueError(f"has {self.unexpected} unexpected values among {self.elements}")
        return self


class QualityRun(Strict):
    """One validation run over the whole dataset."""

    suite: Word
    suite_sha256: Sha256 | None = None
    tool: Word
    tool_version: Word
    success: bool
    evaluated: Count
    successful: Count
    not_evaluated: Count = 0
    expectations: list[Quality]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        passed = sum(1 for e in self.expectations if e.success)
        undecided = sum(1 for e in self.expectations if e.success is None)
        if (passed, undecided) != (self.successful, self.not_evaluated) or self.evaluated != len(self.expectations):
            raise ValueError(
                f"says {self.successful} of {self.evaluated} met and {self.not_evaluated} not evaluated, "
                f"but lists {passed} of {len(self.expectations)} and {undecided}"
            )
        if self.success and passed != len(self.expectations):
            raise ValueError("is called a success although not every expectation was met")
        return self


class Fingerprints(Strict):
    """Which attachment holds keyed digests of records and patients, under which secret."""

    attachment: Word
    algorithm: Literal["HMAC-SHA256"]
    secret_id: Word
    """First 16 hex digits of the digest of the secret: sets are comparable only where it is the same."""
    records: Count
    record_columns: list[Word]
    patients: Count | None = None
    patient_column: Word | None = None


class Overlap(Strict):
    """Shared records or patients with another dataset, measured from fingerprints."""

    dataset: Thing
    level: Literal["record", "patient", "site"]
    shared: Count | None = None
    """Distinct ones that are in both. Absent: it could not be measured, which is not the same as none."""
    reason: Text | None = None
    """Why it could not be measured."""
    explanation: Text | None = None

    @model_validator(mode="after")
    def _measured_or_not(self) -> Self:
        if (self.shared is None) != (self.reason is not None):
            raise ValueError("has either a count of shared ones or the reason why there is none")
        return self


class Leakage(Strict):
    """What test data and development data have in common, over all datasets on the other side that were on record."""

    datasets: Positive
    """How many there were on the other side."""
    not_comparable: Count
    shared: Count | None = None
    """Most people shared with any one of them, or most equal records where it is not known whose they are.

    0 only where every one of them could be compared; absent where nothing was found and some could not be.
    """

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.not_comparable > self.datasets:
            raise ValueError(f"could not compare {self.not_comparable} of {self.datasets} datasets")
        if (self.shared is None) != (self.not_comparable > 0) and not self.shared:
            raise ValueError("shares nothing only where every dataset could be compared")
        return self


class PersonalData(Strict):
    """Whether people can be found in it, and what protects them."""

    contains: bool
    special_categories: list[Word] | None = None
    """Health, ethnicity… (Art. 9 GDPR)."""
    identification: Literal["identified", "pseudonymised", "anonymised", "synthetic", "unknown"] | None = None
    legal_basis: Text | None = None
    original_purpose: Text | None = None
    safeguards: Text | None = None
    recipients: Text | None = None
    retention_until: IsoDate | None = None
    deleted_on: IsoDate | None = None
    necessity: Text | None = None
    """Why special-category data were strictly needed to find bias, and what else was tried (Art. 4a)."""


class Representativeness(Strict):
    """How far the data stand for the people the system is meant for."""

    target_population: Text
    statement: Text
    assumptions: Text | None = None
    """What the data are taken to measure (Art. 10(2)(d))."""
    sample_size: Text | None = None
    """Why it is large enough."""
    planned_n: Positive | None = None
    """Rows asked for at least, before the data were gathered."""
    diversity: Text | None = None
    """What was done in enrolment."""


class Gap(Strict):
    """A shortcoming of the data and how it is dealt with (Art. 10(2)(h))."""

    gap: Text
    consequence: Text | None = None
    remedy: Text | None = None
    owner: Word | None = None


class Synthetic(Strict):
    """Generated data: how, and why fit."""

    share: Share | None = None
    generator: Word
    generator_version: Word | None = None
    method: Text
    fitness: Text | None = None


class Reuse(Strict):
    """How often test data were used for testing, of the uses that were allowed beforehand."""

    limit: Positive
    used: Count
    beyond: Count
    """Uses over the limit."""

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        """Work out the excess; one that differs is refused."""
        if not isinstance(content, dict):
            return content
        limit, used = content.get("limit"), content.get("used")
        if not isinstance(limit, int) or not isinstance(used, int):
            return content
        beyond = max(0, used - limit)
        if content.get("beyond") not in (None, beyond):
            raise ValueError(f"beyond is given as {content['beyond']}, but it is {beyond}")
        return {**content, "beyond": beyond}


class Access(Strict):
    """Where it is kept, who may reach it, and what keeps test data away from development."""

    storage: Text | None = None
    controls: Text | None = None
    sequestration: Text | None = None
    first_test_access: UtcTime | None = None
    reuse: Reuse | None = None


class Dataset(Content):
    """One version of one dataset in one role."""

    kind: ClassVar[str] = "dataset"
    own: ClassVar[Literal["bytes", "content", "none"]] = "bytes"
    named: ClassVar[bool] = True
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    identity: Identity | None = None
    """What is digested where the bytes are not here; leave out otherwise."""
    role: Role
    """What it was used for; test data are never called validation data."""
    description: Text | None = None
    source: Text | None = None
    """Where the data come from: registry, trial, hospital system, publication."""
    source_reference: Word | None = None
    origin: Literal["prospective", "retrospective", "registry", "public", "synthetic", "mixed", "unknown"] | None = None
    parent: Thing | None = None
    """The dataset it was cut from."""
    design_rationale: Text | None = None
    """Which data, why, for which function."""
    sites: list[Site] | None = None
    period: Period | None = None
    population: Text | None = None
    inclusion: list[Text] | None = None
    exclusion: list[Text] | None = None
    enrolled: Count | None = None
    exclusions: list[Exclusion] | None = None
    equipment: list[Word] | None = None
    unit_of_analysis: Word | None = None
    rows: Count | None = None
    """Left out only where the source does not say."""
    files: Count | None = None
    """Of a folder."""
    rows_sha256: Sha256 | None = None
    """Canonical digest over all rows, equal wherever the same rows are kept (docs/reference/digests)."""
    duplicate_records: Count | None = None
    """Rows that repeat an earlier one in every column but the patient's."""
    patients: Count | None = None
    tokens: Count | None = None
    languages: list[Language] | None = None
    modalities: list[Word] | None = None
    columns: list[Column] | None = None
    labels: Labels | None = None
    composition: list[Part] | None = None
    annotation: Annotation | None = None
    preparation: list[Preparation] | None = None
    split_method: Text | None = None
    splits: list[Part] | None = None
    """Sizes of the parts it was cut into: `{group: {role: train}, n: 5512}`."""
    representativeness: Representativeness | None = None
    bias_examination: Text | None = None
    known_gaps: list[Gap] | None = None
    limitations: list[Text] | None = None
    quality: list[QualityRun] | None = None
    quality_assurance: Text | None = None
    synthetic: Synthetic | None = None
    contamination: Text | None = None
    """Decontamination against test material, and what is known of leaks."""
    fingerprints: Fingerprints | None = None
    overlaps: list[Overlap] | None = None
    leakage: Leakage | None = None
    independence: Text | None = None
    personal_data: PersonalData | None = None
    access: Access | None = None
    licence: Word | None = None
    released: bool | None = None
    """Whether its bytes are public."""
    copyright_policy: Text | None = None
    preprocessing_sha256: Sha256 | None = None
    """Digest of the preprocessing that ran; equal to the product's where test data count."""
    file_format: Word | None = None
    remarks: list[Text] | None = Field(default=None)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.rows is None:
            return self
        if self.enrolled is not None and self.exclusions is not None:
            left = self.enrolled - sum(step.n for step in self.exclusions)
            if left != self.rows:
                raise ValueError(f"enrolled less exclusions is {left}, but rows is {self.rows}")
        for what, n in (("patients", self.patients), ("duplicate records", self.duplicate_records)):
            if n is not None and n > self.rows:
                raise ValueError(f"has {n} {what} in {self.rows} rows")
        if self.labels:
            labelled = sum(label.n for label in self.labels.classes) + (self.labels.missing or 0)
            if labelled != self.rows:
                raise ValueError(f"the classes of {self.labels.column} add up to {labelled}, but rows is {self.rows}")
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.rows is None:
            return self
        for column in self.columns or []:
            if column.missing is None:
                continue
            if column.missing > self.rows:
                raise ValueError(f"column {column.name} misses {column.missing} of {self.rows} values")
            if column.missing_share is not None and self.rows:
                exact = Decimal(column.missing) / self.rows
                if abs(exact - Decimal(column.missing_share)) > Decimal("0.0005"):
                    raise ValueError(
                        f"column {column.name} states the missing share {column.missing_share}, but it is {exact:.6f}"
                    )
        for part in self.composition or []:
            if part.n is not None and part.n > self.rows:
                raise ValueError(f"group {part.group} has {part.n} of {self.rows} rows")
        return self
