"""Assessing a workspace: its evidence against its catalogs, for one model version, as of one day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from compliance.core.assessment import assess
from compliance.core.evidence import Evidence
from compliance.core.findings import Assessment, Finding, Note, Thing, Verdict
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import catalogs as catalogs_
from compliance.services.verify import verify_workspace

if TYPE_CHECKING:
    from compliance.services.verify import Report
    from compliance.services.workspace import Workspace

BLOCKING = (Verdict.FAILED, Verdict.GAP, Verdict.INSUFFICIENT, Verdict.STALE, Verdict.PARTIAL, Verdict.UNDETERMINED)
"""What closes the gate by default: everything that is not met and not out of scope."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model version may be released, and what stands in the way."""

    assessment: Assessment
    blocking: tuple[Finding, ...]
    ledger_ok: bool

    @property
    def ok(self) -> bool:
        return self.ledger_ok and not self.blocking

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "as_of": self.assessment.as_of,
            "model": self.assessment.to_dict()["model"],
            "ledger": "verified" if self.ledger_ok else "does not verify",
            "blocking": [finding.to_dict() for finding in self.blocking],
        }


def assess_workspace(
    ws: "Workspace",
    *,
    model: str | None = None,
    catalogs: Sequence[str] | None = None,
    as_of: str | date | None = None,
    stop: int | None = None,
    ledger: "Report | None" = None,
) -> Assessment:
    """Return one finding per requirement of the system's catalogs (or of `catalogs`).

    `model` is NAME@VERSION (default: the newest version on record of the system's model); `as_of` a day, by what
    the ledger held at its end (UTC); `stop` a ledger size; `ledger` what verification said, where it was asked
    already. Profile, catalogs and model count as signed.
    Raises InvalidInput for a day that is none, UnknownReference for a name that is not on record.
    """
    day = _day(as_of)
    evidence = ws.evidence(stop=stop, as_of=day)
    signed = ws.system_record(evidence).content
    found = assess(
        catalogs_.load_all(catalogs or signed["system"].get("catalogs", [])),
        evidence,
        signed["profile"],
        system=ws.config.system.id,
        model=model_version(evidence, model or signed["system"].get("model"), required=model is not None),
        on=day.isoformat(),
        ledger=ledger or verify_workspace(ws.root),
    )
    if not ws.profile_differs(evidence):
        return found
    note = Note(
        "profile",
        "compliance.toml differs from what is signed, and what is signed is used; "
        "`compliance log record compliance.toml` signs the new one.",
    )
    return replace(found, notes=(note, *found.notes))


def gate(
    ws: "Workspace",
    *,
    model: str | None = None,
    catalogs: Sequence[str] | None = None,
    as_of: str | date | None = None,
) -> Gate:
    """Say whether the model version may be released: no finding blocks, and the ledger verifies.

    A row that binds only from a later day blocks too: a gate that stands open because a law does not apply yet
    would look like one that stands open because nothing is missing.
    """
    ledger = verify_workspace(ws.root)
    assessment = assess_workspace(ws, model=model, catalogs=catalogs, as_of=as_of, ledger=ledger)
    blocking = tuple(finding for finding in assessment.findings if finding.finding in BLOCKING)
    return Gate(assessment, blocking, ledger.ok)


def model_version(evidence: Sequence[Evidence], name: str | None, *, required: bool) -> Thing | None:
    """Return the model version called NAME@VERSION, or the newest version of NAME.

    Returns None where nothing of that name is on record, and raises UnknownReference if it is `required`.
    """
    for piece in reversed(evidence):
        if name is not None and piece.kind == "model-version":
            subject = piece.subjects[0]
            if name in (subject["name"], subject["name"].partition("@")[0]):
                return Thing(subject["name"], subject["digest"]["sha256"], subject["annotations"]["basis"])
    if required:
        raise UnknownReference(
            f"No model version on record is called {name}.", remedy="`compliance list --kind model-version` shows them."
        )
    return None


def _day(given: str | date | None) -> date:
    if given is None:
        return datetime.now(UTC).date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(f"{given!r} is no calendar date.", remedy="Write it as 2026-11-23.") from None
