"""Artifact folders on this machine: read in pieces, written whole or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from compliance.errors import InvalidInput, Unavailable, UnknownReference
from compliance.storage.mirror.record import Artifact

PIECE = 1 << 20


class LocalFiles:
    """A folder of files; `holder` keeps a temporary one alive."""

    def __init__(self, folder: Path, holder: object = None) -> None:
        self.folder, self._holder = folder, holder
        self.paths = files_under(folder)

    def read(self, path: str) -> Iterator[bytes]:
        return file_pieces(self.folder / path)


def local_folder(uri: str) -> Path | None:
    """Return the folder that an artifact URI names on this machine, or None where it is no local path."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Path(unquote(parts.path))
    return Path(uri) if parts.scheme == "" and uri else None


def files_under(folder: Path) -> list[str]:
    """Return the paths of all that is no folder under `folder`, relative to it and sorted; no link is followed."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield one file in pieces. Raises UnknownReference where it is not there, InvalidInput for a link or a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _no_file(path)
            while piece := stream.read(PIECE):
                yield piece
    except FileNotFoundError as error:
        raise UnknownReference(f"{path} is not there.", remedy="Bring it back from a copy.", refused=True) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _no_file(path) from error
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error


def _no_file(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path} is a link or a device; only regular files have a digest.",
        remedy="Put a copy of the file in its place (`cp -rL` follows links), or take it out of the folder.",
    )


def write_file(target: Path, artifact: Artifact) -> None:
    """Write one artifact whole or not at all: temporary name, flush to disk, rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{os.getpid()}.new")
    try:
        with new.open("wb") as stream:
            if isinstance(artifact.source, bytes):
                stream.write(artifact.source)
            else:
                for piece in file_pieces(artifact.source):
                    stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
