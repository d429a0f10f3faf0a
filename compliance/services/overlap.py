"""What two datasets on record share, by their keyed fingerprints: counts, and never a record.

Counted is what is equal once spelled alike: records in every column but the patient's, patients by their number. One
value that differs makes two records; a person under two numbers is two patients. What was revoked or superseded does
not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from compliance.core import fingerprint
from compliance.core.canonical import digest
from compliance.core.fingerprint import Fingerprints, Level, Shared
from compliance.core.shelf import Shelf
from compliance.errors import InvalidInput, UnknownReference, VerificationFailed

if TYPE_CHECKING:
    from compliance.core.evidence import Evidence
    from compliance.services.workspace import Workspace

LEVELS: tuple[Level, ...] = ("record", "patient")
DEVELOPMENT = {"train", "tune", "calibration", "pretraining", "fine-tuning", "alignment"}
"""Roles of data that shape a model; sharing people with test data is leakage."""
COINCIDENCE = "Equal in every column, of different patients: coincidence, or one person under two numbers."
LIMITS = "Near-duplicates are not detected: one value that differs, or a patient under another number, is not shared."


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two datasets compare. `records` or `patients` without a count: nobody can tell, and it says why."""

    first: str
    second: str
    records: Shared
    patients: Shared
    sizes: tuple[Mapping[str, int | None], Mapping[str, int | None]]
    composition: Sequence[Mapping[str, Any]]

    @property
    def shared(self) -> int:
        """Return how many people are in both where that can be told; else how many equal records."""
        return self.records.count or 0 if self.patients.count is None else self.patients.count

    @property
    def undecided(self) -> bool:
        """Whether neither level could be compared."""
        return self.records.count is None and self.patients.count is None

    @property
    def note(self) -> str | None:
        """Return what equal records mean where no patient is in both."""
        return COINCIDENCE if self.records.count and self.patients.count == 0 else None

    def to_dict(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "shared_records": _worded(self.records),
            "shared_patients": _worded(self.patients),
            "shared": None if self.undecided else self.shared,
            "note": self.note,
            "limits": LIMITS,
            "sizes": [dict(size) for size in self.sizes],
            "composition": [dict(row) for row in self.composition],
        }


@dataclass(frozen=True)
class Side:
    """One dataset as comparing sees it."""

    name: str
    role: str
    parent: str | None
    known: Fingerprints | None = None
    piece: "Evidence | None" = None
    ws: "Workspace | None" = None

    @cached_property
    def prints(self) -> Fingerprints | str:
        """Its fingerprints, or why there are none; a file is read when first asked for."""
        if self.known is not None:
            return self.known
        assert self.ws is not None
        assert self.piece is not None
        return _fingerprints(self.ws, self.piece)

    def across(self, other: "Side") -> bool:
        """Whether one of the two shapes the model and the other does not."""
        return (self.role in DEVELOPMENT) != (other.role in DEVELOPMENT)

    def by_design(self, other: "Side") -> bool:
        """Whether the two share records by design: versions of one dataset in one role, raw data, a part of a whole."""
        mine, theirs = self.name.partition("@")[0], other.name.partition("@")[0]
        revision = mine == theirs and self.role == other.role
        parts = self.parent in (other.name, theirs) or other.parent in (self.name, mine)
        return self.name == other.name or revision or parts or "raw" in (self.role, other.role)


def compare(ws: "Workspace", first: str, second: str) -> Comparison:
    """Compare two datasets on record.

    Raises UnknownReference, InvalidInput for what is no dataset or one dataset twice, and VerificationFailed for the
    same bytes under two names of which no record was fingerprinted: all is shared, and nobody can count it.
    """
    one, other = _current(ws, first), _current(ws, second)
    if one.subjects[0]["name"] == other.subjects[0]["name"]:
        raise InvalidInput(f"{first} and {second} are one dataset.", remedy="Name two, as NAME@VERSION.")
    prints = _fingerprints(ws, one), _fingerprints(ws, other)
    if one.subjects[0]["digest"] == other.subjects[0]["digest"] and any(isinstance(told, str) for told in prints):
        raise VerificationFailed(
            f"{first} and {second} are the same bytes: all is shared.", remedy="Keep data for testing apart."
        )
    return Comparison(
        one.subjects[0]["name"],
        other.subjects[0]["name"],
        _shared(*prints, "record"),
        _shared(*prints, "patient"),
        (_sizes(one), _sizes(other)),
        _composition(one.content, other.content),
    )


def on_record(ws: "Workspace") -> list[Side]:
    """Return the datasets whose bytes are on record, oldest first, each by its newest live record."""
    found = [
        Side(name, piece.content["role"], (piece.content.get("parent") or {}).get("name"), piece=piece, ws=ws)
        for name, piece in _newest(_shelf(ws).of("dataset")).items()
        if piece.subjects[0]["annotations"]["basis"] != "identity"
    ]
    return found


def measured(mine: Side, others: Iterable[Side]) -> dict[str, Any]:
    """Return `overlaps` and `leakage` of one dataset against the others, those left out that share by design."""
    assert not isinstance(mine.prints, str)
    overlaps: list[dict[str, Any]] = []
    across: list[int | None] = []
    for other in others:
        if mine.by_design(other):
            continue
        shared = {level: _shared(mine.prints, other.prints, level) for level in LEVELS if level in mine.prints.levels}
        overlaps += [{"dataset": other.name, "level": level, **_told(level, shared)} for level in shared]
        if mine.across(other):
            counts = [one.count for one in (shared.get("patient"), shared["record"]) if one and one.count is not None]
            across.append(counts[0] if counts else None)
    found: dict[str, Any] = {"overlaps": overlaps} if overlaps else {}
    if across:
        known = [count for count in across if count is not None]
        leakage = {"datasets": len(across), "not_comparable": len(across) - len(known)}
        told = any(known) or len(known) == len(across)
        found["leakage"] = leakage | ({"shared": max(known)} if told else {})
    return found


def restated(newcomer: Side, others: Sequence[Side]) -> list[dict[str, Any]]:
    """Return, as authored, a new record of each test dataset on record that a newcomer to development speaks to.

    It says all that the old one said, and what it now shares; whichever of the two was logged first, the record of
    the test data shows the leakage. An approval of the old record does not stand for the new one.
    """
    if newcomer.role not in DEVELOPMENT:
        return []
    found = []
    for test in others:
        if test.role in DEVELOPMENT or test.by_design(newcomer) or isinstance(test.prints, str):
            continue
        everything = [side for side in others if side.name != newcomer.name] + [newcomer]
        again = _again(test, measured(test, everything), f"Compared with {newcomer.name}, which is on record now.")
        found += [again] if again else []
    return found


def _again(test: Side, now: Mapping[str, Any], reason: str) -> dict[str, Any] | None:
    """Write a record anew with what it shares now; None where that changes nothing, or an attachment is elsewhere."""
    ws, piece = test.ws, test.piece
    assert ws is not None
    assert piece is not None
    by_hand = [one for one in piece.content.get("overlaps", []) if one["level"] == "site"]
    said = [{**one, "dataset": one["dataset"]["name"]} for one in piece.content.get("overlaps", [])]
    overlaps = [*now.get("overlaps", []), *by_hand]
    kept = [ws.attachments / one["sha256"] for one in piece.predicate["attachments"]]
    if (said, piece.content.get("leakage")) == (overlaps, now.get("leakage")) or not all(map(_is_file, kept)):
        return None
    subject, predicate = piece.subjects[0], piece.predicate
    name, _, version = subject["name"].partition("@")
    attachments = [
        {"path": path, **{field: one[field] for field in ("name", "media_type", "classification")}}
        for path, one in zip(kept, predicate["attachments"], strict=True)
    ]
    same = {
        field: predicate[field]
        for field in ("title", "summary", "data_classification", "completeness", "completeness_reason")
        if predicate.get(field)
    }
    return {
        "kind": "dataset",
        "name": name,
        "version": version,
        "sha256": subject["digest"]["sha256"],
        "basis": subject["annotations"]["basis"],
        **piece.content,
        **same,
        "overlaps": overlaps,
        "leakage": now.get("leakage"),
        "attachments": attachments,
        "supersedes": {"evidence": piece.number, "reason": reason},
    }


def _is_file(path: Any) -> bool:
    return bool(path.is_file())


def _told(level: Level, shared: Mapping[Level, Shared]) -> dict[str, Any]:
    one = shared[level]
    if one.count is None:
        return {"reason": one.reason}
    if level == "record" and one.count and "patient" in shared and shared["patient"].count == 0:
        return {"shared": one.count, "explanation": COINCIDENCE}
    return {"shared": one.count}


def _shelf(ws: "Workspace") -> Shelf:
    """Sort out what was revoked or superseded, by the same rules as an assessment."""
    kinds = ("dataset", "revocation", "key-event")
    indexes = [index for kind in kinds for index in ws.ledger.indexes_of(kind)]
    evidence = [piece for index in indexes for piece in ws.ledger.evidence(index, index + 1)]  # none of one erased
    return Shelf(evidence, ws.config.system.id, "9999-12-31")


def _newest(pieces: Iterable["Evidence"]) -> dict[str, "Evidence"]:
    """Return the newest record by name; one with fingerprints before one without, which adds to it."""
    newest: dict[str, Evidence] = {}
    for piece in pieces:
        name = piece.subjects[0]["name"]
        if name not in newest or "fingerprints" in piece.content or "fingerprints" not in newest[name].content:
            newest[name] = piece
    return newest


def _current(ws: "Workspace", name: str) -> "Evidence":
    subject = ws.subject(name)
    if not ws.ledger.indexes_about(subject.digest.sha256, kind="dataset"):
        raise UnknownReference(f"{name} is no dataset.", remedy="`compliance list --kind dataset` shows the datasets.")
    live = _newest(_shelf(ws).about("dataset", subject.digest.sha256))
    if not live:
        raise InvalidInput(f"Every record of {name} was withdrawn.", remedy="Log the dataset again, or name another.")
    return live.get(subject.name) or next(iter(live.values()))


def _fingerprints(ws: "Workspace", piece: "Evidence") -> Fingerprints | str:
    """Return the fingerprints of a dataset, or why there are none."""
    name = piece.subjects[0]["name"]
    described = piece.content.get("fingerprints")
    if described is None:
        return f"not comparable: {name} was logged without fingerprints"
    kept = {item["name"]: item["sha256"] for item in piece.predicate["attachments"]}
    path = ws.attachments / kept.get(described["attachment"], "absent")
    if not path.is_file():
        return f"not comparable: the fingerprints of {name} are not in this workspace"
    data = path.read_bytes()
    if digest(data) != path.name:
        return f"not comparable: the fingerprints of {name} were changed; `compliance verify` tells more"
    try:
        return fingerprint.read(data)
    except ValueError:
        return f"not comparable: the fingerprints of {name} are of another format; log it again"


def _shared(one: Fingerprints | str, other: Fingerprints | str, level: Level) -> Shared:
    if isinstance(one, str):
        return Shared(None, one)
    if isinstance(other, str):
        return Shared(None, other)
    return fingerprint.shared(one, other, level)


def _worded(shared: Shared) -> int | str | None:
    return shared.reason if shared.count is None else shared.count


def _sizes(piece: "Evidence") -> dict[str, int | None]:
    return {name: piece.content.get(name) for name in ("rows", "patients")}


def _composition(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the share of each group in both, and the difference; a group that one lacks has no share there."""
    sides = [
        {tuple(sorted(part["group"].items())): part.get("share") for part in content.get("composition", [])}
        for content in (one, other)
    ]
    found = []
    for group in dict.fromkeys([*sides[0], *sides[1]]):
        if len(group) == 1:
            first, second = sides[0].get(group), sides[1].get(group)
            difference = f"{Decimal(second) - Decimal(first):+f}" if first and second else None
            found.append({"group": dict(group), "first": first, "second": second, "difference": difference})
    return found
