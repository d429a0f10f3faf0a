"""`python -m benchmarks`: run the groups, print the table, keep the JSON."""

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import harness

GROUPS = {
    "start-up": "benchmarks.startup",
    "ledger": "benchmarks.ledger",
    "verification": "benchmarks.verification",
    "digesting": "benchmarks.digesting",
    "logging": "benchmarks.logging",
    "assessment": "benchmarks.assessment",
    "datasets": "benchmarks.datasets",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__)
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this group; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that everything runs")
    chosen = parser.parse_args()
    os.environ["COMPLIANCE_PASSPHRASE"] = harness.PASSPHRASE
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    rows: list[harness.Row] = []
    for name in chosen.only or GROUPS:
        with tempfile.TemporaryDirectory(prefix=f"benchmark-{name}-") as scratch:
            print(f"{name} …", file=sys.stderr, flush=True)
            measured = importlib.import_module(GROUPS[name]).measure(harness.Options(chosen.quick, Path(scratch)))
            harness.show(measured)
            rows += measured
    print(f"\nKept in {harness.keep(rows, quick=chosen.quick)}")


if __name__ == "__main__":
    main()
