"""`compliance list`, `show` and `lineage`: reading what is on record."""

import shutil
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from compliance.cli import options, output

MOST_ROWS = 40
"""Rows of a list that `show` prints; a dataset may have hundreds of columns."""
WRAPPED = 24
"""Characters to which a long text in a table may wrap."""


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
    lines = [(row["evidence"], row["kind"], row["title"], about(row["subject"]), _note(row)) for row in rows]
    columns = 5 if any(line[4] for line in lines) else 4
    output.table(("evidence", "kind", "title", "about", "note")[:columns], [line[:columns] for line in lines])


def show(
    evidence: Annotated[str, typer.Argument(metavar="EV", help="Its number, such as EV-000017.")],
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show one piece of evidence: what it says, who signed it, what became of it, which requirements rest on it."""
    from compliance.kinds import in_order
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
    content = dict(in_order(found["kind"], predicate.get("content", {})))
    metrics = content.pop("metrics", None)
    if metrics:
        output.heading("Metrics")
        output.table(("metric", "group", "value", "interval", "method", "cases"), [_metric(row) for row in metrics])
    facts, lists = arranged(content)
    if facts:
        output.heading("Content")
        output.fields(facts, indent=2)
    left_out = [_list(path, rows) for path, rows in lists]
    if predicate.get("attachments"):
        output.heading("Attachments")
        output.table(
            ("name", "type", "bytes", "classification", "sha256"),
            [
                (a["name"], a["media_type"], a["size"], a["classification"], a["sha256"])
                for a in predicate["attachments"]
            ],
        )
    if found["requirements"]:
        left_out.append(_requirements(found["model"], found["requirements"]))
    if any(left_out):
        output.say("`--json` shows the rows and columns that were left out here.")


def _requirements(model: str | None, rows: list[dict[str, Any]]) -> bool:
    """Print what the evidence is worth for the model version that `status` means; say whether rows were left out."""
    output.heading(f"Requirements that rest on it{f', for {model}' if model else ''}: {len(rows)}")
    columns = ("requirement", "finding", "bearing")[: 3 if any(row["bearing"] for row in rows) else 2]
    output.table(columns, [tuple(row[name] for name in columns) for row in rows[:MOST_ROWS]])
    return len(rows) > MOST_ROWS


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
    interval = f"{row['ci_low']} to {row['ci_high']}" if row.get("ci_low") else str(row.get("reason") or "")
    method = f"{row.get('ci_method', '')} {row.get('ci_level', '')}".strip()
    cases = f"{row['x']}/{row['n']}" if row.get("x") is not None else str(row.get("n") or "")
    return row["name"], group, str(row.get("value") or ""), interval, method, cases


def arranged(content: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, list[Mapping[str, Any]]]]]:
    """Return content as facts by dotted path, empty ones left out, and as lists whose items are tables' rows."""
    facts: list[tuple[str, str]] = []
    lists: list[tuple[str, list[Mapping[str, Any]]]] = []

    def take(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                take(inner, f"{path}.{name}" if path else name)
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
            take(value[0], path)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            lists.append((path, value))
        elif value not in (None, "", []):
            facts.append((path, _said(value)))

    take(content, "")
    return facts, lists


def _list(path: str, items: list[Mapping[str, Any]]) -> bool:
    """Print a list as a table, as much of it as there is room for; say whether something was left out."""
    rows = [_row(item) for item in items]
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    shown = rows[:MOST_ROWS]
    fitting = _fitting(columns, shown)
    output.heading(f"{path}: {len(items)}")
    output.table(fitting, [[row.get(name, "") for name in fitting] for row in shown])
    return len(shown) < len(rows) or len(fitting) < len(columns)


def _row(item: Mapping[str, Any]) -> dict[str, str]:
    """Return an item's facts; of a list within it, how long it is."""
    row: dict[str, str] = {}
    for name, value in item.items():
        if isinstance(value, Mapping):
            row |= {f"{name}.{inner}": text for inner, text in _row(value).items()}
        elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
            row[name] = f"{len(value)} rows"
        elif value not in (None, "", []):
            row[name] = _said(value)
    return row


def _fitting(columns: list[str], rows: list[dict[str, str]]) -> list[str]:
    """Return the columns that a terminal has room for, the first ones first; a long text counts as what it wraps to."""
    room = shutil.get_terminal_size().columns
    fitting: list[str] = []
    for name in columns:
        width = 2 + max(len(name), min(WRAPPED, max(len(row.get(name, "")) for row in rows)))
        if width <= room or not fitting:
            fitting.append(name)
            room -= width
    return fitting


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return "yes" if value is True else "no" if value is False else str(value)
