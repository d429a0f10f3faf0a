"""Files and folders to import, opened under the limits for what comes from outside; no pipe and no link to nowhere."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from compliance.core.reading import MAX_BYTES
from compliance.errors import InvalidInput, Unavailable
from compliance.importers import Source, recognise
from compliance.importers.archive import MAGIC, MAX_MEMBERS, MAX_UNPACKED

_LEFT_OUT = {".git", ".compliance", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one file lies, or one folder that a tool writes as a whole."""

    path: Path
    found: bool
    """Inside a folder that was named, not named itself."""
    names: tuple[str, ...] = ()
    """The files of a folder; none for a file."""


class _Files(Mapping[str, bytes]):
    """The files of one folder, read when they are asked for and then kept: every later look sees the same bytes."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names, self._read = folder, list(names), dict[str, bytes]()

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            try:
                self._read[name] = (self._folder / name).read_bytes()
            except OSError as error:
                _unavailable(error, self._folder / name)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def places(path: Path) -> Iterator[Place]:
    """Yield what a named path holds: itself, or a folder's runs and files in the order of their names."""
    if not path.exists():
        raise InvalidInput(f"{path} is not there.", remedy="Check the path.")
    if path.is_file():
        yield Place(path, found=False)
        return
    if not path.is_dir():
        raise InvalidInput(f"{path} is neither a file nor a folder.", remedy="Name a result file, or a folder of them.")
    count = 0
    for folder, folders, there in os.walk(path, onerror=_unavailable):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        names = sorted(name for name in there if (Path(folder) / name).is_file())  # no pipe, no link to nowhere
        count += len(names)
        if count > MAX_MEMBERS:
            raise InvalidInput(f"{path} holds more than {MAX_MEMBERS} files.", remedy="Name the folders inside it.")
        whole = Place(Path(folder), True, tuple(names))
        source = opened(whole) if names else None
        if source is not None and recognise(source) is not None:
            yield whole
        else:
            yield from (Place(Path(folder) / name, True) for name in names)


def opened(place: Place) -> Source | None:
    """Return a file or folder opened, or None where it is larger than what may come from outside."""
    try:
        if place.names:
            small = all((place.path / name).stat().st_size <= MAX_BYTES for name in place.names)
            return Source(str(place.path), _Files(place.path, place.names), folder=True) if small else None
        with place.path.open("rb") as stream:
            start = stream.read(len(MAGIC))
            limit = MAX_UNPACKED if start == MAGIC else MAX_BYTES
            data = start + stream.read(limit + 1 - len(start))
        return Source.of(str(place.path), data) if len(data) <= limit else None
    except OSError as error:
        _unavailable(error, place.path)


class OutOfReachError(Unavailable):
    """The disk does not give a file."""


def _unavailable(error: OSError, path: Path | None = None) -> NoReturn:
    problem = f"{error.filename or path} cannot be read: {error.strerror}."
    raise OutOfReachError(problem, remedy="Check its permissions.") from error
