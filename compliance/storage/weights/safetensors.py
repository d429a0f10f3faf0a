"""safetensors: a length, a JSON header, and the bytes of the tensors. Format: huggingface/safetensors, README.

Refused, as the format's own reader does: a header longer than the file or its limit, a name given twice, tensors that
overlap, leave a hole, or are not as long as their type and shape say.
"""

import math
from collections import Counter
from typing import Any, BinaryIO

from compliance.storage.weights.facts import (
    MAX_HEADER,
    MAX_RANK,
    Cursor,
    Facts,
    Malformed,
    counted,
    json_object,
    ranges_apart,
    shown,
)

FORMAT = "safetensors"
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "I32": 32, "U32": 32, "I64": 64, "U64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
}  # fmt: skip
WHOLE = ("BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64")


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a safetensors file; of one named otherwise only if it is whole."""
    try:
        return _read(file, size)
    except Malformed:
        if name.endswith(".safetensors"):
            raise
        return None


def _read(file: BinaryIO, size: int) -> Facts:
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if len(start) < 9 or start[8:] != b"{":
        raise Malformed("it does not begin with a length and a header, as safetensors does")
    if not 2 <= length <= min(size - 8, MAX_HEADER):
        raise Malformed(f"its header claims {length} bytes of the file's {size}")
    file.seek(8)
    header = json_object(Cursor(file, length).take(length), "its header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Malformed("the metadata in its header are not texts")
    elements: Counter[str] = Counter()
    ranges = []
    for tensor, told in header.items():
        begin, end, dtype, count = _tensor(tensor, told)
        elements[dtype] += count
        ranges.append((begin, end, tensor))
    ranges_apart(ranges, size - 8 - length, whole=True)
    parameters, remarks = counted(elements, WHOLE)
    return Facts(FORMAT, elements, len(header), parameters, runs_code=False, remarks=remarks)


def _tensor(name: str, told: Any) -> tuple[int, int, str, int]:
    try:
        dtype, shape, (begin, end) = told["dtype"], told["shape"], told["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise Malformed(f"the tensor {shown(name)} lacks type, shape or place") from None
    numbers = [begin, end, *shape] if isinstance(shape, list) and len(shape) <= MAX_RANK else [None]
    if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
        raise Malformed(f"the tensor {shown(name)} has an impossible shape or place")
    if dtype not in BITS:
        raise Malformed(f"the tensor {shown(name)} has the type {shown(str(dtype))}, which is none of the format's")
    count = math.prod(shape)
    if count * BITS[dtype] != (end - begin) * 8:
        raise Malformed(f"the tensor {shown(name)} takes {end - begin} bytes, which its type and shape do not")
    return begin, end, dtype, count
