"""A workspace's mirror: which tracking store it is, and what stands there for each piece of evidence."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

from compliance.core.envelope import unverified_payload
from compliance.core.evidence import Evidence
from compliance.errors import InvalidInput, Unavailable
from compliance.exporters.sigstore import to_bundle
from compliance.services.config import Config
from compliance.services.workspace import Workspace
from compliance.storage.mirror.moved import Move, find_move, mend
from compliance.storage.mirror.record import RunRecord, experiment_name, mirror_record
from compliance.storage.mirror.tracking import (
    Tracking,
    is_server,
    open_tracking,
    sqlite_file,
    tracking_uri,
    without_credentials,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workspace's mirror is; finding out opens nothing."""

    uri: str
    experiment: str
    """Name of the MLflow experiment."""

    @property
    def is_server(self) -> bool:
        return is_server(self.uri)

    @property
    def label(self) -> str:
        """The tracking URI without credentials."""
        return without_credentials(self.uri)


@dataclass(frozen=True, slots=True)
class Mirror:
    """An opened mirror."""

    place: Place
    tracking: Tracking
    experiment_id: str | None
    """None where the experiment is not made yet."""
    move: Move | None = None
    """How the workspace moved since its paths were written, where nobody has mended them yet."""


_opened: "WeakKeyDictionary[Workspace, Mirror]" = WeakKeyDictionary()


class Home(Protocol):
    """What must be known of a workspace to find its mirror; its ledger may be lost."""

    @property
    def root(self) -> Path: ...
    @property
    def config(self) -> Config: ...


def place(ws: Home) -> Place:
    """Return where the mirror of `ws` is: `MLFLOW_TRACKING_URI`, else compliance.toml."""
    try:
        uri = tracking_uri(ws.config.mlflow.tracking_uri, ws.root, os.environ)
        without_credentials(uri)
    except ValueError as error:
        raise InvalidInput(
            f"The MLflow tracking URI cannot be read: {error}.",
            remedy="Mend MLFLOW_TRACKING_URI, or `mlflow` in compliance.toml.",
        ) from None
    return Place(uri, experiment_name(ws.config.system.id))


def open_mirror(ws: Workspace) -> Mirror:
    """Open the mirror for writing: its experiment is made, and the paths of a moved workspace are mended.

    Kept open with the workspace, since making a connection costs as much as writing a run.
    """
    at = place(ws)
    known = _opened.get(ws)
    if known is not None and known.place == at:
        return known
    mend_move(ws)
    tracking = open_tracking(at.uri, ws.root / ws.config.mlflow.artifacts, os.environ)
    mirror = Mirror(at, tracking, tracking.make_experiment(at.experiment))
    _opened[ws] = mirror
    return mirror


def forget(ws: Workspace) -> None:
    """Let the next use open the mirror again."""
    _opened.pop(ws, None)


def read_mirror(ws: Home) -> Mirror:
    """Open the mirror for reading: nothing is made and nothing mended. Raises Unavailable where it is not there."""
    at = place(ws)
    file = sqlite_file(at.uri)
    if file is not None and not file.exists():
        raise Unavailable(
            f"MLflow's database {file} is not there.",
            remedy="Bring it back from a copy, or set MLFLOW_TRACKING_URI to where it is.",
        )
    move = moved(ws)
    tracking = open_tracking(at.uri, ws.root / ws.config.mlflow.artifacts, os.environ, move)
    try:
        return Mirror(at, tracking, tracking.experiment(at.experiment), move)
    except Unavailable as error:
        if not error.facts.get("deleted"):
            raise
        return Mirror(at, tracking, None, move)


def moved(ws: Home) -> Move | None:
    """Return how the workspace moved since MLflow's paths were written, where they were not mended yet."""
    at = place(ws)
    file = sqlite_file(at.uri)
    if file is None:
        return None
    return find_move(file, (ws.root / ws.config.mlflow.artifacts).resolve(), ws.root, at.experiment)


def mend_move(ws: Home) -> int:
    """Mend MLflow's absolute paths after the workspace moved; return how many were changed."""
    move, file = moved(ws), sqlite_file(place(ws).uri)
    return mend(file, move) if move is not None and file is not None else 0


def run_record(ws: Workspace, evidence: Evidence) -> RunRecord:
    """Return what MLflow holds, or is to hold, for one piece."""
    entry = ws.ledger.entry(evidence.index)
    envelope = ws.ledger.envelope(entry.envelope) or b""
    return mirror_record(
        evidence,
        payload=unverified_payload(envelope),
        leaf=entry.leaf,
        bundle=to_bundle(envelope),
        checkpoint=ws.ledger.covering_checkpoint(evidence.index) or "",
        attachments=ws.attachments,
    )
