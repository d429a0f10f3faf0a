"""What a signed look at MLflow found: which runs, model versions and datasets had no evidence. Pure."""

from collections.abc import Iterable

from compliance.core.evidence import Evidence
from compliance.core.findings import Note

TOLD = 20
"""At most this many things are named in the text; the record holds them all."""


def newest(evidence: Iterable[Evidence]) -> Evidence | None:
    """Return the record of the newest look."""
    looks = (piece for piece in evidence if piece.kind == "log" and piece.content.get("type") == "completeness")
    return max(looks, key=lambda piece: piece.index, default=None)


def note(look: Evidence) -> Note:
    """Return what a look found, in a sentence or two."""
    when, left = look.logged_at[:16].replace("T", " "), look.content.get("uncovered") or []
    seen = ", ".join(_counted(event) for event in look.content["events"])
    if not left:
        return Note("completeness", f"MLflow as of {when} UTC: {seen}; all have evidence.", (look.number,))
    named = "; ".join(f"{one['what']} {one['name']} ({one['state']})" for one in left[:TOLD])
    more = f"; and {len(left) - TOLD} more" if len(left) > TOLD else ""
    text = f"MLflow as of {when} UTC: {seen}. Without valid evidence: {named}{more}."
    return Note("completeness", text, (look.number,))


def _counted(event: dict[str, object]) -> str:
    seen, what = event.get("seen", 0), str(event["event"]).replace("-", " ")
    return f"{seen} {what}" if seen == 1 else f"{seen} {what}s"
