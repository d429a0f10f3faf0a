"""What is on record, as plain values to print: rows of a list, one piece in full, a lineage.

Reads and decides nothing: whether evidence counts for a requirement is `services.assess`'s to say.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compliance.core.evidence import EVIDENCE_NUMBER, Evidence
from compliance.errors import UnknownReference

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

_ACTS = {"approval": "approved_by", "revocation": "revoked_by"}


@dataclass(slots=True)
class Acts:
    """What later evidence did to earlier evidence: act -> envelope digest -> numbers that did it."""

    approved_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    revoked_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    superseded_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, evidence: Sequence[Evidence]) -> "Acts":
        """Read the acts out of the evidence on record."""
        acts = cls()
        for piece in evidence:
            if piece.kind in _ACTS:
                done = getattr(acts, _ACTS[piece.kind])
                for subject in piece.subjects:
                    done[subject["digest"]["sha256"]].append(piece.number)
            superseded = piece.predicate.get("supersedes")
            if superseded:
                acts.superseded_by[superseded["sha256"]].append(piece.number)
        return acts


def rows(
    ws: "Workspace", *, kind: str | None = None, subject: str | None = None, current: bool = False
) -> list[dict[str, Any]]:
    """Return one row per piece of evidence, oldest first. `current` leaves out the revoked and superseded."""
    evidence = ws.evidence()
    acts = Acts.of(evidence)
    found = []
    for piece in evidence:
        if kind is not None and piece.kind != kind:
            continue
        if subject is not None and not any(_named(s["name"], subject) for s in piece.subjects):
            continue
        row = {
            "evidence": piece.number,
            "kind": piece.kind,
            "title": piece.title,
            "subject": [_subject(s) for s in piece.subjects],
            "recorded_at": piece.predicate.get("recorded_at"),
            "completeness": piece.completeness,
            "revoked": piece.digest in acts.revoked_by,
            "superseded": piece.digest in acts.superseded_by,
        }
        if not (current and (row["revoked"] or row["superseded"])):
            found.append(row)
    return found


def detail(ws: "Workspace", number: str) -> dict[str, Any]:
    """Return one piece of evidence in full, with its signature checked and what became of it.

    Raises UnknownReference where no such number is on record.
    """
    match = EVIDENCE_NUMBER.fullmatch(number)
    size = ws.ledger.size
    if match is None or int(match[1]) >= size:
        raise UnknownReference(
            f"{number} is not on record.",
            remedy=f"The ledger holds EV-000000 to EV-{size - 1:06d}; `compliance list` shows them.",
        )
    evidence = ws.evidence()
    piece = next((p for p in evidence if p.number == number), None)
    if piece is None:
        raise UnknownReference(
            f"The content of {number} was erased; its entry and digest remain.",
            remedy="`compliance list --kind revocation` shows who erased it, and why.",
        )
    acts = Acts.of(evidence)
    from compliance.services.verify import verify_evidence

    report = verify_evidence(ws.root, number)
    return {
        "evidence": piece.number,
        "index": piece.index,
        "kind": piece.kind,
        "digest": piece.digest,
        "logged_at": piece.logged_at,
        "signer": piece.signer,
        "signature": "holds" if report.ok else "; ".join(problem.problem for problem in report.problems),
        "mirror": ws.ledger.mirror_states().get(piece.index, "pending"),
        "approved_by": acts.approved_by.get(piece.digest, []),
        "superseded_by": acts.superseded_by.get(piece.digest, []),
        "revoked_by": acts.revoked_by.get(piece.digest, []),
        "statement": piece.statement,
    }


def _subject(subject: Mapping[str, Any]) -> dict[str, Any]:
    name, _, version = subject["name"].partition("@")
    return {"name": name, "version": version or None, "sha256": subject["digest"]["sha256"]}


def _named(name: str, wanted: str) -> bool:
    return wanted in (name, name.partition("@")[0])
