"""A lost ledger, made again from MLflow and proved whole before it is put in place.

Every run holds its entry, its envelope and the checkpoint signed when it was appended. The entries must make
exactly the trees that all these checkpoints and `.compliance/checkpoint` sign, and begin with the pinned genesis;
an index without its entry is named, and then nothing is made. Restricted attachments were never in MLflow.
"""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from compliance.core import checkpoint, merkle
from compliance.core.checkpoint import Checkpoint
from compliance.core.wire import evidence_index, evidence_number
from compliance.errors import Conflict, InvalidInput, VerificationFailed
from compliance.exporters.sigstore import from_bundle
from compliance.services import config as configuration
from compliance.services import mirroring
from compliance.services.config import Config
from compliance.services.verify import read_against
from compliance.storage.ledger import Entry, Ledger
from compliance.storage.mirror.files import write_file
from compliance.storage.mirror.record import EVIDENCE_TAG, Artifact
from compliance.storage.mirror.tracking import ACTIVE, MLflowRun, Tracking

PRIVATE = ".compliance"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Home:
    """A workspace without its ledger."""

    root: Path
    config: Config


@dataclass(slots=True)
class RebuildReport:
    """What was made again."""

    entries: int
    attachments: int = 0
    """Attachments brought back from MLflow."""
    missing_attachments: list[str] = field(default_factory=list)
    """Digests of attachments that neither the workspace nor MLflow holds."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry as MLflow holds it."""

    entry: Entry
    envelope: bytes
    note: str
    signed: Checkpoint
    run: MLflowRun


def rebuild(root: Path, against: str | None = None) -> RebuildReport:
    """Make the ledger of the workspace at `root` again from MLflow.

    Raises Conflict where a ledger stands, Unavailable where MLflow cannot be read, VerificationFailed where an index
    is missing or what is there is not what the checkpoints sign; nothing is left behind then.
    """
    home = Home(root, configuration.read(root))
    url = home.config.ledger.url
    _refuse_standing(url, root)
    mirror = mirroring.read_mirror(home)
    runs = mirror.tracking.runs(mirror.experiment_id) if mirror.experiment_id else iter(())
    found = _read(mirror.tracking, runs, home.config.ledger.log_key)
    notes = [item.note for item in found.values()] + list(_kept(home, against))
    entries = _proved(found, notes, home.config)
    made = root / f"{PRIVATE}/rebuild"
    shutil.rmtree(made, ignore_errors=True)
    try:
        place = made if url.startswith("sqlite:///") else root
        with Ledger.create(url, place) as ledger:
            _append(ledger, entries)
            report = RebuildReport(ledger.size)
            _attachments(home, mirror.tracking, ledger, entries, report)
            last = ledger.checkpoint() or ""
        if place == made:
            file = Path(url.removeprefix("sqlite:///"))
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (made / file).replace(root / file)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    write_file(root / PRIVATE / "checkpoint", Artifact.of(last.encode()))
    return report


def _refuse_standing(url: str, root: Path) -> None:
    if url.startswith("sqlite:///") and (root / url.removeprefix("sqlite:///")).exists():
        raise Conflict(
            f"A ledger stands at {root / url.removeprefix('sqlite:///')}.",
            remedy="`compliance verify` says whether it is whole. To rebuild it, move it away first.",
        )


def _read(tracking: Tracking, runs: Iterator[MLflowRun], log_key: str) -> dict[int, _Found]:
    """Return what MLflow holds for each index, active runs before deleted ones."""
    found: dict[int, _Found] = {}
    for run in sorted(runs, key=lambda run: run.lifecycle != ACTIVE):
        index = evidence_index(run.tags.get(EVIDENCE_TAG, ""))
        if index is None or index in found:
            continue
        try:
            leaf, bundle, note = (
                b"".join(tracking.read(run, path)) for path in ("entry.json", "evidence.sigstore.json", "checkpoint")
            )
            entry, envelope = Entry.read(index, leaf.decode()), from_bundle(bundle)
            signed = checkpoint.verify(note.decode(), log_key)
        except (InvalidInput, VerificationFailed, UnicodeDecodeError):
            continue  # as good as missing, and named so
        if sha256(envelope).hexdigest() == entry.envelope:
            found[index] = _Found(entry, envelope, note.decode(), signed, run)
    return found


def _kept(home: Home, against: str | None) -> Iterator[str]:
    """Yield the checkpoints that lie outside MLflow."""
    file = home.root / PRIVATE / "checkpoint"
    if file.is_file():
        yield file.read_text(encoding="utf-8")
    if against is not None and "\n" in (text := read_against(against)):
        yield text


def _proved(found: dict[int, _Found], notes: list[str], config: Config) -> list[_Found]:
    """Return all entries in order, held to every checkpoint. Raises VerificationFailed."""
    signed = {(point.size, point.root) for note in notes for point in [checkpoint.verify(note, config.ledger.log_key)]}
    size = max((size for size, _ in signed), default=0)
    size = max(size, max(found, default=-1) + 1)
    lacking = [evidence_number(index) for index in range(size) if index not in found]
    if lacking or not size:
        named = ", ".join(lacking[:SHOWN]) + (f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else "")
        raise VerificationFailed(
            f"MLflow lacks entry, envelope or checkpoint of {named or 'every piece of evidence'}.",
            remedy="Restore those runs or a backup of the ledger; a ledger with holes is not made.",
            missing=lacking,
        )
    entries = [found[index] for index in range(size)]
    frontier, roots = merkle.Frontier(), {}
    for item in entries:
        frontier.push(merkle.leaf_hash(item.entry.leaf))
        roots[frontier.size] = frontier.root()
    for point, expected in sorted(signed):
        if roots.get(point) != expected:
            raise VerificationFailed(
                f"The entries in MLflow are not those that the checkpoint over {point} entries signs.",
                remedy="Somebody changed or reordered them; restore a backup of the ledger or of MLflow.",
            )
    if entries[0].entry.envelope != config.ledger.genesis:
        raise VerificationFailed(
            "The first entry in MLflow is not the genesis that compliance.toml pins.",
            remedy="Check that MLFLOW_TRACKING_URI names the store of this very workspace.",
        )
    return entries


def _append(ledger: Ledger, entries: list[_Found]) -> None:
    """Append entries as they were appended: one transaction for each checkpoint, with the checkpoint it had."""
    for note, group in groupby(entries, key=lambda item: item.note):
        items = list(group)

        def signed_then(size: int, root: bytes, note: str = note) -> str:
            return note

        made = ledger.append(
            [(item.entry.kind, item.envelope) for item in items],
            sign_checkpoint=signed_then,
            now=items[0].entry.logged_at,
        )
        if [entry.leaf for entry in made] != [item.entry.leaf for item in items]:
            raise VerificationFailed(
                f"The entries from {evidence_number(items[0].entry.index)} on were not logged as they say.",
                remedy="Restore a backup of the ledger.",
            )
    ledger.mirrored_many({item.entry.index: item.run.run_id for item in entries})


def _attachments(home: Home, tracking: Tracking, ledger: Ledger, entries: list[_Found], report: RebuildReport) -> None:
    """Bring back the attachments that MLflow holds; say which nobody does."""
    folder = home.root / PRIVATE / "attachments"
    runs = {item.entry.index: item.run for item in entries}
    for piece in ledger.evidence():
        wanted = {a["sha256"] for a in piece.predicate.get("attachments", []) if not (folder / a["sha256"]).is_file()}
        if not wanted:
            continue
        for path in tracking.artifacts(runs[piece.index]):
            if not path.startswith("attachments/"):
                continue
            data = b"".join(tracking.read(runs[piece.index], path))
            artifact = Artifact.of(data)
            if artifact.sha256 in wanted:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_file(folder / artifact.sha256, artifact)
                wanted.discard(artifact.sha256)
                report.attachments += 1
        report.missing_attachments += sorted(wanted)
