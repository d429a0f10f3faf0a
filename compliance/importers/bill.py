"""What the formats of bills of materials share: the record that each becomes."""

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.importers.base import attachment_name
from compliance.importers.source import Source
from compliance.importers.values import present, word

MOST = 1000
"""Components that a record lists one by one; all of them stand in the attached file."""
UNSTATED = {"", "NOASSERTION", "NONE", "UNKNOWN", "(devel)"}


def record(
    source: Source, format_: str, components: list[dict[str, Any]], gaps: Iterable[str] = (), **fields: Any
) -> dict[str, Any]:
    """Return the `sbom` record of components given by name, version, purl, licence and sha256."""
    gaps = [*gaps]
    if not components:
        gaps.append("It lists no component.")
    return {
        "kind": "sbom",
        "format": format_,
        "attachment": attachment_name(source),
        "components": len(components),
        "without_version": sum(1 for one in components if "version" not in one),
        "without_licence": sum(1 for one in components if "licence" not in one),
        "listed": components[:MOST],
        "gaps": gaps,
        "summary": f"The first {MOST} of {len(components)} components are listed here."
        if len(components) > MOST
        else "",
        **present(fields),
    }


def component(name: Any, **told: Any) -> dict[str, Any]:
    """Return one component; what its file does not assert is left out."""
    fields = {key: word(value) for key, value in told.items()}
    return {
        "name": word(name) or "unnamed",
        **{key: value for key, value in fields.items() if value not in (None, *UNSTATED)},
    }


def sha256_of(hashes: Iterable[Mapping[str, Any]], algorithm: str, value: str) -> str | None:
    """Return the SHA-256 among a component's hashes, whose fields the format calls differently."""
    for one in hashes:
        digest = str(one.get(value, "")).lower()
        plain = str(one.get(algorithm, "")).upper().replace("-", "")
        if plain == "SHA256" and len(digest) == 64 and set(digest) <= set("0123456789abcdef"):
            return digest
    return None
