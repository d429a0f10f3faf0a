"""Assessing a workspace: its evidence against its catalogs, for one model version, as of one day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from compliance.core.assessment import assess
from compliance.core.completeness import TOPIC, newest
from compliance.core.evidence import Evidence
from compliance.core.findings import Assessment, Note, Thing
from compliance.core.shelf import standing_versions
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import own_catalogs
from compliance.services.own_catalogs import InUse
from compliance.services.verify import verify_workspace

if TYPE_CHECKING:
    from compliance.services.verify import Report
    from compliance.services.workspace import Workspace

PROFILE = Note(
    "profile",
    "compliance.toml, or a catalog that it names, differs from what is signed, and what is signed is used; "
    "`compliance log record compliance.toml` signs the new one.",
)
NO_LOOK = Note(
    TOPIC,
    "compliance.toml tracks experiments or models of MLflow, but no look at them is on record, so nothing says what "
    "was left out: `compliance capture --all` looks.",
)


def assess_workspace(
    ws: "Workspace",
    *,
    model: str | None = None,
    catalogs: Sequence[str] | Sequence[InUse] | None = None,
    as_of: str | date | None = None,
    stop: int | None = None,
    ledger: "Report | None" = None,
) -> Assessment:
    """Return one finding per requirement of the system's catalogs (or of `catalogs`, by name or as read).

    `model` is NAME@VERSION (default: the newest version on record of the system's model); `as_of` a day, by what
    the ledger held at its end (UTC); `stop` a ledger size; `ledger` what verification said, where it was asked
    already. Profile, catalogs and model count as signed; the assessment names the digest of each catalog.
    Raises InvalidInput for a day that is none, UnknownReference for a name that is not on record.
    """
    day = chosen_day(as_of)
    evidence = ws.evidence(stop=stop, as_of=day)
    if not evidence:
        raise UnknownReference(
            f"Nothing was on record on {day}: this ledger begins on {ws.ledger.entry(0).logged_at[:10]}.",
            remedy="Ask about that day or a later one.",
        )
    record = ws.system_record(evidence)
    signed = record.content
    given = [each for each in catalogs or () if isinstance(each, InUse)]
    named = [each for each in catalogs or () if isinstance(each, str)]
    in_use = given or own_catalogs.in_use(ws, record, named)
    found = assess(
        [each.catalog for each in in_use],
        evidence,
        signed["profile"],
        system=ws.config.system.id,
        model=model_version(evidence, model or signed["system"].get("model"), required=model is not None),
        on=day.isoformat(),
        ledger=ledger or verify_workspace(ws.root),
    )
    notes = list(found.notes)
    if ws.profile_differs(evidence):
        notes.insert(0, PROFILE)
    tracked = ws.config.mlflow
    if (tracked.experiments or tracked.models) and newest(evidence) is None:
        notes.append(NO_LOOK)
    return replace(found, catalogs=tuple(each.used for each in in_use), notes=tuple(notes))


def model_version(evidence: Sequence[Evidence], name: str | None, *, required: bool) -> Thing | None:
    """Return the model version called NAME@VERSION, or the newest version of NAME whose record stands.

    A version that was revoked is assessed where it is named in full, or where no other is left. Returns None where
    nothing of that name is on record, and raises UnknownReference if it is `required`.
    """
    for piece in [*reversed(standing_versions(evidence)), *reversed(evidence)]:
        if name is not None and piece.kind == "model-version":
            subject = piece.subjects[0]
            if name in (subject["name"], subject["name"].partition("@")[0]):
                return Thing(subject["name"], subject["digest"]["sha256"], subject["annotations"]["basis"])
    if required:
        raise UnknownReference(
            f"No model version on record is called {name}.", remedy="`compliance list --kind model-version` shows them."
        )
    return None


def chosen_day(given: str | date | None) -> date:
    """Return the day that a reader names, default today (UTC). Raises InvalidInput for one that is none."""
    if given is None:
        return datetime.now(UTC).date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(f"{given!r} is no calendar date.", remedy="Write it as 2026-11-23.") from None
