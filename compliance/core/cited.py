"""Values on their way from signed evidence to a page.

A template never sees a bare number. It sees `Cited`, which can do one thing: render itself as a
link to the evidence it was drawn from. It refuses to be turned into text, formatted, compared as a
number or calculated with, so that no figure in a dossier can be typed, rounded or derived by hand.
Every rendering is reported to `Citations`, the list of figures that the dossier's JSON carries.

Nothing from evidence is trusted: markup is escaped, invisible characters are made visible, and
text beyond a limit is cut, marked as cut.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape
from typing import Any, ClassVar, NoReturn, final

from compliance.core.evidence import EVIDENCE_NUMBER
from compliance.errors import InvalidInput

LONGEST = 4000
"""Characters of one value that a page prints; the evidence itself holds the rest."""
WIDEST = 8
"""Columns that a table of fields may have before it is printed item by item."""
WORDY = 90
"""Characters from which a value is too long for a cell of a table with many columns."""
DECIMALS = 3
"""Digits printed of a computed proportion; a stated value keeps all digits of its source."""

_UNBROKEN = re.compile(r"\S{50,}")
"""What a page cannot break at a space; it breaks it anywhere, so that none of it runs off the paper."""
_TAGS = re.compile(r"(<[^>]*>)")
_NUMBER = re.compile(r"[<>≤≥]?-?\d+(\.\d+)?")
_ABBREVIATIONS = {"tp": "TP", "fp": "FP", "tn": "TN", "fn": "FN", "n": "n", "udi": "UDI", "us": "US", "gpai": "GPAI"}
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_HARMLESS = {"\n", "\t", "\u00ad"}


class Uncited(InvalidInput):
    """A template tried to use a value without its evidence."""

    code = "uncited"


def visible(text: str) -> str:
    """Return `text` as HTML: escaped, cut at a limit, with control and direction characters spelled out."""
    cut = len(text) - LONGEST
    shown = escape(text[:LONGEST], quote=True)
    if not shown.isprintable():
        shown = "".join(_spelled(c) if unicodedata.category(c) in _INVISIBLE else c for c in shown)
    return f"{shown}<span class='cut'> … {cut} more characters in the evidence</span>" if cut > 0 else shown


def _breakable(shown: str) -> str:
    """Mark, in what `visible` returned, text without a space that a narrow cell could not break."""
    return "".join(
        part if part.startswith("<") else _UNBROKEN.sub(r"<span class='run'>\g<0></span>", part)
        for part in _TAGS.split(shown)
    )


def _spelled(character: str) -> str:
    return character if character in _HARMLESS else f"<span class='hidden-char'>U+{ord(character):04X}</span>"


@final
@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is already safe. Jinja asks for `__html__` and prints it as it stands."""

    html: str

    def __html__(self) -> str:
        return self.html


@dataclass(frozen=True, slots=True)
class Citation:
    """One figure as printed: where it stands, where it came from, what it says."""

    section: str
    evidence: str
    at: str
    """Path from the predicate: `content.metrics[3].value`."""
    value: str
    printed: str

    def to_dict(self) -> dict[str, str]:
        return {
            "section": self.section,
            "evidence": self.evidence,
            "at": self.at,
            "value": self.value,
            "printed": self.printed,
        }


@dataclass(slots=True)
class Citations:
    """Collects what a section prints. One list for the whole document, in order of printing."""

    section: str = ""
    printed: list[Citation] = field(default_factory=list)

    def add(self, evidence: str, at: str, value: str, printed: str) -> None:
        self.printed.append(Citation(self.section, evidence, at, value, printed))


def _refuse(action: str) -> Any:
    def refuse(self: "Cited", *_: object) -> NoReturn:
        raise Uncited(
            f"A template tried to {action} a value of {self.evidence} ({self.at}).",
            remedy="Print it with {{ … }} alone: a figure in a dossier stands as its evidence has it.",
        )

    return refuse


@final
class Cited:
    """One value of one piece of evidence. Prints as a link to it; refuses everything else."""

    __slots__ = ("_citations", "_decimals", "_value", "at", "evidence")
    leaf: ClassVar[bool] = True
    """Whether it prints as one value; a `Node` prints part by part."""

    def __init__(self, value: str, evidence: str, at: str, citations: Citations, decimals: int | None = None) -> None:
        self._value, self.evidence, self.at = value, evidence, at
        self._citations, self._decimals = citations, decimals

    def __html__(self) -> str:
        printed = self._print()
        kind = "cite num" if _NUMBER.fullmatch(printed) else "cite"
        return f'<a class="{kind}" href="#{self.evidence}">{_breakable(visible(printed))}</a>'

    def _print(self) -> str:
        printed = self._value if self._decimals is None else rounded(self._value, self._decimals)
        self._citations.add(self.evidence, self.at, self._value, printed)
        return printed

    @property
    def prose(self) -> Markup:
        """The value as running text, followed by its evidence number as the link."""
        text = _breakable(visible(self._print())).replace("\n", "<br>")
        return Markup(f'<span class="prose">{text} <a class="ref" href="#{self.evidence}">{self.evidence}</a></span>')

    @property
    def code(self) -> Markup:
        """The value in the fixed-width face: a digest, a file name, a path."""
        return Markup(f'<a class="cite code" href="#{self.evidence}">{visible(self._print())}</a>')

    @property
    def short(self) -> Markup:
        """A figure that we computed, with as many decimals as a page needs."""
        return Markup(Cited(self._value, self.evidence, self.at, self._citations, DECIMALS).__html__())

    @property
    def brief(self) -> Markup:
        """A digest by its first twelve digits; the whole of it stands in the evidence index."""
        return Markup(f'<a class="cite code" href="#{self.evidence}">{visible(self._print()[:12])}</a>')

    def says(self, *words: str) -> bool:
        """Say whether the value is one of these words of a closed vocabulary."""
        return self._value in words

    def __repr__(self) -> str:
        return f"<Cited {self.evidence} {self.at}>"

    __str__ = _refuse("turn into text")
    __format__ = _refuse("format")
    __int__ = __float__ = __index__ = __round__ = _refuse("calculate with")
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse("calculate with")
    __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __rmod__ = __pow__ = _refuse("calculate with")
    __neg__ = __abs__ = _refuse("calculate with")
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _refuse("compare")
    __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = _refuse("look into")
    __hash__ = _refuse("hash")


@dataclass(frozen=True, slots=True)
class Shape:
    """A list of like items as columns and rows; a cell is None where the item does not say."""

    columns: list[str]
    rows: list[list["Node | Cited | None"]]


@final
class Node:
    """A part of a predicate: fields and items, whose leaves are `Cited`. A missing field stops the build."""

    __slots__ = ("_at", "_citations", "_evidence", "_value")
    leaf: ClassVar[bool] = False

    def __init__(self, value: Any, evidence: str, at: str, citations: Citations) -> None:
        self._value, self._evidence, self._at, self._citations = value, evidence, at, citations

    def __getitem__(self, key: str | int) -> "Node | Cited":
        value = self._value[key]  # KeyError and IndexError become an undefined value, which stops the build
        if value is None:
            raise KeyError(key)
        at = f"{self._at}[{key}]" if isinstance(key, int) else f"{self._at}.{key}"
        return node(value, self._evidence, at, self._citations)

    def __contains__(self, key: str) -> bool:
        """Say whether the field is there and holds something."""
        return isinstance(self._value, Mapping) and self._value.get(key) not in (None, "", [], {})

    def __iter__(self) -> Iterator["Node | Cited"]:
        count = len(self._value) if isinstance(self._value, Sequence) else 0
        return iter([self[index] for index in range(count) if self._value[index] is not None])

    def __bool__(self) -> bool:
        return bool(self._value)

    @property
    def pairs(self) -> list[tuple[str, "Node | Cited"]]:
        """Every field that holds something, in the order of the record, with its name as words."""
        if not isinstance(self._value, Mapping):
            return []
        return [(words(key), self[key]) for key in self._value if key in self]

    @property
    def is_list(self) -> bool:
        return isinstance(self._value, list | tuple)

    @property
    def is_reference(self) -> bool:
        """Whether it names a thing or a record on file, by name and digest."""
        return isinstance(self._value, Mapping) and {"name", "sha256"} <= set(self._value) <= {"name", "sha256", "role"}

    @property
    def record(self) -> Markup:
        """A reference to a piece of evidence, as a link to that piece."""
        name = escape(str(self._value["name"]))
        return Markup(f'<a class="ev" href="#{name}">{name}</a>')

    @property
    def is_record(self) -> bool:
        return self.is_reference and EVIDENCE_NUMBER.fullmatch(str(self._value["name"])) is not None

    @property
    def inline(self) -> bool:
        """Whether it is few plain fields, such as a group of cases: they print in one line."""
        return isinstance(self._value, Mapping) and _fits_a_cell(self._value)

    @property
    def shape(self) -> "Shape | None":
        """The items as one table, where they are alike: mappings of few plain fields each."""
        items = self._value if self.is_list else []
        if not items or not all(isinstance(item, Mapping) for item in items):
            return None
        keys = list(dict.fromkeys(key for item in items for key, value in item.items() if value is not None))
        cells = [value for item in items for value in item.values()]
        plain = all(_fits_a_cell(value) for value in cells)
        wordy = len(keys) > 3 and any(isinstance(value, str) and len(value) > WORDY for value in cells)
        if not plain or wordy or not 1 < len(keys) <= WIDEST:
            return None
        rows = [[self._cell(item, i, key) for key in keys] for i, item in enumerate(items)]
        return Shape([words(key) for key in keys], rows)

    def _cell(self, item: Mapping[str, Any], index: int, key: str) -> "Node | Cited | None":
        value = item.get(key)
        return None if value is None else node(value, self._evidence, f"{self._at}[{index}].{key}", self._citations)


def _fits_a_cell(value: Any) -> bool:
    """Say whether a value can stand in a cell of a table: plain, or a few plain fields, or a few words."""
    if isinstance(value, Mapping):
        return len(value) <= 3 and not any(isinstance(v, Mapping | list | tuple) for v in value.values())
    if isinstance(value, list | tuple):
        return len(value) <= 3 and all(isinstance(v, str | int) and len(str(v)) <= 40 for v in value)
    return True


def node(value: Any, evidence: str, at: str, citations: Citations) -> Node | Cited:
    """Wrap any JSON value: mappings and lists as `Node`, everything else as `Cited`."""
    if isinstance(value, Mapping | list | tuple):
        return Node(value, evidence, at, citations)
    text = (
        value
        if isinstance(value, str)
        else {True: "yes", False: "no"}[value]
        if isinstance(value, bool)
        else str(value)
    )
    return Cited(text, evidence, at, citations)


def words(key: str) -> str:
    """Return a field's name as a reader would write it: `unit_of_analysis` -> `Unit of analysis`."""
    if key in _ABBREVIATIONS:
        return _ABBREVIATIONS[key]
    text = key.replace("_", " ").replace(".", " ").strip()
    return text[:1].upper() + text[1:]


def rounded(value: str, decimals: int = DECIMALS, against: str | None = None) -> str:
    """Return a decimal string with so many decimals, half to even; with more where rounding would hide a difference.

    0.699600 against the threshold 0.70 prints 0.6996, never 0.700.
    """
    number = Decimal(value)
    stated = -int(number.as_tuple().exponent)
    while decimals < stated:
        short = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
        if against is None or (short == Decimal(against)) == (number == Decimal(against)):
            return str(short)
        decimals += 1
    return value
