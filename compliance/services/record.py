"""Logging evidence: validate, digest attachments, sign, append, mirror; all of it or nothing.

The order is the promise (DESIGN section 4): attachments are on disk before the entry that names
them, and an acknowledged number is never lost, whether or not MLflow can be reached.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compliance.core import oms, trust
from compliance.core.canonical import canonical, digest
from compliance.core.envelope import seal
from compliance.core.evidence import (
    PAYLOAD_TYPE,
    Basis,
    Evidence,
    Source,
    SourceBasis,
    evidence_number,
)
from compliance.core.reading import Located, read_records
from compliance.errors import InvalidInput, Unavailable
from compliance.kinds import kinds
from compliance.kinds.authoring import Draft, draft
from compliance.services import by_hand, submissions
from compliance.services import config as configuration
from compliance.services.resolver import LedgerResolver
from compliance.storage.ledger import Ledger

if TYPE_CHECKING:
    from compliance.kinds.authoring import AttachmentSpec
    from compliance.services.workspace import Workspace
    from compliance.storage.keys import Signer

Mirror = Literal["mirrored", "pending"]
How = Literal["init", "record", "log", "capture", "import", "act"]


@dataclass(frozen=True, slots=True)
class Logged:
    """One acknowledged piece of evidence."""

    evidence: str
    """Its number, `EV-000017`."""
    digest: str
    """SHA-256 of its envelope."""
    kind: str
    subject: list[dict[str, Any]]
    mirror: Mirror

    def to_json(self) -> dict[str, Any]:
        return {"evidence": self.evidence, "kind": self.kind, "subject": self.subject, "mirror": self.mirror}


def log(
    ws: "Workspace",
    records: Sequence[Mapping[str, Any]],
    *,
    how: How = "record",
    tool: str = "compliance",
    tool_version: str | None = None,
    file_sha256: str | None = None,
    mlflow: Mapping[str, str] | None = None,
    base: Path | None = None,
    where: Sequence[str | Located] = (),
    key: str | None = None,
    wait: bool = False,
) -> list[Logged]:
    """Log `records` as authored, all or none, and return what was acknowledged.

    `base` is the folder that attachment paths start at; `where` says, record by record, where it was
    written (file:line), for errors. Raises InvalidInput before anything is written, Unavailable where
    the ledger cannot take it. MLflow out of reach is no error: the evidence is then `pending`.
    """
    from compliance import __version__
    from compliance.services.workspace import now

    signer = ws.signer(key)
    resolver = LedgerResolver(ws.ledger)
    drafts = []
    for position, record in enumerate(records):
        place = where[position] if where else _called(record, position, len(records))
        if how == "record":
            by_hand.refuse(record, place)
        if record.get("kind") == "system-description":
            by_hand.refuse_description(ws, record, place)
        authored = _digested(ws, record, base, signer)
        if how == "record" and "predictions" in authored:
            from compliance.services import claimed

            authored = claimed.checked(authored, lambda path: _inside(ws, base or ws.root, path), where=place)
        drafted = draft(authored, resolver, where=place)
        resolver.add(drafted)
        drafts.append(drafted)

    at = now()
    holder = _holder(ws, signer.hint, at, drafts)
    sign_checkpoint = ws.sign_checkpoint()
    items: list[tuple[str, bytes]] = []
    for drafted in drafts:
        source = Source(
            basis=SourceBasis(drafted.basis),
            how=how,
            tool=tool,
            tool_version=tool_version or (__version__ if tool == "compliance" else None),
            file_sha256=file_sha256,
            mlflow=mlflow,
            citation=drafted.citation,
        )
        attachments = [_keep(ws, base or ws.root, spec) for spec in drafted.attachments]
        statement = drafted.statement(
            system=ws.config.system.id, recorded_at=at, recorded_by=holder, source=source, attachments=attachments
        )
        items.append((drafted.kind, seal(canonical(statement), signer.sign, signer.hint, PAYLOAD_TYPE)))

    entries = ws.ledger.append(items, sign_checkpoint=sign_checkpoint, now=now())
    ws.keep_checkpoint()

    from compliance.services.sync import mirror_after_append

    states = mirror_after_append(ws, [entry.index for entry in entries], wait=wait)
    return [
        Logged(
            evidence_number(entry.index),
            entry.envelope,
            drafted.kind,
            [
                {
                    "name": subject.name.partition("@")[0],
                    "version": subject.name.partition("@")[2] or None,
                    "sha256": subject.digest.sha256,
                }
                for subject in drafted.subjects
            ],
            "mirrored" if states.get(entry.index) == "mirrored" else "pending",
        )
        for entry, drafted in zip(entries, drafts, strict=True)
    ]


def log_file(ws: "Workspace", path: Path, *, given: Mapping[str, str] | None = None, **options: Any) -> list[Logged]:
    """Log every record of a YAML or JSON file, all or none; `compliance.toml` itself is signed as it stands.

    `given` (a kind, a model…) stands in where a record is silent, and refuses a record that says otherwise.
    """
    from compliance.services import own_catalogs

    if path.name == configuration.FILE:
        root = path.resolve().parent
        return log(ws, [own_catalogs.to_sign(root, configuration.read(root))], where=[str(path)], **options)
    data = read_file(path)
    located = read_records(data, str(path))
    records = []
    for item in located:
        record = {**(given or {}), **item.value}
        for name, value in (given or {}).items():
            if record[name] != value:
                raise InvalidInput(
                    f"{item.at((name,))}: {name} is {record[name]} here, but the command says {value}.",
                    remedy="Leave one out, or use `compliance log record` for a file that says it all itself.",
                )
        records.append(record)
    return log(
        ws,
        records,
        file_sha256=digest(data),
        base=path.resolve().parent,
        where=located,
        **options,
    )


def read_file(path: Path) -> bytes:
    """Return a file's bytes. Raises InvalidInput where it is not there or too large to be a record."""
    limit = 64 * 1024 * 1024
    try:
        if path.stat().st_size > limit:
            raise InvalidInput(
                f"{path} is larger than 64 MB, too large for a record.",
                remedy="Attach large files to a record instead.",
            )
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        named = path.stem in kinds()
        remedy = f"Write it, beginning with `kind: {path.stem}`, or check the path." if named else "Check the path."
        raise InvalidInput(f"{path}: {error.strerror}.", remedy=remedy) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error


def model_signature(folder: str, files: oms.Manifest, signer: "Signer") -> list[dict[str, Any]]:
    """Return the OpenSSF Model Signing signature of a model as an attachment, if the key can make one."""
    from compliance.exporters import oms as oms_export
    from compliance.exporters import sigstore

    if signer.algorithm != "p256":
        return []
    signature = oms_export.sign_folder(folder, files, signer.public_key, signer.sign)
    return [{"data": signature, "name": "model.sig", "media_type": sigstore.MEDIA_TYPE}]


def _digested(ws: "Workspace", record: Mapping[str, Any], base: Path | None, signer: "Signer") -> Mapping[str, Any]:
    """Replace the `path` of a model, dataset or document by the digest of what lies there; measure submitted files.

    A document travels as an attachment; a folder's OMS signature as `model.sig`, where the key can make one.
    """
    from compliance.storage.digests import subject_digest

    kind = record.get("kind")
    if kind == "submission":
        return submissions.measured(record, lambda path: _inside(ws, base or ws.root, path))
    if "path" not in record or kind not in ("model-version", "dataset", "document"):
        return record
    given = {name: value for name, value in record.items() if name != "path"}
    if "sha256" in record:
        raise InvalidInput("A record gives `path` or `sha256`, not both.", remedy="Leave out sha256: it is taken here.")
    path = _inside(ws, base or ws.root, Path(str(record["path"])))
    if kind == "model-version":
        from compliance.services import models

        return models.described(ws, path, given, signer)
    sha256_, basis = subject_digest(path)
    given |= {"sha256": sha256_, "basis": basis.value}
    if kind == "document" and basis is Basis.FILE:
        given["attachments"] = [*(given.get("attachments") or []), {"path": path}]
    return given


def _called(record: Mapping[str, Any], position: int, count: int) -> str:
    """Name a record that stands in no file, for messages."""
    return str(record.get("kind") or "record") if count == 1 else f"record {position + 1}"


def _holder(ws: "Workspace", hint: str, at: str, drafts: Sequence[Draft]) -> str:
    """Return the registered name of the signing key. Raises InvalidInput where it may not sign these drafts now."""
    events, system = key_events(ws.ledger), ws.config.system.id
    if events and (ours := events[0].predicate.get("system", system)) != system:
        raise InvalidInput(
            f"{configuration.FILE} says that the system is {system}; this ledger is that of {ours}.",
            remedy=f'Write id = "{ours}" again, or make another workspace for another system: `compliance init`.',
        )
    key = trust.keyring(events).at(hint, at)
    if key is None:
        raise InvalidInput(
            "The signing key is not registered in this ledger, or not valid now.",
            remedy="An admin registers it with `compliance key trust`; `compliance key list` shows the keys.",
        )
    for drafted in drafts:
        withdrawn = list(_withdrawn(ws.ledger, drafted))
        if lasting := trust.LASTING.intersection(withdrawn):
            raise InvalidInput(
                f"A {min(lasting)} is not withdrawn.",
                remedy="A key ends with `compliance key revoke`; of system descriptions the newest counts.",
            )
        why = key.refusal(drafted.kind, drafted.content)
        if why is None and not all(map(key.may_withdraw, withdrawn)):
            why = (
                f"what was decided is withdrawn by a person in the role reviewer, approver or admin, "
                f"and the key {key.name} is none's"
            )
        if why:
            raise InvalidInput(
                f"This may not be signed: {why}.",
                remedy="Choose another key with --key; `compliance key list` shows the keys and their roles.",
            )
    return key.name


def _withdrawn(ledger: Ledger, drafted: Draft) -> Iterator[str]:
    """Yield the kinds of the records that a draft revokes or supersedes."""
    digests = [drafted.supersedes["sha256"]] if drafted.supersedes else []
    if drafted.kind == "revocation":
        digests += [subject.digest.sha256 for subject in drafted.subjects]
    for index in map(ledger.index_of, digests):
        if index is not None:
            yield ledger.entry(index).kind


def key_events(ledger: Ledger) -> list[Evidence]:
    """Return the key-events on record, oldest first."""
    return [ledger.piece(index) for index in ledger.indexes_of("key-event")]


def _keep(ws: "Workspace", base: Path, spec: "AttachmentSpec") -> dict[str, Any]:
    """Copy one attachment into the workspace under its digest, durably, and return its description."""
    from compliance.core.evidence import Attachment

    new = ws.attachments / f".{os.getpid()}.{threading.get_ident()}.new"
    hasher, size = sha256(), 0
    try:
        ws.attachments.mkdir(mode=0o700, exist_ok=True)
        with new.open("wb") as target:
            if isinstance(spec.source, bytes):
                chunks = iter([spec.source])
            else:
                file = _inside(ws, base, spec.source)
                if not file.is_file():
                    raise InvalidInput(
                        f"The attachment {spec.source} is no file.", remedy="Attach its files one by one."
                    )
                chunks = _chunks(file)
            for chunk in chunks:
                hasher.update(chunk)
                size += len(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        new.replace(ws.attachments / hasher.hexdigest())
    except OSError as error:
        raise Unavailable(
            f"The attachment {spec.name} cannot be kept: {error.strerror}.", remedy="Check disk space and permissions."
        ) from error
    finally:
        new.unlink(missing_ok=True)
    return Attachment(
        name=spec.name,
        media_type=spec.media_type,
        sha256=hasher.hexdigest(),
        size=str(size),
        classification=spec.classification,
    ).model_dump(mode="json")


def _inside(ws: "Workspace", base: Path, path: Path) -> Path:
    """Return the real path of a file that a record names.

    Raises InvalidInput where it leaves the record's folder and the workspace, reaches for keys or secrets, or is not
    there.
    """
    try:
        real = (base / path).resolve()
    except ValueError as error:
        raise InvalidInput(f"{str(path)!r} is no path: {error}.", remedy="Mend the path.") from None
    refuse_private(ws, real, path)
    if not (real.is_relative_to(base.resolve()) or real.is_relative_to(ws.root)):
        raise InvalidInput(
            f"{path} lies outside {base} and the workspace.",
            remedy="Copy it beside the record; a record may not reach for other files.",
        )
    if not real.exists():
        raise InvalidInput(f"{path} is not in {base}.", remedy="Mend the path, or make the file first.")
    return real


def refuse_private(ws: "Workspace", real: Path, named: Path) -> None:
    """Raise InvalidInput for what lies among the workspace's keys and secrets, and for a folder that holds them."""
    from compliance.services.workspace import PRIVATE

    private = (ws.root / PRIVATE).resolve()
    if real.is_relative_to(private) and not real.is_relative_to(ws.attachments.resolve()):
        raise InvalidInput(
            f"{named} lies in {PRIVATE}, where keys and secrets are: nothing of it becomes evidence.",
            remedy="Name a file elsewhere.",
        )
    if private.is_relative_to(real):
        raise InvalidInput(
            f"{named} holds the workspace itself, with its keys and a ledger that grows.",
            remedy="Name the folder of the model or the data alone.",
        )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk
