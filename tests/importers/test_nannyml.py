"""NannyML: an estimate is never called a measurement; equal keys of two periods are two chunks; alerts are told."""

import pytest
from support.imports import SAMPLES, imported, tool_of

FOLDER = SAMPLES / "nannyml"
FLAT = (FOLDER / "cbpe_flat.csv").read_text()
REALIZED = (FOLDER / "realized.csv").read_text()


def test_an_estimate_stands_beside_what_was_measured_and_never_under_its_name() -> None:
    got = imported(FOLDER / "cbpe.csv")
    assert (got.tool, got.only["kind"]) == ("NannyML", "monitoring")
    chunk = {"period": "analysis", "chunk": "[1000:1499]"}
    estimate, measured = got.row("estimated_roc_auc", **chunk), got.row("roc_auc", **chunk)
    assert (estimate["value"][:5], measured["value"][:5]) == ("0.572", "0.855")
    assert estimate["better"] == "higher"
    assert "without truth" in estimate["note"]
    assert "without truth" in got.only["content"]["methods"]


def test_without_truth_only_the_estimate_is_there() -> None:
    lines = FLAT.splitlines()
    header = lines[0].split(",")
    at = header.index("roc_auc_realized")
    cut = [
        ",".join("" if i == at and n else cell for i, cell in enumerate(line.split(",")))
        for n, line in enumerate(lines)
    ]
    got = imported(("\n".join(cut) + "\n").encode())
    assert got.only["completeness"] == "complete"
    assert "roc_auc" not in {row["name"] for row in got.rows}


def test_one_and_more_rows_of_headers_read_alike() -> None:
    assert imported(FOLDER / "cbpe.csv").rows == imported(FOLDER / "cbpe_flat.csv").rows
    assert imported(FOLDER / "drift.csv").rows == imported(FOLDER / "drift_multi.csv").rows


def test_what_was_measured_keeps_its_name() -> None:
    got = imported(FOLDER / "realized.csv")
    assert {row["name"] for row in got.rows} == {"roc_auc"}
    assert got.row("roc_auc", period="reference", chunk="[0:499]") != got.row(
        "roc_auc", period="analysis", chunk="[0:499]"
    )
    content = got.only["content"]
    assert (content["cases"], content["period"]) == (1500, {"start": "2026-03-04", "end": "2026-05-05"})
    assert content["conclusion"] == "No alert in 6 chunks."


def test_drift_is_a_distance_of_a_column_and_alerts_are_told() -> None:
    got = imported(FOLDER / "drift.csv")
    row = got.row("drift_distance", period="analysis", chunk="[1000:1499]", column="x", method="kolmogorov_smirnov")
    assert row["better"] == "lower"
    assert "Alert: x_kolmogorov_smirnov in chunk [1000:1499] of the analysis." in got.only["content"]["conclusion"]
    assert "Alert: estimated roc_auc" in imported(FOLDER / "cbpe.csv").only["content"]["conclusion"]


def test_missing_truth_makes_it_incomplete() -> None:
    got = imported(REALIZED.replace("analysis,0.0,", "analysis,0.25,", 1).encode())
    assert got.only["completeness"] == "incomplete"
    assert "a share of 0.25 has no truth" in got.reasons


@pytest.mark.parametrize("value", ["", "nan"])
def test_a_chunk_without_value_is_no_pass(value: str) -> None:
    line = REALIZED.splitlines()[-1]
    figure = line.split(",")[9]
    got = imported(REALIZED.replace(figure, value).encode())
    assert got.only["completeness"] == "incomplete"
    assert "has no figure" in got.reasons


def test_an_alert_that_is_not_stated_is_no_absence_of_one() -> None:
    got = imported((REALIZED.strip().removesuffix("False") + "\n").encode())
    assert "raised an alert" in got.reasons


def test_a_cut_file_is_incomplete_and_version_and_time_are_unknown() -> None:
    got = imported(FLAT[:-30].encode())
    assert "cut off" in got.reasons
    assert "its version and when it ran" in got.summaries
    assert tool_of(b"chunk_key,a\n1,2\n") is None


def test_versions_before_0_8_put_the_words_before_the_metric() -> None:
    old = (
        ",key,start_index,end_index,start_date,end_date,period,sampling_error_roc_auc,realized_roc_auc,"
        "estimated_roc_auc,upper_confidence_roc_auc,lower_confidence_roc_auc,upper_threshold_roc_auc,"
        "lower_threshold_roc_auc,alert_roc_auc\n"
        "0,[0:499],0,499,2022-01-01,2022-01-31,analysis,0.01,,0.9,0.93,0.87,0.95,0.88,False\n"
    )
    got = imported(old.encode())
    assert got.row("estimated_roc_auc", period="analysis", chunk="[0:499]")["value"] == "0.9"
    assert (got.only["content"]["cases"], got.only["completeness"]) == (500, "complete")
