"""Evidence as it stands in a real MLflow: logged by us, read back with MLflow's own client."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compliance import Profile, System, Workspace
from compliance.services.sync import sync


@dataclass(frozen=True)
class Mirrored:
    """A workspace's MLflow, and what an outsider needs beside it."""

    client: Any
    experiment: str
    keys: Path
    model: Path

    def artifact(self, kind: str, path: str) -> bytes:
        """Return an artifact of the run that holds evidence of a kind."""
        (run,) = self.client.search_runs([self.experiment], f"tags.`compliance.kind` = '{kind}'")
        return Path(self.client.download_artifacts(run.info.run_id, path)).read_bytes()

    def bundle(self, kind: str) -> bytes:
        return self.artifact(kind, "evidence.sigstore.json")


@pytest.fixture(scope="session")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    import mlflow

    root = tmp_path_factory.mktemp("mirrored") / "risk"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr("compliance.services.background.start", lambda root, uri: None)  # written here, not behind us
        system = System(id="risk", name="Risk", provider="Example")
        ws = Workspace.create(root, system=system, profile=Profile(intended_purpose="Tests"), origin="example.org/risk")
        model = root / "clinical-risk"
        model.mkdir()
        (model / "weights.bin").write_bytes(bytes(1000))
        (root / "people.csv").write_text("age\n50\n")
        ws.log_model(model, name="clinical-risk", version="1")
        ws.log_records([
            {"kind": "dataset", "name": "people@1", "title": "People held out", "path": "people.csv", "role": "test"},
            {"kind": "evaluation", "title": "On people held out", "model": "clinical-risk@1", "dataset": "people@1",
             "started_at": "2026-11-23T10:02:11Z", "unit_of_analysis": "person",
             "metrics": [{"name": "sensitivity", "x": 318, "n": 402}]},
        ])  # fmt: skip
        sync(ws, wait=True)
        ws.close()
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{root}/mlflow.db")
    experiment = client.get_experiment_by_name("compliance/risk")
    return Mirrored(client, experiment.experiment_id, root / ".compliance/keys", model)
