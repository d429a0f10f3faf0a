"""Folders: images by their headers, DICOM by a few tags, Hugging Face datasets; and what must never be in evidence."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid
from support.datasets import on_record

from compliance import InvalidInput, Workspace
from compliance.errors import Unavailable
from compliance.services import datasets

SECRET = "Zaphod Beeblebrox"


def everything(ws: Workspace) -> bytes:
    """All that the workspace keeps, as bytes."""
    return b"".join(path.read_bytes() for path in (ws.root / ".compliance").rglob("*") if path.is_file())


# --- images ----------------------------------------------------------------------------------------


def pictures(folder: Path, first: int, last: int) -> Path:
    """Images of two classes, in two formats, with a name in their EXIF."""
    for i in range(first, last):
        path = folder / ("cat" if i % 3 else "dog") / (f"{i}.png" if i % 2 else f"{i}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x013B] = SECRET  # Artist
        Image.fromarray(np.full((8 + i % 5, 16), i, np.uint8)).save(path, exif=exif)
    return folder


def test_images_are_counted_by_their_headers_and_no_exif_is_kept(ws: Workspace, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", 0, 60)
    (folder / "notes.txt").write_text("notes")
    piece = on_record(ws, ws.log_dataset(folder, name="i", version="1", role="train", target="folder"))
    content = piece.content
    assert (content["files"], content["rows"], content["duplicate_records"]) == (61, 60, 0)
    assert content["remarks"] == ["1 files were digested and not read."]
    assert content["labels"]["classes"] == [{"value": "cat", "n": 40}, {"value": "dog", "n": 20}]
    assert {part["group"]["format"]: part["n"] for part in content["composition"]} == {"JPEG": 30, "PNG": 30}
    height = next(column for column in content["columns"] if column["name"] == "height")
    assert height["distribution"]["mean"] == "10"
    assert piece.subjects[0]["annotations"]["basis"] == "folder"
    assert "rows_sha256" not in content
    assert any(SECRET.encode() in path.read_bytes() for path in folder.rglob("*.jpg"))
    assert SECRET.encode() not in everything(ws)


def test_the_same_image_in_training_and_test_is_found_wherever_it_lies(ws: Workspace, tmp_path: Path) -> None:
    ws.log_dataset(pictures(tmp_path / "train", 0, 30), name="train", version="1", role="train")
    test = pictures(tmp_path / "test", 30, 40)
    (test / "other.png").write_bytes((tmp_path / "train/cat/1.png").read_bytes())
    piece = on_record(ws, ws.log_dataset(test, name="test", version="1", role="test"))
    assert piece.content["leakage"] == {"datasets": 1, "not_comparable": 0, "shared": 1}


def test_a_damaged_image_leaves_the_record_incomplete(ws: Workspace, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", 0, 5)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    piece = on_record(ws, ws.log_dataset(folder, name="i", version="1", role="train"))
    assert (piece.completeness, piece.content["rows"]) == ("incomplete", 5)
    assert piece.predicate["completeness_reason"] == "1 of 6 images could not be read."


# --- DICOM -----------------------------------------------------------------------------------------


def objects(folder: Path, first: int, last: int, **tags: Any) -> Path:
    """Objects of one patient each, of two manufacturers, at two sites, with pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(first, last):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(i)])
        one = FileDataset(str(folder / f"{i}.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
        one.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        one.PatientName, one.PatientID = SECRET.replace(" ", "^"), f"MRN-77341-{i // 2}"
        one.PatientSex, one.PatientAge = "FM"[i % 2], f"{40 + i:03d}Y"
        one.Modality, one.Manufacturer, one.ManufacturerModelName = "CT", ["Acme", "Umbra"][i % 2], "One"
        one.InstitutionName, one.StudyDate = ["North", "South"][i % 4 == 0], f"20260{1 + i % 5}17"
        one.ReferringPhysicianName = SECRET
        one.Rows = one.Columns = 4
        one.BitsAllocated = one.BitsStored = 8
        one.PixelData = bytes(16)
        for tag, value in tags.items():
            setattr(one, tag, value)
        one.save_as(folder / f"{i}.dcm", enforce_file_format=True)
    return folder


def test_dicom_is_counted_by_a_few_tags_and_never_by_name(ws: Workspace, tmp_path: Path) -> None:
    folder = objects(tmp_path / "dicom", 0, 40)
    piece = on_record(ws, ws.log_dataset(folder, name="ct", version="1", role="train"))
    content = piece.content
    assert (content["file_format"], content["files"], content["rows"], content["patients"]) == ("DICOM", 40, 40, 20)
    assert (content["modalities"], content["equipment"]) == (["CT"], ["Acme One", "Umbra One"])
    assert content["sites"] == [{"name": "North", "n": 30}, {"name": "South", "n": 10}]
    assert content["period"] == {"start": "2026-01-01", "end": "2026-05-31"}
    age = next(column for column in content["columns"] if column["name"] == "age")
    assert {part["group"]["manufacturer"]: part["distribution"]["mean"] for part in age["by_group"]
            if "manufacturer" in part["group"]} == {"Acme": "59", "Umbra": "60"}  # fmt: skip
    kept = everything(ws)
    for told in (SECRET, "Zaphod", "MRN-77341", "2026-01-17", "1.2.826.0.1.3680043.8.498"):
        assert told.encode() not in kept


def test_a_patient_in_training_and_test_is_found_in_dicom(ws: Workspace, tmp_path: Path) -> None:
    ws.log_dataset(objects(tmp_path / "train", 0, 21), name="train", version="1", role="train")
    ws.log_dataset(objects(tmp_path / "test", 21, 30), name="test", version="1", role="test")
    found = datasets.compare(ws, "train", "test")
    assert (found.patients.count, found.records.count) == (1, 0)


def test_a_dicom_file_cut_short_leaves_the_record_incomplete(ws: Workspace, tmp_path: Path) -> None:
    folder = objects(tmp_path / "dicom", 0, 3)
    whole = (folder / "0.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:140])
    piece = on_record(ws, ws.log_dataset(folder, name="ct", version="1", role="train"))
    assert piece.predicate["completeness_reason"] == "1 of 4 DICOM files could not be read whole."


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_what_a_tag_holds_that_is_no_group_is_not_printed(ws: Workspace, tmp_path: Path) -> None:
    """Words in the tag for sex; an institution of its own for nearly every object; an object without its preamble."""
    folder = objects(tmp_path / "dicom", 0, 12)
    objects(folder, 12, 13, PatientSex="Jane Doe", InstitutionName=["Ward 1", "Ward 2"])
    for i in range(13, 40):
        objects(folder, i, i + 1, InstitutionName=f"Practice {i}")
    (folder / "bare.dcm").write_bytes((folder / "0.dcm").read_bytes()[132:])
    piece = on_record(ws, ws.log_dataset(folder, name="ct", version="1", role="train"))
    sexes = {part["group"]["sex"] for part in piece.content["composition"] if "sex" in part["group"]}
    assert sexes == {"F", "M", "not recorded"}
    assert "sites" not in piece.content
    assert piece.predicate["completeness_reason"] == "1 of 41 DICOM files could not be read whole."


def test_an_institution_of_two_names_is_one_site(ws: Workspace, tmp_path: Path) -> None:
    folder = objects(tmp_path / "dicom", 0, 12, InstitutionName=["Ward 1", "Ward 2"])
    piece = on_record(ws, ws.log_dataset(folder, name="ct", version="1", role="train"))
    assert piece.content["sites"] == [{"name": "Ward 1\\Ward 2", "n": 12}]


def test_whatever_a_dicom_file_holds_the_others_are_read(
    ws: Workspace, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """A value representation that there is none, half a number, an object packed as a whole."""
    folder = objects(tmp_path / "dicom", 0, 3)
    whole = (folder / "0.dcm").read_bytes()
    (folder / "vr.dcm").write_bytes(whole.replace(b"\x08\x00\x60\x00CS", b"\x08\x00\x60\x00ZZ"))
    (folder / "half.dcm").write_bytes(whole.replace(b"\x28\x00\x10\x00US\x02", b"\x28\x00\x10\x00US\x01"))
    packed = pydicom.dcmread(folder / "0.dcm")
    packed.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    packed.save_as(folder / "packed.dcm")
    piece = on_record(ws, ws.log_dataset(folder, name="ct", version="1", role="train"))
    assert piece.content["rows"] == 3
    assert not [warning for warning in recwarn if "pydicom" in warning.filename]
    assert piece.predicate["completeness_reason"] == "3 of 6 DICOM files could not be read whole."


def test_without_pydicom_it_says_what_to_install(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = objects(tmp_path / "dicom", 0, 1)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(Unavailable) as refusal:
        ws.log_dataset(folder, name="ct", version="1", role="train")
    assert "compliance-tracker[dicom]" in refusal.value.remedy
    assert pydicom.__version__


# --- tables in folders -----------------------------------------------------------------------------

CARD = "---\nlicense: cc-by-4.0\nlanguage:\n- en\n- de\npretty_name: Visits\n---\n# Visits\n"


def visits(first: int, last: int) -> pd.DataFrame:
    return pd.DataFrame({"patient": [f"p{i}" for i in range(first, last)], "age": range(first, last)})


def test_a_hugging_face_folder_is_one_table_with_its_card(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    (folder / "data").mkdir(parents=True)
    visits(0, 30).to_parquet(folder / "data/train-00000-of-00002.parquet")
    visits(30, 50).to_parquet(folder / "data/train-00001-of-00002.parquet")
    visits(50, 60).to_parquet(folder / "data/test-00000-of-00001.parquet")
    (folder / "README.md").write_text(CARD)
    piece = on_record(ws, ws.log_dataset(folder, name="v", version="1", role="raw", patient="patient"))
    content = piece.content
    assert (content["rows"], content["files"], content["patients"]) == (60, 4, 60)
    assert content["splits"] == [{"group": {"split": "test"}, "n": 10}, {"group": {"split": "train"}, "n": 50}]
    assert (content["licence"], content["languages"]) == ("cc-by-4.0", ["en", "de"])
    assert content["remarks"] == ["licence and languages: as README.md claims."]
    whole = on_record(ws, ws.log_dataset(visits(0, 60), name="w", version="1", role="raw"))
    assert content["rows_sha256"] == whole.content["rows_sha256"]
    assert [one["name"] for one in piece.predicate["attachments"]] == ["README.md", "fingerprints.txt"]


def test_tables_of_different_columns_are_digested_and_not_mixed(ws: Workspace, tmp_path: Path) -> None:
    visits(0, 5).to_csv(tmp_path / "a.csv", index=False)
    visits(0, 5).rename(columns={"age": "years"}).to_csv(tmp_path / "b.csv", index=False)
    folder = tmp_path / "both"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).rename(folder / name)
    content = on_record(ws, ws.log_dataset(folder, name="v", version="1", role="raw")).content
    assert "rows" not in content
    assert "log each table by itself" in content["remarks"][0]
    with pytest.raises(InvalidInput, match="without one table: patient"):
        ws.log_dataset(folder, name="v", version="2", role="raw", patient="patient")


def test_a_damaged_card_is_named(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    visits(0, 5).to_csv(tmp_path / "data" / "a.csv", index=False)
    (tmp_path / "data" / "README.md").write_text("---\nlicense: [\n---\n")
    with pytest.raises(InvalidInput, match=r"README\.md"):
        ws.log_dataset(tmp_path / "data", name="v", version="1", role="raw")


# --- Croissant -------------------------------------------------------------------------------------


def test_a_croissant_description_is_logged_by_its_identity_and_no_address_is_opened(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = Path(__file__).resolve().parents[4] / "shared/samples/croissant/titanic.json"
    if not sample.is_file():
        pytest.skip(f"needs the genuine files at {sample.parent}")
    (tmp_path / "titanic.json").write_bytes(sample.read_bytes())
    opened: list[object] = []

    def refuse(_: socket.socket, where: object) -> None:
        opened.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    piece = on_record(ws, ws.log_dataset(tmp_path / "titanic.json", name="titanic", version="1", role="raw"))
    assert piece.subjects[0]["name"] == "titanic@1"
    assert piece.subjects[0]["annotations"]["basis"] == "identity"
    fields = {one["name"]: one["type"] for one in piece.content["columns"]}
    assert fields["genders/label"] == "Text, name"
    assert len(json.loads(sample.read_text())["recordSet"]) > 1
    assert [place for place in opened if place != ("127.0.0.1", 9)] == []
