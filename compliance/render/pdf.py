"""HTML to a tagged PDF/A-3a: one pass of WeasyPrint that can reach the build's own assets and nothing else.

Same HTML, same assets, same bytes: fonts are shipped, dates come from the document, and a character
that the shipped fonts do not hold is spelled out instead of borrowing a font of the machine.
"""

import gc
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput

if TYPE_CHECKING:
    from weasyprint import URLFetcher

VARIANT = "pdf/a-3a"
_MEDIA = {".ttf": "font/ttf", ".svg": "image/svg+xml"}


class Fetched(InvalidInput):
    """The document asked for something that is not the build's own."""

    code = "foreign-asset"


@dataclass
class Assets:
    """What a build may fetch, by `asset:` address, and what it was refused."""

    held: Mapping[str, tuple[str, bytes]]
    refused: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, fonts: Path, shared: Path) -> "Assets":
        files = {f"asset:fonts/{p.name}": p for p in sorted(fonts.glob("*.ttf"))}
        files |= {f"asset:{p.name}": p for p in sorted(shared.glob("*.svg"))}
        return cls({url: (_MEDIA[path.suffix], path.read_bytes()) for url, path in files.items()})

    def fetcher(self) -> "URLFetcher":
        """Return WeasyPrint's fetcher over these assets: everything else stops the build."""
        from weasyprint import URLFetcher
        from weasyprint.urls import FatalURLFetchingError, URLFetcherResponse

        assets = self

        class Only(URLFetcher):  # type: ignore[misc]  # weasyprint ships no types
            def fetch(self, url: str, headers: Any = None) -> Any:
                if url not in assets.held:
                    assets.refused.append(url)
                    raise FatalURLFetchingError(url)
                media_type, body = assets.held[url]
                return URLFetcherResponse(url, body, {"Content-Type": media_type})

        return Only()


def to_pdf(html: str, css: str, assets: Assets) -> bytes:
    """Return the document as PDF/A-3a. Raises Fetched where anything reached for the network or the disk."""
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError

    fetcher = assets.fetcher()
    fonts = FontConfiguration()
    try:
        with _quiet(), _no_collection():
            # As an author's style sheet: a user's would lose against the document's own.
            page = spelled(html, assets).replace("</head>", f"<style>{css}</style></head>", 1)
            document = HTML(string=page, url_fetcher=fetcher, base_url="asset:")
            raw = document.write_pdf(font_config=fonts, pdf_variant=VARIANT)
    except FatalURLFetchingError as error:
        raise _foreign([str(error)]) from None
    if assets.refused:  # inside an image the refusal itself is swallowed
        raise _foreign(assets.refused)
    return finished(raw)


def finished(raw: bytes) -> bytes:
    """Return the PDF as it is handed out: it opens with its bookmarks, and its identifier is its content's."""
    import pikepdf

    with pikepdf.open(BytesIO(raw)) as pdf:
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        out = BytesIO()
        pdf.save(
            out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True
        )
    return out.getvalue()


def spelled(html: str, assets: Assets) -> str:
    """Spell out characters that no shipped font holds, as U+6F22: output must not depend on the machine's fonts."""
    return _uncovered(tuple(url for url in assets.held if url.endswith(".ttf")), assets).sub(
        lambda match: f"<span class='hidden-char'>U+{ord(match[0]):04X}</span>", html
    )


def _uncovered(fonts: tuple[str, ...], assets: Assets) -> re.Pattern[str]:
    text = [_characters(assets.held[url][1]) for url in fonts if "Math" not in url]
    symbols = [_characters(assets.held[url][1]) for url in fonts if "Math" in url]
    held = frozenset.intersection(*text).union(*symbols) | {0x09, 0x0A, 0x0D, 0xAD}
    ranges = "".join(f"\\U{start:08x}-\\U{stop:08x}" for start, stop in _ranges(sorted(held)))
    return re.compile(f"[^{ranges}]")


@lru_cache(maxsize=32)
def _characters(font: bytes) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    return frozenset(TTFont(BytesIO(font), lazy=True).getBestCmap())


def _ranges(points: list[int]) -> Iterator[tuple[int, int]]:
    start = last = points[0]
    for point in points[1:]:
        if point != last + 1:
            yield start, last
            start = point
        last = point
    yield start, last


def _foreign(urls: list[str]) -> Fetched:
    return Fetched(
        f"The document reaches for {', '.join(sorted(set(urls))[:5])}.",
        remedy="A dossier fetches nothing from network or disk: take the reference out of the template.",
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out of layout, which makes millions of boxes and drops none before the end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep WeasyPrint's notes on unknown style rules off the terminal; its errors stay."""
    logger = logging.getLogger("weasyprint")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
