"""How long a cold command takes, beside `mlflow --help`."""

import os
import subprocess
import sys

from benchmarks.harness import Options, Row, in_turns
from benchmarks.records import evaluation, workspace
from compliance.core import checkpoint
from compliance.core.dossier import Cutoff
from compliance.services import bundle
from compliance.services.workspace import Workspace

GROUP = "start-up"


def measure(options: Options) -> list[Row]:
    with workspace(options.scratch / "ws") as ws:
        ws.log_records([evaluation(number) for number in range(20)], wait=True)
        root = ws.root
        file = options.scratch / "bundle.zip"
        file.write_bytes(_bundle(ws))
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}

    def command(*words: str) -> None:
        subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True, env=environment, cwd=root)

    times = options.size(9, 3)
    help_, verify = in_turns(
        times, lambda: command("compliance", "--help"), lambda: command("compliance", "verify", str(file)), warm_up=1
    )
    (peer,) = in_turns(options.size(3, 1), lambda: command("mlflow", "--help"), warm_up=1)
    return [
        Row(GROUP, "compliance --help, cold", help_, peer, "s", "mlflow --help", help_, 0.20),
        Row(GROUP, "compliance verify of one bundle, cold", verify, peer, "s", "mlflow --help", verify, 0.20),
    ]


def _bundle(ws: Workspace) -> bytes:
    """Return everything on record as a bundle."""
    note = ws.ledger.checkpoint() or ""
    signed = checkpoint.unverified(note)
    evidence = ws.evidence()
    last = evidence[-1]
    cutoff = Cutoff(last.number, signed.size, last.logged_at, note, signed.size, signed.root.hex(), ws.origin)
    return bundle.to_zip(bundle.members(ws, cutoff, evidence, [], {}, {}))
