"""Pickles: programs that build objects. Never run here, only read, to name what running them would import.

Protocols 0 to 5 as `pickle`, joblib and cloudpickle write them, plain or under gzip, bz2, xz or zlib. What is named is
what its instructions say in plain; a hostile file can say more than can be read, so a pickle is never called harmless.
"""

import bz2
import gzip
import lzma
import pickletools
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from compliance.storage.weights.facts import Facts

NAMES = (".pkl", ".pickle", ".joblib", ".cloudpickle")
LOOKED_AT = 64 << 20
"""Bytes of a pickle, unpacked, that are read at most."""
MOST_STEPS = 1_000_000
"""Instructions that are followed at most: two seconds."""
MOST_NAMES = 200
UNKNOWN = "unknown"
_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_UNPACKERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
    b"]\x00": lzma.open,
}
_ZLIB = (b"x\x01", b"x^", b"x\x9c", b"x\xda")


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a pickle: known by its first bytes, or by name and first bytes once it is unpacked."""
    start = file.read(2)
    named = name.endswith((*NAMES, *(end + packed for end in NAMES for packed in (".gz", ".bz2", ".xz", ".z"))))
    if start in _STARTS:
        file.seek(0)
        return facts("pickle", name, *imported(file))
    if not named or size == 0:
        return None
    file.seek(0)
    try:
        if start in _UNPACKERS:
            stream = cast(BinaryIO, _UNPACKERS[start](file))
        else:
            stream = cast(BinaryIO, _Unzlib(file)) if start in _ZLIB else file
        return facts("pickle", name, *imported(stream))
    except OSError:  # what is named as a pickle and cannot be unpacked is still not to be trusted
        return facts("pickle", name, [], whole=False)


def facts(what: str, name: str, imports: list[str], whole: bool) -> Facts:
    """Return the facts of a pickle, and a remark where it could not be followed to its end."""
    left = f"{name} could not be followed to its end: it may import more than is listed."
    return Facts(what, runs_code=True, imports=imports, remarks=[] if whole else [left])


def imported(stream: BinaryIO) -> tuple[list[str], bool]:
    """Return the names that a pickle would import, first come first, and whether it was followed to its end."""
    found: dict[str, None] = {}
    try:
        for name in _names(_Limited(stream)):
            found.setdefault(name)
            if len(found) == MOST_NAMES:
                return list(found), False
    except (ValueError, IndexError, EOFError, OSError, lzma.LZMAError, zlib.error):
        return list(found), False  # joblib, for one, lets the bytes of arrays stand between the instructions
    return list(found), True


def _names(stream: "_Limited") -> Iterator[str]:
    """Yield what one pickle after the other imports, as far as texts go: which are pushed, kept and fetched again.

    PyTorch's older files are several pickles in a row; joblib lets whole ones stand inside others.
    """
    texts: list[str] = []
    memos: list[dict[int, str | None]] = []
    on_top, steps = False, 0
    while not stream.at_end():
        for code, argument, _ in pickletools.genops(stream):  # type: ignore[arg-type]
            steps += 1
            if steps > MOST_STEPS:
                raise EOFError
            if not memos or code.name == "PROTO":
                memos.append({})
            memo = memos[-1]
            if code.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                memo[len(memo) if argument is None else int(str(argument))] = texts[-1] if on_top else None
                continue
            text = _text(code.name, argument, memo)
            on_top = text is not None
            if text is not None:
                texts = [*texts[-1:], text]
            elif code.name in ("GLOBAL", "INST"):
                yield _name(*str(argument).split(" ", 1))
            elif code.name == "STACK_GLOBAL":
                yield _name(*texts[-2:]) if len(texts) > 1 else UNKNOWN
        memos.pop()


def _text(code: str, argument: object, memo: dict[int, str | None]) -> str | None:
    """Return the text that an instruction pushes; None where it pushes something else."""
    if "UNICODE" in code or "STRING" in code:
        return str(argument)
    if code in ("GET", "BINGET", "LONG_BINGET"):
        return memo.get(int(str(argument))) or UNKNOWN
    return None


def _name(module: str, name: str = "") -> str:
    return ascii(f"{module}.{name}".strip("."))[1:-1][:200] or UNKNOWN


class _Limited:
    """What `pickletools` needs of a stream, with an end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left, self._ahead = stream, LOOKED_AT, b""

    def at_end(self) -> bool:
        self._ahead = self._ahead or self._stream.read(1)
        return not self._ahead

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise EOFError
        self._left -= size
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        return ahead + self._stream.read(size - len(ahead))

    def readline(self) -> bytes:
        ahead, self._ahead = self._ahead, b""
        line = ahead + self._stream.readline(min(self._left, 1 << 16))
        self._left -= len(line)
        return line

    def tell(self) -> int:
        return LOOKED_AT - self._left


class _Unzlib:
    """A zlib stream, unpacked piece by piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._unpack, self._ready = file, zlib.decompressobj(), b""

    def read(self, count: int) -> bytes:
        while len(self._ready) < count and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(1 << 16)
            if not packed:
                break
            self._ready += self._unpack.decompress(packed, 1 << 20)
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def readline(self, limit: int) -> bytes:
        line = b""
        while len(line) < limit and (byte := self.read(1)):
            line += byte
            if byte == b"\n":
                break
        return line
