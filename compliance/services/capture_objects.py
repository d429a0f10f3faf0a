"""Evidence from MLflow's other objects: logged models, registered prompts, evaluation datasets.

Prompts and datasets have no bytes of their own in MLflow, so they are written out here in canonical JSON, attached
and digested. An evaluation dataset holds questions that people may have asked: it stays in the workspace, restricted.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compliance.core.canonical import canonical, digest
from compliance.core.evidence import Basis
from compliance.services import capture, mirroring, record
from compliance.services.record import Logged

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

PROMPT = "prompt.json"
RECORDS = "records.jsonl"


def capture_logged_model(ws: "Workspace", model_id: str, *, key: str | None = None, **fields: Any) -> list[Logged]:
    """Log a model that a run logged (MLflow 3) as `model-version` NAME@ID, digested file by file."""
    tracking = mirroring.read_mirror(ws).tracking
    found = tracking.logged_model(model_id)
    return capture.log_version(
        ws, tracking, found, capture.captured_versions(ws), capture.captured_runs(ws), key=key, **fields
    )


def capture_prompt(ws: "Workspace", name: str, *, key: str | None = None, **fields: Any) -> list[Logged]:
    """Log a registered prompt (NAME@VERSION, or the newest of NAME) as `document`, with its template and settings."""
    wanted, _, version = name.partition("@")
    found = mirroring.read_mirror(ws).tracking.prompt(wanted, version)
    data = canonical(json.loads(json.dumps({"template": found.template, **found.settings}, default=str)))
    subject = f"{found.name}@{found.version}"
    if _stands(ws, "document", subject, data):
        return []
    authored = {
        "kind": "document",
        "name": subject,
        "title": f"Prompt {found.name} {found.version}",
        "summary": found.message,
        "document_type": "prompt",
        "sha256": digest(data),
        "basis": Basis.FILE.value,
        **fields,
        "attachments": [{"data": data, "name": PROMPT, "media_type": "application/json"}],
    }
    origin = {"prompt": f"{found.name}/{found.version}"}
    return record.log(ws, [_told(authored)], how="capture", key=key, mlflow=origin)


def capture_dataset(
    ws: "Workspace", name: str, *, role: str, version: str | None = None, key: str | None = None, **fields: Any
) -> list[Logged]:
    """Log an evaluation dataset of MLflow as `dataset` in a role; its version is MLflow's digest unless one is given.

    The records are sorted and written one a line, so that the digest is that of their content.
    """
    found = mirroring.read_mirror(ws).tracking.evaluation_set(name)
    data = b"".join(sorted(canonical(json.loads(json.dumps(row, default=str))) + b"\n" for row in found.records))
    subject = f"{found.name}@{version or found.digest}"
    if _stands(ws, "dataset", subject, data):
        return []
    authored = {
        "kind": "dataset",
        "name": found.name,
        "version": version or found.digest,
        "title": f"{found.name}: evaluation dataset of MLflow",
        "role": role,
        "rows": len(found.records),
        "unit_of_analysis": "question",
        "file_format": "JSON lines",
        "sha256": digest(data),
        "basis": Basis.FILE.value,
        **fields,
        "attachments": [
            {"data": data, "name": RECORDS, "media_type": "application/jsonl", "classification": "restricted"}
        ],
    }
    return record.log(ws, [_told(authored)], how="capture", key=key, mlflow={"dataset": found.id})


def _stands(ws: "Workspace", kind: str, subject: str, data: bytes) -> bool:
    pieces = (piece for piece in capture.standing(ws, kind) if piece.is_about(digest(data)))
    return any(piece.subjects[0]["name"] == subject for piece in pieces)


def _told(authored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in authored.items() if value not in (None, "")}
