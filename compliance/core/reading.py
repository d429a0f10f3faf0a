"""Records from outside, read strictly: bytes in, plain values with their lines out.

YAML and JSON are both read so that a figure keeps the spelling of its source: only `true`, `false`,
`null` and plain integers are resolved, all else stays text (`0.90` keeps its zero, version `1.10` its nought).
Refused: any encoding but UTF-8, tags, anchors, aliases and duplicate keys in YAML; duplicate keys, NaN and
infinity in JSON; more than 64 MB; nesting deeper than 64; YAML of more than two million names and values. No alias
is ever expanded, so no small file grows large.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from compliance.errors import InvalidInput

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_VALUES = 2_000_000
"""Names and values of one YAML file: far beyond any record, and what a reader can hold."""
MAX_INTEGER = 2**53 - 1
"""Beyond it, canonical JSON carries no integer: larger ones stay text."""

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?[1-9][0-9]{0,15}|0")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
_LARGEST_EXPONENT = 300
_LONGEST_INTEGER = 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Located:
    """One value and where it was written."""

    value: dict[str, Any]
    name: str
    """The file, as the reader of a message knows it."""
    line: int
    lines: dict[Path, int] = field(default_factory=dict, repr=False)
    """Line of each field that has one of its own; empty for JSON."""

    def at(self, path: Path = ()) -> str:
        """Return `file:line` of a field, or of the nearest thing around it that has a line."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return f"{self.name}:{line}"
        return f"{self.name}:{self.line}"


def read_records(data: bytes, name: str, *, first: str = "kind", most: int = MAX_VALUES) -> list[Located]:
    """Return the records of a file: YAML documents, or a JSON object or array of objects (`*.json`).

    `first` is the field that such a record begins with, for whoever wrote something else; `most` bounds how many
    names and values YAML may hold.
    Raises InvalidInput, naming file and line, for whatever the limits above refuse.
    """
    begin = f"Begin with `{first}: …` and write one field a line."
    if not data.strip():
        _refuse(name, None, "is empty", begin)
    return [
        _record(value, name, line, lines, begin)
        for value, line, lines in _values(data, name, _spelled, most)
        if value is not None
    ] or (_refuse(name, 1, "holds no record", begin))


def read_value(data: bytes, name: str) -> Any:
    """Return the one value of a settings file under the same limits, fractions as floats.

    For another tool's settings, whose numbers are parameters and not evidence.
    """
    values = list(_values(data, name, _computed))
    if len(values) != 1:
        _refuse(name, 1, f"holds {len(values)} documents where one is expected", "Keep one document in the file.")
    return values[0][0]


def read_foreign(data: bytes, name: str) -> Any:
    """Return the one JSON value of another tool's result file under the same limits.

    A fraction is a Decimal with its source's digits; NaN and infinity, which many tools write where they have no
    figure, are the floats they stand for: whoever takes a figure over must look.
    """
    if len(data) > MAX_BYTES:
        _refuse(name, None, f"is larger than {MAX_BYTES // 2**20} MB", "Split it, or attach large data as a file.")
    text = _text(data, name)
    if not text.strip():
        _refuse(name, None, "is empty", "Check that it was written to its end.")
    values = [value for value, _, _ in _json(text, name, _exact, fraction=Decimal, constant=float)]
    return values if text[_skip(text, 0)] == "[" else values[0]


def _record(value: Any, name: str, line: int, lines: dict[Path, int], begin: str) -> Located:
    if not isinstance(value, dict):
        _refuse(name, line, "is not a record: a mapping of fields is expected", begin)
    return Located(value, name, line, lines)


def _values(
    data: bytes, name: str, number: Callable[[str], Any], most: int = MAX_VALUES
) -> Iterator[tuple[Any, int, dict[Path, int]]]:
    if len(data) > MAX_BYTES:
        _refuse(name, None, f"is larger than {MAX_BYTES // 2**20} MB", "Split it, or attach large data as a file.")
    text = _text(data, name)
    if not text.strip():
        _refuse(name, None, "is empty", "Write at least one field.")
    documents = _json(text, name, number) if name.lower().endswith(".json") else _yaml(text, name, number, most)
    for value, line, lines in documents:
        if isinstance(value, list):
            for index, item in enumerate(value):
                own = {path[1:]: at for path, at in lines.items() if path[0] == index}
                yield item, own.pop((), line), own
        else:
            yield value, line, lines


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _refuse(name, line, f"is not UTF-8 text (byte {error.start})", "Save the file as UTF-8.")


def _refuse(name: str, line: int | None, problem: str, remedy: str) -> NoReturn:
    raise InvalidInput(
        f"{name}:{line}: {problem}." if line else f"{name} {problem}.", remedy=remedy, file=name, line=line
    )


def _spelled(text: str) -> int | str:
    """A plain integer as such; everything else in the digits of its source."""
    if _INTEGER.fullmatch(text) and abs(int(text)) <= MAX_INTEGER:
        return int(text)
    return text


def _exact(text: str) -> int | Decimal:
    """A whole number; one longer than any count stays a Decimal, which is never expanded."""
    return int(text) if len(text) <= _LONGEST_INTEGER else Decimal(text)


def _computed(text: str) -> int | float | str:
    value = _spelled(text)
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d{1,3})?", value):
        return float(value)
    return value


# --- YAML ------------------------------------------------------------------------------------------


def _yaml(text: str, name: str, number: Callable[[str], Any], most: int) -> Iterator[tuple[Any, int, dict[Path, int]]]:
    composer = _Composer(yaml.parse(text, Loader=_LOADER), name, number, most)
    try:
        yield from composer.documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        _refuse(
            name, line, f"is not YAML: {error.problem or error.context}", "Check indentation, colons and quotes there."
        )
    except yaml.reader.ReaderError as error:
        unseen = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, unseen.start()) + 1 if unseen else None
        _refuse(name, line, f"holds a character that YAML does not allow: {error.reason}", "Remove it.")


class _Composer:
    """Builds plain values from parser events, so that nothing is built that the limits refuse."""

    def __init__(self, events: Iterator[Any], name: str, number: Callable[[str], Any], most: int = MAX_VALUES) -> None:
        self.events, self.name, self.number = events, name, number
        self.most, self.seen = most, 0
        self.lines: dict[Path, int] = {}

    def documents(self) -> Iterator[tuple[Any, int, dict[Path, int]]]:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                first = next(self.events)
                self.lines = {}
                value = self.value(first, (), 1)
                yield value, first.start_mark.line + 1, self.lines

    def check(self, event: Any, depth: int) -> int:
        """Refuse what no event may carry; return its line."""
        line: int = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            _refuse(self.name, line, "uses an anchor or alias (& or *)", "Write the value out, or quote the text.")
        if event.tag is not None:
            _refuse(
                self.name, line, f"uses a tag ({event.tag})", "Remove the tag; quote the text if it begins with `!`."
            )
        if depth > MAX_DEPTH:
            _refuse(self.name, line, f"is nested deeper than {MAX_DEPTH}", "Flatten it.")
        self.seen += 1
        if self.seen > self.most:
            _refuse(self.name, line, f"holds more than {self.most} names and values", "Split it.")
        return line

    def value(self, event: Any, path: Path, depth: int) -> Any:
        line = self.check(event, depth)
        if path:
            self.lines[path] = line
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path, depth)
        return self.mapping(path, depth)

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        plain = event.implicit[0]
        if not plain:
            return text
        return _WORDS[text] if text in _WORDS else self.number(text)

    def sequence(self, path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event, (*path, len(items)), depth + 1))
        return items

    def mapping(self, path: Path, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = self.check(event, depth)
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(self.name, line, "uses a list or mapping as a field's name", "Field names are text.")
            key: str = event.value
            if key in fields:
                _refuse(self.name, line, f"gives the field {key!r} twice", "Keep one of them.")
            fields[key] = self.value(next(self.events), (*path, key), depth + 1)
            self.lines[(*path, key)] = line
        return fields


# --- JSON ------------------------------------------------------------------------------------------


def _json(
    text: str,
    name: str,
    number: Callable[[str], Any],
    *,
    fraction: Callable[[str], Any] | None = None,
    constant: Callable[[str], Any] | None = None,
) -> Iterator[tuple[Any, int, dict[Path, int]]]:
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_int=number,
        parse_float=fraction or (lambda digits: number(_plain(digits))),
        parse_constant=constant or _no_constant,
    )
    position = _skip(text, 0)
    try:
        if text[position] != "[":
            value, end = decoder.raw_decode(text, position)
            yield _checked(value, name, _line(text, position)), _line(text, position), {}
        else:
            end = position
            for value, start, end in _items(text, position, decoder):  # noqa: B007 - the last end is used below
                yield _checked(value, name, _line(text, start)), _line(text, start), {}
            end = text.index("]", end) + 1
    except json.JSONDecodeError as error:
        _refuse(name, error.lineno, f"is not JSON: {error.msg}", "Check commas, quotes and brackets there.")
    except RecursionError:
        _refuse(name, None, f"is nested deeper than {MAX_DEPTH}", "Flatten it.")
    except _UnacceptableError as error:
        _refuse(name, None, str(error), error.remedy)
    if _skip(text, end) != len(text):
        _refuse(name, _line(text, end), "goes on after its end", "Keep one object or one array in the file.")


def _items(text: str, opening: int, decoder: json.JSONDecoder) -> Iterator[tuple[Any, int, int]]:
    """Yield the members of a top-level array one by one, each with its position."""
    position = _skip(text, opening + 1)
    if text[position : position + 1] == "]":
        return
    while True:
        value, end = decoder.raw_decode(text, position)
        yield value, position, end
        after = _skip(text, end)
        if text[after : after + 1] == "]":
            return
        if text[after : after + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, after)
        position = _skip(text, after + 1)


class _UnacceptableError(Exception):
    """Raised inside the decoder's hooks, which know no position."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise _UnacceptableError(f"gives the field {twice!r} twice", "Keep one of them.")
    return fields


def _no_constant(word: str) -> NoReturn:
    raise _UnacceptableError(f"holds {word}, which is no number", "Leave the figure out and say why in a reason.")


def _plain(digits: str) -> str:
    """`1.5e-3` as `0.0015`; digits without an exponent as they are."""
    if "e" not in digits and "E" not in digits:
        return digits
    number = Decimal(digits)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _UnacceptableError(f"holds the number {digits}, which is out of range", "Write the number out in full.")
    return f"{number:f}"


def _checked(value: Any, name: str, line: int, depth: int = 1) -> Any:
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        _refuse(name, line, f"is nested deeper than {MAX_DEPTH}", "Flatten it.")
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse(name, line, "holds half of a surrogate pair, which is no character", "Remove it.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _checked(key, name, line, depth)
            _checked(item, name, line, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _checked(item, name, line, depth + 1)
    return value


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
