"""An evaluation computed from predictions: figures with intervals, overall and by group, and the cases accounted for.

The predictions travel as a restricted attachment, so that anybody who may hold them can compute every figure again.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core.evidence import utc_text
from compliance.core.multiclass import CLASS
from compliance.errors import InvalidInput
from compliance.services.cases import label, named

if TYPE_CHECKING:
    from compliance.kinds.evaluation import Predictions
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

COUNTED = ("analysed", "missing_score", "missing_truth")
"""Counts of cases that the file alone decides; who was enrolled and excluded before it, only the study knows."""
__all__ = ["from_predictions", "log"]


def log(
    ws: "Workspace",
    *,
    model: str,
    dataset: str,
    predictions: str | Path,
    truth: str | None = None,
    score: str | None = None,
    threshold: str = "0.5",
    groups: Sequence[str] = (),
    task: str | None = None,
    columns: Mapping[str, Any] | None = None,
    key: str | None = None,
    **fields: Any,
) -> "list[Logged]":
    """Compute an evaluation from `predictions` and log it; `fields` are the kind's own, such as `plan`.

    `columns` are what else the task can be told: cluster, positive, time, horizon, measures, question, k, human, scale.
    Where nothing else is said, measuring began when the predictions were written: a plan that came later is late.
    """
    from compliance.services import record
    from compliance.services.workspace import now

    path, groups = Path(predictions).resolve(), named(groups)
    computed = from_predictions(
        path, truth=truth, score=score, threshold=threshold, groups=groups, task=task, columns=columns
    )
    fields = {name: value for name, value in fields.items() if value is not None}
    _refuse_written(computed, fields, path)
    written = utc_text(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    attachments = [*computed.pop("attachments"), *(fields.pop("attachments", None) or [])]
    authored = {
        "kind": "evaluation",
        "title": fields.pop("title", None) or f"{model} on {dataset}",
        "model": model,
        "dataset": dataset,
        "started_at": fields.pop("started_at", None) or min(now(), written),
        "ended_at": now(),
        **computed,
        **fields,
        "attachments": attachments,
    }
    return record.log(ws, [authored], how="log", base=path.parent, key=key)


def _refuse_written(computed: Mapping[str, Any], fields: Mapping[str, Any], path: Path) -> None:
    """Refuse what is measured and also written by hand; who was left out before the file was made may be told."""
    for name in sorted(computed.keys() & fields.keys() - {"attachments"}):
        before = fields[name] if name == "accountability" and isinstance(fields[name], Mapping) else {}
        ours = computed["accountability"]
        if before and all(before.get(part, 0) == ours[part] for part in COUNTED):
            continue
        raise InvalidInput(
            f"{name} is measured from {path.name}, and is also written.",
            remedy=f"Leave out {name}; claims to hold against predictions stand in a file that names both.",
        )


def from_predictions(
    path: Path,
    *,
    truth: str | None = None,
    score: str | None = None,
    threshold: str = "0.5",
    groups: Sequence[str] = (),
    task: str | None = None,
    columns: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the fields of an authored `evaluation` that a file of predictions gives.

    Rows that lack what the task needs are counted, named as incomplete and left out of the figures, never silently.
    Raises InvalidInput for a column that is not there, or a cell that the task has no use for.
    """
    from compliance.services import recompute

    told = _told(path, task, truth, score, groups, columns or {})
    if task == "multiclass" and CLASS in map(label, groups):
        raise InvalidInput(f"A group called {CLASS} is one class held against the rest.", remedy="Rename the column.")
    binary = told.task in (None, "binary")
    cut = cut_off(threshold) if binary else 0.0
    cases = recompute.read(path, told)
    return {
        **({"threshold": threshold} if binary else {}),
        "metrics": recompute.by_group(cases, told, groups, threshold=cut, seed=seed),
        **recompute.described(cases, told, threshold),
        "predictions": told.model_dump(exclude_none=True),
        "seed": str(seed),
        "attachments": [{"path": path, "classification": "restricted"}],
        **recompute.accounted(cases, told),
    }


def _told(
    path: Path,
    task: str | None,
    truth: str | None,
    score: str | None,
    groups: Sequence[str],
    columns: Mapping[str, Any],
) -> "Predictions":
    """Return how the predictions are to be read; the columns `truth` and `score` are found where none are named."""
    from typing import get_args

    from pydantic import ValidationError

    from compliance.kinds.evaluation import COLUMNS, Predictions, Task

    known = COLUMNS.get(task or "binary")  # type: ignore[call-overload]
    if known is None:
        raise InvalidInput(f"{task} is no task.", remedy=f"Tasks are {', '.join(get_args(Task))}.")
    given: dict[str, Any] = {name: value for name, value in columns.items() if value}
    given |= {name: value for name, value in (("truth", truth), ("score", score)) if value or name in known[0]}
    given = {name: value or name for name, value in given.items()}
    if groups:
        given["groups"] = list(groups)
    try:
        return Predictions.model_validate({"attachment": path.name, **({"task": task} if task else {}), **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        told = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidInput(
            f"{path.name} cannot be read as {task or 'binary'} predictions: {f'{where}: ' if where else ''}{told}.",
            remedy="Give each option that the task needs, and none that belongs to another task.",
        ) from error


def cut_off(text: str) -> float:
    """Return a threshold as a number. Raises InvalidInput where it is none from 0 to 1."""
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?|\.\d+", text):
        raise InvalidInput(f"The threshold {text!r} is no number from 0 to 1.", remedy="Give it as 0.35, for example.")
    return float(text)
