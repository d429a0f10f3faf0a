"""An evaluation computed from predictions: figures with intervals, overall and by group, and the cases accounted for.

The predictions travel as a restricted attachment, so that anybody who may hold them can compute every figure again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import predictions as figures
from compliance.core.evidence import utc_text
from compliance.errors import InvalidInput
from compliance.services.reading import Table, read_table

if TYPE_CHECKING:
    from numpy import ndarray

    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

_TRUTH = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "False": 0, "True": 1}
MAX_GROUPS = 50
"""Values of one group column beyond which it is no grouping."""


def log(
    ws: "Workspace",
    *,
    model: str,
    dataset: str,
    predictions: str | Path,
    truth: str = "truth",
    score: str = "score",
    threshold: str = "0.5",
    groups: Sequence[str] = (),
    key: str | None = None,
    **fields: Any,
) -> "list[Logged]":
    """Compute an evaluation from `predictions` and log it; `fields` are the kind's own, such as `plan`.

    Where nothing else is said, measuring began when the predictions were written: a plan that came later is late.
    """
    from compliance.services import record
    from compliance.services.workspace import now

    path = Path(predictions).resolve()
    computed = from_predictions(path, truth=truth, score=score, threshold=threshold, groups=groups)
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
        **{name: value for name, value in fields.items() if value is not None},
        "attachments": attachments,
    }
    return record.log(ws, [authored], how="log", base=path.parent, key=key)


def from_predictions(
    path: Path, *, truth: str, score: str, threshold: str = "0.5", groups: Sequence[str] = (), seed: int = 0
) -> dict[str, Any]:
    """Return the fields of an authored `evaluation` that a file of predictions gives.

    Rows without truth or score are counted, named as incomplete and left out of the figures, never silently.
    Raises InvalidInput for a column that is not there, a truth other than 0 and 1, a score outside 0..1.
    """
    import numpy as np

    cut = _threshold(threshold)
    table = read_table(path)
    truths, scores = _truths(table, truth), _scores(table, score)
    kept = [i for i in range(table.rows) if truths[i] is not None and scores[i] is not None]
    missing_truth = sum(1 for value in truths if value is None)
    missing_score = table.rows - len(kept) - missing_truth
    if not kept:
        raise InvalidInput(f"No row of {path} has both truth and score.", remedy="Check the columns' names.")
    y = np.array([truths[i] for i in kept])
    s = np.array([scores[i] for i in kept], dtype=float)

    metrics = figures.metric_rows(y, s, cut, seed=seed)
    tables: list[dict[str, Any]] = [{"threshold": threshold, **_counts(y, s, cut)}]
    for group, members in _groups(table, groups, kept):
        metrics += figures.metric_rows(y[members], s[members], cut, group=group, seed=seed)
        tables.append({"group": group, "threshold": threshold, **_counts(y[members], s[members], cut)})
    positives = int(y.sum())
    points = figures.roc_points(y, s)
    return {
        "threshold": threshold,
        "metrics": metrics,
        "confusion": tables,
        **({"curves": [{"name": "roc", "n": len(y), "positives": positives, "points": points}]} if points else {}),
        "calibration": [{"n": len(y), "bins": figures.reliability(y, s)}],
        "accountability": {
            "enrolled": table.rows, "analysed": len(kept),
            "missing_score": missing_score, "missing_truth": missing_truth,
        },
        "predictions": {
            "attachment": path.name, "truth": truth, "score": score, **({"groups": list(groups)} if groups else {}),
        },
        "seed": str(seed),
        "attachments": [{"path": path, "classification": "restricted"}],
        **_completeness(missing_truth, missing_score),
    }  # fmt: skip


def _completeness(missing_truth: int, missing_score: int) -> dict[str, str]:
    told = [f"{n} without {what}" for n, what in ((missing_truth, "truth"), (missing_score, "score")) if n]
    if not told:
        return {}
    return {"completeness": "incomplete", "completeness_reason": f"Rows left out of the figures: {', '.join(told)}."}


def _threshold(text: str) -> float:
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?|\.\d+", text):
        raise InvalidInput(f"The threshold {text!r} is no number from 0 to 1.", remedy="Give it as 0.35, for example.")
    return float(text)


def _truths(table: Table, name: str) -> list[int | None]:
    values: list[int | None] = []
    for row, text in enumerate(table.column(name, "truth")):
        if text is not None and text not in _TRUTH:
            raise InvalidInput(
                f"{table.place(row)}: the truth in column {name} is {text[:40]!r}, not 0 or 1.",
                remedy="Give the reference standard as 0 and 1; leave a cell empty where it is unknown.",
            )
        values.append(None if text is None else _TRUTH[text])
    return values


def _scores(table: Table, name: str) -> list[float | None]:
    values: list[float | None] = []
    for row, text in enumerate(table.column(name, "score")):
        try:
            value = None if text is None else float(text)
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value <= 1:
            raise InvalidInput(
                f"{table.place(row)}: the score in column {name} is {str(text)[:40]!r}, not a number from 0 to 1.",
                remedy="Give predicted probabilities, not logits or percentages.",
            )
        values.append(value)
    return values


def _groups(
    table: Table, names: Sequence[str], kept: Sequence[int]
) -> Iterator[tuple[dict[str, str], "ndarray[Any, Any]"]]:
    """Yield each group with the positions of its cases; cases without the attribute are a group of their own."""
    import numpy as np

    for name in names:
        column = table.column(name, "group")
        values = [column[i] or "not recorded" for i in kept]
        distinct = sorted(set(values))
        if len(distinct) > MAX_GROUPS:
            raise InvalidInput(
                f"The group column {name} of {table.name} has {len(distinct)} different values.",
                remedy=f"Give a column with at most {MAX_GROUPS}: bands instead of ages, for example.",
            )
        at = np.array(values)
        for value in distinct:
            yield {label(name): value}, np.nonzero(at == value)[0]


def label(column: str) -> str:
    """Return a column's name as a group's label: `Age band` is age_band."""
    plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"c_{plain}"


def _counts(y: "ndarray[Any, Any]", s: "ndarray[Any, Any]", cut: float) -> Mapping[str, int]:
    table = figures.confusion(y, s, cut)
    return {"tp": table.tp, "fp": table.fp, "tn": table.tn, "fn": table.fn}
