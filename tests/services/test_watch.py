"""A watcher that MLflow's webhooks wake, that survives an outage, and that believes no delivery."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from support.mlflow_server import MakeWorkspace, Server

from compliance.services import capture, watch
from compliance.services.workspace import Workspace

SECRET = "a secret of the test"


@pytest.fixture
def ws(server: Server, make_workspace: MakeWorkspace) -> Workspace:
    made = make_workspace(server.uri, system="watched")
    made.config.mlflow.models.append("watched-*")
    made.config.mlflow.experiments.append("watched-*")
    return made


@pytest.fixture
def client(server: Server) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=server.uri, registry_uri=server.uri)


@pytest.fixture
def wake() -> threading.Event:
    return threading.Event()


@pytest.fixture
def address(wake: threading.Event) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    with watch.listening(listener, SECRET.encode(), wake):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def registered(client: Any, name: str) -> None:
    experiment = client.create_experiment(name)
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "weights", "model/weights.txt")
    client.set_terminated(run.info.run_id)
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)


def test_a_registered_version_wakes_the_watcher_and_becomes_evidence(
    ws: Workspace, client: Any, wake: threading.Event, address: str
) -> None:
    client.create_webhook("watcher", f"{address}/mlflow", ["model_version.created"], secret=SECRET)
    seen = watch.watch(ws, every=300, wake=wake)
    assert next(seen).look is not None
    registered(client, "watched-one")
    assert wake.wait(60)
    look = next(seen).look
    assert look is not None
    assert [piece.kind for piece in look.logged] == ["training-run", "model-version", "log"]
    assert look.uncovered == []


def test_an_outage_leaves_nothing_uncaptured(ws: Workspace, server: Server, client: Any, wake: threading.Event) -> None:
    seen = watch.watch(ws, every=0.01, wake=wake)
    next(seen)
    registered(client, "watched-two")
    server.stop()
    try:
        lost = next(seen)
        assert lost.look is None
        assert "cannot be reached" in lost.problem
    finally:
        server.start()
    look = next(seen).look
    assert look is not None
    assert "watched-two@1" in {f"{s['name']}@{s['version']}" for piece in look.logged for s in piece.subject}


def test_an_outage_in_the_middle_of_a_look_signs_nothing_of_what_was_not_read(
    ws: Workspace, server: Server, client: Any, wake: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(client, "watched-three")
    captured = capture.log_run

    def goes_away(*given: Any, **more: Any) -> Any:
        server.stop()
        return captured(*given, **more)

    seen = watch.watch(ws, every=0.01, wake=wake)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(capture, "log_run", goes_away)
            assert next(seen).look is None
        assert ws.ledger.indexes_of("log") == []
    finally:
        server.start()
    look = next(seen).look
    assert look is not None
    assert look.uncovered == []


def post(address: str, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> int:
    return urllib3.request(method, address + path, body=body, headers=headers, retries=False).status


def test_unsigned_oversized_and_misplaced_requests_wake_nobody(wake: threading.Event, address: str) -> None:
    assert post(address, "/mlflow", b"{}", {}) == 401
    assert post(address, "/mlflow", b"{}", {"X-MLflow-Signature": "v1,AAAA", "X-MLflow-Timestamp": "1"}) == 401
    assert post(address, "/mlflow", b"x" * (watch.LARGEST + 1), {}) == 413
    assert post(address, "/elsewhere", b"{}", {}) == 404
    assert post(address, "/mlflow", b"", {}, method="GET") == 405
    assert not wake.is_set()


def test_a_delivery_that_does_not_end_is_given_up(
    wake: threading.Event, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.2)
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=20) as slow:
        slow.sendall(b"POST /mlflow HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    assert not wake.is_set()


def test_headers_that_do_not_end_are_given_up(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.2)
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=20) as slow:
        slow.sendall(b"POST /mlflow HTTP/1.1\r\nHost: ")
        with suppress(ConnectionResetError):
            assert slow.recv(100) == b""


def test_a_repeated_delivery_wakes_once(wake: threading.Event, address: str) -> None:
    from mlflow.webhooks.delivery import _generate_hmac_signature

    at = str(int(time.time()))
    headers = {
        "X-MLflow-Signature": _generate_hmac_signature(SECRET, "d-1", at, "{}"),
        "X-MLflow-Timestamp": at,
        "X-MLflow-Delivery-Id": "d-1",
    }
    assert post(address, "/mlflow", b"{}", headers) == 204
    assert wake.is_set()
    wake.clear()
    assert post(address, "/mlflow", b"{}", headers) == 204
    assert not wake.is_set()
