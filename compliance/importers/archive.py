"""Zip archives from outside, member by member, under the limits of DESIGN section 11.9.

At most 10,000 members and 1 GB unpacked, counted while unpacking and not as the archive claims; none absolute, with
`..`, or a link. Method 93 (Zstandard, which Inspect AI writes) is read too: the standard library knows it from
Python 3.14 on.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO

MAX_MEMBERS = 10_000
MAX_UNPACKED = 1 << 30
MAGIC = b"PK\x03\x04"

_ZSTANDARD = 93
_ENCRYPTED = 0x1
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_PIECE = 1 << 20


class BadArchiveError(ValueError):
    """These bytes are no archive that may be unpacked; the text says why."""


class Archive(Mapping[str, bytes]):
    """A zip's files by name, unpacked when they are asked for. Raises BadArchiveError for whatever is refused."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_UNPACKED
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise BadArchiveError(f"is a damaged or truncated archive ({error})") from error
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            raise BadArchiveError(f"holds {len(members)} files, more than {MAX_MEMBERS}")
        self._members = {member.filename: member for member in members if not member.is_dir()}
        for member in members:
            _check_name(member)
        if len(self._members) != sum(1 for member in members if not member.is_dir()):
            raise BadArchiveError("holds two files of one name")

    def __getitem__(self, name: str) -> bytes:
        member = self._members[name]
        unpacked = self._unpack(member)
        self._left -= len(unpacked)
        if zlib.crc32(unpacked) != member.CRC:
            raise BadArchiveError(f"holds {name} with a wrong checksum")
        return unpacked

    def __contains__(self, name: object) -> bool:
        return name in self._members  # without unpacking it

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def _unpack(self, member: zipfile.ZipInfo) -> bytes:
        if member.flag_bits & _ENCRYPTED:
            raise BadArchiveError(f"holds {member.filename} encrypted")
        try:
            if member.compress_type == _ZSTANDARD:
                return self._read(_zstandard(self._packed(member)), member.filename)
            with self._zip.open(member) as stream:
                return self._read(stream, member.filename)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, struct.error) as error:
            raise BadArchiveError(f"holds {member.filename}, which cannot be unpacked ({error})") from error

    def _read(self, stream: "io.BufferedIOBase | IO[bytes]", name: str) -> bytes:
        pieces, size = [], 0
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > self._left:
                raise BadArchiveError(f"unpacks to more than {MAX_UNPACKED >> 20} MB (at {name})")
            pieces.append(piece)
        return b"".join(pieces)

    def _packed(self, member: zipfile.ZipInfo) -> bytes:
        """Return a member's bytes as they are packed, past its local header."""
        magic, name, extra = _LOCAL_HEADER.unpack_from(self._data, member.header_offset)
        if magic != MAGIC:
            raise BadArchiveError(f"says that {member.filename} lies where it does not")
        start = member.header_offset + _LOCAL_HEADER.size + name + extra
        return self._data[start : start + member.compress_size]


def _check_name(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or path.parts[:1] == ("",) or ":" in (path.parts or ("",))[0][1:2]:
        raise BadArchiveError(f"holds {member.filename!r}, which points outside of it")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BadArchiveError(f"holds {member.filename!r}, which is a link")


def _zstandard(packed: bytes) -> "io.BufferedIOBase":
    import zstandard

    class _Stream(io.BufferedIOBase):
        """Names the library's error as this module's."""

        def __init__(self) -> None:
            self._inner = zstandard.ZstdDecompressor().stream_reader(packed)

        def read(self, size: int | None = -1, /) -> bytes:
            try:
                return self._inner.read(-1 if size is None else size)
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from error

    return _Stream()
