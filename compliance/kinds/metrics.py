"""Metric rows: one figure, its counts, its interval, and whose arithmetic it is.

A proportion is authored as counts, and value and exact interval are computed; a figure that somebody else
computed keeps its digits and must agree with its counts to the last of them. Percentages are moved to 0..1 by
shifting the point, so no digit is lost.
"""

from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from compliance.core import statistics
from compliance.core.evidence import Strict
from compliance.kinds.fields import Count, Group, Label, Level, Number, Positive, Text, Word

Unit = Literal[
    "proportion", "score", "ratio", "difference", "percentage-points", "count", "s", "ms", "mm", "token", "USD", "Wh",
    "FLOP", "percentile", "elo", "points", "per-hour",
]  # fmt: skip
"""Units that a row may have; `score` is a number on the metric's own scale."""
Better = Literal["higher", "lower", "target"]
"""Which way is better; `target`: the nearer to the metric's ideal value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What we know of a metric before any value."""

    unit: Unit
    better: Better
    low: int | None = None
    high: int | None = None

    @property
    def is_proportion(self) -> bool:
        return self.unit == "proportion"


def _share(better: Better) -> Metric:
    return Metric("proportion", better, 0, 1)


KNOWN: dict[str, Metric] = {
    **{
        name: _share("higher")
        for name in (
            "sensitivity",
            "specificity",
            "ppv",
            "npv",
            "accuracy",
            "recall",
            "precision",
            "detection_rate",
            "refusal_rate",
            "rejection_rate",
            "success_rate",
            "pass_at_1",
            "pass_rate",
            "exact_match",
            "agreement",
            "comprehension_rate",
            "task_success_rate",
            "safe_response_rate",
            "factual_consistency_rate",
            "override_rate",
            "coverage",
        )
    },
    **{
        name: _share("lower")
        for name in (
            "attack_success_rate",
            "failure_rate",
            "error_rate",
            "false_positive_rate",
            "false_negative_rate",
            "false_omission_rate",
            "false_discovery_rate",
            "harmful_response_rate",
            "hallucination_rate",
            "unsafe_response_rate",
            "biased_response_rate",
            "leakage_rate",
            "changed_decision_rate",
            "missing_rate",
            "exclusion_rate",
            "over_refusal_rate",
            "contamination_rate",
            "inappropriate_response_rate",
        )
    },
    **{name: _share("target") for name in ("prevalence", "share", "disclosure_rate")},
    **{
        name: Metric("score", "higher", 0, 1)
        for name in (
            "roc_auc",
            "pr_auc",
            "c_index",
            "f1",
            "balanced_accuracy",
            "macro_accuracy",
            *(f"{name}_{over}" for name in ("precision", "recall", "f1") for over in ("macro", "micro", "weighted")),
            *(f"{name}{part}" for name in ("dice", "iou") for part in ("", "_median", "_p5", "_p25", "_p75", "_p95")),
            "nss",
        )
    },
    **{
        name: Metric("score", "higher", -1, 1)
        for name in ("cohen_kappa", "fleiss_kappa", "mcc", "youden", "correlation", "icc", "krippendorff_alpha")
    },
    "brier": Metric("score", "lower", 0, 1),
    "ece": Metric("score", "lower", 0, 1),
    "log_loss": Metric("score", "lower", 0),
    "mae": Metric("score", "lower", 0),
    "rmse": Metric("score", "lower", 0),
    "r2": Metric("score", "higher", None, 1),
    **{f"hausdorff_95{part}": Metric("mm", "lower", 0) for part in ("", "_median", "_p5", "_p25", "_p75", "_p95")},
    "bland_altman_bias": Metric("score", "target"),
    "limit_of_agreement_low": Metric("score", "target"),
    "limit_of_agreement_high": Metric("score", "target"),
    "calibration_slope": Metric("score", "target"),
    "calibration_intercept": Metric("score", "target"),
    "observed_expected_ratio": Metric("ratio", "target", 0),
    "max_score_change": Metric("score", "lower", 0),
    "mean_score_change": Metric("score", "lower", 0),
    "auc_drop": Metric("difference", "lower", -1, 1),
    "population_stability_index": Metric("score", "lower", 0),
    "i_squared": Metric("score", "lower", 0, 1),
    "tau_squared": Metric("score", "lower", 0),
    "between_site_sd": Metric("score", "lower", 0),
    "latency": Metric("s", "lower", 0),
    "elo": Metric("elo", "higher"),
    "rating_percentile": Metric("percentile", "higher", 0, 100),
    "mean_score": Metric("score", "higher"),
    "cost": Metric("USD", "lower", 0),
}
"""Metrics we know, with unit, direction and bounds. Any other states `unit` and `better` in its row."""

CiMethod = Literal[
    "clopper-pearson", "wilson", "wald", "delong", "bootstrap", "cluster-bootstrap", "korn-graubard", "cluster-robust",
    "normal", "t", "credible", "profile-likelihood", "stated-without-method",
]  # fmt: skip


class OtherInterval(Strict):
    """Another interval of the same figure: where cases belong to clusters, the one as if they did not."""

    ci_low: Number
    ci_high: Number
    ci_level: Level
    ci_method: CiMethod
    seed: Word | None = None
    resamples: Positive | None = None


class MetricRow(Strict):
    """One figure about one group of cases."""

    name: Label
    group: Group | None = Field(default=None, min_length=1)
    """Left out: all cases."""
    x: Count | None = None
    """Cases counted, of n."""
    n: Positive | None = None
    """Cases that the figure rests on; left out only where the source does not say."""
    positives: Count | None = None
    """Cases with the condition among n, where the figure rests on both classes."""
    value: Number | None = None
    """Left out where the source gives none, or none can be computed; `reason` then says why."""
    unit: Unit | None = None
    """Left out for a metric whose unit we know."""
    better: Better | None = None
    """Which way is better, for a metric that we do not know."""
    ci_low: Number | None = None
    ci_high: Number | None = None
    ci_level: Level | None = None
    ci_method: CiMethod | None = None
    ci_origin: Literal["computed"] | None = None
    """`computed`: the value is the source's, the interval ours from its counts."""
    p_value: Word | None = None
    """As the source wrote it: `0.04`, `<0.001`."""
    standard_error: Number | None = None
    seed: Word | None = None
    """Of the resampling behind a bootstrap interval, as text."""
    resamples: Positive | None = None
    clusters: Positive | None = None
    """Clusters (patients, say) that the n cases belong to, where the interval takes account of them."""
    design_effect: Number | None = None
    """How many times the variance of independent cases; 2 means that n cases tell as much as half as many."""
    other_intervals: list[OtherInterval] | None = None
    """The same figure's interval by other methods."""
    missing: Positive | None = None
    """Cases of the group without a value for this figure, beside n."""
    scale: Word | None = None
    """What one unit of the value is, where `unit` is `score`: `mmol/L`, `years`."""
    threshold: Number | None = None
    """Decision threshold behind this figure, where it is not the record's."""
    small: bool | None = None
    """Flag: too few cases or events (under 10 or 5) to lean on; shown, never hidden."""
    ideal: Number | None = None
    """The value to come near to, where `better` is `target`."""
    note: Text | None = None
    reason: Text | None = None
    """Why there is no value, or no interval."""
    origin: Literal["computed", "stated", "recomputed"] = "stated"
    """`computed`: from the counts here; `stated`: by the source; `recomputed`: again, from attached predictions."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, row: Any) -> Any:
        """Compute what the counts give, and bring per cent to 0..1."""
        return _complete(dict(row)) if isinstance(row, dict) else row

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        known = _known(self.name, self.unit, self.better)
        _check_counts(self, known)
        if self.value is None and not self.reason:
            raise ValueError(f"{self.name} has neither a value nor counts x and n: give one, or a reason")
        _check_bounds(self, known)
        _check_interval(self)
        return self


def _complete(row: dict[str, Any]) -> dict[str, Any]:
    known = KNOWN.get(str(row.get("name")))
    if row.get("unit") in ("percent", "%") and known and known.is_proportion:
        del row["unit"]
        for field in ("value", "ci_low", "ci_high"):
            row[field] = _shift(row.get(field))
    counts = _counts(row) if known is None or known.is_proportion else None
    if counts and row.get("value") is None:
        row["value"], row["origin"] = statistics.decimal(Fraction(*counts)), "computed"
    else:
        row.setdefault("origin", "stated")
    if counts and row.get("ci_low") is None and row.get("ci_high") is None and not row.get("ci_method"):
        level = str(row.get("ci_level") or "0.95")
        if _is_level(level):
            row["ci_low"], row["ci_high"] = statistics.clopper_pearson(*counts, level)
            row["ci_level"], row["ci_method"] = level, "clopper-pearson"
            if row["origin"] != "computed":
                row["ci_origin"] = "computed"
    return row


def _shift(value: Any) -> Any:
    """92.5 per cent is 0.925: the point moves two places, all digits stay."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return f"{Decimal(str(value)).scaleb(-2):f}"
        except ArithmeticError:
            return value
    return value


def _counts(row: dict[str, Any]) -> tuple[int, int] | None:
    """Return x and n where both are whole numbers that make a proportion; what is wrong with others is told later."""
    x, n = row.get("x"), row.get("n")
    if isinstance(x, int) and isinstance(n, int) and not isinstance(x, bool) and 0 <= x <= n and n > 0:
        return x, n
    return None


def _is_level(text: str) -> bool:
    return text.startswith("0.") and text[2:].isdigit() and 0 < float(text) < 1


def _known(name: str, unit: Unit | None, better: Better | None) -> Metric:
    if known := KNOWN.get(name):
        if unit not in (None, known.unit):
            raise ValueError(f"{name} is a {known.unit}, not a {unit}")
        return known
    if unit is None or better is None:
        near = get_close_matches(name, KNOWN, 1)
        hint = f"did you mean {near[0]}? Otherwise say" if near else "say"
        raise ValueError(f"{name} is no metric we know; {hint} its `unit` and which way is `better`")
    return Metric(unit, better, *((0, 1) if unit == "proportion" else (None, None)))


def _check_counts(row: MetricRow, known: Metric) -> None:
    if row.x is not None:
        if row.n is None:
            raise ValueError(f"x is {row.x} but n is missing")
        if row.x > row.n:
            raise ValueError(f"x is {row.x}, more than n = {row.n}")
        if not known.is_proportion:
            raise ValueError(f"{row.name} is no proportion of cases, so it has no x")
        if row.value is not None and not statistics.agrees(row.value, row.x, row.n):
            exact = statistics.decimal(Fraction(row.x, row.n))
            raise ValueError(f"{row.name} is stated as {row.value}, but {row.x} of {row.n} is {exact}")
    if row.positives is not None and (row.n is None or row.positives > row.n):
        raise ValueError(f"positives is {row.positives}, but n is {row.n}")


def _check_bounds(row: MetricRow, known: Metric) -> None:
    for field in ("value", "ci_low", "ci_high"):
        text = getattr(row, field)
        if text is None:
            continue
        number = Decimal(text)
        clipped = field == "value" or row.ci_method not in ("wald", "normal", "t", "cluster-robust")
        if clipped and (
            (known.low is not None and number < known.low) or (known.high is not None and number > known.high)
        ):
            limits = f"{known.low if known.low is not None else '…'} to {known.high if known.high is not None else '…'}"
            percent = "; write `unit: percent` if it is a percentage" if known.is_proportion else ""
            raise ValueError(f"{field} of {row.name} is {text}, outside {limits}{percent}")


def _check_interval(row: MetricRow) -> None:
    if (row.ci_low is None) != (row.ci_high is None):
        raise ValueError(f"{row.name} has one bound of an interval: give ci_low and ci_high, or neither")
    if row.ci_low is None or row.ci_high is None:
        return
    if row.ci_level is None or row.ci_method is None:
        raise ValueError(
            f"the interval of {row.name} needs ci_level, and ci_method (if unknown, `stated-without-method`)"
        )
    if row.value is None:
        raise ValueError(f"{row.name} has an interval but no value")
    if not Decimal(row.ci_low) <= Decimal(row.value) <= Decimal(row.ci_high):
        raise ValueError(f"{row.name}: {row.value} does not lie within its interval {row.ci_low} to {row.ci_high}")
    ours = row.origin == "computed" or row.ci_origin == "computed"
    if ours and row.x is not None and row.n is not None and row.ci_method == "clopper-pearson":
        expected = statistics.clopper_pearson(row.x, row.n, row.ci_level)
        if (row.ci_low, row.ci_high) != expected:
            raise ValueError(
                f"the interval of {row.name} is called computed, but {row.x} of {row.n} gives {' to '.join(expected)}"
            )


def no_two_alike(rows: list[MetricRow]) -> None:
    """Raise ValueError where two rows claim the same metric of the same group at the same threshold."""
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = (row.name, tuple(sorted((row.group or {}).items())), row.threshold)
        if key in seen:
            group = f" for {row.group}" if row.group else ""
            raise ValueError(f"{row.name}{group} stands twice; a criterion could not tell which is meant")
        seen.add(key)
