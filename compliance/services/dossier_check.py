"""Check a PDF of a dossier by the rules that a machine can decide, as its readers' gateways do.

FDA's rules for PDF in submissions (`fda/pdf/*`), and what PDF/A-3a and tagged PDF ask of any reader's file. No
substitute for a full PDF/A validator; it says what it looked at. The file's own evidence is `compliance verify`'s.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput

if TYPE_CHECKING:
    import pikepdf

_ACTIVE = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/Rendition", "/Movie", "/Sound")
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Result:
    """One rule and what was found."""

    rule: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every rule that was looked at."""

    file: str
    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "file": self.file, "results": [asdict(result) for result in self.results]}


def check(path: Path) -> Report:
    """Check one PDF. Raises InvalidInput where it is none."""
    import pikepdf

    try:
        size = path.stat().st_size
        with pikepdf.open(path) as pdf:
            results = [Result("size", size <= _LARGEST, f"{size / (1 << 20):.1f} MiB of at most 1024")]
            results += [_result(rule, pdf) for rule in _RULES]
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}.", remedy="Name a PDF that a build wrote.") from error
    except pikepdf.PasswordError as error:
        raise InvalidInput(f"{path} is encrypted.", remedy="A submission holds no password; build it again.") from error
    except pikepdf.PdfError as error:
        raise InvalidInput(f"{path} is no PDF: {error}.", remedy="Name a PDF that a build wrote.") from error
    return Report(str(path), tuple(results))


_Rule = Callable[["pikepdf.Pdf"], tuple[bool, str]]


def _result(rule: _Rule, pdf: "pikepdf.Pdf") -> Result:
    ok, detail = rule(pdf)
    return Result(rule.__name__.strip("_").replace("_", " "), ok, detail)


def _security(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    return not pdf.is_encrypted, "encrypted" if pdf.is_encrypted else "no encryption"


def _version(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    overridden = str(pdf.Root["/Version"]) if "/Version" in pdf.Root else ""
    return "1.4" <= pdf.pdf_version <= "1.7" and not overridden, f"PDF {pdf.pdf_version}{overridden}"


def _fonts(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    names = {True: set[str](), False: set[str]()}
    for item in _dictionaries(pdf, "/FontDescriptor"):
        names[any(key in item for key in _FONT_FILES)].add(str(item.get("/FontName", "?")))
    if names[False]:
        return False, f"not embedded: {', '.join(sorted(names[False]))}"
    return bool(names[True]), f"{len(names[True])} fonts, all embedded"


def _tags(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    info: Any = pdf.Root.get("/MarkInfo", {})
    marked = "/StructTreeRoot" in pdf.Root and bool(info.get("/Marked", False))
    language = str(pdf.Root.get("/Lang", ""))
    return marked and bool(language), f"tagged, language {language}" if marked else "not tagged"


def _alternative_text(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    figures = [item for item in _dictionaries(pdf) if item.get("/S") == "/Figure"]
    silent = sum(1 for figure in figures if not str(figure.get("/Alt", "")))
    return (
        not silent,
        f"{silent} of {len(figures)} figures without" if silent else f"all {len(figures)} figures have it",
    )


def _title(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        title = str(metadata.get("dc:title", ""))
    return bool(title), title or "none"


def _bookmarks(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    with pdf.open_outline() as outline:
        entries = [*_flattened(outline.root)]
    names = _destinations(pdf)
    lost = [entry.title for entry in entries if not _leads(entry.destination, names)]
    if lost:
        return False, f"lead nowhere: {', '.join(lost[:3])}"
    return bool(entries), f"{len(entries)}, each leads to a page"


def _initial_view(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    mode = str(pdf.Root.get("/PageMode", "none"))
    return mode == "/UseOutlines", "bookmarks and page" if mode == "/UseOutlines" else f"page mode {mode}"


def _links(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    names, count, lost = _destinations(pdf), 0, 0
    for page in pdf.pages:
        annotations: Any = page.get("/Annots", [])
        for annotation in annotations:
            action = annotation.get("/A", {})
            if annotation.get("/Subtype") != "/Link" or action.get("/S") == "/URI":
                continue
            count += 1
            target = annotation.get("/Dest", action.get("/D"))
            lost += not _leads(target, names)
    return not lost, f"{lost} of {count} lead nowhere" if lost else f"{count} inside the document, none broken"


def _active_content(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    found = {str(item["/S"]) for item in _dictionaries(pdf) if str(item.get("/S", "")) in _ACTIVE}
    names: Any = pdf.Root.get("/Names", {})
    found |= {name for name in ("/AA", "/JavaScript") if name in pdf.Root or name in names}
    return not found, ", ".join(sorted(found)) or "none"


def _attachments(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    """PDF/A-3 asks that each embedded file is associated with the document and says how."""
    files = [item for item in _dictionaries(pdf, "/Filespec") if "/EF" in item]
    loose = sum(1 for item in files if "/AFRelationship" not in item)
    return not loose, f"{loose} of {len(files)} without a relationship" if loose else f"{len(files)}"


def _archive_claim(pdf: "pikepdf.Pdf") -> tuple[bool, str]:
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        claim = metadata.pdfa_status
    return claim in ("", "3A"), f"PDF/A-{claim.lower()}" if claim else "makes none"


_RULES: tuple[_Rule, ...] = (
    _security,
    _version,
    _fonts,
    _tags,
    _alternative_text,
    _title,
    _bookmarks,
    _initial_view,
    _links,
    _active_content,
    _attachments,
    _archive_claim,
)


def _dictionaries(pdf: "pikepdf.Pdf", type_: str | None = None) -> Iterator[Any]:
    """Yield the file's dictionaries, or those of one /Type."""
    import pikepdf

    for item in pdf.objects:
        if isinstance(item, pikepdf.Dictionary) and (type_ is None or item.get("/Type") == type_):
            yield item


def _flattened(items: Any) -> Iterator[Any]:
    for item in items:
        yield item
        yield from _flattened(item.children)


def _destinations(pdf: "pikepdf.Pdf") -> set[str]:
    import pikepdf

    old: Any = pdf.Root.get("/Dests", {})
    names = {str(name) for name in old}
    if "/Names" in pdf.Root and "/Dests" in pdf.Root.Names:
        names |= {str(name) for name in pikepdf.NameTree(pdf.Root.Names.Dests)}
    return names


def _leads(target: Any, names: set[str]) -> bool:
    """Say whether a destination, by name or by page, is one of this document."""
    import pikepdf

    if isinstance(target, pikepdf.Array | list):
        return len(target) > 0 and isinstance(target[0], pikepdf.Dictionary) and target[0].get("/Type") == "/Page"
    return target is not None and str(target) in names
