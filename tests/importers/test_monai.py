"""MONAI: which metric is in the name alone; nan counts in no mean, inf leaves none; class0 may be label 1."""

from pathlib import Path

import pytest
from support.imports import SAMPLES, tool_of

from compliance.importers import Given, NotSaidError, Source, read, recognise

FOLDER = SAMPLES / "monai"


def _read(name: str, data: bytes | None = None, **given: int) -> dict:
    source = Source.of(name, data if data is not None else Path(FOLDER / name).read_bytes())
    importer = recognise(source)
    assert importer is not None
    assert importer.tool == "MONAI"
    (record,) = read(importer, source, Given(**given)).records
    return record


def _row(record: dict, **group: str) -> dict:
    (row,) = [row for row in record["metrics"] if row.get("group", {}) == group]
    return row


def test_a_row_per_image_gives_means_over_the_images_that_have_the_class() -> None:
    record = _read("val_dice_raw.csv")
    first, second = _row(record, **{"class": "class0"}), _row(record, **{"class": "class1"})
    assert (first["name"], first["value"], first["n"], first["origin"]) == ("dice", "0.954545", 4, "recomputed")
    assert second["n"] == 3, "one image holds no such class"
    assert _row(record)["n"] == 4
    assert "class0 is label 1" in record["limits"][0]


def test_a_summary_agrees_with_its_images_and_counts_as_it_does() -> None:
    record = _read("val_dice_summary.csv")
    assert (_row(record, **{"class": "class1"})["value"], _row(record, **{"class": "class1"})["n"]) == ("0.8571", 3)


def test_file_names_of_images_are_withheld() -> None:
    record = _read("val_dice_raw.csv")
    assert "case_000" not in str(record["metrics"]) + record["summary"]
    assert record["attachments"][0]["classification"] == "restricted"


def test_a_renamed_file_is_asked_about() -> None:
    with pytest.raises(NotSaidError, match="in its name alone"):
        _read("results.csv", (FOLDER / "val_dice_raw.csv").read_bytes())


def test_a_distance_without_end_leaves_no_mean() -> None:
    record = _read("hausdorff_raw.csv", b"filename,class0,mean\na,3.5,3.5\nb,inf,inf\n")
    assert _row(record, **{"class": "class0"}).get("value") is None
    assert _row(record, **{"class": "class0"})["better"] == "lower"
    assert record["completeness"] == "incomplete"


def test_a_cut_file_is_incomplete() -> None:
    record = _read("val_dice_raw.csv", (FOLDER / "val_dice_raw.csv").read_bytes()[:-20])
    assert "cut off" in record["completeness_reason"]


def test_a_class_in_no_image_has_no_figure() -> None:
    record = _read("val_dice_summary.csv", b"class,mean,median,notnans\nclass0,nan,nan,0.0000\n")
    assert "lass0 was in no image" in record["completeness_reason"]
    assert record["completeness"] == "incomplete"


def test_tabs_of_older_versions_are_read() -> None:
    whole = (FOLDER / "val_dice_raw.csv").read_bytes()
    assert _read("val_dice_raw.csv", whole.replace(b",", b"\t"))["metrics"] == _read("val_dice_raw.csv")["metrics"]


def test_other_tables_are_not_taken_for_it() -> None:
    assert tool_of(b"filename,label,mean\na,benign,b\n") is None
    assert tool_of(b"mean_dice,0.9\n") is None


def test_images_that_are_missing_are_told_where_somebody_says_how_many_there_should_be() -> None:
    record = _read("val_dice_raw.csv", cases=5)
    assert "1 of 5 cases are missing" in record["completeness_reason"]
    assert _read("val_dice_raw.csv", cases=4)["accountability"]["analysed"] == 4
