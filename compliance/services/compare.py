"""`verify --all`: whether MLflow holds exactly what we wrote there, and nothing else under our name.

What stands there is a function of envelope and entry, so it is made again from the ledger and compared: name, times
and status, every tag, parameter, metric, input and every byte of every artifact. Nothing is trusted of the queue
but which run to look at first.
"""

from collections.abc import Iterator, Mapping

from compliance.core.differences import members
from compliance.core.evidence import Evidence
from compliance.errors import InvalidInput, Unavailable, UnknownReference
from compliance.services import mirroring
from compliance.services.checking import Problem
from compliance.services.mirroring import Mirror
from compliance.services.snapshot import digest_of
from compliance.services.workspace import Workspace
from compliance.storage.mirror.record import ENVELOPE_TAG, EVIDENCE_TAG, RunRecord
from compliance.storage.mirror.tracking import ACTIVE, FINISHED, MetricPoint, MLflowRun, Tracking, sqlite_file

MLFLOWS_OWN = ("mlflow.runName", "mlflow.user", "mlflow.source.")
"""Tags that MLflow itself may add to a run; any other that we did not write was put there by somebody."""


def compare(ws: Workspace) -> list[Problem]:
    """Return everything in MLflow that differs from the ledger; pending evidence is no difference.

    Raises Unavailable where MLflow cannot be read.
    """
    states = ws.ledger.mirror_states()
    if not any(state == "mirrored" for state in states.values()) and not _stands(ws):
        return []
    mirror = mirroring.read_mirror(ws)
    try:
        return list(_problems(ws, mirror, states))
    except (LookupError, TypeError, ValueError) as error:  # an answer without the fields that MLflow documents
        raise Unavailable(
            f"{mirror.place.label} does not answer as MLflow does ({type(error).__name__}: {error}).",
            remedy="Check the tracking URI and the server's version.",
        ) from error


def _stands(ws: Workspace) -> bool:
    """Say whether there is anything to read; a database that nobody made yet holds nothing of ours."""
    file = sqlite_file(mirroring.place(ws).uri)
    return file is None or file.exists()


def _problems(ws: Workspace, mirror: Mirror, states: Mapping[int, str]) -> Iterator[Problem]:
    if mirror.experiment_id is None:
        yield Problem(None, f"The experiment {mirror.place.experiment} is not in MLflow, or was deleted there.")
    runs = list(mirror.tracking.runs(mirror.experiment_id)) if mirror.experiment_id else []
    by_id = {run.run_id: run for run in runs}
    by_envelope: dict[str, list[MLflowRun]] = {}
    for run in runs:
        by_envelope.setdefault(run.tags.get(ENVELOPE_TAG, ""), []).append(run)

    seen: set[str] = set()
    origins: dict[tuple[str, str], Evidence] = {}
    evidence = {piece.index: piece for piece in ws.ledger.evidence()}
    for entry in ws.ledger.entries():
        index = entry.index
        found = [by_id[known]] if (known := ws.ledger.mirror_run(index)) in by_id else []
        found += [run for run in by_envelope.get(entry.envelope, []) if run not in found]
        seen.update(run.run_id for run in found)
        alive = [run for run in found if run.lifecycle == ACTIVE]
        piece = evidence.get(index)
        if piece is None:
            for run in alive:
                yield Problem(index, f"It was erased, but MLflow's run {run.run_id} still holds it.")
            continue
        if states.get(index) != "mirrored" and not any(run.status == FINISHED for run in alive):
            continue
        if not alive:
            what = f"its run {found[0].run_id} was deleted" if found else f"its run {known} is gone"
            yield Problem(index, f"MLflow holds no copy of it any more: {what}.")
            continue
        for run in alive[1:]:
            yield Problem(index, f"MLflow holds it twice, also as run {run.run_id}.")
        for difference in differences(mirroring.run_record(ws, piece), alive[0], mirror.tracking):
            yield Problem(index, f"In MLflow's run {alive[0].run_id} {difference}.")
        for origin in _origin(piece):
            origins[origin] = piece  # a later capture of the same object renames it
    for run in runs:
        if run.run_id not in seen and run.lifecycle == ACTIVE:
            text = f"MLflow's run {run.run_id} ({run.name}) stands among the evidence, but not in the ledger."
            yield Problem(None, text)
    yield from _origin_problems(mirror.tracking, origins)


def differences(record: RunRecord, run: MLflowRun, tracking: Tracking) -> Iterator[str]:
    """Yield each way in which a run differs from what we wrote."""
    if run.status != FINISHED:
        yield f"the status is {run.status}, not {FINISHED}"
    facts = (("name", run.name, record.name), ("start", run.started, record.at), ("end", run.ended, record.at))
    for what, said, written in facts:
        if said != written:
            yield f"the {what} is {said!r}, not {written!r}"
    tags = {name: value for name, value in run.tags.items() if name in record.tags or not name.startswith(MLFLOWS_OWN)}
    yield from members("tag", record.tags, tags)
    yield from members("parameter", record.params, run.params)
    points = {key: MetricPoint(key, value, record.at, 0) for key, value in record.metrics.items()}
    yield from members("metric", points, run.metrics)
    for key in points.keys() & run.metrics.keys():
        if (length := sum(1 for _ in tracking.history(run.run_id, key))) != 1:
            yield f"the metric {key} has {length} values, not one"
    inputs = {f"{item.name} {item.digest}": item for item in run.inputs}
    yield from members("input", {f"{item.name} {item.digest}": item for item in record.inputs}, inputs)
    held = {path: _digest(tracking, run, path) for path in tracking.artifacts(run)}
    yield from members("artifact", {path: artifact.sha256 for path, artifact in record.artifacts.items()}, held)


def _digest(tracking: Tracking, run: MLflowRun, path: str) -> str:
    try:
        return digest_of(tracking.read(run, path))
    except (InvalidInput, UnknownReference):  # no file at all, or gone since it was listed
        return ""


def _origin(piece: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the MLflow object that a piece was captured from."""
    origin = piece.predicate.get("source", {}).get("mlflow") or {}
    if registered := origin.get("registered_model"):
        yield "registered model version", registered
    elif run_id := origin.get("run_id"):
        yield "run", run_id


def _origin_problems(tracking: Tracking, origins: Mapping[tuple[str, str], Evidence]) -> Iterator[Problem]:
    for (what, name), piece in origins.items():
        tags: Mapping[str, str] | None = None
        if what == "run":
            try:
                tags = tracking.run(name).tags
            except UnknownReference:
                tags = None
        else:
            model, _, number = name.rpartition("/")
            tags = next((v.tags for v in tracking.model_versions(model) if v.version == number), None)
        if tags is None:
            yield Problem(piece.index, f"The {what} {name} that it was captured from is gone from MLflow.")
        elif tags.get(EVIDENCE_TAG) != piece.number:
            yield Problem(piece.index, f"The {what} {name} that it was captured from no longer names it.")
