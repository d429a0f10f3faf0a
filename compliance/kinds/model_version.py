"""A model version: what it is, how it was built, what it needs, how it is released.

Holds what Annex IV(1)-(2), Annex XI section 1 and FDA's model description ask of the model itself.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Sha256, Strict, UtcTime
from compliance.kinds.base import Content, Identity
from compliance.kinds.fields import Count, Dataset, Label, Language, Number, Positive, Text, Thing, Word

Modality = Literal["text", "image", "audio", "video", "tabular", "time-series", "signal", "structured", "other"]


class Parameters(Strict):
    """How many there are; for a mixture of experts, how many work on one input."""

    total: Count
    active: Count | None = None
    note: Text | None = None


class Column(Strict):
    """One input or output: its type, unit and permitted values."""

    name: Word
    type: Word
    unit: Word | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    values: list[Word] | None = None
    required: bool | None = None
    """Whether the model refuses to answer without it."""
    when_missing: Text | None = None
    """What happens to a missing value: refused, imputed and how."""
    meaning: Text | None = None


class DevelopmentData(Strict):
    """A dataset that this version was developed on, and what for."""

    dataset: Dataset
    use: Text | None = None


class Component(Strict):
    """A pre-trained part, as this version uses it (Annex IV(2)(a))."""

    model: Thing | None = None
    """Where it is on record here."""
    name: Word
    version: Word | None = None
    source: Text | None = None
    licence: Word | None = None
    sha256: Sha256 | None = None
    how_used: Text | None = None
    signature_checked: bool | None = None


class Package(Strict):
    """One pinned part of the environment that the model was built or runs in."""

    name: Word
    version: Word


class Environment(Strict):
    """What the model was built with, or needs to run."""

    python: Word | None = None
    packages: list[Package] | None = None
    hardware: Text | None = None
    image: Word | None = None
    """Container image, by digest."""
    source_commit: Word | None = None
    source_repository: Word | None = None


class Registry(Strict):
    """Where MLflow's model registry holds it."""

    name: Word
    version: Word | None = None
    aliases: list[Word] | None = None
    uri: Word | None = None


class OperatingPoint(Strict):
    """A decision threshold and how it was set (FDA AI-DSF, model thresholds)."""

    name: Word
    threshold: Number
    set_on: Dataset | None = None
    """Never the test set."""
    rationale: Text

    @model_validator(mode="after")
    def _not_on_test_data(self) -> Self:
        if self.set_on is not None and self.set_on.role in ("test", "external-test"):
            raise ValueError(
                f"{self.name} was set on {self.set_on.name}, whose role is {self.set_on.role}; use tuning data"
            )
        return self


class Compute(Strict):
    """What training took (Annex XI section 1(2)(d)-(e)); each figure with its basis."""

    flop: Number | None = None
    gpu_hours: Number | None = None
    hardware: Text | None = None
    duration: Text | None = None
    energy_kwh: Number | None = None
    cost_usd: Number | None = None
    basis: Literal["measured", "published", "estimated"]
    method: Text | None = None
    excludes: Text | None = None


class Distribution(Strict):
    """How the model reaches those who use it (Annex XI section 1(1)(c))."""

    method: Word
    location: Text | None = None
    since: IsoDate | None = None


class File(Strict):
    """A file of the model whose digest its publisher or we took, and what its header says."""

    name: Word
    sha256: Sha256
    format: Word | None = None
    tensors: Count | None = None
    runs_code: bool | None = None
    """Whether loading it can run code that stands in it, as every pickle can."""
    imports: list[Word] | None = None
    """What loading it would import, as far as its bytes say; it was not loaded to find out."""
    note: Text | None = None


class IntendedChange(Strict):
    """A change planned beforehand, its bounds and how it will be shown safe (PCCP; Annex IV(2)(f))."""

    change: Text
    bounds: Text
    verification: Text


class ModelVersion(Content):
    """One version of one model: its bytes or, where nobody here holds them, what it is published as."""

    kind: ClassVar[str] = "model-version"
    own: ClassVar[Literal["bytes", "content", "none"]] = "bytes"
    named: ClassVar[bool] = True
    about_model: ClassVar[Literal["required", "optional", "no"]] = "no"

    identity: Identity | None = None
    """What is digested where the bytes are not here; leave out otherwise."""
    provider: Word | None = None
    contact: Word | None = None
    model_class: Word | None = None
    """Logistic regression, gradient-boosted trees, decoder-only transformer…"""
    task: Text | None = None
    intended_tasks: list[Text] | None = None
    """Tasks a general-purpose model is meant for, and kinds of systems it can go into."""
    architecture: Text | None = None
    design_rationale: Text | None = None
    """Key choices, with reasons and assumptions (Annex IV(2)(b))."""
    optimisation_target: Text | None = None
    hyperparameters: dict[Word, Word] | None = None
    framework: Word | None = None
    parameters: Parameters | None = None
    modalities_in: list[Modality] | None = None
    modalities_out: list[Modality] | None = None
    input_format: Text | None = None
    output_format: Text | None = None
    inputs: list[Column] | None = None
    outputs: list[Column] | None = None
    excluded_inputs: list[Text] | None = None
    """What was kept out and why: a column that leaks the outcome, a protected attribute."""
    preprocessing: Text | None = None
    preprocessing_sha256: Sha256 | None = None
    """Digest of the preprocessing that the product runs; test data went through the same."""
    context_length: Positive | None = None
    """Tokens."""
    vocabulary: Positive | None = None
    languages: list[Language] | None = None
    knowledge_cutoff: Word | None = None
    training_tokens: Count | None = None
    training_stages: list[Text] | None = None
    weights_format: Word | None = None
    weights_precision: Word | None = None
    files: list[File] | None = None
    artefacts: Count | None = None
    """Files in the digested manifest."""
    training_data: list[DevelopmentData] | None = None
    development_data_statement: Text | None = None
    """What is known of the data where no dataset is on record."""
    training_run: Thing | None = None
    """The training-run evidence's own subject."""
    base_model: Thing | None = None
    previous_version: Thing | None = None
    changes: list[Text] | None = None
    """What differs from the previous version, and the expected effect."""
    components: list[Component] | None = None
    ensemble: Text | None = None
    calibration: Text | None = None
    operating_points: list[OperatingPoint] | None = None
    explanation: Text | None = None
    """Technical means to explain output, with their limits."""
    learning: Literal["locked", "batch-updates", "continuous"] | None = None
    intended_changes: list[IntendedChange] | None = None
    frozen_at: UtcTime | None = None
    """When development ended, before any test data was used."""
    environment: Environment | None = None
    registry: Registry | None = None
    compute: list[Compute] | None = None
    licence: Word | None = None
    licence_terms: Text | None = None
    acceptable_use: Text | None = None
    release_date: IsoDate | None = None
    release_stage: Literal["development", "pilot", "released", "withdrawn"] | None = None
    distribution: list[Distribution] | None = None
    udi: Word | None = None
    """UDI-DI of a device; of another product, the marker that identifies and traces it without doubt."""
    recommended_use: Text | None = None
    limitations: list[Text] | None = None
    remarks: list[Text] | None = Field(default=None)
    """Whatever a reader must know to read the figures right: contradictions between sources above all."""
    tags: dict[Label, Word] | None = None
    """The registry's tags, as captured."""
