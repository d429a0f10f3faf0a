"""The records of DESIGN 11.4 are test cases: they parse, and what the page says of them holds."""

import json
from typing import Any

from compliance.core.canonical import canonical, content_digest
from compliance.core.evidence import Basis, Source, SourceBasis, Subject
from compliance.core.reading import read_records
from compliance.kinds.authoring import Draft, draft

RECORDS = b"""\
{kind: acceptance-plan, name: acceptance-clinical-risk@1, title: Criteria fixed before testing, model: clinical-risk, data_role: test,   # every version of that model
 groups: [{sex: F}, {sex: M}],       # each must be reported
 criteria: [{id: sens-women, metric: sensitivity, group: {sex: F}, comparator: ">=", threshold: "0.70", bound: ci_low, ci_level: "0.95", min_n: 100}]}
---
kind: evaluation
title: clinical-risk 2 on people held out
model: clinical-risk@2
dataset: flchain-test@1              # its role is the one on record
plan: acceptance-clinical-risk@1     # a criterion picks the one row with its metric and exactly its group
started_at: 2026-11-23T10:02:11Z
unit_of_analysis: person
metrics:
- {name: sensitivity, x: 318, n: 402}
- {name: sensitivity, group: {sex: F}, x: 171, n: 214}
- {name: sensitivity, group: {sex: M}, x: 147, n: 188}
- {name: roc_auc, n: 1970, positives: 402, value: "0.871", ci_low: "0.851", ci_high: "0.890", ci_level: "0.95", ci_method: delong}
attachments: [{path: predictions.csv, classification: restricted}]
"""  # noqa: E501 - as the design prints it

SOURCE = Source(
    basis=SourceBasis.MEASURED, how="record", tool="compliance", tool_version="0.1.0", file_sha256="77ab" * 16
)


def drafts(on_record: Any) -> tuple[Draft, Draft]:
    plan, evaluation = read_records(RECORDS, "results.yaml")
    first = draft(plan.value, on_record, where=plan)
    on_record.things["acceptance-clinical-risk@1"] = first.subjects[0]
    return first, draft(evaluation.value, on_record, where=evaluation)


def test_the_plan_is_identified_by_its_content(on_record: Any) -> None:
    plan, _ = drafts(on_record)
    assert plan.content["criteria"][0] == {
        "id": "sens-women", "metric": "sensitivity", "group": {"sex": "F"}, "comparator": ">=", "threshold": "0.70",
        "bound": "ci_low", "ci_level": "0.95", "min_n": 100,
    }  # fmt: skip
    assert plan.subjects == [Subject.of("acceptance-clinical-risk@1", content_digest(plan.content), Basis.CONTENT)]


def test_the_statement_is_the_one_shown(on_record: Any) -> None:
    plan, evaluation = drafts(on_record)
    statement = evaluation.statement(
        system="clinical-risk",
        recorded_at="2026-11-23T10:05:00Z",
        recorded_by="training-pipeline",
        source=SOURCE,
        attachments=[],
    )
    women = statement["predicate"]["content"]["metrics"][1]
    statement["predicate"]["content"]["metrics"] = [women]
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://w3id.org/compliance-tracker/evidence/evaluation/v1",
        "subject": [{"name": "clinical-risk@2", "digest": {"sha256": "5" * 64}, "annotations": {"basis": "folder"}}],
        "predicate": {
            "schema_version": 1,
            "system": "clinical-risk",
            "recorded_at": "2026-11-23T10:05:00Z",
            "recorded_by": "training-pipeline",
            "completeness": "complete",
            "title": "clinical-risk 2 on people held out",
            "summary": "",
            "data_classification": "internal",
            "attachments": [],
            "source": {
                "basis": "measured", "how": "record", "tool": "compliance", "tool_version": "0.1.0",
                "file_sha256": "77ab" * 16,
            },
            "content": {
                "dataset": {"name": "flchain-test@1", "sha256": "c" * 64, "role": "test"},
                "plan": {"name": "acceptance-clinical-risk@1", "sha256": plan.subjects[0].digest.sha256},
                "started_at": "2026-11-23T10:02:11Z",
                "unit_of_analysis": "person",
                "metrics": [
                    {
                        "name": "sensitivity", "group": {"sex": "F"}, "x": 171, "n": 214, "value": "0.799065",
                        "ci_low": "0.739045", "ci_high": "0.850600", "ci_level": "0.95",
                        "ci_method": "clopper-pearson", "origin": "computed",
                    }
                ],
            },
        },
    }  # fmt: skip


def test_the_stated_value_keeps_its_digits(on_record: Any) -> None:
    _, evaluation = drafts(on_record)
    assert evaluation.content["metrics"][3]["value"] == "0.871"
    assert evaluation.content["metrics"][3]["origin"] == "stated"
    assert [(str(a.source), a.name, a.media_type, a.classification) for a in evaluation.attachments] == [
        ("predictions.csv", "predictions.csv", "text/csv", "restricted")
    ]


def test_content_is_plain_and_canonical(on_record: Any) -> None:
    for drafted in drafts(on_record):
        assert json.loads(canonical(drafted.content)) == drafted.content
