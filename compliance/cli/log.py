"""`compliance log …`: the commands that put evidence on record."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail

if TYPE_CHECKING:
    from compliance.services.record import Logged

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name, without version.")]
Version = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="Version; a name and version mean one digest for ever.")
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="One line that says what it is.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until MLflow has it too.")]


def model(
    path: Annotated[Path, typer.Argument(help="Model file or folder.")],
    name: Name,
    version: Version,
    title: Title = None,
    licence: Annotated[str | None, typer.Option(metavar="ID", help="Licence, where the files name none.")] = None,
    base_model: Annotated[
        str | None, typer.Option(metavar="NAME@VERSION", help="Model on record that this one was made from.")
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every byte, also of large files untouched since they were read.")
    ] = False,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Digest a model file or folder and log it, with what its files say of themselves; nothing in it is run."""
    from compliance.services.workspace import Workspace

    authored = {"title": title, "licence": licence, "base_model": base_model}
    given = {field: value for field, value in authored.items() if value}
    with Workspace.open(workspace) as ws:
        logged = ws.log_model(path, name=name, version=version, key=key, cache=not no_cache, tell=output.say, **given)
        told(logged, as_json)
        for file in ws.ledger.piece(int(logged[0].evidence.removeprefix("EV-"))).content.get("files", ()):
            if file.get("runs_code"):
                output.say(f"{file['name']} is a program ({file['format']}): loading it runs what stands in it.")


def dataset(
    name: Name,
    version: Version,
    role: Annotated[str, typer.Option(metavar="ROLE", help="train, tune or test: what the data are for.")],
    path: Annotated[
        Path | None,
        typer.Argument(help="CSV, Parquet, Arrow or JSONL file, a Croissant description, or a folder."),
    ] = None,
    sql: Annotated[
        str | None, typer.Option(metavar="URL", help="Database to read instead, as SQLAlchemy writes it.")
    ] = None,
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Its table: NAME or SCHEMA.NAME.")] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="Or the rows of a query.")] = None,
    title: Title = None,
    suite: Annotated[
        Path | None,
        typer.Option(
            "--expectations",
            "--suite",
            metavar="FILE",
            help="Great Expectations suite (JSON or YAML) to validate the rows against.",
        ),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="Where to validate files: pandas or spark.")] = "pandas",
    target: Annotated[str | None, typer.Option(metavar="COL", help="Column with the reference standard.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Column whose values are counted as groups; may be repeated."),
    ] = None,
    patient: Annotated[
        str | None, typer.Option(metavar="COL", help="Column that identifies the patient; kept as keyed fingerprints.")
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COL", help="Column of dates: gives the months covered.")] = None,
    site: Annotated[str | None, typer.Option(metavar="COL", help="Column that names the site.")] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Digest and profile a dataset and log it. No row of it enters the record."""
    from compliance.services.reading.sql import Sql
    from compliance.services.workspace import Workspace

    given: dict[str, Any] = {
        "title": title, "suite": suite, "engine": engine, "target": target, "groups": group, "patient": patient,
        "time": time, "site": site, "key": key,
    }  # fmt: skip
    if (path is None) == (sql is None) or (sql is None and (table or query)):
        fail("Give either PATH or --sql.", "--sql URL --table NAME reads a database.")
    source = Sql(sql, table, query) if sql is not None else path
    assert source is not None
    with Workspace.open(workspace) as ws:
        logged = ws.log_dataset(
            source, name=name, version=version, role=role, **{k: v for k, v in given.items() if v is not None}
        )
        told(logged, as_json)
        for piece in logged:
            shared = ws.ledger.piece(int(piece.evidence[3:])).content.get("leakage", {}).get("shared")
            if shared and not as_json:
                output.say(f"{piece.evidence}: {shared} shared between development and test; `compliance show` tells.")


def safety(
    file: Annotated[Path, typer.Argument(help="YAML or JSON with safety results.")],
    model: Annotated[
        str | None, typer.Option(metavar="NAME@VERSION", help="Model version, where the file names none.")
    ] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Log the safety results of a file, all or none."""
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(from_file(ws, file, "safety-result", {"model": model} if model else {}, key), as_json)


def sbom(
    file: Annotated[Path, typer.Argument(help="requirements.txt, output of `pip freeze`, or conda.yaml.")],
    model: Annotated[str, typer.Option(metavar="NAME@VERSION", help="Model version that was built with it.")],
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Log what a model's environment asks for as a bill of materials (CycloneDX). Import other bills instead."""
    from compliance.services import bills
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        told(bills.log_environment(ws, file, model=model, key=key), as_json)


def record(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML or JSON; each record names its kind.")],
    key: options.Key = None,
    wait: Wait = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Log every record of each file; of one file all are logged, or none."""
    from compliance.services import record as recording
    from compliance.services.workspace import Workspace

    logged: list[Logged] = []
    with Workspace.open(workspace) as ws:
        for file in files:
            logged += recording.log_file(ws, file, key=key, wait=wait)
    told(logged, as_json)


def from_file(ws: Any, file: Path | None, kind: str, given: dict[str, str], key: str | None) -> "list[Logged]":
    from compliance.services import record as recording

    assert file is not None
    return recording.log_file(ws, file, given={"kind": kind} | given, key=key)


def told(logged: "Sequence[Logged]", as_json: bool) -> None:
    """Print what was acknowledged; say so where MLflow does not have it yet."""
    if as_json:
        output.result([piece.to_json() for piece in logged])
        return
    for piece in logged:
        about = ", ".join(f"{s['name']}@{s['version']}" if s["version"] else s["name"] for s in piece.subject)
        output.put(f"{piece.evidence}  {piece.kind}  {about}")
    if not logged:
        output.say("Nothing new: it stands on record as it is.")
    pending = sum(piece.mirror == "pending" for piece in logged)
    if pending:
        output.say(
            f"On record; {pending} of {len(logged)} not in MLflow yet: it follows by itself, or by `compliance sync`."
        )
