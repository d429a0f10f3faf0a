"""One piece of evidence as one MLflow run: all that we write there, as a pure function.

Writing and comparing use this same function, so a run that differs from it was changed by somebody.
MLflow silently cuts parameters at 6,000 and tags at 8,000 characters and takes at most 100 parameters
in one call: we cut first, and mark the cut. The evidence itself is whole in the artifacts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from compliance.core.evidence import Classification, Evidence

PARAM_LIMIT = 6_000
TAG_LIMIT = 8_000
KEY_LIMIT = 250
PARAMS_LIMIT = 99
"""MLflow takes 100 in a call; the last is kept for `LEFT_OUT`."""
PARAMS_TEXT_LIMIT = 200_000
"""Characters of all parameters together: a call may carry 1 MB, and a character up to four bytes."""
METRICS_LIMIT = 800
DIGEST_LIMIT = 36
"""MLflow's limit for a dataset digest, in characters; ours is whole in the dataset's source."""
LEFT_OUT = "compliance.left_out"
CUT = "… [cut; whole in evidence.sigstore.json]"

EVIDENCE_TAG = "compliance.evidence"
ENVELOPE_TAG = "compliance.envelope_sha256"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a run, known by digest; `source` is what to upload."""

    sha256: str
    source: bytes | Path

    @classmethod
    def of(cls, data: bytes) -> "Artifact":
        return cls(sha256(data).hexdigest(), data)


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset as MLflow shows it on a run. `digest` is cut to what MLflow holds; `source` has all of it."""

    name: str
    digest: str
    source: str
    context: str
    """Its role: train, tune or test."""
    source_type: str = "compliance"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What stands in MLflow for one piece of evidence."""

    name: str
    at: int
    """Start and end of the run, in milliseconds: when the ledger took the evidence in."""
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    inputs: tuple[DatasetInput, ...]
    artifacts: Mapping[str, Artifact]

    @property
    def envelope_sha256(self) -> str:
        return self.tags[ENVELOPE_TAG]


def experiment_name(system: str) -> str:
    """Return the MLflow experiment that holds a system's evidence."""
    return f"compliance/{system}"


def mirror_record(
    evidence: Evidence, *, payload: bytes, leaf: bytes, bundle: bytes, checkpoint: str, attachments: Path
) -> RunRecord:
    """Return the run that mirrors `evidence`.

    `payload` is the statement as signed, `leaf` the ledger's entry, `bundle` the envelope as a Sigstore bundle,
    `checkpoint` the first one that covers the entry. Attachments are named by digest in the folder `attachments`;
    restricted ones stay there (docs/decisions/restricted-attachments-stay-home.md).
    """
    content = evidence.content
    artifacts = {
        "evidence.sigstore.json": Artifact.of(bundle),
        "entry.json": Artifact.of(leaf),
        "checkpoint": Artifact.of(checkpoint.encode()),
    }
    for attachment in evidence.predicate.get("attachments", []):
        if attachment["classification"] != Classification.RESTRICTED:
            digest = attachment["sha256"]
            # MLflow takes "#" and "%" in a path for parts of an address
            name = re.sub(r"[#%]|^\.+$", "_", attachment["name"])
            artifacts[_free(f"attachments/{name}", artifacts)] = Artifact(digest, attachments / digest)
    return RunRecord(
        name=cut(f"{evidence.number} · {evidence.kind} · {evidence.title}", KEY_LIMIT),
        at=int(datetime.fromisoformat(evidence.logged_at).timestamp() * 1000),
        tags=_tags(evidence, payload),
        params=_params(content),
        metrics=_metrics(content.get("metrics", [])),
        inputs=tuple(_inputs(content)),
        artifacts=artifacts,
    )


def cut(text: str, limit: int) -> str:
    """Return `text`, or its beginning with a mark where it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - len(CUT)] + CUT


def _tags(evidence: Evidence, payload: bytes) -> dict[str, str]:
    subjects = "; ".join(f"{subject['name']} sha256:{subject['digest']['sha256']}" for subject in evidence.subjects)
    tags = {
        EVIDENCE_TAG: evidence.number,
        "compliance.kind": evidence.kind,
        "compliance.subject": subjects,
        "compliance.payload_sha256": sha256(payload).hexdigest(),
        ENVELOPE_TAG: evidence.digest,
        "compliance.predicate_type": str(evidence.statement["predicateType"]),
        "mlflow.note.content": _note(evidence),
    }
    return {name: cut(text, TAG_LIMIT) for name, text in tags.items()}


def _note(evidence: Evidence) -> str:
    """Return what MLflow shows as the run's description."""
    predicate = evidence.predicate
    facts = [
        f"{evidence.number}, {evidence.kind}, logged {evidence.logged_at} by {predicate.get('recorded_by', '?')}",
        f"{evidence.completeness}, {predicate.get('source', {}).get('basis', '?')}, "
        f"{predicate.get('data_classification', '?')}",
        *(f"about {subject['name']}" for subject in evidence.subjects),
        f"check it with `compliance verify {evidence.number}`; this page is a copy, the signed record is "
        "`evidence.sigstore.json`",
    ]
    paragraphs = [f"**{evidence.title}**", str(predicate.get("summary", "")), "\n".join(f"- {fact}" for fact in facts)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _params(content: Mapping[str, Any]) -> dict[str, str]:
    params: dict[str, str] = {}
    fields = [(key, text) for key, text in _scalars(content) if text]
    room = PARAMS_TEXT_LIMIT
    for position, (key, text) in enumerate(fields):
        short = cut(text, PARAM_LIMIT)
        room -= len(short)
        if len(params) == PARAMS_LIMIT or room < 0:
            params[LEFT_OUT] = f"{len(fields) - position} more fields stand in evidence.sigstore.json"
            break
        params[_free(_key(key), params)] = short
    return params


def _scalars(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each single value with its dotted path; lists of single values as JSON; tables not at all."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _scalars(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        if value and not any(isinstance(item, Mapping | list) for item in value):
            yield path, dumps(value, ensure_ascii=False)
    elif isinstance(value, str):
        yield path, value
    elif value is not None:
        yield path, dumps(value)


def _metrics(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return `sensitivity/sex/F` -> 0.79 for every row of a table of metrics that has a value."""
    metrics: dict[str, float] = {}
    for row in rows:
        if row.get("value") is None or len(metrics) == METRICS_LIMIT:
            continue
        group = [part for name, value in sorted((row.get("group") or {}).items()) for part in (name, value)]
        key = "/".join(_key(str(part)) for part in (row["name"], *group))
        metrics[_free(key, metrics)] = float(Decimal(row["value"]))
    return metrics


def _inputs(content: Mapping[str, Any]) -> list[DatasetInput]:
    found: dict[tuple[str, str], DatasetInput] = {}
    for reference in _dataset_references(content):
        name, digest = reference["name"], reference["sha256"]
        source = dumps({"name": name, "sha256": digest})
        found.setdefault((name, digest), DatasetInput(name, digest[:DIGEST_LIMIT], source, str(reference["role"])))
    return list(found.values())


def _dataset_references(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if {"name", "sha256", "role"} <= value.keys():
            yield value
        else:
            for inner in value.values():
                yield from _dataset_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dataset_references(inner)


def _key(name: str) -> str:
    """Return `name` in the characters that MLflow allows in keys, on every system."""
    return re.sub(r"[^\w.\- ]|^\.+$", "_", name).strip()[: KEY_LIMIT - 8] or "_"


def _free(key: str, taken: Mapping[str, Any]) -> str:
    """Return `key`, numbered where two names became one."""
    free, count = key[: KEY_LIMIT - 8], 1
    while free in taken:
        count += 1
        free = f"{key[: KEY_LIMIT - 8]}.{count}"
    return free
