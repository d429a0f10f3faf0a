"""CycloneDX, as JSON or XML: a bill of materials becomes an `sbom`, with its vulnerabilities and what was decided.

A composition that the bill itself calls incomplete makes the record so. A bill of an environment is not one of the
shipped product, which no file says; an attestation without components lists nothing. Figures in a model card inside
the bill are its author's claims and no results.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from compliance.importers import bill
from compliance.importers.base import Given, Importer, Reading
from compliance.importers.markup import child, local, namespace, text
from compliance.importers.source import Source
from compliance.importers.values import listing, mapping, utc, word

TOOL = "CycloneDX"

_NAMESPACE = "http://cyclonedx.org/schema/bom/"
_STATES = {
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under-investigation",
    "false_positive": "not-affected",
    "not_affected": "not-affected",
}
"""What the bill's analysis says to what a record says; without analysis nothing is decided."""
_UNCLEAR = {"unknown", "not_specified"}
"""What a composition may say that is neither complete nor incomplete."""


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and data.get("bomFormat") == "CycloneDX"


def _recognise_xml(source: Source) -> bool:
    return source.xml is not None and local(source.xml) == "bom" and namespace(source.xml).startswith(_NAMESPACE)


def _read(source: Source, given: Given) -> Reading:
    return _reading(source, mapping(source.json, "the bill"))


def _read_xml(source: Source, given: Given) -> Reading:
    root = source.xml
    assert root is not None
    return _reading(source, _plain(root))


def _reading(source: Source, data: Mapping[str, Any]) -> Reading:
    metadata = mapping(data.get("metadata") or {}, "metadata")
    components = list(_components(data.get("components")))
    subject = mapping(metadata.get("component") or {}, "component")
    about = _known_as(subject)
    gaps = [
        f"The bill calls a composition {one['aggregate']}."
        for one in listing(data.get("compositions") or [], "compositions")
        if str(one.get("aggregate")).startswith("incomplete")
    ]
    unclear = {str(one.get("aggregate")) for one in data.get("compositions") or []} & _UNCLEAR
    types = {str(one.get("type")) for one in components}
    phases = {str(one.get("phase")) for one in listing(metadata.get("lifecycles") or [], "lifecycles")}
    names = {str(one["bom-ref"]): _known_as(one) for one in (subject, *components) if one.get("bom-ref")}
    tools = list(_tools(metadata.get("tools")))
    made = bill.record(
        source,
        TOOL,
        [_component(one) for one in components],
        gaps,
        title=f"{TOOL}: {about or 'bill of materials'}",
        format_version=word(data.get("specVersion")) or "unknown",
        type="model" if "machine-learning-model" in types else "build" if "build" in phases else "software",
        serial=word(data.get("serialNumber")),
        generated_at=utc(metadata.get("timestamp")),
        tool=word(", ".join(tools)),
        vulnerabilities=[
            _vulnerability(one, names) for one in listing(data.get("vulnerabilities") or [], "vulnerabilities")
        ],
    )
    notes = [f"The bill calls a composition {', '.join(sorted(unclear))}."] if unclear else []
    notes += ["Whether it is of the shipped product or of an environment, no bill says."]
    if data.get("declarations"):
        notes.append("It holds declarations (attestations), which stand in the original alone.")
    if any(one.get("modelCard") for one in components):
        notes.append("It holds a model card, whose figures are claims and were not taken over.")
    return Reading(
        records=[made],
        tool_version=word(data.get("specVersion")),
        started_at=utc(metadata.get("timestamp")),
        notes=notes,
    )


def _components(given: Any) -> Iterator[dict[str, Any]]:
    """Yield components at every depth."""
    for one in listing(given or [], "components"):
        yield mapping(one, "a component")
        yield from _components(one.get("components"))


def _tools(given: Any) -> Iterator[str]:
    """Yield the tools that made the bill: a list until 1.4, components since 1.5."""
    tools = given.get("components") if isinstance(given, dict) else given
    for one in listing(tools or [], "tools"):
        yield " ".join(filter(None, [word(one.get("name")), word(one.get("version"))]))


def _component(one: Mapping[str, Any]) -> dict[str, Any]:
    licences = [_licence(mapping(choice, "a licence")) for choice in listing(one.get("licenses") or [], "licenses")]
    name = f"{one['group']}/{one['name']}" if one.get("group") else one.get("name")
    digest = bill.sha256_of(listing(one.get("hashes") or [], "hashes"), "alg", "content")
    licence = ", ".join(filter(None, licences))
    return bill.component(name, version=one.get("version"), purl=one.get("purl"), licence=licence, sha256=digest)


def _licence(choice: Mapping[str, Any]) -> str:
    inner = choice.get("license") or {}
    return str(choice.get("expression") or inner.get("id") or inner.get("name") or "")


def _known_as(one: Mapping[str, Any]) -> str:
    return " ".join(filter(None, [word(one.get("name")), word(one.get("version"))]))


def _vulnerability(one: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    ratings = [str(rating.get("severity")) for rating in listing(one.get("ratings") or [], "ratings")]
    known = [severity for severity in ("critical", "high", "medium", "low", "none") if severity in ratings]
    analysis = mapping(one.get("analysis") or {}, "analysis")
    told: dict[str, Any] = {
        "id": word(one.get("id")) or "without id",
        "severity": known[0] if known else "unknown",
        "status": _STATES.get(str(analysis.get("state")), "under-investigation"),
    }
    refs = [str(mapping(ref, "affects").get("ref") or "") for ref in listing(one.get("affects") or [], "affects")]
    if affected := word(", ".join(names.get(ref) or ref for ref in refs if ref)):
        told["component"] = affected
    if reason := word(analysis.get("detail") or analysis.get("justification")):
        told["justification"] = reason
    return told


# --- XML -------------------------------------------------------------------------------------------


def _plain(root: Element) -> dict[str, Any]:
    """Return what is looked at of an XML bill, laid out as the JSON one is."""
    metadata = child(root, "metadata")
    subject = child(root, "metadata", "component")
    return {
        "specVersion": namespace(root).removeprefix(_NAMESPACE),
        "serialNumber": root.get("serialNumber"),
        "metadata": {
            "timestamp": text(child(root, "metadata", "timestamp")),
            "component": _xml_component(subject) if subject is not None else None,
            "lifecycles": [
                {"phase": text(child(one, "phase"))} for one in _inside(child(root, "metadata", "lifecycles"))
            ],
            "tools": [
                _xml_component(one)
                for one in (metadata.iter() if metadata is not None else ())
                if local(one) == "tool" or (local(one) == "component" and one is not subject)
            ],
        },
        "components": [_xml_component(one) for one in _inside(child(root, "components"))],
        "compositions": [{"aggregate": text(child(one, "aggregate"))} for one in _inside(child(root, "compositions"))],
        "vulnerabilities": [_xml_vulnerability(one) for one in _inside(child(root, "vulnerabilities"))],
        "declarations": child(root, "declarations") is not None,
    }


def _inside(element: Element | None) -> list[Element]:
    return [] if element is None else list(element)


def _xml_component(one: Element) -> dict[str, Any]:
    licences: list[dict[str, Any]] = []
    for choice in _inside(child(one, "licenses")):
        if local(choice) == "expression":
            licences.append({"expression": text(choice)})
        else:
            licences.append({"license": {"id": text(child(choice, "id")), "name": text(child(choice, "name"))}})
    return {
        "type": one.get("type"),
        "bom-ref": one.get("bom-ref"),
        **{name: text(child(one, name)) for name in ("group", "name", "version", "purl")},
        "licenses": licences,
        "hashes": [{"alg": hashed.get("alg"), "content": text(hashed)} for hashed in _inside(child(one, "hashes"))],
        "components": [_xml_component(inner) for inner in _inside(child(one, "components"))],
        "modelCard": child(one, "modelCard") is not None,
    }


def _xml_vulnerability(one: Element) -> dict[str, Any]:
    analysis = child(one, "analysis")
    names = () if analysis is None else ("state", "justification", "detail")
    return {
        "id": text(child(one, "id")),
        "ratings": [{"severity": text(child(rating, "severity"))} for rating in _inside(child(one, "ratings"))],
        "analysis": {name: text(child(one, "analysis", name)) for name in names},
        "affects": [{"ref": text(child(target, "ref"))} for target in _inside(child(one, "affects"))],
    }


_MARKS = (
    (b'"bomFormat"', b'"CycloneDX"'),
    (b'"$schema"', b"cyclonedx.org/schema/bom-"),
    (b"cyclonedx.org/schema/bom/", b"<bom"),
)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
XML = Importer(TOOL, _recognise_xml, _read_xml)
