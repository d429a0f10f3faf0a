"""A tracking server that means harm, or is none: its answers end, fit into memory and are never our fault."""

import gzip
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from compliance.errors import Unavailable
from compliance.storage.mirror import http
from compliance.storage.mirror.rest import RestTracking

INFO = {"run_id": "r", "experiment_id": "1", "status": "FINISHED", "lifecycle_stage": "active", "start_time": 1}
PROXIED = {**INFO, "artifact_uri": "mlflow-artifacts:/1/r/artifacts"}

Answer = Callable[[str, dict[str, list[str]]], tuple[bytes, str]]


class Hostile:
    """A server whose answers a test chooses: path and query in, body and encoding out."""

    def __init__(self) -> None:
        self.answer: Answer = lambda path, query: (b"{}", "")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                body, encoding = outer.answer(parts.path, parse_qs(parts.query))
                self.send_response(200)
                if encoding:
                    self.send_header("Content-Encoding", encoding)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name is BaseHTTPRequestHandler's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.tracking = RestTracking(f"http://127.0.0.1:{self.server.server_address[1]}", {})

    def always(self, said: Any, encoding: str = "") -> RestTracking:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.answer = lambda path, query: (body, encoding)
        return self.tracking


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    one = Hostile()
    thread = Thread(target=one.server.serve_forever)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.mark.parametrize(
    "said",
    [
        b'{"run":' + b"[" * 100_000,
        [1],
        {},
        {"run": []},
        {"run": {"info": {**INFO, "start_time": "9" * 30}}},
        {"run": {"info": {**INFO, "start_time": -1}}},
        {"run": {"info": INFO, "data": {"tags": "none"}}},
        {"run": {"info": INFO, "data": {"metrics": [{"key": "auc", "value": "high"}]}}},
        {"run": {"info": {**INFO, "run_name": ["x"]}}},
        {"run": {"info": INFO, "data": {"params": [{"key": "C", "value": 1}]}}},
    ],
)
def test_what_is_not_shaped_as_a_run_is_no_answer_of_mlflows(hostile: Hostile, said: Any) -> None:
    with pytest.raises(Unavailable, match="does not answer like an MLflow server"):
        hostile.always(said).run("r")


@pytest.mark.parametrize(
    ("said", "ask"),
    [
        ({"registered_models": [{"name": ["x"]}]}, lambda tracking: tracking.registered_models()),
        ({"experiments": [{"experiment_id": "1", "name": 1}]}, lambda tracking: tracking.experiments()),
        ({"experiments": [{}]}, lambda tracking: tracking.experiment("compliance/x")),
        ({}, lambda tracking: tracking.make_experiment("compliance/x")),
        ({"datasets": [{"name": None}]}, lambda tracking: tracking.evaluation_sets("1")),
        ({"metrics": [{"key": "auc", "value": []}]}, lambda tracking: list(tracking.history("r", "auc"))),
    ],
)
def test_an_answer_with_other_types_is_no_fault_of_ours(
    hostile: Hostile, said: Any, ask: Callable[[RestTracking], object]
) -> None:
    with pytest.raises(Unavailable, match="does not answer like an MLflow server"):
        ask(hostile.always(said))


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 3 << 20)
    with pytest.raises(Unavailable, match="more than 3 MB"):
        hostile.always(gzip.compress(b'{"run":"' + bytes(8 << 20)), "gzip").run("r")


@pytest.mark.parametrize(
    "ask",
    [
        lambda tracking: tracking.experiments(),
        lambda tracking: tracking.registered_models(),
        lambda tracking: list(tracking.runs("1")),
        lambda tracking: tracking.model_versions("m"),
        lambda tracking: list(tracking.history("r", "auc")),
    ],
)
def test_a_search_without_an_end_is_given_up(hostile: Hostile, ask: Callable[[RestTracking], object]) -> None:
    with pytest.raises(Unavailable, match="does not answer like an MLflow server"):
        ask(hostile.always({"next_page_token": "the same"}))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "MLmodel\n", "\x1b[2J"])
def test_a_file_whose_name_leads_elsewhere_is_not_asked_for(hostile: Hostile, name: str) -> None:
    run = hostile.always({"run": {"info": PROXIED}}).run("r")
    with pytest.raises(Unavailable, match="does not answer like an MLflow server"):
        hostile.always({"files": [{"path": name}]}).artifacts(run)


def test_folders_in_folders_without_an_end_are_given_up(hostile: Hostile) -> None:
    run = hostile.always({"run": {"info": PROXIED}}).run("r")
    with pytest.raises(Unavailable, match="does not answer like an MLflow server"):
        hostile.always({"files": [{"path": "d", "is_dir": True}]}).artifacts(run)


@pytest.mark.parametrize("place", ["file:///home", "/home", "file://localhost/home"])
def test_a_server_elsewhere_does_not_choose_what_is_read_here(hostile: Hostile, place: str) -> None:
    run = hostile.always({"run": {"info": {**INFO, "artifact_uri": place}}}).run("r")
    for host in ("mlflow.example", "127.0.0.1.example", "10.0.0.7"):
        elsewhere = RestTracking(f"http://{host}:5000", {})
        with pytest.raises(Unavailable, match="a folder of whoever asks"):
            elsewhere.artifacts(run)
        with pytest.raises(Unavailable, match="a folder of whoever asks"):
            elsewhere.read(run, "id_rsa")
