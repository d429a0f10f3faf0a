"""What closes the gate: which findings block a release, and which exceptions somebody gave, why, and until when.

Pure: the day is an argument. An exception names the findings that it excuses, so that a gap that was accepted does
not also excuse the failure that it may turn into; after its last day it excuses nothing. Every one is printed every
time, used or not: an exception that nobody sees is a hole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from compliance.core.catalog import RequirementId, Text
from compliance.core.evidence import IsoDate, Name, Strict
from compliance.core.findings import Finding, Verdict
from compliance.core.findings import Rule as Reason

Open = Literal["failed", "gap", "insufficient", "stale", "partial", "undetermined"]
OPEN: tuple[Open, ...] = ("failed", "gap", "insufficient", "stale", "partial", "undetermined")
"""Everything that is neither met nor out of scope, most urgent first."""


Day = Annotated[IsoDate, BeforeValidator(lambda given: given.isoformat() if isinstance(given, date) else given)]
"""A calendar day; TOML may write it without quotes."""


class Rule(Strict):
    """What blocks, for all catalogs or for one."""

    block: list[Open] = Field(default=list(OPEN))
    """Findings that close the gate."""
    binding_only: bool = False
    """Whether a row closes it only once it binds, on the day of the assessment."""


class GateException(Strict):
    """Findings that somebody lets pass, for a reason and for a while."""

    requirement: RequirementId | None = None
    catalog: Name | None = None
    """The requirement, or the whole catalog, that is excepted: one of the two."""
    findings: list[Open] = Field(min_length=1)
    """What is excused; anything else still blocks."""
    reason: Text
    expires: Day
    """The last day on which it counts."""

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.requirement is None) == (self.catalog is None):
            raise ValueError("names a requirement or a catalog: one of the two")
        return self

    @property
    def subject(self) -> str:
        return self.requirement or self.catalog or ""

    def covers(self, finding: Finding) -> bool:
        named = finding.requirement.id == self.requirement or finding.catalog == self.catalog
        return named and finding.finding.value in self.findings


class Policy(Rule):
    """`[gate]` of compliance.toml, or a file of its own: what blocks a release."""

    catalogs: dict[Name, Rule] = Field(default={})
    """Another rule for one catalog."""
    exceptions: list[GateException] = Field(default=[])

    def rule(self, catalog: str) -> Rule:
        return self.catalogs.get(catalog, self)


@dataclass(frozen=True, slots=True)
class Applied:
    """An exception, and what it excused this time."""

    exception: GateException
    excused: tuple[str, ...]
    """Requirements."""
    expired: bool

    def to_dict(self) -> dict[str, Any]:
        said = self.exception.model_dump(mode="json", exclude_none=True)
        return said | {"excused": list(self.excused), "expired": self.expired}


@dataclass(frozen=True, slots=True)
class Decision:
    """Every open finding, sorted by what the policy makes of it."""

    blocking: tuple[Finding, ...]
    excused: Mapping[str, GateException]
    """Requirement id and the exception that lets it pass."""
    not_binding: tuple[Finding, ...]
    """Passed over because the row does not bind yet, or at all."""
    allowed: tuple[Finding, ...]
    """Of a kind that the policy does not block."""
    exceptions: tuple[Applied, ...]


def decide(policy: Policy, findings: Sequence[Finding], on: str) -> Decision:
    """Return what the policy makes of each finding that is neither met nor not applicable, on the day `on`.

    A row of which the profile does not say whether it applies blocks whatever the policy lists: nobody looked at it.
    """
    blocking, not_binding, allowed = [], [], []
    excused: dict[str, GateException] = {}
    live = [exception for exception in policy.exceptions if exception.expires >= on]
    for finding in findings:
        if finding.finding in (Verdict.MET, Verdict.NOT_APPLICABLE):
            continue
        rule = policy.rule(finding.catalog)
        unsaid = finding.rule is Reason.PROFILE_SILENT
        if finding.finding.value not in rule.block and not unsaid:
            allowed.append(finding)
        elif rule.binding_only and not finding.binding:
            not_binding.append(finding)
        elif exception := next((each for each in live if each.covers(finding)), None):
            excused[finding.requirement.id] = exception
        else:
            blocking.append(finding)
    applied = tuple(
        Applied(
            exception,
            tuple(requirement for requirement, by in excused.items() if by is exception),
            exception.expires < on,
        )
        for exception in policy.exceptions
    )
    return Decision(tuple(blocking), excused, tuple(not_binding), tuple(allowed), applied)
