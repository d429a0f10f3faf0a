"""What an evaluation or safety result measured, as a page shows it: rows with counts and intervals, and figures.

A figure is never the only carrier: the table above it holds every number. A computed value prints with three
decimals, a stated one with the digits of its source; the statement below holds them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from markupsafe import Markup

from compliance.core import criteria, recomputed
from compliance.core.cited import rounded
from compliance.core.evidence import Evidence
from compliance.render import figures
from compliance.render.views import METHODS, metric_name

MAX_FORESTS = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric row, ready to print."""

    name: str
    group: str
    value: str
    unit: str
    interval: str
    method: str
    counts: str
    origin: str
    missing: str
    """Why there is no value, where there is none."""
    refuted: str
    """How it differs from its own predictions, where it does."""


@dataclass(frozen=True, slots=True)
class Figure:
    title: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class PlanTest:
    """A result held against its acceptance plan."""

    number: str
    title: str
    tested: list[criteria.Tested]
    late: str | None
    missing: list[str]


def measures(content: Mapping[str, Any]) -> list[Measure]:
    """Return the metric rows, those over all cases first."""
    rows = sorted(criteria.rows(content), key=lambda row: bool(row.get("group")))
    return [_measure(row, recomputed.refuted(content, row)) for row in rows]


def plots(content: Mapping[str, Any], subject: str) -> list[Figure]:
    """Return the figures that the content can carry."""
    found = [*_curves(content, subject), *_calibration(content, subject), *_forests(content, subject)]
    return [Figure(title, Markup(drawing)) for title, drawing in found]  # escaped where it was drawn


def plan_test(result: Evidence, plan: Evidence) -> PlanTest:
    """Test every criterion of the plan that a result names."""
    return PlanTest(
        plan.number, plan.title, criteria.test(result, plan), criteria.declared_late(result, plan),
        criteria.missing_groups(result, plan),
    )  # fmt: skip


def _measure(row: Mapping[str, Any], refuted: str | None) -> Measure:
    stated = row.get("origin", "stated") == "stated"
    own_interval = not stated or row.get("ci_origin") == "computed"
    low, high = row.get("ci_low"), row.get("ci_high")
    level = f"{_percent(row['ci_level'])} " if row.get("ci_level") else ""
    method = str(row.get("ci_method", ""))
    x, n = row.get("x"), row.get("n")
    unit = str(row.get("unit", ""))
    value = row.get("value")
    return Measure(
        name=metric_name(str(row.get("name", ""))),
        group=criteria.group_text(row.get("group")),
        value="" if value is None else _printed(value, stated),
        unit="" if unit in ("proportion", "score", "ratio") else unit,
        interval="" if low is None or high is None else " to ".join(_printed(b, not own_interval) for b in (low, high)),
        method=f"{level}{METHODS.get(method, method)}" if method else "",
        counts=f"{x} of {n}" if x is not None else str(n) if n is not None else "",
        origin="stated; interval computed here" if stated and own_interval else str(row.get("origin", "stated")),
        missing="" if value is not None else str(row.get("reason") or "not reported"),
        refuted=refuted or "",
    )


def _printed(value: Any, stated: bool) -> str:
    text = str(value)
    try:
        return text if stated else rounded(text)
    except InvalidOperation:
        return text


def _percent(level: Any) -> str:
    try:
        return f"{(Decimal(str(level)) * 100).normalize():f} %"
    except InvalidOperation:
        return str(level)


def _curves(content: Mapping[str, Any], subject: str) -> list[tuple[str, str]]:
    for curve in content.get("curves") or []:
        if curve.get("name") == "roc" and not curve.get("group"):
            title = f"ROC curve of {subject}, all cases"
            points = [figures.Point(float(point["x"]), float(point["y"])) for point in curve["points"]]
            return [(title, figures.roc(points, None, title, ["ROC curve", "dashed: no discrimination"]))]
    return []


def _calibration(content: Mapping[str, Any], subject: str) -> list[tuple[str, str]]:
    for table in content.get("calibration") or []:
        bins = [
            figures.Bin(
                float(one["mean_predicted"]), float(one["observed"]), _float(one.get("ci_low")),
                _float(one.get("ci_high")), one["n"],
            )
            for one in table["bins"]
            if one.get("mean_predicted") is not None and one.get("observed") is not None
        ]  # fmt: skip
        if bins and not table.get("group"):
            title = f"Calibration of {subject}, all cases"
            legend = ["Reliability", "dots: bins, area by cases", "bars: intervals", "dashed: perfect"]
            return [(title, figures.reliability(bins, title, legend))]
    return []


def _forests(content: Mapping[str, Any], subject: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rows: Sequence[Mapping[str, Any]] = [row for row in criteria.rows(content) if row.get("value") is not None]
    for name in dict.fromkeys(str(row["name"]) for row in rows):
        mine = sorted((row for row in rows if row["name"] == name), key=lambda row: bool(row.get("group")))
        if len(mine) > 2 and len(found) < MAX_FORESTS:
            title = f"{metric_name(name)} by group, {subject}"
            drawn = [
                figures.Row(
                    criteria.group_text(row.get("group")), float(row["value"]), _float(row.get("ci_low")),
                    _float(row.get("ci_high")),
                )
                for row in mine
            ]  # fmt: skip
            found.append((title, figures.forest(drawn, metric_name(name), title)))
    return found


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
