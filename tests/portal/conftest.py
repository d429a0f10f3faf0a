"""A small workspace made with the real services, and readers who hold a grant to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.portal import HOSTILE, PLAN, evaluation, signed_in

from compliance import Profile, System, Workspace
from compliance.portal.app import create_app
from compliance.services import acts, keys


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace, made once; tests that change it copy it first."""
    root = tmp_path_factory.mktemp("portal") / "risk"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
        system = System(id="risk", name="Five-year risk <b>score</b>", provider="Nobody & Sons", model="risk",
                        catalogs=["eu-ai-act", "fda-aidsf"], demonstration=True)  # fmt: skip
        profile = Profile(intended_purpose="Estimates the risk of death within five years.", roles=["provider"],
                          high_risk=["annex-i"], markets=["EU"], features=[])  # fmt: skip
        ws = Workspace.create(root, system=system, profile=profile, origin="example.org/risk")
        (root / "predictions.csv").write_text("person,score\n1,0.5\n")
        (root / "protocol.txt").write_text("How it was done.\n")
        (root / "people.csv").write_text("age\n50\n")
        for version in ("1", "2"):
            model = root / f"model-{version}"
            model.mkdir()
            (model / "weights.bin").write_bytes(version.encode() * 1000)
        signer = keys.create(ws, "approver")
        keys.trust(ws, signer, holder="Demonstration approver", roles=["approver", "reviewer"])
        ws.log_records(
            [
                PLAN,
                {
                    "kind": "dataset",
                    "name": "people-test@1",
                    "title": "People held out",
                    "path": "people.csv",
                    "role": "test",
                },
            ]
        )
        for version in ("1", "2"):
            ws.log_model(root / f"model-{version}", name="risk", version=version)
            ws.log_records([evaluation(f"risk@{version}")])
        ws.log_records([
            {"kind": "document", "name": "memo@1", "title": HOSTILE, "summary": HOSTILE, "document_type": "other",
             "abstract": HOSTILE, "remarks": [HOSTILE, f"EV-{'1' * 5000}"], "url": "javascript:alert(1)"},
        ])  # fmt: skip
        number = next(piece.number for piece in ws.evidence() if piece.kind == "evaluation" and "risk@2" in piece.title)
        acts.approve(ws, [number], "approved", key="approver")
        ws.close()
    return root


@pytest.fixture
def reader(made: Path) -> TestClient:
    """Somebody whose grant covers everything."""
    return signed_in(made)


@pytest.fixture
def number(made: Path) -> Callable[[str, str], str]:
    """Find the number of the newest evidence of a kind whose title holds some words."""

    def find(kind: str, words: str = "") -> str:
        with Workspace.open(made, read_only=True) as ws:
            return [piece.number for piece in ws.evidence() if piece.kind == kind and words in piece.title][-1]

    return find


@pytest.fixture
def served(made: Path) -> Iterator[str]:
    """The portal over a real socket; yields its address."""
    import socket
    import threading

    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(made), access_log=False, log_level="warning", server_header=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
