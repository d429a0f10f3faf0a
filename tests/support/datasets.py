"""A workspace to log datasets into, without MLflow, and what stands on record there."""

from pathlib import Path

from compliance import Profile, System, Workspace
from compliance.core.evidence import Evidence
from compliance.services.record import Logged

ENVIRONMENT = {
    "COMPLIANCE_PASSPHRASE": "correct horse battery",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",  # nobody listens: evidence stays pending
}


def workspace(root: Path, *catalogs: str) -> Workspace:
    system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=list(catalogs or ["eu-ai-act"]))
    return Workspace.create(root, system=system, profile=Profile(), origin="example.org/demo")


def on_record(ws: Workspace, logged: list[Logged]) -> Evidence:
    """Return the first of what was logged."""
    return ws.ledger.piece(int(logged[0].evidence[3:]))
