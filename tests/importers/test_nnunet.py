"""nnU-Net: means over cases that have a figure, computed again; regions are labels; dropped cases are asked about."""

import json

from support.imports import SAMPLES, imported

FOLDER = SAMPLES / "nnunet"
SUMMARY = (FOLDER / "summary.json").read_text()


def test_means_count_the_cases_that_have_a_figure() -> None:
    got = imported(FOLDER / "summary.json", dataset="data@1", cases=3)
    assert (got.row("dice", label="1")["value"], got.row("dice", label="1")["n"]) == ("0.903030303030303", 3)
    assert got.row("dice", label="2")["n"] == 2, "one case holds no label 2"
    assert got.row("dice")["value"] == "0.88008658008658"
    assert "1 figures of single cases are no number" in got.summaries
    assert got.only["completeness"] == "complete"


def test_a_region_is_its_labels_together() -> None:
    got = imported(FOLDER / "summary_regions_chill.json", dataset="data@1")
    assert got.row("dice", label="1+2")["n"] == 2


def test_a_dropped_case_is_in_no_file_so_how_many_there_should_be_is_asked_for() -> None:
    chill = FOLDER / "summary_regions_chill.json"
    asked = imported(chill, dataset="data@1")
    assert asked.only["completeness"] == "incomplete"
    assert "say with --cases how many there should be" in asked.reasons
    missing = imported(chill, dataset="data@1", cases=3)
    assert "1 of 3 cases are missing" in missing.reasons
    told = missing.only["content"]["accountability"]
    assert (told["enrolled"], told["analysed"], told["missing_score"]) == (3, 2, 1)
    assert missing.only["title"] != asked.only["title"], "or the second import would be held for the first"
    assert "there should be 1" in imported(chill, dataset="data@1", cases=1).reasons
    whole = imported(FOLDER / "summary.json", dataset="data@1", cases=3)
    assert (whole.only["completeness"], whole.only["content"]["accountability"]["analysed"]) == ("complete", 3)


def test_a_mean_that_its_cases_do_not_give_is_a_gap() -> None:
    got = imported(SUMMARY.replace('"Dice": 0.903030303030303', '"Dice": 0.98').encode(), dataset="data@1")
    assert "Dice of 1 is stated as 0.98, but its 3 cases give 0.903030" in got.reasons


def test_a_mean_that_is_no_number_is_never_a_pass() -> None:
    data = json.loads(SUMMARY)
    for case in data["metric_per_case"]:
        case["metrics"]["2"]["Dice"] = float("nan")
    data["mean"]["2"]["Dice"] = data["foreground_mean"]["Dice"] = float("nan")
    got = imported(json.dumps(data).encode(), dataset="data@1")
    assert got.only["completeness"] == "incomplete"
    assert got.row("dice", label="2").get("value") is None


def test_a_summary_without_cases_is_incomplete() -> None:
    data = json.loads(SUMMARY) | {"metric_per_case": []}
    assert "no case" in imported(json.dumps(data).encode(), dataset="data@1").reasons


def test_folders_and_file_names_are_withheld() -> None:
    got = imported(FOLDER / "summary.json", dataset="data@1")
    assert "case_000" not in json.dumps(got.only["content"]) + got.summaries
    assert got.only["attachments"][0]["classification"] == "restricted"
    assert got.only["content"]["tool_version"] == "unknown"


def test_files_of_version_1_hold_results() -> None:
    figures = {"Dice": 0.8, "Jaccard": 0.7, "Total Positives Test": 12.0}
    cases = [{"1": figures, "test": "/data/a.nii.gz", "reference": "/data/b.nii.gz"}]
    told = {"name": "ens", "description": "", "timestamp": "2021-03-04 10:00:00.5", "task": "Task004_Hippocampus"}
    old = told | {"author": "", "results": {"all": cases, "mean": {"1": figures}}, "id": "1"}
    got = imported(json.dumps(old).encode(), dataset="data@1")
    assert (got.row("dice", label="1")["value"], got.row("iou", label="1")["value"]) == ("0.8", "0.7")
    assert got.only["content"]["task"] == "Task004_Hippocampus"
    assert "started_at" not in got.only["content"], "its clock names no zone"
    assert got.only["completeness"] == "complete", "version 1 did not run while a prediction was missing"


def test_a_cut_file_is_kept_as_unreadable() -> None:
    assert imported(SUMMARY[:2000].encode()).only["completeness"] == "unreadable"
