"""What a template may see of evidence and findings. Values are `Cited`; links are markup; the rest is text.

This is the public interface of section templates: no view hands out a bare number, and no view
lets a template reach the record behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from html import escape
from typing import Any

from compliance.core import criteria, recomputed
from compliance.core.cited import DECIMALS, Citations, Cited, Markup, Node, node, rounded, words
from compliance.core.dossier import Dossier, Draw, Section, SectionSpec
from compliance.core.evidence import Basis, Evidence
from compliance.core.findings import Finding, NeedResult, Verdict
from compliance.errors import UnknownReference
from compliance.kinds import in_order

FEW = 4
"""Evidence numbers that a cell prints before it points to the matrix."""
MANY = 8
"""Pieces of evidence from which a brief list becomes a line of links to where they stand in full."""
LABELS = {
    "roc_auc": "ROC AUC", "pr_auc": "PR AUC", "ppv": "Positive predictive value", "npv": "Negative predictive value",
    "brier": "Brier score", "ece": "Expected calibration error", "c_index": "C-index", "f1": "F1", "mcc": "MCC",
    "icc": "ICC", "mae": "MAE", "rmse": "RMSE", "r2": "R²", "pass_at_1": "Pass@1", "auc_drop": "AUC drop",
    "age_band": "age band",
}  # fmt: skip
METHODS = {
    "clopper-pearson": "Clopper-Pearson, exact", "delong": "DeLong", "bootstrap": "bootstrap",
    "cluster-bootstrap": "cluster bootstrap", "stated-without-method": "method not stated by the source",
    "wilson": "Wilson", "wald": "Wald", "profile-likelihood": "profile likelihood",
}  # fmt: skip
DESCRIBED = {
    "users": "Intended users", "patients": "Intended patients", "environment": "Environment of use",
    "workflow": "Place in the workflow", "ai_function": "What the AI does", "inputs": "Input", "outputs": "Output",
    "interfaces": "Interaction with hardware, software and other AI systems",
    "software": "Software and firmware versions, updates", "supply": "Forms of supply",
    "hardware": "Hardware to run on", "user_interface": "User interface", "architecture": "Architecture and resources",
    "oversight": "Human oversight", "logging": "Automatic logs", "configuration": "Configuration",
    "maintenance": "Installation, maintenance, lifetime",
}  # fmt: skip


def link(number: str) -> Markup:
    """Return an evidence number as a link to its line in the evidence index."""
    return Markup(f'<a class="ev" href="#{escape(number)}">{escape(number)}</a>')


def links(numbers: Sequence[str], more: str = "") -> Markup:
    """Return evidence numbers as links, runs as first to last; beyond a few, one link to where all of them stand."""
    runs = _runs(numbers)
    shown = runs if not more or len(runs) <= FEW else runs[: FEW - 1]
    parts = [link(a).html if a == b else f"{link(a).html} to {link(b).html}" for a, b in shown]
    if len(shown) < len(runs):
        parts.append(f'<a class="xref" href="#{escape(more)}">and&nbsp;more</a>')
    return Markup(", ".join(parts) or '<span class="none">none</span>')


def _runs(numbers: Sequence[str]) -> list[tuple[str, str]]:
    """Return runs of three or more consecutive numbers as (first, last), all others alone, in order."""
    found: list[list[str]] = []
    for number in sorted(set(numbers), key=_index):
        if found and _index(number) == _index(found[-1][-1]) + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return [
        pair
        for run in found
        for pair in ([(run[0], run[-1])] if len(run) > 2 else [(number, number) for number in run])
    ]


def _index(number: str) -> int:
    return int(number.removeprefix("EV-"))


def xref(spec: SectionSpec) -> Markup:
    """Return a section's number as a link to it."""
    return Markup(f'<a class="xref" href="#{spec.anchor}">{escape(spec.id)}</a>')


def label(word: str) -> Markup:
    """Return a verdict as a label: colour, and always the word."""
    return Markup(f'<span class="verdict v-{escape(word)}">{escape(word.replace("-", " "))}</span>')


def metric_name(name: str) -> str:
    return LABELS.get(name, words(name))


def group_label(group: Mapping[str, Any]) -> str:
    """Return a group of cases as a reader would say it."""
    return ", ".join(f"{LABELS.get(k, k.replace('_', ' '))} {v}" for k, v in group.items()) or "All"


class MetricView:
    """One metric row of an evaluation or safety result."""

    def __init__(self, evidence: Evidence, position: int, row: dict[str, Any], citations: Citations) -> None:
        self._evidence, self._row, self._citations = evidence, row, citations
        self._at = f"predicate.content.metrics[{position}]"
        self.name = metric_name(str(row["name"]))
        self.key = str(row["name"])
        self.groups = {str(k): str(v) for k, v in (row.get("group") or {}).items()}
        self.group = group_label(self.groups)
        self.number = link(evidence.number)
        self.origin = str(row.get("origin", "stated"))
        self.small = bool(row.get("small"))
        self.refuted = recomputed.refuted(evidence.content, row)
        self.has_value = row.get("value") is not None
        self.has_interval = row.get("ci_low") is not None and row.get("ci_high") is not None
        self.has_counts = row.get("x") is not None and row.get("n") is not None
        self.has_n = row.get("n") is not None
        self.reason = str(row.get("reason") or "not reported by the source")
        self.unit = "" if row.get("unit") in (None, "proportion", "score", "ratio") else str(row["unit"])
        method = str(row.get("ci_method", ""))
        self.method = METHODS.get(method, method)
        self.ours = self.origin != "stated" or row.get("ci_origin") == "computed"
        self.added = self.ours and self.origin == "stated"
        """The source states the value; the interval is computed here from its counts."""

    def _cite(self, field: str, decimals: int | None = None) -> Cited:
        return Cited(str(self._row[field]), self._evidence.number, f"{self._at}.{field}", self._citations, decimals)

    @property
    def value(self) -> Cited:
        return self._cite("value", None if self.origin == "stated" else DECIMALS)

    @property
    def x(self) -> Cited:
        return self._cite("x")

    @property
    def n(self) -> Cited:
        return self._cite("n")

    @property
    def interval(self) -> Markup:
        decimals = DECIMALS if self.ours else None
        low, high = self._cite("ci_low", decimals), self._cite("ci_high", decimals)
        return Markup(f"{low.__html__()} – {high.__html__()}")

    @property
    def level(self) -> str:
        """The confidence level in per cent, as words of the method column."""
        return f"{(Decimal(str(self._row['ci_level'])) * 100).normalize():f} %"

    @property
    def counts(self) -> Markup:
        return Markup(f"{self.x.__html__()} / {self.n.__html__()}")

    def matches(self, metric: str, group: dict[str, str]) -> bool:
        return self._row["name"] == metric and self.groups == group

    def holds(self, field: str) -> bool:
        return self._row.get(field) is not None

    def against(self, field: str, threshold: str) -> Markup:
        """One field with as many digits as it takes to tell it from a threshold."""
        value = str(self._row[field])
        printed = rounded(value, DECIMALS, threshold) if self.ours else value
        self._citations.add(self._evidence.number, f"{self._at}.{field}", value, printed)
        return Markup(f'<a class="cite" href="#{self._evidence.number}">{escape(printed)}</a>')

    def raw(self, field: str) -> float | None:
        """The value for drawing only; figures take it, templates cannot print it."""
        value = self._row.get(field)
        return None if value is None else float(value)


class CriterionView:
    """One criterion of an acceptance plan, and what a result made of it."""

    def __init__(
        self, plan: Evidence, position: int, result: Evidence, outcome: criteria.Tested, citations: Citations
    ) -> None:
        self._criterion: dict[str, Any] = plan.content["criteria"][position]
        self._plan, self._result, self._citations = plan, result, citations
        self._at = f"predicate.content.criteria[{position}]"
        group = self._criterion.get("group") or {}
        found = [
            (i, row) for i, row in enumerate(criteria.rows(result.content))
            if row["name"] == self._criterion["metric"] and (row.get("group") or {}) == group
        ]  # fmt: skip
        self.row = MetricView(result, found[0][0], dict(found[0][1]), citations) if len(found) == 1 else None
        self.id, self.key = str(self._criterion["id"]), str(self._criterion["metric"])
        self.name = metric_name(self.key)
        self.threshold = float(self._criterion["threshold"])
        self.group = group_label(group)
        self.outcome, self.reason = label(outcome.outcome.value), outcome.reason
        self.missed = outcome.outcome is criteria.Outcome.MISSED
        self.bound = {"ci_low": "lower bound", "ci_high": "upper bound"}.get(
            str(self._criterion.get("bound", "ci_low")), "value"
        )
        self.plan, self.result = link(plan.number), link(result.number)
        self.has_minimum = self._criterion.get("min_n") is not None

    @property
    def demand(self) -> Markup:
        """What was declared: the bound, the comparison, the threshold."""
        sign = {">=": "≥", "<=": "≤", "==": "="}.get(
            str(self._criterion["comparator"]), str(self._criterion["comparator"])
        )
        threshold = Cited(
            str(self._criterion["threshold"]), self._plan.number, f"{self._at}.threshold", self._citations
        )
        return Markup(f"{self.bound} {escape(sign)}&nbsp;{threshold.__html__()}")

    @property
    def minimum(self) -> Cited:
        return Cited(str(self._criterion["min_n"]), self._plan.number, f"{self._at}.min_n", self._citations)

    @property
    def tested(self) -> Markup:
        """The bound as found, with the digits it takes to tell it from the threshold."""
        field = str(self._criterion.get("bound", "ci_low"))
        if self.row is None or not self.row.holds(field):
            return Markup('<span class="none">none</span>')
        return self.row.against(field, str(self._criterion["threshold"]))


class EvidenceView:
    """One piece of evidence."""

    def __init__(self, evidence: Evidence, citations: Citations) -> None:
        self._evidence, self._citations = evidence, citations
        predicate = evidence.predicate
        source = predicate.get("source", {})
        self.id = evidence.number
        self.number = link(evidence.number)
        self.title, self.kind = evidence.title, evidence.kind
        self.summary = str(predicate.get("summary", ""))
        self.basis = str(source.get("basis", ""))
        self.how = " ".join(str(source[k]) for k in ("tool", "tool_version") if source.get(k))
        self.completeness = evidence.completeness
        self.completeness_reason = str(predicate.get("completeness_reason") or "")
        self.date = evidence.logged_at[:10]
        self.recorded_by = str(predicate.get("recorded_by", ""))
        self.subjects = [str(s["name"]) for s in evidence.subjects]
        self.subject = ", ".join(self.subjects)
        self.identity = any(s.get("annotations", {}).get("basis") == Basis.IDENTITY for s in evidence.subjects)

    @cached_property
    def content(self) -> Node:
        """The kind's own fields, in the order in which the kind declares them."""
        return Node(in_order(self.kind, self._evidence.content), self.id, "predicate.content", self._citations)

    @property
    def digests(self) -> list[tuple[str, Cited, str]]:
        """Its subjects: name, digest, what bytes the digest is of."""
        return [
            (str(s["name"]), Cited(s["digest"]["sha256"], self.id, f"subject[{i}].digest.sha256", self._citations),
             str(s.get("annotations", {}).get("basis", "")))
            for i, s in enumerate(self._evidence.subjects)
        ]  # fmt: skip

    def drawing(self, field: str) -> list[dict[str, Any]]:
        """The tables of a field for drawing only; templates cannot print a plain table."""
        return list(self._evidence.content.get(field) or [])

    def at(self, path: str, value: Any) -> Node | Cited:
        """A part of the content, for printing the data behind a figure."""
        return node(value, self.id, f"predicate.content.{path}", self._citations)

    @property
    def has_groups_in_columns(self) -> bool:
        """Whether a column of a dataset is also told group by group."""
        return any(column.get("by_group") for column in self._evidence.content.get("columns") or [])

    @property
    def citation(self) -> Node | None:
        found = self._evidence.predicate.get("source", {}).get("citation")
        return Node(found, self.id, "predicate.source.citation", self._citations) if found else None

    @property
    def attachments(self) -> Node | Cited:
        found = list(self._evidence.predicate.get("attachments", []))
        return node(found, self.id, "predicate.attachments", self._citations)

    @property
    def metrics(self) -> list[MetricView]:
        rows = self._evidence.content.get("metrics", [])
        return [MetricView(self._evidence, i, row, self._citations) for i, row in enumerate(rows)]

    @property
    def overall(self) -> list[MetricView]:
        return [m for m in self.metrics if not m.groups]

    @property
    def subgroups(self) -> list[MetricView]:
        return [m for m in self.metrics if m.groups]

    def metric(self, name: str, **group: str) -> MetricView:
        """Return the row with exactly this metric and group. Raises UnknownReference: a blank reads as a claim."""
        for metric in self.metrics:
            if metric.matches(name, group):
                return metric
        wanted = f"{name} for {group}" if group else name
        raise UnknownReference(f"{self.id} holds no {wanted}.", remedy="Mend the section template, or log the figure.")


class DrawnView:
    """What one name of a section's `draws` stands for: pieces of evidence, oldest first."""

    def __init__(
        self, name: str, pieces: Sequence[Evidence], draw: Draw, citations: Citations, elsewhere: SectionSpec | None
    ) -> None:
        self.name, self.full = words(name), draw.show == "full"
        self.elsewhere = xref(elsewhere) if elsewhere else None
        """The section that prints these in full, where this one is brief."""
        self.many = len(pieces) > MANY
        self.items = [EvidenceView(e, citations) for e in pieces]
        self.kind = pieces[0].kind if pieces else ""

    def __bool__(self) -> bool:
        return bool(self.items)

    def __iter__(self) -> Iterator[EvidenceView]:
        return iter(self.items)

    @property
    def newest(self) -> EvidenceView:
        if not self.items:
            raise UnknownReference(f"Nothing on record for {self.name}.", remedy="Test `{% if … %}` before it is used.")
        return self.items[-1]

    def metric(self, name: str, **group: str) -> MetricView:
        """Return a figure of the newest piece that has it."""
        for piece in reversed(self.items):
            for metric in piece.metrics:
                if metric.matches(name, group):
                    return metric
        return self.newest.metric(name, **group)


class NeedView:
    def __init__(self, result: NeedResult) -> None:
        self.need, self.reason = result.need.replace("-", " "), result.reason
        self.verdict = label(result.verdict.value)
        self.evidence = links(result.evidence)
        self.against = links(result.against)
        self.has_evidence, self.has_against = bool(result.evidence), bool(result.against)


class FindingView:
    """One finding about one requirement."""

    def __init__(self, finding: Finding, dossier: Dossier) -> None:
        requirement = finding.requirement
        self.id, self.ref, self.text = requirement.id, requirement.ref, requirement.text
        self.anchor = "r-" + requirement.id.replace("/", "-").replace(".", "-")
        self.catalog, self.status = finding.catalog, requirement.status
        self.word = finding.finding.value
        self.verdict = label(finding.finding.value)
        self.reason = finding.reason
        self.flags = " ".join(finding.flags)
        self.evidence = links(finding.evidence, self.anchor)
        self.against = links(finding.against, self.anchor)
        self.has_evidence, self.has_against = bool(finding.evidence), bool(finding.against)
        self.applies_from = finding.applies_from or ""
        self.binding = finding.binding
        self.ask = requirement.ask if finding.ask_open and requirement.ask else ""
        self.carried = links(finding.carried) if finding.carried else None
        self.needs = [NeedView(n) for n in finding.needs]
        spec = dossier.section_of(requirement.id)
        self.section = xref(spec) if spec else Markup("–")

    @property
    def applies(self) -> str:
        if not self.applies_from:
            return ""
        return f"since {self.applies_from}" if self.binding else f"from {self.applies_from}"


def by_reason(findings: Sequence[FindingView]) -> list[tuple[str, list[FindingView]]]:
    """Group findings by the reason they share."""
    groups: dict[str, list[FindingView]] = {}
    for finding in findings:
        groups.setdefault(finding.reason, []).append(finding)
    return list(groups.items())


def by_section(findings: Sequence[FindingView]) -> list[tuple[Markup, list[FindingView]]]:
    """Group findings by the section that answers them."""
    groups: dict[Markup, list[FindingView]] = {}
    for finding in findings:
        groups.setdefault(finding.section, []).append(finding)
    return list(groups.items())


def verdict_strip(findings: Sequence[FindingView]) -> Markup:
    """Return the findings as one label per word that occurs, with how many carry it."""
    tally: dict[str, int] = {}
    for finding in findings:
        tally[finding.word] = tally.get(finding.word, 0) + 1
    order = [v.value for v in Verdict]
    return Markup(
        " ".join(f'{label(w).html}<a class="tally" href="#matrix">{tally[w]}</a>' for w in order if w in tally)
    )


class SectionView:
    """One section as its template sees it; what it draws stands beside it by name."""

    def __init__(self, section: Section, dossier: Dossier, citations: Citations) -> None:
        self.id, self.title, self.anchor = section.spec.id, section.spec.title, section.spec.anchor
        self.solo = dossier.is_solo(section.spec)
        self.place, self.note = section.spec.place or "", section.spec.note or ""
        self.findings = [FindingView(f, dossier) for f in section.findings]
        self.unassessed = list(section.unassessed)
        self.reached = [f for f in self.findings if f.word != Verdict.NOT_APPLICABLE or f.has_evidence]
        self.unreached = by_reason([f for f in self.findings if f not in self.reached])
        """Rows that the profile rules out, grouped by the reason."""
        self.described = [(name, DESCRIBED.get(name, words(name))) for name in section.described]
        self.undescribed = [DESCRIBED.get(n, words(n)) for n in section.spec.describes if n not in section.described]
        self.is_gap = section.is_gap
        self.kinds = sorted({draw.kind for draw in section.spec.draws.values()})
        self.drawn = {
            name: DrawnView(
                name,
                pieces,
                section.spec.draws[name],
                citations,
                dossier.in_full(section.spec, section.spec.draws[name]),
            )
            for name, pieces in section.drawn.items()
        }
        self.has_evidence = bool(section.evidence)
