"""A tracking store as the mirror needs it: few calls, the same over REST and over MLflow's client.

`Tracking` is what both ways offer; `MLflowRun` is a run as read back. Which store is meant is decided
here: `MLFLOW_TRACKING_URI` wins over compliance.toml, and relative paths of the latter start at the workspace.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from compliance.storage.mirror.moved import Move
from compliance.storage.mirror.record import DatasetInput, RunRecord

FINISHED = "FINISHED"
ACTIVE = "active"
LOGGED = "m-"
"""How the ids of logged models begin, which stand for their versions here."""
CONTEXT_TAG = "mlflow.data.context"


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One value of one metric of a run."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True, slots=True)
class MLflowRun:
    """A run as MLflow gives it back."""

    run_id: str
    experiment_id: str
    name: str
    status: str
    lifecycle: str
    artifact_uri: str
    started: int
    ended: int | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, MetricPoint]
    inputs: tuple[DatasetInput, ...]
    user: str = ""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered model version as MLflow gives it back."""

    name: str
    version: str
    source: str
    run_id: str | None
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment that is not deleted."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one scorer or person said of one trace."""

    trace: str
    name: str
    by: str
    """`code`, `llm_judge`, `human`; or `expectation`, which is the right answer and no verdict."""
    value: object
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a registered prompt."""

    name: str
    version: str
    template: object
    """Text, or a list of messages."""
    settings: Mapping[str, object]
    """Model, temperature, response format: whatever is registered with it."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """A dataset of questions and expected answers that MLflow keeps."""

    name: str
    id: str
    digest: str
    """MLflow's own: eight hex digits."""
    records: tuple[Mapping[str, object], ...] = ()


class Tracking(Protocol):
    """Reading and writing runs. Every method raises Unavailable where MLflow cannot be reached or refuses."""

    label: str
    """The tracking URI without user name and password: safe to print and to keep."""

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment, or None where there is none."""

    def make_experiment(self, name: str) -> str:
        """Return the id of an experiment, made where there is none."""

    def experiments(self) -> list[Experiment]:
        """Return every experiment that is not deleted, by name."""

    def registered_models(self) -> list[str]:
        """Return the names of all registered models; prompts are none."""

    def runs(self, experiment_id: str, condition: str = "") -> Iterator[MLflowRun]:
        """Yield the experiment's runs, deleted ones too, that fit MLflow's filter string."""

    def run(self, run_id: str) -> MLflowRun:
        """Return one run. Raises UnknownReference where MLflow has none of that id."""

    def create(self, experiment_id: str, record: RunRecord) -> MLflowRun:
        """Make a run with the record's name, time and all its tags; it is not finished yet."""

    def fill(self, run: MLflowRun, record: RunRecord) -> None:
        """Write parameters, metrics, inputs and artifacts; doing it again changes nothing."""

    def finish(self, run: MLflowRun, record: RunRecord) -> None:
        """Mark the run FINISHED: everything is in it."""

    def artifacts(self, run: MLflowRun) -> list[str]:
        """Return the paths of all files of a run, sorted."""

    def read(self, run: MLflowRun, path: str) -> Iterator[bytes]:
        """Yield one file of a run in pieces. Raises UnknownReference where it is not there."""

    def verdicts(self, run: MLflowRun) -> list[Verdict]:
        """Return what was said of each trace of an evaluation run, in the order of trace and name."""

    def history(self, run_id: str, metric: str) -> Iterator[MetricPoint]:
        """Yield every value of one metric of a run, in no order."""

    def model_versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a registered model, oldest first; empty where there is no such model."""

    def run_model_versions(self, run_id: str) -> list[ModelVersion]:
        """Return the registered model versions that came from a run."""

    def model_files(self, version: ModelVersion) -> "ModelFiles":
        """Return the files behind a registered model version."""

    def logged_model(self, model_id: str) -> ModelVersion:
        """Return a model that a run logged and nobody need have registered; its version is its id."""

    def prompt(self, name: str, version: str = "") -> Prompt:
        """Return a version of a registered prompt, the newest where none is named. Raises UnknownReference."""

    def evaluation_sets(self, experiment_id: str) -> list[EvaluationSet]:
        """Return an experiment's evaluation datasets without their records; none where the store keeps none."""

    def evaluation_set(self, name: str) -> EvaluationSet:
        """Return the newest evaluation dataset of a name. Raises UnknownReference."""

    def tag_run(self, run_id: str, key: str, value: str) -> None:
        """Set one tag on a run."""

    def tag_model_version(self, version: ModelVersion, key: str, value: str) -> None:
        """Set one tag on a registered model version."""


class ModelFiles(Protocol):
    """The artifact folder of a model: `paths` relative to it."""

    paths: list[str]

    def read(self, path: str) -> Iterator[bytes]:
        """Yield one file in pieces."""


def is_server(uri: str) -> bool:
    """Say whether a tracking URI is a server that speaks HTTP."""
    return urlsplit(uri).scheme in {"http", "https"}


def without_credentials(uri: str) -> str:
    """Return `uri` without user name and password, for messages and logs."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def tracking_uri(configured: str, root: Path, environment: Mapping[str, str]) -> str:
    """Return the tracking URI that counts, with an absolute path where it is a file.

    A relative path in the environment starts at the current folder, as MLflow reads it; one in
    compliance.toml starts at the workspace, wherever the command is run.
    """
    named = environment.get("MLFLOW_TRACKING_URI", "")
    uri, base = (named, Path.cwd()) if named else (configured, root)
    scheme, colon, rest = uri.partition(":")
    if scheme.partition("+")[0] == "sqlite" and rest.startswith("///") and not rest.startswith("////"):
        path, mark, query = rest.removeprefix("///").partition("?")
        return f"{scheme}:///{(base / path).resolve()}{mark}{query}"
    if not colon:
        return (base / uri).resolve().as_uri()
    return uri


def sqlite_file(uri: str) -> Path | None:
    """Return the file behind an absolute sqlite URI, or None for any other store."""
    scheme, _, rest = uri.partition(":")
    if scheme.partition("+")[0] != "sqlite" or not rest.startswith("////"):
        return None
    return Path(rest.removeprefix("///").partition("?")[0])


def open_tracking(uri: str, artifacts: Path, environment: Mapping[str, str], move: Move | None = None) -> Tracking:
    """Open a tracking store: over REST where it is a server, else through MLflow's client.

    `artifacts` is the folder for files of experiments that we make in a database or file store;
    `move` says that its paths are to be read as after a move. Refusals carry the fact `refused`
    where the store works and only what was sent did not please it.
    """
    if is_server(uri):
        from compliance.storage.mirror.rest import RestTracking

        return RestTracking(uri, environment)
    from compliance.storage.mirror.client import ClientTracking

    return ClientTracking(uri, artifacts, move)
