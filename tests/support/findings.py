"""Findings written by hand, for tests of what is made of them."""

import json
from typing import Any

from compliance.core.catalog import Requirement
from compliance.core.findings import Assessment, Finding, Thing, Used, Verdict

MODEL = Thing("clinical-risk@2", "5f" * 32, "folder")
ON = "2026-11-23"


def requirement(name: str = "law/a", **change: Any) -> Requirement:
    row = {
        "id": name, "ref": f"Art. {name}", "text": "t", "binds": ["P"], "evidence_kinds": ["document"],
        "what_shows_it": "w", "measurable": "no", "tier": "C", "confidence": "high", "source": ["R"],
        "status": "in force", "ask": f"Is {name} fulfilled by what is on record, in your judgement?",
    }  # fmt: skip
    return Requirement.model_validate_json(json.dumps(row | change))


def found(name: str, verdict: Verdict | str, *, binding: bool = True, **more: Any) -> Finding:
    row = more.pop("requirement", None) or requirement(name)
    return Finding(
        row, name.partition("/")[0], Verdict(verdict), more.pop("reason", f"why {name}"), binding=binding, **more
    )


def assessment(*findings: Finding, model: Thing | None = MODEL) -> Assessment:
    counts = {verdict.value: sum(f.finding is verdict for f in findings) for verdict in Verdict}
    used = tuple(Used(name, "1", "c" * 64) for name in dict.fromkeys(f.catalog for f in findings))
    return Assessment(ON, "clinical-risk", model, findings, counts, (), used)
