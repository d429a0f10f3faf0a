"""One process behind a command or a script: started where none is at work, and locked so that it stays one.

The lock goes with the process, however that ends. What it says stands in a log that only the owner reads.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FOLDER = ".compliance"
LOG_LIMIT = 1 << 20


def start(root: Path, name: str, module: str, environment: Mapping[str, str]) -> None:
    """Run `python -m module ROOT` under the lock `name`, unless one runs. A failure to start is no error."""
    try:
        with lock(root, name) as ours:
            if not ours:
                return
        with _log(root, name) as log:
            child = subprocess.Popen(
                [sys.executable, "-m", module, str(root)],
                cwd=root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError:
        return
    child.returncode = 0  # it outlives us on purpose; without this Python warns that nobody waited for it


@contextmanager
def lock(root: Path, name: str) -> Iterator[bool]:
    """Hold the lock, or yield False where another process does."""
    descriptor = os.open(root / FOLDER / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


@contextmanager
def _log(root: Path, name: str) -> Iterator[int]:
    path = root / FOLDER / f"{name}.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        flags |= os.O_TRUNC
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
