"""NannyML: a table of chunks saved as CSV becomes one observation of monitoring, rows by period and chunk.

CBPE and DLE estimate performance without truth: their figures are called `estimated_…`, stand beside the measured one
where truth came later, and never under its name. Chunks of the reference and of the analysis have the same keys, so the
period belongs to the group. A chunk without value, and truth that is missing, make the record incomplete; an alert is
told. The table is written with one, two or three rows of headers; versions before 0.8 put `estimated_` and the like
before a metric's name. Model, data and version are not in it.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows, named
from compliance.importers.source import Rows as Table
from compliance.importers.source import Source
from compliance.importers.values import clip, count, number
from compliance.kinds.metrics import KNOWN

TOOL = "NannyML"

_METHODS = ("kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger", "chi2", "l_infinity")
"""Distances between the chunk's values of a column and the reference's."""
_LOWER = {"mape", "mse", "msle", "rmsle"}
_HEADERS = 3
_FIRST = {
    "estimated": "value", "realized": "realized", "sampling_error": "sampling_error", "alert": "alert",
    "upper_confidence": "upper_confidence_boundary", "lower_confidence": "lower_confidence_boundary",
    "upper_threshold": "upper_threshold", "lower_threshold": "lower_threshold",
}  # fmt: skip
"""What versions before 0.8 wrote before an estimated metric's name, and what newer ones write behind it."""


def _table(source: Source) -> Table | None:
    """Return the table under one row of headers, as `to_df(multilevel=False)` names its columns."""
    if source.data.startswith(b"chunk_key,"):
        return source.table
    if not source.data.startswith((b",chunk,chunk", b"chunk,chunk")):
        return _first(source.table)
    lines = source.data.decode("utf-8", errors="replace").splitlines(keepends=True)
    heads = list(csv.reader(lines[:_HEADERS]))
    depth = next((at for at, row in enumerate(heads) if row and row[0].isdigit()), len(heads))
    columns = zip(*heads[:depth], strict=False)
    names = ["_".join(part for at, part in enumerate(column) if part not in column[:at]) or "row" for column in columns]
    flat = ",".join(names) + "\n" + "".join(lines[depth:])
    return Source.of(source.name, flat.encode()).table


def _first(table: Table | None) -> Table | None:
    """Return an estimate of a version before 0.8 under the names of newer ones."""
    if table is None or not {"key", "period"} <= set(table.header):
        return None
    metrics = [name.removeprefix("estimated_") for name in table.header if name.startswith("estimated_")]
    names = {f"{old}_{metric}": f"{metric}_{new}" for metric in metrics for old, new in _FIRST.items()}
    about = ("key", "chunk_index", "start_index", "end_index", "start_date", "end_date", "period")
    names |= {name: name if name.startswith("chunk_") else f"chunk_{name}" for name in about}
    return Table([names.get(name, name) for name in table.header], table.rows, table.broken) if metrics else None


def _recognise(source: Source) -> bool:
    table = _table(source)
    return table is not None and {"chunk_key", "chunk_period"} <= set(table.header)


def _read(source: Source, given: Given) -> Reading:
    table = _table(source)
    assert table is not None
    lines = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    rows, alerts = Rows(), []
    gaps = [f"The file is cut off: {table.broken}."] if table.broken else []
    for line in lines:
        group = {"period": line["chunk_period"] or "not stated", "chunk": line["chunk_key"][:200]}
        told = f"chunk {line['chunk_key']} of the {group['period']}"
        missing = number(line.get("chunk_targets_missing_rate"))
        if missing is not None and float(missing) > 0:
            gaps.append(f"Of {told} a share of {missing} has no truth.")
        for name in _measured(table.header):
            _add(rows, name, line, group)
            if line[f"{name}_alert"].lower() == "true":
                estimated = "estimated " if f"{name}_realized" in line else ""
                alerts.append(f"Alert: {estimated}{name} in {told}.")
            elif line[f"{name}_alert"].lower() != "false":
                gaps.append(f"Whether {name} raised an alert in {told} is not stated.")
    if not rows.rows:
        return Reading(
            records=[no_result(TOOL, "a table without figures", "No column could be taken over.")], gaps=gaps
        )
    analysed = [line for line in lines if line["chunk_period"] == "analysis"]
    record = {
        "kind": "monitoring",
        "type": "observation",
        "title": f"{TOOL}: {', '.join(dict.fromkeys(row['name'] for row in rows.rows))}"[:250],
        "metrics": rows.rows,
        "methods": "Estimated figures were computed without truth."
        if any(row["name"].startswith("estimated_") for row in rows.rows)
        else "Each chunk is held against the reference.",
        "conclusion": clip(" ".join(alerts), 5000) if alerts else f"No alert in {len(lines)} chunks.",
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
        **_period(analysed),
        **_cases(analysed),
    }
    return Reading(records=[record])


def _measured(header: list[str]) -> Iterator[str]:
    """Yield the metrics and the columns' distances of a table."""
    for name in header:
        if name.endswith("_value") and f"{name.removesuffix('_value')}_alert" in header:
            yield name.removesuffix("_value")


def _add(rows: Rows, name: str, line: Mapping[str, str], group: dict[str, str]) -> None:
    """Add a figure of one chunk, and beside an estimate what was measured."""
    value = line[f"{name}_value"]
    limits = [number(line.get(f"{name}_{which}_threshold")) or "none" for which in ("lower", "upper")]
    note = f"NannyML's limits: {limits[0]} to {limits[1]}."
    method = next((method for method in _METHODS if name.endswith(f"_{method}")), None)
    if method:
        about = group | {"column": name.removesuffix(f"_{method}")[:200], "method": method}
        rows.add("drift_distance", value or "nothing", better="lower", group=about, note=note)
        return
    row = named(name, "lower" if name in _LOWER else None)
    if row is None:
        if name not in rows.left_out:
            rows.left_out.append(name)
        return
    error = line.get(f"{name}_sampling_error")
    realized = line.get(f"{name}_realized")
    if f"{name}_realized" not in line:
        better = "lower" if name in _LOWER else None
        rows.add(name, value or "nothing", better=better, group=group, note=note, standard_error=error)
        return
    low, high = (number(line.get(f"{name}_{which}_confidence_boundary")) or "?" for which in ("lower", "upper"))
    rows.add(
        f"estimated_{name}",
        value or "nothing",
        better=row.get("better") or KNOWN[row["name"]].better,
        group=group,
        note=f"An estimate without truth, {low} to {high}. {note}",
        standard_error=error,
    )
    if realized and number(realized) is not None:
        rows.add(name, realized, better=row.get("better"), group=group, note="Measured where truth came later.")


def _period(lines: list[dict[str, str]]) -> dict[str, Any]:
    days = [day for line in lines for end in ("start", "end") if (day := _day(line.get(f"chunk_{end}_date")))]
    return {"period": {"start": min(days), "end": max(days)}} if days else {}


def _day(moment: str | None) -> str | None:
    try:
        return date.fromisoformat((moment or "")[:10]).isoformat()
    except ValueError:
        return None


def _cases(lines: list[dict[str, str]]) -> dict[str, Any]:
    ends = [(count(line.get("chunk_start_index")), count(line.get("chunk_end_index"))) for line in lines]
    told = [last - first + 1 for first, last in ends if first is not None and last is not None]
    return {"cases": sum(told)} if told and len(told) == len(lines) else {}


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"chunk_key,", b"chunk_period"),))
