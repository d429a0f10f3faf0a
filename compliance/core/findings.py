"""What an assessment says: verdicts, need results, findings. Values only; `core.assessment` decides them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compliance.core.catalog import Requirement


class Verdict(StrEnum):
    """What the evidence on record lets us say about one requirement."""

    MET = "met"
    PARTIAL = "partial"
    """Some needs are shown, some are not."""
    INSUFFICIENT = "insufficient"
    """Evidence exists but cannot carry the claim."""
    STALE = "stale"
    """It is about an earlier version, or past its age."""
    UNDETERMINED = "undetermined"
    """A person must decide; the catalog carries the question to put to them."""
    GAP = "gap"
    FAILED = "failed"
    """The declared criterion is missed, or a person decided so."""
    NOT_APPLICABLE = "not-applicable"


class NeedVerdict(StrEnum):
    """What the evidence shows of one need."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT = "insufficient"
    STALE = "stale"
    GAP = "gap"


class Rule(StrEnum):
    """Which rule decided, in a word that stays: programs and auditors may rely on it."""

    # of a need
    SHOWN = "shown"
    CRITERION_MISSED = "criterion-missed"
    CONTRARY = "contrary"
    """A value, an order of dates, an identity or a declared figure is otherwise than the need judges."""
    INCOMPLETE = "incomplete"
    PUBLISHED_ONLY = "published-identity"
    NOT_BORNE_OUT = "not-borne-out"
    """It claims a figure that its own predictions do not give."""
    WITHDRAWN = "withdrawn"
    """What it rests on was revoked: its data, the model version itself; or a failure was, and not answered since."""
    WRONG_ROLE = "wrong-data-role"
    WRONG_STATUS = "wrong-status"
    FIELD_MISSING = "field-missing"
    TOO_FEW = "too-few"
    NO_INTERVAL = "no-interval"
    IMPOSSIBLE_INTERVAL = "impossible-interval"
    """No counts give the interval that is stated."""
    GROUP_MISSING = "group-missing"
    NOT_COMPARABLE = "nothing-to-compare"
    SCHEMA = "schema"
    NO_PLAN = "no-plan"
    PLAN_WITHDRAWN = "plan-withdrawn"
    PLAN_FOREIGN = "plan-for-another"
    PLAN_LATE = "plan-late"
    NO_CRITERION = "no-criterion"
    NO_ROW = "no-row"
    NO_APPROVAL = "no-approval"
    WRONG_SIGNER = "wrong-signer"
    OTHER_VERSION = "other-version"
    PAST_AGE = "past-age"
    NOTHING = "nothing-on-record"
    OTHER_EVIDENCE = "only-other-evidence"
    """There is evidence of that kind, about something else."""
    LEDGER = "ledger"
    # of a requirement
    ALL_SHOWN = "all-needs-shown"
    SOME_SHOWN = "some-needs-shown"
    QUESTION_OPEN = "question-open"
    DETERMINED = "determined"
    KNOWN_GAP = "known-gap"
    PROFILE = "profile"
    PROFILE_SILENT = "profile-silent"


@dataclass(frozen=True, slots=True)
class Thing:
    """A model version or dataset: `NAME@VERSION` and its digest."""

    name: str
    sha256: str
    basis: str = "file"

    @property
    def family(self) -> str:
        """The name without its version: what makes another digest an earlier or later version."""
        return self.name.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Said:
    """What a piece of evidence does not say as a need asks: missing, or, `against` it, otherwise."""

    text: str
    against: bool = False
    rule: Rule = Rule.FIELD_MISSING
    field: str = ""
    """Path of the field that it is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class NeedResult:
    need: str
    verdict: NeedVerdict
    reason: str
    evidence: tuple[str, ...] = ()
    """EV numbers that speak for it."""
    against: tuple[str, ...] = ()
    """EV numbers that speak against it, or that could not carry it."""
    next: str = ""
    """The command that would mend it."""
    rule: Rule = Rule.NOTHING
    flags: tuple[str, ...] = ()
    """What a reviewer should see although it decides nothing: a small cell, a start that is only stated."""
    field: str = ""
    """Path, in the content of the need's kind, of the field that decided; the reason names it in words."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "need": self.need,
            "verdict": self.verdict.value,
            "rule": self.rule.value,
            "reason": self.reason,
            "field": self.field or None,
            "flags": list(self.flags),
            "evidence": list(self.evidence),
            "against": list(self.against),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be said about one requirement, why, and what to run next."""

    requirement: Requirement
    catalog: str
    finding: Verdict
    reason: str
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    needs: tuple[NeedResult, ...] = ()
    next: str = ""
    """The exact next command; empty where nothing is left to do."""
    binding: bool = True
    """Whether the row binds on the day of the assessment."""
    applies_from: str | None = None
    ask_open: bool = False
    """Whether the row's question still waits for a person."""
    carried: tuple[str, ...] = ()
    """EV numbers that count by a signed carry-over from an earlier version."""
    rule: Rule = Rule.NOTHING
    missing: str = ""
    """What is missing, in one sentence; empty where nothing is."""
    flags: tuple[str, ...] = ()
    """What a reviewer should see although it decides nothing."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "requirement": self.requirement.id,
            "catalog": self.catalog,
            "ref": self.requirement.ref,
            "finding": self.finding.value,
            "rule": self.rule.value,
            "reason": self.reason,
            "missing": self.missing,
            "flags": list(self.flags),
            "evidence": list(self.evidence),
            "against": list(self.against),
            "needs": [need.to_dict() for need in self.needs],
            "ask": self.requirement.ask if self.ask_open else None,
            "next": self.next,
            "binding": self.binding,
            "applies_from": self.applies_from,
            "carried": list(self.carried),
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reviewer should see that is no finding about one row."""

    topic: str
    text: str
    evidence: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"topic": self.topic, "text": self.text, "evidence": list(self.evidence)}


@dataclass(frozen=True, slots=True)
class Used:
    """A catalog that was assessed against: which text of it, by digest of its file."""

    id: str
    version: str
    sha256: str

    def to_dict(self) -> dict[str, str]:
        return {"id": self.id, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Assessment:
    """Catalogs x evidence x system x date: one finding per requirement."""

    as_of: str
    system: str
    model: Thing | None
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    """By finding, every word present, zero included. A coverage percentage is not computed."""
    notes: tuple[Note, ...] = ()
    catalogs: tuple[Used, ...] = ()

    def finding(self, requirement: str) -> Finding | None:
        return next((found for found in self.findings if found.requirement.id == requirement), None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "system": self.system,
            "model": self.model.name if self.model else None,
            "counts": dict(self.counts),
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": [note.to_dict() for note in self.notes],
            "catalogs": [catalog.to_dict() for catalog in self.catalogs],
        }
