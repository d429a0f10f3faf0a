"""What to do next: the exact command for a finding, and the most useful steps first. Pure text."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from compliance.core.catalog import AUDIT_TRAIL, Need, Requirement
from compliance.core.findings import Assessment, Finding, NeedResult, NeedVerdict, Rule, Thing, Verdict

_URGENCY = {
    Verdict.FAILED: 0,
    Verdict.STALE: 1,
    Verdict.INSUFFICIENT: 2,
    Verdict.PARTIAL: 3,
    Verdict.GAP: 4,
    Verdict.UNDETERMINED: 5,
}
MEASURED_ON = ("test", "external-test", "calibration", "monitoring", "benchmark")
"""Roles of data that a version is measured on; it is made from the others."""
_TIER = {"C": 0, "S": 1, "X": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and every requirement that it would serve."""

    command: str
    requirements: tuple[str, ...]
    """The one whose finding is most urgent comes first."""
    reason: str
    """Of that finding: what it lacks, in one sentence, or its question."""
    shared: bool
    """Whether all of them have that reason."""
    finding: Verdict


def for_need(requirement: Requirement, need: Need, result: NeedResult, model: Thing | None) -> str:
    """Return the command that would mend a need that did not pass; empty for one that did."""
    name = model.name if model else "NAME@VERSION"
    against = result.against[0] if result.against else ""
    if result.verdict is NeedVerdict.PASSED:
        return ""
    if need.kind == AUDIT_TRAIL:
        return "compliance verify"
    if model is None and need.about != "system":
        return "compliance log model PATH --name NAME --version VERSION"
    if result.verdict is NeedVerdict.FAILED:
        return f"compliance show {against}"
    if result.verdict is NeedVerdict.STALE and need.about == "model-version" and model and need.max_age_days is None:
        return (
            f"compliance determine {requirement.id} --model {name} --decision carried-over "
            f"--carry {against} --based-on EV --reason TEXT"
        )
    if result.rule is Rule.NO_APPROVAL and need.approved and against:
        return f"compliance approve {against} --meaning {need.approved.meaning}"
    if result.rule is Rule.PUBLISHED_ONLY and need.about == "model-version":
        return f"compliance log model PATH --name {name.partition('@')[0]} --version VERSION"
    if result.rule is Rule.OTHER_EVIDENCE and need.kind == need.about == "dataset" and against:
        measured = _role(need) in MEASURED_ON
        return (
            f"compliance log evaluation FILE --model {name}" if measured else "compliance log record training-run.yaml"
        )
    if result.verdict is NeedVerdict.INSUFFICIENT and need.kind in ("model-version", "dataset"):
        return f"compliance log record {need.kind}.yaml"
    return for_kind(need, name)


def for_kind(need: Need, model: str) -> str:
    """Return the command that logs evidence of the need's kind."""
    bare, _, version = model.partition("@")
    commands = {
        "model-version": f"compliance log model PATH --name {bare} --version {version}",
        "dataset": f"compliance log dataset PATH --name NAME --version VERSION --role {_role(need)}",
        "evaluation": f"compliance log evaluation FILE --model {model} --dataset NAME@VERSION",
        "safety-result": "compliance log safety FILE",
        "training-run": "compliance capture --run ID",
        "system-description": "compliance log record compliance.toml",
    }
    return commands.get(need.kind, f"compliance log record {need.kind}.yaml")


def _role(need: Need) -> str:
    """Return the role of data that a need asks for, the first where it names several."""
    roles = (str(value) for path, values in need.where.items() if path.endswith("role") for value in values)
    return next(roles, "test")


def for_ask(requirement: Requirement, model: Thing | None) -> str:
    """Return the command by which a person answers a row's question."""
    name = model.name if model else "NAME@VERSION"
    return f"compliance determine {requirement.id} --model {name} --decision met --reason TEXT"


def next_steps(assessment: Assessment, limit: int | None = None) -> list[Step]:
    """Return the steps that are left, most useful first.

    A failure before a gap, what binds before what binds later, core rows before contextual ones; among
    equals, the command that serves the most requirements.
    """
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in assessment.findings:
        if finding.next:
            groups[_command(finding)].append(finding)
    ranked = sorted(groups.items(), key=lambda item: (*_rank(item[1]), item[0]))
    steps = [_step(command, findings) for command, findings in ranked]
    return steps if limit is None else steps[:limit]


def _command(finding: Finding) -> str:
    """Let the questions of all rows of one catalog share a step: they are one sitting for one person."""
    if finding.finding is Verdict.UNDETERMINED and finding.ask_open:
        return finding.next.replace(finding.requirement.id, f"{finding.catalog}/…")
    return finding.next


def _rank(findings: Sequence[Finding]) -> tuple[int, int, int, int]:
    urgency = min(_URGENCY.get(found.finding, 9) for found in findings)
    return (urgency, 0 if any(found.binding for found in findings) else 1, _tier(findings), -len(findings))


def _tier(findings: Sequence[Finding]) -> int:
    return min(_TIER[found.requirement.tier] for found in findings)


def _step(command: str, findings: Sequence[Finding]) -> Step:
    first = min(findings, key=lambda found: (_URGENCY.get(found.finding, 9), found.requirement.id))
    shared = all((found.reason, found.finding) == (first.reason, first.finding) for found in findings)
    names = dict.fromkeys([first.requirement.id, *(found.requirement.id for found in findings)])
    reason = first.reason if first.finding is Verdict.UNDETERMINED else first.missing or first.reason
    return Step(command, tuple(names), reason, shared, first.finding)
