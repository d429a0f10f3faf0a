"""An MLflow run as it was shown when it was captured: what is attached to its evidence, and what has changed since.

MLflow's own digests are not trusted: every file is read and digested here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from compliance.core import differences
from compliance.core.addresses import withheld
from compliance.core.canonical import canonical, digest
from compliance.core.evidence import Evidence

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MetricPoint, MLflowRun, Tracking

RUN_FILE = "mlflow-run.json"
"""Attachment that holds the whole run, with the digest of every file."""
METRICS_FILE = "mlflow-metrics.jsonl"
"""Attachment that holds every value of every metric that has more than one."""
OWN_TAGS = "compliance."
FACTS = ("name", "status", "user", "started", "ended")


def of(tracking: "Tracking", run: "MLflowRun") -> dict[str, bytes]:
    """Return the run as MLflow shows it now, as files to attach.

    Our own tags are left out, and secrets in addresses withheld.
    """
    histories = {key: _ordered(tracking.history(run.run_id, key)) for key in sorted(run.metrics)}
    artifacts = [{"path": path, "sha256": digest_of(tracking.read(run, path))} for path in tracking.artifacts(run)]
    shown = {**_shown(run, {key: len(points) for key, points in histories.items()}), "artifacts": artifacts}
    lines = [_line(point) for points in histories.values() if len(points) > 1 for point in points]
    return {RUN_FILE: canonical(shown)} | ({METRICS_FILE: b"".join(lines)} if lines else {})


def held(ws: "Workspace", piece: Evidence) -> dict[str, Any] | None:
    """Return the run as a piece of evidence holds it, or None where its attachment is not there."""
    for attachment in piece.predicate["attachments"]:
        if attachment["name"] == RUN_FILE:
            try:
                data = (ws.attachments / attachment["sha256"]).read_bytes()
            except OSError:
                return None
            return json.loads(data) if digest(data) == attachment["sha256"] else None
    return None


def since(ws: "Workspace", piece: Evidence, run: "MLflowRun") -> list[str]:
    """Return what differs from what a piece holds; the run's files and metric histories are not read for this."""
    then = held(ws, piece)
    if then is None:
        return ["what was captured is not here any more"]
    unread = {metric["name"]: metric["values"] for metric in then["metrics"]}
    return list(changes(then, _shown(run, {key: unread.get(key, 1) for key in run.metrics})))


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference between two looks at a run; files where both looks read them."""
    for fact in FACTS:
        if then[fact] != now[fact]:
            yield f"the {fact} was changed from {then[fact]} to {now[fact]}"
    yield from differences.members("parameter", then["parameters"], now["parameters"], values=True)
    metrics = [{metric["name"]: metric for metric in look["metrics"]} for look in (then, now)]
    latest = [{name: _told(metric) for name, metric in look.items()} for look in metrics]
    yield from differences.members("metric", *latest, values=True)
    for name in sorted(metrics[0].keys() & metrics[1].keys()):
        before, after = (look[name] for look in metrics)
        if before["values"] != after["values"]:
            yield f"the metric {name} has {after['values']} values, not {before['values']}"
        elif before["timestamp"] != after["timestamp"] and _told(before) == _told(after):
            yield f"the time of the metric {name} was changed"
    inputs = [{f"{i['name']} {i['digest']} {i['role']}".rstrip(): i for i in look["inputs"]} for look in (then, now)]
    yield from differences.members("dataset input", *inputs)
    yield from differences.members("tag", then["tags"], now["tags"])
    if "artifacts" in then and "artifacts" in now:
        files = [{item["path"]: item["sha256"] for item in look["artifacts"]} for look in (then, now)]
        yield from differences.members("file", *files)


def digest_of(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 of a file that comes in pieces."""
    hasher = sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def holds(piece: Evidence, files: Mapping[str, bytes]) -> bool:
    """Say whether a piece has attachments of these names with these bytes."""
    attached = {attachment["name"]: attachment["sha256"] for attachment in piece.predicate["attachments"]}
    return all(attached.get(name) == digest(data) for name, data in files.items())


def _shown(run: "MLflowRun", lengths: Mapping[str, int]) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "experiment_id": run.experiment_id,
        "name": run.name,
        "status": run.status,
        "user": run.user,
        "started": str(run.started),
        "ended": str(run.ended),
        "parameters": {name: withheld(value) for name, value in run.params.items()},
        "metrics": [
            {"name": key, "values": lengths[key], **_point(point)} for key, point in sorted(run.metrics.items())
        ],
        "inputs": [
            {"name": item.name, "digest": item.digest, "role": item.context, "source": withheld(item.source)}
            for item in run.inputs
        ],
        "tags": {name: withheld(value) for name, value in run.tags.items() if not name.startswith(OWN_TAGS)},
    }


def _point(point: "MetricPoint") -> dict[str, str]:
    return {"value": repr(point.value), "step": str(point.step), "timestamp": str(point.timestamp)}


def _line(point: "MetricPoint") -> bytes:
    return json.dumps({"metric": point.key, **_point(point)}).encode() + b"\n"


def _ordered(points: "Iterable[MetricPoint]") -> "list[MetricPoint]":
    return sorted(points, key=lambda point: (point.step, point.timestamp, repr(point.value)))


def _told(metric: Mapping[str, Any]) -> str:
    return f"{metric['value']} at step {metric['step']}"
