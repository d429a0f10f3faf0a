"""A software bill of materials of the served model: what is installed here and imported to serve it, as CycloneDX."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

SERVED_WITH = ("scikit-learn", "pandas", "joblib", "mlflow-skinny")
"""What served_model.py imports; everything that these require comes along."""

NOT_STATED = "not stated in the package's metadata"
"""The reason that the bill gives where it cannot name a supplier."""


def write(path: Path) -> dict[str, Any]:
    """Write the bill and return what the tracker's record says of it; nothing is looked up outside this machine."""
    parts = sorted(installed(*SERVED_WITH), key=lambda part: part.name.lower())
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    licences = {part.name: licence(part) for part in parts}
    suppliers = {part.name: supplier(part) for part in parts}
    refs = {_plain(part.name): purl(part) for part in parts}
    components = [
        {
            "type": "library",
            "bom-ref": purl(part),
            "supplier": {"name": suppliers[part.name] or NOT_STATED},
            "name": part.name,
            "version": part.version,
            "purl": purl(part),
            **({"licenses": [{"license": {"name": licences[part.name]}}]} if licences[part.name] else {}),
        }
        for part in parts
    ]
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"timestamp": now}}
    dependencies = [
        {"ref": purl(part), "dependsOn": sorted({refs[name] for name in required(part) if name in refs})}
        for part in parts
    ]
    whole = {**bill, "components": components, "dependencies": dependencies}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return {
        "kind": "sbom",
        "title": "Software that the served model needs, with versions",
        "summary": f"Supplier {NOT_STATED}: {', '.join(name for name, who in suppliers.items() if not who) or 'none'}.",
        "format": "CycloneDX",
        "format_version": "1.6",
        "type": "software",
        "attachment": path.name,
        "generated_at": now,
        "tool": "bill.py of this example",
        "components": len(parts),
        "without_version": sum(not part.version for part in parts),
        "without_licence": sum(not licences[part.name] for part in parts),
        "unexplained": sum(not part.version for part in parts),
        "listed": [
            {
                "name": part.name,
                "version": part.version,
                "tested_version": part.version,
                "purl": purl(part),
                "licence": licences[part.name] or "not stated",
            }
            for part in parts
            if part.name in SERVED_WITH
        ],
        "attachments": [{"path": str(path)}],
    }


def installed(*names: str) -> Iterator[metadata.Distribution]:
    """Yield these packages and all that they require here, each once; extras are left out."""
    waiting, seen = [_plain(name) for name in names], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            part = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # required on other platforms only
        yield part
        waiting.extend(required(part))


def required(part: metadata.Distribution) -> list[str]:
    """Return the names of what a package requires, extras left out."""
    asked = (text.partition(";") for text in part.requires or [])
    return [
        _plain(re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0])
        for requirement, _, marker in asked
        if "extra" not in marker
    ]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def purl(part: metadata.Distribution) -> str:
    return f"pkg:pypi/{_plain(part.name)}@{part.version}"


def supplier(part: metadata.Distribution) -> str:
    """Return who the package says made it; empty where it names nobody."""
    stated = [
        text for field in ("Author", "Maintainer", "Author-email", "Maintainer-email") for text in _said(part, field)
    ]
    first = next((text.strip() for text in stated if text.strip()), "")
    return re.sub(r"\s*<[^>]*>", "", first).splitlines()[0][:200] if first else ""


def licence(part: metadata.Distribution) -> str:
    """Return the licence as the package states it, by expression, classifier or name; empty where it states none."""
    classifiers = [text.rpartition(" :: ")[2] for text in _said(part, "Classifier") if "License ::" in text]
    stated = [*_said(part, "License-Expression"), ", ".join(classifiers), *_said(part, "License")]
    first = next((text.strip() for text in stated if text.strip()), "")
    return first.splitlines()[0][:200] if first else ""


def _said(part: metadata.Distribution, field: str) -> list[str]:
    return list(part.metadata.get_all(field) or [])
