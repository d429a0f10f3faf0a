"""One process in the background that writes pending evidence to MLflow.

A database needs MLflow's own client, whose import takes longer than a command may. At most one such
process runs for a workspace: whoever holds the lock on `.compliance/sync.lock`. It looks again after it
let go of the lock, so that a command which saw the lock held can rely on it.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".compliance/sync.lock"
LOG = ".compliance/sync.log"
LOG_LIMIT = 1 << 20
SECRET = "COMPLIANCE_"
"""Variables that begin so hold pass phrases; the child signs nothing and gets none."""


def start(root: Path, uri: str) -> None:
    """Start the process, if none is at work. A failure to start leaves the evidence pending, and is no error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRET)}
    environment |= {"MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    try:
        with _lock(root) as ours:
            if not ours:
                return
        with _log(root) as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "compliance.services.background", str(root)],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError:
        return
    child.returncode = 0  # it outlives us on purpose; without this Python warns that nobody waited for it


def main(root: Path) -> None:
    """Send what is pending until nothing is, then end."""
    from compliance.services import sync
    from compliance.services.workspace import Workspace, now

    print(f"{now()} process {os.getpid()} sends evidence to MLflow")
    with Workspace.open(root) as ws:
        going = True
        while going:
            with _lock(root) as ours:
                if not ours:
                    return
                report = sync.sync(ws)
            print(f"{now()} {report.mirrored} mirrored, {report.pending} pending", *report.problems, sep="\n  ")
            # what was appended between our last look and letting go of the lock
            going = report.reachable and any(ws.ledger.untried(index) for index in ws.ledger.pending())


@contextmanager
def _lock(root: Path) -> Iterator[bool]:
    """Hold the lock, or yield False where another process does. It goes with the process, however that ends."""
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


@contextmanager
def _log(root: Path) -> Iterator[int]:
    path = root / LOG
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        flags |= os.O_TRUNC
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
