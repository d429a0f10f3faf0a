"""What the files of a model say, put into its record beside what the author says.

A file's word goes first: what the author says stands where the files are silent, and is refused where it contradicts
them. Where two files contradict each other neither is taken, unless the author says which holds; a remark keeps both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from compliance.core import packages
from compliance.errors import Conflict, InvalidInput
from compliance.kinds.model_version import ModelVersion

if TYPE_CHECKING:
    from compliance.storage.weights.facts import Facts

MOST_FILES = 200
"""Files of weights that are listed one by one; `model.sig` names all of them in any case."""
_COMPARED = (
    "artefacts", "weights_format", "weights_precision", "parameters", "licence", "context_length", "vocabulary",
    "inputs", "outputs",
)  # fmt: skip
"""Fields with one right answer; in the others author and file may both be right in words of their own."""
_MOST_TEXT = 2_000
_PRECISION = re.compile(r"(bf|fp|f|float|bfloat|int|uint|i|u)[ _]?(\d{1,2})(?!\d)")

Said = tuple[str, Any]
"""A file, and the value that it gives."""


def with_facts(authored: Mapping[str, Any], facts: "Mapping[str, Facts]", files: Mapping[str, str]) -> dict[str, Any]:
    """Return a model-version record with what its files say; `files` are all of them, with their digests.

    Raises Conflict for an author who says otherwise, InvalidInput for a model of which a part is missing.
    """
    given = dict(authored)
    for name, found in facts.items():
        if missing := [needed for needed in found.needs if _beside(name, needed) not in files]:
            raise InvalidInput(
                f"{name} needs {missing[0]}, which is not there{_more(missing)}.",
                remedy="Put every file of the model into the folder; half a model is no version of it.",
            )
    said: dict[str, list[Said]] = {}
    remarks = [remark[:_MOST_TEXT] for found in facts.values() for remark in found.remarks]
    for name, found in facts.items():
        for field, value in found.fields.items():
            if _holds(field, value):
                said.setdefault(field, []).append((name, value))
            else:
                remarks.append(f"{name} gives something as {field} that a record cannot hold.")
    tensors = {name: found for name, found in facts.items() if found.format}
    environments = [value for _, value in said.pop("environment", [])]
    for field, values in [*said.items(), *_counted(tensors, facts, len(files))]:
        remarks += _settle(given, field, values)
    _environment(given, environments)
    _bases(given, facts)
    if tensors:
        given["files"] = _files(given.get("files") or [], tensors, files)
    if remarks:
        given["remarks"] = [*(given.get("remarks") or []), *dict.fromkeys(remarks)]
    return given


@cache
def _adapter(field: str) -> TypeAdapter[Any]:
    kept: Any = ModelVersion.model_fields[field].annotation
    return TypeAdapter(kept)


def _holds(field: str, value: Any) -> bool:
    """Say whether a record's field can hold what a file, which is anybody's, gives for it."""
    try:
        _adapter(field).validate_python(value)
    except ValidationError:
        return False
    return True


def _counted(
    tensors: "Mapping[str, Facts]", facts: "Mapping[str, Facts]", files: int
) -> Iterator[tuple[str, list[Said]]]:
    """Yield the fields that follow from all weights together."""
    where = ", ".join(tensors) if len(tensors) <= 3 else f"{len(tensors)} files"
    if not tensors:
        return
    yield "artefacts", [("the folder", files)]
    yield "weights_format", [(where, ", ".join(sorted({found.format for found in tensors.values()})))]
    sharded = {needed for found in facts.values() if not found.format for needed in found.needs}
    one_model = list(tensors.values()) if len(tensors) == 1 or set(tensors) == sharded else []
    elements: dict[str, int] = {}
    for found in one_model:
        for dtype, count in found.elements.items():
            elements[dtype] = elements.get(dtype, 0) + count
    if elements:
        yield "weights_precision", [(where, ", ".join(sorted(elements, key=lambda dtype: -elements[dtype]))[:200])]
    totals = [found.parameters for found in one_model]
    if totals and None not in totals:
        yield "parameters", [(where, {"total": sum(total or 0 for total in totals)})]


def _settle(given: dict[str, Any], field: str, said: Sequence[Said]) -> list[str]:
    """Put a field on record as the files say it, or leave it as the author does; return what a reader must know."""
    distinct = {_plain(field, value): (name, value) for name, value in said}
    told = "; ".join(f"{name} says {_shown(value)}" for name, value in distinct.values())
    if field not in given or given[field] is None:
        if len(distinct) == 1:
            given[field] = said[0][1]
            return []
        return [f"{field} is left open: {told}."]
    author = given[field]
    agreeing = [value for _, value in distinct.values() if _agree(field, author, value)]
    if field in _COMPARED and not agreeing:
        raise Conflict(
            f"{field} is {_shown(author)} as you say it, but {told}.",
            remedy="Leave it out, and the file's word is taken; or mend the file, if it is wrong.",
        )
    if len(agreeing) == len(distinct) or isinstance(author, list):
        return []
    return [f"{field}, as the files have it: {told}."]


def _agree(field: str, author: Any, value: Any) -> bool:
    if field in ("inputs", "outputs"):
        tensors = any("[" in column["type"] for column in value)  # their names are the program's, not the data's
        return tensors or _names(author) == _names(value)
    if field == "parameters":
        return not isinstance(author, Mapping) or author.get("total") == value["total"]
    if field == "weights_format":
        return set(re.findall(r"\w+", str(value).casefold())) <= set(re.findall(r"\w+", str(author).casefold()))
    if field == "weights_precision":
        return _precisions(str(author)) <= _precisions(str(value))
    return _plain(field, author) == _plain(field, value)


def _precisions(text: str) -> set[str]:
    """Return the kinds of numbers that a text speaks of, in one spelling: `float16` and `FP16` are F16."""
    short = {"fp": "f", "float": "f", "bfloat": "bf", "int": "i", "uint": "u"}
    return {short.get(kind, kind) + bits for kind, bits in _PRECISION.findall(text.casefold())}


def _plain(field: str, value: Any) -> str:
    text = re.sub(r"\s+", " ", str(value)).strip().casefold()
    if field == "licence":  # `Apache License, Version 2.0` is apache-2.0
        return re.sub(r"licen[cs]e|version|[^a-z0-9]", "", text)
    return text


def _environment(given: dict[str, Any], environments: Sequence[Mapping[str, Any]]) -> None:
    """Add what the environment files pin to what the author says, refusing two versions of one package."""
    if not environments:
        return
    author: dict[str, Any] = dict(given.get("environment") or {})
    listed = {packages.Package(one["name"]).key: one for one in author.get("packages") or []}
    for told in environments:
        for one in told.get("packages", ()):
            known = listed.setdefault(packages.Package(one["name"]).key, one)
            if known["version"] != one["version"]:
                raise Conflict(
                    f"The environment has {one['name']} {known['version']} and {one['version']}: two versions of one "
                    "package.",
                    remedy="Mend the file or the record that is wrong, so that one version is left.",
                )
        if "python" in told and author.setdefault("python", told["python"]) != told["python"]:
            raise Conflict(
                f"The environment has Python {author['python']} and {told['python']}.",
                remedy="Mend the file or the record that is wrong, so that one version is left.",
            )
    given["environment"] = author | ({"packages": list(listed.values())} if listed else {})


def _bases(given: dict[str, Any], facts: "Mapping[str, Facts]") -> None:
    """Name the base models that the files name as components, linked to the record where the author names it."""
    components = list(given.get("components") or [])
    named = {component.get("name") for component in components}
    linked = given.get("base_model")
    for name, found in facts.items():
        for base in found.base_models:
            if base in named:
                continue
            named.add(base)
            component = {"name": base[:200], "source": name, "how_used": f"Base model, as {name} says"}
            same = isinstance(linked, str) and linked.partition("@")[0].casefold() == base.rpartition("/")[2].casefold()
            components.append(component | ({"model": linked} if same else {}))
    if components:
        given["components"] = components


def _files(
    author: Sequence[Mapping[str, Any]], tensors: "Mapping[str, Facts]", files: Mapping[str, str]
) -> list[dict[str, Any]]:
    listed = {str(one.get("name")): dict(one) for one in author}
    for name, found in list(tensors.items())[:MOST_FILES]:
        own = listed.setdefault(name[-200:], {"name": name[-200:]})
        if own.setdefault("sha256", files[name]) != files[name]:
            raise Conflict(
                f"{name} has the digest {files[name]}, not {own['sha256']} as you say it.",
                remedy="Fetch the file again, or mend the record.",
            )
        told = {"format": found.format, "tensors": found.tensors, "runs_code": found.runs_code}
        own |= {field: value for field, value in told.items() if value is not None}
        if found.imports:
            own["imports"] = list(found.imports)
    return list(listed.values())


def _names(columns: Sequence[Mapping[str, Any]]) -> set[Any]:
    return {column.get("name") for column in columns}


def _beside(name: str, needed: str) -> str:
    folder = name.rpartition("/")[0]
    return f"{folder}/{needed}" if folder else needed


def _more(missing: Sequence[str]) -> str:
    return f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("total", value)
    if isinstance(value, list):
        value = ", ".join(str(one.get("name", one) if isinstance(one, Mapping) else one) for one in value)
    text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"
