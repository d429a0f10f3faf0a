"""The two example systems, step by step, as somebody would do it by command: no step knows a result beforehand."""

import os
import runpy
import secrets
import sys
import tomllib
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.system import Description, Profile, System
from compliance.errors import Unavailable, VerificationFailed
from compliance.services import acts, grants, keys
from compliance.services.workspace import KEYS, Workspace
from compliance.storage.assets import folder as shipped

Tell = Callable[[str], None]

PASSPHRASE = f"{KEYS}/passphrase"
PEOPLE = {"reviewer": "Demonstration reviewer", "approver": "Demonstration approver"}
"""Keys held by functions: the examples name no person."""


def build(name: str, root: Path, tell: Tell) -> dict[str, Any]:
    """Build the workspace of one example and return what `DemoResult` holds."""
    _own_environment()
    import_module("mlflow")  # loaded first, so that evidence reaches MLflow from here and not from the background
    if name == "clinical-risk" and find_spec("sksurv") is None:
        raise Unavailable(
            "The example's data come with scikit-survival, which is not installed.",
            remedy="`make setup`, or `pip install 'compliance-tracker[example]'`.",
        )
    source = shipped("evidence") / name
    tell("workspace, keys, system description")
    ws = _workspace(source, root)
    with ws:
        story = _clinical_risk if name == "clinical-risk" else _deepseek
        dossiers = story(ws, source, tell)
        return _finish(ws, dossiers, tell)


def _own_environment() -> None:
    """Let no setting of the shell lead to somebody's MLflow, nothing be sent home, and no bar run that nobody sees."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        del os.environ[name]
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        GX_ANALYTICS_ENABLED="false",
    )


def _workspace(source: Path, root: Path) -> Workspace:
    """Make the workspace with fresh keys, under a random pass phrase that stands in a file beside them."""
    told = tomllib.loads((source / "system.toml").read_text(encoding="utf-8"))
    passphrase = secrets.token_urlsafe(32)
    os.environ["COMPLIANCE_PASSPHRASE"] = passphrase
    os.environ.pop("COMPLIANCE_LOG_PASSPHRASE", None)
    system = System.model_validate(told["system"])
    ws = Workspace.create(
        root,
        system=system,
        profile=Profile.model_validate(told["profile"]),
        description=Description.model_validate(told["description"]),
        origin=f"example.org/{system.id}",
        passphrase_file=PASSPHRASE,
    )
    with open(os.open(root / PASSPHRASE, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as stream:
        stream.write(passphrase + "\n")
    for name, holder in PEOPLE.items():
        keys.trust(ws, keys.create(ws, name), holder=holder, roles=[name], name=name)
    return ws


def _clinical_risk(ws: Workspace, source: Path, tell: Tell) -> Sequence[str]:
    """Criteria first, then the script that trains and tests, then papers and approvals."""
    from compliance.services import record

    tell("acceptance plans, approved before anything is measured")
    plans = record.log_file(ws, source / "records" / "1-acceptance-plans.yaml", wait=True)
    acts.approve(ws, [logged.evidence for logged in plans], "approved", "approver")

    tell("train.py: data, two model versions, tests")
    _script(ws, source / "train.py")
    tell("release.py: risk file and documents from the evidence")
    _script(ws, source / "release.py")

    tell("review and approval")
    papers = [
        piece.number for piece in _about(ws, "clinical-risk@2") if piece.kind in ("risk-file", "document", "change")
    ]
    results = [piece.number for piece in _about(ws, "clinical-risk@2") if piece.kind in ("evaluation", "safety-result")]
    acts.approve(ws, papers + results, "reviewed", "reviewer")
    acts.approve(ws, papers + results, "approved", "approver", reason="As records: a missed criterion stays missed.")
    record.log_file(ws, source / "records" / "4-decisions.yaml", key="approver", wait=True)
    return ["annex-iv"]


def _deepseek(ws: Workspace, source: Path, tell: Tell) -> Sequence[str]:
    """Published facts, file by file; known gaps are the reviewer's determinations."""
    from compliance.services import record

    tell("model versions and datasets, by identity")
    files = sorted((source / "records").glob("*.yaml"))
    for file in files[:3]:
        record.log_file(ws, file, wait=True)
    tell("evaluations and safety results, as published")
    for file in files[3:6]:
        record.log_file(ws, file, wait=True)
    tell("incidents, documents")
    for file in files[6:8]:
        record.log_file(ws, file, wait=True)
    tell("known gaps, as determinations")
    record.log_file(ws, files[8], key="reviewer", wait=True)
    return ["annex-iv", "annex-xi"]


def _script(ws: Workspace, script: Path) -> None:
    """Run a script of the example as `python script.py` in the workspace would."""
    before, path = Path.cwd(), list(sys.path)
    os.chdir(ws.root)
    sys.path.insert(0, str(script.parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        os.chdir(before)
        sys.path[:] = path


def _about(ws: Workspace, model: str) -> list[Evidence]:
    sha256 = ws.subject(model).digest.sha256
    return [piece for piece in ws.evidence() if piece.is_about(sha256)]


def _finish(ws: Workspace, dossiers: Sequence[str], tell: Tell) -> dict[str, Any]:
    """Assess, compile, verify, and say what there is and what is missing."""
    from compliance.services import sync, verify, verify_bundle

    tell("assessment and dossiers")
    sync.sync(ws)
    assessments = {catalog: ws.assess(catalogs=[catalog]) for catalog in ws.config.system.catalogs}
    built = [path for dossier in dossiers for path in _dossier(ws, dossier)]
    tell("verification of the ledger and of MLflow's copy")
    report = verify.verify_workspace(ws.root, all=True)
    problems = report.problems + [
        problem for path in built if path.endswith(".zip") for problem in verify_bundle.check(Path(path)).problems
    ]
    if problems:
        raise VerificationFailed(
            f"{ws.root} does not verify: {problems[0].problem}.",
            remedy=f"See `compliance verify --all --workspace {ws.root}`.",
        )
    link = grants.create(ws, "Demonstration auditor", 30)
    root = os.path.relpath(ws.root)
    counts = {catalog: {str(k): n for k, n in a.counts.items()} for catalog, a in assessments.items()}
    return {
        "title": ws.config.system.name,
        "workspace": root,
        "counts": counts,
        "dossiers": built,
        "summary": {
            "made": f"{report.checked} signed records in the ledger and in MLflow, verified; {root}",
            "dossiers": ", ".join(os.path.relpath(path) for path in built if path.endswith(".pdf")),
            **{catalog: _counted(each) for catalog, each in counts.items()},
            "missed": _named(assessments.values(), "failed", none="no declared criterion"),
            "stale": _named(assessments.values(), "stale"),
            "missing": f"{sum(each.get('gap', 0) for each in counts.values())} requirements without evidence; "
            f"`compliance status --workspace {root}` lists them with the next step",
            "portal": f"compliance portal --workspace {root}   then http://127.0.0.1:8321{link}",
        },
    }


def _dossier(ws: Workspace, dossier: str) -> list[str]:
    built = ws.build_dossier(dossier, out=ws.root / "dossiers")
    return [str(path) for path in built.paths]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n) or "nothing applies"


def _named(assessments: Any, verdict: str, none: str = "nothing") -> str:
    found = list(dict.fromkeys(f.requirement.ref for a in assessments for f in a.findings if f.finding == verdict))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return (", ".join(found[:5]) + more) or none
