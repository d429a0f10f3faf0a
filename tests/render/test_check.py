"""Each rule is met by a good file and missed by the same file with one thing wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from compliance.errors import InvalidInput
from compliance.render.check import Result, check_pdf


def missed(path: Path) -> set[str]:
    return {result.rule for result in check_pdf(path.read_bytes(), path.name) if not result.ok}


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
    "fonts embedded": no_font,
    "tagged": no_tags,
    "language": no_language,
    "alternative text": no_alternative,
    "title": no_title,
    "bookmarks": no_bookmarks,
    "opens with bookmarks": no_view,
    "links": no_target,
    "active content": script,
    "attachments": loose_file,
    "declares PDF/A-3a": other_claim,
}


def test_a_good_file_meets_every_rule(good: Path) -> None:
    results: list[Result] = check_pdf(good.read_bytes(), good.name)
    assert not missed(good)
    assert {result.rule for result in results} == {"size", "not protected", *BREAKAGES}


@pytest.mark.parametrize("rule", BREAKAGES)
def test_one_thing_wrong_is_found_and_named(rule: str, good: Path, tmp_path: Path) -> None:
    with pikepdf.open(good) as pdf:
        BREAKAGES[rule](pdf)
        pdf.save(tmp_path / "bad.pdf")
    assert rule in missed(tmp_path / "bad.pdf")


def test_what_is_no_pdf_is_refused(good: Path, tmp_path: Path) -> None:
    with pikepdf.open(good) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
    for data in (b"PK\x03\x04", b"", (tmp_path / "locked.pdf").read_bytes()):
        with pytest.raises(InvalidInput, match="no PDF"):
            check_pdf(data, "x.pdf")
