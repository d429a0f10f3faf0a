"""Write the papers of the version that is handed over, from evidence on record: no figure is typed by hand.

Run it in the workspace after train.py: `python release.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import bill

from compliance import Workspace
from compliance.core import criteria
from compliance.core.evidence import Evidence
from compliance.core.reading import read_records

HERE = Path(__file__).resolve().parent
MODEL, VERSION = "clinical-risk", "2"
GROUPS: list[Mapping[str, str]] = [
    {},
    {"sex": "F"},
    {"sex": "M"},
    {"age_band": "under 60"},
    {"age_band": "60 to 69"},
    {"age_band": "70 to 79"},
    {"age_band": "80 and over"},
]
DECLARED = ("sensitivity", "specificity", "roc_auc")


def main() -> None:
    workspace = Workspace.open()
    record = workspace.evidence()
    about = workspace.subject(f"{MODEL}@{VERSION}").digest.sha256
    evaluation = newest(record, "evaluation", about, role="test")
    rejection = newest(record, "safety-result", about, category="input-handling")
    model = newest(record, "model-version", about)
    plan = newest(record, "acceptance-plan", evaluation.content["plan"]["sha256"])
    system = next(piece for piece in reversed(record) if piece.kind == "system-description")
    missed = [each.reason for each in criteria.test(evaluation, plan) if each.outcome == criteria.Outcome.MISSED]
    words = {
        "version": VERSION,
        "today": f"{datetime.now(UTC):%Y-%m-%d}",
        "purpose": system.content["profile"]["intended_purpose"],
        "model": model.number,
        "evaluation": evaluation.number,
        "rejection": rejection.number,
        "missed": "; ".join(reason.rstrip(".") for reason in missed) or "none",
        **figures(evaluation, workspace),
    }
    papers = workspace.root / "documents"
    papers.mkdir(exist_ok=True)
    for paper in sorted((HERE / "documents").glob("*.md")):
        (papers / paper.name).write_text(
            Template(paper.read_text(encoding="utf-8")).substitute(words), encoding="utf-8"
        )
    documents = authored("2-documents.yaml", words)
    for each in documents:
        if each["document_type"] in ("instructions-for-use", "study-report"):
            each["figures"] = declared(evaluation, words)
        if each["document_type"] == "instructions-for-use":
            each["traces"] = [
                *each["traces"],
                told_of_risks(authored("3-release.yaml", {**words, "instructions": model.number})),
            ]
    components = {"model": f"{MODEL}@{VERSION}", **bill.write(papers / "sbom.cdx.json")}
    logged = workspace.log_records([*documents, components], base=workspace.root)
    numbers = {each["document_type"]: piece.evidence for each, piece in zip(documents, logged, strict=False)}
    words["instructions"] = numbers["instructions-for-use"]
    workspace.log_records(authored("3-release.yaml", words), base=workspace.root)
    workspace.close()


def authored(name: str, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the records of a file, with its words filled in."""
    text = Template((HERE / "records" / name).read_text(encoding="utf-8")).substitute(words)
    return [located.value for located in read_records(text.encode(), name)]


def newest(
    record: list[Evidence], kind: str, about: str, role: str | None = None, category: str | None = None
) -> Evidence:
    """Return the newest evidence of a kind about this model version, on data of a role or of a category."""
    return next(
        piece
        for piece in reversed(record)
        if piece.kind == kind
        and piece.is_about(about)
        and role in (None, piece.content.get("dataset", {}).get("role"))
        and category in (None, piece.content.get("category"))
    )


def figures(evaluation: Evidence, workspace: Workspace) -> dict[str, str]:
    """Return the words of the instructions for use that are figures of the evaluation."""
    train = newest(workspace.evidence(), "dataset", workspace.subject("flchain-train@1").digest.sha256)
    npv, ppv, auc = (row(evaluation, name, {}) for name in ("npv", "ppv", "roc_auc"))
    return {
        "threshold": str(evaluation.content["threshold"]),
        "train_n": f"{train.content['rows']:,}",
        "test_n": f"{auc['n']:,}",
        "test_deaths": str(auc["positives"]),
        "ppv_of_100": f"{100 * float(ppv['value']):.0f}",
        "missed_of_100": f"{100 - 100 * float(npv['value']):.0f}",
        "table": "\n".join(
            f"| {name(group)} | " + " | ".join(shown(row(evaluation, metric, group)) for metric in DECLARED) + " |"
            for group in GROUPS
        ),
    }


def declared(evaluation: Evidence, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the figures that instructions and report print, in the digits that they print."""
    people = [
        {"name": name, "value": words[word].replace(",", ""), "dataset": dataset}
        for name, word, dataset in (
            ("rows", "train_n", "flchain-train@1"),
            ("rows", "test_n", "flchain-test@1"),
            ("positives", "test_deaths", "flchain-test@1"),
        )
    ]
    results = [
        {
            "name": metric,
            **{part: f"{float(row(evaluation, metric, group)[part]):.3f}" for part in ("value", "ci_low", "ci_high")},
            "dataset": "flchain-test@1",
            **({"group": dict(group)} if group else {}),
        }
        for group in GROUPS
        for metric in DECLARED
    ]
    return people + results


def told_of_risks(release: list[dict[str, Any]]) -> dict[str, Any]:
    """Count the risks of the risk file that the instructions tell of."""
    hazards = next(each for each in release if each["kind"] == "risk-file")["hazards"]
    untold = sum(not hazard.get("disclosed") for hazard in hazards)
    return {"items": "risks", "to": "labelling", "total": len(hazards), "untraced": untold}


def row(evaluation: Evidence, metric: str, group: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        row for row in evaluation.content["metrics"] if row["name"] == metric and row.get("group", {}) == group
    )
    return found


def shown(figure: Mapping[str, Any]) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*(float(figure[part]) for part in ("value", "ci_low", "ci_high")))


def name(group: Mapping[str, str]) -> str:
    value = next(iter(group.values()), "all")
    return {"F": "women", "M": "men"}.get(value, value)


if __name__ == "__main__":
    main()
