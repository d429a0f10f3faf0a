"""OpenSSF Model Signing v1.0: one statement that names every file of a model or dataset folder.

Pure: names and digests in, statement and root digest out; who reads the files is the caller's affair.
Only whole files under SHA-256 are written (`method: files`), the one form that every released verifier
accepts. Specification: https://github.com/ossf/model-signing-spec (v1.0).
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

from compliance.errors import InvalidInput

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
IGNORED = (".git", ".gitignore", ".gitattributes", ".github")
"""Left out of every manifest, at the top of the folder only."""
FILE = "."
"""What the standard calls the one file of a model that is a file and no folder."""

Manifest = Sequence[tuple[str, str]]
"""(path relative to the folder with `/`, SHA-256 as hex), ordered by code point."""


def manifest(files: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return (name, digest) pairs in the standard's order. Refuses an empty folder and a name given twice."""
    ordered = sorted(files)
    if not ordered:
        raise InvalidInput(
            "The folder holds no file, so there is nothing to digest.",
            remedy="Name the folder that holds the model's or dataset's files.",
        )
    for (name, _), (following, _) in pairwise(ordered):
        if name == following:
            raise InvalidInput(f"The manifest names {name!r} twice.", remedy="Give every file one entry.")
    return ordered


def root(files: Manifest) -> str:
    """Return the folder's digest: SHA-256 over the files' raw digests, in the manifest's order."""
    return sha256(b"".join(bytes.fromhex(digest) for _, digest in manifest(files))).hexdigest()


def statement(name: str, files: Manifest) -> dict[str, Any]:
    """Return the in-toto statement to sign for the folder called `name`."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root(files)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "resources": [{"name": path, "digest": digest, "algorithm": "sha256"} for path, digest in manifest(files)],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": list(IGNORED),
            },
        },
    }
