"""An evaluation: how one model version did on one dataset, once. Aggregates only, never a patient's row."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from compliance.core.evidence import Sha256, Strict, UtcTime
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Dataset, Group, Label, Language, Number, Positive, Share, Text, Thing, Word
from compliance.kinds.metrics import MetricRow, no_two_alike


def _distinct(rows: list[MetricRow]) -> list[MetricRow]:
    no_two_alike(rows)
    return rows


MetricRows = Annotated[list[MetricRow], Field(min_length=1), AfterValidator(_distinct)]


class Confusion(Strict):
    """Cases by truth and decision at one threshold."""

    group: Group | None = None
    threshold: Number | None = None
    tp: Count
    fp: Count
    tn: Count
    fn: Count


class ClassCounts(Strict):
    """Cases of one class, by the class that they were predicted as."""

    truth: Word
    predicted: dict[Word, Count] = Field(min_length=1)


class CurvePoint(Strict):
    """One point of a curve: `x` and `y` in 0..1, at a threshold."""

    x: Share
    y: Share
    threshold: Number | None = None


class Curve(Strict):
    """A curve in few points, none of which shows one person."""

    name: Literal["roc", "precision-recall", "decision-curve"]
    group: Group | None = None
    n: Positive
    positives: Count | None = None
    points: list[CurvePoint] = Field(min_length=2)


class CalibrationBin(Strict):
    """Predicted against observed risk in one bin."""

    low: Share
    high: Share
    n: Count
    mean_predicted: Share | None = None
    events: Count | None = None
    observed: Share | None = None
    ci_low: Share | None = None
    ci_high: Share | None = None
    withheld: Literal[True] | None = None
    """Too few cases to print without showing somebody."""

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.events is not None and self.events > self.n:
            raise ValueError(f"has {self.events} events among {self.n}")
        return self


class Calibration(Strict):
    """A reliability table."""

    group: Group | None = None
    n: Positive
    bins: list[CalibrationBin] = Field(min_length=1)


class Comparator(Strict):
    """What it was compared with, and how that did on the same cases."""

    name: Word
    version: Word | None = None
    kind: Literal["model", "human", "human-with-model", "standard-of-care", "earlier-version", "baseline"] = "model"
    reference: Literal["original", "last-modified", "original-and-last"] | None = None
    """Of an earlier version: the one first authorised, the one before this change, or both in one."""
    metric: Label | None = None
    group: Group | None = None
    n: Positive | None = None
    value: Number | None = None
    unit: Word | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    p_value: Word | None = None
    same_cases: bool | None = None
    note: Text | None = None


class GroundTruth(Strict):
    """What answers were held against."""

    source: Text
    uncertainty: Text | None = None
    readers: Count | None = None
    qualification: Text | None = None
    agreement: Number | None = None
    agreement_metric: Label | None = None
    masked_from_model: bool | None = None


class Protocol(Strict):
    """How the study was done (FDA AI-DSF section X.A; Annex IV(2)(g))."""

    document: Thing | None = None
    design: Text | None = None
    hypotheses: Text | None = None
    sample_size: Text | None = None
    planned_n: Positive | None = None
    multiplicity: Text | None = None
    methods: Text | None = None
    masking: Text | None = None
    deviations: list[Text] | None = None
    unclassified_deviations: Count | None = None
    """Deviations that nobody has called minor or major; 0 where there were none at all."""
    code_commit: Word | None = None
    preprocessing_sha256: Sha256 | None = None


class Accountability(Strict):
    """Every case accounted for."""

    enrolled: Count
    analysed: Count
    excluded: Count = 0
    missing_score: Count = 0
    missing_truth: Count = 0
    reasons: list[Text] | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        rest = self.enrolled - self.excluded - self.missing_score - self.missing_truth
        if rest != self.analysed:
            raise ValueError(f"enrolled less exclusions and missing values is {rest}, but analysed is {self.analysed}")
        return self


class Benchmark(Strict):
    """A public test set, where the dataset itself is not on record."""

    name: Word
    version: Word | None = None
    items: Positive | None = None
    url: Word | None = None
    licence: Word | None = None
    sampling: Text | None = None


class Prompting(Strict):
    """How a language model was asked."""

    template: Text | None = None
    template_sha256: Sha256 | None = None
    shots: Count | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    samples: Positive | None = None
    max_tokens: Positive | None = None
    tools: Text | None = None
    external_filter: bool | None = None
    access: Word | None = None
    """Weights run here, the provider's service, a third party's."""


Task = Literal["binary", "multiclass", "regression", "survival", "segmentation", "choice", "graded"]
"""What was predicted; `choice`: answers held against a key; `graded`: answers that somebody graded."""
COLUMNS: dict[Task, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "binary": (("truth", "score"), ("positive",)),
    "multiclass": (("truth", "score"), ()),
    "regression": (("truth", "score"), ("scale",)),
    "survival": (("truth", "score", "time"), ("horizon", "positive")),
    "segmentation": (("measures",), ()),
    "choice": (("truth", "score"), ("question", "k")),
    "graded": (("score",), ("question", "k", "human")),
}
"""What a task needs to be told, and what it may be told beside."""


class Predictions(Strict):
    """Which attachment holds the predictions, and under which columns, so that figures can be computed again."""

    attachment: Word
    task: Task | None = None
    """Left out: `binary`."""
    truth: Word | None = None
    """Reference standard: 0 or 1, a class, a quantity, the key's answer; of survival, whether the event was seen."""
    score: Word | None = None
    """The model's output: a score from 0 to 1, a class, a quantity, a risk, an answer, a grade from 0 to 1."""
    groups: list[Word] | None = None
    id_column: Word | None = None
    cluster: Word | None = None
    """Column that says which cases belong together: the patient, say."""
    positive: Word | None = None
    """Binary and survival: the value of `truth` that is the condition or the event, where it is not 1."""
    time: Word | None = None
    """Survival: time to the event or to the end of follow-up."""
    horizon: Number | None = None
    """Survival: the time up to which the score is the risk of an event."""
    measures: dict[Label, Word] | None = Field(default=None, min_length=1)
    """Segmentation: metrics of single cases, by name, and their columns."""
    question: Word | None = None
    """Answers: column that says which answers are to the same question."""
    k: list[Positive] | None = None
    """Answers: each k of pass@k."""
    human: Word | None = None
    """Graded answers: column with a person's grade."""
    scale: Word | None = None
    """Regression: the unit that truth and prediction are in."""
    claims_kept: Text | None = None
    """Why claims stay that the predictions do not bear out; without it such a record is refused."""

    @model_validator(mode="after")
    def _fits_the_task(self) -> Self:
        task = self.task or "binary"
        needed, allowed = COLUMNS[task]
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"needs `{name}` for {task}")
        for name in {name for both in COLUMNS.values() for names in both for name in names} - {*needed, *allowed}:
            if getattr(self, name) is not None:
                raise ValueError(f"has `{name}`, which {task} does not use")
        if self.k and not self.question:
            raise ValueError("has `k`, but no `question` that says which answers belong together")
        return self


class Difference(Strict):
    """A claim that the attached predictions do not bear out."""

    name: Label
    group: Group | None = None
    threshold: Number | None = None
    what: Text
    """The claimed and the recomputed figure, in words."""


class Recomputation(Strict):
    """Claims held against figures computed again from the attached predictions; measured, never written."""

    agree: Count
    differ: list[Difference] | None = None
    not_computed: list[Text] | None = None
    """Claims that the predictions say nothing of, and intervals by a method that is not ours."""


class Measured(Content):
    """What evaluations and safety results share: one model version, metric rows, method and limits."""

    own: ClassVar[Literal["bytes", "content", "none"]] = "none"
    about_model: ClassVar[Literal["required", "optional", "no"]] = "required"

    dataset: Dataset | None = None
    benchmark: Benchmark | None = None
    plan: Thing | None = None
    """The acceptance plan that was on record before the measurement started."""
    started_at: UtcTime | None = None
    """When measuring began; a plan counts only if it was logged before."""
    ended_at: UtcTime | None = None
    task: Text | None = None
    metrics: MetricRows
    population: Text | None = None
    language: Language | None = None
    languages: list[Language] | None = None
    method: Text | None = None
    prompting: Prompting | None = None
    comparators: list[Comparator] | None = None
    predictions: Predictions | None = None
    recomputation: Recomputation | None = None
    seed: Word | None = None
    tool: Word | None = None
    tool_version: Word | None = None
    mlflow_run: Word | None = None
    """Id of the run of MLflow's that measured it."""
    limits: list[Text] | None = None
    tested_model_statement: Text | None = None
    """What was really tested, where it is not beyond doubt the named version."""
    independent: bool | None = None
    """Whether somebody else than the provider measured."""
    tested_by: Word | None = None
    """The party that measured."""
    contradicts: list[Text] | None = None
    """Results of the same question that differ: shown beside this one, never averaged."""
    remarks: list[Text] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise ValueError(f"ended at {self.ended_at}, before it started at {self.started_at}")
        if self.language and self.languages:
            raise ValueError("gives both language and languages; keep one")
        return self


class Evaluation(Measured):
    """Performance, calibration or fairness, measured on one dataset or published benchmark."""

    kind: ClassVar[str] = "evaluation"

    threshold: Number | None = None
    """Decision threshold behind the proportions; set beforehand, never on the test data."""
    threshold_rationale: Text | None = None
    unit_of_analysis: Word | None = None
    """What n counts: person, image, visit, question."""
    metric_rationale: Text | None = None
    """Why these metrics suit this system (Annex IV(4))."""
    ground_truth: GroundTruth | None = None
    protocol: Protocol | None = None
    accountability: Accountability | None = None
    confusion: list[Confusion] | None = None
    classes: list[ClassCounts] | None = None
    """Several classes: how the cases of each were predicted."""
    curves: list[Curve] | None = None
    calibration: list[Calibration] | None = None
    contamination: Text | None = None
    """Whether the model may have seen the test material."""
    setting: Literal["retrospective", "prospective", "reader-study", "randomised", "simulation", "benchmark"] | None = (
        None
    )
    subgroup_statement: Text | None = None
    """Why an important group is not reported, where it is not."""

    @model_validator(mode="after")
    def _on_something(self) -> Self:
        if self.dataset is None and self.benchmark is None and self.population is None:
            raise ValueError("names no dataset, benchmark or population that was tested on")
        return self
