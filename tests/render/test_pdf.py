"""The PDF pass: nothing is fetched, nothing borrowed from the machine, the same bytes twice."""

from io import BytesIO

import pikepdf
import pytest

from compliance.render.pdf import Assets, Fetched, spelled, to_pdf
from compliance.storage.assets import folder

TEMPLATES = folder("templates")
PRINT = (TEMPLATES / "dossiers" / "_shared" / "print.css").read_text(encoding="utf-8")


@pytest.fixture
def assets() -> Assets:
    return Assets.of(TEMPLATES / "fonts", TEMPLATES / "dossiers" / "_shared")


def page(body: str, head: str = "") -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><title>t</title>'
        '<meta name="dcterms.created" content="2026-11-24T00:00:00Z">'
        '<meta name="dcterms.modified" content="2026-11-24T00:00:00Z">'
        f'<style>body {{ font-family: "Dossier Sans", "Dossier Math" }}</style>{head}</head><body>{body}</body></html>'
    )


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ('<img alt="" src="http://127.0.0.1:9/a.png">', ""),
        ('<img alt="" src="file:///etc/passwd">', ""),
        ('<img alt="" src="data:image/svg+xml,%3Csvg/%3E">', ""),
        ('<img alt="" src="relative.png">', ""),
        ("", '<link rel="stylesheet" href="https://example.org/a.css">'),
        ("", "<style>@import url(file:///etc/hostname);</style>"),
        ("", '<style>body { background: url("http://127.0.0.1:9/b") }</style>'),
        ("", '<link rel="attachment" href="file:///etc/passwd">'),
        ('<svg width="9" height="9"><image href="http://127.0.0.1:9/c.png" width="9" height="9"/></svg>', ""),
        ('<object data="file:///etc/passwd"></object>', ""),
    ],
)
def test_whatever_reaches_outside_stops_the_build(assets: Assets, body: str, head: str) -> None:
    with pytest.raises(Fetched):
        to_pdf(page(body, head), PRINT, assets)


def test_the_same_page_gives_the_same_bytes(assets: Assets) -> None:
    html = page("<h1>One</h1><p>Two ≤ three</p>")
    assert to_pdf(html, PRINT, assets) == to_pdf(html, PRINT, assets)


def test_a_character_that_no_shipped_font_holds_is_spelled_out(assets: Assets) -> None:
    assert "U+6F22" in spelled("漢", assets)
    assert spelled("Žluťoučký ≤ κ → 0.5", assets) == "Žluťoučký ≤ κ → 0.5"


def test_every_font_is_the_builds_own_and_embedded(assets: Assets) -> None:
    with pikepdf.open(BytesIO(to_pdf(page("<p>a 漢 ≥ ❦</p>"), PRINT, assets))) as pdf:
        descriptors = [
            o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
        ]
        assert descriptors
        for descriptor in descriptors:
            assert "Dossier" in str(descriptor.FontName)
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys())
