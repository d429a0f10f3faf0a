"""What large files were digested as, so that logging an unchanged model again need not read gigabytes again.

A convenience for whoever signs, and no proof of anything: nothing that verifies may ask it. An entry counts for one
path only while device, inode, size, mtime and ctime are those of the reading, all nanoseconds included; a program can
set mtime back but not ctime. A file touched within two seconds of the reading, or in the future, is not remembered:
within the grain of a file system's clock it could change again and look the same. The file is sealed with the key that
signs the evidence, so that nobody can plant a digest who could not sign it; one that is damaged, foreign or by another
key is as good as none. Not seen: clocks that are set back exactly, file systems that do not keep ctime, and writes
through a memory mapping that was open all the while. `--no-cache` reads every byte.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.core import envelope
from compliance.core.canonical import canonical
from compliance.errors import BadSignature

if TYPE_CHECKING:
    from compliance.storage.keys import Signer

FILE = ".compliance/digests.json"
PAYLOAD_TYPE = "application/vnd.compliance-tracker.digests+json"
SMALLEST = 1 << 20
"""Bytes below which reading costs no more than looking up."""
SETTLED = 2_000_000_000
"""Nanoseconds that a file must have been left alone."""
LARGEST = 16 << 20
MOST = 5_000
"""Files; the ones that came last stay."""

Entry = tuple[str, str, str, str, str, str]
"""Device, inode, size, mtime and ctime (nanoseconds), digest; as text, since canonical JSON ends at 2**53."""


class DigestCache:
    """The digests of one workspace, for several threads. Read at once; written in one step by `save`."""

    def __init__(self, file: Path, signer: "Signer") -> None:
        self._file, self._signer = file, signer
        try:
            self._entries = self._unsealed()
        except (OSError, BadSignature, ValueError, KeyError, TypeError):
            self._entries = {}
        self._new = False
        self.known_files: list[str] = []
        """Paths of the files that were not read because their digest was known."""

    def known(self, path: str, status: os.stat_result) -> str | None:
        """Return the digest of an open file, if it is the file that was read before and was left alone since."""
        if status.st_size < SMALLEST or not _settled(status, time.time_ns()):
            return None
        entry = self._entries.get(os.path.abspath(path))
        if entry is None or entry[:5] != _signs(status):
            return None
        self.known_files.append(path)
        return entry[5]

    def keep(self, path: str, status: os.stat_result, digest: str, begun: int) -> None:
        """Remember the digest of a file that was read whole, from `begun` (nanoseconds) on, and did not change."""
        if status.st_size < SMALLEST or not _settled(status, begun):
            return
        self._entries[os.path.abspath(path)] = (*_signs(status), digest)
        self._new = True

    def save(self) -> None:
        """Write what was learnt. A cache that cannot be written is no error: the next time reads again."""
        if not self._new:
            return
        kept = dict(list(self._entries.items())[-MOST:])
        payload = canonical({"files": [[path, *entry] for path, entry in kept.items()]})
        sealed = envelope.seal(payload, self._signer.sign, self._signer.hint, PAYLOAD_TYPE)
        new = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        with suppress(OSError):
            try:
                with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                    stream.write(sealed)
                new.replace(self._file)
            finally:
                new.unlink(missing_ok=True)
        self._new = False

    def _unsealed(self) -> dict[str, Entry]:
        if self._file.stat().st_size > LARGEST:
            return {}
        sealed = self._file.read_bytes()
        payload = envelope.unseal(sealed, {self._signer.hint: self._signer.public_key})
        entries: dict[str, Entry] = {}
        for path, device, inode, size, mtime, ctime, digest in json.loads(payload)["files"]:
            entries[str(path)] = (str(device), str(inode), str(size), str(mtime), str(ctime), str(digest))
        return entries


def _signs(status: os.stat_result) -> tuple[str, str, str, str, str]:
    return (
        str(status.st_dev),
        str(status.st_ino),
        str(status.st_size),
        str(status.st_mtime_ns),
        str(status.st_ctime_ns),
    )


def _settled(status: os.stat_result, now: int) -> bool:
    return now - max(status.st_mtime_ns, status.st_ctime_ns) >= SETTLED
