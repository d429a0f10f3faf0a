"""`compliance capture`: evidence from what MLflow already holds."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.cli import findings, options, output
from compliance.cli.edge import fail
from compliance.cli.log import told

if TYPE_CHECKING:
    import socket

    from compliance.services.completeness import Look
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace


def capture(
    run: Annotated[list[str] | None, typer.Option(metavar="ID", help="MLflow run; may be repeated.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[@VERSION]", help="Registered model, newest version if none.")
    ] = None,
    logged_model: Annotated[
        str | None, typer.Option(metavar="ID", help="Model that a run logged, registered or not.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(metavar="NAME[@VERSION]", help="Registered prompt.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Evaluation dataset, with --role.")] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="With --dataset: test, tune, benchmark… what it is for.")
    ] = None,
    evaluates: Annotated[
        str | None,
        typer.Option(metavar="NAME@VERSION", help="With --run: it is MLflow's evaluation of this model version…"),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME@VERSION",
            help="… on this dataset. Without --evaluates: dataset that it was trained on; may be repeated.",
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(metavar="CATEGORY", help="… for safety: toxicity, bias, robustness… makes a safety result."),
    ] = None,
    better: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=WAY", help="… where this scorer's numbers are better higher or lower; repeatable."),
    ] = None,
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
    if sum(map(bool, (run, model, logged_model, prompt, dataset, everything, watch))) != 1:
        fail(
            "Give one of --run, --model, --logged-model, --prompt, --dataset, --all and --watch.",
            "--run takes a run id, --model a registered model's NAME or NAME@VERSION.",
        )
    _together(bool(dataset), bool(role), "--dataset and --role", "The role says what the data are for: test, tune…")
    if evaluates and len(on or []) != 1:
        fail("--evaluates goes with one --on.", "Name the dataset that the run evaluated on, as it stands on record.")
    for option, given, needed, wanted in (
        ("--evaluates", evaluates, "--run", run),
        ("--on", on, "--run", run),
        ("--plan", plan, "--evaluates", evaluates),
        ("--category", category, "--evaluates", evaluates),
        ("--better", better, "--evaluates", evaluates),
        ("--listen", listen, "--watch", watch),
    ):
        if given and not wanted:
            fail(f"{option} goes with {needed}.", f"Add {needed}, or leave {option} out.")
    said: dict[str, Any] = {"datasets": on} if on else {}
    if evaluates and on:
        said = {"model": evaluates, "dataset": on[0], "plan": plan, "category": category, "better": _ways(better or [])}
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace) as ws:
        if watch:
            _watch(ws, every, listen, key, as_json)
        elif everything:
            from compliance.services.completeness import capture_all

            with output.progress("Reading MLflow", quiet=as_json):
                look = capture_all(ws, key=key)
            _told_all(look, as_json)
        else:
            with output.progress("Reading MLflow", quiet=as_json):
                logged = [
                    *(piece for run_id in run or [] for piece in _run(ws, run_id, said, key)),
                    *_object(ws, model, logged_model, prompt, dataset, role, key),
                ]
            told(logged, as_json)


def _run(ws: "Workspace", run_id: str, said: dict[str, Any], key: str | None) -> "list[Logged]":
    from compliance.services.capture import capture_run
    from compliance.services.evaluation_runs import capture_evaluation

    take = capture_evaluation if "model" in said else capture_run
    return take(ws, run_id, key=key, **said)


def _ways(given: list[str]) -> dict[str, str]:
    ways = {}
    for one in given:
        name, _, way = one.rpartition("=")
        if not name or way not in ("higher", "lower"):
            fail(f"--better {one} is not NAME=higher or NAME=lower.", "Name the scorer and which way is better.")
        ways[name] = way
    return ways


def _object(
    ws: "Workspace",
    model: str | None,
    logged_model: str | None,
    prompt: str | None,
    dataset: str | None,
    role: str | None,
    key: str | None,
) -> "list[Logged]":
    from compliance.services.capture import capture_model
    from compliance.services.capture_objects import capture_dataset, capture_logged_model, capture_prompt

    if model:
        return capture_model(ws, model, key=key)
    if logged_model:
        return capture_logged_model(ws, logged_model, key=key)
    if prompt:
        return capture_prompt(ws, prompt, key=key)
    return capture_dataset(ws, dataset, role=role, key=key) if dataset and role else []


def _together(one: bool, other: bool, which: str, remedy: str) -> None:
    if one != other:
        fail(f"{which} go together.", remedy)


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
    from compliance.core.completeness import counted, covered, unmatched

    if as_json:
        output.result({"logged": [piece.to_json() for piece in look.logged], **look.to_dict()})
        return
    told(look.logged, as_json)
    seen = ", ".join(counted(what, count) for what, count in look.counts.items())
    output.put()
    for word in unmatched(look.scope):
        output.put(f"{word[0].upper()}{word[1:]}: check `mlflow` in compliance.toml.")
    if not look.uncovered:
        output.put(f"Seen: {seen}; {covered(look.counts.values())}.")
        return
    output.put(f"Seen: {seen}. Without valid evidence:")
    findings.uncovered(look.uncovered)
