"""SPDX 2.x as JSON: a bill of materials becomes an `sbom`. NOASSERTION is nothing stated."""

from typing import Any

from compliance.importers import bill
from compliance.importers.base import Given, Importer, Reading
from compliance.importers.source import Source
from compliance.importers.values import listing, mapping, utc, word

TOOL = "SPDX"


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and str(data.get("spdxVersion", "")).startswith("SPDX-")


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the document")
    version = str(data["spdxVersion"]).removeprefix("SPDX-")
    created = mapping(data.get("creationInfo") or {}, "creationInfo")
    tools = [str(one).removeprefix("Tool: ") for one in created.get("creators") or [] if str(one).startswith("Tool: ")]
    packages = [mapping(one, "a package") for one in listing(data.get("packages") or [], "packages")]
    made = bill.record(
        source,
        TOOL,
        [_component(one) for one in packages],
        title=f"{TOOL}: {word(data.get('name')) or 'bill of materials'}",
        format_version=version,
        type="software",
        serial=word(data.get("documentNamespace")),
        generated_at=utc(created.get("created")),
        tool=word(", ".join(tools)),
    )
    return Reading(
        records=[made],
        tool_version=version,
        started_at=utc(created.get("created")),
        notes=["Whether it is of the shipped product or of an environment, no bill says."],
    )


def _component(one: dict[str, Any]) -> dict[str, Any]:
    references = listing(one.get("externalRefs") or [], "externalRefs")
    purl = next((ref["referenceLocator"] for ref in references if ref.get("referenceType") == "purl"), None)
    stated = [one.get(name) for name in ("licenseConcluded", "licenseDeclared")]
    licence = next((text for text in stated if text and text not in bill.UNSTATED), None)
    digest = bill.sha256_of(listing(one.get("checksums") or [], "checksums"), "algorithm", "checksumValue")
    return bill.component(one.get("name"), version=one.get("versionInfo"), purl=purl, licence=licence, sha256=digest)


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"spdxVersion"', b'"SPDX-'),))
