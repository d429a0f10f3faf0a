"""What a signed look at MLflow found: which runs, model versions and datasets had no evidence. Pure."""

from collections.abc import Iterable, Mapping
from shlex import quote

from compliance.core.evidence import Evidence
from compliance.core.findings import Note

TOPIC = "completeness"
_NONE = "no "
TOLD = 20
"""At most this many things are named in the text; the record holds them all."""


def newest(evidence: Iterable[Evidence]) -> Evidence | None:
    """Return the record of the newest look."""
    looks = (piece for piece in evidence if piece.kind == "log" and piece.content.get("type") == "completeness")
    return max(looks, key=lambda piece: piece.index, default=None)


def head(look: Evidence) -> str:
    """Return when a look was taken and how much it saw."""
    seen = [counted(event["event"], event["seen"]) for event in look.content["events"]]
    seen += unmatched(look.content.get("scope") or [])
    return f"MLflow as of {look.logged_at[:16].replace('T', ' ')} UTC: {', '.join(seen)}"


def counted(what: str, seen: int) -> str:
    """Return how many things of a sort were seen: `1 model version`."""
    return f"{seen} {what.replace('-', ' ')}{'' if seen == 1 else 's'}"


def matches_none(what: str, pattern: str) -> str:
    """Return the word of a look's scope for what is tracked and not there."""
    return f"{_NONE}{what} matches {pattern}"


def unmatched(scope: Iterable[str]) -> list[str]:
    """Return those words of a look's scope."""
    return [word for word in scope if word.startswith(_NONE)]


def covered(seen: Iterable[int]) -> str:
    """Say that nothing is left without evidence, where there was anything."""
    return "all have evidence" if any(seen) else "nothing is there that could have evidence"


def note(look: Evidence) -> Note:
    """Return what a look found, in a sentence or two."""
    left = look.content.get("uncovered") or []
    if not left:
        seen = (event["seen"] for event in look.content["events"])
        return Note(TOPIC, f"{head(look)}; {covered(seen)}.", (look.number,))
    named = "; ".join(f"{one['what']} {one['name']} ({state(one)})" for one in left[:TOLD])
    more = f"; and {len(left) - TOLD} more" if len(left) > TOLD else ""
    return Note(TOPIC, f"{head(look)}. Without valid evidence: {named}{more}.", (look.number,))


def state(one: Mapping[str, str]) -> str:
    """Return in words how one thing of a look stands, and what is known of it."""
    words = one["state"].replace("-", " ")
    return f"{words}: {one['detail']}" if one.get("detail") else words


def remedy(one: Mapping[str, str]) -> str:
    """Return the command that makes evidence of one thing of a look, or what else to do."""
    what, name, id_ = one["what"], quote(one["name"]), quote(one.get("id", ""))
    if one["state"] == "deleted" and what == "model-version":
        return f"compliance lineage {name} (keep its files elsewhere: MLflow has them no more)"
    if one["state"] == "deleted":
        return f"mlflow runs restore --run-id {id_}"
    if one["state"] == "unfinished":
        return f"Let it end; where its process is gone: mlflow.MlflowClient().set_terminated({id_!r}, 'KILLED')"
    if what == "model-version":
        return f"compliance capture --model {name}"
    if what == "dataset" and "id" in one:
        return f"compliance capture --dataset {name} --role ROLE"
    if what == "dataset":
        return f"compliance log dataset PATH --name {name.partition('@')[0]} --version VERSION --role ROLE"
    judged = " --evaluates NAME@VERSION --on NAME@VERSION"
    more = {"evaluation-run": judged, "safety-run": f"{judged} --category CATEGORY"}
    return f"compliance capture --run {id_}{more.get(what, '')}"
