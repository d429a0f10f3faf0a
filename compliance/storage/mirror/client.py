"""The mirror through MLflow's own client: for database and file stores, which no server stands before.

Importing MLflow takes 3 to 5 seconds, so this module is loaded only by whoever must. Five calls make a
run; its files are written straight into the folder that MLflow names, where that is on this machine.
"""

import fcntl
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from compliance.errors import Unavailable, UnknownReference
from compliance.storage.mirror.files import LocalFiles, file_pieces, files_under, local_folder, write_file
from compliance.storage.mirror.moved import Move, folder_of
from compliance.storage.mirror.record import Artifact, DatasetInput, RunRecord
from compliance.storage.mirror.tracking import (
    ACTIVE,
    CONTEXT_TAG,
    FINISHED,
    LOGGED,
    EvaluationSet,
    Experiment,
    MetricPoint,
    MLflowRun,
    ModelFiles,
    ModelVersion,
    Prompt,
    Verdict,
    is_server,
    sqlite_file,
    without_credentials,
)

PAGE = 1_000
URI_VARIABLE = "MLFLOW_TRACKING_URI"
TRACES = 500
"""More than this many traces MLflow does not give at once."""


def quiet_import() -> Any:
    """Import MLflow with its telemetry off and without its talk about database migrations."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    first = "mlflow" not in sys.modules
    import mlflow

    if first:
        import logging

        for name in ("alembic", "mlflow.store", "mlflow.tracking"):
            logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


@contextmanager
def tracked_at(mlflow: Any, uri: str) -> Iterator[None]:
    """Point MLflow's global address elsewhere for a while. It keeps it in the environment, so both are put back."""
    named = os.environ.get(URI_VARIABLE)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None if before == named else before)
        if named is None:
            os.environ.pop(URI_VARIABLE, None)
        else:
            os.environ[URI_VARIABLE] = named


class ClientTracking:
    """A tracking store through MlflowClient. See `Tracking` for what each method promises."""

    def __init__(self, uri: str, artifacts: Path | None, move: Move | None = None) -> None:
        self.label = without_credentials(uri)
        self._uri = uri
        self._secret = urlsplit(uri).password
        self._artifacts, self._move = artifacts, move
        if is_server(uri):  # only artifacts of a server are asked for here, and they may not block for minutes
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        quiet_import()
        from mlflow import MlflowClient

        file = sqlite_file(uri)
        with self._guarded(), nullcontext() if file is None else _alone(file):
            fresh = file is not None and not file.exists()
            self._mlflow: Any = MlflowClient(tracking_uri=uri, registry_uri=uri)
            if file is not None and fresh:
                self._mlflow.search_experiments(max_results=1)  # makes the tables
                _write_ahead(file)

    def experiment(self, name: str) -> str | None:
        with self._guarded():
            found = self._mlflow.get_experiment_by_name(name)
        if found is None:
            return None
        if found.lifecycle_stage != ACTIVE:
            raise Unavailable(
                f"The experiment {name} is deleted in MLflow.",
                remedy=f"Restore it: `mlflow experiments restore --experiment-id {found.experiment_id}`.",
                deleted=True,
            )
        return str(found.experiment_id)

    def make_experiment(self, name: str) -> str:
        if found := self.experiment(name):
            return found
        from mlflow.exceptions import MlflowException

        location = None if self._artifacts is None else folder_of(self._artifacts, name).as_uri()
        try:
            return str(self._mlflow.create_experiment(name, artifact_location=location))
        except MlflowException as error:  # another process may have made it meanwhile
            if error.error_code == "RESOURCE_ALREADY_EXISTS" and (found := self.experiment(name)):
                return found
            raise self._problem(error) from error

    def experiments(self) -> list[Experiment]:
        found = [Experiment(str(item.experiment_id), item.name) for item in self._all(self._mlflow.search_experiments)]
        return sorted(found, key=lambda experiment: experiment.name)

    def registered_models(self) -> list[str]:
        return sorted(item.name for item in self._all(self._mlflow.search_registered_models))

    def runs(self, experiment_id: str, condition: str = "") -> Iterator[MLflowRun]:
        from mlflow.entities import ViewType

        page = None
        while True:
            with self._guarded():
                answer = self._mlflow.search_runs(
                    [experiment_id], condition, run_view_type=ViewType.ALL, max_results=PAGE, page_token=page
                )
            for run in answer:
                yield _run(run)
            page = answer.token
            if not page:
                return

    def run(self, run_id: str) -> MLflowRun:
        with self._guarded():
            return _run(self._mlflow.get_run(run_id))

    def create(self, experiment_id: str, record: RunRecord) -> MLflowRun:
        with self._guarded():
            return _run(
                self._mlflow.create_run(
                    experiment_id, start_time=record.at, tags=dict(record.tags), run_name=record.name
                )
            )

    def fill(self, run: MLflowRun, record: RunRecord) -> None:
        from mlflow.entities import Dataset, InputTag, Metric, Param
        from mlflow.entities import DatasetInput as Input

        with self._guarded():
            if record.params or record.metrics:
                self._mlflow.log_batch(
                    run.run_id,
                    metrics=[Metric(key, value, record.at, 0) for key, value in record.metrics.items()],
                    params=[Param(key, value) for key, value in record.params.items()],
                )
            if record.inputs:
                inputs = [
                    Input(
                        Dataset(item.name, item.digest, item.source_type, item.source),
                        [InputTag(CONTEXT_TAG, item.context)],
                    )
                    for item in record.inputs
                ]
                self._mlflow.log_inputs(run.run_id, datasets=inputs)
        self.fill_artifacts(run, record)

    def fill_artifacts(self, run: MLflowRun, record: RunRecord) -> None:
        folder = self._folder(run.artifact_uri)
        for path, artifact in record.artifacts.items():
            with self._guarded():
                if folder is not None:
                    write_file(folder / path, artifact)
                else:
                    self._upload(run.run_id, path, artifact)

    def finish(self, run: MLflowRun, record: RunRecord) -> None:
        with self._guarded():
            self._mlflow.set_terminated(run.run_id, FINISHED, end_time=record.at)

    def artifacts(self, run: MLflowRun) -> list[str]:
        folder = self._folder(run.artifact_uri)
        if folder is not None:
            return files_under(folder)
        found: list[str] = []
        folders = [""]
        while folders:
            with self._guarded():
                for item in self._mlflow.list_artifacts(run.run_id, folders.pop()):
                    (folders if item.is_dir else found).append(item.path)
        return sorted(found)

    def read(self, run: MLflowRun, path: str) -> Iterator[bytes]:
        folder = self._folder(run.artifact_uri)
        if folder is not None:
            yield from file_pieces(folder / path)
            return
        with tempfile.TemporaryDirectory() as target, self._guarded():
            yield from file_pieces(Path(self._mlflow.download_artifacts(run.run_id, path, target)))

    def verdicts(self, run: MLflowRun) -> list[Verdict]:
        search = partial(
            self._mlflow.search_traces, locations=[run.experiment_id], run_id=run.run_id, include_spans=False
        )
        found = [
            _verdict(trace.info.trace_id, said)
            for trace in self._all(search, TRACES)
            for said in trace.info.assessments
            if said.valid is not False
        ]
        return sorted(found, key=lambda one: (one.trace, one.name, one.by))

    def history(self, run_id: str, metric: str) -> Iterator[MetricPoint]:
        with self._guarded():
            found = self._mlflow.get_metric_history(run_id, metric)
        return (_point(one.to_proto()) for one in found)

    def model_versions(self, name: str) -> list[ModelVersion]:
        quoted = name.replace("'", "''")
        return self._search_versions(f"name = '{quoted}'")

    def run_model_versions(self, run_id: str) -> list[ModelVersion]:
        return self._search_versions(f"run_id = '{run_id}'")

    def model_files(self, version: ModelVersion) -> ModelFiles:
        if version.version.startswith(LOGGED):
            uri = version.source
        else:
            with self._guarded():
                uri = self._mlflow.get_model_version_download_uri(version.name, version.version)
        folder = self._folder(uri)
        if folder is None:
            import mlflow.artifacts

            holder = tempfile.TemporaryDirectory()
            with self._guarded():
                folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=holder.name))
            return LocalFiles(folder, holder)
        return LocalFiles(folder)

    def logged_model(self, model_id: str) -> ModelVersion:
        with self._guarded():
            found = self._mlflow.get_logged_model(model_id)
        return ModelVersion(
            found.name, found.model_id, found.artifact_location, found.source_run_id or None, (), dict(found.tags)
        )

    def prompt(self, name: str, version: str = "") -> Prompt:
        with self._guarded():
            found = (
                self._mlflow.get_prompt_version(name, version)
                if version
                else max(self._mlflow.search_prompt_versions(name), key=lambda one: int(one.version), default=None)
            )
        if found is None:
            raise UnknownReference(f"MLflow has no prompt {name}.", remedy="Register it first, or mend the name.")
        told = {"response_format": found.response_format, "model_config": found.model_config}
        settings = {field: value for field, value in told.items() if value}
        return Prompt(found.name, str(found.version), found.template, settings, found.commit_message or "")

    def evaluation_sets(self, experiment_id: str) -> list[EvaluationSet]:
        search = partial(self._mlflow.search_datasets, experiment_ids=[experiment_id])
        try:
            found = list(self._all(search))
        except Unavailable as error:
            if error.facts.get("code") == "FEATURE_DISABLED":  # a store of plain files
                return []
            raise
        return [EvaluationSet(one.name, one.dataset_id, one.digest or "") for one in found]

    def evaluation_set(self, name: str) -> EvaluationSet:
        import mlflow

        quoted = name.replace("'", "''")
        with self._guarded(), tracked_at(mlflow, self._uri):  # its records are read through the global address
            found = max(
                self._mlflow.search_datasets(filter_string=f"name = '{quoted}'"),
                key=lambda one: one.last_update_time,
                default=None,
            )
            if found is None:
                raise UnknownReference(
                    f"MLflow has no evaluation dataset {name}.", remedy="Make it first, or mend the name."
                )
            rows = [
                {"inputs": record.inputs, "expectations": record.expectations or {}, "tags": dict(record.tags or {})}
                for record in found.records
            ]
        return EvaluationSet(found.name, found.dataset_id, found.digest or "", tuple(rows))

    def tag_run(self, run_id: str, key: str, value: str) -> None:
        with self._guarded():
            self._mlflow.set_tag(run_id, key, value)

    def tag_model_version(self, version: ModelVersion, key: str, value: str) -> None:
        with self._guarded():
            self._mlflow.set_model_version_tag(version.name, version.version, key, value)

    def _search_versions(self, condition: str) -> list[ModelVersion]:
        with self._guarded():
            listed = self._mlflow.search_model_versions(condition)
            # a search leaves aliases out; only the single version carries them
            found = [self._mlflow.get_model_version(item.name, item.version) for item in listed]
        versions = [
            ModelVersion(
                name=item.name,
                version=str(item.version),
                source=item.source or "",
                run_id=item.run_id or None,
                aliases=tuple(item.aliases or ()),
                tags=dict(item.tags or {}),
                description=item.description or "",
            )
            for item in found
        ]
        return sorted(versions, key=lambda version: int(version.version))

    def _all(self, search: Callable[..., Any], size: int = PAGE) -> Iterator[Any]:
        page = None
        while True:
            with self._guarded():
                answer = search(max_results=size, page_token=page)
            yield from answer
            page = answer.token
            if not page:
                return

    def _folder(self, uri: str) -> Path | None:
        return local_folder(self._move.mend(uri) if self._move else uri)

    def _upload(self, run_id: str, path: str, artifact: Artifact) -> None:
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as holder:
            copy = Path(holder) / name
            write_file(copy, artifact)
            self._mlflow.log_artifact(run_id, str(copy), folder or None)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what MLflow, SQLAlchemy, Alembic and the disk raise into our own errors."""
        from alembic.util import CommandError
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, CommandError, OSError, ImportError, sqlite3.Error) as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> Unavailable | UnknownReference:
        text = str(error).splitlines()[0][:500] if str(error) else type(error).__name__
        if self._secret:
            text = text.replace(self._secret, "***")
        if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
            return UnknownReference(f"MLflow at {self.label}: {text}", remedy="Check the id.")
        return Unavailable(
            f"MLflow at {self.label} cannot be used: {text}",
            remedy="The evidence is safe in the ledger. Mend the store, then run `compliance sync`.",
            refused=getattr(error, "error_code", "") in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"},
            code=getattr(error, "error_code", ""),
        )


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold the folder of a database: where two processes make MLflow's tables at once, one of them fails."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_ahead(file: Path) -> None:
    """Let readers and writers of a database that we made work side by side: 1.5 times faster with four writers."""
    with sqlite3.connect(file, timeout=30) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _verdict(trace: str, said: Any) -> Verdict:
    by = "expectation" if said.expectation is not None else said.source.source_type.lower()
    error = said.error.error_code if said.error else None
    value = said.expectation.value if said.expectation is not None else said.feedback and said.feedback.value
    return Verdict(trace, said.name, by, value, error)


def _point(metric: Any) -> MetricPoint:
    return MetricPoint(metric.key, metric.value, metric.timestamp, metric.step)


def _run(run: Any) -> MLflowRun:
    info, data = run.info, run.data
    return MLflowRun(
        run_id=info.run_id,
        experiment_id=str(info.experiment_id),
        name=info.run_name or "",
        status=info.status,
        lifecycle=info.lifecycle_stage,
        artifact_uri=info.artifact_uri or "",
        started=info.start_time or 0,
        ended=info.end_time,
        tags=dict(data.tags),
        params=dict(data.params),
        metrics={metric.key: _point(metric) for metric in data.to_proto().metrics},
        inputs=tuple(
            DatasetInput(
                item.dataset.name,
                item.dataset.digest,
                item.dataset.source,
                next((tag.value for tag in item.tags if tag.key == CONTEXT_TAG), ""),
                item.dataset.source_type,
            )
            for item in (run.inputs.dataset_inputs if run.inputs else [])
        ),
        user=info.user_id or "",
    )
