"""Bills of materials: a model version's, drawn from what is on record, and its environment's, put on record."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import packages
from compliance.core.addresses import SECRET
from compliance.core.canonical import digest
from compliance.core.reading import read_records
from compliance.core.shelf import Shelf
from compliance.errors import InvalidInput, UnknownReference
from compliance.exporters import cyclonedx
from compliance.services import record
from compliance.services.assess import chosen_day, model_version

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

FILE = "environment.cdx.json"


def ml_bom(ws: "Workspace", model: str | None, as_of: str | date | None, *, spec: str = cyclonedx.VERSIONS[0]) -> bytes:
    """Return the ML-BOM of a model version, default the newest of the system's model, as of one day."""
    from compliance import __version__

    day = chosen_day(as_of)
    evidence = ws.evidence(as_of=day)
    system = ws.system_record(evidence).content
    thing = model_version(evidence, model or system["system"].get("model"), required=True)
    shelf = Shelf(evidence, ws.config.system.id, day.isoformat())
    about = shelf.about("model-version", thing.sha256) if thing else ()
    live = [piece for piece in about if thing and piece.subjects[0]["name"] == thing.name]  # one digest, two names
    if thing is None or not live:
        raise UnknownReference(
            "No live record of a model version is there to make a bill of.",
            remedy="Log the model, or name one with --model NAME@VERSION.",
        )
    datasets = [pieces[-1] for sha256 in shelf.datasets_of(thing) if (pieces := shelf.about("dataset", sha256))]
    measured = [piece for kind in ("evaluation", "safety-result") for piece in shelf.about(kind, thing.sha256)]
    told = cyclonedx.Told(live, system, datasets, measured)
    return cyclonedx.to_ml_bom(told, tool_version=__version__, spec=spec)


def log_environment(
    ws: "Workspace", path: Path, *, model: str, key: str | None = None, **fields: Any
) -> "list[Logged]":
    """Log what requirements.txt, `pip freeze` or conda.yaml pins as the bill (`sbom`) of a model's environment.

    The file and the bill made of it, as CycloneDX, are attached. What the file cannot say is counted: versions that
    are ranges, and licences, suppliers and relations, which no such file knows.
    """
    from compliance import __version__
    from compliance.services.workspace import now

    data = record.read_file(path)
    text = data.decode("latin-1")  # any bytes have one, and addresses are ASCII
    if secret := SECRET.search(text):
        line = text.count("\n", 0, secret.start()) + 1
        raise InvalidInput(
            f"{path}:{line}: the address holds a user or a token, and this file is attached for ever.",
            remedy="Take it out, or leave it to a variable: https://${TOKEN}@host/…",
        )
    found = _environment(data, path)
    listed = list(packages.by_name(found.packages).values())
    if not listed:
        raise InvalidInput(
            f"{path} names no package.",
            remedy="Give a requirements file, the output of `pip freeze` or a conda.yaml; import a CycloneDX or SPDX "
            "file with `compliance import`.",
        )
    at = now()
    name, _, version = ws.subject(model).name.partition("@")
    bill = cyclonedx.to_sbom(listed, name=name, version=version, timestamp=at, tool_version=__version__)
    unread = len(found.unread)
    authored: dict[str, Any] = {
        "kind": "sbom",
        "title": f"Environment of {name} {version}, as {path.name} asks for it",
        "summary": f"Made of {path.name}, which names no licences, suppliers or relations."
        + (f" Lines in it that name no package of an index: {unread}." if unread else ""),
        "model": model,
        "format": "CycloneDX",
        "format_version": cyclonedx.VERSIONS[0],
        "type": "build",
        "attachment": FILE,
        "generated_at": at,
        "tool": f"compliance {__version__}",
        "components": len(listed),
        "without_version": sum(one.version is None for one in listed),
        "without_licence": len(listed),
        "unexplained": len(listed),
        "listed": [{"name": one.name} | ({"version": one.version} if one.version else {}) for one in listed],
        **({} if not unread else _incomplete(unread)),
        **fields,
        "attachments": [
            {"data": bill, "name": FILE, "media_type": "application/vnd.cyclonedx+json"},
            {"data": data, "name": path.name, "media_type": "text/plain"},
        ],
    }
    return record.log(ws, [authored], how="log", key=key, file_sha256=digest(data))


def _incomplete(unread: int) -> dict[str, Any]:
    reason = f"{unread} lines name no package of an index (paths, addresses, other files) and are not in the bill."
    return {"completeness": "incomplete", "completeness_reason": reason}


def _environment(data: bytes, path: Path) -> packages.Environment:
    if path.suffix in (".yaml", ".yml"):
        return packages.conda(read_records(data, str(path))[0].value)
    try:
        return packages.requirements(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no text (byte {error.start}).", remedy="Save it as UTF-8.") from None
