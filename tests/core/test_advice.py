"""Next steps: the exact command, the most urgent first."""

import json
from dataclasses import replace
from typing import Any

import pytest

from compliance.core import advice
from compliance.core.catalog import Need, Requirement
from compliance.core.findings import Assessment, Finding, NeedResult, NeedVerdict, Rule, Thing, Verdict

MODEL = Thing("clinical-risk@2", "0" * 64)


def requirement(name: str = "law/a", tier: str = "C") -> Requirement:
    row = {
        "id": name, "ref": "1", "text": "t", "binds": ["P"], "evidence_kinds": ["document"], "what_shows_it": "w",
        "measurable": "no", "tier": tier, "confidence": "high", "source": ["R"], "status": "in force", "ask": "Is it?",
    }  # fmt: skip
    return Requirement.model_validate_json(json.dumps(row))


def need(kind: str, **fields: Any) -> Need:
    return Need.model_validate_json(json.dumps({"id": "n", "kind": kind, **fields}))


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        (
            need("dataset", where={"role": ["tune"]}),
            "compliance log dataset PATH --name NAME --version VERSION --role tune",
        ),
        (need("model-version"), "compliance log model PATH --name clinical-risk --version 2"),
        (need("evaluation"), "compliance log evaluation FILE --model clinical-risk@2 --dataset NAME@VERSION"),
        (need("safety-result"), "compliance log safety FILE"),
        (need("risk-file"), "compliance log record risk-file.yaml"),
        (need("audit-trail"), "compliance verify"),
    ],
)  # fmt: skip
def test_a_gap_names_the_command_that_fills_it(wanted: Need, command: str) -> None:
    result = NeedResult("n", NeedVerdict.GAP, "nothing")
    assert advice.for_need(requirement(), wanted, result, MODEL) == command


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("train", "compliance log record training-run.yaml"),
        ("test", "compliance log evaluation FILE --model clinical-risk@2"),
    ],
)
def test_data_that_nothing_ties_to_the_version_are_tied_by_what_used_them(role: str, command: str) -> None:
    result = NeedResult("n", NeedVerdict.GAP, "apart", against=("EV-000006",), rule=Rule.OTHER_EVIDENCE)
    wanted = need("dataset", about="dataset", where={"role": [role]})
    assert advice.for_need(requirement(), wanted, result, MODEL) == command


def test_a_missing_approval_is_asked_for() -> None:
    wanted = need("document", approved={"meaning": "reviewed", "role": "reviewer"})
    result = NeedResult("n", NeedVerdict.INSUFFICIENT, "nobody", against=("EV-000009",), rule=Rule.NO_APPROVAL)
    assert advice.for_need(requirement(), wanted, result, MODEL) == "compliance approve EV-000009 --meaning reviewed"


@pytest.mark.parametrize(
    ("kind", "rule", "command"),
    [
        ("evaluation", Rule.PUBLISHED_ONLY,
         "compliance log model PATH --name clinical-risk --version VERSION"),
        ("model-version", Rule.FIELD_MISSING, "compliance log record model-version.yaml"),
    ],
)  # fmt: skip
def test_evidence_that_cannot_carry_the_claim_is_mended_where_it_lacks(kind: str, rule: Rule, command: str) -> None:
    wanted = need(kind, about="model-version")
    result = NeedResult("n", NeedVerdict.INSUFFICIENT, "so", against=("EV-000009",), rule=rule)
    assert advice.for_need(requirement(), wanted, result, MODEL) == command


def test_what_passed_needs_nothing() -> None:
    assert advice.for_need(requirement(), need("document"), NeedResult("n", NeedVerdict.PASSED, "there"), MODEL) == ""


def test_the_reason_of_a_step_is_that_of_the_row_it_names_first_in_one_sentence() -> None:
    gap = found("law/a", Verdict.GAP, "log it")
    worse = replace(found("law/b", Verdict.PARTIAL, "log it"), missing="No log is on record.")
    (step,) = advice.next_steps(Assessment("2026-11-23", "s", MODEL, (gap, worse), {}))
    assert (step.requirements, step.reason) == (("law/b", "law/a"), "No log is on record.")
    asked = replace(found("law/c", Verdict.UNDETERMINED, "determine"), missing="A person must answer.")
    (step,) = advice.next_steps(Assessment("2026-11-23", "s", MODEL, (asked,), {}))
    assert step.reason == "why law/c"


def found(name: str, verdict: Verdict, command: str, *, tier: str = "C", binding: bool = True) -> Finding:
    return Finding(requirement(name, tier), "law", verdict, f"why {name}", next=command, binding=binding)


def test_the_most_useful_step_comes_first() -> None:
    findings = (
        found("law/gap-later", Verdict.GAP, "log later", binding=False),
        found("law/gap-1", Verdict.GAP, "log both"),
        found("law/gap-x", Verdict.GAP, "log contextual", tier="X"),
        found("law/gap-2", Verdict.GAP, "log both"),
        found("law/gap-3", Verdict.GAP, "log one"),
        found("law/failed", Verdict.FAILED, "show it", binding=False),
        found("law/met", Verdict.MET, ""),
    )
    steps = advice.next_steps(Assessment("2026-11-23", "s", MODEL, findings, {}))
    assert [step.command for step in steps] == ["show it", "log both", "log one", "log contextual", "log later"]
    assert steps[1].requirements == ("law/gap-1", "law/gap-2")
    assert len(advice.next_steps(Assessment("2026-11-23", "s", MODEL, findings, {}), limit=2)) == 2
