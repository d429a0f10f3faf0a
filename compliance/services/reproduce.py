"""`compliance reproduce`: are a record's figures still what its own bytes give? Computed again, figure by figure.

Needs the file that the record names and nothing else: no network, no model. Other bytes than those that were signed
are refused before anything is read from them. It says nothing of signatures; `compliance verify` does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from compliance.core.criteria import group_text
from compliance.core.recomputed import agree
from compliance.errors import InvalidInput, Unavailable, UnknownReference, VerificationFailed
from compliance.services.cases import label
from compliance.services.evaluations import COUNTED

if TYPE_CHECKING:
    from compliance.core.evidence import Evidence
    from compliance.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure on record beside the same one computed again."""

    name: str
    group: str
    claimed: str
    recomputed: str
    holds: bool | None
    """None: it cannot be computed from these bytes."""
    note: str = ""
    """How it differs, or why it cannot be computed."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "group": self.group,
            "claimed": self.claimed,
            "recomputed": self.recomputed,
            "holds": self.holds,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What became of every figure of one piece of evidence."""

    evidence: str
    kind: str
    file: str
    sha256: str
    figures: list[Figure] = field(default_factory=list)

    def count(self, holds: bool | None) -> int:
        return sum(figure.holds is holds for figure in self.figures)

    @property
    def holds(self) -> bool:
        """Whether no figure differs, and there was one to compare."""
        return self.count(True) > 0 and self.count(False) == 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "evidence": self.evidence,
            "kind": self.kind,
            "file": self.file,
            "sha256": self.sha256,
            "holds": self.holds,
            "held": self.count(True),
            "missed": self.count(False),
            "not_computed": self.count(None),
            "figures": [figure.to_dict() for figure in self.figures],
        }


def reproduce(ws: "Workspace", number: str, data: Path | None = None) -> Reproduced:
    """Compute the figures of a piece of evidence again, from its attachment or from `data` with the same digest.

    Raises VerificationFailed for other bytes than those on record, Unavailable where there are none or nothing can
    be computed from them, InvalidInput for evidence that names no data.
    """
    piece = _piece(ws, number)
    if piece.kind == "dataset":
        found = _dataset(piece, data)
    elif "predictions" in piece.content:
        found = _predictions(ws, piece, data)
    else:
        raise InvalidInput(
            f"{number} ({piece.kind}) names no predictions, so its figures cannot be computed again.",
            remedy="Log an evaluation with --predictions; `compliance list --kind evaluation` shows those on record.",
        )
    if not found.count(True) and not found.count(False):
        raise Unavailable(
            f"Nothing of {number} can be computed again from {found.file}.",
            remedy=f"`compliance show {number}` shows which columns its predictions name.",
        )
    return found


def _piece(ws: "Workspace", number: str) -> "Evidence":
    from compliance.services.resolver import LedgerResolver

    number, digest = LedgerResolver(ws.ledger).record(number)
    index = ws.ledger.index_of(digest)
    if index is None or ws.ledger.envelope(digest) is None:
        raise UnknownReference(
            f"The content of {number} was erased; its entry and digest remain.",
            remedy="`compliance list --kind revocation` shows who erased it, and why.",
        )
    return ws.ledger.piece(index)


# --- predictions -----------------------------------------------------------------------------------


def _predictions(ws: "Workspace", piece: "Evidence", data: Path | None) -> Reproduced:
    from compliance.kinds.evaluation import Predictions
    from compliance.services import claimed, recompute

    content = piece.content
    told = Predictions.model_validate(content["predictions"])
    kept = next((a for a in piece.predicate["attachments"] if a["name"] == told.attachment), None)
    if kept is None:
        raise InvalidInput(
            f"{piece.number} names {told.attachment}, which is not among its attachments.",
            remedy="Log the evaluation again with its predictions attached.",
        )
    path = data or ws.attachments / kept["sha256"]
    _same_bytes(path, kept["sha256"], f"{told.attachment} of {piece.number}")
    rows, seed = content["metrics"], int(content.get("seed") or 0)
    with _named(path, told.attachment) as file:
        cases = recompute.read(file, told)
        pairs = claimed.compare(cases, told, rows, threshold=content.get("threshold"), seed=seed)
        ours = "recomputation" not in content  # then every figure came from these bytes, and must come again
        figures = [_figure(claim, found, compared, ours) for claim, found, compared in pairs]
        if ours:
            told_beside = recompute.described(cases, told, content.get("threshold") or "0.5")
            figures += [_part(name, content[name], told_beside[name]) for name in told_beside if name in content]
            counted = recompute.accounted(cases, told)["accountability"]
            on_record = content.get("accountability") or counted
            both = ({name: counts.get(name, 0) for name in COUNTED} for counts in (on_record, counted))
            figures.append(_part("accountability", *both))
    return Reproduced(piece.number, piece.kind, told.attachment, kept["sha256"], figures)


def _figure(claim: Mapping[str, Any], found: Mapping[str, Any] | None, compared: Any, ours: bool) -> Figure:
    name, group = claim["name"], group_text(claim.get("group"))
    note = "; ".join((*compared.problems, *compared.open))
    if found is None:
        return Figure(name, group, _told(claim), "", False if ours or compared.problems else None, note)
    # an interval of our own that does not come again is no longer borne out
    holds = compared.holds and not (ours and compared.open)
    return Figure(name, group, _told(claim), _told(found), holds, note)


def _told(row: Mapping[str, Any]) -> str:
    if row.get("value") is None:
        return "no value"
    bounds = f" ({row['ci_low']} to {row['ci_high']})" if row.get("ci_low") is not None else ""
    counts = f"{row['x']} of {row['n']} = " if "x" in row else ""
    return f"{counts}{row['value']}{bounds}"


def _part(name: str, claimed: Any, found: Any) -> Figure:
    same = _alike(claimed, found)
    told = "as on record" if same else "differs"
    return Figure(name, "overall", "on record", told, same, "" if same else f"{name} on record is not what comes again")


def _alike(claimed: Any, found: Any) -> bool:
    """Say whether two values are the same, figures to the digits of the claim."""
    if isinstance(claimed, Mapping) and isinstance(found, Mapping):
        return claimed.keys() == found.keys() and all(_alike(claimed[name], found[name]) for name in claimed)
    if isinstance(claimed, list) and isinstance(found, list):
        return len(claimed) == len(found) and all(map(_alike, _ordered(claimed), _ordered(found)))
    if isinstance(claimed, str) and isinstance(found, str) and claimed != found:
        try:
            return agree(str(Decimal(claimed)), found)
        except InvalidOperation:
            return False
    return bool(claimed == found)


def _ordered(values: list[Any]) -> list[Any]:
    """Return what is told of groups in one order, whichever column was named first."""
    grouped = all(isinstance(value, Mapping) and "group" in value for value in values)
    return sorted(values, key=lambda value: group_text(value["group"])) if grouped else values


# --- datasets --------------------------------------------------------------------------------------


def _dataset(piece: "Evidence", data: Path | None) -> Reproduced:
    from compliance.services import datasets
    from compliance.services.profile import profile

    (subject,) = piece.subjects
    if subject["annotations"]["basis"] not in ("file", "folder"):
        raise InvalidInput(
            f"{subject['name']} is on record by its {subject['annotations']['basis']}, not by the bytes of a file.",
            remedy="Export the rows to a file and log that, where they must be reproducible.",
        )
    if data is None:
        raise InvalidInput(
            f"The rows of {subject['name']} are not kept in the workspace.",
            remedy="Name the file or folder that it was logged from: --data PATH.",
        )
    held, digest, basis = datasets.read(data.absolute())
    expected = subject["digest"]["sha256"]
    if (digest, basis.value) != (expected, subject["annotations"]["basis"]):
        raise _other(str(data), f"{subject['name']} in {piece.number}", digest or "none", expected)
    figures: list[Figure] = []
    if held.table is not None:
        options = {name: value for name, value in _options(piece.content).items() if value}
        figures = list(_profile(piece.content, profile(held.table, **{**held.defaults, **options})))
    elif "files" in piece.content and "files" in held.fields:
        figures = [_part("files", piece.content["files"], held.fields["files"])]
    return Reproduced(piece.number, piece.kind, str(data), expected, figures)


_NOT_AGAIN = {
    "sites": "which column it was counted from is not on record",
    "fingerprints": "it needs the workspace's secret; `compliance dataset compare` uses it",
    "duplicate_records": "it needs the workspace's secret",
    "overlaps": "`compliance dataset compare` measures it",
    "quality": "its suite is attached; `compliance log dataset --expectations` runs it",
}
"""What a dataset record holds that its bytes alone do not give again."""


def _options(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return which columns a dataset was profiled by, as its record tells."""
    columns = content.get("columns") or ()
    by_role = {column["role"]: column["name"] for column in columns if "role" in column}
    counted = {attribute for part in content.get("composition") or () for attribute in part["group"]}
    return {
        "target": (content.get("labels") or {}).get("column") or by_role.get("label"),
        "groups": tuple(column["name"] for column in columns if label(column["name"]) in counted),
        "patient": (content.get("fingerprints") or {}).get("patient_column"),
        "time": by_role.get("time"),
    }


def _profile(content: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Figure]:
    for name in ("rows", "labels", "period"):
        if name in content and name in found:
            yield _part(name, content[name], found[name])
    for name, why in _NOT_AGAIN.items():
        if name in content:
            yield Figure(name, "overall", "on record", "", None, why)
    measured = {column["name"]: column for column in found["columns"]}
    for column in content.get("columns") or ():
        again = measured.get(column["name"], {})
        both = {name: value for name, value in column.items() if name not in ("role", "unit", "note")}
        yield _part(f"column {column['name']}", both, {name: again.get(name) for name in both})
    parts = {group_text(part["group"]): part for part in found.get("composition", ())}
    for part in content.get("composition") or ():
        group = group_text(part["group"])
        same = _alike(part, parts.get(group))
        again = parts.get(group, {})
        yield Figure("n", group, str(part.get("n")), str(again.get("n", "none")), same, "" if same else "differs")


# --- bytes -----------------------------------------------------------------------------------------


def _same_bytes(path: Path, expected: str, what: str) -> None:
    try:
        with path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise Unavailable(
            f"{what} is not there: {path}.",
            remedy="Put the attachment back, or name a copy of it with --data PATH; its digest is on record.",
        ) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error
    if digest != expected:
        raise _other(str(path), what, digest, expected)


def _other(path: str, what: str, digest: str, expected: str) -> VerificationFailed:
    return VerificationFailed(
        f"{path} is not {what}: its digest is {digest[:12]}…, on record is {expected[:12]}….",
        remedy="Name the file as it was when it was logged; nothing was computed from this one.",
    )


@contextmanager
def _named(path: Path, name: str) -> Iterator[Path]:
    """Give a file the name that it was logged under, which says what format it is."""
    with TemporaryDirectory() as folder:
        link = Path(folder) / name
        link.symlink_to(path.resolve())
        yield link
