"""Logging a model: its bytes digested, signed as OpenSSF Model Signing has it, and what its files say put on record.

A file's word goes first: what the author says stands where the files are silent, and is refused where it contradicts
them. Where two files contradict each other neither is taken, unless the author says which holds; a remark keeps both.
"""

import heapq
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from compliance.core import oms, packages
from compliance.core.evidence import Basis
from compliance.errors import Conflict, InvalidInput, Unavailable
from compliance.kinds.model_version import ModelVersion
from compliance.services import record
from compliance.storage import digest_cache, digests, weights
from compliance.storage.weights import papers

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace
    from compliance.storage.keys import Signer
    from compliance.storage.weights.facts import Facts

MOST_FILES = 200
"""Files of weights that are listed one by one; `model.sig` names all of them in any case."""
MOST_FACTS = 5_000
"""Files that are opened to see whether they are weights."""
_COMPARED = (
    "artefacts", "weights_format", "weights_precision", "parameters", "licence", "context_length", "vocabulary",
    "inputs", "outputs",
)  # fmt: skip
"""Fields with one right answer; in the others author and file may both be right in words of their own."""
_MOST_TEXT = 2_000
_PRECISION = re.compile(r"(bf|fp|f|float|bfloat|int|uint|i|u)[ _]?(\d{1,2})(?!\d)")

Said = tuple[str, Any]
"""A file, and the value that it gives."""
Tell = Callable[[str], None]
"""What hears a line for the reader."""


def _silent(_: str) -> None:
    """For whoever does not listen."""


def log_model(
    ws: "Workspace",
    path: Path,
    *,
    name: str,
    version: str,
    key: str | None = None,
    cache: bool = True,
    tell: Tell = _silent,
    **fields: Any,
) -> "list[Logged]":
    """Digest a model file or folder and log it as `model-version`; `fields` are the kind's own.

    With `cache`, a large file that was digested before and has not been touched since is not read again, and `tell`
    hears of it. Its OpenSSF Model Signing signature travels as the attachment `model.sig`.
    """
    path = path.absolute()
    authored = {"kind": "model-version", "name": name, "version": version, "title": f"{name} {version}", **fields}
    whole = described(ws, path, authored, ws.signer(key), cache=cache, tell=tell)
    return record.log(ws, [whole], how="log", base=path.parent, key=key)


def described(
    ws: "Workspace",
    path: Path,
    authored: Mapping[str, Any],
    signer: "Signer",
    *,
    cache: bool = True,
    tell: Tell = _silent,
) -> dict[str, Any]:
    """Return a model-version record with digest, signature and the facts of the files at `path`."""
    known = digest_cache.DigestCache(ws.root / digest_cache.FILE, signer) if cache else None
    facts = dict(_read(path))
    touched = {name: _touched(path, name) for name in facts}
    if _is_folder(path):
        files = digests.folder_manifest(path, known)
        sha256, basis = oms.root(files), Basis.FOLDER
    else:
        sha256, basis = digests.subject_digest(path, known)
        files = [(oms.FILE, sha256)]
    if any(_touched(path, name) != before for name, before in touched.items()):
        raise Unavailable(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
    if known is not None:
        known.save()
    if known is not None and known.known_files:
        tell(f"Not read again, untouched since they were digested: {len(known.known_files)} of {len(files)} files.")
    whole = dict(files) if basis is Basis.FOLDER else {path.name: sha256}
    given = _with_facts(dict(authored), facts, whole)
    attachments = [*(given.get("attachments") or []), *record.model_signature(path.name, files, signer)]
    return given | {"sha256": sha256, "basis": basis.value} | ({"attachments": attachments} if attachments else {})


def _read(path: Path) -> "Iterator[tuple[str, Facts]]":
    """Yield each file that says something of the model, by its name below `path`."""
    if not _is_folder(path):
        if (facts := weights.read(path, path.name)) is not None:
            yield path.name, facts
        return
    largest = heapq.nlargest(MOST_FACTS, digests.files(path), key=lambda file: file[1])
    for name in sorted({*papers.NAMES, *(name for name, _ in largest)}):
        facts = papers.read(path / name, name) or weights.read(path / name, name)
        if facts is not None:
            yield name, facts


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _touched(path: Path, name: str) -> tuple[int, int]:
    try:
        status = (path / name if _is_folder(path) else path).stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_ctime_ns


def _with_facts(given: dict[str, Any], facts: "Mapping[str, Facts]", files: Mapping[str, str]) -> dict[str, Any]:
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


@lru_cache
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
