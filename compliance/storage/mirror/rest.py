"""The mirror over MLflow's public REST API: a third of the client's time, and without its 3.3 s import.

Artifacts go through the server's own proxy (`mlflow-artifacts:`). A server that keeps them elsewhere
(S3, a shared disk) is written through MLflow's client, which knows that store; that costs its import.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from compliance.errors import Unavailable
from compliance.storage.mirror.http import Http
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
)

if TYPE_CHECKING:
    from compliance.storage.mirror.client import ClientTracking

API = "/api/2.0/mlflow/"
SETS = "/api/3.0/mlflow/datasets/search"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
PAGE = 1_000
MAX_DEPTH = 64
MAX_FOLDERS = 100_000
LAST_MOMENT = 253_402_300_799_999
"""Milliseconds to the end of the year 9999."""


class RestTracking:
    """A tracking server. See `Tracking` for what each method promises."""

    def __init__(self, uri: str, environment: Mapping[str, str]) -> None:
        self._uri = uri
        self._http = Http(uri, environment)
        self.label = self._http.label

    def experiment(self, name: str) -> str | None:
        quoted = name.replace("'", "''")
        answer = self._post("experiments/search", max_results=1, filter=f"name = '{quoted}'", view_type="ALL")
        with self._http.as_mlflow():
            found = [(str(one["experiment_id"]), one["lifecycle_stage"]) for one in answer.get("experiments", [])]
        if not found:
            return None
        id_, stage = found[0]
        if stage != ACTIVE:
            raise Unavailable(
                f"The experiment {name} is deleted in MLflow.",
                remedy=f"Restore it: `mlflow experiments restore --experiment-id {id_}`.",
                deleted=True,
            )
        return id_

    def make_experiment(self, name: str) -> str:
        if found := self.experiment(name):
            return found
        try:
            with self._http.as_mlflow():
                return str(self._post("experiments/create", name=name)["experiment_id"])
        except Unavailable as error:  # another process may have made it meanwhile
            if error.facts.get("code") == "RESOURCE_ALREADY_EXISTS" and (found := self.experiment(name)):
                return found
            raise

    def experiments(self) -> list[Experiment]:
        found: list[Experiment] = []
        pages = self._http.pages(lambda page: self._post("experiments/search", max_results=PAGE, page_token=page))
        with self._http.as_mlflow():
            for answer in pages:
                found += [
                    Experiment(str(one["experiment_id"]), _text(one["name"])) for one in answer.get("experiments", [])
                ]
        return sorted(found, key=lambda experiment: experiment.name)

    def registered_models(self) -> list[str]:
        found: list[str] = []
        with self._http.as_mlflow():
            for answer in self._pages("registered-models/search", max_results="1000"):
                found += [_text(item["name"]) for item in answer.get("registered_models", [])]
        return sorted(found)

    def runs(self, experiment_id: str, condition: str = "") -> Iterator[MLflowRun]:
        asked = {"experiment_ids": [experiment_id], "filter": condition, "run_view_type": "ALL", "max_results": PAGE}
        for answer in self._http.pages(lambda page: self._post("runs/search", **asked, page_token=page)):
            with self._http.as_mlflow():
                found = [_run(run) for run in answer.get("runs", [])]
            yield from found

    def run(self, run_id: str) -> MLflowRun:
        answer = self._http.json("GET", f"{API}runs/get", query={"run_id": run_id})
        with self._http.as_mlflow():
            return _run(answer["run"])

    def create(self, experiment_id: str, record: RunRecord) -> MLflowRun:
        tags = [{"key": key, "value": value} for key, value in record.tags.items()]
        answer = self._post(
            "runs/create", experiment_id=experiment_id, run_name=record.name, start_time=record.at, tags=tags
        )
        with self._http.as_mlflow():
            return _run(answer["run"])

    def fill(self, run: MLflowRun, record: RunRecord) -> None:
        if record.params or record.metrics:
            self._post(
                "runs/log-batch",
                run_id=run.run_id,
                params=[{"key": key, "value": value} for key, value in record.params.items()],
                metrics=[
                    {"key": key, "value": value, "timestamp": record.at, "step": 0}
                    for key, value in record.metrics.items()
                ],
            )
        if record.inputs:
            self._post("runs/log-inputs", run_id=run.run_id, datasets=[_input_json(item) for item in record.inputs])
        proxied = _proxied(run.artifact_uri)
        if proxied is None:
            self._store(run.artifact_uri).fill_artifacts(run, record)
            return
        for path, artifact in record.artifacts.items():
            self._put(f"{PROXY}/{proxied}/{quote(path)}", artifact)

    def finish(self, run: MLflowRun, record: RunRecord) -> None:
        self._post("runs/update", run_id=run.run_id, status=FINISHED, end_time=record.at)

    def artifacts(self, run: MLflowRun) -> list[str]:
        proxied = _proxied(run.artifact_uri)
        return self._store(run.artifact_uri).artifacts(run) if proxied is None else self._walk(proxied)

    def read(self, run: MLflowRun, path: str) -> Iterator[bytes]:
        proxied = _proxied(run.artifact_uri)
        if proxied is None:
            return self._store(run.artifact_uri).read(run, path)
        return self._http.pieces(f"{PROXY}/{proxied}/{quote(path)}")

    def verdicts(self, run: MLflowRun) -> list[Verdict]:
        return self._client().verdicts(run)

    def history(self, run_id: str, metric: str) -> Iterator[MetricPoint]:
        for answer in self._pages("metrics/get-history", run_id=run_id, metric_key=metric, max_results="25000"):
            with self._http.as_mlflow():
                found = [_point(one) for one in answer.get("metrics", [])]
            yield from found

    def model_versions(self, name: str) -> list[ModelVersion]:
        quoted = name.replace("'", "''")
        return self._search_versions(f"name = '{quoted}'")

    def run_model_versions(self, run_id: str) -> list[ModelVersion]:
        return self._search_versions(f"run_id = '{run_id}'")

    def logged_model(self, model_id: str) -> ModelVersion:
        return self._client().logged_model(model_id)

    def prompt(self, name: str, version: str = "") -> Prompt:
        return self._client().prompt(name, version)

    def evaluation_sets(self, experiment_id: str) -> list[EvaluationSet]:
        asked = {"experiment_ids": [experiment_id], "max_results": PAGE}
        found: list[EvaluationSet] = []
        try:
            for answer in self._http.pages(lambda page: self._http.json("POST", SETS, asked | {"page_token": page})):
                with self._http.as_mlflow():
                    found += [
                        EvaluationSet(_text(one["name"]), _text(one["dataset_id"]), _text(one.get("digest", "")))
                        for one in answer.get("datasets", [])
                    ]
        except Unavailable as error:
            if error.facts.get("status") not in {404, 501}:  # a server that keeps none
                raise
        return found

    def evaluation_set(self, name: str) -> EvaluationSet:
        return self._client().evaluation_set(name)

    def model_files(self, version: ModelVersion) -> ModelFiles:
        if version.version.startswith(LOGGED):
            return self._store(version.source).model_files(version)
        query = {"name": version.name, "version": version.version}
        answer = self._http.json("GET", f"{API}model-versions/get-download-uri", query=query)
        with self._http.as_mlflow():
            uri = _text(answer["artifact_uri"])
        proxied = _proxied(uri)
        if proxied is None:
            return self._store(uri).model_files(version)
        return _ProxiedFiles(self._http, proxied, self._walk(proxied))

    def tag_run(self, run_id: str, key: str, value: str) -> None:
        self._post("runs/set-tag", run_id=run_id, key=key, value=value)

    def tag_model_version(self, version: ModelVersion, key: str, value: str) -> None:
        self._post("model-versions/set-tag", name=version.name, version=version.version, key=key, value=value)

    def _pages(self, call: str, **query: str) -> Iterator[dict[str, Any]]:
        return self._http.pages(lambda page: self._http.json("GET", API + call, query=_paged(query, page)))

    def _post(self, call: str, **body: Any) -> dict[str, Any]:
        return self._http.json("POST", API + call, body)

    def _search_versions(self, condition: str) -> list[ModelVersion]:
        found: list[ModelVersion] = []
        with self._http.as_mlflow():
            for answer in self._pages("model-versions/search", filter=condition, max_results="1000"):
                found += [self._with_aliases(item) for item in answer.get("model_versions", [])]
            return sorted(found, key=lambda version: int(version.version))

    def _with_aliases(self, item: Mapping[str, Any]) -> ModelVersion:
        # A search leaves aliases out; only the single version carries them.
        query = {"name": item["name"], "version": item["version"]}
        full = self._http.json("GET", f"{API}model-versions/get", query=query)["model_version"]
        return ModelVersion(
            name=_text(full["name"]),
            version=str(int(full["version"])),
            source=_text(full.get("source", "")),
            run_id=_text(full.get("run_id") or "") or None,
            aliases=tuple(map(_text, full.get("aliases", []))),
            tags=_pairs(full.get("tags", [])),
            description=_text(full.get("description", "")),
        )

    def _put(self, path: str, artifact: Artifact) -> None:
        if isinstance(artifact.source, bytes):
            self._http.put(path, artifact.source, len(artifact.source))
            return
        try:
            with artifact.source.open("rb") as stream:
                self._http.put(path, stream, artifact.source.stat().st_size)
        except OSError as error:
            raise Unavailable(
                f"The attachment {artifact.source.name[:12]}… cannot be read: {error.strerror}.",
                remedy="Bring it back from a copy of .compliance/attachments, then run `compliance sync`.",
                refused=True,
            ) from error

    def _walk(self, folder: str) -> list[str]:
        """Return every file under a folder of the artifact proxy, relative to it."""
        found: list[str] = []
        folders, listed = [""], 0
        while folders:
            inner, listed = folders.pop(), listed + 1
            answer = self._http.json("GET", PROXY, query={"path": str(PurePosixPath(folder) / inner)})
            with self._http.as_mlflow():
                if listed > MAX_FOLDERS:
                    raise ValueError(f"more than {MAX_FOLDERS} folders")
                for item in answer.get("files", []):
                    (folders if item.get("is_dir") else found).append(_below(inner, item["path"]))
        return sorted(found)

    def _store(self, artifact_uri: str) -> "ClientTracking":
        """Return MLflow's client, which reads and writes artifacts that the server does not proxy.

        Raises Unavailable where a server elsewhere names a folder of this machine: it would choose what is read here.
        """
        if urlsplit(artifact_uri).scheme in ("", "file") and not self._is_here():
            raise Unavailable(
                f"MLflow at {self.label} keeps these artifacts at {artifact_uri}, a folder of whoever asks.",
                remedy="Let the server proxy its artifacts (`mlflow server --artifacts-destination …`).",
                refused=True,
            )
        return self._client()

    def _is_here(self) -> bool:
        host = urlsplit(self.label).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def _client(self) -> "ClientTracking":
        from compliance.storage.mirror.client import ClientTracking

        return ClientTracking(self._uri, None)


class _ProxiedFiles:
    def __init__(self, http: Http, folder: str, paths: list[str]) -> None:
        self._http, self._folder, self.paths = http, folder, paths

    def read(self, path: str) -> Iterator[bytes]:
        return self._http.pieces(f"{PROXY}/{self._folder}/{quote(path)}")


def _below(folder: str, name: str) -> str:
    """Return the path of what a listing names. Raises ValueError for a name that leads elsewhere or has no end."""
    path = PurePosixPath(folder) / name
    if path.is_absolute() or ".." in path.parts or min(name, default="") < " " or len(path.parts) > MAX_DEPTH:
        raise ValueError(name)
    return str(path)


def _paged(query: Mapping[str, str], page: str) -> dict[str, str]:
    return {**query, "page_token": page} if page else dict(query)


def _proxied(artifact_uri: str) -> str | None:
    """Return the path behind `mlflow-artifacts:`, or None where the server does not proxy its artifacts."""
    parts = urlsplit(artifact_uri)
    return quote(parts.path.strip("/")) if parts.scheme == "mlflow-artifacts" else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _pairs(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {_text(item["key"]): _text(item["value"]) for item in items}


def _run(item: Mapping[str, Any]) -> MLflowRun:
    info, data = item["info"], item.get("data", {})
    ended = info.get("end_time")
    return MLflowRun(
        run_id=_text(info["run_id"]),
        experiment_id=str(info["experiment_id"]),
        name=_text(info.get("run_name", "")),
        status=_text(info["status"]),
        lifecycle=_text(info["lifecycle_stage"]),
        artifact_uri=_text(info.get("artifact_uri", "")),
        started=_moment(info.get("start_time", 0)),
        ended=None if ended is None else _moment(ended),
        tags=_pairs(data.get("tags", [])),
        params=_pairs(data.get("params", [])),
        metrics={_text(metric["key"]): _point(metric) for metric in data.get("metrics", [])},
        inputs=tuple(_input(found) for found in item.get("inputs", {}).get("dataset_inputs", [])),
        user=_text(info.get("user_id", "")),
    )


def _point(metric: Mapping[str, Any]) -> MetricPoint:
    return MetricPoint(
        metric["key"], float(metric["value"]), int(metric.get("timestamp", 0)), int(metric.get("step", 0))
    )


def _moment(milliseconds: Any) -> int:
    moment = int(milliseconds)
    if not 0 <= moment <= LAST_MOMENT:
        raise ValueError(f"{moment} is no time")
    return moment


def _input(item: Mapping[str, Any]) -> DatasetInput:
    dataset = item["dataset"]
    context = _pairs(item.get("tags", [])).get(CONTEXT_TAG, "")
    name, digest, kind = (_text(dataset[field]) for field in ("name", "digest", "source_type"))
    return DatasetInput(name, digest, _text(dataset.get("source", "")), context, kind)


def _input_json(item: DatasetInput) -> dict[str, Any]:
    return {
        "dataset": {
            "name": item.name,
            "digest": item.digest,
            "source_type": item.source_type,
            "source": item.source,
        },
        "tags": [{"key": CONTEXT_TAG, "value": item.context}],
    }
