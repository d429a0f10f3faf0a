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

    def to_dict(self) -> dict[str, Any]:
        return {
            "need": self.need,
            "verdict": self.verdict.value,
            "reason": self.reason,
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

    def to_dict(self) -> dict[str, Any]:
        return {
            "requirement": self.requirement.id,
            "catalog": self.catalog,
            "ref": self.requirement.ref,
            "finding": self.finding.value,
            "reason": self.reason,
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
