"""`log evaluation --task …` and `reproduce` as a person runs them: exit codes, tables, JSON."""

from pathlib import Path

import pytest

from .conftest import Compliance

ABOUT = ("--model", "clinical-risk@1", "--dataset", "flchain-test@1")


@pytest.fixture
def predicted(workspace: Path) -> Path:
    rows = "".join(
        f"p{i // 2},{'FM'[i % 2]},{50 + i},{50 + i + (i * 7 % 5 - 2)},{(i * 13 % 17) / 17:.3f},{9 if i % 9 else ''}\n"
        for i in range(60)
    )
    (workspace / "values.csv").write_text(f"patient,sex,true,said,dsc,hd\n{rows}")
    return workspace


def test_a_task_with_clusters_is_logged_and_reproduced(predicted: Path, compliance: Compliance) -> None:
    options = ("--task", "regression", "--truth", "true", "--score", "said", "--cluster", "patient", "--scale", "years")
    logged = compliance(
        "log", "evaluation", "--predictions", "values.csv", *options, "--group", "sex", *ABOUT, "--json", cwd=predicted
    )
    assert logged.code == 0, logged.err
    number = logged.json[0]["evidence"]
    shown = compliance("show", number, "--json", cwd=predicted).json["statement"]["predicate"]["content"]
    mae = next(row for row in shown["metrics"] if row["name"] == "mae" and "group" not in row)
    assert (mae["scale"], mae["clusters"], mae["ci_method"]) == ("years", 30, "cluster-bootstrap")
    ran = compliance("reproduce", number, cwd=predicted)
    assert ran.code == 0, ran.err
    assert "0 differ, 0 not computed. It holds." in ran.out
    assert len(ran.out.splitlines()) == 1
    whole = compliance("reproduce", number, "--all", cwd=predicted)
    assert "limit_of_agreement_low" in whole.out
    told = compliance("reproduce", number, "--json", cwd=predicted).json
    assert told["holds"] is True
    assert told["held"] == len(told["figures"])


def test_measures_of_cases_and_what_they_lack(predicted: Path, compliance: Compliance) -> None:
    measures = ("--measure", "dice=dsc", "--measure", "hausdorff_95=hd")
    given = ("--predictions", "values.csv", "--task", "segmentation", *measures, *ABOUT)
    assert compliance("log", "evaluation", *given, cwd=predicted).code == 0
    (last,) = compliance("list", "--json", "--kind", "evaluation", cwd=predicted).json
    assert last["completeness"] == "incomplete"
    refused = compliance("log", "evaluation", *given, "--measure", "dice", cwd=predicted)
    assert refused.code == 2
    assert "--measure dice names no column" in refused.err


def test_exit_codes_tell_what_is_wrong(predicted: Path, compliance: Compliance) -> None:
    (predicted / "stated.yaml").write_text(
        "kind: evaluation\ntitle: t\nmodel: clinical-risk@1\ndataset: flchain-test@1\n"
        "predictions: {attachment: values.csv, task: regression, truth: 'true', score: said}\n"
        "attachments: [{path: values.csv, classification: restricted}]\n"
        "metrics: [{name: mae, value: '0.1'}]\n"
    )
    refused = compliance("log", "evaluation", "stated.yaml", cwd=predicted)
    assert refused.code == 2
    assert "stated.yaml:5: values.csv does not bear out mae (overall): 0.1 is claimed, but it is 1.2" in refused.err
    text = (predicted / "stated.yaml").read_text().replace("score: said}", "score: said, claims_kept: As printed}")
    (predicted / "stated.yaml").write_text(text)
    assert compliance("log", "evaluation", "stated.yaml", cwd=predicted).code == 0
    (last,) = compliance("list", "--json", "--kind", "evaluation", cwd=predicted).json
    differs = compliance("reproduce", last["evidence"], cwd=predicted)
    assert differs.code == 1
    assert "0.1 is claimed, but it is" in differs.out
    assert compliance("reproduce", "EV-000001", cwd=predicted).code == 2
    for kept in (predicted / ".compliance" / "attachments").iterdir():
        kept.unlink()
    assert compliance("reproduce", last["evidence"], cwd=predicted).code == 3
    (predicted / "other.csv").write_text("true,said\n1,1\n")
    other = compliance("reproduce", last["evidence"], "--data", "other.csv", cwd=predicted)
    assert other.code == 1
    assert "is not values.csv" in other.err
