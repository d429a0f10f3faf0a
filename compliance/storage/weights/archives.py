"""Formats that are zip files: PyTorch's (a pickle and raw tensors), TorchScript, skops, Keras 3, NumPy's .npz; HDF5.

Only the list of members and small members are read, under the limits of the design's section 11.9.
"""

import zipfile
from collections import Counter
from typing import Any, BinaryIO, cast

from compliance.storage.weights import numpys, pickles
from compliance.storage.weights.facts import Facts, Malformed, json_object

MAX_MEMBERS = 10_000
MAX_MEMBER = 16 << 20
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CODE_IN_KERAS = ("Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
"""Layers whose configuration holds or loads code (Keras 3, `safe_mode`)."""


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a model that is a zip file, or HDF5."""
    start = file.read(8)
    if start == _HDF5:
        return Facts("HDF5", remarks=[f"{name} is HDF5; what stands in it was not looked into."])
    if start[:4] not in (b"PK\x03\x04", b"PK\x05\x06"):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                return Facts("zip", remarks=[f"{name} has {len(members)} members and was not looked into."])
            return _read(archive, [member.filename for member in members], name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(f"it begins as a zip file and is none ({error})") from None


def _read(archive: zipfile.ZipFile, members: list[str], name: str) -> Facts | None:
    if len(set(members)) != len(members):
        raise Malformed("two of its members have the same name")
    if {"config.json", "metadata.json"} <= set(members):
        return _keras(_json(archive, "config.json"), _json(archive, "metadata.json"), name)
    if picklings := [member for member in members if member.rpartition("/")[2] in ("data.pkl", "constants.pkl")]:
        script = any("/code/" in f"/{member}" for member in members)
        names: dict[str, None] = {}
        whole = True
        for member in picklings:
            with archive.open(member) as stream:
                imports, end = pickles.imported(cast(BinaryIO, stream))
            names.update(dict.fromkeys(imports))
            whole = whole and end
        return pickles.facts("TorchScript" if script else "PyTorch pickle", name, list(names), whole)
    if "schema.json" in members:
        return _skops(_json(archive, "schema.json"))
    if members and all(member.endswith(".npy") for member in members):
        return _arrays(archive, members, name)
    return None


def _json(archive: zipfile.ZipFile, member: str) -> dict[str, Any]:
    if archive.getinfo(member).file_size > MAX_MEMBER:
        raise Malformed(f"{member} in it is larger than {MAX_MEMBER >> 20} MB")
    with archive.open(member) as stream:
        return json_object(stream.read(MAX_MEMBER), member)


def _keras(config: dict[str, Any], metadata: dict[str, Any], name: str) -> Facts:
    risky = sorted(_classes(config) & set(_CODE_IN_KERAS))
    remarks = [f"{name} holds layers that bring code of their own: {', '.join(risky)}."] if risky else []
    version = metadata.get("keras_version")
    fields = {"framework": f"Keras {version}"[:200]} if isinstance(version, str) else {}
    return Facts("Keras", fields=fields, runs_code=bool(risky), remarks=remarks)


def _skops(schema: dict[str, Any]) -> Facts | None:
    """Return the facts of a skops file: its schema names every type, and its loader asks before it takes a new one."""
    if "_skops_version" not in schema:
        return None
    types = sorted(_types(schema))
    return Facts("skops", imports=types[: pickles.MOST_NAMES])


def _types(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = (
            {f"{value['__module__']}.{value['__class__']}"[:200]} if {"__module__", "__class__"} <= value.keys() else ()
        )
        return set(own).union(*(_types(inner) for inner in value.values()))
    if isinstance(value, list):
        return set[str]().union(*(_types(inner) for inner in value))
    return set()


def _classes(value: Any) -> set[str]:
    """Return every class that a configuration names. Its depth is limited by the reader of JSON."""
    if isinstance(value, dict):
        own = {value["class_name"]} if isinstance(value.get("class_name"), str) else set()
        return own.union(*(_classes(inner) for inner in value.values()))
    if isinstance(value, list):
        return set[str]().union(*(_classes(inner) for inner in value))
    return set()


def _arrays(archive: zipfile.ZipFile, members: list[str], name: str) -> Facts:
    elements: Counter[str] = Counter()
    for member in members:
        with archive.open(member) as stream:
            facts = numpys.read(cast(BinaryIO, stream), name, archive.getinfo(member).file_size)
        if facts is None or facts.runs_code:
            return facts or Facts("zip")
        elements.update(facts.elements)
    return Facts("NumPy", elements, len(members), runs_code=False)
