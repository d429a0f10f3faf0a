"""Digests of files and folders, read in full: the bytes that a subject's name stands for.

A file's digest is what `sha256sum` prints; a folder's is the root of its OpenSSF Model Signing v1.0
manifest (`compliance.core.oms`). Nothing is followed and nothing is guessed: a symbolic link, a device,
a pipe, or a file that changes while it is read is refused by name.
"""

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.core import oms
from compliance.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from compliance.core.evidence import Basis
    from compliance.storage.digest_cache import DigestCache

BUFFER = 1 << 18
"""Bytes per read: enough that hashing, which lets the other threads run, outweighs the calls around it."""
BATCH_FILES, BATCH_BYTES = 256, 8 << 20
"""What one thread takes at a time: handing over small files one by one costs more than hashing them."""


def file_digest(path: Path, cache: "DigestCache | None" = None) -> str:
    """Return the SHA-256 of one file; with a `cache`, without reading a large one that it knows."""
    return _digest(os.fspath(path), cache)


def folder_manifest(path: Path, cache: "DigestCache | None" = None) -> list[tuple[str, str]]:
    """Return (name relative to `path`, SHA-256) of every file under it, as the OMS manifest orders them."""
    largest_first = sorted(_files(os.fspath(path), ""), key=lambda file: -file[1])
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        digested = pool.map(
            lambda names: [(name, _digest(os.path.join(path, name), cache)) for name in names],
            list(_batches(largest_first)),
        )
        return oms.manifest(pair for batch in digested for pair in batch)


def files(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (name relative to `path`, bytes) of every file that the manifest of a folder names."""
    return _files(os.fspath(path), "")


def subject_digest(path: Path, cache: "DigestCache | None" = None) -> tuple[str, "Basis"]:
    """Return the digest of a file or folder, and which of the two it is."""
    from compliance.core.evidence import Basis  # pydantic comes with it, which `verify` does without

    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        raise _unreadable(os.fspath(path), error) from error
    if stat.S_ISDIR(mode):
        return oms.root(folder_manifest(path, cache)), Basis.FOLDER
    return file_digest(path, cache), Basis.FILE


def _digest(path: str, cache: "DigestCache | None" = None) -> str:
    try:
        # NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise _not_a_file(path, before.st_mode)
            if cache is not None and (known := cache.known(path, before)):
                return known
            begun = time.time_ns()
            digest, size = _read(descriptor, before.st_size)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error
    unchanged = (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)
    if size != before.st_size or not unchanged:
        raise Unavailable(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
    if cache is not None:
        cache.keep(path, after, digest, begun)
    return digest


def _read(descriptor: int, expected: int) -> tuple[str, int]:
    """Return digest and size of an open file; `expected` only chooses the quicker way."""
    if expected < BUFFER:
        data = os.read(descriptor, expected + 1)
        return sha256(data).hexdigest(), len(data)
    hasher, buffer, size = sha256(), memoryview(bytearray(BUFFER)), 0
    while count := os.readv(descriptor, [buffer]):
        hasher.update(buffer[:count])
        size += count
    return hasher.hexdigest(), size


def _files(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Walk `folder`; yield each file's name relative to the top, with its size."""
    try:
        with os.scandir(folder) as listing:
            entries = [
                (entry, entry.stat(follow_symlinks=False))
                for entry in listing
                if prefix or entry.name not in oms.IGNORED
            ]
    except OSError as error:
        raise _unreadable(folder, error) from error
    for entry, status in entries:
        name = prefix + entry.name
        if stat.S_ISDIR(status.st_mode):
            yield from _files(entry.path, name + "/")
        elif stat.S_ISREG(status.st_mode):
            yield _utf8(name, entry.path), status.st_size
        else:
            raise _not_a_file(entry.path, status.st_mode)


def _utf8(name: str, path: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"The name of {path!r} is not UTF-8.", remedy="Rename the file.") from None
    return name


def _batches(files: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    pending = 0
    for name, size in files:
        batch.append(name)
        pending += size
        if len(batch) == BATCH_FILES or pending >= BATCH_BYTES:
            yield batch
            batch, pending = [], 0
    if batch:
        yield batch


def _not_a_file(path: str, mode: int) -> InvalidInput:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return InvalidInput(
        f"{path} is {kinds.get(stat.S_IFMT(mode), 'a device')}; only regular files have a digest.",
        remedy="Put a copy of the file in its place (`cp -rL` follows links), or take it out of the folder.",
    )


def _unreadable(path: str, error: OSError) -> InvalidInput | Unavailable:
    if isinstance(error, FileNotFoundError):
        return InvalidInput(f"There is nothing at {path}.", remedy="Check the path.")
    if isinstance(error, NotADirectoryError):
        return InvalidInput(f"{path} is not a folder.", remedy="Check the path.")
    if error.errno in (errno.ELOOP, errno.ENXIO):  # what opening a link and a socket answers
        return _not_a_file(path, os.lstat(path).st_mode)
    return Unavailable(
        f"{path} could not be read: {error.strerror or error}.", remedy="Check that you may read it, then try again."
    )
