"""Files of a submission are measured where they lie, and a record that says otherwise is refused."""

from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pikepdf
import pytest

from compliance.core.system import Profile, System
from compliance.errors import InvalidInput
from compliance.services.workspace import Workspace

SUBMISSION = {"kind": "submission", "title": "Notification", "type": "510(k)", "authority": "FDA", "status": "planned"}


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
    system = System(id="demo", name="Demo", provider="Nobody", model="m")
    workspace = Workspace.create(tmp_path / "ws", system=system, profile=Profile(), origin="example.org/demo")
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(612, 792))
    pdf.save(workspace.root / "001_summary.pdf", force_version="1.6")
    with ZipFile(workspace.root / "data.zip", "w") as archive:
        archive.writestr("data.csv", "a\n1\n")
    return workspace


def logged(ws: Workspace, **fields: Any) -> dict[str, Any]:
    (one,) = ws.log_records([SUBMISSION | fields])
    return dict(next(piece for piece in ws.evidence() if piece.number == one.evidence).content)


def test_a_path_is_enough(ws: Workspace) -> None:
    content = logged(
        ws,
        files=[{"path": "001_summary.pdf", "section": "Administrative Documentation"}],
        other_files=[{"path": "data.zip", "folder": "STATISTICAL DATA"}],
    )
    (pdf,), (other,) = content["files"], content["other_files"]
    data = (ws.root / "001_summary.pdf").read_bytes()
    assert (pdf["name"], pdf["sha256"], pdf["bytes"]) == ("001_summary.pdf", sha256(data).hexdigest(), str(len(data)))
    assert (pdf["pages"], pdf["pdf_version"], pdf["ecopy_name"], pdf["size"]) == (1, "1.6", True, "up-to-50-mb")
    assert pdf["section"] == "Administrative Documentation"
    assert (other["zipped"], other["holds_pdf"]) == (True, False)
    assert content["package"]["bytes"] == str(len(data) + (ws.root / "data.zip").stat().st_size)
    assert content["files_checked_by"] == f"pikepdf {pikepdf.__version__}"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"path": "001_summary.pdf", "pages": 2}, "pages is given as 2, but it is 1"),
        ({"path": "001_summary.pdf", "encrypted": True}, "encrypted is given as True, but it is False"),
        ({"path": "002_missing.pdf"}, "002_missing.pdf"),
        ({"path": "../../etc/passwd"}, "lies outside"),
        ({"path": "data.zip"}, "no PDF"),
    ],
)
def test_what_the_file_contradicts_is_refused_before_anything_is_written(
    ws: Workspace, file: dict[str, Any], words: str
) -> None:
    before = len(list(ws.evidence()))
    with pytest.raises(InvalidInput, match=words):
        logged(ws, files=[file])
    assert len(list(ws.evidence())) == before


def test_a_pdf_inside_an_archive_is_found(ws: Workspace) -> None:
    with ZipFile(ws.root / "data.zip", "a") as archive:
        archive.writestr("sub/Report.PDF", "%PDF")
    content = logged(ws, other_files=[{"path": "data.zip", "folder": "MISC FILES"}])
    assert content["other_files"][0]["holds_pdf"] is True


def test_facts_given_without_a_path_are_left_to_their_author(ws: Workspace) -> None:
    content = logged(ws, files=[{"name": "001_a.pdf", "sha256": "0" * 64, "bytes": "9", "pages": 3}])
    assert content["files"][0]["pages"] == 3
    assert "files_checked_by" not in content


def test_who_checked_is_said_only_where_all_files_were_measured(ws: Workspace) -> None:
    given = {"name": "002_a.pdf", "sha256": "0" * 64, "bytes": "9"}
    content = logged(ws, files=[{"path": "001_summary.pdf"}, given])
    assert "files_checked_by" not in content
    assert int(content["package"]["bytes"]) == int(content["files"][0]["bytes"]) + 9
