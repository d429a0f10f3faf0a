"""Logging a model: its bytes digested, signed as OpenSSF Model Signing has it, and what its files say put on record."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import oms
from compliance.core.evidence import Basis
from compliance.errors import Unavailable
from compliance.services import record
from compliance.services.model_facts import with_facts
from compliance.storage import digest_cache, digests, weights
from compliance.storage.weights import papers

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace
    from compliance.storage.keys import Signer
    from compliance.storage.weights.facts import Facts

MOST_FACTS = 5_000
"""Files that are opened to see whether they are weights."""
Tell = Callable[[str], None]
"""What hears a line for the reader."""


def _silent(_: str) -> None:
    """For whoever does not listen."""


def log_model(
    ws: "Workspace",
    path: Path,
    *,
    name: str,
    version: str,
    key: str | None = None,
    cache: bool = True,
    tell: Tell = _silent,
    **fields: Any,
) -> "list[Logged]":
    """Digest a model file or folder and log it as `model-version`; `fields` are the kind's own.

    With `cache`, a large file that was digested before and has not been touched since is not read again, and `tell`
    hears of it. Its OpenSSF Model Signing signature travels as the attachment `model.sig`.
    """
    path = path.absolute()
    record.refuse_private(ws, path.resolve(), path)
    authored = {"kind": "model-version", "name": name, "version": version, "title": f"{name} {version}", **fields}
    whole = described(ws, path, authored, ws.signer(key), cache=cache, tell=tell)
    return record.log(ws, [whole], how="log", base=path.parent, key=key)


def described(
    ws: "Workspace",
    path: Path,
    authored: Mapping[str, Any],
    signer: "Signer",
    *,
    cache: bool = True,
    tell: Tell = _silent,
) -> dict[str, Any]:
    """Return a model-version record with digest, signature and the facts of the files at `path`."""
    known = digest_cache.DigestCache(ws.root / digest_cache.FILE, signer) if cache else None
    said = list(_read(path))
    if _is_folder(path):
        files = digests.folder_manifest(path, known)
        sha256, basis, named = oms.root(files), Basis.FOLDER, dict(files)
    else:
        sha256, basis = digests.subject_digest(path, known)
        files, named = [(oms.FILE, sha256)], {path.name: sha256}
    if any(_touched(file.path) != file.touched for file in said):
        raise Unavailable(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
    if known is not None:
        known.save()
        if known.known_files:
            tell(f"Not read again, untouched since they were digested: {len(known.known_files)} of {len(files)} files.")
    given = with_facts(authored, {file.name: file.facts for file in said}, named)
    attachments = [*(given.get("attachments") or []), *record.model_signature(path.name, files, signer)]
    return given | {"sha256": sha256, "basis": basis.value} | ({"attachments": attachments} if attachments else {})


@dataclass(frozen=True, slots=True)
class _Said:
    """One file that says something of the model, and what it looked like just before it was read."""

    name: str
    path: Path
    touched: tuple[int, int]
    facts: "Facts"


def _read(path: Path) -> Iterator[_Said]:
    if not _is_folder(path):
        candidates = [(path.name, path)]
    else:
        largest = heapq.nlargest(MOST_FACTS, digests.files(path), key=lambda file: file[1])
        names = sorted({*papers.NAMES, *(name for name, _ in largest)})
        candidates = [(name, path / name) for name in names]
    for name, file in candidates:
        before = _touched(file)
        facts = (papers.read(file, name) if file is not path else None) or weights.read(file, name)
        if facts is not None:
            yield _Said(name, file, before, facts)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _touched(path: Path) -> tuple[int, int]:
    try:
        status = path.lstat()
    except OSError:
        return 0, 0  # digesting it says what is wrong
    return status.st_size, status.st_ctime_ns
