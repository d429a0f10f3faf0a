"""`compliance.autolog()`: one line in a training script, and every MLflow run that ends in it becomes evidence.

The script only leaves a note, the run's id in a file, and goes on: a process behind it captures the run, so the
user's run is neither slowed nor broken, also where MLflow, the disk or the pass phrase fails. A note stays until
its run is on record; the next run that ends, or `compliance capture --all`, takes up what was left.
"""

import functools
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import ComplianceError, Unavailable, UnknownReference
from compliance.services import mirroring, worker
from compliance.services.record import Logged
from compliance.services.workspace import Workspace, now
from compliance.storage.mirror.record import ENVELOPE_TAG
from compliance.storage.mirror.tracking import without_credentials

NAME = "autolog"
NOTES = f"{worker.FOLDER}/{NAME}"
LOG = f"{worker.FOLDER}/{NAME}.log"


LEFT = "Runs of this script do not become evidence by themselves; `compliance capture --all` makes up for it."


class AutologWarning(UserWarning):
    """Why runs of this script do not become evidence by themselves."""


@dataclass(frozen=True, slots=True)
class _Target:
    root: Path
    uri: str
    model: str | None
    key: str | None


def autolog(workspace: Path | str | None = None, *, model: str | None = None, key: str | None = None) -> None:
    """Make evidence of every MLflow run that ends in this process, of nested and failed ones too.

    `workspace` is the folder of a compliance.toml or below it (default: the current folder); `model`
    (NAME@VERSION) the version that the runs made, where it is on record. Where the script names no tracking URI,
    MLflow is pointed at the workspace's. Call it again to change these. Never raises for what is wrong with the
    workspace: it warns (AutologWarning), and the script goes on.
    """
    import mlflow

    try:
        with Workspace.open(Path(workspace) if workspace else None) as ws:
            place, ours = mirroring.place(ws), ws.config.mlflow.tracking_uri
            if not mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
                mlflow.set_tracking_uri(place.uri)
            if mlflow.get_tracking_uri() != place.uri:
                _warn(
                    f"The script logs to {without_credentials(mlflow.get_tracking_uri())}, the workspace "
                    f"reads {ours}. Set the same tracking_uri in compliance.toml."
                )
                return
            ws.signer(key, ask=False)  # the process behind has no terminal to be asked on
            (ws.root / NOTES).mkdir(mode=0o700, exist_ok=True)
            target = _Target(ws.root, place.uri, model, key)
            if left := _left_over(ws.root):
                _warn(f"Runs that ended earlier have not become evidence yet ({left}); {LOG} says why.")
    except (ComplianceError, OSError) as error:
        remedy = getattr(error, "remedy", "")
        _warn(f"{error} {remedy} {LEFT}" if remedy else f"{error} {LEFT}")
        return
    _watch_ends(target)


def drain(ws: Workspace) -> Iterator[list[Logged]]:
    """Capture every run that a note names, and remove the note; yield what each added.

    Evaluations are left to `capture --run --evaluates`: only a person can say of which version, on which dataset.
    Stops where MLflow cannot be reached; a run that cannot be captured otherwise is said and left.
    """
    from compliance.services import capture
    from compliance.services.evaluation_runs import is_evaluation

    tracking = mirroring.read_mirror(ws).tracking
    for note in sorted((ws.root / NOTES).glob("*.json"), key=lambda path: path.stat().st_mtime_ns):
        try:
            run = tracking.run(note.stem)
        except UnknownReference as error:
            print(f"{now()} run {note.stem} is given up: {error}")
            note.unlink(missing_ok=True)
            continue
        try:
            wanted = _wanted(note)
            ours = ENVELOPE_TAG in run.tags
            if is_evaluation(run):
                print(f"{now()} run {note.stem} is an evaluation: `compliance capture --run … --evaluates … --on …`")
            elif run.status in capture.OUTCOMES and not ours:
                before = capture.captured_runs(ws).get(run.run_id)
                yield capture.log_run(ws, tracking, run, before, **wanted)
        except Unavailable:
            raise
        except (ComplianceError, ValueError) as error:
            print(f"{now()} run {note.stem}: {error}")
            continue
        note.unlink(missing_ok=True)


def _left_over(root: Path) -> int:
    """Return how many notes lie there while nobody is at work on them."""
    with worker.lock(root, NAME) as idle:
        return len(list((root / NOTES).glob("*.json"))) if idle else 0


def _wanted(note: Path) -> dict[str, str]:
    """Return the model version and the key that a note names; what else stands in it is nobody's word."""
    said = json.loads(note.read_bytes())
    if not isinstance(said, dict):
        raise ValueError("its note is none of ours")
    return {name: str(said[name]) for name in ("model", "key") if said.get(name)}


def main(root: Path) -> None:
    """Capture what notes name until there are none that can be, then end."""
    print(f"{now()} process {os.getpid()} makes evidence of runs that ended")
    before: set[Path] = set()
    # looked at again after the lock was let go: a script that saw it held relies on us
    while (notes := set((root / NOTES).glob("*.json"))) and notes != before:
        before = notes
        with worker.lock(root, NAME) as ours:
            if not ours:
                return
            try:
                with Workspace.open(root) as ws:
                    for logged in drain(ws):
                        print(f"{now()} {' '.join(piece.evidence for piece in logged) or 'nothing new'}")
            except ComplianceError as error:
                print(f"{now()} {error}")
                return


def _watch_ends(target: _Target) -> None:
    """Have MLflow's client tell us of every run that it ended; the fluent API ends its runs through it too."""
    from mlflow import MlflowClient

    present = MlflowClient.set_terminated
    original = getattr(present, "watched", present)

    @functools.wraps(original)
    def set_terminated(self: Any, run_id: str, *arguments: Any, **options: Any) -> Any:
        result = original(self, run_id, *arguments, **options)
        if self.tracking_uri == target.uri:
            _leave_note(target, run_id)
        return result

    set_terminated.watched = original  # type: ignore[attr-defined]
    MlflowClient.set_terminated = set_terminated  # type: ignore[method-assign]


def _leave_note(target: _Target, run_id: str) -> None:
    note = target.root / NOTES / f"{run_id}.json"
    draft = note.with_suffix(f".{os.getpid()}")
    try:
        draft.write_text(json.dumps({"model": target.model, "key": target.key}), encoding="utf-8")
        draft.replace(note)
    except OSError as error:
        _warn(f"The run {run_id} does not become evidence by itself: {error.strerror}.")
        return
    environment = os.environ | {"MLFLOW_TRACKING_URI": target.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    worker.start(target.root, NAME, __name__, environment)


def _warn(text: str) -> None:
    warnings.warn(text, AutologWarning, stacklevel=3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
