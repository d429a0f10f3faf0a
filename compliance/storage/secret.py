"""The secret under which a workspace makes fingerprints: 32 random bytes, made on first use, readable by its owner."""

import os
import secrets
from pathlib import Path

from compliance.errors import Unavailable

FILE = ".compliance/fingerprint.key"
SIZE = 32


def fingerprint_secret(root: Path) -> bytes:
    """Return the workspace's secret. Raises Unavailable where it can be neither read nor made."""
    path = root / FILE
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}.", remedy="Check its permissions.") from error
    if len(secret) != SIZE:
        raise Unavailable(
            f"{path} holds {len(secret)} bytes instead of {SIZE}.",
            remedy="Restore it from a backup. Under a new secret, earlier datasets cannot be compared with new ones.",
        )
    return secret


def _make(path: Path) -> None:
    """Write a new secret whole, or leave the one that another process made meanwhile."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(SIZE))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(new, path)
        except FileExistsError:
            return
    finally:
        new.unlink()
