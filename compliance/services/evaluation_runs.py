"""Evaluations that MLflow ran, as evidence: `mlflow.models.evaluate` and `mlflow.genai.evaluate`.

Counts are taken where the run holds them (a confusion matrix, one verdict per trace), so that every proportion gets
its interval; a figure that only MLflow computed is `stated`. Which version was evaluated on which dataset is not
guessed: the caller names both, as they stand on record. Inputs and outputs of traces may hold personal data and
stay where they are; only verdicts, with the traces' ids, travel with the evidence.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from compliance.core.canonical import canonical
from compliance.errors import InvalidInput
from compliance.importers.metrics import named
from compliance.kinds.metrics import KNOWN
from compliance.services import capture, mirroring, snapshot
from compliance.services.record import Logged

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, Verdict

VERDICTS = "verdicts.json"
GENAI = "genai_evaluate"
CONFUSION = ("true_positives", "false_positives", "true_negatives", "false_negatives")
NAMES = {
    "accuracy_score": "accuracy",
    "recall_score": "recall",
    "precision_score": "precision",
    "f1_score": "f1",
    "roc_auc": "roc_auc",
    "precision_recall_auc": "pr_auc",
    "log_loss": "log_loss",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}
"""MLflow's names of the metrics that its default evaluator computes, and ours."""
SAFETY = frozenset({
    "safety", "conversational_safety", "pii_detection", "toxicity", "bias", "misuse", "piileakage", "pii_leakage",
})  # fmt: skip
"""Scorers and metrics of MLflow 3, and of those that it ships for DeepEval, that look for harm."""
Rows = list[dict[str, Any]]


def capture_evaluation(
    ws: "Workspace",
    run_id: str,
    *,
    model: str,
    dataset: str,
    category: str | None = None,
    better: Mapping[str, str] | None = None,
    key: str | None = None,
    **fields: Any,
) -> list[Logged]:
    """Log an ended evaluation run of MLflow as `evaluation` of `model` on `dataset` (NAME@VERSION, on record).

    With a `category` (toxicity, bias…) it is logged as `safety-result`; `better` says of scorers that give
    numbers which way is better (higher, lower). `fields` are the kind's own, such as `plan`.
    Returns nothing where the run stands on record as it is. Raises UnknownReference for a run that MLflow does not
    have, InvalidInput for one that is not over or no evaluation.
    """
    tracking = mirroring.read_mirror(ws).tracking
    run = tracking.run(run_id)
    verdicts = tracking.verdicts(run) if is_genai(run) else []
    if run.status not in capture.OUTCOMES:
        raise InvalidInput(f"The run {run_id} is {run.status.lower()}.", remedy="Capture it when it has ended.")
    if not is_evaluation(run):
        raise InvalidInput(
            f"The run {run_id} is no evaluation that MLflow made.",
            remedy="Leave out --evaluates to capture it as a training run, or log its figures: "
            "`compliance log evaluation FILE`.",
        )
    files = snapshot.of(tracking, run)
    if verdicts:
        files[VERDICTS] = canonical([_told(one) for one in verdicts])
    authored: dict[str, Any] = {
        "kind": "safety-result" if category else "evaluation",
        "title": f"{model} on {dataset} (MLflow run {run.name or run_id})"[: capture.TITLE],
        "model": model,
        "dataset": dataset,
        **capture.times(run),
        "mlflow_run": run_id,
        "tool": "mlflow.genai.evaluate" if verdicts else "mlflow.models.evaluate",
        **(from_verdicts(verdicts, better) if is_genai(run) else from_metrics(run)),
        **fields,
    }
    if category:
        authored |= {"category": category, "confusion": None}
    kept = {name: value for name, value in authored.items() if value is not None}
    before = capture.captured_runs(ws, kept["kind"]).get(run_id)
    origin = {"run_id": run_id, "experiment": run.experiment_id}
    return capture.log_once(ws, kept, files, before, key=key, origin=origin)


def is_evaluation(run: "MLflowRun") -> bool:
    """Say whether MLflow made the run to evaluate something."""
    return is_genai(run) or "example_count" in run.metrics


def is_safety(run: "MLflowRun") -> bool:
    """Say whether MLflow made the run to look for harm: one of its scorers, or of its own metrics, is of that sort."""
    return is_evaluation(run) and any(_label(name.partition("/")[0]) in SAFETY for name in run.metrics)


def is_genai(run: "MLflowRun") -> bool:
    return run.tags.get("mlflow.runType") == GENAI


def from_metrics(run: "MLflowRun") -> dict[str, Any]:
    """Return the evaluation fields that the default evaluator's metrics give."""
    figures = {key: point.value for key, point in run.metrics.items()}
    cases = int(figures.pop("example_count", 0))
    counts = [figures.get(name) for name in CONFUSION]
    told: dict[str, Any] = {}
    rows: Rows = []
    if all(count is not None and float(count).is_integer() for count in counts):
        tp, fp, tn, fn = (int(count) for count in counts if count is not None)
        told["confusion"] = [{"tp": tp, "fp": fp, "tn": tn, "fn": fn}]
        shares = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp),
                  "npv": (tn, tn + fn), "accuracy": (tp + tn, tp + fp + tn + fn)}  # fmt: skip
        rows += [{"name": name, "x": x, "n": n} for name, (x, n) in shares.items() if n]
    seen = {row["name"] for row in rows} | ({"recall", "precision"} if rows else set())
    for theirs, ours in NAMES.items():
        value = capture.digits(figures[theirs]) if theirs in figures else None
        if value is not None and ours not in seen:
            rows.append(_share(ours, value, cases) if KNOWN[ours].is_proportion else _stated(ours, value, cases))
    other = sorted(set(figures) - set(CONFUSION) - set(NAMES) - {"score"})
    told["metrics"] = rows or [_missing(cases)]
    if other:
        told["remarks"] = [f"MLflow logged metrics that have no row here: {', '.join(other)}."[:1000]]
    if not rows:
        told |= {"completeness": "incomplete", "completeness_reason": "The run holds no metric that is known here."}
    return told


def from_verdicts(verdicts: "Sequence[Verdict]", better: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the evaluation fields that one verdict per trace and scorer gives; a verdict that failed is no pass.

    `better` says of scorers that give numbers which way is better, where no table does.
    """
    traces = {one.trace for one in verdicts}
    by_scorer: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        if one.by != "expectation":
            by_scorer[one.name].append(one)
    rows, lacking, left_out = [], [], []
    for scorer, given in sorted(by_scorer.items()):
        values, disputed = _by_trace(given)
        if disputed:
            lacking.append(f"{scorer} has verdicts that differ on {disputed} of {len(traces)} traces")
        if missing := len(traces) - len(values) - disputed:
            lacking.append(f"{scorer} has no verdict on {missing} of {len(traces)} traces")
        if row := _of_scorer(scorer, values, (better or {}).get(scorer)):
            rows.append(row)
        elif values:
            left_out.append(scorer)
    judges = sorted({f"{one.name} by {one.by}" for given in by_scorer.values() for one in given})
    remarks = [f"Who judged: {', '.join(judges)}."] if judges else []
    if left_out:
        remarks.append(
            f"Attached, but no row: {', '.join(left_out)}. Their verdicts are no yes or no, or numbers of which "
            "nothing says which way is better (--better NAME=lower)."
        )
    told: dict[str, Any] = {
        "metrics": rows or [_missing(len(traces))],
        "unit_of_analysis": "trace",
        "remarks": [remark[:1000] for remark in remarks] or None,
        "limits": ["Inputs and outputs of the traces are withheld: they stay in MLflow."],
    }
    if lacking or not rows:
        reason = "; ".join(lacking) or "No scorer gave a verdict that makes a figure"
        told |= {"completeness": "incomplete", "completeness_reason": f"{reason}."[:1000]}
    return told


def _by_trace(given: "Iterable[Verdict]") -> tuple[list[Any], int]:
    """Return one verdict for each trace that has one, and how many traces have several that differ."""
    said: dict[str, list[Any]] = defaultdict(list)
    for one in given:
        value = one.value
        if one.error is None and value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            said[one.trace].append(value)
    agreed = [values[0] for values in said.values() if all(value == values[0] for value in values)]
    return agreed, len(said) - len(agreed)


def _of_scorer(scorer: str, values: Sequence[Any], better: str | None) -> dict[str, Any] | None:
    """Return a scorer's row: yes is a pass, as MLflow counts it; a number has a direction or gives none."""
    name = _label(scorer)
    verdicts = [_truth(value) for value in values]
    if values and all(verdict is not None for verdict in verdicts):
        unit = {} if name in KNOWN else {"unit": "proportion", "better": better or "higher"}
        return {"name": name, "x": sum(map(bool, verdicts)), "n": len(values), **unit}
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    row = named(name, better)
    if row is None or not numbers or len(numbers) < len(values):
        return None
    mean = capture.digits(float(sum(map(Fraction, numbers)) / len(numbers)))
    return {**row, "value": mean, "n": len(numbers), "reason": "A mean, no interval."} if mean else None


def _truth(value: Any) -> bool | None:
    """Read a verdict: MLflow's judges answer yes and no, code answers true and false."""
    if isinstance(value, bool):
        return value
    return {"yes": True, "no": False}.get(value.lower()) if isinstance(value, str) else None


def _share(name: str, value: str, n: int) -> dict[str, Any]:
    """A share with its count, where exactly one whole number of the cases gives it."""
    x = round(Fraction(value) * n)
    if n and 0 <= x <= n and abs(Fraction(x, n) - Fraction(value)) < Fraction(1, 10**9):
        return {"name": name, "x": x, "n": n}
    return _stated(name, value, n)


def _stated(name: str, value: str, n: int) -> dict[str, Any]:
    counted = {"n": n} if n else {}
    return {"name": name, "value": value, **counted, "reason": "MLflow computes no interval."}


def _missing(n: int) -> dict[str, Any]:
    counted = {"n": n} if n else {}
    return {"name": "accuracy", **counted, "reason": "The run holds no figure that is known here."}


def _label(name: str) -> str:
    label = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60]
    return label if label[:1].isalpha() else f"scorer_{label}"[:60]


def _told(one: "Verdict") -> Mapping[str, Any]:
    value = one.value if isinstance(one.value, bool | int | None) else str(one.value)[:200]
    return {"trace": one.trace, "name": one.name, "by": one.by, "value": value, "error": one.error}
