"""scikit-learn: a `classification_report` as JSON, CSV or text, or raw predictions as CSV, becomes an evaluation.

Teams dump these themselves, so model and dataset are never inside and are asked for. A report's text is rounded, so no
counts are made of it. A report with a micro average and no accuracy leaves out classes. Curves (ROC, precision and
recall, calibration) do not say how many cases they rest on: the predictions are asked for. Predictions are worth more
than a summary: where they are, figures with intervals are computed from them (`y_true` with a score), or counted
(`y_true` with `y_pred`), also by the columns named with --group.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from compliance.importers.base import Given, Importer, NotSaidError, Reading, UnreadableError, attachment_name
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import cases, count, label, mapping, number, some
from compliance.importers.values import word as short

TOOL = "scikit-learn"

_AVERAGES = {"macro avg", "weighted avg"}
_SUMMARIES = {*_AVERAGES, "micro avg", "samples avg", "accuracy"}
_COLUMNS = ["", "precision", "recall", "f1-score", "support"]
_CURVES = ({"fpr", "tpr"}, {"prob_true", "prob_pred"}, {"precision", "recall", "threshold"})
_TRUTH = "y_true"
_SCORES = ("y_score", "y_prob", "y_proba", "y_pred_proba")
_DECISION = "y_pred"
_MISSING = {"", "nan", "NaN", "NA", "None", "null"}
_RATES = {"sensitivity": (0, "1"), "specificity": (0, "0"), "ppv": (1, "1"), "npv": (1, "0")}
"""Share of agreement among the cases whose truth (0) or decision (1) is this class."""
_HEADER = re.compile(r"\A\s*precision\s+recall\s+f1-score\s+support\s*\n")
_LINE = re.compile(r"^\s*(?P<name>\S.*?)\s{2,}(?P<figures>[\d.]+(?:\s+[\d.]+){0,3})\s*$", re.MULTILINE)


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and data.keys() >= _AVERAGES and all(isinstance(data[one], dict) for one in _AVERAGES)


def _read(source: Source, given: Given) -> Reading:
    return _reading(mapping(source.json, "the report"), rounded=False)


def _recognise_text(source: Source) -> bool:
    return not source.is_folder and _HEADER.match(source.data[:400].decode("utf-8", errors="replace")) is not None


def _read_text(source: Source, given: Given) -> Reading:
    report: dict[str, Any] = {}
    for line in _LINE.finditer(source.data.decode("utf-8")):
        figures = line["figures"].split()
        if line["name"] == "accuracy" and len(figures) == 2:
            report["accuracy"] = figures[0]
        elif len(figures) == 4:
            report[line["name"]] = dict(zip(("precision", "recall", "f1-score", "support"), figures, strict=True))
    if not report.keys() >= _AVERAGES:
        raise UnreadableError("The report breaks off before its averages.")
    return _reading(report, rounded=True)


def _recognise_frame(source: Source) -> bool:
    return source.table is not None and source.table.header == _COLUMNS


def _read_frame(source: Source, given: Given) -> Reading:
    """Read a report that went through a data frame, where the accuracy stands in all four columns."""
    table = source.table
    assert table is not None
    report: dict[str, Any] = {name: dict(zip(_COLUMNS[1:], figures, strict=True)) for name, *figures in table.rows}
    if table.broken or not report.keys() >= _AVERAGES:
        raise UnreadableError("The report breaks off before its end.")
    if "accuracy" in report:
        report["accuracy"] = report["accuracy"]["recall"]
    for told in report.values():
        if isinstance(told, dict):
            told["support"] = number(told["support"]) and float(told["support"])
    return _reading(report, rounded=False)


def _recognise_curve(source: Source) -> bool:
    return source.table is not None and any(set(source.table.header) >= names for names in _CURVES)


def _read_curve(source: Source, given: Given) -> Reading:
    raise NotSaidError(
        "This is a curve, which does not say how many cases it rests on.",
        remedy="Import the predictions (y_true, y_score): curves and figures are computed from them.",
    )


def _reading(report: Mapping[str, Any], *, rounded: bool) -> Reading:
    rows = Rows()
    classes = {name: mapping(told, name) for name, told in report.items() if name not in _SUMMARIES}
    supports = {name: count(told.get("support")) for name, told in classes.items()}
    total = count(mapping(report["weighted avg"], "weighted avg").get("support"))
    gaps = []
    if not classes:
        raise UnreadableError("The report holds no class.")
    if None in supports.values() or total is None:
        gaps.append("The report does not say how many cases every class has.")
    elif sum(n or 0 for n in supports.values()) != total:
        gaps.append(f"The classes add up to {sum(n or 0 for n in supports.values())} cases, the report says {total}.")
    elif "micro avg" in report and "samples avg" not in report:
        gaps.append("Classes were left out: the report states a micro average in place of an accuracy.")
    if "accuracy" in report:
        x = None if rounded else cases(report["accuracy"], total)
        rows.add("accuracy", None if x is not None else report["accuracy"], n=total or None, x=x)
    for name, told in classes.items():
        group, n = {"class": short(name) or "unnamed"}, supports[name] or None
        x = None if rounded else cases(told["recall"], n)
        rows.add("recall", None if x is not None else told["recall"], group=group, n=n, x=x)
        rows.add("precision", told["precision"], group=group)
        rows.add("f1", told["f1-score"], group=group, n=n)
    for name in [one for one in report if one in _SUMMARIES and one != "accuracy"]:
        for metric in ("precision", "recall", "f1-score"):
            value = mapping(report[name], name)[metric]
            rows.add(
                f"{metric.removesuffix('-score')}_{name.partition(' ')[0]}", value, better="higher", n=total or None
            )
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: classification report of {len(classes)} classes",
        "metrics": sorted(rows.rows, key=lambda row: "group" in row),
        "gaps": [*gaps, *rows.gaps],
    }
    return Reading(records=[record], notes=["Its figures are rounded."] if rounded else [])


# --- raw predictions -------------------------------------------------------------------------------


def _recognise_predictions(source: Source) -> bool:
    table = source.table
    return table is not None and _TRUTH in table.header and bool({*_SCORES, _DECISION} & set(table.header))


def _read_predictions(source: Source, given: Given) -> Reading:
    table = source.table
    assert table is not None
    for column in (given.truth, given.score, *given.groups):
        if column is not None and column not in table.header:
            raise NotSaidError(f"There is no column {column}.", remedy=f"Its columns are: {', '.join(table.header)}.")
    truth = given.truth or _TRUTH
    score = given.score or next((name for name in _SCORES if name in table.header), None)
    gaps = [f"The file does not end as it should: {table.broken}."] if table.broken else []
    withheld = some(len(table.rows), "prediction")
    record: dict[str, Any] = {"kind": "evaluation", "title": f"{TOOL}: {some(len(table.rows), 'prediction')}"}
    if score is not None and not table.broken:
        spec = {"attachment": attachment_name(source), "truth": truth, "score": score}
        record["predictions"] = spec | ({"groups": list(given.groups)} if given.groups else {})
        return Reading(records=[record], gaps=gaps, withheld=withheld)
    if _DECISION not in table.header:
        raise UnreadableError(f"{gaps[0]} Predictions that may not be whole are not computed from.")
    columns = {name: [row[position] for row in table.rows] for position, name in enumerate(table.header)}
    rows, missing = _counted(columns, truth, given.groups)
    if missing:
        gaps.append(f"{missing} of {len(table.rows)} cases lack truth or prediction.")
    return Reading(records=[record | {"metrics": rows.rows, "gaps": rows.gaps}], gaps=gaps, withheld=withheld)


def _counted(columns: Mapping[str, list[str]], truth: str, groups: Sequence[str]) -> tuple[Rows, int]:
    """Count right decisions, and of two classes 0 and 1 the four rates, over all cases and by group."""
    pairs = list(zip(columns[truth], columns[_DECISION], strict=True))
    kept = [position for position, pair in enumerate(pairs) if not _MISSING & set(pair)]
    if not kept:
        raise UnreadableError("No row has both truth and prediction.")
    rows = Rows()
    for group, members in _members(columns, groups, kept):
        for name, x, n in _rates([pairs[position] for position in members]):
            rows.add(name, None, group=group, x=x, n=n)
    return rows, len(pairs) - len(kept)


def _members(
    columns: Mapping[str, list[str]], groups: Sequence[str], kept: list[int]
) -> Iterator[tuple[dict[str, str] | None, list[int]]]:
    yield None, kept
    for column in groups:
        for value in sorted({columns[column][position] for position in kept}):
            members = [position for position in kept if columns[column][position] == value]
            yield {label(column): short(value) or "not recorded"}, members


def _rates(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, int, int]]:
    yield "accuracy", sum(truth == said for truth, said in pairs), len(pairs)
    as_digits = [(_digit(truth), _digit(said)) for truth, said in pairs]
    if any(None in pair for pair in as_digits):
        return
    for name, (side, value) in _RATES.items():
        among = [pair for pair in as_digits if pair[side] == value]
        if among:
            yield name, sum(pair[1 - side] == value for pair in among), len(among)


def _digit(text: str) -> str | None:
    """Return `0` or `1` for a class written so, `1.0` and `true` among it."""
    plain = {"true": "1", "false": "0"}.get(text.strip().lower(), number(text))
    return str(int(float(plain))) if plain is not None and float(plain) in (0.0, 1.0) else None


def predictions(source: Source, given: Given) -> Importer | None:
    """Return the importer of raw predictions where the user named their columns and the table has them."""
    table = source.table if given.truth or given.score else None
    if table is None or (given.truth or _TRUTH) not in table.header:
        return None
    scores = {given.score} if given.score else {*_SCORES, _DECISION}
    return PREDICTIONS if scores & set(table.header) else None


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"f1-score"', b'"support"'),))
TEXT = Importer(TOOL, _recognise_text, _read_text)
FRAME = Importer(TOOL, _recognise_frame, _read_frame)
CURVE = Importer(TOOL, _recognise_curve, _read_curve)
PREDICTIONS = Importer(TOOL, _recognise_predictions, _read_predictions)
