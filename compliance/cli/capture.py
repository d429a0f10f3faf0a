"""`compliance capture`: evidence from what MLflow already holds."""

from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail
from compliance.cli.log import told

if TYPE_CHECKING:
    import socket

    from compliance.services.completeness import Look
    from compliance.services.workspace import Workspace


def capture(
    run: Annotated[list[str] | None, typer.Option(metavar="ID", help="MLflow run; may be repeated.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[@VERSION]", help="Registered model, newest version if none.")
    ] = None,
    evaluates: Annotated[
        str | None,
        typer.Option(metavar="NAME@VERSION", help="With --run: it is MLflow's evaluation of this model version…"),
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="NAME@VERSION", help="… on this dataset.")] = None,
    plan: Annotated[str | None, typer.Option(metavar="PLAN", help="… under this acceptance plan.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All tracked runs and model versions, then what is left without evidence.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Like --all, again and again, until Ctrl-C ends it.")] = False,
    every: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="With --watch: time between two looks.")] = 60,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="With --watch: take MLflow's webhooks at http://HOST:PORT/mlflow; each wakes the watcher. "
            "Their secret is read from COMPLIANCE_WEBHOOK_SECRET.",
        ),
    ] = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make evidence of finished runs or registered model versions, and say what has none.

    What is tracked stands in compliance.toml, under `mlflow`: `experiments` and `models`, names or patterns.
    """
    if bool(run) + bool(model) + everything + watch != 1:
        fail(
            "Give one of --run, --model, --all and --watch.",
            "--run takes a run id, --model a registered model's NAME or NAME@VERSION.",
        )
    if bool(evaluates) != bool(on) or ((evaluates or plan) and not run) or (plan and not evaluates):
        fail(
            "--evaluates and --on go together, and with --run; --plan goes with both.",
            "Name the model version and the dataset that the run evaluated, as they stand on record.",
        )
    if listen and not watch:
        fail("--listen goes with --watch.", "Add --watch, or leave --listen out.")
    from compliance.services import capture as capturing
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        if watch:
            _watch(ws, every, listen, key, as_json)
            return
        with output.progress("Reading MLflow", quiet=as_json):
            if everything:
                from compliance.services.completeness import capture_all

                look = capture_all(ws, key=key)
            elif model:
                logged = capturing.capture_model(ws, model, key=key)
            elif evaluates and on:
                from compliance.services.evaluation_runs import capture_evaluation

                more = {"plan": plan} if plan else {}
                logged = [
                    piece
                    for run_id in run or []
                    for piece in capture_evaluation(ws, run_id, model=evaluates, dataset=on, key=key, **more)
                ]
            else:
                logged = [piece for run_id in run or [] for piece in capturing.capture_run(ws, run_id, key=key)]
    if everything:
        _told_all(look, as_json)
    else:
        told(logged, as_json)


def _watch(ws: "Workspace", every: float, listen: str | None, key: str | None, as_json: bool) -> None:
    """Say one line per look that found something new; with --json, one object per look."""
    import sys
    import threading
    from contextlib import nullcontext

    from compliance.services import watch as watching

    wake = threading.Event()
    with watching.listening(_listener(listen), _secret(), wake) if listen else nullcontext():
        output.say(f"Watching MLflow every {every:g} s (Ctrl-C ends it).")
        for seen in watching.watch(ws, every=every, wake=wake, key=key):
            if seen.look is None:
                output.say(f"{seen.problem} Trying again in {every:g} s.")
            elif as_json:
                output.row({"logged": [piece.to_json() for piece in seen.look.logged], **seen.look.to_dict()})
            elif seen.look.logged:
                told(seen.look.logged, as_json=False)
                sys.stdout.flush()


def _listener(address: str) -> "socket.socket":
    import socket

    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65535:
        fail(f"{address!r} is no HOST:PORT.", "Write it as 127.0.0.1:8322.")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as error:
        fail(f"Cannot listen on {address}: {error.strerror}.", "Choose another port, or 0 for a free one.")
    output.say(f"Taking webhooks at http://{host}:{listener.getsockname()[1]}/mlflow")
    return listener


def _secret() -> bytes:
    import os

    from compliance.services.watch import SECRET

    secret = os.environ.get(SECRET, "").encode()
    if not secret:
        fail(f"{SECRET} is not set, so nobody could tell a delivery of MLflow's from any other.",
             "Set it to the secret that the webhook was made with.")  # fmt: skip
    return secret


def _told_all(look: "Look", as_json: bool) -> None:
    if as_json:
        output.result({"logged": [piece.to_json() for piece in look.logged], **look.to_dict()})
        return
    told(look.logged, as_json)
    seen = ", ".join(f"{count} {what}s" for what, count in look.counts.items())
    output.put()
    if not look.uncovered:
        output.put(f"Seen: {seen}. All have evidence.")
        return
    output.put(f"Seen: {seen}. Without valid evidence:")
    output.table(
        ("what", "name", "state", "id"),
        [(one["what"], one["name"], one["state"], one.get("detail") or one.get("id", "")) for one in look.uncovered],
    )
