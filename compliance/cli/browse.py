"""`compliance list`, `show` and `lineage`: reading what is on record."""

from typing import Annotated, Any

import typer

from compliance.cli import options, output


def list_(
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only evidence of this kind.")] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="NAME[@VERSION]", help="Only evidence about this model, dataset or document.")
    ] = None,
    current: Annotated[bool, typer.Option("--current", help="Leave out what is revoked or superseded.")] = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """List the evidence on record, oldest first."""
    from compliance.services import browse
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        rows = browse.rows(ws, kind=kind, subject=subject, current=current)
    if as_json:
        output.result(rows)
        return
    if not rows:
        output.say("No evidence matches." if kind or subject or current else "No evidence is on record.")
        return
    output.table(
        ("evidence", "kind", "title", "about", "note"),
        [(row["evidence"], row["kind"], row["title"], about(row["subject"]), _note(row)) for row in rows],
    )


def show(
    evidence: Annotated[str, typer.Argument(metavar="EV", help="Its number, such as EV-000017.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show one piece of evidence: what it says, who signed it, what became of it."""
    from compliance.services import browse
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = browse.detail(ws, evidence)
    if as_json:
        output.result(found)
        return
    predicate = found["statement"]["predicate"]
    output.put(f"{found['evidence']}  {found['kind']}")
    output.put(output.line(predicate["title"]))
    if predicate.get("summary"):
        output.put(predicate["summary"])
    output.put()
    output.fields(_summary(found), indent=2)
    content = dict(predicate.get("content", {}))
    metrics = content.pop("metrics", None)
    if metrics:
        output.heading("Metrics")
        output.table(("metric", "group", "value", "interval", "method", "cases"), [_metric(row) for row in metrics])
    if content:
        output.heading("Content")
        output.fields(flat(content), indent=2)
    if predicate.get("attachments"):
        output.heading("Attachments")
        output.table(
            ("name", "type", "bytes", "classification", "sha256"),
            [
                (a["name"], a["media_type"], a["size"], a["classification"], a["sha256"])
                for a in predicate["attachments"]
            ],
        )


def lineage(
    subject: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A model version or dataset.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show which data, code and run it came from, and what was built on it."""
    from compliance.services import browse
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = browse.lineage(ws, subject)
    if as_json:
        output.result(found)
        return
    output.put(found["subject"])
    for title, key in (("Came from", "upstream"), ("Built on it or measured with it", "downstream")):
        output.heading(title)
        if found[key]:
            rows = ((link["name"], link["relation"], link["evidence"], link["steps"]) for link in found[key])
            output.table(("what", "as", "says", "steps"), rows)
        else:
            output.put("nothing on record")


def about(subjects: list[dict[str, Any]]) -> str:
    """Return subjects as NAME@VERSION, for a table."""
    return ", ".join(f"{s['name']}@{s['version']}" if s["version"] else s["name"] for s in subjects)


def _note(row: dict[str, Any]) -> str:
    notes = [row["completeness"]] if row["completeness"] != "complete" else []
    notes += ["revoked"] if row["revoked"] else []
    notes += ["superseded"] if row["superseded"] else []
    return ", ".join(notes)


def _summary(found: dict[str, Any]) -> list[tuple[str, str]]:
    predicate = found["statement"]["predicate"]
    source = predicate["source"]
    tool = " ".join(filter(None, (source.get("tool"), source.get("tool_version"))))
    pairs = [
        ("about", "\n".join(f"{s['name']}  sha256:{s['digest']['sha256']}" for s in found["statement"]["subject"])),
        ("system", predicate["system"]),
        ("recorded", f"{predicate['recorded_at']} by {predicate['recorded_by']}"),
        ("in the ledger", f"{found['logged_at']}, entry {found['index']}"),
        ("source", f"{source['basis']}; {source['how']} with {tool}"),
        ("completeness", predicate["completeness"]),
        ("classification", predicate["data_classification"]),
        ("signature", found["signature"]),
        ("digest", found["digest"]),
        ("mirror", found["mirror"]),
    ]
    if found["approved_by"]:
        pairs.append(("approved by", ", ".join(found["approved_by"])))
    pairs += [(label.replace("_", " "), found[label]) for label in ("superseded_by", "revoked_by") if found[label]]
    return pairs


def _metric(row: dict[str, Any]) -> tuple[str, ...]:
    group = ", ".join(f"{k}={v}" for k, v in (row.get("group") or {}).items()) or "all"
    interval = f"{row['ci_low']} to {row['ci_high']}" if row.get("ci_low") else ""
    method = f"{row.get('ci_method', '')} {row.get('ci_level', '')}".strip()
    cases = f"{row['x']}/{row['n']}" if row.get("x") is not None else str(row.get("n") or "")
    return row["name"], group, str(row.get("value") or row.get("reason") or ""), interval, method, cases


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return nested content as dotted paths and values, empty ones left out."""
    if isinstance(value, dict):
        return [pair for name, inner in value.items() for pair in flat(inner, f"{path}.{name}" if path else name)]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [pair for position, inner in enumerate(value) for pair in flat(inner, f"{path}[{position}]")]
    if isinstance(value, list):
        return [(path, ", ".join(map(str, value)))] if value else []
    return (
        []
        if value is None or value == ""
        else [(path, "yes" if value is True else "no" if value is False else str(value))]
    )
