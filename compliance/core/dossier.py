"""What a dossier says, before what it looks like: manifest, sections, cut-off, approval. Pure.

A manifest orders the sections, names the requirements each answers and the evidence each draws.
`compose` puts evidence and findings in their places: every section prints, a section without
evidence as a gap; rows of the catalogs that no section answers are named. What comes
out has canonical JSON; its digest is what approvals name, so status and approvals stand outside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from compliance.core.evidence import Evidence, Name, Strict
from compliance.core.findings import Assessment, Finding, Note, Thing, Verdict
from compliance.core.people import person
from compliance.core.shelf import Shelf
from compliance.core.trust import Registered

BOUND_TO_MODEL = frozenset({"evaluation", "safety-result", "model-version", "training-run"})
"""Kinds that count for one model version, unless the draw says otherwise."""


class Draw(Strict):
    """Evidence that a section prints, by kind and by the values of its fields."""

    kind: Name
    where: Mapping[str, tuple[str, ...]] = {}
    """Path from `content` to one of these values: `dataset.role: [test]`."""
    about: Literal["model", "other-versions", "any"] | None = None
    """Left out: `model` for kinds that count for one model version, `any` for the rest."""
    show: Literal["brief", "full"] = "brief"
    """`brief`: one line each, the full record stands in another section."""

    @property
    def reach(self) -> str:
        return self.about or ("model" if self.kind in BOUND_TO_MODEL else "any")

    def takes(self, evidence: Evidence, model: Thing | None) -> bool:
        """Say whether this piece of evidence belongs into the section."""
        if evidence.kind != self.kind or not all(
            str(_reach(evidence.content, path)) in values for path, values in self.where.items()
        ):
            return False
        if self.reach == "any" or model is None:
            return True
        about_model = evidence.is_about(model.sha256)
        return about_model if self.reach == "model" else not about_model


class SectionSpec(Strict):
    """One section, in the order it prints."""

    id: str = Field(pattern=r"^[0-9]+[a-z]?(\.[0-9]+[a-z]?|\.[a-z])*$")
    title: str = Field(min_length=1)
    answers: tuple[str, ...] = ()
    """Requirement ids; a trailing `*` takes every id that begins so."""
    draws: Mapping[str, Draw] = {}
    describes: tuple[str, ...] = ()
    """Fields of the signed system description that it prints."""
    place: str | None = None
    """Where the second index puts it: the same content in another law's order."""
    note: str | None = None

    @property
    def part(self) -> str:
        return self.id.partition(".")[0]

    @property
    def anchor(self) -> str:
        return f"s-{self.id.replace('.', '-')}"

    def answers_to(self, requirement: str) -> bool:
        return any(
            requirement.startswith(answer[:-1]) if answer.endswith("*") else requirement == answer
            for answer in self.answers
        )


class Part(Strict):
    id: str
    title: str


class Approval(Strict):
    """One signature that the dossier waits for."""

    meaning: Literal["authored", "reviewed", "approved"]
    role: Literal["recorder", "reviewer", "approver", "admin"]


class Outside(Strict):
    """What must come from elsewhere, and from whom."""

    what: str
    owner: str


class Manifest(Strict):
    """One dossier: what it is, who approves it, its sections."""

    id: Name
    version: str
    """Of the outline: it changes when sections or wording do."""
    title: str
    subtitle: str
    basis: str
    """The law it answers, with edition."""
    catalogs: tuple[Name, ...] = Field(min_length=1)
    """Bodies of requirements that it is held against."""
    number: str = Field(pattern=r"^[A-Z0-9-]+$")
    """Document number; the system's id is put behind it."""
    classification: Literal["public", "internal", "confidential"]
    language: str = "en"
    retention: str
    approvals: tuple[Approval, ...] = Field(min_length=1)
    parts: tuple[Part, ...]
    sections: tuple[SectionSpec, ...] = Field(min_length=1)
    second_index: str | None = None
    """Title of the second index, printed where sections name their `place`."""
    outside: tuple[Outside, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The ledger position up to which a dossier knows anything."""

    evidence: str
    size: int
    logged_at: str
    checkpoint: str
    """Signed note that covers it."""
    checkpoint_size: int
    root: str
    """Root of the checkpoint's tree, hex."""
    origin: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "evidence": self.evidence,
            "size": self.size,
            "logged_at": self.logged_at,
            "checkpoint": self.checkpoint,
            "checkpoint_size": self.checkpoint_size,
            "root": self.root,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why a piece of evidence no longer counts, by which later evidence."""

    how: Literal["superseded", "revoked"]
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Section:
    spec: SectionSpec
    findings: tuple[Finding, ...]
    unassessed: tuple[str, ...]
    """Answers that no assessed catalog knows."""
    drawn: Mapping[str, tuple[Evidence, ...]]
    described: tuple[str, ...] = ()
    """Fields of the system description that hold something."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything it draws, each piece once, in ledger order."""
        pieces = {e.index: e for drawn in self.drawn.values() for e in drawn}
        return tuple(pieces[index] for index in sorted(pieces))

    @property
    def is_gap(self) -> bool:
        """Whether nothing on record speaks to it: no evidence drawn, none in its findings, nothing described."""
        return not (self.evidence or self.described or any(finding.evidence for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Dossier:
    """The content of one document."""

    manifest: Manifest
    system: Mapping[str, Any]
    """`content` of the system-description in force: system, profile, description."""
    system_evidence: str
    model: Thing | None
    cutoff: Cutoff
    assessment: Assessment
    sections: tuple[Section, ...]
    elsewhere: tuple[Finding, ...]
    """Findings of the same catalogs that no section answers: named, and out of this document's scope."""
    evidence: tuple[Evidence, ...]
    """All of it up to the cut-off, ledger order."""
    withdrawn: Mapping[str, Withdrawal]
    """By evidence number."""
    keys: tuple[Registered, ...]
    """Every key that the ledger registered up to the cut-off."""
    notes: tuple[Note, ...]
    tool_version: str
    templates: str
    """Digest over all templates, so that approving the content approves its wording."""

    @property
    def document_number(self) -> str:
        return f"{self.manifest.number}-{str(self.system['system']['id']).upper()}"

    @property
    def revision(self) -> str:
        """The cut-off's number: it grows with the record and never repeats."""
        return str(self.cutoff.size - 1)

    @property
    def date(self) -> str:
        """Day of the cut-off. The clock is never asked."""
        return self.cutoff.logged_at[:10]

    @property
    def demonstration(self) -> bool:
        return bool(self.system["system"].get("demonstration", False))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings in scope, each once, in the order of the sections that answer them."""
        placed = {f.requirement.id: f for section in self.sections for f in section.findings}
        return tuple(placed.values())

    @property
    def counts(self) -> dict[str, int]:
        """Findings in scope, by word, every word present. A share is not computed."""
        tally = {verdict.value: 0 for verdict in Verdict}
        for finding in self.findings:
            tally[finding.finding.value] += 1
        return tally

    def current(self, evidence: Iterable[Evidence]) -> list[Evidence]:
        """Leave out what was superseded or revoked."""
        return [e for e in evidence if e.number not in self.withdrawn]

    def is_solo(self, spec: SectionSpec) -> bool:
        """Whether a section is all there is of its part, so that the part's heading is its own."""
        return spec.id == spec.part and sum(s.spec.part == spec.part for s in self.sections) == 1

    def in_full(self, spec: SectionSpec, draw: Draw) -> SectionSpec | None:
        """Return the section that prints this kind in full, where `spec` itself prints it briefly."""
        if draw.show == "full":
            return None
        return next(
            (s.spec for s in self.sections for d in s.spec.draws.values()
             if d.kind == draw.kind and d.show == "full" and d.reach == draw.reach and s.spec.id != spec.id),
            None,
        )  # fmt: skip

    def section_of(self, requirement: str) -> SectionSpec | None:
        """Return the first section that answers a requirement."""
        return next((s.spec for s in self.sections if s.spec.answers_to(requirement)), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the content as JSON, without status and approval block."""
        return {
            "v": 1,
            "dossier": self.manifest.id,
            "title": self.manifest.title,
            "document_number": self.document_number,
            "revision": self.revision,
            "date": self.date,
            "demonstration": self.demonstration,
            "system": dict(self.system),
            "system_evidence": self.system_evidence,
            "model": {"name": self.model.name, "sha256": self.model.sha256, "basis": self.model.basis}
            if self.model
            else None,
            "cutoff": self.cutoff.to_dict(),
            "assessment": {"as_of": self.assessment.as_of, "counts": self.counts},
            "sections": [_section(section) for section in self.sections],
            "elsewhere": [finding.requirement.id for finding in self.elsewhere],
            "evidence": [self._row(e) for e in self.evidence],
            "notes": [note.to_dict() for note in self.notes],
            "tool_version": self.tool_version,
            "templates_sha256": self.templates,
        }

    def _row(self, evidence: Evidence) -> dict[str, Any]:
        withdrawal = self.withdrawn.get(evidence.number)
        return {
            "evidence": evidence.number,
            "kind": evidence.kind,
            "title": evidence.title,
            "envelope_sha256": evidence.digest,
            "key": evidence.signer,
            "logged_at": evidence.logged_at,
            "basis": evidence.predicate.get("source", {}).get("basis"),
            "completeness": evidence.completeness,
            "withdrawn": {"how": withdrawal.how, "by": withdrawal.by, "reason": withdrawal.reason}
            if withdrawal
            else None,
        }


def compose(
    manifest: Manifest,
    *,
    evidence: Sequence[Evidence],
    assessment: Assessment,
    cutoff: Cutoff,
    system: Evidence,
    keys: Sequence[Registered] = (),
    notes: Sequence[Note] = (),
    tool_version: str,
    templates: str,
) -> Dossier:
    """Put findings and evidence in their places. Same arguments, same dossier."""
    shelf = Shelf(evidence, assessment.system, assessment.as_of)
    withdrawn = withdrawals(shelf)
    current = shelf.live
    known = [finding.requirement.id for finding in assessment.findings]
    sections = []
    for spec in manifest.sections:
        sections.append(
            Section(
                spec=spec,
                findings=tuple(f for f in assessment.findings if spec.answers_to(f.requirement.id)),
                unassessed=tuple(
                    a for a in spec.answers if not any(SectionSpec.answers_to(_only(spec, a), k) for k in known)
                ),
                drawn={
                    name: tuple(e for e in current if draw.takes(e, assessment.model))
                    for name, draw in spec.draws.items()
                },
                described=tuple(name for name in spec.describes if system.content.get("description", {}).get(name)),
            )
        )
    return Dossier(
        manifest=manifest,
        system=system.content,
        system_evidence=system.number,
        model=assessment.model,
        cutoff=cutoff,
        assessment=assessment,
        sections=tuple(sections),
        elsewhere=tuple(
            f for f in assessment.findings if not any(s.answers_to(f.requirement.id) for s in manifest.sections)
        ),
        evidence=tuple(evidence),
        withdrawn=withdrawn,
        keys=tuple(keys),
        notes=(*assessment.notes, *notes),
        tool_version=tool_version,
        templates=templates,
    )


def withdrawals(shelf: Shelf) -> dict[str, Withdrawal]:
    """Return what was superseded or revoked, by evidence number."""
    found: dict[str, Withdrawal] = {}
    for digest, by in shelf.aside.items():
        target = shelf.records[digest]
        if by.kind == "revocation":
            found[target.number] = Withdrawal("revoked", by.number, str(by.content.get("reason", "")))
        else:
            said = by.predicate.get("supersedes") or {"reason": "The newest system description counts."}
            found[target.number] = Withdrawal("superseded", by.number, str(said["reason"]))
    return found


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of the approval block: asked for, and given or not."""

    meaning: str
    role: str
    evidence: str | None = None
    by: str | None = None
    at: str | None = None
    key: str | None = None


def signatures(
    policy: Sequence[Approval],
    content_digest: str,
    approvals: Iterable[tuple[Evidence, str, Sequence[str]]],
) -> tuple[Signature, ...]:
    """Match approvals of this content, each as (evidence, signer's name, signer's roles), against the policy.

    Each line takes another person: nobody reviews and approves alone, not even with two keys.
    """
    free = [(e, by, roles) for e, by, roles in approvals if e.is_about(content_digest)]
    lines = []
    for asked in policy:
        match = next(
            (
                (e, by, roles)
                for e, by, roles in free
                if e.content.get("meaning") == asked.meaning and asked.role in roles
            ),
            None,
        )
        if match is None:
            lines.append(Signature(asked.meaning, asked.role))
            continue
        evidence, by, _ = match
        free = [one for one in free if one[0].signer != evidence.signer and person(one[1]) != person(by)]
        lines.append(Signature(asked.meaning, asked.role, evidence.number, by, evidence.logged_at, evidence.signer))
    return tuple(lines)


def gaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that leave something open, the gravest first, then in catalog order."""
    gravity = [Verdict.FAILED, Verdict.GAP, Verdict.STALE, Verdict.INSUFFICIENT, Verdict.PARTIAL, Verdict.UNDETERMINED]
    return sorted((f for f in findings if f.finding in gravity), key=lambda f: gravity.index(f.finding))


def _only(spec: SectionSpec, answer: str) -> SectionSpec:
    return spec.model_copy(update={"answers": (answer,)})


def _section(section: Section) -> dict[str, Any]:
    return {
        "id": section.spec.id,
        "title": section.spec.title,
        "findings": [finding.to_dict() for finding in section.findings],
        "unassessed": list(section.unassessed),
        "described": list(section.described),
        "evidence": [e.number for e in section.evidence],
        "gap": section.is_gap,
    }


def _reach(content: Mapping[str, Any], path: str) -> Any:
    value: Any = content
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
