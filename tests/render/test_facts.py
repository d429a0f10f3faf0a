"""Facts of a submitted PDF: against files of other tools, then one fault at a time in a file made here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from compliance.errors import InvalidInput
from compliance.render.facts import pdf_facts

Change = Callable[[pikepdf.Pdf], Any]

SOUND = {
    "pages": 2, "pdf_version": "1.7", "encrypted": False, "restricted": False, "embedded_files": 0, "active_items": 0,
    "annotations": 0, "searchable": True, "fonts_embedded": True, "bookmarks": 2, "broken_links": 0,
    "initial_view": "bookmarks-and-page", "linearized": False,
}  # fmt: skip


def sound() -> pikepdf.Pdf:
    """Return two pages of text with a bookmark to each and a link between them."""
    pdf = pikepdf.new()
    for _ in range(2):
        pdf.add_blank_page(page_size=(612, 792))
        pdf.pages[-1].Contents = pdf.make_stream(b"BT (word) Tj ET")
    with pdf.open_outline() as outline:
        outline.root.extend([pikepdf.OutlineItem("one", 0), pikepdf.OutlineItem("two", 1)])
    link(pdf, Array([pdf.pages[1].obj, Name.Fit]))
    pdf.Root.PageMode = Name.UseOutlines
    return pdf


def link(pdf: pikepdf.Pdf, target: Any) -> None:
    annotate(pdf, Dictionary(Type=Name.Annot, Subtype=Name.Link, Dest=target))


def annotate(pdf: pikepdf.Pdf, item: Dictionary) -> None:
    page = pdf.pages[0]
    page.Annots = Array([*page.get("/Annots", []), pdf.make_indirect(item)])


def scanned(pdf: pikepdf.Pdf) -> None:
    image = pdf.make_stream(b"\0", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, BitsPerComponent=8,
                            ColorSpace=Name.DeviceGray)  # fmt: skip
    pdf.pages[0].Resources = Dictionary(XObject=Dictionary(Im1=image))
    pdf.pages[0].Contents = pdf.make_stream(b"/Im1 Do")


def recognised(pdf: pikepdf.Pdf) -> None:
    scanned(pdf)
    form = pdf.make_stream(b"BT (word) Tj ET", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1, 1]))
    pdf.pages[0].Resources.XObject.Fm1 = form
    pdf.pages[0].Contents = pdf.make_stream(b"/Im1 Do /Fm1 Do")


def script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def attach(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["data.json"] = pikepdf.AttachedFileSpec(pdf, b"{}", filename="data.json")


def loose_font(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Extra = pdf.make_indirect(Dictionary(Type=Name.FontDescriptor, FontName=Name.Odd))


def test_files_of_another_tool_are_read() -> None:
    facts = pdf_facts(Path(matplotlib.get_data_path()) / "images" / "matplotlib.pdf")
    assert (facts["pages"], facts["pdf_version"], facts["bookmarks"], facts["initial_view"]) == (1, "1.4", 0, "page")


def test_a_sound_file_is_told_as_it_is(tmp_path: Path) -> None:
    sound().save(tmp_path / "a.pdf", force_version="1.7")
    assert pdf_facts(tmp_path / "a.pdf") == SOUND


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        (scanned, {"searchable": False}),
        (recognised, {"searchable": True}),
        (script, {"active_items": 1}),
        (attach, {"embedded_files": 1}),
        (loose_font, {"fonts_embedded": False}),
        (lambda pdf: annotate(pdf, Dictionary(Subtype=Name.Text)), {"annotations": 1}),
        (lambda pdf: annotate(pdf, Dictionary(Subtype=Name.Movie)), {"annotations": 0, "active_items": 1}),
        (lambda pdf: annotate(pdf, Dictionary(Subtype=Name.Link, A=Dictionary(S=Name.Launch))), {"active_items": 1}),
        (lambda pdf: annotate(pdf, Dictionary(Subtype=Name.Link, A=Dictionary(S=Name.GoTo))), {"broken_links": 1}),
        (lambda pdf: link(pdf, String("nowhere")), {"broken_links": 1}),
        (lambda pdf: link(pdf, Array([])), {"broken_links": 1}),
        (lambda pdf: pdf.pages.__delitem__(1), {"pages": 1, "broken_links": 2}),
        (lambda pdf: pdf.Root.__delitem__("/PageMode"), {"initial_view": "other"}),
        (lambda pdf: pdf.Root.__delitem__("/Outlines"), {"bookmarks": 0, "initial_view": "other"}),
        (lambda pdf: pdf.Root.__setitem__("/PageLayout", Name.TwoColumnLeft), {"initial_view": "other"}),
    ],
)
def test_each_fault_shows_in_its_own_fact(tmp_path: Path, change: Change, facts: dict[str, Any]) -> None:
    pdf = sound()
    change(pdf)
    pdf.save(tmp_path / "a.pdf", force_version="1.7")
    assert pdf_facts(tmp_path / "a.pdf") == SOUND | facts


def test_a_named_place_is_found(tmp_path: Path) -> None:
    pdf = sound()
    names = pikepdf.NameTree.new(pdf)
    names["here"] = Array([pdf.pages[0].obj, Name.Fit])
    pdf.Root.Names = Dictionary(Dests=names.obj)
    link(pdf, String("here"))
    pdf.save(tmp_path / "a.pdf")
    assert pdf_facts(tmp_path / "a.pdf")["broken_links"] == 0


def test_bookmarks_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    pdf = sound()
    first = pdf.Root.Outlines.First
    first.Next.Next = first
    pdf.save(tmp_path / "a.pdf")
    assert pdf_facts(tmp_path / "a.pdf")["bookmarks"] == 2


def test_protection_is_told(tmp_path: Path) -> None:
    closed, limited = tmp_path / "closed.pdf", tmp_path / "limited.pdf"
    sound().save(closed, encryption=pikepdf.Encryption(owner="o", user="u"))
    sound().save(limited, encryption=pikepdf.Encryption(owner="o", allow=pikepdf.Permissions(extract=False)))
    assert pdf_facts(closed) == {"encrypted": True, "restricted": True}
    assert (pdf_facts(limited)["encrypted"], pdf_facts(limited)["restricted"]) == (False, True)


def test_linearization_is_told(tmp_path: Path) -> None:
    sound().save(tmp_path / "a.pdf", linearize=True)
    assert pdf_facts(tmp_path / "a.pdf")["linearized"] is True


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"PK\x03\x04", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>"])
def test_what_is_no_pdf_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"a\.pdf is no PDF"):
        pdf_facts(tmp_path / "a.pdf")
