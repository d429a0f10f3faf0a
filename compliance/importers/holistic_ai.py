"""Holistic AI: a table of metrics with their reference values, saved as CSV, becomes one evaluation.

The reference is the ideal value, so it says what a figure should come near to. The table names neither groups, model,
data, version nor date. Several value columns are groups of cases.
"""

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows, named
from compliance.importers.source import Source
from compliance.importers.values import number

TOOL = "Holistic AI"

_RATIOS = ("impact", "ratio", "fifths")
_DIFFERENCES = ("difference", "parity")
_GROUPS = "Which groups a difference or ratio compares the file does not say."


def _recognise(source: Source) -> bool:
    table = source.table
    return (
        table is not None
        and len(table.header) > 2
        and (table.header[0], table.header[-1]) == ("Metric", "Reference")
        and all(number(row[-1]) is not None for row in table.rows)
    )


def _read(source: Source, given: Given) -> Reading:
    table = source.table
    assert table is not None
    columns = table.header[1:-1]
    rows = Rows()
    for metric, *values, reference in table.rows:
        for column, value in zip(columns, values, strict=True):
            group = {"column": column[:200]} if len(columns) > 1 else None
            if named(metric) is not None and named(metric, "target") != named(metric):
                rows.add(metric, value, group=group)
            else:
                rows.add(metric, value, better="target", unit=_unit(metric), ideal=reference, group=group)
    gaps = [f"The file is cut off: {table.broken}."] if table.broken else []
    if not rows.rows:
        return Reading(records=[no_result(TOOL, "a table without figures", "It holds no metric.")], gaps=gaps)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {', '.join(row[0] for row in table.rows)[:200]}",
        "metrics": rows.rows,
        "limits": [_GROUPS],
        "gaps": rows.gaps,
    }
    return Reading(records=[record], gaps=gaps)


def _unit(metric: str) -> str:
    words = metric.lower()
    if any(word in words for word in _RATIOS):
        return "ratio"
    return "difference" if any(word in words for word in _DIFFERENCES) else "score"


IMPORTER = Importer(TOOL, _recognise, _read)
