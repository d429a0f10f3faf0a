"""A real command line on real workspaces. MLflow is out of reach here: evidence waits in the ledger."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSPHRASE = "correct horse battery staple"
UNREACHABLE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Compliance = Callable[..., Ran]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a pipeline: a pass phrase, an MLflow server that is down, no terminal."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COMPLIANCE_", "MLFLOW_"))}
    return inherited | {
        "COMPLIANCE_PASSPHRASE": PASSPHRASE,
        "MLFLOW_TRACKING_URI": UNREACHABLE,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "COLUMNS": "80",
    }


@pytest.fixture(scope="session")
def compliance(environment: dict[str, str]) -> Compliance:
    """Run one command in a process of its own."""

    def run(*arguments: object, cwd: Path | None = None, stdin: str = "", **variables: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "compliance", *map(str, arguments)],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment | variables,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def fresh(compliance: Compliance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace just made; copy it, do not write to it."""
    root = tmp_path_factory.mktemp("fresh") / "ws"
    made = compliance(
        "init",
        root,
        "--system",
        "clinical-risk",
        "--provider",
        "Demonstration, no manufacturer",
        "--catalog",
        "eu-ai-act",
    )
    assert made.code == 0, made.err
    return root


MODEL = "weights of version one"
RECORDS = """\
kind: acceptance-plan
name: acceptance-clinical-risk@1
title: Criteria fixed before testing
model: clinical-risk
data_role: test
criteria:
- {id: sens, metric: sensitivity, comparator: ">=", threshold: "0.70", bound: ci_low, ci_level: "0.95", min_n: 100}
"""
EVALUATION = """\
kind: evaluation
title: clinical-risk 1 on people held out
model: clinical-risk@1
dataset: flchain-test@1
plan: acceptance-clinical-risk@1
started_at: 2099-01-01T00:00:00Z
unit_of_analysis: person
metrics:
- {name: sensitivity, x: 318, n: 402}
- {name: sensitivity, group: {sex: F}, x: 171, n: 214}
"""


@pytest.fixture(scope="session")
def filled(compliance: Compliance, fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a plan, a model version and a dataset on record; copy it, do not write to it."""
    root = tmp_path_factory.mktemp("filled") / "ws"
    shutil.copytree(fresh, root)
    (root / "model.bin").write_text(MODEL)
    rows = "".join(f"{i},{'FM'[i % 2]},{50 + i % 30},{i % 5 == 0:d}\n" for i in range(60))
    (root / "test.csv").write_text(f"person,sex,age,death\n{rows}")
    sha256 = hashlib.sha256((root / "test.csv").read_bytes()).hexdigest()
    (root / "data.yaml").write_text(
        f"{{kind: dataset, name: flchain-test@1, title: Held out, role: test, rows: 60, sha256: {sha256}}}"
    )
    (root / "plan.yaml").write_text(RECORDS)
    for arguments in (
        ("log", "record", "plan.yaml"),
        ("log", "model", "model.bin", "--name", "clinical-risk", "--version", "1"),
        ("log", "record", "data.yaml"),
    ):
        done = compliance(*arguments, cwd=root)
        assert done.code == 0, done.err
    return root


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    """A copy of `filled`, to write to."""
    return Path(shutil.copytree(filled, tmp_path / "ws"))


@pytest.fixture
def inside(workspace: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a workspace that may be written to, with the environment of a pipeline, in this process."""
    monkeypatch.chdir(workspace)
    for name in ("COMPLIANCE_PASSPHRASE", "MLFLOW_TRACKING_URI", "COLUMNS"):
        monkeypatch.setenv(name, environment[name])
    return workspace


def on_record(root: Path) -> dict[str, bytes]:
    """Everything that a refused command must leave as it was: the ledger's truth, its checkpoint, attachments."""
    with contextlib.closing(sqlite3.connect(f"file:{root}/.compliance/ledger.db?mode=ro", uri=True)) as connection:
        truth = {
            table: repr(connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()).encode()
            for table in ("entries", "envelopes", "checkpoints")
        }
    kept = {p.name: p.read_bytes() for p in (root / ".compliance" / "attachments").glob("*")}
    return truth | kept | {"checkpoint": (root / ".compliance" / "checkpoint").read_bytes()}
