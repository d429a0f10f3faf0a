"""A workspace to measure on, and the evidence that is logged again and again."""

from pathlib import Path
from typing import Any

from compliance.core.system import Profile, System
from compliance.services.workspace import Workspace

THINGS: list[dict[str, Any]] = [
    {"kind": "model-version", "name": "net", "version": "1", "title": "The net", "sha256": "5f" * 32, "basis": "file"},
    {"kind": "dataset", "name": "held-out", "version": "1", "title": "Test", "role": "test", "sha256": "c1" * 32,
     "basis": "file"},
]  # fmt: skip
METRICS = {"sensitivity": 318, "specificity": 350, "ppv": 300, "npv": 390, "accuracy": 371}
FIELDS = {
    "started_at": "2026-11-23T10:02:11Z",
    "unit_of_analysis": "person",
    "study_type": "retrospective",
}


def workspace(root: Path) -> Workspace:
    """Make a workspace with one model version and one dataset on record."""
    ws = Workspace.create(
        root,
        system=System(id="benchmark", name="Benchmark", provider="Nobody"),
        profile=Profile(intended_purpose="Measurement"),
        origin="example.org/benchmark",
    )
    ws.log_records(THINGS, wait=True)
    return ws


def evaluation(number: int) -> dict[str, Any]:
    """Return one evaluation with five metrics; each differs by its title."""
    return {
        "kind": "evaluation",
        "title": f"Evaluation {number}",
        "model": "net@1",
        "dataset": "held-out@1",
        "started_at": FIELDS["started_at"],
        "unit_of_analysis": FIELDS["unit_of_analysis"],
        "metrics": [{"name": name, "x": count, "n": 402} for name, count in METRICS.items()],
    }
