"""Evidence from what MLflow already holds: finished runs and registered model versions.

Read-only towards the user's objects, but for one tag that names the evidence and is written with its mirror.
MLflow's own digests are not trusted: every file is read and digested here. The whole run as MLflow shows it is
attached, so what has not changed since it was captured adds nothing, and what has changed becomes new evidence
that supersedes the old and says so.
"""

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from compliance.core import oms
from compliance.core.addresses import withheld
from compliance.core.differences import members, told
from compliance.core.evidence import Basis, Evidence, utc_text
from compliance.errors import Conflict, InvalidInput, UnknownReference
from compliance.exporters.oms import FILE_NAME as OMS_FILE
from compliance.exporters.oms import signed_files
from compliance.kinds.authoring import draft
from compliance.kinds.fields import MAX_INTEGER
from compliance.services import mirroring, record, snapshot
from compliance.services.model_facts import with_facts
from compliance.services.record import Logged
from compliance.services.resolver import LedgerResolver
from compliance.services.snapshot import RUN_FILE, digest_of
from compliance.storage.mirror.tracking import LOGGED

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, ModelFiles, ModelVersion, Tracking
    from compliance.storage.weights.facts import Facts

WORD, DIGITS, TITLE, SUMMARY = 200, 40, 300, 20_000
"""What words, numbers, titles and summaries may hold, in characters; longer ones stand in the attachment."""
CUT = f"… [cut; whole in {RUN_FILE}]"
MEDIA_TYPES = {".json": "application/json", ".jsonl": "application/jsonl"}
OTHER_BYTES = "are not those that"
"""By these words a look knows again what an earlier one found of the files of a model version."""
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
        "title": _cut(f"Training run {run.name or run_id}", TITLE),
        "summary": _summary(run, tracking.run_model_versions(run_id)),
        **_content(run, lengths),
        **_said(ws, run, before),
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
    drafted = draft(authored, LedgerResolver(ws.ledger), where="record 1")
    then, now = dict.fromkeys(s["name"] for s in before.subjects), dict.fromkeys(s.name for s in drafted.subjects)
    found = [*members("subject", then, now), *members("field", before.content, drafted.content)]
    return f"Captured again, with something else said of it: {told(found)}." if found else ""


def _said(ws: "Workspace", run: "MLflowRun", before: Evidence | None) -> dict[str, Any]:
    """Return what a run was about: dataset inputs called as they stand on record, and what was said when captured."""
    versions, data = [], []
    if before is not None:
        versions = [one["name"] for one in before.subjects if one["annotations"]["basis"] != Basis.CONTENT]
        data = [dataset["name"] for dataset in before.content.get("datasets", [])]
    data += [item.name for item in run.inputs if is_dataset(ws, item.name)]
    return ({"model": versions[0]} if versions else {}) | ({"datasets": list(dict.fromkeys(data))} if data else {})


def is_dataset(ws: "Workspace", name: str) -> bool:
    """Say whether a name of MLflow's is NAME@VERSION of a dataset on record."""
    known = ws.ledger.subject(name) if "@" in name else None
    return known is not None and bool(ws.ledger.indexes_about(known.sha256, kind="dataset"))


def capture_model(ws: "Workspace", name: str, *, key: str | None = None, **fields: Any) -> list[Logged]:
    """Log a registered model version (NAME@VERSION, or the newest of NAME) as `model-version`, digested file by file.

    Returns nothing where these bytes stand on record under this name and the registry says what it said; where it
    says something else (an alias moved), the new record supersedes the old. Raises Conflict where the bytes changed.
    """
    registered, _, wanted = name.partition("@")
    tracking = mirroring.read_mirror(ws).tracking
    found = [v for v in tracking.model_versions(registered) if not wanted or v.version == wanted]
    if not found:
        raise UnknownReference(
            f"MLflow's registry has no {name}.", remedy="Register the model first, or mend the name."
        )
    return log_version(ws, tracking, found[-1], captured_versions(ws), captured_runs(ws), key=key, **fields)


def log_version(
    ws: "Workspace",
    tracking: "Tracking",
    version: "ModelVersion",
    versions: Mapping[str, Evidence],
    runs: Mapping[str, Evidence],
    *,
    key: str | None = None,
    **fields: Any,
) -> list[Logged]:
    """Log one registered version as `capture_model` does; `versions` and `runs` are what stands on record."""
    name, before = subject_of(version), versions.get(subject_of(version))
    logged, run = version.version.startswith(LOGGED), runs.get(version.run_id or "")
    files, manifest = _digested(tracking, version)
    if before is not None:
        refuse_other_bytes(ws, before, manifest)
        found = [*registry_changes(before, version), *_newly_linked(before, run)]
        if not found:
            return []
        fields["supersedes"] = {"evidence": before.number, "reason": f"Since it was captured {told(found)}."}
    authored: dict[str, Any] = {
        "kind": "model-version",
        "name": version.name,
        "version": version.version,
        "title": f"{version.name} {version.version}",
        "summary": _cut(version.description, SUMMARY),
        "sha256": oms.root(manifest),
        "basis": Basis.FOLDER.value,
        **({} if logged else {"registry": _registry(version)}),
        **({} if run is None else {"training_run": run.subjects[0]["name"]}),
        **fields,
        "attachments": [
            *record.model_signature(version.name, manifest, ws.signer(key)),
            *fields.get("attachments", []),
        ],
    }
    authored = with_facts(authored, _papers(files), dict(manifest))
    origin = {"logged_model": version.version} if logged else {"registered_model": name.replace("@", "/")}
    origin |= {"run_id": version.run_id} if version.run_id else {}
    return record.log(ws, [authored], how="capture", key=key, mlflow=origin)


def check_version(ws: "Workspace", tracking: "Tracking", version: "ModelVersion", before: Evidence) -> list[Logged]:
    """Read and digest the files of a version on record; log nothing. Raises Conflict where they are others."""
    refuse_other_bytes(ws, before, _digested(tracking, version)[1])
    return []


def refuse_other_bytes(ws: "Workspace", before: Evidence, manifest: oms.Manifest) -> None:
    if before.is_about(oms.root(manifest)):
        return
    signed = next((a for a in before.predicate["attachments"] if a["name"] == OMS_FILE), None)
    try:
        then = dict(signed_files((ws.attachments / signed["sha256"]).read_bytes())) if signed else {}
    except OSError:
        then = {}
    files = told(members("file", then, dict(manifest))) if then else "its digest is another"
    name = before.subjects[0]["name"]
    raise Conflict(
        f"The files of {name} in MLflow {OTHER_BYTES} {before.number} is about: {files}.",
        remedy="A name and version mean one digest for ever: bring the old files back, or register these as a new "
        "version.",
    )


def registry_changes(before: Evidence, version: "ModelVersion") -> Iterator[str]:
    """Yield what the registry says of a version otherwise than when it was captured; nothing of one never captured."""
    then, now = before.content.get("registry"), _registry(version)
    if then is None:
        return
    aliases = [dict.fromkeys(said.get("aliases", [])) for said in (then, now)]
    yield from members("alias", *aliases)
    if before.predicate["summary"] != _cut(version.description, SUMMARY):
        yield "the description was changed"


def _newly_linked(before: Evidence, run: Evidence | None) -> Iterator[str]:
    captured = before.predicate["source"].get("mlflow") is not None
    if captured and run is not None and "training_run" not in before.content:
        yield f"its training run came on record as {run.number}"


def subject_of(version: "ModelVersion") -> str:
    """Return the name under which a version's evidence stands."""
    return f"{version.name}@{version.version}"


def _digested(tracking: "Tracking", version: "ModelVersion") -> "tuple[ModelFiles, list[tuple[str, str]]]":
    files = tracking.model_files(version)
    paths = [path for path in files.paths if path.partition("/")[0] not in oms.IGNORED]
    return files, oms.manifest((path, digest_of(files.read(path))) for path in paths)


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
        **times(run),
        "outcome": OUTCOMES[run.status],
        "mlflow_run": run.run_id,
        "parent_run": _word(run.tags.get("mlflow.parentRunId")),
        "parameters": {_word(name): _word(value) for name, value in sorted(run.params.items()) if value},
        "figures": [
            {"name": _word(key), "value": digits(point.value), **_step(point.step), "values": lengths[key]}
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
    if run.ended and run.ended < run.started:
        said.append(f"MLflow says that it ended at {moment(run.ended)}, before it started.")
    unreal = sorted(name for name, point in run.metrics.items() if not digits(point.value))
    if unreal:
        said.append(f"Metrics without a number that a record can hold: {', '.join(unreal)}.")
    return _cut(" ".join(said), SUMMARY)


def captured_runs(ws: "Workspace", *kinds: str) -> dict[str, Evidence]:
    """Return the newest evidence of each captured run, by MLflow's run id; of training runs if no kind is named."""
    found = (piece for kind in kinds or ("training-run",) for piece in standing(ws, kind))
    pieces = sorted(found, key=lambda piece: piece.index)
    return {str(piece.content["mlflow_run"]): piece for piece in pieces if "mlflow_run" in piece.content}


def captured_versions(ws: "Workspace") -> dict[str, Evidence]:
    """Return the newest evidence of each model version, by NAME@VERSION."""
    return {piece.subjects[0]["name"]: piece for piece in standing(ws, "model-version")}


def standing(ws: "Workspace", kind: str) -> Iterator[Evidence]:
    """Yield the evidence of a kind, oldest first, without what was revoked or erased."""
    taken_back = {
        subject["digest"]["sha256"]
        for index in ws.ledger.indexes_of("revocation")
        for piece in ws.ledger.evidence(index, index + 1)
        for subject in piece.subjects
    }
    for index in ws.ledger.indexes_of(kind):
        yield from (piece for piece in ws.ledger.evidence(index, index + 1) if piece.digest not in taken_back)


def digits(value: float) -> str | None:
    """Return a number in digits, or None where there are none or too many: NaN, infinity, 1e-300."""
    text = f"{Decimal(repr(value)):f}" if math.isfinite(value) else ""
    return text if 0 < len(text) <= DIGITS else None


def _word(value: Any) -> Any:
    return _cut(value, WORD) if isinstance(value, str) else value


def _cut(text: str, length: int) -> str:
    """Return text of MLflow's as evidence holds it: secrets in addresses withheld, and no longer than may be."""
    text = withheld(text)
    return text if len(text) <= length else text[: length - len(CUT)] + CUT


def _registry(version: "ModelVersion") -> dict[str, Any]:
    aliases = {"aliases": [_word(alias) for alias in version.aliases]} if version.aliases else {}
    return {
        "name": version.name,
        "version": version.version,
        "uri": f"models:/{version.name}/{version.version}",
    } | aliases


def _step(step: int) -> dict[str, int]:
    """Return a step that the kind can hold; any other stands in the attachment alone."""
    return {"step": step} if 0 <= step <= MAX_INTEGER else {}


def times(run: "MLflowRun") -> dict[str, Any]:
    """Return when a run began and ended; an end before its beginning is none."""
    ended = run.ended if run.ended and run.ended >= run.started else None
    return {"started_at": moment(run.started), "ended_at": moment(ended) if ended else None}


def moment(milliseconds: int) -> str:
    """Return one of MLflow's times as we write times."""
    return utc_text(datetime.fromtimestamp(milliseconds / 1000, UTC))
