"""The ML-BOM and the environment's bill: judged by CycloneDX's own validator, held to the evidence they come from."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from compliance import InvalidInput, Profile, System, UnknownReference, Workspace
from compliance.core import packages
from compliance.exporters.cyclonedx import to_sbom
from compliance.services import bills, export, models

EVALUATION = {
    "kind": "evaluation", "title": "On people held out", "model": "risk@1", "dataset": "people@1",
    "started_at": "2026-11-23T10:02:11Z", "unit_of_analysis": "person",
    "metrics": [
        {"name": "sensitivity", "x": 318, "n": 402},
        {"name": "sensitivity", "group": {"sex": "F"}, "x": 171, "n": 214},
        {"name": "roc_auc", "n": 1970, "positives": 402, "value": "0.871", "ci_low": "0.851", "ci_high": "0.890",
         "ci_level": "0.95", "ci_method": "delong"},
    ],
}  # fmt: skip
SAFETY = {"kind": "safety-result", "title": "Noise", "model": "risk@1", "category": "robustness", "method": "noise",
          "metrics": [{"name": "sensitivity", "x": 40, "n": 50}]}  # fmt: skip


def invalid(bill: bytes, spec: str = "1.6") -> Any:
    """Return what CycloneDX's validator has against a bill; None for nothing."""
    return JsonStrictValidator(SchemaVersion.from_version(spec)).validate_str(bill.decode())


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        root = tmp_path_factory.mktemp("ws") / "ws"
        system = System(id="risk", name="Risk", provider="Example GmbH", model="risk")
        profile = Profile(intended_purpose="Estimates the risk of death")
        with Workspace.create(root, system=system, profile=profile, origin="example.org/risk") as workspace:
            model = root / "model"
            model.mkdir()
            (model / "model.pkl").write_bytes(b"\x80\x04cbuiltins\nprint\n.")
            (model / "requirements.txt").write_text("scikit-learn==1.6.1\nnumpy>=2\n")
            (root / "base.bin").write_bytes(b"base")
            (root / "people.csv").write_text("age\n50\n")
            workspace.log_model(root / "base.bin", name="base", version="1", licence="MIT")
            workspace.log_records([
                {"kind": "dataset", "name": "people@1", "title": "People held out", "path": "people.csv",
                 "role": "test", "rows": 1, "licence": "CC0-1.0"},
            ])  # fmt: skip
            workspace.log_model(
                model, name="risk", version="1", licence="Apache-2.0 OR MIT", base_model="base@1",
                limitations=["People aged 50 or over"], inputs=[{"name": "age", "type": "number", "unit": "a"}],
            )  # fmt: skip
            workspace.log_records([EVALUATION, SAFETY])
            yield workspace


@pytest.mark.parametrize("spec", ["1.6", "1.7"])
def test_the_ml_bom_is_valid_and_the_same_every_time(ws: Workspace, spec: str) -> None:
    name = "cyclonedx-ml" if spec == "1.6" else "cyclonedx-ml-1.7"
    bill = export.export(ws, name)
    assert invalid(bill, spec) is None
    assert bill == export.export(ws, name)
    broken = json.loads(bill)
    broken["metadata"]["component"]["modelCard"]["approach"] = "x"
    assert invalid(json.dumps(broken).encode(), spec) is not None


def test_the_ml_bom_says_what_the_evidence_says(ws: Workspace) -> None:
    bill = json.loads(export.export(ws, "cyclonedx-ml", model="risk@1"))
    model = bill["metadata"]["component"]
    content = next(p for p in reversed(ws.evidence()) if p.kind == "model-version").content
    assert (model["name"], model["version"], model["manufacturer"]) == ("risk", "1", {"name": "Example GmbH"})
    assert model["licenses"] == [{"expression": "Apache-2.0 OR MIT"}]
    assert model["pedigree"]["ancestors"][0]["name"] == "base"
    assert "hashes" not in model  # a folder has a root, and its files have hashes
    (file,) = model["components"]
    assert file["hashes"][0]["content"] == content["files"][0]["sha256"]
    assert {"name": "compliance-tracker:runs_code", "value": "true"} in file["properties"]
    assert {"name": "compliance-tracker:imports", "value": "builtins.print"} in file["properties"]
    card = model["modelCard"]
    assert card["modelParameters"] == {"datasets": [{"ref": "people@1"}], "inputs": [{"format": "age: number (a)"}]}
    assert card["considerations"] == {
        "useCases": ["Estimates the risk of death"],
        "technicalLimitations": ["People aged 50 or over"],
    }
    numbers = {piece.kind: piece.number for piece in ws.evidence()}
    rows = {row["slice"]: row for row in card["quantitativeAnalysis"]["performanceMetrics"]}
    where = f"people@1 (test); sex F; n 214; 0.95 interval: clopper-pearson; {numbers['evaluation']}"
    assert rows[where]["value"] == "0.799065"
    assert rows[where]["confidenceInterval"] == {"lowerBound": "0.739045", "upperBound": "0.850600"}
    assert any(name.startswith("robustness; ") for name in rows)
    components = {component["bom-ref"]: component for component in bill["components"]}
    assert components["pkg:pypi/scikit-learn@1.6.1"]["version"] == "1.6.1"
    assert "pkg:pypi/numpy" not in components  # a range is a wish
    assert components["people@1"]["data"][0]["classification"] == "internal"
    digests = {piece.number: piece.digest for piece in ws.evidence()}
    told = {p["name"].removeprefix("compliance-tracker:evidence:"): p["value"] for p in bill["metadata"]["properties"]}
    assert told
    assert told.items() <= digests.items()


def test_the_bill_ends_at_its_day_and_forgets_what_is_revoked(ws: Workspace) -> None:
    with pytest.raises(UnknownReference):
        export.export(ws, "cyclonedx-ml", as_of="2020-01-01")
    with pytest.raises(UnknownReference, match="absent"):
        export.export(ws, "cyclonedx-ml", model="absent@1")
    before = export.export(ws, "cyclonedx-ml")
    (again,) = ws.log_records([SAFETY | {"title": "Twice"}])
    with_it = export.export(ws, "cyclonedx-ml")
    assert with_it != before
    ws.log_records([{"kind": "revocation", "evidence": again.evidence, "reason": "Logged twice by mistake."}])
    assert export.export(ws, "cyclonedx-ml") == before


def test_an_environment_becomes_a_bill_on_record(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("scikit_learn==1.6.1 --hash=sha256:aa\nnumpy>=2 # any\n-e ./own\nown @ file:///tmp/own\n")
    (logged,) = bills.log_environment(ws, file, model="risk@1")
    piece = ws.ledger.piece(int(logged.evidence[3:]))
    counts = [piece.content[field] for field in ("components", "without_version", "without_licence", "unexplained")]
    assert counts == [2, 1, 2, 2]
    assert piece.completeness == "incomplete"
    assert "2 lines" in piece.predicate["completeness_reason"]
    attached = {one["name"]: (ws.attachments / one["sha256"]).read_bytes() for one in piece.predicate["attachments"]}
    assert attached["requirements.txt"] == file.read_bytes()
    bill = json.loads(attached[piece.content["attachment"]])
    assert invalid(attached[piece.content["attachment"]]) is None
    assert [component.get("version") for component in bill["components"]] == [None, "1.6.1"]
    file.write_text("# nothing\n")
    with pytest.raises(InvalidInput, match="names no package"):
        bills.log_environment(ws, file, model="risk@1")


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("own @ git+https://me:s3cret@example.org/own.git", True),
        ("--index-url https://s3cret@example.org/simple", True),
        ("own @ git+https://${USER}:${TOKEN}@example.org/own.git", False),
        ("own @ git+ssh://git@example.org/own.git@v1", False),
        ("own @ https://example.org/own@1.whl", False),
    ],
)
def test_an_environment_with_a_secret_in_it_is_not_attached(
    ws: Workspace, tmp_path: Path, line: str, secret: bool
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"numpy==2.0\n{line}\n")
    if not secret:
        assert bills.log_environment(ws, file, model="risk@1")
        return
    with pytest.raises(InvalidInput, match=r"requirements\.txt:2: the address holds") as refusal:
        bills.log_environment(ws, file, model="risk@1")
    assert "s3cret" not in str(refusal.value)


def test_conda_files_are_read(tmp_path: Path, ws: Workspace) -> None:
    file = tmp_path / "conda.yaml"
    file.write_text(
        "channels: [conda-forge]\ndependencies:\n- python=3.11.9\n- numpy=2.1.0=py311_0\n- pip<=24\n"
        "- pip:\n  - mlflow==3.17.2\n"
    )
    (logged,) = bills.log_environment(ws, file, model="risk@1")
    listed = {one["name"]: one.get("version") for one in ws.ledger.piece(int(logged.evidence[3:])).content["listed"]}
    assert listed == {"numpy": "2.1.0", "pip": None, "mlflow": "3.17.2"}


@given(
    st.lists(
        st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,8}[a-z]", fullmatch=True), st.sampled_from([None, "1.0"]))
    )
)
def test_every_list_of_packages_makes_a_valid_bill(listed: list[tuple[str, str | None]]) -> None:
    named = packages.by_name(packages.Package(name, version) for name, version in listed).values()
    bill = to_sbom(named, name="m", version="1", timestamp="2026-11-23T10:00:00Z", tool_version="0")
    assert invalid(bill) is None
    assert len(json.loads(bill)["components"]) == len({package.key for package in named})


def test_a_model_of_one_file_has_a_hash(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "one.bin").write_bytes(b"one")
    models.log_model(ws, tmp_path / "one.bin", name="one", version="1", licence="Own terms of 2026")
    model = json.loads(export.export(ws, "cyclonedx-ml", model="one@1"))["metadata"]["component"]
    assert model["hashes"][0]["alg"] == "SHA-256"
    assert model["licenses"] == [{"license": {"name": "Own terms of 2026"}}]
    models.log_model(ws, tmp_path / "one.bin", name="one", version="2")
    ws.log_records([
        {"kind": "model-version", "name": "one@2", "title": "More of it", "path": "one.bin", "task": "Triage",
         "limitations": ["Adults"]},
        {"kind": "model-version", "name": "one@2", "title": "Still more", "path": "one.bin",
         "limitations": ["Adults", "One site"]},
    ], base=tmp_path)  # fmt: skip
    card = json.loads(export.export(ws, "cyclonedx-ml", model="one@2"))["metadata"]["component"]["modelCard"]
    assert card["modelParameters"]["task"] == "Triage"
    assert card["considerations"]["technicalLimitations"] == ["Adults", "One site"]
    for version in "12":  # one digest under two names
        again = json.loads(export.export(ws, "cyclonedx-ml", model=f"one@{version}"))["metadata"]["component"]
        assert again["version"] == version


def test_rows_without_bounds_and_claims_that_are_not_borne_out_are_told(ws: Workspace) -> None:
    """All cases of one patient have a method and no bounds; a claim was kept that its predictions refute."""
    rows = "".join(f"{i % 2},0.{i % 7 + 1},p1\n" for i in range(24))
    (ws.root / "p.csv").write_text(f"truth,score,patient\n{rows}")
    told = {"model": "risk@1", "dataset": "people@1"}
    ws.log_evaluation(**told, predictions=ws.root / "p.csv", columns={"cluster": "patient"})
    predictions = {"attachment": "p.csv", "truth": "truth", "score": "score", "claims_kept": "As printed."}
    attachments = [{"path": "p.csv", "classification": "restricted"}]
    claim = {"kind": "evaluation", "title": "Claimed", **told, "predictions": predictions, "attachments": attachments}
    (kept,) = ws.log_records([claim | {"metrics": [{"name": "roc_auc", "value": "0.99"}]}])
    bill = export.export(ws, "cyclonedx-ml", model="risk@1")
    assert invalid(bill) is None
    metrics = json.loads(bill)["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    (slice_,) = [one["slice"] for one in metrics if one["slice"].endswith(kept.evidence)]
    assert "its own predictions do not bear it out" in slice_
    assert sum("do not bear" in one["slice"] for one in metrics) == 1
