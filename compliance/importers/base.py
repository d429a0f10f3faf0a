"""What every importer is and returns, and what is done with it whatever the tool.

An importer recognises and reads; this module decides completeness from the gaps it names, says what is unknown,
withholds example rows, and keeps the original of what cannot be read. Pure: bytes in, authored records out.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compliance.errors import InvalidInput
from compliance.importers.archive import BadArchiveError
from compliance.importers.source import Source
from compliance.importers.values import clip, utc, word
from compliance.kinds import content_model
from compliance.kinds.evaluation import Evaluation, Measured
from compliance.kinds.safety_result import SafetyResult

UNKNOWN = "unknown"
_ROWS = ("evaluation", "safety-result")
_ALIKE = set(Measured.model_fields) | {"unit_of_analysis", "kind", "title", "summary", "basis", "citation", "gaps"}
_MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
"""What reading a value as something that it is not raises."""


class UnreadableError(Exception):
    """The file is this tool's, and holds nothing that a record could be made of; the text says why."""


class NotSaidError(InvalidInput):
    """What the file cannot say, and the user must: the remedy names the option."""

    code = "not-said"


class BrokenImporterError(InvalidInput):
    """An importer failed where no file may make it fail: a fault of its own."""

    code = "broken-importer"

    def __init__(self, tool: str, what: str, error: Exception | None = None) -> None:
        why = f": {type(error).__name__}: {error}" if error is not None else ""
        super().__init__(f"The importer {tool} is broken: {what}{why}.", remedy="Mend or uninstall what brings it.")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says because a file cannot."""

    kind: str | None = None
    category: str | None = None
    """Of a safety result."""
    role: str | None = None
    """Of a dataset."""
    truth: str | None = None
    score: str | None = None
    groups: Sequence[str] = ()
    """Columns of raw predictions."""
    cases: int | None = None
    """How many cases there should be, where a file cannot show that some were left out."""


@dataclass(slots=True)
class Reading:
    """What one file holds, as far as the tool's format says it."""

    records: list[dict[str, Any]]
    """As `services.record.log` takes them, without model, dataset and plan, which are the user's to name.

    One key more is allowed in each: `gaps`, why this record alone is incomplete.
    """
    tool_version: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    """UtcTime (`values.utc`); None where the file gives no time, or none with a time zone."""
    clock: Sequence[Any] = ()
    """When it began and ended as the file writes it, whatever it writes: told where that is no UtcTime."""
    model: str | None = None
    """The model as the file names it."""
    gaps: list[str] = field(default_factory=list)
    """Why the whole is incomplete: a limit, an error, a missing end, a case that was dropped."""
    withheld: str | None = None
    """Which example rows the original holds (`12 prompts with answers`): they stay there, and it is restricted."""
    originals: list[str] | None = None
    """Of a folder, the names of the files that were read; default all."""
    cases: int | None = None
    """How many cases the file holds, where that is not the most that a row of figures is about."""
    notes: list[str] = field(default_factory=list)
    """Whatever a reader must know beside it."""


@dataclass(frozen=True, slots=True)
class Importer:
    """One foreign tool, or one format of it."""

    tool: str
    """Its name in docs/reference/importers."""
    recognise: Callable[[Source], bool]
    """Whether the content is this tool's. Looks at content alone, never at a name; cheap, and never raises."""
    read: Callable[[Source, Given], Reading]
    """Raises UnreadableError, NotSaidError; a value of the wrong shape may raise what it raises."""
    marks: tuple[tuple[bytes, ...], ...] = ()
    """Bytes that together betray the tool even in a file too damaged to be parsed; any one group of them does."""

    def recognises(self, source: Source) -> bool:
        """Say whether the content is this tool's. Raises BrokenImporterError."""
        try:
            return self.recognise(source)
        except InvalidInput:
            raise
        except Exception as error:
            raise BrokenImporterError(self.tool, f"it cannot look at {source.name}", error) from error

    def betrayed_by(self, source: Source) -> bool:
        """Say whether a damaged file is this tool's."""
        return any(source.holds(*marks) for marks in self.marks)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken over from one file."""

    records: list[dict[str, Any]]
    tool_version: str | None = None
    originals: list[str] | None = None
    """Of a folder, the names of the files that were read; None: all of them."""


def read(importer: Importer, source: Source, given: Given) -> Taken:
    """Return the records of one recognised file, whole with completeness, summary and the original attached.

    Content that does not hold together is never an error here: its original becomes an `unreadable` document.
    Raises NotSaidError where the user must say more, BrokenImporterError for a fault of the importer itself.
    """
    try:
        reading = importer.read(source, given)
        finished = [_finished(importer.tool, source, reading, record, given) for record in reading.records]
        return Taken(finished, reading.tool_version, reading.originals)
    except NotSaidError:
        raise
    except UnreadableError as error:
        return unreadable(importer, source, str(error))
    except InvalidInput as error:
        return unreadable(importer, source, error.problem)
    except BadArchiveError as error:
        return unreadable(importer, source, f"It {error}.")
    except _MISSHAPEN as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        return unreadable(importer, source, f"It is not laid out as {importer.tool} writes it: {what}.")
    except Exception as error:
        raise BrokenImporterError(importer.tool, f"it cannot read {source.name}", error) from error


def unreadable(importer: Importer, source: Source, reason: str) -> Taken:
    """Return the record of a file of which only the original can be kept."""
    record = {
        "kind": "document",
        "document_type": "import-original",
        "title": clip(f"{importer.tool}: original of {plain_name(source.name)}, unreadable", 300),
        "sha256": source.sha256(),
        "basis": "folder" if source.is_folder else "file",
        "completeness": "unreadable",
        "completeness_reason": clip(_sentence(reason), 2000),
        "attachments": _attached(source, None, restricted=True),
    }
    return Taken([record])


def no_result(tool: str, what: str, reason: str, gaps: Sequence[str] = ()) -> dict[str, Any]:
    """Return the record of a run that the file tells of and that gave no figure: its original, incomplete."""
    return {
        "kind": "document",
        "document_type": "import-original",
        "title": f"{tool}: {what}",
        "gaps": [*gaps, reason],
    }


def unaccounted(held: int) -> str:
    """Return what a record lacks whose file cannot show whether it holds all cases, while nobody says how many."""
    return (
        f"The file holds {held} cases and cannot show whether some were left out: say with --cases how many there "
        "should be."
    )


def accounted(held: int | None, expected: int) -> tuple[dict[str, Any], list[str]]:
    """Return the accountability of an evaluation of which the user says how many cases there should be."""
    if held is None:
        return {}, [f"There should be {expected} cases, and the file does not say how many it is about."]
    if expected < held:
        return {}, [f"The file holds {held} cases, and there should be {expected}."]
    told = {"enrolled": expected, "analysed": held, "missing_score": expected - held}
    return {"accountability": told}, [f"{expected - held} of {expected} cases are missing."] if expected > held else []


def of_all(held: int, given: Given) -> str:
    """Return how many cases a title names, so that the same file with `--cases` is another result than without."""
    return f"{held} cases" if given.cases is None else f"{held} of {given.cases} cases"


def _finished(tool: str, source: Source, reading: Reading, authored: Mapping[str, Any], given: Given) -> dict[str, Any]:
    record = dict(authored)
    gaps = [*reading.gaps, *record.pop("gaps", [])]
    record = _as_kind(tool, record, given)
    when = "when it began" if reading.ended_at else "when it ran"
    clock = [said for moment in reading.clock if (said := word(moment)) and utc(moment) is None]
    told = {"its version": reading.tool_version, when: reading.started_at or clock}
    unknown = [name for name, value in told.items() if not value]
    measured = issubclass(content_model(record["kind"]), Measured)
    if measured:
        record = _measured(tool, reading, record)
    if record["kind"] == "evaluation" and given.cases is not None and "metrics" in record:
        most = max((row["n"] for row in record["metrics"] if "n" in row), default=None)
        counted, missing = accounted(most if reading.cases is None else reading.cases, given.cases)
        record, gaps = record | counted, [*gaps, *missing]
    notes = [
        f"Imported from {tool}{' ' + reading.tool_version if reading.tool_version else ''}.",
        f"Run at {reading.started_at}." if reading.started_at and not measured else "",
        f"It ended at {reading.ended_at}." if reading.ended_at and not reading.started_at else "",
        f"It was made at {' to '.join(clock)} by its machine's clock, whose time zone is not stated." if clock else "",
        f"Not stated in the file: {' and '.join(unknown)}." if unknown else "",
        f"Withheld: {reading.withheld}; they stand only in the attached original (SHA-256 "
        f"{source.sha256(reading.originals)}), which is restricted."
        if reading.withheld
        else "",
        "A table has no end mark: rows that are lost at its end cannot be seen; --cases says how many there should be."
        if source.is_table and given.cases is None
        else "",
        *reading.notes,
    ]
    record["summary"] = " ".join([*filter(None, [record.get("summary")]), *filter(None, notes)])[:20_000]
    if gaps:
        reason = " ".join(dict.fromkeys(_sentence(gap) for gap in gaps))
        record |= {"completeness": "incomplete", "completeness_reason": clip(reason, 20_000)}
    attached = _attached(source, reading.originals, restricted=reading.withheld is not None)
    record["title"] = clip(record["title"], 300)
    return record | {"attachments": [*record.get("attachments", []), *attached]}


def _measured(tool: str, reading: Reading, record: dict[str, Any]) -> dict[str, Any]:
    """Put tool, time and the model as the file names it where evaluations and safety results keep them."""
    told: dict[str, Any] = {"tool": tool, "tool_version": clip(reading.tool_version or UNKNOWN, 200)}
    if reading.started_at:
        told["started_at"] = reading.started_at
    if reading.started_at and reading.ended_at and reading.ended_at >= reading.started_at:
        told["ended_at"] = reading.ended_at
    if reading.model:
        told["tested_model_statement"] = (
            f"The file names the tested model as {clip(reading.model, 500)}; that this is the version on record is "
            "said by whoever imported it."
        )
    else:
        told["tested_model_statement"] = "The file does not name the tested model; whoever imported it did."
    return told | record


def _as_kind(tool: str, record: dict[str, Any], given: Given) -> dict[str, Any]:
    """Let the user call measurements evaluations or safety results; nothing else can be called otherwise."""
    if given.kind not in (None, record["kind"]) and {given.kind, record["kind"]} <= set(_ROWS):
        allowed = _ALIKE | set((Evaluation if given.kind == "evaluation" else SafetyResult).model_fields)
        record = {name: value for name, value in record.items() if name in allowed} | {"kind": given.kind}
    if given.kind not in (None, record["kind"]):
        raise InvalidKindError(tool, record["kind"], str(given.kind))
    if record["kind"] == "safety-result":
        category = given.category or record.get("category")
        if category is None:
            raise NotSaidError(
                f"{tool} does not say what its results are about.",
                remedy="Say it with --category: robustness, adversarial, bias, privacy, toxicity…",
            )
        record["category"] = category
    return record


class InvalidKindError(NotSaidError):
    """The user calls a file's results what they cannot be."""

    def __init__(self, tool: str, kind: str, wanted: str) -> None:
        super().__init__(f"This {tool} file becomes {kind}, not {wanted}.", remedy=f"Leave out --kind {wanted}.")


def _attached(source: Source, names: Sequence[str] | None, *, restricted: bool) -> list[dict[str, Any]]:
    """Return the original bytes as attachments, restricted where they may hold what identifies somebody."""
    chosen = sorted(source.files) if names is None else names
    classification = "restricted" if restricted else "internal"
    return [{"data": source.files[name], "name": plain_name(name), "classification": classification} for name in chosen]


def attachment_name(source: Source) -> str:
    """Return the name under which the original of a file is attached."""
    return plain_name(next(iter(source.files)))


def plain_name(name: str) -> str:
    """Return a name as an attachment may have it: no folder, no control character, no byte that is not UTF-8."""
    plain = name.rstrip("/").rpartition("/")[2].encode(errors="replace").decode()
    return re.sub(r"[\x00-\x1f\x7f\\]", "_", plain)[-255:] or "original"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
