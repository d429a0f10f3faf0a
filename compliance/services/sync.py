"""Writing evidence to MLflow: at once where that is quick, else by one process in the background.

The ledger is the record and MLflow its mirror, so nothing here can lose evidence: what cannot be written
stays `pending` with the reason, and the next command or `compliance sync` completes it. Several processes
may send at once; each piece is leased to one, and looked up by its envelope's digest before it is made again.
"""

import os
import socket
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.wire import evidence_number
from compliance.errors import ComplianceError, Unavailable, UnknownReference
from compliance.services import background, mirroring
from compliance.services.checking import Problem
from compliance.services.compare import compare
from compliance.services.mirroring import Mirror
from compliance.services.workspace import Workspace
from compliance.storage.mirror.record import ENVELOPE_TAG, EVIDENCE_TAG
from compliance.storage.mirror.tracking import ACTIVE, FINISHED, MLflowRun

__all__ = ["Problem", "SyncReport", "compare", "mirror_after_append", "send", "sync"]

INLINE = 25
"""More pieces than this are acknowledged from the ledger and written to MLflow in the background."""
BATCH = 10
LEASE_SECONDS = 300.0
POLL_SECONDS = 0.2
ERASED = "erased"
"""Stands for the run of a piece that was erased before it was mirrored."""

Step = Callable[[int], None]


@dataclass(slots=True)
class SyncReport:
    """What one `sync` did, and what is left."""

    mirrored: int = 0
    """Pieces written by this call."""
    pending: int = 0
    """Pieces that MLflow does not hold yet."""
    mended: int = 0
    """Paths changed in MLflow's database because the workspace had moved."""
    reachable: bool = True
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def mirror_after_append(ws: Workspace, indexes: Sequence[int], *, wait: bool = False) -> dict[int, str]:
    """Mirror what was just appended and return each piece's state. Raises nothing: the evidence is safe.

    A tracking server is written before this returns, and so is a database where MLflow is loaded already or
    `wait` is asked for; else, and for long lists, a process in the background does it.
    """
    with suppress(ComplianceError):  # the reason is kept with each pending piece, and `compliance sync` says it
        place = mirroring.place(ws)
        if wait or (len(indexes) <= INLINE and (place.is_server or "mlflow" in sys.modules)):
            older = [index for index in ws.ledger.pending(INLINE) if index not in indexes]
            send(ws, [*indexes, *older])
        else:
            background.start(ws.root, place.uri)
    return {index: "mirrored" if ws.ledger.mirror_run(index) else "pending" for index in indexes}


def sync(ws: Workspace, *, wait: bool = True, limit: int | None = None, step: Step | None = None) -> SyncReport:
    """Write to MLflow whatever is pending, and mend artifact paths after a workspace was moved.

    With `wait`, stays until what other processes are sending is done too. `step` is told how many are left.
    Unreachable is reported, not raised.
    """
    report = SyncReport()
    tried: set[int] = set()
    try:
        report.mended = mirroring.mend_move(ws)
        while limit is None or len(tried) < limit:
            free = [index for index in ws.ledger.pending() if index not in tried]
            if limit is not None:
                free = free[: limit - len(tried)]
            if free:
                tried.update(free)
                report.mirrored += send(ws, free, report.problems, step)
            elif wait and _others_at_work(ws):
                time.sleep(POLL_SECONDS)
            else:
                break
    except ComplianceError as error:
        report.reachable = False
        report.problems.append(error.problem)
    report.pending = ws.ledger.pending_count()
    return report


def send(ws: Workspace, indexes: Sequence[int], problems: list[str] | None = None, step: Step | None = None) -> int:
    """Write these pieces to MLflow, those that no other process has; return how many now stand there.

    Raises Unavailable where MLflow cannot be used at all, with the reason kept on every piece it was to send;
    what MLflow refuses of a single piece is put into `problems`, and the others go on.
    """
    done = 0
    for start in range(0, len(indexes), BATCH):
        batch = indexes[start : start + BATCH]
        untried = {index for index in batch if ws.ledger.untried(index)}
        leased = ws.ledger.lease_many(batch, _owner(), LEASE_SECONDS)
        sent: dict[int, str] = {}
        refused: dict[int, str] = {}
        reason = "The process that was sending it was stopped."
        try:
            for index in leased:
                try:
                    sent[index] = _send_one(ws, index, new=index in untried and not ws.ledger.mirror_error(index))
                except ComplianceError as error:
                    reason = f"{error.problem} {error.remedy}"
                    if not error.facts.get("refused"):
                        mirroring.forget(ws)
                        raise
                    refused[index] = reason
        finally:
            ws.ledger.mirrored_many(sent)
            for index in leased:
                if index not in sent:
                    ws.ledger.failed(index, refused.get(index, reason))
        done += len(sent)
        if problems is not None:
            problems += [f"{evidence_number(index)}: {text}" for index, text in refused.items()]
        if step is not None:
            step(len(indexes) - start - len(batch))
    return done


def _send_one(ws: Workspace, index: int, *, new: bool) -> str:
    """Write one piece and return its run; `new` says that MLflow cannot hold any of it yet."""
    try:
        evidence = ws.ledger.piece(index)
    except UnknownReference:
        return ERASED
    mirror = mirroring.open_mirror(ws)
    try:
        run = _write(mirror, ws, evidence, new=new)
        _tag_origin(mirror, evidence)
    except (LookupError, TypeError, ValueError) as error:  # an answer without the fields that MLflow documents
        raise Unavailable(
            f"{mirror.place.label} does not answer as MLflow does ({type(error).__name__}: {error}).",
            remedy="Check the tracking URI and the server's version, then run `compliance sync`.",
        ) from error
    return run.run_id


def _write(mirror: Mirror, ws: Workspace, evidence: Evidence, *, new: bool) -> MLflowRun:
    record, tracking = mirroring.run_record(ws, evidence), mirror.tracking
    experiment_id = mirror.experiment_id or tracking.make_experiment(mirror.place.experiment)
    found: list[MLflowRun] = []
    if not new:
        same = tracking.runs(experiment_id, f"tags.`{ENVELOPE_TAG}` = '{evidence.digest}'")
        found = [run for run in same if run.lifecycle == ACTIVE]
    run = found[0] if found else tracking.create(experiment_id, record)
    if run.status != FINISHED:
        tracking.fill(run, record)
        tracking.finish(run, record)
    return run


def _tag_origin(mirror: Mirror, evidence: Evidence) -> None:
    """Name the evidence on the MLflow object that it was captured from: the one thing we write there."""
    origin = evidence.predicate.get("source", {}).get("mlflow") or {}
    with suppress(UnknownReference):  # it is gone, or stands in another store: `verify --all` says so
        if registered := origin.get("registered_model"):
            name, _, number = registered.rpartition("/")
            for version in mirror.tracking.model_versions(name):
                if version.version == number:
                    mirror.tracking.tag_model_version(version, EVIDENCE_TAG, evidence.number)
        elif run_id := origin.get("run_id"):
            mirror.tracking.tag_run(run_id, EVIDENCE_TAG, evidence.number)


def _owner() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def _others_at_work(ws: Workspace) -> bool:
    """Say whether another process is sending; what a dead one of this machine left behind is given back."""
    at_work = False
    for index, owner in ws.ledger.senders().items():
        host, _, rest = owner.rpartition("/")[0].rpartition("/")
        if host == socket.gethostname() and not _alive(int(rest)):
            ws.ledger.failed(index, "The process that was sending it was stopped.")
        at_work = True
    return at_work


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
