"""Compiling dossiers: one cut-off, one assessment, five files.

A build knows the ledger up to its cut-off and nothing later, except the approvals that name its
content: with the same `at`, they turn the draft into the approved document and change nothing else.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from compliance.core import checkpoint, trust
from compliance.core.canonical import canonical, digest
from compliance.core.cited import Citations
from compliance.core.dossier import Cutoff, Dossier, Manifest, Signature, compose, signatures
from compliance.core.evidence import Evidence, evidence_number
from compliance.core.findings import Assessment, Note
from compliance.core.reading import read_records
from compliance.core.shelf import Shelf
from compliance.errors import InvalidInput, Unavailable, UnknownReference, VerificationFailed
from compliance.storage import assets

if TYPE_CHECKING:
    from compliance.render.check import Result
    from compliance.render.html import TemplateFolder
    from compliance.services.workspace import Workspace

MANIFEST = "manifest.yaml"
ENTRY_POINTS = "compliance.dossiers"


@dataclass(frozen=True, slots=True)
class Built:
    """What one build wrote."""

    paths: tuple[Path, ...]
    """Submission PDF, archive PDF, HTML, JSON, bundle."""
    counts: dict[str, int]
    """Findings in scope, by word."""
    digest: str
    """Of the content: what approvals name."""
    cutoff: str
    approved: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            "paths": [str(path) for path in self.paths],
            "counts": dict(self.counts),
            "digest": self.digest,
            "cutoff": self.cutoff,
            "approved": self.approved,
        }


@dataclass(frozen=True, slots=True)
class _Verified:
    """The ledger's state as needs of kind `audit-trail` see it: up to the cut-off, whatever came later."""

    ok: bool
    checked: int


def available() -> list[Manifest]:
    """Return every dossier that can be built, by id: ours, and those that installed packages bring."""
    return [read_manifest(folder) for _, folder in sorted(_folders().items())]


def build(ws: "Workspace", dossier_id: str, *, out: Path, model: str | None = None, at: str | None = None) -> Built:
    """Compile a dossier for one model version into the folder `out`.

    `at` is the last piece of evidence that it knows (default: the newest on record). Raises UnknownReference for an
    id, model or number that is none, Unavailable where `out` cannot be written or the signing key not be opened.
    """
    from compliance.render import html

    folder = _folder(dossier_id)
    templates = _templates(folder)
    dossier = _compose(ws, read_manifest(folder), templates, model, at)
    citations = Citations()
    sections = html.sections(dossier, templates, citations)
    content = canonical({**dossier.to_dict(), "figures": [c.to_dict() for c in citations.printed]})
    content_digest = digest(content)
    asked, given = _approvals(ws, dossier, content_digest)
    page = html.document(dossier, sections, asked, content_digest, templates)
    files = _files(ws, dossier, templates, page, content, given)
    paths = _write(out, files)
    return Built(
        paths, dossier.counts, content_digest, dossier.cutoff.evidence, all(signature.evidence for signature in asked)
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds of one file, rule by rule."""

    results: tuple["Result", ...]

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "results": [asdict(result) for result in self.results]}


def check(path: Path) -> Checked:
    """Check a PDF or bundle that a build made. Raises InvalidInput for another file."""
    from compliance.render.check import Result, check_pdf
    from compliance.services import verify_bundle

    if path.suffix.lower() not in (".pdf", ".zip"):
        raise InvalidInput(f"{path} is no PDF and no bundle.", remedy="Give ID.pdf, ID-archive.pdf or ID.zip.")
    results: list[Result] = []
    if path.suffix.lower() == ".pdf":
        results += check_pdf(_read(path), path.name)
    if path.suffix.lower() == ".zip" or any(result.rule == "signature" for result in results):
        report = verify_bundle.check(path)
        problems = "; ".join(problem.problem for problem in report.problems)
        results.append(Result("evidence verifies", report.ok, problems or f"{report.checked} pieces of evidence"))
    return Checked(tuple(results))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", remedy="Check the path.") from error


def read_manifest(folder: Path) -> Manifest:
    """Return a dossier's manifest. Raises InvalidInput with the field that is wrong."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(read_records(path.read_bytes(), str(path))[0].value)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", remedy="Check the dossier's folder.") from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)[:5]]
        raise InvalidInput(f"{path}: {'; '.join(problems)}.", remedy="Mend these fields.") from error


# --- what it says ----------------------------------------------------------------------------------


def _compose(
    ws: "Workspace", manifest: Manifest, templates: "TemplateFolder", model: str | None, at: str | None
) -> Dossier:
    from compliance import __version__

    cutoff = _cutoff(ws, at)
    evidence = ws.evidence(stop=cutoff.size)
    keys = trust.keyring(piece for piece in evidence if piece.kind == "key-event")
    return compose(
        manifest,
        evidence=evidence,
        assessment=_assess(ws, manifest, evidence, cutoff, model),
        cutoff=cutoff,
        system=ws.system_record(evidence),
        keys=keys.current(),
        notes=_notes(ws, evidence),
        tool_version=__version__,
        templates=templates.digest(),
    )


def _cutoff(ws: "Workspace", at: str | None) -> Cutoff:
    size = ws.ledger.size
    if at is not None:
        from compliance.services.resolver import LedgerResolver

        number, _ = LedgerResolver(ws.ledger).record(at)
        size = int(number.removeprefix("EV-")) + 1
    note = ws.ledger.covering_checkpoint(size - 1)
    if note is None:
        raise Unavailable(
            "No checkpoint covers the evidence on record.", remedy="Run `compliance verify`: the ledger is damaged."
        )
    signed = checkpoint.unverified(note)
    last = ws.ledger.entry(size - 1)
    return Cutoff(
        evidence=evidence_number(size - 1),
        size=size,
        logged_at=last.logged_at,
        checkpoint=note,
        checkpoint_size=signed.size,
        root=signed.root.hex(),
        origin=signed.origin,
    )


def _assess(
    ws: "Workspace", manifest: Manifest, evidence: Sequence[Evidence], cutoff: Cutoff, model: str | None
) -> Assessment:
    """Assess as of the cut-off's day. The ledger counts as verified up to there: later entries change nothing.

    Raises VerificationFailed where it does not verify: a document from changed evidence would look like any other.
    """
    from compliance.core.assessment import assess
    from compliance.services import catalogs
    from compliance.services.assess import model_version
    from compliance.services.verify import verify_workspace

    report = verify_workspace(ws.root)
    if not report.ok:
        first = report.problems[0]
        raise VerificationFailed(
            f"Nothing is compiled: the ledger does not verify ({first.evidence or 'ledger'}: {first.problem}).",
            remedy="`compliance verify` names every bad record; restore a backup, then build again.",
        )
    return assess(
        catalogs.load_all(list(manifest.catalogs)),
        evidence,
        ws.system_record(evidence).content["profile"],
        system=ws.config.system.id,
        model=model_version(evidence, model or ws.config.system.model, required=model is not None),
        on=date.fromisoformat(cutoff.logged_at[:10]).isoformat(),
        ledger=_Verified(True, cutoff.size),
    )


def _notes(ws: "Workspace", evidence: Sequence[Evidence]) -> list[Note]:
    if not ws.profile_differs(evidence):
        return []
    return [Note("profile", "compliance.toml differs from what is signed; this document uses the signed profile.")]


def _approvals(ws: "Workspace", dossier: Dossier, content: str) -> tuple[tuple[Signature, ...], list[Evidence]]:
    """Return the approval block and the approvals in it, read from the whole ledger: they come after the content."""
    everything = ws.evidence()
    shelf = Shelf(everything, ws.config.system.id, everything[-1].logged_at[:10])
    keys = trust.keyring(shelf.key_events)
    valid = []
    for piece in shelf.of("approval"):
        key = keys.at(piece.signer, piece.logged_at, piece.index)
        if key is not None and key.holder_type == "person":
            valid.append((piece, key.holder, key.roles))
    asked = signatures(dossier.manifest.approvals, content, valid)
    numbers = {signature.evidence for signature in asked}
    return asked, [piece for piece, _, _ in valid if piece.number in numbers]


# --- what it becomes -------------------------------------------------------------------------------


def _files(
    ws: "Workspace", dossier: Dossier, templates: "TemplateFolder", page: str, content: bytes, given: Sequence[Evidence]
) -> dict[str, bytes]:
    from compliance.render import archive, html, pdf
    from compliance.services import bundle

    name = dossier.manifest.id
    submission = pdf.to_pdf(page, templates.style("print.css"), pdf.Assets.of(templates.fonts, templates.shared))
    documents = {
        f"dossier/{name}.json": content,
        f"dossier/{name}.html": page.encode(),
        "VERIFY.html": html.verify_page(dossier, templates).encode(),
    }
    about = {
        "dossier": name,
        "system": dossier.assessment.system,
        "model": {"name": dossier.model.name, "sha256": dossier.model.sha256} if dossier.model else None,
        "content": {"path": f"dossier/{name}.json", "sha256": digest(content)},
    }
    members = bundle.members(ws, dossier.cutoff, dossier.evidence, given, documents, about)
    signer = ws.signer()
    attached = archive.with_attachments(
        submission,
        [archive.Attached(path, _media_type(path), data, _purpose(path)) for path, data in members.items()],
        dossier.cutoff.logged_at,
    )
    signed = archive.signed(
        attached,
        signer.key,
        signer.name,
        f"Archive of {dossier.document_number}, revision {dossier.revision}",
        dossier.cutoff.logged_at,
    )
    return {
        f"{name}.pdf": submission,
        f"{name}-archive.pdf": signed,
        f"{name}.html": page.encode(),
        f"{name}.json": content,
        f"{name}.zip": bundle.to_zip(members),
    }


def _media_type(path: str) -> str:
    return {"json": "application/json", "html": "text/html", "pub": "application/x-pem-file"}.get(
        path.rpartition(".")[2],
        "application/octet-stream" if path.startswith(("attachments/", "leaves")) else "text/plain",
    )


def _purpose(path: str) -> str:
    folder = path.partition("/")[0]
    return {
        "evidence": "Signed evidence, its log entry or its proof of inclusion",
        "approvals": "Approval of this dossier, or its proof",
        "attachments": "Attachment of a piece of evidence",
        "keys": "Public key of a signer",
        "dossier": "This document as data or HTML",
    }.get(folder, "For verification")


def _write(out: Path, files: dict[str, bytes]) -> tuple[Path, ...]:
    """Write all files, each whole or not at all."""
    paths = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            new = out / f".{name}.new"
            new.write_bytes(data)
            new.replace(out / name)
            paths.append(out / name)
    except OSError as error:
        raise Unavailable(
            f"The dossier cannot be written to {out}: {error.strerror}.", remedy="Choose another folder with -o."
        ) from error
    return tuple(paths)


# --- where dossiers come from ----------------------------------------------------------------------


def _folder(dossier_id: str) -> Path:
    folders = _folders()
    if dossier_id not in folders:
        raise UnknownReference(
            f"There is no dossier {dossier_id!r}; there are {', '.join(sorted(folders))}.",
            remedy="Choose one of these; `compliance dossier list` shows them with their titles.",
        )
    return folders[dossier_id]


@cache
def _folders() -> dict[str, Path]:
    """Return dossier folders by id. A package's entry point names its id and loads to the folder's path."""
    from importlib.metadata import entry_points

    own = assets.folder("templates") / "dossiers"
    found = {path.parent.name: path.parent for path in sorted(own.glob(f"*/{MANIFEST}"))}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        found.setdefault(point.name, Path(point.load()))
    return found


def _templates(folder: Path) -> "TemplateFolder":
    from compliance.render.html import SHARED, TemplateFolder

    root = assets.folder("templates")
    return TemplateFolder(own=folder, shared=root / "dossiers" / SHARED, fonts=root / "fonts")
