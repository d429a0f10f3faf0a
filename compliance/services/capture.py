"""Evidence from what MLflow already holds: finished runs and registered model versions.

Read-only towards the user's objects, but for one tag that names the evidence and is written with its mirror.
MLflow's own digests are not trusted: every file is read and digested here. The whole run as MLflow shows it is
attached, so what has not changed since it was captured adds nothing, and what has changed becomes new evidence
that supersedes the old and says so.
"""

import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from compliance.core import oms
from compliance.core.canonical import canonical, digest
from compliance.core.evidence import Basis, Evidence, utc_text
from compliance.errors import InvalidInput, UnknownReference
from compliance.services import mirroring, record
from compliance.services.model_facts import with_facts
from compliance.services.record import Logged
from compliance.storage.mirror.tracking import LOGGED

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, ModelFiles, ModelVersion, Tracking
    from compliance.storage.weights.facts import Facts

RUN_FILE = "mlflow-run.json"
"""Attachment that holds the whole run, as MLflow showed it when it was captured."""
OWN_TAGS = "compliance."
WORD, DIGITS = 200, 40
"""What a word and a number of the kind may hold, in characters; longer ones stand in the attachment."""
CUT = f"… [cut; whole in {RUN_FILE}]"
OUTCOMES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}
CHANGED = "The run was changed in MLflow after it had been captured."


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
    return log_run(ws, tracking, run, captured_runs(ws).get(run_id), model=model, key=key, **fields)


def log_run(
    ws: "Workspace",
    tracking: "Tracking",
    run: "MLflowRun",
    before: Evidence | None,
    *,
    model: str | None = None,
    key: str | None = None,
    **fields: Any,
) -> list[Logged]:
    """Log one run as `capture_run` does; `before` is the newest evidence of it."""
    run_id = run.run_id
    if run.status not in OUTCOMES:
        raise InvalidInput(f"The run {run_id} is {run.status.lower()}.", remedy="Capture it when it has ended.")
    shown = whole(tracking, run)
    data = canonical(shown)
    if before is not None and holds(before, RUN_FILE, data):
        return []
    lengths = {metric["name"]: metric["values"] for metric in shown["metrics"]}
    authored: dict[str, Any] = {
        "kind": "training-run",
        "title": f"Training run {run.name or run_id}",
        "summary": _summary(run, tracking.run_model_versions(run_id)),
        **_content(run, lengths),
        **fields,
        "attachments": [
            {"data": data, "name": RUN_FILE, "media_type": "application/json"},
            *fields.get("attachments", []),
        ],
    }
    if model is not None:
        authored["model"] = model
    if before is not None:
        authored["supersedes"] = {"evidence": before.number, "reason": CHANGED}
    origin = {"run_id": run_id, "experiment": run.experiment_id}
    return record.log(ws, [authored], how="capture", key=key, mlflow=origin)


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
    return log_version(ws, tracking, found[-1], key=key, **fields)


def log_version(
    ws: "Workspace", tracking: "Tracking", version: "ModelVersion", *, key: str | None = None, **fields: Any
) -> list[Logged]:
    """Log one registered version as `capture_model` does."""
    registered, logged = version.name, version.version.startswith(LOGGED)
    files = tracking.model_files(version)
    manifest = [(path, _sha256(files.read(path))) for path in files.paths]
    root = oms.root(manifest)
    known = ws.ledger.subject(f"{registered}@{version.version}")
    if known is not None and known.sha256 == root:
        return []
    signer = ws.signer(key)
    authored: dict[str, Any] = {
        "kind": "model-version",
        "name": registered,
        "version": version.version,
        "title": f"{registered} {version.version}",
        "summary": version.description,
        "sha256": root,
        "basis": Basis.FOLDER.value,
        **({} if logged else {"registry": _registry(version)}),
        **fields,
        "attachments": [*record.model_signature(registered, manifest, signer), *fields.get("attachments", [])],
    }
    authored = with_facts(authored, _papers(files), dict(manifest))
    origin = {"logged_model": version.version} if logged else {"registered_model": f"{registered}/{version.version}"}
    origin |= {"run_id": version.run_id} if version.run_id else {}
    return record.log(ws, [authored], how="capture", key=key, mlflow=origin)


def _papers(files: "ModelFiles") -> "dict[str, Facts]":
    """Return what the model's descriptions say: signature, environment, licence. Weights are not opened for it."""
    from compliance.storage.weights import papers

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted({*papers.NAMES} & {*files.paths}):
            copy = Path(folder) / name.replace("/", "_")
            with copy.open("wb") as stream:
                stream.writelines(files.read(name))
            if (facts := papers.read(copy, name)) is not None:
                found[name] = facts
    return found


def whole(tracking: "Tracking", run: "MLflowRun") -> dict[str, Any]:
    """Return the run as MLflow shows it, our own tags left out, with the digest of every file."""
    lengths = {key: tracking.history_length(run.run_id, key) for key in sorted(run.metrics)}
    files = [{"path": path, "sha256": _sha256(tracking.read(run, path))} for path in tracking.artifacts(run)]
    return {**_shown(run, lengths), "artifacts": files}


def _shown(run: "MLflowRun", lengths: Mapping[str, int]) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "experiment_id": run.experiment_id,
        "name": run.name,
        "status": run.status,
        "user": run.user,
        "started": str(run.started),
        "ended": str(run.ended),
        "parameters": dict(run.params),
        "metrics": [
            {
                "name": key,
                "value": repr(point.value),
                "step": str(point.step),
                "timestamp": str(point.timestamp),
                "values": lengths[key],
            }
            for key, point in sorted(run.metrics.items())
        ],
        "inputs": [
            {"name": item.name, "digest": item.digest, "role": item.context, "source": item.source}
            for item in run.inputs
        ],
        "tags": {name: value for name, value in run.tags.items() if not name.startswith(OWN_TAGS)},
    }


def _content(run: "MLflowRun", lengths: Mapping[str, int]) -> dict[str, Any]:
    """Return the kind's fields that a run itself says."""
    dirty = run.tags.get("mlflow.source.git.dirty")
    source = run.tags.get("mlflow.source.name", "")
    place = PureWindowsPath(source)  # reads both kinds of slash; a folder of somebody's machine is nobody's business
    code = {
        "commit": run.tags.get("mlflow.source.git.commit"),
        "repository": run.tags.get("mlflow.source.git.repoURL"),
        "entry_point": place.name if place.root else source,
        "dirty": None if dirty is None else dirty.lower() == "true",
    }
    content: dict[str, Any] = {
        "started_at": moment(run.started),
        "ended_at": moment(run.ended) if run.ended else None,
        "outcome": OUTCOMES[run.status],
        "mlflow_run": run.run_id,
        "parent_run": run.tags.get("mlflow.parentRunId"),
        "parameters": {_word(name): _word(value) for name, value in sorted(run.params.items()) if value},
        "figures": [
            {"name": _word(key), "value": digits(point.value), "step": max(point.step, 0), "values": lengths[key]}
            for key, point in sorted(run.metrics.items())
            if digits(point.value)
        ],
        "code": {name: _word(value) for name, value in code.items() if value not in (None, "")},
    }
    return {name: value for name, value in content.items() if value not in (None, {}, [])}


def _summary(run: "MLflowRun", registered: "list[ModelVersion]") -> str:
    """Say what the kind has no field for: registered versions, datasets by MLflow's names, metrics without a number."""
    said = [f"Registered as {version.name} {version.version}." for version in registered]
    if run.inputs:
        inputs = ", ".join(f"{item.name} ({item.context})" if item.context else item.name for item in run.inputs)
        said.append(f"Dataset inputs as MLflow names them: {inputs}.")
    unreal = sorted(name for name, point in run.metrics.items() if not digits(point.value))
    if unreal:
        said.append(f"Metrics without a number that a record can hold: {', '.join(unreal)}.")
    return " ".join(said)


def captured_runs(ws: "Workspace", kind: str = "training-run") -> dict[str, Evidence]:
    """Return the newest evidence of a kind of each captured run, by MLflow's run id."""
    pieces = (ws.ledger.piece(index) for index in ws.ledger.indexes_of(kind))
    return {str(piece.content["mlflow_run"]): piece for piece in pieces if "mlflow_run" in piece.content}


def looks_as_captured(ws: "Workspace", run: "MLflowRun", piece: Evidence) -> bool:
    """Say whether a run still shows what its evidence holds; its files and metric histories are not read for this."""
    held = next((a["sha256"] for a in piece.predicate["attachments"] if a["name"] == RUN_FILE), None)
    if held is None:
        return False
    try:
        then = json.loads((ws.attachments / held).read_bytes())
    except OSError:
        return False
    now = _shown(run, dict.fromkeys(run.metrics, 0))
    for metric in then["metrics"]:
        metric["values"] = 0
    return all(then.get(field) == value for field, value in now.items())


def holds(piece: Evidence, name: str, data: bytes) -> bool:
    """Say whether a piece has an attachment of this name with these bytes."""
    wanted = digest(data)
    return any(a["name"] == name and a["sha256"] == wanted for a in piece.predicate["attachments"])


def digits(value: float) -> str | None:
    """Return a number in digits, or None where there are none or too many: NaN, infinity, 1e-300."""
    text = f"{Decimal(repr(value)):f}" if math.isfinite(value) else ""
    return text if 0 < len(text) <= DIGITS else None


def _word(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= WORD:
        return value
    return value[: WORD - len(CUT)] + CUT


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


def moment(milliseconds: int) -> str:
    """Return one of MLflow's times as we write times."""
    return utc_text(datetime.fromtimestamp(milliseconds / 1000, UTC))
