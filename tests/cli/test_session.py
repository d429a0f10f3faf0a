"""A whole session on one workspace, command by command, with the JSON that others may rely on."""

import re
import shutil
from pathlib import Path

import pytest

from .conftest import EVALUATION, Compliance

PROFILE = """[profile]
intended_purpose = "Estimates the risk of death within five years"
roles = ["provider"]
high_risk = ["annex-i"]
device = { law = "MDR", class = "IIa", rule = "11", notified_body = true }
markets = ["EU"]
features = []
"""


@pytest.fixture(scope="module")
def session(filled: Path, compliance: Compliance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a signed profile, an evaluation, and a registered approver."""
    root = Path(shutil.copytree(filled, tmp_path_factory.mktemp("session") / "ws"))
    config = root / "compliance.toml"
    config.write_text(config.read_text().replace("[profile]\n", PROFILE, 1))
    (root / "results.yaml").write_text(EVALUATION)
    for arguments in (
        ("log", "record", "compliance.toml"),
        ("log", "evaluation", "results.yaml", "--model", "clinical-risk@1", "--dataset", "flchain-test@1"),
        ("key", "create", "approver"),
        ("key", "trust", ".compliance/keys/approver.pub", "--holder", "Demonstration approver", "--role", "approver"),
    ):
        ran = compliance(*arguments, cwd=root)
        assert ran.code == 0, ran.err
    return root


def numbered(session: Path, compliance: Compliance, kind: str) -> str:
    rows = compliance("list", "--kind", kind, "--json", cwd=session).json
    return str(rows[-1]["evidence"])


def test_list(session: Path, compliance: Compliance) -> None:
    rows = compliance("list", "--json", cwd=session).json
    assert [row["evidence"] for row in rows] == [f"EV-{n:06d}" for n in range(len(rows))]
    for row in rows:
        assert {"evidence", "kind", "title", "subject", "recorded_at", "completeness", "revoked"} <= row.keys()
        assert all({"name", "version", "sha256"} <= subject.keys() for subject in row["subject"])
    about = compliance("list", "--subject", "clinical-risk@1", "--json", cwd=session).json
    assert {row["kind"] for row in about} == {"model-version", "evaluation"}


def test_show(session: Path, compliance: Compliance) -> None:
    number = numbered(session, compliance, "evaluation")
    found = compliance("show", number, "--json", cwd=session).json
    assert found["signature"] == "holds"
    assert found["statement"]["predicate"]["content"]["metrics"][1]["value"] == "0.799065"
    plain = compliance("show", number, cwd=session).out
    assert "0.739045 to 0.850600" in plain
    assert "171/214" in plain
    assert compliance("show", f"EV-{int(number[3:])}", cwd=session).out == plain


def test_show_says_which_requirements_rest_on_it(session: Path, compliance: Compliance) -> None:
    number = numbered(session, compliance, "evaluation")
    shown = {row["requirement"]: row for row in compliance("show", number, "--json", cwd=session).json["requirements"]}
    findings = compliance("status", "--json", cwd=session).json["findings"]
    resting = {one["requirement"]: one["finding"] for one in findings if number in one["evidence"] + one["against"]}
    assert {name: row["finding"] for name, row in shown.items()} == resting
    accuracy = shown["eu-ai-act/art-15.1"]
    assert accuracy["bearing"] == "cannot carry it", "nobody approved anything"
    plain = compliance("show", number, cwd=session).out
    assert re.search(r"^eu-ai-act/art-15.1 +(partial|insufficient|failed) +cannot carry it$", plain, re.MULTILINE)


def test_status_and_gate(session: Path, compliance: Compliance) -> None:
    status = compliance("status", "--json", cwd=session).json
    assert {"as_of", "model", "counts", "findings"} <= status.keys()
    assert sum(status["counts"].values()) == len(status["findings"])
    for finding in status["findings"]:
        assert {"requirement", "catalog", "finding", "reason", "evidence", "next"} <= finding.keys()
    accuracy = next(f for f in status["findings"] if f["requirement"] == "eu-ai-act/art-15.1")
    assert accuracy["finding"] != "met", "nobody approved anything"
    gate = compliance("gate", "--model", "clinical-risk@1", "--json", cwd=session)
    assert gate.code == 1
    assert gate.json["ok"] is False
    plain = compliance("status", cwd=session).out
    assert "Next steps" in plain
    assert "compliance " in plain


def test_as_of_an_earlier_day_nothing_was_on_record(session: Path, compliance: Compliance) -> None:
    ran = compliance("status", "--as-of", "2020-01-01", "--json", cwd=session)
    if ran.code == 0:
        assert "met" not in {finding["finding"] for finding in ran.json["findings"]}
    else:
        assert ran.code == 2, ran.err


def test_people_decide(session: Path, compliance: Compliance) -> None:
    number = numbered(session, compliance, "evaluation")
    approved = compliance("approve", number, "--meaning", "approved", "--key", "approver", "--json", cwd=session)
    assert approved.json[0]["kind"] == "approval"
    assert compliance("show", number, "--json", cwd=session).json["approved_by"] == [approved.json[0]["evidence"]]
    decided = compliance(
        "determine", "eu-ai-act/art-15.1", "--model", "clinical-risk@1", "--decision", "not-met",
        "--reason", "Robustness was not shown.", "--key", "approver", "--json", cwd=session,
    )  # fmt: skip
    assert decided.json[0]["kind"] == "determination"
    findings = compliance("status", "--json", cwd=session).json["findings"]
    assert next(f for f in findings if f["requirement"] == "eu-ai-act/art-15.1")["finding"] == "failed"
    withdrawn = compliance(
        "revoke", decided.json[0]["evidence"], "--reason", "Too early.", "--key", "approver", "--json", cwd=session
    )
    assert withdrawn.json[0]["kind"] == "revocation"
    rows = {row["evidence"]: row for row in compliance("list", "--json", cwd=session).json}
    assert rows[decided.json[0]["evidence"]]["revoked"] is True
    current = compliance("list", "--current", "--json", cwd=session).json
    assert decided.json[0]["evidence"] not in [row["evidence"] for row in current]


def test_lineage(session: Path, compliance: Compliance) -> None:
    found = compliance("lineage", "flchain-test", "--json", cwd=session).json
    assert found["subject"] == "flchain-test@1"
    assert "evaluation" in [link["relation"] for link in found["downstream"]]


def test_verify(session: Path, compliance: Compliance) -> None:
    report = compliance("verify", "--json", cwd=session).json
    assert report["ok"] is True
    assert report["problems"] == []
    assert report["mirror"] == "left out"
    checkpoint = session / ".compliance" / "checkpoint"
    assert compliance("verify", "--against", checkpoint, cwd=session).code == 0


def test_verify_finds_and_names_a_changed_byte(session: Path, compliance: Compliance, tmp_path: Path) -> None:
    root = Path(shutil.copytree(session, tmp_path / "ws"))
    ledger = root / ".compliance" / "ledger.db"
    data = ledger.read_bytes()
    payload = data.index(b'"payload":"') + 200
    ledger.write_bytes(data[:payload] + (b"A" if data[payload : payload + 1] != b"A" else b"B") + data[payload + 1 :])
    ran = compliance("verify", "--json", cwd=root)
    assert ran.code == 1
    assert ran.json["ok"] is False
    assert ran.json["problems"][0].keys() >= {"evidence", "problem"}
    assert compliance("verify", cwd=root).out.startswith("EV-")


def test_keys_and_grants(session: Path, compliance: Compliance) -> None:
    keys = {key["name"]: key for key in compliance("key", "list", "--json", cwd=session).json}
    assert keys["approver"]["holder"] == "Demonstration approver"
    assert keys["approver"]["state"] == "active"
    made = compliance("grant", "create", "Notified body", "--days", "7", "--json", cwd=session).json
    assert made["link"].startswith("http://127.0.0.1:8321/")
    (grant,) = compliance("grant", "list", "--json", cwd=session).json
    assert grant["holder"] == "Notified body"
    assert made["link"].rpartition("/")[2] not in str(grant)
    assert compliance("grant", "revoke", grant["id"], cwd=session).code == 0
    assert compliance("grant", "list", "--json", cwd=session).json[0]["state"] == "revoked"


def test_catalogs_and_schemas(compliance: Compliance, tmp_path: Path) -> None:
    catalogs = {found["id"]: found for found in compliance("catalog", "list", "--json").json}
    assert catalogs.keys() >= {"eu-ai-act", "fda-aidsf"}
    shown = compliance("catalog", "show", "eu-ai-act", "--json").json
    assert len(shown["requirements"]) == catalogs["eu-ai-act"]["requirements"]
    assert {"id", "ref", "text", "tier"} <= shown["requirements"][0].keys()
    assert compliance("catalog", "show", "eu-ai-act/art-15.1").out.startswith("eu-ai-act/art-15.1  Art. 15(1)\n")
    kinds = {found["kind"] for found in compliance("schema", "list", "--json").json}
    assert {"model-version", "dataset", "evaluation", "safety-result"} <= kinds
    written = compliance("schema", "export", "--dir", tmp_path, "--json").json
    assert f"{tmp_path}/evidence/evaluation.schema.json" in written


def test_dossiers_are_listed(compliance: Compliance) -> None:
    found = {dossier["id"] for dossier in compliance("dossier", "list", "--json").json}
    assert {"annex-iv", "annex-xi"} <= found


def test_doctor(session: Path, compliance: Compliance, tmp_path: Path) -> None:
    checks = {check["name"]: check for check in compliance("doctor", "--json", cwd=session).json}
    assert checks["ledger"]["state"] == "ok"
    assert checks["mirror"]["state"] == "warning"
    assert checks["MLflow"]["state"] == "warning"
    assert "sync" in checks["mirror"]["remedy"]
    assert all(check["remedy"] for check in checks.values() if check["state"] != "ok")
    alone = {check["name"]: check for check in compliance("doctor", "--json", cwd=tmp_path).json}
    assert alone["python"]["state"] == "ok"
    assert alone["workspace"]["state"] == "warning"


def test_doctor_names_a_pipeline_that_is_an_admin(session: Path, compliance: Compliance, tmp_path: Path) -> None:
    root = Path(shutil.copytree(session, tmp_path / "ws"))

    def admins() -> tuple[str, str]:
        return next(
            (one["state"], one["detail"])
            for one in compliance("doctor", "--json", cwd=root).json
            if one["name"] == "admins"
        )

    state, detail = admins()
    assert state == "warning"
    assert "training-pipeline" in detail
    public = ".compliance/keys/{}.pub"
    trust = ("key", "trust", public.format("quality"), "--holder", "Head of Quality", "--role", "admin")
    less = ("key", "trust", public.format("training-pipeline"), "--holder", "Training pipeline", "--pipeline",
            "--role", "recorder", "--key", "quality")  # fmt: skip
    for arguments in (("key", "create", "quality"), trust, less):
        assert compliance(*arguments, cwd=root).code == 0
    assert admins() == ("ok", "quality")


def test_doctor_finds_a_key_that_others_can_read(session: Path, compliance: Compliance, tmp_path: Path) -> None:
    root = Path(shutil.copytree(session, tmp_path / "ws"))
    (root / ".compliance" / "keys" / "approver.pem").chmod(0o644)
    ran = compliance("doctor", "--json", cwd=root)
    assert ran.code == 3
    keys = next(check for check in ran.json if check["name"] == "keys")
    assert keys["state"] == "problem"
    assert "chmod 600" in keys["remedy"]


def test_a_changed_profile_counts_only_once_signed(session: Path, compliance: Compliance, tmp_path: Path) -> None:
    root = Path(shutil.copytree(session, tmp_path / "ws"))
    config = root / "compliance.toml"
    config.write_text(config.read_text().replace('high_risk = ["annex-i"]', "high_risk = []"))
    before = compliance("status", cwd=root)
    assert "compliance.toml" in before.out, "status says that file and record differ"
    checks = {check["name"]: check for check in compliance("doctor", "--json", cwd=root).json}
    assert checks["profile"]["state"] == "warning"
    assert compliance("log", "record", "compliance.toml", cwd=root).code == 0
    after = compliance("status", "--json", cwd=root).json
    assert after["counts"] != compliance("status", "--json", cwd=session).json["counts"]
