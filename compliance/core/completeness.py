"""What a signed look at MLflow found: which runs, model versions and datasets had no evidence. Pure."""

from collections.abc import Iterable, Mapping
from shlex import quote

from compliance.core.evidence import Evidence
from compliance.core.findings import Note

TOPIC = "completeness"
NONE = "no"
"""How the scope of a look begins that names something tracked which is not there."""
TOLD = 20
"""At most this many things are named in the text; the record holds them all."""


def newest(evidence: Iterable[Evidence]) -> Evidence | None:
    """Return the record of the newest look."""
    looks = (piece for piece in evidence if piece.kind == "log" and piece.content.get("type") == "completeness")
    return max(looks, key=lambda piece: piece.index, default=None)


def head(look: Evidence) -> str:
    """Return when a look was taken and how much it saw."""
    seen = [_counted(event) for event in look.content["events"]]
    seen += [word for word in look.content.get("scope") or [] if word.startswith(f"{NONE} ")]
    return f"MLflow as of {look.logged_at[:16].replace('T', ' ')} UTC: {', '.join(seen)}"


def covered(seen: Iterable[int]) -> str:
    """Say that nothing is left without evidence, where there was anything."""
    return "all have evidence" if any(seen) else "nothing is there that could have evidence"


def note(look: Evidence) -> Note:
    """Return what a look found, in a sentence or two."""
    left = look.content.get("uncovered") or []
    if not left:
        return Note(
            TOPIC, f"{head(look)}; {covered(event['seen'] for event in look.content['events'])}.", (look.number,)
        )
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
    more = {"evaluation-run": " --evaluates NAME@VERSION --on NAME@VERSION"}
    more["safety-run"] = f"{more['evaluation-run']} --category CATEGORY"
    return f"compliance capture --run {id_}{more.get(what, '')}"


def _counted(event: dict[str, object]) -> str:
    seen, what = event.get("seen", 0), str(event["event"]).replace("-", " ")
    return f"{seen} {what}" if seen == 1 else f"{seen} {what}s"
