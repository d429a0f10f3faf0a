"""What two datasets on record share, by their keyed fingerprints: counts, and never a record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compliance.core import fingerprint
from compliance.core.fingerprint import Fingerprints, Level, Shared
from compliance.errors import InvalidInput, UnknownReference

if TYPE_CHECKING:
    from compliance.core.evidence import Evidence
    from compliance.services.workspace import Workspace

LEVELS: tuple[Level, ...] = ("record", "patient")
DEVELOPMENT = {"train", "tune", "calibration", "pretraining", "fine-tuning", "alignment"}
"""Roles of data that shape a model; sharing people with test data is leakage."""
COINCIDENCE = "Equal in every column, of different patients: coincidence, or one person under two numbers."


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
            "sizes": [dict(size) for size in self.sizes],
            "composition": [dict(row) for row in self.composition],
        }


def compare(ws: "Workspace", first: str, second: str) -> Comparison:
    """Compare two datasets on record. Raises UnknownReference, or InvalidInput for what is no dataset."""
    one, other = _newest(ws, first), _newest(ws, second)
    if one.subjects[0]["digest"] == other.subjects[0]["digest"]:
        raise InvalidInput(
            f"{first} and {second} are the same bytes.", remedy="Name two different datasets, as NAME@VERSION."
        )
    prints = _fingerprints(ws, one), _fingerprints(ws, other)
    return Comparison(
        one.subjects[0]["name"],
        other.subjects[0]["name"],
        _shared(*prints, "record"),
        _shared(*prints, "patient"),
        (_sizes(one), _sizes(other)),
        _composition(one.content, other.content),
    )


def measured(ws: "Workspace", name: str, role: str, parent: str | None, mine: Fingerprints) -> dict[str, Any]:
    """Return `overlaps` and `leakage` of a dataset about to be logged, measured against those on record.

    Left out are other versions of the same data in the same role, raw data, and what it was cut from: they share
    records by design.
    """
    overlaps: list[dict[str, Any]] = []
    across: list[int | None] = []
    for piece in _others(ws, name, role, parent):
        prints = _fingerprints(ws, piece)
        shared = {level: _shared(mine, prints, level) for level in LEVELS if level in mine.levels}
        dataset = piece.subjects[0]["name"]
        overlaps += [{"dataset": dataset, "level": level, **_told(level, shared)} for level in shared]
        if (role in DEVELOPMENT) != (piece.content["role"] in DEVELOPMENT):
            counts = [one.count for one in (shared.get("patient"), shared["record"]) if one and one.count is not None]
            across.append(counts[0] if counts else None)
    found: dict[str, Any] = {"overlaps": overlaps} if overlaps else {}
    if across:
        known = [count for count in across if count is not None]
        leakage = {"datasets": len(across), "not_comparable": len(across) - len(known)}
        told = any(known) or len(known) == len(across)
        found["leakage"] = leakage | ({"shared": max(known)} if told else {})
    return found


def _told(level: Level, shared: Mapping[Level, Shared]) -> dict[str, Any]:
    one = shared[level]
    if one.count is None:
        return {"reason": one.reason}
    if level == "record" and one.count and "patient" in shared and shared["patient"].count == 0:
        return {"shared": one.count, "explanation": COINCIDENCE}
    return {"shared": one.count}


def _others(ws: "Workspace", name: str, role: str, parent: str | None) -> Iterator["Evidence"]:
    """Return the newest record of every other dataset that `name` should share nothing with, oldest first."""
    newest: dict[str, Evidence] = {}
    for index in ws.ledger.indexes_of("dataset"):
        piece = ws.ledger.piece(index)
        newest[piece.subjects[0]["name"]] = piece
    family = name.partition("@")[0]
    for theirs, piece in newest.items():
        revision = theirs.partition("@")[0] == family and piece.content["role"] == role
        cut_from = parent in (theirs, theirs.partition("@")[0])
        by_design = theirs == name or revision or cut_from or "raw" in (role, piece.content["role"])
        if not by_design and piece.subjects[0]["annotations"]["basis"] != "identity":
            yield piece


def _newest(ws: "Workspace", name: str) -> "Evidence":
    subject = ws.subject(name)
    indexes = ws.ledger.indexes_about(subject.digest.sha256, kind="dataset")
    if not indexes:
        raise UnknownReference(f"{name} is no dataset.", remedy="`compliance list --kind dataset` shows the datasets.")
    return ws.ledger.piece(indexes[-1])


def _fingerprints(ws: "Workspace", piece: "Evidence") -> Fingerprints | str:
    """Return the fingerprints of a dataset, or why there are none."""
    from compliance.core.canonical import digest

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
    return fingerprint.read(data)


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
    """Return the share of each group in both, side by side; a group that one lacks has no share there."""
    sides = [
        {tuple(sorted(part["group"].items())): part.get("share") for part in content.get("composition", [])}
        for content in (one, other)
    ]
    return [
        {"group": dict(group), "first": sides[0].get(group), "second": sides[1].get(group)}
        for group in dict.fromkeys([*sides[0], *sides[1]])
        if len(group) == 1
    ]
