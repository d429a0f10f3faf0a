"""GGUF, versions 2 and 3: counts, keys with values, places of tensors. Format: ggml-org/ggml, the GGUF page.

Refused: counts and lengths beyond the header's limit, a key or tensor given twice, arrays inside arrays, tensors that
overlap or lie outside the file.
"""

from collections import Counter
from typing import Any, BinaryIO

from compliance.storage.weights.facts import MAX_HEADER, Cursor, Facts, Malformed, counted, ranges_apart, shown

FORMAT = "GGUF"
MAGIC = b"GGUF"
TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
"""Type of a tensor: its name, and how many numbers take how many bytes (gguf 0.19, GGML_QUANT_SIZES)."""
WHOLE = ("I8", "I16", "I32", "I64")
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_WIDTH = {"B": 1, "b": 1, "?": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "Q": 8, "q": 8, "d": 8}
_MAX_TEXT = 1 << 16
"""Longer values (chat templates) are passed over."""
_MAX_DIMENSIONS = 4
_MOST = 1 << 18
"""Keys, or tensors: many times what the largest model has."""


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a GGUF file."""
    if file.read(4) != MAGIC:
        if name.endswith(".gguf"):
            raise Malformed("it does not begin as GGUF does")
        return None
    cursor = Cursor(file, min(size - 4, MAX_HEADER))
    version = cursor.number("I")
    if version not in (2, 3):
        return Facts(FORMAT, remarks=[f"{name}: this version of GGUF, or its byte order, is not read here."])
    tensors, keys = cursor.number("Q"), cursor.number("Q")
    if max(tensors, keys) > _MOST:
        raise Malformed(f"it claims {max(tensors, keys)} keys or tensors")
    told = _keys(cursor, keys)
    elements, ranges = _tensors(cursor, tensors)
    alignment = told.get("general.alignment", 32)
    if type(alignment) is not int or alignment <= 0:
        raise Malformed("its alignment is no number of bytes")
    begin = -(-file.tell() // alignment) * alignment
    ranges_apart(ranges, max(size - begin, 0))
    parameters, remarks = counted(elements, WHOLE)
    bases = [told.get(f"general.base_model.{index}.{part}") for index in range(16) for part in ("repo_url", "name")]
    return Facts(
        FORMAT,
        elements,
        tensors,
        parameters,
        fields=_fields(told),
        base_models=[str(base) for repo, title in zip(bases[::2], bases[1::2], strict=True) if (base := repo or title)],
        runs_code=False,
        remarks=remarks,
    )


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    architecture = told.get("general.architecture")
    fields = {
        "architecture": architecture,
        "licence": told.get("general.license"),
        "languages": told.get("general.languages"),
        "context_length": told.get(f"{architecture}.context_length"),
        "vocabulary": told.get(f"{architecture}.vocab_size"),
    }
    return {field: value for field, value in fields.items() if value}


def _keys(cursor: Cursor, count: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for _ in range(count):
        key = _text(cursor)
        if key in told or key is None:
            raise Malformed(f"it gives the key {shown(str(key))} twice, or one of impossible length")
        told[key] = _value(cursor, cursor.number("I"))
    return told


def _value(cursor: Cursor, kind: int) -> Any:
    if kind == _STRING:
        return _text(cursor)
    if kind in _SCALARS:
        return cursor.number(_SCALARS[kind])
    if kind != _ARRAY:
        raise Malformed(f"a value has the type {kind}, which is none of the format's")
    inner, count = cursor.number("I"), cursor.number("Q")
    if inner in _SCALARS:
        cursor.skip(count * _WIDTH[_SCALARS[inner]])
        return None
    if inner != _STRING:
        raise Malformed("an array holds what none may hold")
    if count > _MAX_TEXT:  # a vocabulary
        for _ in range(count):
            cursor.skip(cursor.number("Q"))
        return None
    return [_text(cursor) for _ in range(count)]


def _text(cursor: Cursor) -> str | None:
    length = cursor.number("Q")
    if length > _MAX_TEXT:
        cursor.skip(length)
        return None
    return bytes(cursor.take(length)).decode("utf-8", "replace")


def _tensors(cursor: Cursor, count: int) -> tuple[Counter[str], list[tuple[int, int, str]]]:
    elements: Counter[str] = Counter()
    ranges: list[tuple[int, int, str]] = []
    seen: set[str] = set()
    for _ in range(count):
        name = _text(cursor)
        if name in seen or name is None:
            raise Malformed(f"it names the tensor {shown(str(name))} twice, or one of impossible length")
        seen.add(name)
        dimensions = cursor.number("I")
        if dimensions > _MAX_DIMENSIONS:
            raise Malformed(f"the tensor {shown(name)} has {dimensions} dimensions")
        numbers = 1
        for _ in range(dimensions):
            numbers *= cursor.number("Q")
        kind, begin = cursor.number("I"), cursor.number("Q")
        dtype, block, width = TYPES.get(kind, (f"type {kind}", 1, 0))
        elements[dtype] += numbers
        ranges.append((begin, begin + -(-numbers // block) * width, name))
    return elements, ranges
