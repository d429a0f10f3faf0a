"""Acceptance criteria: were they declared before the result, and does the result meet them?

A criterion is tested on the bound of the confidence interval that its plan names, never on the point
estimate, in decimal arithmetic. Order is proof: the plan stands earlier in the ledger than the result,
and was logged before the run began.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any

from compliance.core import bounds
from compliance.core.evidence import Evidence
from compliance.core.findings import Rule

CUSTOMARY = Decimal("0.95")
"""Level below which an interval says less than readers expect, and the finding says so: our own convention."""
ALWAYS = {">=": Decimal(0), "<=": Decimal(1)}
"""Thresholds that every share of cases meets."""
COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {">=": ge, ">": gt, "<=": le, "<": lt}


class Outcome(StrEnum):
    PASSED = "passed"
    MISSED = "missed"
    UNTESTED = "untested"
    """The result cannot carry the claim: a row, an interval or cases are missing."""


@dataclass(frozen=True, slots=True)
class Tested:
    """One criterion against one result."""

    criterion: str
    metric: str
    outcome: Outcome
    reason: str
    rule: Rule = Rule.SHOWN
    row: Mapping[str, Any] = field(default_factory=dict)
    """The row that it was tested on."""
    weaker: str = ""
    """On what it was tested, where that is less than the customary interval: allowed, and printed as such."""


def rows(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the metric rows of an evaluation or safety result."""
    found: Sequence[Mapping[str, Any]] = content.get("metrics") or []
    return found


def group_text(group: Mapping[str, Any] | None) -> str:
    """Return a group as printed: sex F, age_band 80+; or `overall`."""
    return ", ".join([f"{key} {value}" for key, value in sorted(group.items())]) if group else "overall"


def declared_late(result: Evidence, plan: Evidence) -> str | None:
    """Return why the plan was not fixed beforehand, or None where it was."""
    if plan.index > result.index:
        return f"The criterion was declared after the result: plan {plan.number} stands later than {result.number}."
    started = result.content.get("started_at")
    if not started:
        return (
            f"{result.number} does not say when the run started, so nothing shows that plan {plan.number} came first."
        )
    if started > result.logged_at:
        return f"{result.number} says that the run started {started}, after it was itself logged {result.logged_at}."
    if plan.logged_at >= started:
        return (
            f"The criterion was declared after the run had begun: plan {plan.number} was logged {plan.logged_at}, "
            f"the run started {started} ({how_known(result)})."
        )
    return None


def how_known(result: Evidence) -> str:
    """Say how the start of a run is known: a start that its author states is weaker than one that was captured."""
    return "as captured" if result.predicate.get("source", {}).get("how") == "capture" else "as stated"


def foreign_plan(result: Evidence, plan: Evidence, family: str) -> str | None:
    """Return why the plan does not govern this result, or None where it does."""
    model = plan.content.get("model")
    name = model.get("name", "") if isinstance(model, Mapping) else str(model or family)
    if name.partition("@")[0] != family:
        return f"Plan {plan.number} is for {name}, not for {family}."
    wanted, dataset = plan.content.get("data_role"), result.content.get("dataset")
    role = dataset.get("role") if isinstance(dataset, Mapping) else None
    if wanted and wanted != role and (role or result.kind == "evaluation"):
        used = f"used {role} data" if role else "names no dataset"
        return f"Wrong data role: plan {plan.number} is for {wanted} data, {result.number} {used}."
    return None


def missing_groups(result: Evidence, plan: Evidence, metrics: Collection[str] | None = None) -> list[str]:
    """Return the groups that the plan declared and for which the result has no value of a metric under a criterion.

    `metrics` are those that are asked about; left out: all that the plan has criteria on.
    """
    if result.kind != "evaluation" and plan.content.get("applies_to") not in (result.kind, "both"):
        return []
    asked = metrics or {one["metric"] for one in plan.content.get("criteria") or []}
    told = [row for row in rows(result.content) if row["name"] in asked and row.get("value") is not None]
    reported = [row.get("group") or {} for row in told]
    return [group_text(group) for group in plan.content.get("groups") or [] if group not in reported]


def test(result: Evidence, plan: Evidence) -> list[Tested]:
    """Return every criterion of the plan that speaks to this result, as the result meets it."""
    criteria = plan.content.get("criteria") or []
    return [_test(result, criterion) for criterion in criteria if _speaks_to(result, plan, criterion)]


def _speaks_to(result: Evidence, plan: Evidence, criterion: Mapping[str, Any]) -> bool:
    """One plan may fix criteria for performance and for several safety categories; each goes to its own results."""
    if category := criterion.get("category"):
        return bool(result.content.get("category") == category)
    if applies_to := plan.content.get("applies_to"):
        return applies_to in (result.kind, "both")
    return result.kind == "evaluation" or any(row["name"] == criterion["metric"] for row in rows(result.content))


def about(tested: Sequence[Tested], metrics: Collection[str] | None) -> list[Tested]:
    """Return the tests that concern these metrics; all where none are named."""
    return [one for one in tested if metrics is None or one.metric in metrics] if tested else []


def _test(result: Evidence, criterion: Mapping[str, Any]) -> Tested:
    name, metric, group = str(criterion["id"]), str(criterion["metric"]), criterion.get("group") or {}
    label = f"{metric} ({group_text(group)})"

    row: Mapping[str, Any] = {}

    def told(outcome: Outcome, reason: str, rule: Rule) -> Tested:
        return Tested(name, metric, outcome, reason, rule, row, _weaker(criterion, row))

    matching = [row for row in rows(result.content) if row["name"] == metric and (row.get("group") or {}) == group]
    if not matching:
        return told(
            Outcome.UNTESTED,
            f"{result.number} has no row for {label}, which criterion {name} asks for.",
            Rule.GROUP_MISSING if group else Rule.NO_ROW,
        )
    if len(matching) > 1:
        why = f"{result.number} has {len(matching)} rows for {label}; criterion {name} needs one."
        return told(Outcome.UNTESTED, why, Rule.NO_ROW)
    row = matching[0]
    if why_not := _accepts_anything(criterion, row):
        return told(Outcome.UNTESTED, f"{label} in {result.number}: {why_not}", Rule.NO_CRITERION)
    minimum, cases = criterion.get("min_n"), row.get("n")
    if minimum is not None and (cases is None or cases < minimum):
        why = f"Too few cases for {label} in {result.number}: n {cases}, criterion {name} asks for {minimum}."
        return told(Outcome.UNTESTED, why, Rule.TOO_FEW)
    events = criterion.get("min_positives")
    if events is not None and (row.get("positives") or 0) < events:
        why = f"Too few cases with the condition for {label} in {result.number}: criterion {name} asks for {events}."
        return told(Outcome.UNTESTED, why, Rule.TOO_FEW)
    bound = criterion["bound"]
    value = row.get(bound)
    if value is None:
        what = "no value" if bound == "value" else "no interval"
        why = f"{label} in {result.number} has {what}, which criterion {name} is tested on."
        return told(Outcome.UNTESTED, why, Rule.NO_INTERVAL)
    if bound != "value" and (never := bounds.impossible(row)):
        return told(Outcome.UNTESTED, f"{label} in {result.number}: {never}", Rule.IMPOSSIBLE_INTERVAL)
    level = criterion.get("ci_level")
    if bound != "value" and level is not None and Decimal(str(row.get("ci_level", "NaN"))) != Decimal(str(level)):
        why = f"{label} in {result.number} has no {level} interval, which criterion {name} names."
        return told(Outcome.UNTESTED, why, Rule.NO_INTERVAL)
    holds = COMPARE[criterion["comparator"]](Decimal(str(value)), Decimal(str(criterion["threshold"])))
    shown = (
        f"{label} {bound} {value} {'meets' if holds else 'misses'} {criterion['comparator']} {criterion['threshold']}"
    )
    outcome, rule = (Outcome.PASSED, Rule.SHOWN) if holds else (Outcome.MISSED, Rule.CRITERION_MISSED)
    return told(outcome, f"{shown} (criterion {name}).", rule)


def _accepts_anything(criterion: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """Return why a criterion on a metric of somebody's own is none; on metrics that we know, its plan was refused."""
    comparator, better = criterion["comparator"], row.get("better")
    if better in ("higher", "lower") and (better == "higher") != (">" in comparator):
        return f"it is better {better}, so {comparator} of criterion {criterion['id']} would accept the worse."
    if row.get("unit") == "proportion" and ALWAYS.get(comparator) == Decimal(str(criterion["threshold"])):
        return (
            f"every share is {comparator} {criterion['threshold']}, so nothing could miss criterion {criterion['id']}."
        )
    return None


def _weaker(criterion: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    if criterion["bound"] == "value":
        return "the point estimate"
    level = str(criterion.get("ci_level") or row.get("ci_level") or CUSTOMARY)
    return f"an interval of level {level}" if Decimal(level) < CUSTOMARY else ""
