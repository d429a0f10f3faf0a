"""SPDX 2.x as JSON: a bill of materials becomes an `sbom`. NOASSERTION is nothing stated.

SPDX as tag-value, YAML, XML or RDF, and SPDX 3, are not read: JSON of 2.x is asked for.
"""

from typing import Any

from compliance.importers import bill
from compliance.importers.base import Given, Importer, NotSaidError, Reading
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


def _recognise_other(source: Source) -> bool:
    data = source.json
    if isinstance(data, dict):
        return "spdx.org/rdf/" in str(data.get("@context")) and "@graph" in data
    head = source.data[:_LOOK]
    return data is None and any(mark in head for mark in (b"SPDXVersion: SPDX-", b"spdxVersion: SPDX-", _XML, _RDF))


def _read_other(source: Source, given: Given) -> Reading:
    raise NotSaidError(
        "This is SPDX in another form than JSON of version 2.",
        remedy="Write it as JSON of version 2.2 or 2.3 with the tool that made it, or with pyspdxtools.",
    )


_LOOK = 1 << 16
_XML, _RDF = b"<spdxVersion>SPDX-", b'"http://spdx.org/rdf/terms#"'
OTHER = Importer(TOOL, _recognise_other, _read_other)
IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"spdxVersion"', b'"SPDX-'),))
