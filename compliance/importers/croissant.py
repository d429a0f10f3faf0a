"""Croissant: the description of a published dataset becomes a dataset record by its published name.

Nobody here holds the bytes: digests in the file are claims and said to be, no `contentUrl` is opened, and the subject
is the identity (name, version, address), which alone never shows that a requirement is met. The role is `raw`, a
dataset not yet used for anything, unless --role says otherwise. Example rows in the file stay in the original.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading
from compliance.importers.source import Source, as_json
from compliance.importers.values import clip, listing, mapping, present, slug, some, word

TOOL = "Croissant"

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_MOST = 200
"""Files of a distribution that a record lists one by one."""


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and any("/croissant/" in str(one).lower() for one in _conforms(data))


def _conforms(data: Mapping[str, Any]) -> list[Any]:
    told = data.get("conformsTo", data.get("dct:conformsTo", data.get("http://purl.org/dc/terms/conformsTo")))
    return told if isinstance(told, list) else [told]


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    name = word(data["name"]) or "unnamed"
    files = [mapping(one, "a file") for one in listing(data.get("distribution") or [], "distribution")]
    sets = [mapping(one, "a record set") for one in listing(data.get("recordSet") or [], "recordSet")]
    objects = [one for one in files if str(one.get("@type", "")).endswith("FileObject")]
    undigested = [_name(one) for one in objects if not _digested(one)]
    gaps = [f"{file} has no digest that could be checked." for file in undigested]
    if not files:
        gaps.append("The file names no distribution: nothing says which bytes the dataset is.")
    rows = sum(len(one[key]) for one in sets for key in ("data", "examples") if isinstance(one.get(key), list))
    version = word(data.get("version"))
    identity = present({"name": name, "version": version or "unknown", "repository": word(data.get("url"))})
    rai = {key: value for key, value in data.items() if key.startswith(("rai:", "http://mlcommons.org/croissant/RAI/"))}
    remarks = [*_claims(objects), *_responsible(rai)]
    record = {
        "kind": "dataset",
        "name": slug(name),
        "version": _version(version) or f"sha256-{source.sha256()[:12]}",
        "identity": identity,
        "role": given.role or "raw",
        "title": f"{TOOL}: {name} {version or 'without version'}",
        "basis": "published",
        "citation": present({"title": name, "identifier": word(data.get("url")), "where": "Croissant description"}),
        **present(
            {
                "description": clip(str(data.get("description") or ""), 20_000),
                "licence": word(
                    data.get("license") if not isinstance(data.get("license"), list) else data["license"][0]
                ),
                "source_reference": word(data.get("url")),
                "file_format": word(
                    ", ".join(sorted({str(one["encodingFormat"]) for one in files if "encodingFormat" in one}))
                ),
                "limitations": _texts(rai, "dataLimitations"),
                "columns": list(_columns(sets)),
                "remarks": remarks,
            }
        ),
    }
    fields = sum(len(listing(one.get("field") or [], "field")) for one in sets)
    return Reading(
        records=[record],
        tool_version=word(str(_conforms(data)[0]).rpartition("/")[2]),
        gaps=gaps,
        withheld=some(rows, "example row") if rows else None,
        notes=[f"It describes {len(files)} files or sets of files and {fields} fields. No address in it was opened."],
    )


def _columns(sets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Describe every field of every record set, by the set's name and its own, once each."""
    told: set[str] = set()
    for one in sets:
        for field in listing(one.get("field") or [], "field"):
            said = mapping(field, "a field")
            prefix, own = _name(one), str(said.get("name") or said.get("@id") or "unnamed")
            name = word(own if own.startswith(f"{prefix}/") else f"{prefix}/{own}")
            if name and name not in told:
                told.add(name)
                types = said.get("dataType") or "not said"
                kinds = [str(each).rpartition(":")[2] for each in (types if isinstance(types, list) else [types])]
                note = clip(str(said.get("description") or ""), 20_000)
                yield {"name": name, "type": word(", ".join(kinds)) or "not said", **present({"note": note})}


def _version(text: str | None) -> str | None:
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", text or "").lstrip("._+-")
    return plain[:100] or None


def _name(file: Mapping[str, Any]) -> str:
    return word(file.get("name") or file.get("@id")) or "a file"


def _digested(file: Mapping[str, Any]) -> bool:
    return bool(_DIGEST.fullmatch(str(file.get("sha256", ""))) or _MD5.fullmatch(str(file.get("md5", ""))))


def _claims(objects: list[dict[str, Any]]) -> Iterator[str]:
    for file in objects[:_MOST]:
        if _DIGEST.fullmatch(str(file.get("sha256", ""))):
            yield f"{_name(file)}: SHA-256 {str(file['sha256']).lower()} as claimed; nobody here computed it."
    if len(objects) > _MOST:
        yield f"{len(objects) - _MOST} further files are named only in the original."


def _responsible(rai: Mapping[str, Any]) -> Iterator[str]:
    """Return what the file says on responsible use, field by field."""
    for key, value in rai.items():
        text = value if isinstance(value, str) else as_json(value)
        if text and not key.endswith("dataLimitations"):
            yield clip(f"{re.split('[:/]', key)[-1]}: {text}", 20_000)


def _texts(rai: Mapping[str, Any], name: str) -> list[str]:
    found: Any = next((value for key, value in rai.items() if key.endswith(name)), [])
    return [clip(str(one), 20_000) for one in (found if isinstance(found, list) else [found]) if one]


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"mlcommons.org/croissant/1.", b'"conformsTo"'),))
