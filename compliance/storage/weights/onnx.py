"""ONNX: producer, operator sets, inputs and outputs, and how many numbers the initializers hold.

A protobuf message without a sign of its own, so it is known by its name and by a field that every model has. Format:
onnx/onnx, onnx.proto (IR versions 3 to 13). Refused: external data that reaches out of the model's folder.
"""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from compliance.storage.weights.facts import MAX_RANK, Facts, Malformed, counted, shown
from compliance.storage.weights.protobuf import Message

FORMAT = "ONNX"
TYPES = {
    1: "FLOAT", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "STRING", 9: "BOOL",
    10: "FLOAT16", 11: "DOUBLE", 12: "UINT32", 13: "UINT64", 14: "COMPLEX64", 15: "COMPLEX128", 16: "BFLOAT16",
    17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ", 19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ", 21: "UINT4", 22: "INT4",
    23: "FLOAT4E2M1", 24: "FLOAT8E8M0", 25: "UINT2", 26: "INT2",
}  # fmt: skip
PRECISION = {"FLOAT": "F32", "DOUBLE": "F64", "FLOAT16": "F16", "BFLOAT16": "BF16"}
"""What other formats call them."""
WHOLE = tuple(name for name in TYPES.values() if "INT" in name or name in ("STRING", "BOOL"))
_OWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")
_MOST_COLUMNS = 1_000


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of an ONNX model."""
    if not name.endswith(".onnx"):
        return None
    model: dict[int, Any] = {}
    sets: list[tuple[str, int]] = []
    graph: Message | None = None
    for number, value in Message.whole(file, size):
        if number == 7 and isinstance(value, Message):
            graph = value
        elif number == 8 and isinstance(value, Message):
            sets.append(_operators(value))
        else:
            model[number] = value
    if graph is None or not isinstance(model.get(1), int):
        raise Malformed("it holds no graph, as every ONNX model does")
    elements, needs, columns = _graph(graph)
    if not needs and sum(elements.values()) > 4 * size:  # the smallest number takes two bits
        raise Malformed("its tensors claim more numbers than the file has room for")
    parameters, remarks = counted(elements, WHOLE)
    foreign = sorted({domain for domain, _ in sets if domain not in _OWN_DOMAINS})
    if foreign:
        named = ", ".join(map(shown, foreign))
        remarks.append(f"{name} needs operators that ONNX does not define ({named}): code beside the model runs them.")
    producer = " ".join(said.text() for number in (2, 3) if isinstance(said := model.get(number), Message))
    operators = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(sets))
    framework = f"ONNX IR {model[1]}, operators {operators}" + (f", written by {producer.strip()}" if producer else "")
    return Facts(
        FORMAT,
        elements,
        sum(1 for _ in _initializers(graph)),
        parameters,
        fields={"framework": framework[:200], **columns},
        runs_code=None if foreign else False,
        needs=needs,
        remarks=remarks,
    )


def _operators(message: Message) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in message:
        if number == 1 and isinstance(value, Message):
            domain = value.text()
        elif number == 2 and isinstance(value, int):
            version = value
    return domain, version


def _graph(graph: Message) -> tuple[Counter[str], list[str], dict[str, Any]]:
    elements: Counter[str] = Counter()
    needs: set[str] = set()
    held: set[str] = set()
    for tensor in _initializers(graph):
        name, dtype, count, place = _tensor(tensor)
        elements[dtype] += count
        held.add(name)
        needs |= {place} if place else set()
    columns: dict[str, list[dict[str, Any]]] = {"inputs": [], "outputs": []}
    for number, value in graph:
        if number in (11, 12) and isinstance(value, Message):
            column = _column(value)
            side = columns["inputs" if number == 11 else "outputs"]
            if column["name"] not in held and len(side) < _MOST_COLUMNS:  # before IR 4 every initializer is an input
                side.append(column)
    return elements, sorted(needs), {side: found for side, found in columns.items() if found}


def _initializers(graph: Message) -> Iterator[Message]:
    for number, value in graph:
        if number == 5 and isinstance(value, Message):
            yield value


def _tensor(tensor: Message) -> tuple[str, str, int, str | None]:
    """Return name, type, number of elements and, where its data are in another file, that file."""
    name, kind, dimensions, place, external = "", 0, list[int](), None, False
    for number, value in tensor:
        if number == 1:
            dimensions += value.numbers() if isinstance(value, Message) else [value]
            if len(dimensions) > MAX_RANK:
                raise Malformed("a tensor has too many dimensions")
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, Message):
            name = value.text()
        elif number == 13 and isinstance(value, Message):
            place = _location(value) or place
        elif number == 14:
            external = value == 1
    if any(dimension >= 1 << 63 for dimension in dimensions):
        raise Malformed(f"the tensor {shown(name)} has an impossible shape")
    if external:
        _inside(place)
    dtype = TYPES.get(kind, f"type {kind}")
    return name, PRECISION.get(dtype, dtype), math.prod(dimensions), place if external else None


def _location(entry: Message) -> str | None:
    texts = {number: value.text() for number, value in entry if isinstance(value, Message)}
    return texts.get(2) if texts.get(1) == "location" else None


def _inside(place: str | None) -> None:
    path = PurePosixPath(place or "/")
    if path.is_absolute() or ".." in path.parts or "\\" in (place or ""):
        raise Malformed(f"its weights are said to be at {shown(place or '')}, outside the model's folder")


def _column(value_info: Message) -> dict[str, Any]:
    name, kind = "", "tensor"
    for number, value in value_info:
        if number == 1 and isinstance(value, Message):
            name = value.text()
        elif number == 2 and isinstance(value, Message):
            kind = _type(value)
    return {"name": name[:200] or "unnamed", "type": kind[:200]}


def _type(message: Message) -> str:
    for number, value in message:
        if number == 1 and isinstance(value, Message):
            dtype, shape = "", ""
            for inner, told in value:
                if inner == 1 and isinstance(told, int):
                    dtype = TYPES.get(told, f"type {told}")
                elif inner == 2 and isinstance(told, Message):
                    shape = f"[{', '.join(_dimensions(told))}]"
            return f"{dtype}{shape}"
    return "sequence, map or optional"


def _dimensions(shape: Message) -> Iterator[str]:
    for number, dimension in shape:
        if number == 1 and isinstance(dimension, Message):
            said = [str(told) if isinstance(told, int) else told.text() for part, told in dimension if part in (1, 2)]
            yield said[0] if said else "?"
