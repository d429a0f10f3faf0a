"""Evidence from what MLflow already holds: finished runs and registered model versions.

Read-only towards the user's objects, but for one tag that names the evidence and is written with its mirror.
MLflow's own digests are not trusted: every file is read and digested here. The whole run as MLflow shows it is
attached, so what has not changed since it was captured adds nothing, and what has changed becomes new evidence
that supersedes the old and says so.
"""

import json
import math
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from compliance.core import oms
from compliance.core.differences import members, told
from compliance.core.evidence import Basis, Evidence, utc_text
from compliance.errors import InvalidInput, UnknownReference
from compliance.kinds.authoring import draft
from compliance.services import mirroring, record, snapshot
from compliance.services.model_facts import with_facts
from compliance.services.record import Logged
from compliance.services.snapshot import RUN_FILE, digest_of
from compliance.storage.mirror.tracking import LOGGED

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, ModelFiles, ModelVersion, Tracking
    from compliance.storage.weights.facts import Facts

WORD, DIGITS = 200, 40
"""What a word and a number of the kind may hold, in characters; longer ones stand in the attachment."""
CUT = f"… [cut; whole in {RUN_FILE}]"
MEDIA_TYPES = {".json": "application/json", ".jsonl": "application/jsonl"}
OUTCOMES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}


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
    files = snapshot.of(tracking, run)
    lengths = {metric["name"]: metric["values"] for metric in json.loads(files[RUN_FILE])["metrics"]}
    authored: dict[str, Any] = {
        "kind": "training-run",
        "title": f"Training run {run.name or run_id}",
        "summary": _summary(run, tracking.run_model_versions(run_id)),
        **_content(run, lengths),
        **({} if before is None else _kept(before)),
        **fields,
    }
    if model is not None:
        authored["model"] = model
    origin = {"run_id": run_id, "experiment": run.experiment_id}
    return log_once(ws, authored, files, before, key=key, origin=origin)


def log_once(
    ws: "Workspace",
    authored: Mapping[str, Any],
    files: Mapping[str, bytes],
    before: Evidence | None,
    *,
    key: str | None,
    origin: Mapping[str, str],
) -> list[Logged]:
    """Log what a run gave, unless `before`, the newest evidence of it, says the same; else supersede that, and why."""
    attachments = [
        {"data": data, "name": name, "media_type": MEDIA_TYPES[PurePosixPath(name).suffix]}
        for name, data in files.items()
    ]
    whole = {**authored, "attachments": [*attachments, *authored.get("attachments", [])]}
    if before is not None:
        reason = _changed(ws, before, files) or _said_otherwise(ws, before, whole)
        if not reason:
            return []
        whole["supersedes"] = {"evidence": before.number, "reason": reason}
    return record.log(ws, [whole], how="capture", key=key, mlflow=origin)


def _changed(ws: "Workspace", before: Evidence, files: Mapping[str, bytes]) -> str:
    if snapshot.holds(before, files):
        return ""
    then = snapshot.held(ws, before)
    found = [] if then is None else list(snapshot.changes(then, json.loads(files[RUN_FILE])))
    return f"Changed in MLflow since it was captured: {told(found) or 'other values in its history or verdicts'}."


def _said_otherwise(ws: "Workspace", before: Evidence, authored: Mapping[str, Any]) -> str:
    """Say what somebody says of an unchanged run that `before` does not: another version, dataset or plan."""
    drafted = draft(authored, record.LedgerResolver(ws.ledger), where="record 1")
    names = [
        {name: name for name in sorted(subjects)}
        for subjects in ({s["name"] for s in before.subjects}, {s.name for s in drafted.subjects})
    ]
    if before.content == drafted.content and names[0] == names[1]:
        return ""
    found = [*members("subject", *names), *members("field", before.content, drafted.content)]
    return f"Captured again, with something else said of it: {told(found)}."


def _kept(before: Evidence) -> dict[str, Any]:
    """Return what somebody said of a run when it was captured, which MLflow does not know."""
    versions = [subject["name"] for subject in before.subjects if subject["annotations"]["basis"] != Basis.CONTENT]
    data = [dataset["name"] for dataset in before.content.get("datasets", [])]
    return ({"model": versions[0]} if versions else {}) | ({"datasets": data} if data else {})


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
    manifest = [(path, digest_of(files.read(path))) for path in files.paths]
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


def moment(milliseconds: int) -> str:
    """Return one of MLflow's times as we write times."""
    return utc_text(datetime.fromtimestamp(milliseconds / 1000, UTC))
