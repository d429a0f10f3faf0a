"""An evaluation from predictions: every case accounted for, every figure computable again, nothing dropped unsaid."""

import csv
from pathlib import Path
from typing import Any

import pytest

from compliance import InvalidInput, Profile, System, Workspace
from compliance.core import statistics
from compliance.services.evaluations import from_predictions

ROWS = [
    {
        "id": f"p{i}",
        "y": str(int(i % 4 == 0)),
        "risk": f"{0.1 + 0.5 * (i % 4 == 0) + (i % 7) / 20:.3f}",
        "Sex": "FM"[i % 2],
    }
    for i in range(200)
]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def computed(tmp_path: Path, rows: list[dict[str, str]], **options: Any) -> dict[str, Any]:
    given = {"truth": "y", "score": "risk", "threshold": "0.5", **options}
    return from_predictions(written(tmp_path / "predictions.csv", rows), **given)


def row(found: dict[str, Any], name: str, **group: str) -> dict[str, Any]:
    return next(r for r in found["metrics"] if r["name"] == name and r.get("group", {}) == group)


def test_counts_are_those_of_the_file(tmp_path: Path) -> None:
    found = computed(tmp_path, ROWS, groups=["Sex"])
    hits = [r for r in ROWS if r["y"] == "1" and float(r["risk"]) >= 0.5]
    assert (row(found, "sensitivity")["x"], row(found, "sensitivity")["n"]) == (len(hits), 50)
    women = row(found, "specificity", sex="F")
    negative = [r for r in ROWS if r["y"] == "0" and r["Sex"] == "F"]
    assert (women["x"], women["n"]) == (sum(float(r["risk"]) < 0.5 for r in negative), len(negative))
    assert (women["ci_low"], women["ci_high"]) == statistics.clopper_pearson(women["x"], women["n"])
    assert found["accountability"] == {"enrolled": 200, "analysed": 200, "missing_score": 0, "missing_truth": 0}
    assert "completeness" not in found
    assert [sum(t[k] for k in ("tp", "fp", "tn", "fn")) for t in found["confusion"]] == [200, 100, 100]


def test_a_score_at_the_threshold_is_positive(tmp_path: Path) -> None:
    rows = [{"y": y, "risk": s} for y, s in (("1", "0.5"), ("0", "0.5"), ("1", "0.499"), ("0", "0.1"))]
    table = computed(tmp_path, rows)["confusion"][0]
    assert {k: table[k] for k in ("tp", "fp", "tn", "fn")} == {"tp": 1, "fp": 1, "tn": 1, "fn": 1}


def test_rows_without_a_value_are_counted_and_make_it_incomplete(tmp_path: Path) -> None:
    rows = [dict(r) for r in ROWS]
    rows[0]["risk"], rows[1]["risk"], rows[2]["y"], rows[3]["Sex"] = "", "nan", "NA", ""
    found = computed(tmp_path, rows, groups=["Sex"])
    assert found["accountability"] == {"enrolled": 200, "analysed": 197, "missing_score": 2, "missing_truth": 1}
    assert found["completeness"] == "incomplete"
    assert found["completeness_reason"] == "Rows left out of the figures: 1 without truth, 2 without score."
    assert row(found, "prevalence", sex="not recorded")["n"] == 1
    assert row(found, "prevalence", sex="not recorded")["small"] is True


WRONG = {
    "column": ({"truth": "Y"}, {}, "no column 'Y' (truth); did you mean y?"),
    "group column": ({"groups": ["sexes"]}, {}, "no column 'sexes' (group)"),
    "truth of three kinds": ({}, {"y": "2"}, "predictions.csv:6: the truth in column y is not 0 or 1"),
    "score over 1": ({}, {"risk": "87"}, "predictions.csv:6: the score in column risk is not a number from 0 to 1"),
    "score below 0": ({}, {"risk": "-0.1"}, "not a number from 0 to 1"),
    "score that is a word": ({}, {"risk": "high"}, "not a number from 0 to 1"),
    "a number that no record holds": (
        {"task": "regression"},
        {"risk": "1e31"},
        "the score in column risk is not a number",
    ),
    "infinite score": ({}, {"risk": "inf"}, "not a number from 0 to 1"),
    "threshold": ({"threshold": "1.5"}, {}, "threshold '1.5' is no number from 0 to 1"),
    "groups that are people": ({"groups": ["id"]}, {}, "200 different values"),
}


@pytest.mark.parametrize(("options", "cells", "words"), WRONG.values(), ids=WRONG)
def test_bad_input_is_told_with_its_place(
    tmp_path: Path, options: dict[str, Any], cells: dict[str, str], words: str
) -> None:
    rows = [dict(r) for r in ROWS]
    rows[4] |= cells
    with pytest.raises(InvalidInput) as refusal:
        computed(tmp_path, rows, **options)
    assert words in refusal.value.problem


FILES = {
    "empty": (b"", "is empty"),
    "header only": (b"y,risk\n", "no rows"),
    "ragged": (b"y,risk\n1,0.5\n1,0.5,7\n", "predictions.csv:3: this row has 3 cells"),
    "two columns of one name": (b"y,y\n1,1\n", "two columns called 'y'"),
    "latin-1": (b"y,risk\n1,\xe9\n", "not UTF-8"),
    "open quote": (b'y,risk\n1,"0.5\n', "not CSV"),
    "nothing to analyse": (b"y,risk\n1,\n,0.5\n", "No row of"),
}


@pytest.mark.parametrize(("data", "words"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as refusal:
        from_predictions(path, truth="y", score="risk")
    assert words in refusal.value.problem


def test_parquet_gives_the_same_figures(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {
        "y": [int(r["y"]) for r in ROWS],
        "risk": [float(r["risk"]) for r in ROWS],
        "Sex": [r["Sex"] for r in ROWS],
    }
    pq.write_table(pa.table(table), tmp_path / "predictions.parquet")
    from_parquet = from_predictions(tmp_path / "predictions.parquet", truth="y", score="risk", groups=["Sex"])
    assert from_parquet["metrics"] == computed(tmp_path, ROWS, groups=["Sex"])["metrics"]


def test_logged_with_its_predictions_restricted_and_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
    system = System(id="demo", name="Demo", provider="Nobody")
    ws = Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")
    (tmp_path / "model.bin").write_bytes(b"weights")
    ws.log_model(tmp_path / "model.bin", name="m", version="1", title="m")
    ws.log_records([{"kind": "dataset", "name": "d@1", "title": "d", "role": "test", "sha256": "1" * 64, "rows": 200}])
    path = written(tmp_path / "predictions.csv", ROWS)
    options = {"predictions": path, "truth": "y", "score": "risk", "threshold": "0.5", "groups": ["Sex"]}
    (logged,) = ws.log_evaluation(model="m@1", dataset="d@1", unit_of_analysis="person", **options)
    piece = ws.evidence()[-1]
    assert piece.number == logged.evidence
    assert piece.content["dataset"]["role"] == "test"
    assert [(a["name"], a["classification"]) for a in piece.predicate["attachments"]] == [
        ("predictions.csv", "restricted")
    ]
    assert "p17" not in str(piece.statement)
    size = ws.ledger.size
    with pytest.raises(InvalidInput, match="unit_of_analisys"):
        ws.log_evaluation(model="m@1", dataset="d@1", unit_of_analisys="person", **options)
    assert ws.ledger.size == size
