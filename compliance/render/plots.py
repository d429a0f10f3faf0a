"""From evidence to figures: which rows, curves and bins of a record a figure is drawn from.

A figure that the record cannot carry is None, and the template says so; nothing is interpolated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compliance.core import criteria
from compliance.core.cited import Citations, Markup, Node
from compliance.core.dossier import Dossier
from compliance.core.evidence import Evidence
from compliance.render import figures
from compliance.render.views import (
    CriterionView,
    DrawnView,
    EvidenceView,
    FindingView,
    MetricView,
    link,
    links,
    metric_name,
    verdict_strip,
    xref,
)


@dataclass(frozen=True, slots=True)
class FigureView:
    """One figure: the drawing, what it shows in words, and where its data stand."""

    anchor: str
    title: str
    drawing: Markup
    alternative: str
    evidence: EvidenceView
    data: Any
    """The rows it was drawn from, as the template prints them."""

    def thinned(self, most: int) -> list[Any]:
        """Return at most so many of the rows, evenly spaced, the first and the last among them."""
        rows = list(self.data)
        step = max(-(-(len(rows) - 1) // (most - 1)), 1)
        return [*rows[:-1:step], *rows[-1:]]


@dataclass(frozen=True, slots=True)
class PlanView:
    """A result held against its acceptance plan."""

    plan: EvidenceView
    result: EvidenceView
    criteria: list[CriterionView]
    late: str
    missing: list[str]
    declared: str
    started: str


class Figures:
    """What section templates call to draw."""

    def roc(self, evidence: EvidenceView) -> FigureView | None:
        """Return the ROC curve over all cases, with the operating point where sensitivity and specificity stand."""
        at, curve = _overall(evidence, "curves", name="roc")
        if curve is None:
            return None
        points = [figures.Point(float(p["x"]), float(p["y"])) for p in curve["points"]]
        sensitivity, specificity = _row(evidence, "sensitivity"), _row(evidence, "specificity")
        operating = None
        if sensitivity is not None and specificity is not None:
            operating = figures.Point(1 - specificity, sensitivity)
        title = f"ROC curve of {evidence.subject}"
        legend = ["ROC curve, all cases", "blue: the curve", "dashed: no discrimination"]
        legend += ["red ring: operating point"] if operating else []
        alternative = (
            f"{title}: sensitivity against one minus specificity at {len(points)} thresholds; "
            "points of it stand in the table below, all of them in the evidence."
        )
        return FigureView(
            f"fig-roc-{evidence.id}", title, Markup(figures.roc(points, operating, alternative, legend)), alternative,
            evidence, evidence.at(f"curves[{at}].points", curve["points"]),
        )  # fmt: skip

    def calibration(self, evidence: EvidenceView) -> FigureView | None:
        """Return the reliability diagram over all cases; bins withheld for their size are not drawn."""
        at, table = _overall(evidence, "calibration")
        if table is None:
            return None
        bins = [
            figures.Bin(
                float(b["mean_predicted"]),
                float(b["observed"]),
                _number(b.get("ci_low")),
                _number(b.get("ci_high")),
                b["n"],
            )
            for b in table["bins"]
            if b.get("mean_predicted") is not None and b.get("observed") is not None
        ]
        if not bins:
            return None
        title = f"Calibration of {evidence.subject}"
        alternative = (
            f"{title}: observed share against mean predicted risk in {len(bins)} bins, with intervals; "
            "the table below lists every bin."
        )
        legend = ["Reliability", "dots: bins, area by cases", "bars: intervals", "dashed: perfect calibration"]
        return FigureView(
            f"fig-cal-{evidence.id}", title, Markup(figures.reliability(bins, alternative, legend)), alternative,
            evidence, evidence.at(f"calibration[{at}].bins", table["bins"]),
        )  # fmt: skip

    def forest(self, evidence: EvidenceView, metric: str, plan: PlanView | None = None) -> FigureView | None:
        """Return one metric by group, the whole first, each with its criterion where one was declared."""
        rows = [m for m in evidence.metrics if m.key == metric and m.has_value]
        if not any(m.groups for m in rows):
            return None
        rows.sort(key=lambda m: bool(m.groups))
        declared = {} if plan is None else {(c.key, c.group): c for c in plan.criteria}
        drawn = [_forest_row(m, declared.get((m.key, m.group))) for m in rows]
        name = metric_name(metric)
        title = f"{name} by group, {evidence.subject}"
        missed = [m.group for m, r in zip(rows, drawn, strict=True) if r.missed]
        alternative = f"{title}: {len(rows)} groups with intervals; the table below lists every figure. " + (
            f"Criterion missed: {', '.join(missed)}."
            if missed
            else "No criterion declared for it is missed."
            if any(r.criterion is not None for r in drawn)
            else "No criterion was declared for it."
        )
        return FigureView(
            f"fig-{metric}-{evidence.id}", title, Markup(figures.forest(drawn, name, alternative)), alternative,
            evidence, rows,
        )  # fmt: skip


class Whole:
    """What a section may ask of the dossier as a whole."""

    def __init__(self, dossier: Dossier, citations: Citations) -> None:
        self._dossier, self._citations = dossier, citations
        self.model = dossier.model.name if dossier.model else "no model version on record"
        self.identity = bool(dossier.model and dossier.model.basis == "identity")
        self.system_evidence = link(dossier.system_evidence)
        self.findings = [FindingView(f, dossier) for f in dossier.findings]
        self.sections = [(s.spec.id, s.spec.title, s.spec.place or "", xref(s.spec)) for s in dossier.sections]
        self.second_index = dossier.manifest.second_index or ""
        self.by_place = sorted((s for s in self.sections if s[2]), key=lambda s: _natural(s[2]))
        self.notes = [(n.topic, n.text, [link(e) for e in n.evidence]) for n in dossier.notes]

    def plan(self, result: EvidenceView) -> PlanView | None:
        """Return the acceptance plan that a result names, tested; None where it names none on record."""
        evidence = self._evidence(result)
        wanted = evidence.content.get("plan") or {}
        plan = next(
            (
                e
                for e in self._dossier.evidence
                if e.kind == "acceptance-plan" and e.is_about(str(wanted.get("sha256")))
            ),
            None,
        )
        if plan is None:
            return None
        tested = criteria.test(evidence, plan)
        return PlanView(
            plan=EvidenceView(plan, self._citations),
            result=result,
            criteria=[CriterionView(plan, i, evidence, t, self._citations) for i, t in enumerate(tested)],
            late=criteria.declared_late(evidence, plan) or "",
            missing=criteria.missing_groups(evidence, plan),
            declared=plan.logged_at.replace("T", " ").replace("Z", " UTC"),
            started=str(evidence.content.get("started_at", "not stated")).replace("T", " ").replace("Z", " UTC"),
        )

    def plans(self, drawn: DrawnView) -> list[PlanView]:
        """Return every drawn result that names a plan, held against it."""
        return [p for p in (self.plan(e) for e in drawn) if p is not None]

    def about(self, prefix: str) -> list[FindingView]:
        """Return the findings of one article or annex point: `eu-ai-act/art-9`."""
        return [f for f in self.findings if _under(f.id, prefix)]

    def all(self, kind: str) -> list[EvidenceView]:
        """Return all current evidence of a kind, oldest first."""
        current = self._dossier.current(self._dossier.evidence)
        return [EvidenceView(e, self._citations) for e in current if e.kind == kind]

    def approvals(self, piece: EvidenceView) -> list[EvidenceView]:
        """Return the approvals that name a piece of evidence."""
        digest = self._evidence(piece).digest
        return [a for a in self.all("approval") if self._evidence(a).is_about(digest)]

    def tally(self, prefix: str) -> Markup | None:
        """Return the findings of one article as labels with counts; None where the catalogs have no row of it."""
        found = self.about(prefix)
        return verdict_strip(found) if found else None

    def finding_evidence(self, prefix: str) -> Markup:
        return links(
            sorted({n for f in self._dossier.findings if _under(f.requirement.id, prefix) for n in f.evidence})
        )

    def _evidence(self, view: EvidenceView) -> Evidence:
        return self._dossier.evidence[_index(self._dossier.evidence, view.id)]


def system_node(dossier: Dossier, citations: Citations) -> Node:
    """Return the signed system description, for templates."""
    return Node(dossier.system, dossier.system_evidence, "predicate.content", citations)


def _under(requirement: str, prefix: str) -> bool:
    return requirement == prefix or requirement.startswith(f"{prefix}.")


def _natural(place: str) -> list[tuple[int, int, str]]:
    """Sort `Annex II 10` behind `Annex II 6.1`."""
    parts = "".join(c if c.isalnum() else " " for c in place).split()
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]


def _index(evidence: Sequence[Evidence], number: str) -> int:
    return next(i for i, e in enumerate(evidence) if e.number == number)


def _overall(evidence: EvidenceView, field: str, **wanted: str) -> tuple[int, dict[str, Any] | None]:
    """Return the table over all cases of a record, with its position."""
    for position, table in enumerate(evidence.drawing(field)):
        if not table.get("group") and all(table.get(k) == v for k, v in wanted.items()):
            return position, table
    return 0, None


def _row(evidence: EvidenceView, metric: str) -> float | None:
    return next((m.raw("value") for m in evidence.overall if m.key == metric), None)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _forest_row(metric: MetricView, criterion: CriterionView | None) -> figures.Row:
    value = metric.raw("value")
    if value is None:
        raise ValueError(f"{metric.name} has no value to draw")
    return figures.Row(
        label=metric.group,
        value=value,
        low=metric.raw("ci_low"),
        high=metric.raw("ci_high"),
        criterion=criterion.threshold if criterion else None,
        missed=criterion.missed if criterion else None,
    )
