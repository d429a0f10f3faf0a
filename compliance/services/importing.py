"""Importing other tools' result files: read, recognise, ask for what they cannot say, log all of a file or nothing.

The importers are pure; here are the effects. A file's bytes are read once, digested and attached before anything is
made of them. What is on record already, from the same bytes about the same things, adds nothing. A file that nobody
recognises is named and changes nothing; one that is damaged is kept as an `unreadable` original.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from compliance.core.evidence import Basis, Completeness
from compliance.core.reading import MAX_BYTES
from compliance.errors import Conflict, InvalidInput, UnknownReference
from compliance.importers import (
    BrokenImporterError,
    Given,
    Importer,
    NotSaidError,
    Source,
    Taken,
    read,
    recognise,
    unreadable,
    whose,
)
from compliance.importers.base import UNKNOWN, accounted, plain_name
from compliance.importers.scikit_learn import predictions
from compliance.importers.source import as_json
from compliance.kinds import content_model
from compliance.kinds.authoring import Draft, draft
from compliance.kinds.dataset import Role
from compliance.kinds.evaluation import Measured
from compliance.kinds.safety_result import Category
from compliance.services import record
from compliance.services.import_places import OutOfReachError, Place, opened, places
from compliance.services.resolver import LedgerResolver

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

Report = Callable[[str, int, int], None]

NOBODY = "No importer recognises its content."


@dataclass(frozen=True, slots=True)
class Named:
    """What the user names because no file of another tool can: things on record here."""

    model: str | None = None
    dataset: str | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, or of one of the records in it."""

    file: str
    sha256: str | None = None
    tool: str | None = None
    kind: str | None = None
    title: str | None = None
    completeness: str | None = None
    reason: str | None = None
    evidence: str | None = None
    new: bool = False
    """Whether this import put it on record, or with `dry_run` would."""
    refused: bool = False
    """Whether the command or the file must change: not recognised, unreadable, or something was not said."""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def run(
    ws: "Workspace",
    paths: Sequence[Path],
    *,
    given: Given | None = None,
    named: Named | None = None,
    dry_run: bool = False,
    key: str | None = None,
    progress: Report = lambda text, done, total: None,
) -> list[Outcome]:
    """Import files and folders; return what became of each record, in the order of the files.

    Of one file all records are logged or none; what one file lacks stops no other. With `dry_run` nothing is written.
    Raises InvalidInput for a path that is not there or a word that no record knows, and UnknownReference for a name
    that is not on record.
    """
    _check(given or Given())
    importing = _Importing(ws, given or Given(), resolve(ws, named or Named()), dry_run, key)
    found = [place for path in paths for place in places(path)]
    outcomes: list[Outcome] = []
    for position, place in enumerate(found):
        progress(f"Reading {place.path}", position, len(found))
        outcomes += importing.place(place)
    return outcomes


def _check(given: Given) -> None:
    for option, said, words in (
        ("--category", given.category, get_args(Category)),
        ("--role", given.role, get_args(Role)),
    ):
        if said is not None and said not in words:
            raise InvalidInput(f"{option} {said} says nothing.", remedy=f"Say one of {', '.join(words)}.")


class _Importing:
    """One run: what was given, and what it has met so far."""

    def __init__(self, ws: "Workspace", given: Given, named: Named, dry_run: bool, key: str | None) -> None:
        self.ws, self.given, self.named, self.dry_run, self.key = ws, given, named, dry_run, key
        self.standing: dict[_About, dict[_Identity, str]] = {}
        """What stands on record, read once for each thing and kind of record that a file is about, and is then kept."""

    def place(self, place: Place) -> list[Outcome]:
        """Import one file or folder; one that cannot be read, or breaks its importer, stops no other."""
        try:
            return self._place(place)
        except (OutOfReachError, BrokenImporterError) as error:
            return [Outcome(str(place.path), reason=f"{error.problem} {error.remedy}", refused=True)]

    def _place(self, place: Place) -> list[Outcome]:
        source = opened(place)
        if source is None:
            return [Outcome(str(place.path), reason=f"It is larger than {MAX_BYTES >> 20} MB.", refused=True)]
        importer = recognise(source) or predictions(source, self.given)
        if importer is None and (importer := whose(source)) is not None:
            return self._log(importer, source, unreadable(importer, source, f"It {source.problem}"))
        if importer is None:
            why = f"{NOBODY} It {source.problem}" if source.problem else NOBODY
            return [Outcome(source.name, source.sha256(), reason=why, refused=not place.found)]
        try:
            taken = read(importer, source, self.given)
            records = [
                _computed(self._completed(one, importer), place.path, source, self.given) for one in taken.records
            ]
        except NotSaidError as error:
            return [_refused(source, importer, error)]
        except (UnknownReference, BrokenImporterError):
            raise
        except InvalidInput as error:
            return self._log(importer, source, unreadable(importer, source, error.problem))
        return self._log(importer, source, replace(taken, records=records))

    def _completed(self, authored: Mapping[str, Any], importer: Importer) -> dict[str, Any]:
        """Add what the user named. Raises NotSaidError where something must be named and is not."""
        made, model = dict(authored), content_model(authored["kind"])
        if self.named.model and model.about_model != "no" and made.get("document_type") != "import-original":
            made["model"] = self.named.model
        if model.about_model == "required" and "model" not in made:
            raise NotSaidError(
                f"{importer.tool} cannot say which model version on record this is about.",
                remedy="Name it with --model NAME@VERSION.",
            )
        if issubclass(model, Measured):
            made |= {name: said for name in ("dataset", "plan") if (said := getattr(self.named, name))}
            if made["kind"] == "evaluation" and not {"dataset", "benchmark", "population"} & made.keys():
                raise NotSaidError(
                    f"{importer.tool} does not say which dataset this was measured on.",
                    remedy="Name it with --dataset NAME@VERSION.",
                )
        if made["kind"] == "dataset" and not {"identity", "sha256"} & made.keys():
            made |= self._dataset_on_record(importer)
        return made

    def _dataset_on_record(self, importer: Importer) -> dict[str, Any]:
        """Return name, digest and role of the dataset that a further record is about."""
        if self.named.dataset is None:
            raise NotSaidError(
                f"{importer.tool} cannot say which dataset on record this is about.",
                remedy="Name it with --dataset NAME@VERSION.",
            )
        resolver = LedgerResolver(self.ws.ledger)
        thing = resolver.thing(self.named.dataset)
        if thing.annotations.basis is Basis.IDENTITY:
            raise NotSaidError(
                f"{thing.name} is on record by its published name alone, so no result can be bound to its bytes.",
                remedy="Log the dataset's file with `compliance log dataset`, then name it with --dataset.",
            )
        role = self.given.role or resolver.role(thing.digest.sha256)
        sha256, basis = thing.digest.sha256, thing.annotations.basis.value
        return {"name": thing.name, "sha256": sha256, "basis": basis, "role": role}

    def _log(self, importer: Importer, source: Source, taken: Taken) -> list[Outcome]:
        """Log what is not on record yet; of records that do not hold together, keep the original alone."""
        sha256 = source.sha256(taken.originals)
        resolver = LedgerResolver(self.ws.ledger)
        try:
            drafts = [draft(one, resolver, where=plain_name(source.name)) for one in taken.records]
            for drafted in drafts:
                resolver.add(drafted)
        except UnknownReference:
            raise
        except Conflict as error:
            return [_refused(source, importer, error)]
        except InvalidInput as error:
            if taken.records[0].get("completeness") == "unreadable":
                raise
            return self._log(importer, source, unreadable(importer, source, error.problem))
        known = [self._about(drafted).get(_identity_of(drafted, sha256)) for drafted in drafts]
        new = [one for one, found in zip(taken.records, known, strict=True) if found is None]
        numbers = iter(self._append(importer, taken.tool_version, sha256, new))
        outcomes = []
        for drafted, found in zip(drafts, known, strict=True):
            number = next(numbers) if found is None else None
            self._about(drafted)[_identity_of(drafted, sha256)] = found or number or "a file before it"
            outcomes.append(_outcome(source, importer, sha256, drafted, found, number))
        return outcomes

    def _append(
        self, importer: Importer, version: str | None, sha256: str, new: Sequence[dict[str, Any]]
    ) -> list[str | None]:
        if self.dry_run or not new:
            return [None] * len(new)
        logged = record.log(
            self.ws,
            new,
            how="import",
            tool=importer.tool,
            tool_version=version or UNKNOWN,
            file_sha256=sha256,
            key=self.key,
        )
        return [piece.evidence for piece in logged]

    def _about(self, drafted: Draft) -> "dict[_Identity, str]":
        """Return the numbers of what stands on record of this kind about the same thing."""
        about = (_things_of(drafted)[0], drafted.kind)
        if about not in self.standing:
            self.standing[about] = dict(self._on_record(*about))
        return self.standing[about]

    def _on_record(self, subject: str, kind: str) -> "Iterator[tuple[_Identity, str]]":
        for index in self.ws.ledger.indexes_about(subject, kind=kind):
            digest = self.ws.ledger.entry(index).envelope
            if list(self.ws.ledger.indexes_about(digest, kind="revocation")) or not self.ws.ledger.envelope(digest):
                continue  # taken back or erased: it stands no more
            piece = self.ws.ledger.piece(index)
            told = piece.predicate
            file, completeness = told["source"].get("file_sha256"), told["completeness"]
            things = _things((one["annotations"]["basis"], one["digest"]["sha256"]) for one in piece.subjects)
            yield _identity(file, piece.kind, piece.title, completeness, piece.content, things), piece.number


def _computed(made: dict[str, Any], path: Path, source: Source, given: Given) -> dict[str, Any]:
    """Compute the figures of raw predictions, which say of themselves only which columns they are in.

    What cannot be computed from is refused, not kept: the columns are the user's to name, and the reason quotes a cell.
    """
    if "predictions" not in made or "metrics" in made:
        return made
    from compliance.services import evaluations

    told = made["predictions"]
    try:
        found = evaluations.from_predictions(
            path, truth=told["truth"], score=told["score"], groups=told.get("groups", ())
        )
    except InvalidInput as error:
        remedy = f"{error.remedy} Of another task than two classes: `compliance log evaluation --predictions`."
        raise NotSaidError(error.problem, remedy=remedy) from error
    if path.read_bytes() != source.data:
        raise NotSaidError(f"{path} changed while it was read.", remedy="Import it again once it is written.")
    if given.cases is not None:
        found |= _accounted(found, given.cases)
    summary = f"Decisions at a score of {found['threshold']}, since no file of predictions names a threshold."
    kept = {name: value for name, value in found.items() if name not in ("attachments", "predictions")}
    return kept | made | {"summary": f"{made['summary']} {summary}"}


def _accounted(found: Mapping[str, Any], expected: int) -> dict[str, Any]:
    """Return the accountability of predictions of which the user says how many there should be, and what is missing."""
    held = found["accountability"]["enrolled"]
    counted, missing = accounted(held, expected)
    told = [one for one in (found.get("completeness_reason"), *missing) if one]
    if counted:
        left = counted["accountability"]["missing_score"] + found["accountability"]["missing_score"]
        counted = {"accountability": found["accountability"] | {"enrolled": expected, "missing_score": left}}
    return counted | ({"completeness": "incomplete", "completeness_reason": " ".join(told)} if told else {})


_About = tuple[str, str]
_Identity = tuple[Any, ...]

_SAID = ("category", "role", "accountability")
"""What a record holds that the user may have said of its file."""


def _identity(
    file: str | None, kind: str, title: str, completeness: str, content: Mapping[str, Any], things: Sequence[str]
) -> _Identity:
    """Return what makes a result the same: its bytes, how whole it is, what it is about, and what was said of it.

    What the file is called is no part of it, so neither is the title of an original that could not be read.
    """
    about = [(content.get(name) or {}).get("sha256") for name in ("dataset", "plan")]
    columns = {name: value for name, value in (content.get("predictions") or {}).items() if name != "attachment"}
    groups = [[row["name"], row.get("group")] for row in content.get("metrics") or []]
    said = as_json([{name: content.get(name) for name in _SAID}, columns, groups])
    called = None if completeness == Completeness.UNREADABLE.value else title
    return (file, kind, called, completeness, *about, said, *things)


def _identity_of(drafted: Draft, sha256: str) -> _Identity:
    things = _things_of(drafted)
    return _identity(sha256, drafted.kind, drafted.title, drafted.completeness.value, drafted.content, things)


def _things_of(drafted: Draft) -> list[str]:
    return _things((one.annotations.basis.value, one.digest.sha256) for one in drafted.subjects)


def _things(subjects: Iterable[tuple[str, str]]) -> list[str]:
    """Return the digests of what a record is about: that of its own content only where it is about nothing else."""
    told = sorted(subjects)
    return [digest for basis, digest in told if basis != Basis.CONTENT.value] or [digest for _, digest in told]


def _refused(source: Source, importer: Importer, error: InvalidInput) -> Outcome:
    """Return what the user must mend, and how."""
    told = f"{error.problem} {error.remedy}"
    return Outcome(source.name, source.sha256(), importer.tool, reason=told, refused=True)


def _outcome(
    source: Source, importer: Importer, sha256: str, drafted: Draft, found: str | None, number: str | None
) -> Outcome:
    told = [f"Nothing new: this stands on record as {found}."] if found else []
    return Outcome(
        file=source.name,
        sha256=sha256,
        tool=importer.tool,
        kind=drafted.kind,
        title=drafted.title,
        completeness=drafted.completeness.value,
        reason=" ".join([*told, *filter(None, [drafted.completeness_reason])]) or None,
        evidence=number or (found if found and found.startswith("EV-") else None),
        new=found is None,
        refused=drafted.completeness is Completeness.UNREADABLE,
    )


def resolve(ws: "Workspace", named: Named) -> Named:
    """Return the names in full, the system's own model in its newest version where none is named.

    Raises UnknownReference for a name that is not on record.
    """
    resolver = LedgerResolver(ws.ledger)
    model = named.model
    if model is None and ws.config.system.model and ws.ledger.subject(ws.config.system.model):
        model = ws.config.system.model
    full = {name: resolver.thing(said).name for name in ("dataset", "plan") if (said := getattr(named, name))}
    return Named(model=resolver.thing(model).name if model else None, **full)
