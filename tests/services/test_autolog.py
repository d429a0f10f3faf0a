"""One line in a training script: its runs become evidence, and nothing of ours can break or hold up the script."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.mlflow_server import MakeWorkspace

from compliance.services import autolog, worker
from compliance.services.workspace import Workspace

HEAD = """
import mlflow
import compliance

compliance.autolog()
mlflow.set_experiment("training")
"""
NESTED = """
with mlflow.start_run(run_name="search"):
    for depth in (1, 2):
        with mlflow.start_run(run_name=f"depth {depth}", nested=True):
            mlflow.log_param("depth", depth)
            mlflow.log_metric("loss", 1 / depth)
"""
FAILS = """
with mlflow.start_run(run_name="fails"):
    mlflow.log_metric("loss", 0.5)
    raise RuntimeError("diverged")
"""
LEFT_OPEN = """
mlflow.start_run(run_name="left open")
mlflow.log_metric("loss", 0.5)
"""
FORKED = """
from multiprocessing import get_context

def fit(number):
    with mlflow.start_run(run_name=f"process {number}"):
        mlflow.log_param("number", number)

if __name__ == "__main__":
    with get_context("fork").Pool(2) as pool:
        pool.map(fit, [1, 2])
"""


@pytest.fixture
def ws(make_workspace: MakeWorkspace) -> Workspace:
    return make_workspace()


def script(ws: Workspace, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = ws.root / "train.py"
    path.write_text(text, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return subprocess.run(
        [sys.executable, path], cwd=ws.root, env=clean | environment, capture_output=True, text=True, check=False
    )


def settled(ws: Workspace) -> None:
    """Wait until the process behind the script has ended."""
    deadline = time.monotonic() + 120
    while True:
        with worker.lock(ws.root, autolog.NAME) as ours:
            if ours and not list((ws.root / autolog.NOTES).glob("*.json")):
                return
        assert time.monotonic() < deadline, (ws.root / autolog.LOG).read_text()
        time.sleep(0.2)


def outcomes(ws: Workspace) -> dict[str, str]:
    pieces = [ws.ledger.piece(index) for index in ws.ledger.indexes_of("training-run")]
    return {piece.title.removeprefix("Training run "): piece.content["outcome"] for piece in pieces}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            NESTED + LEFT_OPEN,
            {"search": "finished", "depth 1": "finished", "depth 2": "finished", "left open": "finished"},
        ),
        (
            FORKED.replace('if __name__ == "__main__":', "if True:") + FAILS,
            {"process 1": "finished", "process 2": "finished", "fails": "failed"},
        ),
    ],
    ids=["nested and left open", "several processes and failing"],
)
def test_every_run_that_ends_becomes_evidence(ws: Workspace, text: str, expected: dict[str, str]) -> None:
    ran = script(ws, HEAD + text)
    assert ran.returncode == (1 if "raise" in text else 0), ran.stderr
    assert "AutologWarning" not in ran.stderr
    settled(ws)
    assert outcomes(ws) == expected
    pieces = {ws.ledger.piece(i).title: ws.ledger.piece(i).content for i in ws.ledger.indexes_of("training-run")}
    if "depth 1" in expected:
        parent = pieces["Training run search"]["mlflow_run"]
        assert pieces["Training run depth 1"]["parent_run"] == parent


@pytest.mark.parametrize(
    ("environment", "damage", "said"),
    [
        ({"COMPLIANCE_PASSPHRASE": "wrong"}, None, "pass phrase"),
        ({"COMPLIANCE_PASSPHRASE": ""}, None, "Set COMPLIANCE_PASSPHRASE."),
        ({}, "set_tracking_uri", "reads sqlite:///mlflow.db"),
        ({}, "compliance.toml", "TOML"),
    ],
)
def test_what_is_wrong_with_the_workspace_is_a_warning(
    ws: Workspace, environment: dict[str, str], damage: str | None, said: str
) -> None:
    text = HEAD + NESTED + 'print("done")\n'
    if damage == "compliance.toml":
        (ws.root / damage).write_text("= not TOML")
    elif damage:
        text = text.replace(
            "compliance.autolog()", 'mlflow.set_tracking_uri("sqlite:///elsewhere.db")\ncompliance.autolog()'
        )
    ran = script(ws, text, **environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("done\n")
    assert "AutologWarning" in ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_script_on_a_terminal_is_not_held_up_by_a_question(ws: Workspace) -> None:
    path = ws.root / "train.py"
    path.write_text(HEAD + NESTED + 'print("done")\n', encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name != "COMPLIANCE_PASSPHRASE"}
    ours, theirs = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, path], cwd=ws.root, env=clean, stdin=theirs, start_new_session=True, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert ran.stdout.endswith("done\n")
    assert "Set COMPLIANCE_PASSPHRASE. Runs of this script" in ran.stderr


def test_a_run_that_could_not_be_captured_is_taken_up_by_the_next(ws: Workspace) -> None:
    script(ws, HEAD + NESTED)
    settled(ws)
    notes = ws.root / autolog.NOTES
    (notes / f"{'0' * 32}.json").write_text("{}")  # a run that MLflow has lost does not stop the others
    (notes / "broken.json").write_text("{")
    ran = script(ws, HEAD + LEFT_OPEN)
    assert ran.returncode == 0
    assert "have not become evidence yet (2)" in ran.stderr
    deadline = time.monotonic() + 120
    while "left open" not in outcomes(ws):
        assert time.monotonic() < deadline, (ws.root / autolog.LOG).read_text()
        time.sleep(0.2)
    said = (ws.root / autolog.LOG).read_text()
    assert f"{'0' * 32} is given up" in said
    assert not (notes / f"{'0' * 32}.json").exists()
    assert os.environ["COMPLIANCE_PASSPHRASE"] not in said
    assert (ws.root / autolog.LOG).stat().st_mode & 0o077 == 0


def test_our_own_evidence_is_no_run_of_the_users(ws: Workspace) -> None:
    own = '\nws = compliance.Workspace.open()\nws.log_records([{"kind": "document", "name": "plan@1", "title": "Plan", '
    own += '"document_type": "policy"}])\nws.close()\n'
    assert script(ws, HEAD + own).returncode == 0
    settled(ws)
    assert outcomes(ws) == {}


def test_the_folder_of_a_script_outside_a_workspace_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import compliance, mlflow\ncompliance.autolog()\n")
    ran = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "No workspace here" in ran.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["train.py"]


def test_a_note_names_a_version_and_a_key_and_says_nothing_else(tmp_path: Path) -> None:
    note = tmp_path / "r.json"
    note.write_text(json.dumps({"model": "m@1", "key": None, "started_at": "2020-01-01T00:00:00Z", "attachments": []}))
    assert autolog._wanted(note) == {"model": "m@1"}
    note.write_text("[]")
    with pytest.raises(ValueError, match="none of ours"):
        autolog._wanted(note)
