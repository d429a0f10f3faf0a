"""Reading an archive that came from outside: bounded before it is read, and nothing is written to disk.

At most 10,000 members and 1 GB unpacked, none absolute, none with `..`, none a link, no name twice.
"""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from compliance.errors import InvalidInput

MAX_MEMBERS = 10_000
MAX_BYTES = 1 << 30


def read_archive(path: Path) -> dict[str, bytes]:
    """Return every member of a zip by its name. Raises InvalidInput."""
    with _opened(path) as archive:
        members = _checked(path, archive)
        return {member.filename: _bytes(path, archive, member) for member in members if not member.is_dir()}


def read_member(path: Path, name: str) -> bytes:
    """Return one member of a zip. Raises InvalidInput."""
    with _opened(path) as archive:
        for member in _checked(path, archive):
            if member.filename == name:
                return _bytes(path, archive, member)
    raise InvalidInput(f"{path} holds no {name}.", remedy="Give a bundle as `compliance dossier build` wrote it.")


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidInput(
            f"{path} is no zip archive ({error}).", remedy="Give the file as it was handed out."
        ) from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be opened: {error.strerror}.", remedy="Check the path.") from None


def _checked(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_BYTES:
        raise _refused(path, f"it holds more than {MAX_MEMBERS} members or unpacks to more than 1 GB")
    if len(set(names)) < len(names):
        raise _refused(path, "a name stands twice")
    for member in members:
        parts = PurePosixPath(member.filename)
        if (
            not parts.parts
            or parts.is_absolute()
            or ".." in parts.parts
            or "\\" in member.filename
            or ":" in parts.parts[0]
        ):
            raise _refused(path, f"{member.filename!r} leads out of the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(path, f"{member.filename!r} is a link")
    return members


def _bytes(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read one member: zipfile reads no more than its header says and holds it to its checksum."""
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise InvalidInput(
            f"{path}: {member.filename} is damaged ({error}).", remedy="Take the archive from its source again."
        ) from None


def _refused(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{path} is refused: {why}.", remedy="Ask whoever sent it; a bundle of ours holds no such thing."
    )
