"""Bills of materials in CycloneDX 1.6 or 1.7: of a model version with its model card (ML-BOM), and of an environment.

Everything is drawn from signed evidence, whose numbers and digests travel as properties; nothing is added. A metric
keeps its digits and its interval, and where it was measured, on how many cases and by which record stands in its
`slice`, the only place the standard has for it. A folder's digest is a root over its files and no hash of one, so it is
a property, and the files have hashes. The serial number is a UUID, version 5, over the records used, and the time that
of the newest of them: the same evidence gives the same bytes. Standard: ECMA-424, CycloneDX.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from compliance.core import recomputed
from compliance.core.evidence import Evidence
from compliance.core.packages import Package

VERSIONS = ("1.6", "1.7")
OURS = "compliance-tracker"
"""How the names of our properties begin."""
NAMESPACE: UUID = uuid5(NAMESPACE_URL, "https://w3id.org/compliance-tracker/cyclonedx")


Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What is on record about one model version, live and in the ledger's order."""

    models: Sequence[Evidence]
    """The records of this version: one, or several that each tell a part."""
    system: Mapping[str, Any]
    """Content of the signed system description."""
    datasets: Sequence[Evidence] = ()
    measured: Sequence[Evidence] = ()
    """Evaluations and safety results about exactly this version."""

    @property
    def content(self) -> Json:
        """All that the records of the version say: lists together, of anything else the newest."""
        whole: Json = {}
        for piece in self.models:
            for field, value in piece.content.items():
                earlier = whole.get(field)
                if isinstance(value, list) and isinstance(earlier, list):
                    whole[field] = [*earlier, *(one for one in value if one not in earlier)]
                else:
                    whole[field] = value
        return whole


def to_ml_bom(told: Told, *, tool_version: str, spec: str = "1.6") -> bytes:
    """Return the ML-BOM of a model version."""
    used = [*told.models, *told.datasets, *told.measured]
    datasets = [_dataset(piece) for piece in told.datasets]
    parts = [_part(part) for part in told.content.get("components", ())]
    environment = told.content.get("environment", {})
    libraries = [_library(Package(package["name"], package["version"])) for package in environment.get("packages", ())]
    components = _distinct([*datasets, *parts, *libraries])
    model = _model(told)
    return _written(
        spec,
        serial=[piece.digest for piece in used],
        timestamp=max(piece.logged_at for piece in used),
        tool_version=tool_version,
        subject=model,
        components=components,
        properties=[_property(f"evidence:{piece.number}", piece.digest) for piece in used],
    )


def to_sbom(
    packages: Iterable[Package], *, name: str, version: str, timestamp: str, tool_version: str, spec: str = "1.6"
) -> bytes:
    """Return the bill of what one model's environment asks for."""
    components = _distinct(_library(package) for package in packages)
    subject = {"type": "machine-learning-model", "bom-ref": f"{name}@{version}", "name": name, "version": version}
    serial = [name, version, timestamp, *(component["bom-ref"] for component in components)]
    return _written(
        spec,
        serial=serial,
        timestamp=timestamp,
        tool_version=tool_version,
        subject=subject,
        components=components,
        lifecycle="build",
    )


def _written(
    spec: str,
    *,
    serial: Sequence[str],
    timestamp: str,
    tool_version: str,
    subject: Json,
    components: Sequence[Json],
    properties: Sequence[Json] = (),
    lifecycle: str | None = None,
) -> bytes:
    metadata: Json = {"timestamp": timestamp}
    if lifecycle:
        metadata["lifecycles"] = [{"phase": lifecycle}]
    tool = {"type": "application", "name": "Compliance Tracker", "version": tool_version}
    metadata |= {"tools": {"components": [tool]}, "component": subject}
    if properties:
        metadata["properties"] = list(properties)
    bill = {
        "$schema": f"http://cyclonedx.org/schema/bom-{spec}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": spec,
        "serialNumber": uuid5(NAMESPACE, "\n".join((spec, tool_version, *serial))).urn,
        "version": 1,
        "metadata": metadata,
        "components": list(components),
        "dependencies": [
            {"ref": subject["bom-ref"], "dependsOn": sorted(component["bom-ref"] for component in components)},
            *({"ref": component["bom-ref"]} for component in components),
        ],
    }
    return (json.dumps(bill, indent=1, ensure_ascii=False) + "\n").encode()


def _model(told: Told) -> Json:
    content, first = told.content, told.models[0]
    subject = first.subjects[0]
    name, _, version = str(subject["name"]).partition("@")
    component: Json = {
        "type": "machine-learning-model",
        "bom-ref": subject["name"],
        "manufacturer": {"name": content.get("provider") or told.system["system"]["provider"]},
        "name": name,
        "version": version,
        "description": first.predicate.get("summary") or first.title,
    }
    sha256, basis = subject["digest"]["sha256"], subject["annotations"]["basis"]
    if basis == "file":
        component["hashes"] = _hashes(sha256)
    component |= _licences(content.get("licence"))
    if base := content.get("base_model"):
        base_name, _, base_version = base["name"].partition("@")
        ancestor = {"type": "machine-learning-model", "name": base_name, "version": base_version}
        digest = _property("subject_sha256", base["sha256"])
        component["pedigree"] = {"ancestors": [ancestor | {"properties": [digest]}]}
    card = _card(told)
    properties = [_property("subject_sha256", sha256), _property("subject_basis", basis)]
    parameters = content.get("parameters", {}).get("total")
    for field, value in (*((field, content.get(field)) for field in _STATED), ("parameters", parameters)):
        if value is not None:
            properties.append(_property(field, value))
    properties += [_property("remark", remark) for remark in content.get("remarks", ())]
    files = [_file(file, str(subject["name"])) for file in content.get("files", ())]
    return component | ({"components": files} if files else {}) | {"modelCard": card, "properties": properties}


_STATED = ("weights_format", "weights_precision", "context_length", "framework", "learning", "frozen_at", "artefacts")


def _card(told: Told) -> Json:
    content, description = told.content, told.system.get("description") or {}
    parameters: Json = {
        "task": content.get("task"),
        "architectureFamily": content.get("model_class"),
        "modelArchitecture": content.get("architecture"),
        "datasets": [{"ref": name} for name in sorted(piece.subjects[0]["name"] for piece in told.datasets)],
        "inputs": [{"format": _format(column)} for column in content.get("inputs", ())],
        "outputs": [{"format": _format(column)} for column in content.get("outputs", ())],
    }
    purpose = told.system.get("profile", {}).get("intended_purpose")
    limits = [*content.get("limitations", ()), description.get("limitations")]
    considerations = {
        "users": [text for text in (description.get("users"),) if text],
        "useCases": [text for text in (purpose, *content.get("intended_tasks", ())) if text],
        "technicalLimitations": [text for text in limits if text],
    }
    metrics = [row for piece in told.measured for row in _metrics(piece)]
    card = {
        "modelParameters": _said(parameters),
        "quantitativeAnalysis": {"performanceMetrics": metrics} if metrics else {},
        "considerations": _said(considerations),
    }
    return _said(card)


def _metrics(piece: Evidence) -> Iterator[Json]:
    content = piece.content
    where = [content.get("category"), _on(content), None if piece.completeness == "complete" else piece.completeness]
    for row in content.get("metrics", ()):
        if row.get("value") is None:
            continue
        group = ", ".join(f"{name} {value}" for name, value in sorted(row.get("group", {}).items()))
        interval = f"{row['ci_level']} interval: {row['ci_method']}" if "ci_level" in row else None
        refuted = "its own predictions do not bear it out" if recomputed.refuted(content, row) else None
        count = f"n {row['n']}" if "n" in row else None
        metric: Json = {
            "type": row["name"],
            "value": f"{row['value']} {row['unit']}" if row.get("unit") else row["value"],
            "slice": "; ".join(filter(None, (*where, group, count, interval, refuted, piece.number))),
        }
        if "ci_low" in row and "ci_high" in row:
            metric["confidenceInterval"] = {"lowerBound": row["ci_low"], "upperBound": row["ci_high"]}
        yield metric


def _on(content: Mapping[str, Any]) -> str | None:
    dataset, benchmark = content.get("dataset"), content.get("benchmark")
    if dataset:
        return f"{dataset['name']} ({dataset['role']})"
    return " ".join(filter(None, (benchmark["name"], benchmark.get("version")))) if benchmark else None


def _dataset(piece: Evidence) -> Json:
    content, subject = piece.content, piece.subjects[0]
    name, _, version = str(subject["name"]).partition("@")
    sha256, basis = subject["digest"]["sha256"], subject["annotations"]["basis"]
    data: Json = {"type": "dataset", "name": subject["name"]}
    data["classification"] = piece.predicate["data_classification"]
    if text := content.get("description") or piece.predicate.get("summary"):
        data["description"] = text
    component: Json = {"type": "data", "bom-ref": subject["name"], "name": name, "version": version}
    component |= {"hashes": _hashes(sha256)} if basis == "file" else {}
    component |= _licences(content.get("licence")) | {"data": [data]}
    properties = [_property("subject_sha256", sha256), _property("subject_basis", basis)]
    for field in ("role", "rows", "unit_of_analysis"):
        if content.get(field) is not None:
            properties.append(_property(field, content[field]))
    return component | {"properties": properties}


def _part(part: Mapping[str, Any]) -> Json:
    """Return a pre-trained part of the model."""
    component: Json = {"type": "machine-learning-model", "bom-ref": f"part:{part['name']}", "name": part["name"]}
    if version := part.get("version"):
        component |= {"bom-ref": f"part:{part['name']}@{version}", "version": version}
    if part.get("how_used"):
        component["description"] = part["how_used"]
    component |= {"hashes": _hashes(part["sha256"])} if part.get("sha256") else {}
    component |= _licences(part.get("licence"))
    return component | ({"properties": [_property("source", part["source"])]} if part.get("source") else {})


def _library(package: Package) -> Json:
    component: Json = {"type": "library", "name": package.name}
    if package.version:
        component["version"] = package.version
    purl = f"pkg:{package.source}/{package.key}" + (f"@{package.version}" if package.version else "")
    return component | {"bom-ref": purl, "purl": purl}


def _file(file: Mapping[str, Any], model: str) -> Json:
    properties = [_property(field, file[field]) for field in ("format", "tensors", "runs_code") if field in file]
    properties += [_property("imports", name) for name in file.get("imports", ())]
    component = {"type": "file", "bom-ref": f"{model}#{file['name']}", "name": file["name"]}
    return component | {"hashes": _hashes(file["sha256"])} | ({"properties": properties} if properties else {})


def _licences(stated: str | None) -> Json:
    """Return a licence by its SPDX expression where it is one, else under the name that it was given."""
    if not stated:
        return {}
    try:
        return {"licenses": [{"expression": canonicalize_license_expression(stated)}]}
    except InvalidLicenseExpression:
        return {"licenses": [{"license": {"name": stated}}]}


def _format(column: Mapping[str, Any]) -> str:
    unit = f" ({column['unit']})" if column.get("unit") else ""
    return f"{column['name']}: {column['type']}{unit}"


def _hashes(sha256: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256}]


def _property(name: str, value: object) -> Json:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"name": f"{OURS}:{name}", "value": text}


def _distinct(components: Iterable[Json]) -> list[Json]:
    """Return each component once, in order of its reference."""
    return [found for _, found in sorted({component["bom-ref"]: component for component in components}.items())]


def _said(fields: Mapping[str, Any]) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
