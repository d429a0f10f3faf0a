"""Assess: catalogs x evidence x system x date -> one finding per requirement. Pure.

The rules are DESIGN 11.6; each finding says in one sentence which of them decided it. Time is an argument: evidence
logged after the day `on` is not seen, and a row that binds later is assessed now and says from when it binds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compliance.core import completeness, consistency, matching
from compliance.core.applicability import reach
from compliance.core.authority import Authority
from compliance.core.case import Case, LedgerState, Validator
from compliance.core.catalog import MEASURED_KINDS, Catalog, Need, Requirement
from compliance.core.evidence import Evidence
from compliance.core.faces import Sorter
from compliance.core.findings import Assessment, Finding, NeedResult, NeedVerdict, Note, Rule, Thing, Verdict
from compliance.core.ruling import Row
from compliance.core.shelf import Shelf

__all__ = [
    "Assessment", "Assessor", "Finding", "NeedResult", "NeedVerdict", "Note", "Rule", "Thing", "Validators", "Verdict",
    "assess",
]  # fmt: skip

REREAD = frozenset(
    {"key-event", "revocation", "model-version", "dataset", "training-run", "acceptance-plan", "system-description"}
)
"""Kinds that say how other records are read: after one of these, everything is assessed again."""


class Validators:
    """Compiled need schemas, each compiled on first use and kept for the next assessment."""

    def __init__(self) -> None:
        self._compiled: dict[str, Validator] = {}

    def __call__(self, requirement: Requirement, need: Need) -> Validator:
        key = f"{requirement.id}/{need.id}/{hash(need.model_dump_json())}"
        if key not in self._compiled:
            self._compiled[key] = matching.validator(requirement.id, need)
        return self._compiled[key]


def assess(
    catalogs: Iterable[Catalog],
    evidence: Iterable[Evidence],
    profile: Mapping[str, Any],
    *,
    system: str,
    model: Thing | None,
    on: str,
    ledger: LedgerState | None = None,
    validators: Validators | None = None,
) -> Assessment:
    """Return one finding per requirement for a model version on the day `on` (YYYY-MM-DD).

    `profile` is the profile as signed; `ledger` is what verification said, which answers needs of kind
    `audit-trail`. Evidence of another system, or logged later, counts for nothing.
    """
    assessor = Assessor(
        catalogs, evidence, profile, system=system, model=model, on=on, ledger=ledger, validators=validators
    )
    return assessor.assessment()


class Assessor:
    """An assessment that can take in one piece of evidence more, and then says what assessing all again says."""

    def __init__(
        self,
        catalogs: Iterable[Catalog],
        evidence: Iterable[Evidence],
        profile: Mapping[str, Any],
        *,
        system: str,
        model: Thing | None,
        on: str,
        ledger: LedgerState | None = None,
        validators: Validators | None = None,
    ) -> None:
        self._catalogs, self._evidence, self._profile = tuple(catalogs), list(evidence), profile
        self._system, self._model, self._on, self._ledger = system, model, on, ledger
        self._validators = validators or Validators()
        self._sorter = Sorter(self._catalogs)
        self._start()

    def assessment(self) -> Assessment:
        """Return one finding per requirement, of everything taken in."""
        findings = tuple(self._findings)
        counts = {verdict.value: 0 for verdict in Verdict}
        for finding in findings:
            counts[finding.finding.value] += 1
        return Assessment(self._on, self._system, self._model, findings, counts, tuple(self._notes()))

    def add(self, piece: Evidence) -> None:
        """Take in the piece of evidence that came last."""
        last = self._evidence[-1].index if self._evidence else -1
        self._evidence.append(piece)
        if piece.logged_at[:10] > self._on:
            return
        if not self._reads_alone(piece) or piece.index <= last:
            self._start()
            return
        self._case.extend(piece)
        for place, row in enumerate(self._rows):
            if row.takes(piece):
                self._findings[place] = row.finding()

    def _start(self) -> None:
        shelf = Shelf(self._evidence, self._system, self._on)
        case = Case(shelf, Authority(shelf), self._model, self._on, self._ledger, self._validators, self._sorter)
        self._case = case
        self._rows: Sequence[Row] = [
            Row(case, catalog.id, requirement, reach(requirement, self._profile, self._on))
            for catalog in self._catalogs
            for requirement in catalog.requirements
        ]
        self._findings: list[Finding] = [row.finding() for row in self._rows]

    def _reads_alone(self, piece: Evidence) -> bool:
        """Say whether a piece leaves the reading of all others as it was."""
        ours = piece.predicate.get("system", self._system) == self._system
        data = (piece.content.get("dataset") or {}).get("sha256") if piece.kind in MEASURED_KINDS else None
        known = data is None or data in self._case.datasets or not self._case.is_about(piece, "model-version")
        return ours and known and piece.kind not in REREAD and not piece.predicate.get("supersedes")

    def _notes(self) -> list[Note]:
        notes = consistency.notes(self._case)
        if look := completeness.newest(self._case.shelf.of("log")):
            notes.append(completeness.note(look))
        if self._case.shelf.foreign:
            numbers = tuple(piece.number for piece in self._case.shelf.foreign)
            told = "Evidence of another system is on record and counts for nothing."
            notes.append(Note("another system", told, numbers))
        return notes
