"""NumPy's .npy: shape and type of one array. An array of objects is a pickle. Format: NEP 1, versions 1 to 3."""

import ast
import math
import re
from typing import BinaryIO

from compliance.storage.weights import pickles
from compliance.storage.weights.facts import MAX_RANK, Cursor, Facts, Malformed, counted

MAGIC = b"\x93NUMPY"
_MAX_HEADER = 10_000
"""What NumPy itself takes."""


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a .npy file."""
    if file.read(6) != MAGIC:
        return None
    cursor = Cursor(file, min(size - 6, _MAX_HEADER + 6))
    major, _ = cursor.take(2)
    length = cursor.number("H" if major == 1 else "I")
    try:
        told = ast.literal_eval(cursor.take(length).decode("latin-1").strip())
        kind, shape = str(told["descr"]), tuple(told["shape"])
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        raise Malformed("its header is not the description of an array") from None
    if "O" in kind:
        return pickles.facts("NumPy pickle", name, *pickles.imported(file))
    numbers = all(type(part) is int and 0 <= part < 1 << 63 for part in shape) and len(shape) <= MAX_RANK
    if not numbers or (count := math.prod(shape)) > size * 8:
        raise Malformed("its header gives an impossible shape")
    dtype = _named(kind)
    parameters, remarks = counted({dtype: count}, [] if dtype[0] in "FC" else [dtype])
    return Facts("NumPy", {dtype: count}, 1, parameters, runs_code=False, remarks=remarks)


def _named(kind: str) -> str:
    """Return NumPy's `<f4` as the other formats name it: F32."""
    plain = re.fullmatch(r"[<>|=]([fiuc])(\d{1,2})", kind)
    return f"{plain[1].upper()}{int(plain[2]) * 8}" if plain else f"type {ascii(kind)[:100]}"
