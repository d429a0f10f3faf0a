"""What a submitted PDF is, as measured: the facts that FDA's eCopy and PDF rules are about.

Page numbers as printed, margins and reading direction are not measured: a person looks at those.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compliance.errors import InvalidInput
from compliance.render.check import unembedded

PASSIVE = frozenset({"/GoTo", "/GoToR", "/URI", "/Named"})
"""Actions that only lead somewhere."""
PLAYED = frozenset({"/Screen", "/Movie", "/Sound", "/3D", "/RichMedia"})
"""Annotations that hold sound, video or 3D content."""
SHOWN = frozenset({"Tj", "TJ", "'", '"'})
"""Operators that show text."""
DEEPEST = 8
"""Forms within forms, bookmarks below bookmarks; deeper ones are not looked into."""


def pdf_facts(path: Path) -> dict[str, Any]:
    """Return the measured facts of a PDF by the names of `PdfFile`. Raises InvalidInput for what is no PDF."""
    import pikepdf

    try:
        with pikepdf.open(path) as pdf:
            return _facts(pdf)
    except pikepdf.PasswordError:
        return {"encrypted": True, "restricted": True}
    # A part of a damaged file may be of any type, whatever the format asks.
    except (pikepdf.PikepdfError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{path.name} is no PDF that can be read ({error}).", remedy="Give the file as it is sent."
        ) from error


def _facts(pdf: Any) -> dict[str, Any]:
    from pikepdf import Dictionary

    objects = [item for item in pdf.objects if isinstance(item, Dictionary)]
    annotations = [item for page in pdf.pages for item in page.get("/Annots", []) if isinstance(item, Dictionary)]
    kinds = [str(item.get("/Subtype")) for item in annotations]
    entries = list(_entries(pdf.Root.get("/Outlines")))
    places = _places(pdf)
    return {
        "pages": len(pdf.pages),
        "pdf_version": str(pdf.Root.get("/Version", pdf.pdf_version)).removeprefix("/"),
        "encrypted": False,
        "restricted": bool(pdf.is_encrypted),
        "embedded_files": sum(1 for item in objects if item.get("/Type") == "/Filespec" and "/EF" in item),
        "active_items": sum(1 for _ in _actions(pdf, objects)) + sum(kind in PLAYED for kind in kinds),
        "annotations": sum(kind not in PLAYED | {"/Link", "/Widget"} for kind in kinds),
        "searchable": all(_searchable(page.obj) for page in pdf.pages),
        "fonts_embedded": not unembedded(pdf),
        "bookmarks": len(entries),
        "broken_links": sum(1 for item in (*annotations, *entries) if _leads_nowhere(item, places)),
        "initial_view": _view(pdf.Root, bool(entries)),
        "linearized": bool(pdf.is_linearized),
    }


def _actions(pdf: Any, objects: list[Any]) -> Iterator[str]:
    """Yield every action that does more than lead somewhere: scripts above all."""
    if "/JavaScript" in pdf.Root.get("/Names", {}):
        yield "/JavaScript"
    for item in objects:
        if "/AA" in item:
            yield "/AA"
        for key in ("/A", "/OpenAction"):
            action = item.get(key)
            if isinstance(action, type(item)) and "/S" in action and str(action.S) not in PASSIVE:
                yield str(action.S)


def _searchable(page: Any, depth: int = 0) -> bool:
    """Say whether a page that shows an image shows text too; an empty page hides nothing."""
    shown, pictures = _drawn(page, depth)
    return shown or not pictures


def _drawn(part: Any, depth: int) -> tuple[bool, bool]:
    """Return whether a page, or a form drawn on it, shows text and whether it shows images."""
    import pikepdf

    steps = pikepdf.parse_content_stream(part)
    shown = any(str(step.operator) in SHOWN for step in steps)
    pictures = any(str(step.operator) == "INLINE IMAGE" for step in steps)
    drawn = {str(step.operands[0]) for step in steps if str(step.operator) == "Do" and step.operands}
    available = part.get("/Resources", {}).get("/XObject", {})
    for name in drawn:
        item = available.get(name)
        if item is None:
            continue
        if item.get("/Subtype") == "/Image":
            pictures = True
        elif depth < DEEPEST:
            below = _drawn(item, depth + 1)
            shown, pictures = shown or below[0], pictures or below[1]
    return shown, pictures


def _entries(outlines: Any, depth: int = 0) -> Iterator[Any]:
    """Yield every bookmark, each object once: a file may lead in circles."""
    seen: set[tuple[int, int]] = set()
    entry = outlines.get("/First") if outlines is not None and depth < DEEPEST else None
    while entry is not None and entry.objgen not in seen:
        seen.add(entry.objgen)
        yield entry
        yield from _entries(entry, depth + 1)
        entry = entry.get("/Next")


def _leads_nowhere(item: Any, places: set[Any]) -> bool:
    """Say whether a link or bookmark leads to a place in this file that is not there."""
    from pikepdf import Array, Dictionary

    target, action = item.get("/Dest"), item.get("/A")
    if isinstance(action, Dictionary) and action.get("/S") == "/GoTo":
        target = action.get("/D", Array())
    if target is None:
        return False
    if isinstance(target, Array):
        return len(target) == 0 or getattr(target[0], "objgen", None) not in places
    return str(target) not in places


def _places(pdf: Any) -> set[Any]:
    """Return what a link may lead to: every page's object number, every name of the name tree or older dictionary."""
    from pikepdf import NameTree

    tree = pdf.Root.get("/Names", {}).get("/Dests")
    named = {str(name) for name in NameTree(tree)} if tree is not None else set()
    return {page.obj.objgen for page in pdf.pages} | named | {str(name) for name in pdf.Root.get("/Dests", {})}


def _view(root: Any, bookmarked: bool) -> str:
    mode, layout = str(root.get("/PageMode", "/UseNone")), str(root.get("/PageLayout", "/SinglePage"))
    if layout != "/SinglePage" or mode != ("/UseOutlines" if bookmarked else "/UseNone"):
        return "other"
    return "bookmarks-and-page" if bookmarked else "page"
