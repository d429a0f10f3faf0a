"""Each rule is met by a good file and missed by the same file with one thing wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from compliance.errors import InvalidInput
from compliance.services.dossier_check import check

PAGE = """<html lang="en"><head><title>Technical documentation</title></head><body>
<h1 id="one">One</h1><p><a href="#two">two</a></p>
<svg width="10" height="10"><title>A square</title><rect width="10" height="10"/></svg>
<h2 id="two">Two</h2><p>text</p></body></html>"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import weasyprint

    path = tmp_path_factory.mktemp("pdf") / "good.pdf"
    weasyprint.HTML(string=PAGE).write_pdf(path, pdf_variant="pdf/a-3a")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        pdf.save(path)
    return path


def objects(pdf: pikepdf.Pdf, key: str, value: str) -> list[Any]:
    return [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get(key) == value]


def no_version(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Version = pikepdf.Name("/2.0")


def no_font(pdf: pikepdf.Pdf) -> None:
    for descriptor in objects(pdf, "/Type", "/FontDescriptor"):
        for key in ("/FontFile", "/FontFile2", "/FontFile3"):
            if key in descriptor:
                del descriptor[key]


def no_tags(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.StructTreeRoot


def no_language(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.Lang


def no_alternative(pdf: pikepdf.Pdf) -> None:
    for figure in objects(pdf, "/S", "/Figure"):
        del figure.Alt


def no_title(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as metadata:
        del metadata["dc:title"]


def no_bookmarks(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.Outlines


def no_view(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.PageMode


def no_target(pdf: pikepdf.Pdf) -> None:
    for annotation in pdf.pages[0].Annots:
        annotation.Dest = pikepdf.String("nowhere")


def script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("1")))


def loose_file(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["data.json"] = b"{}"
    for item in objects(pdf, "/Type", "/Filespec"):
        if "/AFRelationship" in item:
            del item["/AFRelationship"]


def other_claim(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as metadata:
        metadata["pdfaid:conformance"] = "B"


BREAKAGES: dict[str, Callable[[pikepdf.Pdf], None]] = {
    "version": no_version,
    "fonts": no_font,
    "tags": no_tags,
    "alternative text": no_alternative,
    "title": no_title,
    "bookmarks": no_bookmarks,
    "initial view": no_view,
    "links": no_target,
    "active content": script,
    "attachments": loose_file,
    "archive claim": other_claim,
}


def test_a_good_file_meets_every_rule(good: Path) -> None:
    report = check(good)
    assert report.ok, [r for r in report.results if not r.ok]
    assert {result.rule for result in report.results} == {"size", "security", *BREAKAGES}


@pytest.mark.parametrize("rule", BREAKAGES)
def test_one_thing_wrong_is_found_and_named(rule: str, good: Path, tmp_path: Path) -> None:
    with pikepdf.open(good) as pdf:
        BREAKAGES[rule](pdf)
        pdf.save(tmp_path / "bad.pdf")
    assert rule in [result.rule for result in check(tmp_path / "bad.pdf").results if not result.ok]


def test_a_file_without_language_is_not_tagged_well(good: Path, tmp_path: Path) -> None:
    with pikepdf.open(good) as pdf:
        no_language(pdf)
        pdf.save(tmp_path / "bad.pdf")
    assert "tags" in [result.rule for result in check(tmp_path / "bad.pdf").results if not result.ok]


def test_what_is_no_pdf_is_refused(good: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"PK\x03\x04")
    with pikepdf.open(good) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
    for name in ("x.pdf", "locked.pdf", "nowhere.pdf", "."):
        with pytest.raises(InvalidInput, match=name.strip(".") or "."):
            check(tmp_path / name)
