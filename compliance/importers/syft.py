"""syft's own JSON: the packages of an image or folder become an `sbom`. It states no time."""

from typing import Any

from compliance.importers import bill
from compliance.importers.base import Given, Importer, Reading
from compliance.importers.source import Source
from compliance.importers.values import listing, mapping, word

TOOL = "syft"


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict) or not {"artifacts", "descriptor"} <= data.keys():
        return False
    return isinstance(data["descriptor"], dict) and data["descriptor"].get("name") == "syft"


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    about = mapping(data.get("source") or {}, "source")
    metadata = about.get("metadata") or about.get("target") or {}
    name = about.get("name") or (metadata.get("userInput") if isinstance(metadata, dict) else metadata)
    version = word(mapping(data["descriptor"], "descriptor").get("version"))
    schema = mapping(data.get("schema") or {}, "schema")
    made = bill.record(
        source,
        TOOL,
        [_component(mapping(one, "an artifact")) for one in listing(data["artifacts"], "artifacts")],
        title=f"{TOOL}: {word(name) or 'bill of materials'}",
        format_version=word(schema.get("version")) or "unknown",
        type="system" if about.get("type") == "image" else "software",
        tool=f"{TOOL} {version or 'of unknown version'}",
    )
    return Reading(records=[made], tool_version=version)


def _component(one: dict[str, Any]) -> dict[str, Any]:
    licences = [one_.get("value") if isinstance(one_, dict) else one_ for one_ in one.get("licenses") or []]
    licence = ", ".join(str(text) for text in licences if text)
    return bill.component(one.get("name"), version=one.get("version"), purl=one.get("purl"), licence=licence)


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"artifacts"', b'"foundBy"'),))
