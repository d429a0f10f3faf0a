"""The three figures of a dossier as SVG: ROC curve, reliability diagram, subgroup forest plot.

Drawn directly, so that the same evidence gives the same bytes and text stays text, in the shipped
font. A figure is never the only carrier: each has a text alternative, and the page prints the
table behind it. Coordinates come from the decimal strings of the evidence and are not printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

INK, SOFT, RULE, ACCENT, WARN = "#1b2430", "#5b6673", "#d5dae0", "#1f4e79", "#a4262c"
FONTS = "Dossier Sans, Dossier Math, Noto Sans, sans-serif"
_TICKS = ("0", "0.2", "0.4", "0.6", "0.8", "1")


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve, both coordinates in 0..1."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: mean predicted risk against observed share, with its interval."""

    predicted: float
    observed: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a forest plot; `low` and `high` may be missing, and are then not drawn."""

    label: str
    value: float
    low: float | None
    high: float | None
    criterion: float | None = None
    missed: bool | None = None
    """Whether the declared criterion is missed; None where none was declared for this group."""


class _Canvas:
    """A square plot area with both axes from 0 to 1, inside an SVG of fixed size."""

    def __init__(self, width: float, height: float, left: float, top: float, side: float) -> None:
        self.width, self.height = width, height
        self.left, self.top, self.side = left, top, side
        self.parts: list[str] = []

    def x(self, value: float) -> float:
        return self.left + value * self.side

    def y(self, value: float) -> float:
        return self.top + (1 - value) * self.side

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 0.8, dash: str = "") -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{colour}"'
            f' stroke-width="{width}"{dashes}/>'
        )

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", size: float = 8, colour: str = SOFT,
        bold: bool = False, turn: bool = False,
    ) -> None:  # fmt: skip
        weight = ' font-weight="bold"' if bold else ""
        turned = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if turn else ""
        self.parts.append(
            f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}{turned}>'
            f"{escape(words)}</text>"
        )

    def dot(self, x: float, y: float, radius: float, fill: str, stroke: str = "none") -> None:
        self.parts.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>'
        )

    def axes(self, x_title: str, y_title: str) -> None:
        for tick in _TICKS:
            at = float(tick)
            self.line(self.x(at), self.y(0), self.x(at), self.y(1), RULE, 0.5)
            self.line(self.x(0), self.y(at), self.x(1), self.y(at), RULE, 0.5)
            self.text(self.x(at), self.y(0) + 12, tick, anchor="middle")
            self.text(self.x(0) - 6, self.y(at) + 3, tick, anchor="end")
        self.line(self.x(0), self.y(0), self.x(1), self.y(0), INK)
        self.line(self.x(0), self.y(0), self.x(0), self.y(1), INK)
        self.text(self.x(0.5), self.y(0) + 27, x_title, anchor="middle", size=8.5, colour=INK)
        self.text(self.x(0) - 30, self.y(0.5), y_title, anchor="middle", size=8.5, colour=INK, turn=True)
        self.line(self.x(0), self.y(0), self.x(1), self.y(1), SOFT, 0.8, "3 3")

    def curve(self, points: Sequence[Point], colour: str = ACCENT) -> None:
        path = "M" + "L".join(f"{self.x(p.x):.2f} {self.y(p.y):.2f}" for p in points)
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>'
        )

    def svg(self, title: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width:g} {self.height:g}"'
            f' width="{self.width:g}pt" height="{self.height:g}pt" font-family="{FONTS}">'
            f"<title>{escape(title)}</title>{''.join(self.parts)}</svg>"
        )


def roc(points: Sequence[Point], operating: Point | None, title: str, legend: Sequence[str]) -> str:
    """Return the ROC curve: sensitivity against 1 - specificity, with the operating point if one is declared."""
    canvas = _Canvas(430, 262, 44, 8, 216)
    canvas.axes("1 − specificity", "Sensitivity")
    canvas.curve(points)
    if operating is not None:
        x, y = canvas.x(operating.x), canvas.y(operating.y)
        canvas.line(x, canvas.y(0), x, y, WARN, 0.7, "2 2")
        canvas.line(canvas.x(0), y, x, y, WARN, 0.7, "2 2")
        canvas.dot(x, y, 3.6, "#ffffff", WARN)
    _legend(canvas, legend, 278)
    return canvas.svg(title)


def reliability(bins: Sequence[Bin], title: str, legend: Sequence[str]) -> str:
    """Return the reliability diagram: observed share against mean predicted risk, per bin, dots by bin size."""
    canvas = _Canvas(430, 262, 44, 8, 216)
    canvas.axes("Mean predicted risk", "Observed share")
    largest = max(b.n for b in bins)
    for low, high in pairwise(bins):
        canvas.line(
            canvas.x(low.predicted),
            canvas.y(low.observed),
            canvas.x(high.predicted),
            canvas.y(high.observed),
            ACCENT,
            1,
        )
    for b in bins:
        x = canvas.x(b.predicted)
        if b.low is not None and b.high is not None:
            canvas.line(x, canvas.y(b.low), x, canvas.y(b.high), ACCENT, 1)
            for bound in (b.low, b.high):
                canvas.line(x - 3, canvas.y(bound), x + 3, canvas.y(bound), ACCENT, 1)
        canvas.dot(x, canvas.y(b.observed), 1.8 + 2.7 * (b.n / largest) ** 0.5, ACCENT)
    _legend(canvas, legend, 278)
    return canvas.svg(title)


def _legend(canvas: _Canvas, lines: Sequence[str], left: float) -> None:
    for number, words in enumerate(lines):
        canvas.text(left, 22 + 13 * number, words, size=8.5, colour=INK, bold=number == 0)


def forest(rows: Sequence[Row], axis: str, title: str) -> str:
    """Return the forest plot: one line per group with interval and criterion; a missed criterion is hollow and red.

    Its figures stand in the table below it, where each is a link.
    """
    step, top, left, plot, wide = 16, 10, 140, 320, 480
    bottom = top + step * len(rows)
    low, high = _span(rows)
    canvas = _Canvas(wide, bottom + 32, left, top, plot)

    def x(value: float) -> float:
        return left + plot * (value - low) / (high - low)

    for tick in _ticks(low, high):
        canvas.line(x(tick), top - 4, x(tick), bottom, RULE, 0.5)
        canvas.text(x(tick), bottom + 12, f"{tick:g}", anchor="middle")
    canvas.line(x(low), bottom, x(high), bottom, INK)
    canvas.text(left + plot / 2, bottom + 27, axis, anchor="middle", size=8.5, colour=INK)
    for number, row in enumerate(rows):
        middle = top + step * number + step / 2 - 2
        colour = WARN if row.missed else ACCENT
        canvas.text(0, middle + 3, row.label, colour=INK, bold=number == 0)
        if row.criterion is not None:
            canvas.line(x(row.criterion), middle - 7, x(row.criterion), middle + 7, INK, 1.4)
        if row.low is not None and row.high is not None:
            canvas.line(x(row.low), middle, x(row.high), middle, colour, 1.3)
        canvas.dot(x(row.value), middle, 3.1, "#ffffff" if row.missed else colour, colour)
    return canvas.svg(title)


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    """Return axis limits that hold every value, in tenths, inside 0..1 where all values are."""
    values = [v for r in rows for v in (r.value, r.low, r.high, r.criterion) if v is not None]
    low, high = int(min(values) * 10) / 10, -(int(-max(values) * 10) - 1) / 10
    if min(values) >= 0 and max(values) <= 1:
        low, high = max(0.0, low), min(1.0, high)
    return (low, high) if high > low else (low - 0.1, low + 0.1)


def _ticks(low: float, high: float) -> list[float]:
    for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        count = (high - low) / step
        if count <= 6:
            break
    first = round(low / step)
    return [round(k * step, 6) for k in range(first, round(high / step) + 1) if low - 1e-9 <= k * step <= high + 1e-9]
