"""The document around the sections: title page, summary, contents, gap list, matrix, evidence index.

Everything here is text or markup ready to print. Counts of findings link to the matrix they were
counted in.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from compliance.core.cited import Citations, Markup
from compliance.core.dossier import Dossier, Part, Signature, gaps
from compliance.core.evidence import Basis
from compliance.core.findings import Verdict
from compliance.core.trust import Registered
from compliance.render.views import EvidenceView, FindingView, by_reason, by_section, label, link

BASES = {
    Basis.FILE.value: "SHA-256 of the file",
    Basis.FOLDER.value: "root digest over every file of the folder (OpenSSF Model Signing)",
    Basis.TABLE.value: "digest over all rows",
    Basis.CONTENT.value: "digest of the record's own content",
    Basis.IDENTITY.value: "published identity only: nobody here holds the bytes",
}
ELSEWHERE = 60
"""Rows out of scope that the page names; the content file names all."""
SAYS = {
    Verdict.MET: "every need has valid, current, complete evidence that passes its criterion",
    Verdict.PARTIAL: "some needs are shown, some are not",
    Verdict.INSUFFICIENT: "evidence exists and cannot carry the claim",
    Verdict.STALE: "evidence is about an earlier version, or past its age",
    Verdict.UNDETERMINED: "a person must decide; no machine can",
    Verdict.GAP: "nothing is on record",
    Verdict.FAILED: "a criterion declared beforehand is missed, or a person decided so",
    Verdict.NOT_APPLICABLE: "by the signed profile, or by a signed reason",
}
MEANINGS = {"authored": "Authored", "reviewed": "Reviewed", "approved": "Approved"}


@dataclass(frozen=True, slots=True)
class RenderedSection:
    """A section as HTML, and what the contents list needs of it."""

    id: str
    title: str
    anchor: str
    part: str
    place: str
    is_gap: bool
    solo: bool
    """Whether the part's heading stands for it."""
    body: Markup


@dataclass(frozen=True, slots=True)
class PartView:
    id: str
    title: str
    anchor: str
    sections: list[RenderedSection]


@dataclass(frozen=True, slots=True)
class KeyView:
    name: str
    holder: str
    roles: str
    fingerprint: str
    """Hex SHA-256 of the public key (SPKI, DER), as `openssl` and `sha256sum` print it."""
    registered: Markup
    state: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One line of the evidence index."""

    view: EvidenceView
    digest: str
    key: str
    position: str
    state: Markup
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class SignatureView:
    meaning: str
    role: str
    given: bool
    by: str
    at: str
    key: str
    number: Markup


class DocumentView:
    """What `document.html` prints around the sections."""

    def __init__(
        self,
        dossier: Dossier,
        sections: Sequence[RenderedSection],
        signatures: Sequence[Signature],
        content_digest: str,
        citations: Citations,
    ) -> None:
        manifest, system = dossier.manifest, dossier.system
        self.id, self.title, self.subtitle = manifest.id, manifest.title, manifest.subtitle
        self.basis, self.language = manifest.basis, manifest.language
        self.number, self.revision, self.date = dossier.document_number, dossier.revision, dossier.date
        self.approved = all(s.evidence for s in signatures)
        self.status = "Approved" if self.approved else "Draft, not approved"
        self.classification = manifest.classification.capitalize()
        self.retention = manifest.retention
        self.system_name, self.provider = str(system["system"]["name"]), str(system["system"]["provider"])
        self.system_id = str(system["system"]["id"])
        self.system_evidence = link(dossier.system_evidence)
        self.purpose = str(system["profile"].get("intended_purpose", ""))
        self.demonstration = dossier.demonstration
        self.model = dossier.model.name if dossier.model else "no model version on record"
        self.model_digest = dossier.model.sha256 if dossier.model else ""
        self.model_basis = BASES.get(dossier.model.basis, dossier.model.basis) if dossier.model else ""
        self.identity = bool(dossier.model and dossier.model.basis == Basis.IDENTITY)
        self.cutoff = dossier.cutoff
        self.cutoff_link = link(dossier.cutoff.evidence)
        self.cutoff_size, self.checkpoint_size = str(dossier.cutoff.size), str(dossier.cutoff.checkpoint_size)
        self.checkpoint_lines = [line for line in dossier.cutoff.checkpoint.split("\n") if line]
        self.as_of, self.tool_version, self.templates = (
            dossier.assessment.as_of,
            dossier.tool_version,
            dossier.templates,
        )
        self.content_digest = content_digest
        self.signatures = [_signature(s, dossier.keys) for s in signatures]
        self.parts = [_part(part, sections) for part in manifest.parts]
        self.findings = [FindingView(f, dossier) for f in dossier.findings]
        self.elsewhere = [f.requirement.ref for f in dossier.elsewhere[:ELSEWHERE]]
        self.elsewhere_more = len(dossier.elsewhere) > ELSEWHERE
        open_points = [FindingView(f, dossier) for f in gaps(dossier.findings)]
        self.gaps = [f for f in open_points if f.word != Verdict.UNDETERMINED and f.binding]
        self.later_gaps = [f for f in open_points if f.word != Verdict.UNDETERMINED and not f.binding]
        self.questions = [f for f in open_points if f.word == Verdict.UNDETERMINED]
        self.failed = by_reason([f for f in open_points if f.word == Verdict.FAILED])
        self.gravest = [f for f in open_points if f.binding and f.word != Verdict.FAILED][:5]
        self.asked = by_section([f for f in self.findings if f.word == Verdict.UNDETERMINED])
        self.inapplicable = by_reason([f for f in self.findings if f.word == Verdict.NOT_APPLICABLE])
        self.traced = [f for f in self.findings if f.needs]
        self.untraced = by_section([f for f in self.findings if not f.needs])
        self.counts = [(label(v.value), _count(dossier.counts[v.value]), SAYS[v]) for v in Verdict]
        self.catalogs = _by_catalog(dossier)
        self.index = [_index_row(dossier, e, citations) for e in dossier.evidence]
        self.withdrawn = [(link(n), w.how, link(w.by), w.reason) for n, w in sorted(dossier.withdrawn.items())]
        self.keys = [_key(k) for k in dossier.keys]
        self.notes = [(n.topic, n.text, [link(e) for e in n.evidence]) for n in dossier.notes]
        self.outside = list(manifest.outside)
        self.empty_sections = [s for s in sections if s.is_gap]

    @property
    def keywords(self) -> str:
        return f"{self.number}, revision {self.revision}, {self.model}, {self.cutoff.evidence}"


def fingerprint(hint: str) -> str:
    """Return a key hint (base64 of SHA-256 over the SPKI) as hex."""
    return b64decode(hint).hex()


def _count(count: int) -> Markup:
    return Markup(f'<a class="cite" href="#matrix">{count}</a>')


def _part(part: Part, sections: Sequence[RenderedSection]) -> PartView:
    return PartView(part.id, part.title, f"part-{part.id}", [s for s in sections if s.part == part.id])


def _by_catalog(dossier: Dossier) -> list[tuple[str, list[Markup], Markup]]:
    """Return, for each catalog, how many of its rows carry each finding, and how many it has."""
    tally: dict[str, dict[Verdict, int]] = {}
    for f in dossier.findings:
        row = tally.setdefault(f.catalog, dict.fromkeys(Verdict, 0))
        row[f.finding] += 1
    return [(name, [_count(row[v]) for v in Verdict], _count(sum(row.values()))) for name, row in tally.items()]


def _index_row(dossier: Dossier, evidence: Any, citations: Citations) -> IndexRow:
    withdrawal = dossier.withdrawn.get(evidence.number)
    if withdrawal:
        state = Markup(f"{escape(withdrawal.how)} by {link(withdrawal.by).html}")
    else:
        state = Markup("current" if evidence.completeness == "complete" else escape(evidence.completeness))
    return IndexRow(
        view=EvidenceView(evidence, citations),
        digest=evidence.digest,
        key=_key_name(evidence.signer, dossier.keys),
        position=str(evidence.index),
        state=state,
        withdrawn=withdrawal is not None,
    )


def _key_name(hint: str, keys: Sequence[Registered]) -> str:
    return next((k.name for k in keys if k.hint == hint), fingerprint(hint)[:12])


def _key(key: Registered) -> KeyView:
    return KeyView(
        name=key.name,
        holder=f"{key.holder} ({key.holder_type})",
        roles=", ".join(key.roles),
        fingerprint=fingerprint(key.hint),
        registered=link(f"EV-{key.since:06d}"),
        state=key.ended or "valid",
    )


def _signature(signature: Signature, keys: Sequence[Registered]) -> SignatureView:
    given = signature.evidence is not None
    return SignatureView(
        meaning=MEANINGS.get(signature.meaning, signature.meaning),
        role=signature.role,
        given=given,
        by=signature.by or "",
        at=(signature.at or "").replace("T", " ").replace("Z", " UTC"),
        key=fingerprint(signature.key) if signature.key else "",
        number=Markup(escape(signature.evidence or "")),
    )
