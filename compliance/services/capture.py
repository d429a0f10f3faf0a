"""Evidence from what MLflow already holds: finished runs and registered model versions.

Read-only towards the user's objects, but for one tag that names the evidence. MLflow's own digests are not
trusted: every file is read and digested here. What has not changed since it was captured adds nothing; what has
changed becomes new evidence that supersedes the old and says so.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from compliance.core import oms
from compliance.core.canonical import canonical, digest
from compliance.core.evidence import Basis, Evidence, utc_text
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import mirroring, record
from compliance.services.record import Logged

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, ModelVersion, Tracking

CAPTURED_TAG = "compliance.captured_as"
"""Tag on a captured run or model version: the number of its evidence."""
_OUTCOMES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}
_CHANGED = "The run was changed in MLflow after it had been captured."


def capture_run(
    ws: "Workspace", run_id: str, *, model: str | None = None, key: str | None = None, **fields: Any
) -> list[Logged]:
    """Log an ended MLflow run as `training-run`: parameters, last metrics, code, times, and every artifact's digest.

    `model` names the version that came out of it; `fields` are the kind's own, such as `datasets`. Returns nothing
    where the run stands on record as it is. Raises UnknownReference for a run that MLflow does not have,
    InvalidInput for one that is not over.
    """
    tracking = mirroring.read_mirror(ws).tracking
    run = tracking.run(run_id)
    if run.status not in _OUTCOMES:
        raise InvalidInput(f"The run {run_id} is {run.status.lower()}.", remedy="Capture it when it has ended.")
    artifacts = canonical(_artifacts(tracking, run))
    content = _content(run) | fields
    before = _captured(ws, run_id)
    if before is not None and _unchanged(before, content, artifacts):
        return []
    authored: dict[str, Any] = {
        "kind": "training-run",
        "title": f"Training run {run.name or run_id}",
        "summary": _summary(run),
        **content,
        "attachments": [{"data": artifacts, "name": "artifacts.json", "media_type": "application/json"}],
    }
    if model is not None:
        authored["model"] = model
    if before is not None:
        authored["supersedes"] = {"evidence": before.number, "reason": _CHANGED}
    logged = record.log(
        ws, [authored], how="capture", key=key, mlflow={"run_id": run_id, "experiment": run.experiment_id}
    )
    tracking.tag_run(run_id, CAPTURED_TAG, logged[0].evidence)
    return logged


def capture_model(ws: "Workspace", name: str, *, key: str | None = None, **fields: Any) -> list[Logged]:
    """Log a registered model version (NAME@VERSION, or the newest of NAME) as `model-version`, digested file by file.

    Returns nothing where exactly these bytes stand on record under this name.
    """
    registered, _, wanted = name.partition("@")
    tracking = mirroring.read_mirror(ws).tracking
    found = [v for v in tracking.model_versions(registered) if not wanted or v.version == wanted]
    if not found:
        raise UnknownReference(
            f"MLflow's registry has no {name}.", remedy="Register the model first, or mend the name."
        )
    version = found[-1]
    files = tracking.model_files(version)
    manifest = [(path, _sha256(files.read(path))) for path in files.paths]
    root = oms.root(manifest)
    known = ws.ledger.subject(f"{registered}@{version.version}")
    if known is not None and known.sha256 == root:
        return []
    signer = ws.signer(key)
    authored = {
        "kind": "model-version",
        "name": registered,
        "version": version.version,
        "title": f"{registered} {version.version}",
        "summary": version.description,
        "sha256": root,
        "basis": Basis.FOLDER.value,
        "registry": _registry(version),
        **fields,
        "attachments": [*record.model_signature(registered, manifest, signer), *fields.get("attachments", [])],
    }
    origin = {"registered_model": f"{registered}/{version.version}"}
    origin |= {"run_id": version.run_id} if version.run_id else {}
    logged = record.log(ws, [authored], how="capture", key=key, mlflow=origin)
    tracking.tag_model_version(version, CAPTURED_TAG, logged[0].evidence)
    return logged


def _content(run: "MLflowRun") -> dict[str, Any]:
    """Return the kind's fields that a run itself says."""
    code = {
        "commit": run.tags.get("mlflow.source.git.commit"),
        "repository": run.tags.get("mlflow.source.git.repoURL"),
        "entry_point": run.tags.get("mlflow.source.name"),
    }
    content: dict[str, Any] = {
        "started_at": _moment(run.started),
        "outcome": _OUTCOMES[run.status],
        "mlflow_run": run.run_id,
        "parameters": {name: value for name, value in sorted(run.params.items()) if value} or None,
        "figures": [
            {"name": point.key, "value": point.value, "step": point.step}
            for _, point in sorted(run.metrics.items())
            if math.isfinite(point.value)
        ]
        or None,
        "code": {name: value for name, value in code.items() if value} or None,
        "ended_at": _moment(run.ended) if run.ended else None,
    }
    return {name: value for name, value in content.items() if value is not None}


def _summary(run: "MLflowRun") -> str:
    """Say what the kind has no field for: datasets by MLflow's names, metrics that are no numbers."""
    said = []
    if run.inputs:
        inputs = ", ".join(f"{item.name} ({item.context})" if item.context else item.name for item in run.inputs)
        said.append(f"Dataset inputs as MLflow names them: {inputs}.")
    unreal = sorted(name for name, point in run.metrics.items() if not math.isfinite(point.value))
    if unreal:
        said.append(f"Not a finite number, and so left out: {', '.join(unreal)}.")
    return " ".join(said)


def _artifacts(tracking: "Tracking", run: "MLflowRun") -> list[dict[str, str]]:
    return [{"path": path, "sha256": _sha256(tracking.read(run, path))} for path in tracking.artifacts(run)]


def _captured(ws: "Workspace", run_id: str) -> Evidence | None:
    """Return the newest evidence of a run."""
    for index in reversed(ws.ledger.indexes_of("training-run")):
        piece = ws.ledger.piece(index)
        if piece.content.get("mlflow_run") == run_id:
            return piece
    return None


def _unchanged(before: Evidence, content: Mapping[str, Any], artifacts: bytes) -> bool:
    told = {name: before.content.get(name) for name in ("started_at", "ended_at", "outcome", "parameters", "code")}
    if told != {name: content.get(name) for name in told}:
        return False
    then = {figure["name"]: float(figure["value"]) for figure in before.content.get("figures") or []}
    if then != {figure["name"]: float(figure["value"]) for figure in content.get("figures") or []}:
        return False
    return any(
        a["name"] == "artifacts.json" and a["sha256"] == digest(artifacts) for a in before.predicate["attachments"]
    )


def _registry(version: "ModelVersion") -> dict[str, Any]:
    aliases = {"aliases": list(version.aliases)} if version.aliases else {}
    return {
        "name": version.name,
        "version": version.version,
        "uri": f"models:/{version.name}/{version.version}",
    } | aliases


def _sha256(pieces: Iterable[bytes]) -> str:
    hasher = sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def _moment(milliseconds: int) -> str:
    return utc_text(datetime.fromtimestamp(milliseconds / 1000, UTC))
