"""Fairlearn: a `MetricFrame`'s `by_group`, saved as CSV or JSON, becomes one evaluation; disparities another.

A table by group is known by its `count`: without it, no reader could tell a group of two cases from one of thousands.
JSON by column or row does not name the attribute, which is asked for. A group without cases has no figure, and one of
few cases is flagged. `overall` and `difference()` are saved alike, so neither is read.
Model, data, version and date are in none of the files.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, NotSaidError, Reading, no_result
from compliance.importers.metrics import Rows, named
from compliance.importers.source import Source
from compliance.importers.values import cases, count, label, mapping, number, present

TOOL = "Fairlearn"

_COUNT = "count"
_OF_ALL = {"accuracy", "accuracy_score", "selection_rate", "zero_one_loss", "error_rate"}
"""Shares of all cases of a group; the others are shares of some of them."""
_NAMES = {
    "accuracy_score": "accuracy",
    "recall_score": "recall",
    "precision_score": "precision",
    "balanced_accuracy_score": "balanced_accuracy",
    "zero_one_loss": "error_rate",
    "log_loss": "log_loss",
}
_DISPARITIES = {
    f"{name}_{sort}": ("difference", "lower") if sort == "difference" else ("ratio", "higher")
    for name in (
        "demographic_parity", "equalized_odds", "equal_opportunity", "selection_rate", "accuracy_score",
        "true_positive_rate", "false_positive_rate", "true_negative_rate", "false_negative_rate",
    )
    for sort in ("difference", "ratio")
}  # fmt: skip
"""Fairlearn's disparities between groups: the smallest difference is 0, the best ratio 1."""

_FEW = 10
"""Cases of a group below which a figure is flagged."""

_Line = tuple[dict[str, str], Mapping[str, Any]]


def _is_metric(name: str) -> bool:
    return name == _COUNT or named(_NAMES.get(name, name)) is not None


def _table(source: Source) -> tuple[list[str], list[_Line]] | None:
    """Return the attributes and, group by group, the figures of a table that names its attributes."""
    if source.table is not None:
        header = source.table.header
        lines = [dict(zip(header, row, strict=True)) for row in source.table.rows]
    elif isinstance(source.json, dict) and isinstance(source.json.get("data"), list) and "schema" in source.json:
        lines = [one for one in source.json["data"] if isinstance(one, dict)]
        header = list(lines[0]) if lines else []
    elif isinstance(source.json, list) and source.json and all(isinstance(one, dict) for one in source.json):
        lines, header = source.json, list(source.json[0])
    else:
        return None
    first = next((at for at, name in enumerate(header) if _is_metric(str(name))), 0)
    attributes, figures = [str(name) for name in header[:first]], header[first:]
    known = {name for name in figures if _is_metric(str(name))}
    if not all(header == list(one) for one in lines):
        return None
    if not first or _COUNT not in known or len(known) < 2 or not all(number(one.get(_COUNT)) for one in lines[:1]):
        return None
    return attributes, [
        ({label(name): str(one[name])[:200] for name in attributes}, {name: one.get(name) for name in figures})
        for one in lines
    ]


def _nameless(source: Source) -> dict[str, Mapping[str, Any]] | None:
    """Return the figures by group of a JSON table that does not name its attributes."""
    data = source.json
    if not isinstance(data, dict) or not data or not all(isinstance(one, dict) for one in data.values()):
        return None
    if _COUNT in data and all(_is_metric(name) for name in data):
        return {group: {name: data[name].get(group) for name in data} for group in data[_COUNT]}
    if all(_COUNT in one and len(one) > 1 and all(_is_metric(name) for name in one) for one in data.values()):
        return data
    return None


def _recognise(source: Source) -> bool:
    return _nameless(source) is not None or _table(source) is not None


def _read(source: Source, given: Given) -> Reading:
    groups = _nameless(source)
    if groups is not None:
        lines = [(_named_group(name, given), figures) for name, figures in groups.items()]
        attributes = list(given.groups)
    else:
        table = _table(source)
        assert table is not None
        attributes, lines = table
    rows = Rows()
    gaps = list(_add(rows, lines))
    if source.table is not None and source.table.broken:
        gaps.append(f"The file is cut off: {source.table.broken}.")
    if not rows.rows:
        return Reading(records=[no_result(TOOL, "a table without figures", "No group has a figure.")], gaps=gaps)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: by {', '.join(attributes)}",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "summary": " ".join(rows.notes()),
    }
    return Reading(records=[record], gaps=gaps)


def _named_group(key: str, given: Given) -> dict[str, str]:
    """Return a group whose attributes the user names. Raises NotSaidError where they are not named, or others."""
    values = [key]
    if key.startswith("("):
        try:
            values = [str(value) for value in ast.literal_eval(key)]
        except (ValueError, SyntaxError) as error:
            raise ValueError(f"{key} is no group") from error
    if len(given.groups) != len(values):
        raise NotSaidError(
            f"Fairlearn's JSON does not name the {len(values)} attributes of the group {key}.",
            remedy="Name them in order with --group, one option each, such as --group sex.",
        )
    return {label(name): value[:200] for name, value in zip(given.groups, values, strict=True)}


def _add(rows: Rows, lines: list[_Line]) -> Iterator[str]:
    for group, figures in lines:
        n = count(float(number(figures.get(_COUNT)) or "nan"))
        if not n:
            yield f"No case is {' and '.join(f'{name} {value}' for name, value in group.items())}: it has no figure."
            continue
        for name, value in figures.items():
            if name == _COUNT:
                continue
            x = cases(value, n) if name in _OF_ALL else None
            row = rows.add(
                _NAMES.get(name, name), value if x is None else None, group=group, x=x, n=n if name in _OF_ALL else None
            )
            if row is not None and name not in _OF_ALL:
                row["note"] = f"The group has {n} cases; how many of them this figure is about the file does not say."
            if row is not None and n < _FEW:
                row["small"] = True


def _recognise_disparities(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and bool(data) and data.keys() <= _DISPARITIES.keys()


def _read_disparities(source: Source, given: Given) -> Reading:
    rows = Rows()
    for name, value in mapping(source.json, "the file").items():
        unit, better = _DISPARITIES[name]
        rows.add(name, value, unit=unit, better=better)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: disparities between groups",
        "metrics": rows.rows,
        "limits": ["Which groups are compared, and how many cases they have, the file does not say."],
        "gaps": rows.gaps,
    }
    return Reading(records=[present(record)])


def _recognise_alike(source: Source) -> bool:
    if source.table is not None:
        table = source.table
        names = [row[0] for row in table.rows]
        return table.header == ["", "0"] and _COUNT in names and all(_is_metric(name) for name in names)
    data = source.json
    return (
        isinstance(data, dict)
        and len(data) > 1
        and _COUNT in data
        and all(_is_metric(name) and (value is None or number(value)) for name, value in data.items())
    )


def _read_alike(source: Source, given: Given) -> Reading:
    raise NotSaidError(
        "Fairlearn saves `overall` and `difference()` alike, so nobody can tell which of them this is.",
        remedy="Import `by_group`, saved with to_csv, instead.",
    )


IMPORTER = Importer(TOOL, _recognise, _read)
DISPARITIES = Importer(TOOL, _recognise_disparities, _read_disparities)
ALIKE = Importer(TOOL, _recognise_alike, _read_alike)
