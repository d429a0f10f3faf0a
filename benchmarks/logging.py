"""Logging evidence into ledger and MLflow, beside the same fields and file by MLflow's fluent API and its client.

The peers write what an evaluation writes there: seven tags, the same parameters and metrics, the dataset input
and one file with the evidence. Ours also validates, signs, appends durably and writes three files.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import Options, Row, environment, in_turns, rate, ratio, timed
from benchmarks.records import evaluation, workspace
from compliance.services import mirroring, sync
from compliance.services.workspace import Workspace
from compliance.storage.mirror.record import RunRecord

GROUP = "logging"


def measure(options: Options) -> list[Row]:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    import mlflow

    rows = []
    with workspace(options.scratch / "sqlite") as ws:
        rows += _one("SQLite", ws, f"sqlite:///{options.scratch}/peer.db", mlflow, options)
        rows += _many(ws, f"sqlite:///{options.scratch}/peer.db", mlflow, options)
        rows += _autolog(ws, mlflow, options)
    with (
        _server(options.scratch) as uri,
        environment(MLFLOW_TRACKING_URI=uri),
        workspace(options.scratch / "server") as ws,
    ):
        rows += _one("server", ws, uri, mlflow, options)
    return rows


def _one(where: str, ws: Workspace, uri: str, mlflow: Any, options: Options) -> list[Row]:
    number = 0

    def ours() -> None:
        nonlocal number
        number += 1
        (logged,) = ws.log_records([evaluation(number)])
        if logged.mirror != "mirrored":
            raise RuntimeError(ws.ledger.mirror_error(int(logged.evidence[3:])))

    ours()
    record = mirroring.run_record(ws, ws.ledger.piece(ws.ledger.size - 1))
    fluent, client = _fluent(record, uri, mlflow, options.scratch), _client(record, uri, mlflow, options.scratch)
    taken = in_turns(options.size(150, 20), ours, fluent, client, warm_up=5)
    mine, by_fluent, by_client = (seconds * 1000 for seconds in taken)
    return [
        ratio(GROUP, f"one piece, {where}", mine, by_fluent, "ms", "fluent API", 0.75),
        ratio(GROUP, f"one piece, {where}", mine, by_client, "ms", "client, five calls", 1.0),
    ]


def _many(ws: Workspace, uri: str, mlflow: Any, options: Options) -> list[Row]:
    count = options.size(1_000, 100)
    records = [evaluation(10_000 + n) for n in range(count)]
    inline, sync.INLINE = sync.INLINE, 0  # as a command does with many: acknowledge, mirror behind
    with _no_background():
        acknowledged = count / timed(lambda: ws.log_records(records))
    sync.INLINE = inline
    mirrored = count / timed(lambda: _drain(ws))
    record = mirroring.run_record(ws, ws.ledger.piece(ws.ledger.size - 1))
    fluent = _fluent(record, uri, mlflow, options.scratch)
    repeated = options.size(200, 20)
    by_fluent = repeated / timed(lambda: [fluent() for _ in range(repeated)])
    return [
        rate(GROUP, f"{count:,} records acknowledged", acknowledged, 2_000),
        Row(GROUP, f"{count:,} records mirrored", mirrored, by_fluent, "per s", "fluent API", mirrored / by_fluent, 3.0,
            at_least=True),
    ]  # fmt: skip


def _autolog(ws: Workspace, mlflow: Any, options: Options) -> list[Row]:
    """A user's run that becomes evidence, beside the same run without us; the process behind it works meanwhile."""
    from compliance.services.autolog import autolog

    mlflow.set_tracking_uri(mirroring.place(ws).uri)
    mlflow.set_experiment("users")
    plain = mlflow.MlflowClient.set_terminated
    autolog(ws.root)
    watched = mlflow.MlflowClient.set_terminated

    def run(ends: Any) -> Callable[[], None]:
        def train() -> None:
            mlflow.MlflowClient.set_terminated = ends
            with mlflow.start_run():
                mlflow.log_params({"depth": 3, "rate": 0.1})
                for step in range(20):
                    mlflow.log_metric("loss", 1 / (step + 1), step=step)

        return train

    taken = in_turns(options.size(100, 10), run(watched), run(plain))
    mlflow.MlflowClient.set_terminated = plain
    with_us, without = (seconds * 1000 for seconds in taken)
    return [ratio(GROUP, "a user's run under autolog", with_us, without, "ms", "the same run without", 1.05)]


def _drain(ws: Workspace) -> None:
    report = sync.sync(ws)
    if report.pending:
        raise RuntimeError(str(report.problems))


@contextmanager
def _no_background() -> Iterator[None]:
    from compliance.services import background

    start, background.start = background.start, lambda root, uri: None
    try:
        yield
    finally:
        background.start = start


def _file(record: RunRecord, scratch: Path) -> Path:
    """Write the evidence as the one file that the peers log."""
    path = scratch / "evidence.sigstore.json"
    data = record.artifacts["evidence.sigstore.json"].source
    path.write_bytes(data if isinstance(data, bytes) else data.read_bytes())
    return path


def _fluent(record: RunRecord, uri: str, mlflow: Any, scratch: Path) -> Callable[[], None]:
    file = _file(record, scratch)
    with environment(MLFLOW_TRACKING_URI=uri):
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.set_experiment("peer").experiment_id
    sources = [
        mlflow.data.meta_dataset.MetaDataset(_source(mlflow), name=item.name, digest=item.digest)
        for item in record.inputs
    ]

    def log() -> None:
        with environment(MLFLOW_TRACKING_URI=uri):
            mlflow.set_tracking_uri(uri)
            with mlflow.start_run(run_name=record.name, experiment_id=experiment):
                mlflow.set_tags(dict(record.tags))
                mlflow.log_params(dict(record.params))
                mlflow.log_metrics(dict(record.metrics))
                for item, source in zip(record.inputs, sources, strict=True):
                    mlflow.log_input(source, context=item.context)
                mlflow.log_artifact(str(file))

    return log


def _source(mlflow: Any) -> Any:
    from mlflow.data.http_dataset_source import HTTPDatasetSource

    make: Any = HTTPDatasetSource
    return make("https://example.org/held-out.csv")


def _client(record: RunRecord, uri: str, mlflow: Any, scratch: Path) -> Callable[[], None]:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    file = _file(record, scratch)
    client = mlflow.MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("peer-client")
    experiment = found.experiment_id if found else client.create_experiment("peer-client")

    def log() -> None:
        now = int(time.time() * 1000)
        run = client.create_run(experiment, start_time=now, tags=dict(record.tags), run_name=record.name)
        metrics = [Metric(key, value, now, 0) for key, value in record.metrics.items()]
        client.log_batch(run.info.run_id, metrics, [Param(key, value) for key, value in record.params.items()])
        inputs = [
            DatasetInput(
                Dataset(item.name, item.digest, "local", item.source), [InputTag("mlflow.data.context", item.context)]
            )
            for item in record.inputs
        ]
        client.log_inputs(run.info.run_id, inputs)
        client.log_artifact(run.info.run_id, str(file))
        client.set_terminated(run.info.run_id)

    return log


@contextmanager
def _server(scratch: Path) -> Iterator[str]:
    """Run a tracking server with one worker on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{scratch}/server.db", "--artifacts-destination", f"{scratch}/server"]
    off = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (scratch / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=scratch, env=os.environ | off, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 120
        while not _answers(f"http://127.0.0.1:{port}/health"):
            if time.monotonic() > deadline:
                raise RuntimeError((scratch / "server.log").read_text())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
