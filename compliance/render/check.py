"""Checks on a finished PDF that need no PDF/A validator: tags, fonts, links, bookmarks, active content, signature.

What passes here is sound by these rules; conformance to PDF/A-3 is declared in the file and not proved by them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from compliance.errors import InvalidInput

LARGEST = 50_000_000
"""Bytes; the tightest limit of an authority that we know (FDA eCopy guidance)."""


@dataclass(frozen=True, slots=True)
class Result:
    rule: str
    ok: bool
    detail: str


def check_pdf(data: bytes, name: str) -> list[Result]:
    """Return what holds and what does not. Raises InvalidInput for bytes that are no PDF."""
    import pikepdf

    try:
        with pikepdf.open(BytesIO(data)) as pdf:
            results = list(_rules(pdf, len(data)))
            signed = "/AcroForm" in pdf.Root
    except (pikepdf.PdfError, pikepdf.PasswordError) as error:
        raise InvalidInput(f"{name} is no PDF that can be read ({error}).", remedy="Give the file as built.") from None
    return [*results, _signature(data)] if signed else results


def _rules(pdf: Any, size: int) -> Iterator[Result]:
    root = pdf.Root
    metadata = bytes(root.Metadata.read_bytes()) if "/Metadata" in root else b""
    yield Result("size", size <= LARGEST, f"{size} bytes")
    yield Result("version", pdf.pdf_version == "1.7" and "/Version" not in root, f"PDF {pdf.pdf_version}")
    yield Result("not protected", not pdf.is_encrypted, "no password, no restriction")
    tagged = "/MarkInfo" in root and bool(root.MarkInfo.get("/Marked")) and "/StructTreeRoot" in root
    yield Result("tagged", tagged, "structure tree and mark")
    yield Result("language", "/Lang" in root, str(root.get("/Lang", "none")))
    yield Result("declares PDF/A-3a", b'pdfaid:part="3"' in metadata and b'conformance="A"' in metadata, "XMP metadata")
    yield Result("opens with bookmarks", root.get("/PageMode") == "/UseOutlines", str(root.get("/PageMode", "none")))
    loose = unembedded(pdf)
    yield Result("fonts embedded", not loose, ", ".join(loose) or "all")
    active = _active(pdf)
    yield Result("active content", not active, ", ".join(active) or "none")
    names = {str(n) for n in root.Names.Dests.Names[::2]} if "/Names" in root and "/Dests" in root.Names else set()
    lost = [target for target in _targets(pdf) if target not in names]
    yield Result("links", not lost, f"{len(lost)} lead nowhere" if lost else f"all of {len(names)} places are there")
    yield Result("bookmarks", _bookmarks(pdf) > 0, f"{_bookmarks(pdf)} entries")
    with pdf.open_metadata(set_pikepdf_as_editor=False) as described:
        title = str(described.get("dc:title", ""))
    yield Result("title", bool(title), title or "none")
    figures = [item for item in _dictionaries(pdf) if item.get("/S") == "/Figure"]
    silent = sum(1 for figure in figures if not str(figure.get("/Alt", "")))
    yield Result("alternative text", not silent, f"{silent} of {len(figures)} figures have none" if silent else "all")
    files = [item for item in _dictionaries(pdf) if item.get("/Type") == "/Filespec" and "/EF" in item]
    unrelated = sum(1 for item in files if "/AFRelationship" not in item)
    yield Result("attachments", not unrelated, f"{unrelated} say not what they are" if unrelated else f"{len(files)}")


def _dictionaries(pdf: Any) -> Iterator[Any]:
    import pikepdf

    return (item for item in pdf.objects if isinstance(item, pikepdf.Dictionary))


def unembedded(pdf: Any) -> list[str]:
    return [
        str(found.FontName)
        for found in _dictionaries(pdf)
        if found.get("/Type") == "/FontDescriptor" and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(found.keys())
    ]


def _active(pdf: Any) -> list[str]:
    found = [key for key in ("/AA", "/OpenAction") if key in pdf.Root]
    if "/Names" in pdf.Root and "/JavaScript" in pdf.Root.Names:
        found.append("/JavaScript")
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            if annotation.Subtype not in ("/Link", "/Widget"):
                found.append(str(annotation.Subtype))
            elif "/A" in annotation and annotation.A.S not in ("/GoTo", "/URI"):
                found.append(str(annotation.A.S))
    return sorted(set(found))


def _targets(pdf: Any) -> Iterator[str]:
    """Yield the name of every place that a link leads to."""
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            target = annotation.get("/Dest")
            if target is None and "/A" in annotation and annotation.A.S == "/GoTo":
                target = annotation.A.D
            if target is not None:
                yield str(target)


def _bookmarks(pdf: Any) -> int:
    with pdf.open_outline() as outline:
        return sum(1 + len(item.children) for item in outline.root)


def _signature(data: bytes) -> Result:
    """Check the signature against its own certificate: which key it is, the evidence index says."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    signature = PdfFileReader(BytesIO(data)).embedded_signatures[0]
    certificate = signature.signer_cert
    if certificate is None:
        return Result("signature", False, "carries no certificate")
    trust = ValidationContext(trust_roots=[certificate], allow_fetching=False)
    status = validate_pdf_signature(signature, trust)
    holds = bool(status.intact and status.valid)
    detail = f"by {certificate.subject.native.get('common_name')}, self-signed: it shows the key, not an identity"
    return Result("signature", holds, detail if holds else "the file was changed after it was signed")
