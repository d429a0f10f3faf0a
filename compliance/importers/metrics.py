"""Figures of other tools as metric rows: one table of names says what a metric is called here and which way is better.

The direction comes from the tool's own file where it says one, else from this table or from the metrics that
`compliance.kinds.metrics` knows, and is never guessed: a metric without one is named as not taken over.
"""

from decimal import Decimal
from typing import Any

from compliance.importers.values import label, number, present
from compliance.kinds.metrics import KNOWN

Row = dict[str, Any]

_SCORE_UP = ("score", "higher")
_SCORE_DOWN = ("score", "lower")
_SHARE_UP = ("proportion", "higher")

SAME: dict[str, str] = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "auprc": "pr_auc",
    "average_precision": "pr_auc",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "dice_score": "dice",
    "em": "exact_match",
    "f1_score": "f1",
    "f1_binary": "f1",
    "jaccard": "iou",
    "kappa": "cohen_kappa",
    "matthews_corrcoef": "mcc",
    "matthews_correlation": "mcc",
    "mean_absolute_error": "mae",
    "negative_predictive_value": "npv",
    "pass_1": "pass_at_1",
    "negative_predictive_value_parity": "npv",
    "positive_predictive_value": "ppv",
    "positive_predictive_value_parity": "ppv",
    "r2_score": "r2",
    "roc_auc_score": "roc_auc",
    "root_mean_squared_error": "rmse",
    "tnr": "specificity",
    "tpr": "sensitivity",
    "true_negative_rate": "specificity",
    "true_positive_rate": "sensitivity",
    "fpr": "false_positive_rate",
    "fnr": "false_negative_rate",
    "fdr": "false_discovery_rate",
    "for": "false_omission_rate",
    "selection_rate": "share",
}
"""Other tools' names of metrics that `compliance.kinds.metrics.KNOWN` has, as `label` writes them."""

OTHER: dict[str, tuple[str, str]] = {
    "acc_mutual_info": _SHARE_UP,
    "acc_norm": _SHARE_UP,
    "bertscore": _SCORE_UP,
    "bits_per_byte": _SCORE_DOWN,
    "bleu": _SCORE_UP,
    "bleu_1": _SCORE_UP,
    "bleu_4": _SCORE_UP,
    "byte_perplexity": _SCORE_DOWN,
    "cer": _SCORE_DOWN,
    "chrf": _SCORE_UP,
    "f1_macro": _SCORE_UP,
    "f1_micro": _SCORE_UP,
    "f1_weighted": _SCORE_UP,
    "macro_f1": _SCORE_UP,
    "mc1": _SCORE_UP,
    "mc2": _SCORE_UP,
    "mean_win_rate": _SCORE_UP,
    "meteor": _SCORE_UP,
    "perplexity": _SCORE_DOWN,
    "disparate_impact": ("ratio", "target"),
    "equal_selection_parity": ("difference", "target"),
    "prefix_exact_match": _SHARE_UP,
    "quasi_exact_match": _SHARE_UP,
    "quasi_prefix_exact_match": _SHARE_UP,
    "relax_str_match": _SCORE_UP,
    "rouge": _SCORE_UP,
    "rouge1": _SCORE_UP,
    "rouge2": _SCORE_UP,
    "rougel": _SCORE_UP,
    "rougelsum": _SCORE_UP,
    "rouge_1": _SCORE_UP,
    "rouge_2": _SCORE_UP,
    "rouge_l": _SCORE_UP,
    "spearman": _SCORE_UP,
    "pearson": _SCORE_UP,
    "ter": _SCORE_DOWN,
    "toxicity": _SCORE_DOWN,
    "wer": _SCORE_DOWN,
    "word_perplexity": _SCORE_DOWN,
}
"""Metrics beyond `KNOWN` whose direction is common ground: unit and which way is better."""

_KEYS = ("group", "threshold")


class Rows:
    """Collects the metric rows of one record, and what could not become one."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.gaps: list[str] = []
        """Why what was collected is incomplete: a figure that is no number."""
        self.left_out: list[str] = []
        """Metrics whose direction nobody states."""

    def add(
        self, name: str, value: Any, *, better: str | None = None, unit: str | None = None, **more: Any
    ) -> Row | None:
        """Add a figure by its foreign name; `more` are fields of a metric row (group, n, x, standard_error…).

        With x and n given, `value` must agree with them or be None, and is then computed from them.
        """
        row = named(name, better, unit)
        if row is None:
            if name not in self.left_out:
                self.left_out.append(name)
            return None
        row |= present({key: number(item) if key in _FIGURES else item for key, item in more.items()})
        digits = number(value)
        if digits is not None:
            row["value"] = digits
        elif "x" not in row:
            row["reason"] = f"The file gives {value!s:.40} instead of a figure."
            self.gaps.append(f"{name} has no figure: the file gives {value!s:.40}")
        if self._twice(row):
            self.gaps.append(f"{name} stands twice in the file; the first one was taken over")
            return None
        self.rows.append(row)
        return row

    def notes(self) -> list[str]:
        """Return what to tell a reader about figures that were not taken over."""
        if not self.left_out:
            return []
        return [f"Not taken over, because nothing says which way is better: {', '.join(self.left_out)}."[:2000]]

    def _twice(self, row: Row) -> bool:
        return any(all(row.get(key) == one.get(key) for key in ("name", *_KEYS)) for one in self.rows)


def per_cent(digits: str | None) -> str | None:
    """Return a percentage as a share of one: the point moves two places, all digits stay."""
    return None if digits is None else f"{Decimal(digits).scaleb(-2):f}"


_FIGURES = {"standard_error", "ci_low", "ci_high", "ci_level", "threshold", "ideal"}


def named(name: str, better: str | None = None, unit: str | None = None) -> Row | None:
    """Return the beginning of a row: our name, and unit and direction where the kinds do not know the metric.

    None where nothing says which way is better.
    """
    plain = label(name)
    ours = SAME.get(plain, plain)
    if ours in KNOWN:
        known = KNOWN[ours]
        if (better in (None, known.better) or known.better == "target") and unit in (None, known.unit, "percent"):
            return {"name": ours, **({"unit": "percent"} if unit == "percent" and known.is_proportion else {})}
        ours = f"{ours}_as_stated"  # the tool means another thing by this name
    known_unit, known_better = OTHER.get(plain, (None, None))
    chosen = better or known_better
    return {"name": ours, "unit": unit or known_unit or "score", "better": chosen} if chosen else None
