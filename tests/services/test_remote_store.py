"""A tracking server as teams run it: TLS, user name and password, artifacts in an S3-compatible store."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.mlflow_server import MakeWorkspace, Server

from compliance.errors import Unavailable
from compliance.services import mirroring
from compliance.services.capture import capture_model, capture_run
from compliance.services.compare import compare
from compliance.services.sync import sync
from compliance.services.verify import verify_workspace
from compliance.services.workspace import Workspace

USER, PASSWORD = "admin", "a password of the test"
BUCKET = "evidence"
ENDS = "--timeout-graceful-shutdown 1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", made, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """moto's server on a free port, and the environment that points there."""
    from moto.server import ThreadedMotoServer

    store = ThreadedMotoServer("127.0.0.1", 0)
    store.start()
    host, port = store.get_host_and_port()
    environment = {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=environment["MLFLOW_S3_ENDPOINT_URL"],
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test-secret",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield environment
    store.stop()


@pytest.fixture(scope="module")
def remote(
    tmp_path_factory: pytest.TempPathFactory,
    certificate: tuple[Path, Path],
    s3: dict[str, str],
) -> Iterator[Server]:
    """A server that leaves artifacts to its clients, which then write to the store themselves."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\n"
        f"admin_username = {USER}\nadmin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    made = Server(
        folder,
        scheme="https",
        options=[
            "--no-serve-artifacts", "--default-artifact-root", f"s3://{BUCKET}/runs", "--app-name", "basic-auth",
            "--uvicorn-opts", f"--ssl-certfile {certificate[0]} --ssl-keyfile {certificate[1]} {ENDS}",
        ],
        settings=s3 | {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "test"},
    )  # fmt: skip
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def ws(
    remote: Server,
    make_workspace: MakeWorkspace,
    certificate: tuple[Path, Path],
    s3: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    import mlflow  # noqa: F401  (so that logging writes at once)

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate[0]))
    return make_workspace(remote.uri, system=f"remote-{remote.port}")


def trained(remote: Server) -> tuple[Any, str, str]:
    from mlflow import MlflowClient

    client = MlflowClient(remote.uri, remote.uri)
    name = f"net-{remote.port}"
    run = client.create_run(client.create_experiment(name))
    client.log_metric(run.info.run_id, "loss", 0.5)
    client.log_text(run.info.run_id, "weights", "model/weights.txt")
    client.set_terminated(run.info.run_id)
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    return client, run.info.run_id, name


def test_runs_and_models_are_captured_and_mirrored(ws: Workspace, remote: Server, monkeypatch: Any) -> None:
    client, run, name = trained(remote)
    (captured,) = capture_run(ws, run)
    (model,) = capture_model(ws, name)
    assert captured.mirror == model.mirror == "mirrored"
    assert client.get_run(run).data.tags["compliance.evidence"] == captured.evidence
    assert compare(ws) == []
    assert verify_workspace(ws.root).ok
    stored = "".join(path.read_text(errors="replace") for path in ws.root.rglob("*") if path.is_file())
    assert PASSWORD not in stored
    assert "test-secret" not in stored


def test_a_wrong_password_loses_nothing_and_is_said_without_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "not the password"
    mirroring.forget(ws)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", wrong)
    (logged,) = ws.log_records([{"kind": "document", "name": "plan@1", "title": "Plan", "document_type": "policy"}])
    assert logged.mirror == "pending"
    report = sync(ws)
    assert report.pending
    assert "refuses our credentials" in " ".join(report.problems)
    assert wrong not in " ".join(report.problems)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    mirroring.forget(ws)
    assert sync(ws).pending == 0


def test_a_certificate_that_nobody_vouches_for_is_refused(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    with pytest.raises(Unavailable, match="cannot be reached"):
        capture_run(ws, "0" * 32)
