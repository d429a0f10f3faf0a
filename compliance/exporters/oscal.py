"""Requirements and findings as OSCAL 1.2: catalog, profile and assessment-results, for governance tools that read it.

One OSCAL catalog holds several bodies of requirements, each as a group; a requirement is a control, its needs and its
question are assessment objectives. OSCAL ids know no slash, so `eu-ai-act/art-15.1` becomes `eu-ai-act_art-15.1` and
our own id travels as a property. An OSCAL objective is satisfied or not: our eight findings travel as properties, and
what is not met is not satisfied, also where it only waits for a person. Every UUID is version 5, over what the thing
is; nothing takes the clock, so the same input gives the same bytes. Standard: NIST OSCAL 1.2, JSON.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from compliance.core import wording
from compliance.core.applicability import reach
from compliance.core.catalog import Catalog, Requirement

VERSION = "1.2.1"
NS = "https://w3id.org/compliance-tracker/oscal"
NAMESPACE: UUID = uuid5(NAMESPACE_URL, NS)
CATALOG_FILE = "oscal-catalog.json"
"""Where a profile looks for its catalog: beside itself."""

Json = dict[str, Any]


def to_catalog(catalogs: Sequence[Catalog]) -> bytes:
    """Return several bodies of requirements as one OSCAL catalog, a group each."""
    name = ", ".join(f"{catalog.id} {catalog.version}" for catalog in catalogs)
    return written(
        "catalog",
        {
            "uuid": uuid("catalog", name),
            "metadata": metadata(
                f"Requirements: {name}",
                max((catalog.date for catalog in catalogs), default="1970-01-01"),
                "+".join(dict.fromkeys(catalog.version for catalog in catalogs)) or "0",
                "Paraphrases; the authentic text is the legislator's or publisher's. Not legal advice.",
            ),
            "groups": [_group(catalog) for catalog in catalogs],
        },
    )


def to_profile(catalogs: Sequence[Catalog], profile: Mapping[str, Any], *, system: str, on: str) -> bytes:
    """Return the rows that reach a system of this signed profile, or may: what it leaves open is included."""
    rows = [row for catalog in catalogs for row in catalog.requirements]
    reached = [row for row in rows if reach(row, profile, on).applies is not False]
    chosen: Json = {"href": CATALOG_FILE}
    if reached:
        chosen["include-controls"] = [{"with-ids": [control_id(row.id) for row in reached]}]
    else:
        chosen |= {"include-all": {}, "exclude-controls": [{"with-ids": [control_id(row.id) for row in rows]}]}
    return written(
        "profile",
        {
            "uuid": uuid("profile", system, on, *(f"{catalog.id} {catalog.version}" for catalog in catalogs)),
            "metadata": metadata(
                f"Requirements that reach {system}",
                on,
                on,
                "Chosen by the system's signed profile; what the profile leaves open is included.",
            ),
            "imports": [chosen],
            "merge": {"as-is": True},
        },
    )


def written(root: str, content: Json) -> bytes:
    """Return a document's bytes under its root name. OSCAL knows no empty list: what has nothing to say is left out."""
    return (json.dumps({root: _said(content)}, indent=1, ensure_ascii=False) + "\n").encode()


def metadata(title: str, day: str, version: str, remarks: str) -> Json:
    """Return the part that every document begins with; `day` stands for its last change."""
    return {
        "title": title,
        "last-modified": f"{day}T00:00:00Z",
        "version": version,
        "oscal-version": VERSION,
        "remarks": remarks,
    }


def uuid(*parts: str) -> str:
    """Return the UUID that stands for what these words name, the same for ever."""
    return str(uuid5(NAMESPACE, "\n".join(parts)))


def control_id(requirement: str) -> str:
    """Return a requirement's id as an OSCAL token."""
    token = requirement.replace("/", "_")
    return token if token[0].isalpha() else f"_{token}"


def objective_id(requirement: str) -> str:
    """Return the id of the objective that a finding is about: the requirement as a whole."""
    return f"{control_id(requirement)}_obj"


def props(pairs: Iterable[tuple[str, object]]) -> list[Json]:
    """Return properties in our namespace; OSCAL takes neither an empty value nor a line break."""
    told = ((name, " ".join(str(value).split())) for name, value in pairs if value not in (None, ""))
    return [{"name": name, "ns": NS, "value": value} for name, value in told if value]


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _said(inner) for name, inner in value.items() if inner != []}
    return [_said(inner) for inner in value] if isinstance(value, list) else value


def _group(catalog: Catalog) -> Json:
    group: Json = {
        "id": control_id(catalog.id),
        "title": " ".join(catalog.title.split()),
        "props": props(
            [
                ("catalog", catalog.id),
                ("version", catalog.version),
                ("date", catalog.date),
                ("publisher", catalog.publisher),
            ]
        ),
        "controls": [_control(row) for row in catalog.requirements],
    }
    if catalog.note:
        group["parts"] = [{"id": f"{control_id(catalog.id)}_note", "name": "overview", "prose": catalog.note}]
    return group


def _control(row: Requirement) -> Json:
    own = control_id(row.id)
    return {
        "id": own,
        "class": "requirement",
        "title": " ".join(row.ref.split()),
        "props": [{"name": "label", "value": row.id}, *props(_properties(row))],
        "parts": [
            {"id": f"{own}_smt", "name": "statement", "prose": row.text},
            {"id": f"{own}_gdn", "name": "guidance", "prose": f"Shown by: {row.what_shows_it}"},
            {
                "id": objective_id(row.id),
                "name": "assessment-objective",
                "prose": row.what_shows_it,
                "parts": list(_objectives(row)),
            },
        ],
    }


def _properties(row: Requirement) -> Iterator[tuple[str, object]]:
    yield "status", row.status
    yield "applies-from", wording.dates(row)
    yield "applies-to", wording.applicability(row)
    yield "binds", wording.bound(row)
    yield "measurable", row.measurable
    yield "tier", row.tier
    yield "confidence", row.confidence
    yield "source", ", ".join(row.source)
    yield "evidence-kinds", ", ".join(row.evidence_kinds)
    yield "unmeasured", row.unmeasured


def _objectives(row: Requirement) -> Iterator[Json]:
    for need in row.needs:
        prose = "; ".join(wording.need(need))
        yield {"id": f"{objective_id(row.id)}.{need.id}", "name": "assessment-objective", "prose": prose}
    if row.ask:
        yield {"id": f"{objective_id(row.id)}.person", "name": "assessment-objective", "prose": row.ask}
