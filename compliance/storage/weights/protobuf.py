"""Just enough of protobuf's wire format to walk a large message and look at a few of its fields.

A model's weights stand inside the message: they are stepped over, never read, which a parser that builds objects could
not do. Format: protobuf.dev, "Encoding". Refused: lengths beyond the message, numbers without end, groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from compliance.storage.weights.facts import Malformed

MAX_FIELDS = 5_000_000
"""In one file: more than any model known has, and still only seconds."""
MAX_TEXT = 1 << 16


@dataclass(slots=True)
class _Count:
    fields: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message in a file: where it begins and ends."""

    file: BinaryIO
    begin: int
    end: int
    count: _Count

    @classmethod
    def whole(cls, file: BinaryIO, size: int) -> "Message":
        return cls(file, 0, size, _Count())

    def __iter__(self) -> Iterator[tuple[int, "int | Message"]]:
        """Yield (field number, value): an integer, or what stands inside a length. Fixed-width values are passed by."""
        at = self.begin
        while at < self.end:
            self.count.fields += 1
            if self.count.fields > MAX_FIELDS:
                raise Malformed(f"it has more than {MAX_FIELDS:,} fields")
            self.file.seek(at)
            tag, at = self._varint(at)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise Malformed("a field has the number 0")
            if wire == 0:
                value, at = self._varint(at)
                yield number, value
            elif wire == 2:
                length, at = self._varint(at)
                if length > self.end - at:
                    raise Malformed("a field is longer than what it stands in")
                yield number, Message(self.file, at, at + length, self.count)
                at += length
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            else:
                raise Malformed(f"a field has the wire type {wire}")
        if at != self.end:
            raise Malformed("its last field is cut off")

    def text(self) -> str:
        """Return what stands here as text, cut at a limit."""
        return self.data(MAX_TEXT).decode("utf-8", "replace")

    def numbers(self) -> list[int]:
        """Return packed integers."""
        numbers: list[int] = []
        self.file.seek(self.begin)
        at = self.begin
        while at < self.end and len(numbers) < MAX_TEXT:
            number, at = self._varint(at)
            numbers.append(number)
        return numbers

    def data(self, most: int) -> bytes:
        """Return the bytes that stand here, `most` at most."""
        self.file.seek(self.begin)
        return self.file.read(min(self.end - self.begin, most))

    def _varint(self, at: int) -> tuple[int, int]:
        number = 0
        for shift in range(0, 70, 7):
            byte = self.file.read(1)
            at += 1
            if not byte or at > self.end:
                raise Malformed("it is cut off in the middle of a number")
            number |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                return number & (1 << 64) - 1, at
        raise Malformed("a number has no end")
