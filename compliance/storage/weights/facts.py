"""What one file says of itself, and the small tools with which headers are read."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from compliance.core.reading import MAX_INTEGER, read_foreign
from compliance.errors import InvalidInput

MAX_HEADER = 64 << 20
"""Bytes of header that are read at most: the largest known, with a vocabulary in it, takes 20 MB."""
MAX_RANK = 64


class Malformed(ValueError):
    """The file breaks the rules of its format; the text says how."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file says of itself."""

    format: str
    elements: Mapping[str, int] = field(default_factory=dict)
    """How many numbers there are of each type of tensor."""
    tensors: int | None = None
    parameters: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `model-version`, in its own shape."""
    base_models: Sequence[str] = ()
    """Published names of the models that this one was made from."""
    runs_code: bool | None = None
    """Whether loading the file can run code that stands in it; None where that was not looked into."""
    imports: Sequence[str] = ()
    """What loading it would import, as far as its bytes say."""
    needs: Sequence[str] = ()
    """Other files of the model without which it is not whole."""
    remarks: Sequence[str] = ()


def counted(elements: Mapping[str, int], whole: Iterable[str]) -> tuple[int | None, list[str]]:
    """Return the number of parameters and a remark where it cannot be told.

    `whole` are the types that hold no fractions. Some such numbers are tables and positions; where they are many, they
    are weights packed several into one, and how many only the quantizer knows.
    """
    packed = sum(elements.get(dtype, 0) for dtype in whole)
    parameters = sum(elements.values()) - packed
    if parameters > MAX_INTEGER:
        raise Malformed("its tensors claim more numbers than any model has")
    if packed * 100 <= parameters:
        return parameters, []
    return None, [f"{packed} numbers are stored as integers: how many parameters they stand for is not in the file."]


class Cursor:
    """Reads little-endian values one after the other, never further than a limit."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._left = file, limit

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes. Raises Malformed beyond the limit or the end."""
        if count > self._left:
            raise Malformed("its header does not end where it must")
        data = self._file.read(count)
        if len(data) != count:
            raise Malformed("it is cut off in the middle of its header")
        self._left -= count
        return data

    def skip(self, count: int) -> None:
        """Pass over `count` bytes without reading them."""
        if count > self._left:
            raise Malformed("its header does not end where it must")
        self._file.seek(count, 1)
        self._left -= count

    def number(self, code: str) -> Any:
        """Return one number, by its code in `struct`."""
        return struct.unpack("<" + code, self.take(struct.calcsize(code)))[0]


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object, no name given twice. Raises Malformed."""
    try:
        value = read_foreign(data, what)
    except InvalidInput as error:
        raise Malformed(error.problem.rstrip(".")) from None
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object")
    return value


def ranges_apart(ranges: list[tuple[int, int, str]], size: int, *, whole: bool = False) -> None:
    """Check that ranges of bytes (begin, end, name) lie within `size` and apart; with `whole`, that they fill it."""
    at = 0
    for begin, end, name in sorted(ranges):
        if not 0 <= begin <= end <= size:
            raise Malformed(f"the tensor {shown(name)} lies outside the file")
        if begin < at:
            raise Malformed(f"the tensor {shown(name)} overlaps the one before it")
        if whole and begin != at:
            raise Malformed(f"{begin - at} bytes before the tensor {shown(name)} belong to none")
        at = end
    if whole and at != size:
        raise Malformed(f"{size - at} bytes at its end belong to no tensor")


def shown(name: str) -> str:
    """Return a name from a file as a message may show it."""
    return ascii(name[:80])
