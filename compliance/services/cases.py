"""The cases in a file of predictions, as arrays that figures are computed from; those that cannot be used are counted.

What a cell may hold depends on the task. A cell that holds something else is refused with its place; an empty one is
a missing value, and its case is left out and named, never dropped unsaid. No cell is repeated: it may be a name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput
from compliance.kinds.metrics import KNOWN
from compliance.services.reading import Table
from compliance.services.reading.groups import FEWER, MAX_GROUPS, UNRECORDED, are_people

if TYPE_CHECKING:
    from numpy import ndarray

    from compliance.kinds.evaluation import Predictions

_TRUTH = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "False": 0, "True": 1}
LARGEST = 1e30
"""Of a larger number no record holds the figures; sums of its squares soon leave the floating-point numbers."""

Values = list[Any]


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases by role (truth, score, time…), in the rows of the table that have all of them."""

    table: Table
    rows: Sequence[int]
    """Which rows of the table."""
    arrays: "Mapping[str, ndarray[Any, Any]]"
    missing: Mapping[str, int]
    """Rows without a value, by what they lack first."""
    classes: list[str] = field(default_factory=list)
    clusters: "ndarray[Any, Any] | None" = None
    whole_grades: bool = False
    """Whether every grade is 0 or 1."""

    def grouped(self, names: Sequence[str]) -> "Iterator[tuple[dict[str, str], ndarray[Any, Any]]]":
        """Yield each group with the positions of its cases; cases without the attribute are a group of their own."""
        import numpy as np

        for name in names:
            values = self._group_values(name)
            distinct = sorted(set(values))
            if are_people(len(distinct), len(values)):
                raise InvalidInput(
                    f"The group column {name} of {self.table.name} has {len(distinct)} different values in "
                    f"{len(values)} rows.",
                    remedy=FEWER,
                )
            at = np.array(values)
            for value in distinct:
                yield {label(name): value}, np.nonzero(at == value)[0]

    def members(self, group: Mapping[str, str], names: Sequence[str]) -> "ndarray[Any, Any] | None":
        """Return the positions of the cases in a group of any attributes, None where a column for one is not named."""
        import numpy as np

        columns = {label(name): name for name in names}
        if not set(group) <= set(columns):
            return None
        inside = np.ones(len(self.rows), dtype=bool)
        for attribute, value in group.items():
            inside &= np.array(self._group_values(columns[attribute])) == value
        return np.nonzero(inside)[0]

    def _group_values(self, name: str) -> list[str]:
        column = self.table.column(name, "group")
        return [column[i] or UNRECORDED for i in self.rows]


def named(columns: Sequence[str]) -> tuple[str, ...]:
    """Return columns as they were given, one name alone among them."""
    return (columns,) if isinstance(columns, str) else tuple(columns)


def label(column: str) -> str:
    """Return a column's name as a group's label: `Age band` is age_band."""
    plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"c_{plain}"


def read(table: Table, told: "Predictions") -> Cases:
    """Return the cases of a table, read as their task asks.

    Raises InvalidInput for a column that is not there, a cell that holds what the task has no use for, no case at all.
    """
    import numpy as np

    columns, classes = _columns(table, told)
    measured = told.task == "segmentation"
    rows = range(table.rows)
    enough = any if measured else all  # a case without one of its measures still has the others
    kept = [i for i in rows if enough(values[i] is not None for values in columns.values())]
    if not kept:
        named = [name for name in (told.truth, told.score, told.time, *(told.measures or {}).values()) if name]
        raise InvalidInput(
            f"No row of {table.name} has {'any' if measured else 'both' if len(named) == 2 else 'all'} of "
            f"{' and '.join(columns)}.",
            remedy="Check the columns' names.",
        )
    missing: dict[str, int] = {}
    for name, values in columns.items():
        left = [i for i in rows if values[i] is None]
        missing[name] = len(left)
        rows = rows if measured else [i for i in rows if values[i] is not None]  # type: ignore[assignment]
    arrays = {name: np.array([_nan(values[i]) for i in kept]) for name, values in columns.items()}
    optional: dict[str, Values] = {"human": _human(table, told)} if told.human else {}
    if told.question:
        optional["question"] = _named(table, told.question, "question")
    arrays |= {name: np.array([_nan(values[i]) for i in kept]) for name, values in optional.items()}
    clusters = _named(table, told.cluster, "cluster") if told.cluster else None
    return Cases(
        table,
        kept,
        arrays,
        missing,
        classes,
        None if clusters is None else np.unique([clusters[i] for i in kept], return_inverse=True)[1],
        told.task == "graded" and set(arrays["score"].tolist()) <= {0.0, 1.0},
    )


def _columns(table: Table, told: "Predictions") -> tuple[dict[str, Values], list[str]]:
    """Return the values by role, None where a cell is empty, and the classes where there are several."""
    truth, score = told.truth or "", told.score or ""
    if told.task == "multiclass":
        columns = {"truth": table.column(truth, "truth"), "score": table.column(score, "score")}
        classes = sorted({value for values in columns.values() for value in values if value is not None})
        if are_people(len(classes), table.rows):
            raise InvalidInput(
                f"{table.name} has {len(classes)} different classes in {truth} and {score}.",
                remedy=f"Name columns of class labels that repeat, {MAX_GROUPS} at most.",
            )
        at = {name: position for position, name in enumerate(classes)}
        return {name: [None if v is None else at[v] for v in values] for name, values in columns.items()}, classes
    if told.task == "choice":
        return {"truth": list(table.column(truth, "truth")), "score": list(table.column(score, "score"))}, []
    if told.task == "regression":
        return {"truth": numbers(table, truth, "truth"), "score": numbers(table, score, "score")}, []
    if told.task == "survival":
        horizon = {"low": 0.0, "high": 1.0, "remedy": "With a horizon the score is the risk up to it."}
        bounds: dict[str, Any] = horizon if told.horizon else {}
        return {
            "truth": _truths(table, truth, told.positive),
            "time": numbers(table, told.time or "", "time", low=0.0),
            "score": numbers(table, score, "score", **bounds),
        }, []
    if told.task == "graded":
        return {"score": numbers(table, score, "grade", low=0.0, high=1.0)}, []
    if told.task == "segmentation":
        return {name: _measure(table, name, column) for name, column in (told.measures or {}).items()}, []
    remedy = "Give predicted probabilities, not logits or percentages."
    return {
        "truth": _truths(table, truth, told.positive),
        "score": numbers(table, score, "score", low=0.0, high=1.0, remedy=remedy),
    }, []


def _measure(table: Table, name: str, column: str) -> list[float | None]:
    known = KNOWN.get(name)
    if known is None or known.better == "target" or name.rpartition("_")[2] in ("median", "p5", "p25", "p75", "p95"):
        raise InvalidInput(
            f"{name} is no measure of single cases that we know.",
            remedy="Write --measure dice=COL; iou and hausdorff_95 are others.",
        )
    remedy = "Leave a cell empty where the case has no value, an empty mask for example."
    return numbers(table, column, name, low=known.low, high=known.high, remedy=remedy)


def _human(table: Table, told: "Predictions") -> Values:
    return numbers(table, told.human or "", "human", low=0.0, high=1.0)


def _truths(table: Table, name: str, positive: str | None) -> list[int | None]:
    column = table.column(name, "truth")
    if positive is not None:
        if positive not in column:
            raise InvalidInput(
                f"No row of {table.name} has {positive!r} in column {name}.",
                remedy="Give --positive the value as it stands in the file.",
            )
        return [None if text is None else int(text == positive) for text in column]
    values: list[int | None] = []
    for row, text in enumerate(column):
        if text is not None and text not in _TRUTH:
            raise InvalidInput(
                f"{table.place(row)}: the truth in column {name} is not 0 or 1.",
                remedy="Give the reference standard as 0 and 1; leave a cell empty where it is unknown.",
            )
        values.append(None if text is None else _TRUTH[text])
    return values


def numbers(
    table: Table, name: str, what: str, *, low: float | None = None, high: float | None = None, remedy: str = ""
) -> list[float | None]:
    """Return a column as numbers within bounds, None where a cell is empty."""
    limits = "a number" if low is None else f"a number from {low:g}" + (f" to {high:g}" if high is not None else "")
    values: list[float | None] = []
    for row, text in enumerate(table.column(name, what)):
        try:
            value = None if text is None else float(text)
        except ValueError:
            value = float("nan")
        fits = value is None or (float("-inf") if low is None else low) <= value <= (
            float("inf") if high is None else high
        )
        if not fits or (value is not None and abs(value) > LARGEST):
            raise InvalidInput(
                f"{table.place(row)}: the {what} in column {name} is not {limits}.",
                remedy=remedy or "Mend the cell, or leave it empty where there is no value.",
            )
        values.append(value)
    return values


def _named(table: Table, name: str, what: str) -> Values:
    """Return a column that says what belongs together; a row that does not say is refused."""
    values: list[str] = []
    for row, text in enumerate(table.column(name, what)):
        if text is None:
            raise InvalidInput(
                f"{table.place(row)}: no {what} in column {name}.",
                remedy="Name it in every row: cases that belong to nobody would look independent.",
            )
        values.append(text)
    return values


def _nan(value: Any) -> Any:
    return float("nan") if value is None else value
