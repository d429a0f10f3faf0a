"""What the portal's tests share: the records that they log, and a reader with a grant."""

from pathlib import Path

from fastapi.testclient import TestClient

from compliance import Workspace
from compliance.portal.app import create_app
from compliance.services import grants

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}\u202etxt.exe\u0007"
PLAN = {
    "kind": "acceptance-plan", "name": "acceptance-risk@1", "title": "Criteria fixed before testing", "model": "risk",
    "data_role": "test", "groups": [{"sex": "F"}, {"sex": "M"}],
    "criteria": [
        {"id": "sens-women", "metric": "sensitivity", "group": {"sex": "F"}, "comparator": ">=", "threshold": "0.70",
         "bound": "ci_low", "ci_level": "0.95", "min_n": 100},
        {"id": "sens-men", "metric": "sensitivity", "group": {"sex": "M"}, "comparator": ">=", "threshold": "0.75",
         "bound": "ci_low", "ci_level": "0.95", "min_n": 100},
    ],
}  # fmt: skip


def evaluation(model: str) -> dict[str, object]:
    return {
        "kind": "evaluation", "title": f"{model} on people held out", "model": model, "dataset": "people-test@1",
        "plan": "acceptance-risk@1", "started_at": "2099-01-01T10:02:11Z", "unit_of_analysis": "person",
        "summary": "Sensitivity at the declared threshold, overall and by sex.",
        "metrics": [
            {"name": "sensitivity", "x": 318, "n": 402},
            {"name": "sensitivity", "group": {"sex": "F"}, "x": 171, "n": 214},
            {"name": "sensitivity", "group": {"sex": "M"}, "x": 147, "n": 188},
            {"name": "roc_auc", "n": 1970, "positives": 402, "value": "0.871", "ci_low": "0.851", "ci_high": "0.890",
             "ci_level": "0.95", "ci_method": "delong"},
        ],
        "curves": [{"name": "roc", "n": 1970, "points": [{"x": x, "y": y} for x, y in ("00", ("0.2", "0.7"), "11")]}],
        "attachments": [
            {"path": "predictions.csv", "classification": "restricted"},
            {"path": "protocol.txt", "classification": "internal"},
        ],
    }  # fmt: skip


def signed_in(root: Path, **scope: list[str]) -> TestClient:
    with Workspace.open(root, read_only=True) as ws:
        link = grants.create(ws, "Notified body", 30, **scope)
    client = TestClient(create_app(root), base_url="http://127.0.0.1", follow_redirects=True)
    answer = client.post("/grant", data={"token": link.removeprefix(grants.PATH)})
    assert answer.status_code == 200
    return client
