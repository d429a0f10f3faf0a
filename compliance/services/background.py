"""The process in the background that writes pending evidence to MLflow.

A database needs MLflow's own client, whose import takes longer than a command may. It looks again after it
let go of the lock, so that a command which saw the lock held can rely on it.
"""

import os
import sys
from pathlib import Path

from compliance.services import worker

NAME = "sync"
LOG = f"{worker.FOLDER}/{NAME}.log"
SECRET = "COMPLIANCE_"
"""Variables that begin so hold pass phrases; the child signs nothing and gets none."""


def start(root: Path, uri: str) -> None:
    """Start the process, if none is at work. A failure to start leaves the evidence pending."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRET)}
    environment |= {"MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    worker.start(root, NAME, __name__, environment)


def main(root: Path) -> None:
    """Send what is pending until nothing is, then end."""
    from compliance.services import sync
    from compliance.services.workspace import Workspace, now

    print(f"{now()} process {os.getpid()} sends evidence to MLflow")
    with Workspace.open(root) as ws:
        going = True
        while going:
            with worker.lock(root, NAME) as ours:
                if not ours:
                    return
                report = sync.sync(ws)
            print(f"{now()} {report.mirrored} mirrored, {report.pending} pending", *report.problems, sep="\n  ")
            # what was appended between our last look and letting go of the lock
            going = report.reachable and any(ws.ledger.untried(index) for index in ws.ledger.pending())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
