"""Logging: all or none, one name one digest, nothing reached for, nothing acknowledged lost."""

import json
import multiprocessing
from pathlib import Path

import pytest

from compliance import Conflict, InvalidInput, Profile, System, Unavailable, UnknownReference, Workspace
from compliance.core import merkle
from compliance.core.canonical import digest
from compliance.core.envelope import load_public_key, unseal
from compliance.services import acts, keys, record
from compliance.services.verify import verify_workspace

PLAN = {
    "kind": "acceptance-plan",
    "name": "plan@1",
    "title": "Criteria fixed before testing",
    "model": "m",
    "data_role": "test",
    "criteria": [
        {"id": "sens", "metric": "sensitivity", "comparator": ">=", "threshold": "0.70", "bound": "ci_low",
         "ci_level": "0.95", "min_n": 30},
    ],
}  # fmt: skip


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
    system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=["eu-ai-act"])
    workspace = Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")
    model = workspace.root / "model"
    model.mkdir()
    (model / "weights.bin").write_bytes(bytes(1000))
    return workspace


def records(ws: Workspace) -> list[tuple[str, str]]:
    return [(piece.number, piece.kind) for piece in ws.evidence()]


def test_a_new_workspace_begins_with_its_key_and_its_system_and_verifies(ws: Workspace) -> None:
    assert records(ws) == [("EV-000000", "key-event"), ("EV-000001", "system-description")]
    assert not ws.profile_differs()
    assert verify_workspace(ws.root).ok


def test_what_is_logged_can_be_unsealed_and_is_in_the_tree(ws: Workspace) -> None:
    (logged,) = ws.log_model(ws.root / "model", name="m", version="1")
    envelope = ws.ledger.envelope(logged.digest)
    assert envelope is not None
    assert digest(envelope) == logged.digest
    key = load_public_key((ws.root / ".compliance/keys/training-pipeline.pub").read_bytes())
    statement = json.loads(unseal(envelope, {key.hint: key}))
    assert statement["subject"][0]["name"] == "m@1"
    assert statement["subject"][0]["annotations"] == {"basis": "folder"}
    assert [a["name"] for a in statement["predicate"]["attachments"]] == ["model.sig"]
    index, size = int(logged.evidence[3:]), ws.ledger.size
    leaf = merkle.leaf_hash(ws.ledger.entry(index).leaf)
    merkle.verify_inclusion(leaf, index, size, ws.ledger.inclusion(index, size), ws.ledger.root(size))


def test_a_batch_may_refer_to_itself_and_is_logged_whole_or_not_at_all(ws: Workspace) -> None:
    ws.log_model(ws.root / "model", name="m", version="1")
    before = records(ws), (ws.root / ".compliance/checkpoint").read_text()
    result = {"kind": "safety-result", "model": "m@1", "title": "Noise", "category": "robustness", "plan": "plan@1",
              "method": "noise", "metrics": [{"name": "sensitivity", "x": 40, "n": 50}]}  # fmt: skip
    with pytest.raises(InvalidInput):
        ws.log_records([PLAN, result | {"model": "m@2"}])
    assert (records(ws), (ws.root / ".compliance/checkpoint").read_text()) == before
    ws.log_records([PLAN, result])
    assert [kind for _, kind in records(ws)][-2:] == ["acceptance-plan", "safety-result"]


def test_a_name_and_version_mean_one_digest_for_ever(ws: Workspace) -> None:
    ws.log_model(ws.root / "model", name="m", version="1")
    ws.log_model(ws.root / "model", name="m", version="1", title="The same bytes again")
    (ws.root / "model/weights.bin").write_bytes(b"other")
    with pytest.raises(Conflict, match="m@1 stands for"):
        ws.log_model(ws.root / "model", name="m", version="1")


def test_a_record_may_not_reach_for_other_files(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    link = ws.root / "innocent.txt"
    link.symlink_to(tmp_path / "secret")
    for path in ("../secret", str(tmp_path / "secret"), "innocent.txt"):
        with pytest.raises(InvalidInput, match="lies outside"):
            ws.log_records([PLAN | {"attachments": [{"path": path}]}])


@pytest.mark.parametrize("path", [".compliance/keys/log.pem", "innocent.pem", ".compliance/ledger.db"])
def test_no_key_becomes_evidence(ws: Workspace, path: str) -> None:
    (ws.root / "innocent.pem").symlink_to(ws.root / ".compliance" / "keys" / "log.pem")
    with pytest.raises(InvalidInput, match="where keys and secrets are"):
        ws.log_records([PLAN | {"attachments": [{"path": path}]}])
    with pytest.raises(InvalidInput, match="where keys and secrets are"):
        ws.log_records([{"kind": "document", "name": "d@1", "title": "d", "document_type": "policy", "path": path}])


def test_attachments_are_kept_under_their_digest(ws: Workspace) -> None:
    (ws.root / "note.txt").write_text("aside")
    ws.log_records([PLAN | {"attachments": [{"path": "note.txt", "classification": "restricted"}]}])
    (attached,) = ws.evidence()[-1].predicate["attachments"]
    assert (ws.attachments / attached["sha256"]).read_text() == "aside"
    assert attached["size"] == "5"


@pytest.mark.parametrize(
    ("kind", "said", "told"),
    [
        ("dataset", {"leakage": {"datasets": 1, "not_comparable": 0, "shared": 0}}, "leakage is measured"),
        ("dataset", {"fingerprints": {}}, "fingerprints is measured"),
        ("dataset", {"rows_sha256": "0" * 64}, "rows_sha256 is measured"),
        ("evaluation", {"recomputation": {"agree": 3}}, "recomputation is measured"),
        ("evaluation", {"metrics": [{"name": "accuracy", "origin": "recomputed"}]}, "no predictions are attached"),
    ],
)
def test_what_is_measured_is_never_written(ws: Workspace, kind: str, said: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        ws.log_records([{"kind": kind, "title": "by hand", **said}])
    assert len(records(ws)) == 2


def test_a_wrong_pass_phrase_writes_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "wrong")
    with Workspace.open(ws.root) as other, pytest.raises(Unavailable, match="pass phrase"):
        other.log_records([PLAN])
    assert len(records(ws)) == 2


def test_a_key_signs_only_what_its_roles_allow(ws: Workspace) -> None:
    keys.create(ws, "stranger")
    with pytest.raises(InvalidInput, match="not registered"):
        ws.log_records([PLAN], key="stranger")
    with pytest.raises(InvalidInput, match="may not be signed"):
        acts.approve(ws, ["EV-000001"], "approved")


def test_an_act_names_a_record_by_digest(ws: Workspace) -> None:
    (plan,) = ws.log_records([PLAN])
    (revoked,) = acts.revoke(ws, plan.evidence, "Threshold was mistyped.")
    subject = ws.evidence()[-1].subjects[0]
    assert (subject["name"], subject["digest"]["sha256"]) == (plan.evidence, plan.digest)
    assert revoked.kind == "revocation"
    with pytest.raises(UnknownReference):
        acts.revoke(ws, "EV-000999", "There is none.")


def test_a_pipeline_does_not_undo_what_a_person_decided(ws: Workspace) -> None:
    ws.log_model(ws.root / "model", name="m", version="1")
    keys.trust(ws, keys.create(ws, "reviewer"), holder="Test reviewer", holder_type="person", roles=["reviewer"])
    (decided,) = acts.determine(ws, ["eu-ai-act/art-15.1"], "m@1", "not-met", "Not shown.", key="reviewer")
    with pytest.raises(InvalidInput, match="withdrawn by a person"):
        acts.revoke(ws, decided.evidence, "It is in the way.")
    acts.revoke(ws, decided.evidence, "Decided too early.", key="reviewer")


def test_an_erased_record_leaves_every_proof_whole(ws: Workspace) -> None:
    (plan,) = ws.log_records([PLAN])
    acts.revoke(ws, plan.evidence, "A court ordered it.", erase="Art. 17 GDPR")
    assert ws.ledger.envelope(plan.digest) is None
    assert verify_workspace(ws.root).ok


def _append(root: Path, count: int) -> None:
    with Workspace.open(root) as ws:
        for number in range(count):
            ws.log_records([PLAN | {"name": f"plan-{multiprocessing.current_process().name}@{number}"}])


def test_two_processes_log_at_once(ws: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(ws.root, 10), name=f"w{n}") for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(records(ws)) == 22
    report = verify_workspace(ws.root)
    assert report.ok
    assert report.checked == 22


def test_a_ledger_takes_no_evidence_of_another_system(ws: Workspace) -> None:
    file = ws.root / "compliance.toml"
    file.write_text(file.read_text().replace('id = "demo"', 'id = "Demo"'))
    with Workspace.open(ws.root) as other, pytest.raises(InvalidInput, match="this ledger is that of demo"):
        record.log_file(other, file)
    assert verify_workspace(ws.root).ok


def test_logging_the_configuration_signs_what_it_says(ws: Workspace) -> None:
    path = ws.root / "compliance.toml"
    path.write_text(path.read_text().replace("[profile]\n", '[profile]\nroles = ["provider"]\n'))
    with Workspace.open(ws.root) as changed:
        assert changed.profile_differs()
        assert changed.signed_profile().roles is None
        record.log_file(changed, path)
        assert not changed.profile_differs()
        assert changed.signed_profile().roles == ["provider"]
