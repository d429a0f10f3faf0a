"""A real MLflow tracking server on a free port of this machine, and workspaces that mirror to it."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from compliance.core.system import Profile, System
from compliance.services.workspace import Workspace

MakeWorkspace = Callable[..., Workspace]


SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": urlsafe_b64encode(bytes(32)).decode(),
}
"""Without the last, each of the server's processes makes a key of its own, and stored secrets cannot be read.
With the usual cache, events within a minute of an earlier one go to the webhooks that there were then."""


UNCHECKED = ssl.create_default_context()
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE


class Server:
    """`mlflow server` with its artifacts proxied; can be stopped and started again on the same port."""

    def __init__(
        self,
        folder: Path,
        *,
        scheme: str = "http",
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`options` replace the usual artifact folder; `settings` are more environment variables."""
        self.folder = folder
        self._options = options or ("--artifacts-destination", str(folder / "artifacts"))
        self._settings = settings or {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.uri = f"{scheme}://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/server.db"),
                *self._options,
            ],
            cwd=self.folder,
            env=os.environ | SETTINGS | self._settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        deadline = time.monotonic() + 240
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=1, context=UNCHECKED) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("mlflow-server"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs; making its tables takes seconds, a copy none."""
    from compliance.storage.mirror.client import ClientTracking

    path = tmp_path_factory.mktemp("empty-mlflow") / "mlflow.db"
    ClientTracking(f"sqlite:///{path}", None)
    return path


@pytest.fixture
def make_workspace(tmp_path: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeWorkspace]:
    """Make workspaces that mirror to their own SQLite file, or to `uri`."""
    made: list[Workspace] = []
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery staple")

    def make(uri: str | None = None, system: str = "triage", folder: str = "workspace") -> Workspace:
        if uri is None:
            monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
            (tmp_path / folder).mkdir()
            shutil.copy(empty_mlflow, tmp_path / folder / "mlflow.db")
        else:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        ws = Workspace.create(
            tmp_path / folder,
            system=System(id=system, name="Triage", provider="Example"),
            profile=Profile(intended_purpose="Tests"),
            origin=f"example.org/{system}",
        )
        made.append(ws)
        return ws

    # in-process writing, as in a pipeline that has MLflow loaded: no process is left behind by a test
    monkeypatch.setattr("compliance.services.background.start", lambda root, uri: None)
    yield make
    for ws in made:
        ws.close()


def some_records(prefix: str = "a") -> list[dict[str, Any]]:
    """Return a model version, a dataset, a document with attachments, and an evaluation in two groups."""
    return [
        {"kind": "model-version", "name": f"{prefix}-net", "version": "1", "title": "The net", "sha256": "5f" * 32,
         "basis": "file", "hyperparameters": {"depth": "3"}, "design_rationale": "ä" * 7000},
        {"kind": "dataset", "name": f"{prefix}-test", "version": "1", "title": "Held out", "role": "test",
         "sha256": "c1" * 32, "basis": "file"},
        {"kind": "document", "name": f"{prefix}-plan@1", "title": "Plan", "document_type": "study-protocol",
         "attachments": [
            {"path": "plan #1.txt", "classification": "internal"},
            {"path": "patients.csv", "classification": "restricted"}]},
        {"kind": "evaluation", "title": "On people held out", "model": f"{prefix}-net@1", "dataset": f"{prefix}-test@1",
         "started_at": "2026-11-23T10:02:11Z", "unit_of_analysis": "person", "metrics": [
            {"name": "sensitivity", "x": 318, "n": 402},
            {"name": "sensitivity", "group": {"sex": "F"}, "x": 171, "n": 214},
            {"name": "sensitivity", "group": {"age": "<60"}, "x": 47, "n": 88}]},
    ]  # fmt: skip


def log_some(ws: Workspace, prefix: str = "a") -> list[int]:
    """Log `some_records` and return their indexes."""
    (ws.root / "plan #1.txt").write_text("We plan.\n")
    (ws.root / "patients.csv").write_text("id,label\n1,0\n")
    return [int(logged.evidence[3:]) for logged in ws.log_records(some_records(prefix), base=ws.root)]
