"""What is on record, as plain values to print: rows of a list, one piece in full, a lineage.

Reads and decides nothing: whether evidence counts for a requirement is `services.assess`'s to say.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compliance.core.assessments import resting_on
from compliance.core.evidence import Evidence
from compliance.core.shelf import Shelf
from compliance.core.wire import evidence_number, meant_index
from compliance.errors import ComplianceError, UnknownReference

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace


def rows(
    ws: "Workspace", *, kind: str | None = None, subject: str | None = None, current: bool = False
) -> list[dict[str, Any]]:
    """Return one row per piece of evidence, oldest first. `current` leaves out the revoked and superseded."""
    evidence = ws.evidence()
    shelf = _shelf(ws, evidence)
    found = []
    for piece in evidence:
        if kind is not None and piece.kind != kind:
            continue
        if subject is not None and not any(_named(s["name"], subject) for s in piece.subjects):
            continue
        by = shelf.aside.get(piece.digest)
        if current and by is not None:
            continue
        found.append(
            {
                "evidence": piece.number,
                "kind": piece.kind,
                "title": piece.title,
                "subject": [_subject(s) for s in piece.subjects],
                "recorded_at": piece.predicate.get("recorded_at"),
                "completeness": piece.completeness,
                "revoked": by is not None and by.kind == "revocation",
                "superseded": by is not None and by.kind != "revocation",
            }
        )
    return found


def detail(ws: "Workspace", number: str) -> dict[str, Any]:
    """Return one piece of evidence in full, with its signature checked and what became of it.

    Raises UnknownReference where no such number is on record.
    """
    index, size = meant_index(number), ws.ledger.size
    if index is None or index >= size:
        raise UnknownReference(
            f"{number} is not on record.",
            remedy=f"The ledger holds EV-000000 to EV-{size - 1:06d}; `compliance list` shows them.",
        )
    number = evidence_number(index)
    evidence = ws.evidence()
    piece = next((p for p in evidence if p.number == number), None)
    if piece is None:
        raise UnknownReference(
            f"The content of {number} was erased; its entry and digest remain.",
            remedy="`compliance list --kind revocation` shows who erased it, and why.",
        )
    shelf = _shelf(ws, evidence)
    by = shelf.aside.get(piece.digest)
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
        "approved_by": [approval.number for approval in shelf.about("approval", piece.digest)],
        "superseded_by": by.number if by is not None and by.kind != "revocation" else None,
        "revoked_by": by.number if by is not None and by.kind == "revocation" else None,
        **_answers(ws, number),
        "statement": piece.statement,
    }


def _answers(ws: "Workspace", number: str) -> dict[str, Any]:
    """Return what the evidence is worth for the newest model version; nothing where no assessment can be made."""
    from compliance.services.assess import assess_workspace

    try:
        assessment = assess_workspace(ws)
    except ComplianceError:
        return {"model": None, "requirements": []}
    rows = [
        {"requirement": one.requirement.id, "catalog": one.catalog, "finding": one.finding.value, "bearing": bearing}
        for one, bearing in resting_on(assessment.findings, number)
    ]
    return {"model": assessment.model.name if assessment.model else None, "requirements": rows}


def lineage(ws: "Workspace", name: str) -> dict[str, Any]:
    """Return what NAME@VERSION (or the newest version of NAME) came from, and what was built on it."""
    from compliance.core.lineage import lineage as trace

    subject = ws.subject(name)
    shelf = _shelf(ws, ws.evidence())
    found = trace(shelf.live, subject.digest.sha256, shelf.successors())
    return {
        "subject": subject.name,
        "sha256": subject.digest.sha256,
        "upstream": [link.to_dict() for link in found.upstream],
        "downstream": [link.to_dict() for link in found.downstream],
    }


def _shelf(ws: "Workspace", evidence: Sequence[Evidence]) -> Shelf:
    """Sort out what was revoked or superseded, by the same rules as an assessment."""
    return Shelf(evidence, ws.config.system.id, "9999-12-31")


def _subject(subject: Mapping[str, Any]) -> dict[str, Any]:
    name, _, version = subject["name"].partition("@")
    return {"name": name, "version": version or None, "sha256": subject["digest"]["sha256"]}


def _named(name: str, wanted: str) -> bool:
    return wanted in (name, name.partition("@")[0])
