"""Catalogs of requirements from disk: those that ship, those that plugins bring, and any file to be checked.

What a system's own catalogs say, and how they are pinned, is `compliance.services.own_catalogs`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from compliance.core.canonical import digest
from compliance.core.catalog import Catalog, Requirement
from compliance.core.reading import read_records
from compliance.errors import InvalidInput, Unavailable, UnknownReference
from compliance.storage.assets import folder

if TYPE_CHECKING:
    from compliance.core.reading import Located

GROUP = "compliance.catalogs"
"""Entry points of third parties: each gives the path of a YAML file."""
MAX_BYTES = 4 * 1024 * 1024
"""What a catalog file may hold: more than ten times the largest that ships."""
MAX_ROWS = 10_000
MAX_VALUES = 500_000
"""Names and values that a file may hold: what so many rows take, and no more than is read in a few seconds."""
SHOWN = 20
"""Problems told at once."""
WORDED = 1_000
"""Problems put into words, and in the order of the file, before any are told."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the rows of one catalog are answered."""

    catalog: str
    requirements: int
    needs_only: int
    ask_only: int
    both: int
    needs: int
    """Needs in all its rows."""
    unmeasured: int
    """Rows that could be measured in part and say why no need does."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ids() -> list[str]:
    """Return the ids of all catalogs at hand, sorted."""
    return sorted({*_shipped(), *_brought()})


def available() -> list[Catalog]:
    """Return every catalog at hand, sorted by id."""
    return [load(name) for name in ids()]


def load(name: str) -> Catalog:
    """Return one catalog. Raises UnknownReference for an id that nobody ships."""
    path = path_of(name)
    catalog = read(read_bytes(path), str(path))
    if name not in _shipped():
        if catalog.id != name:
            raise InvalidInput(
                f"{path}: calls itself {catalog.id}, but is installed as {name}.",
                remedy=f"Name the entry point {catalog.id}, or mend or uninstall the package that brings it.",
            )
        refuse_shipped(catalog, str(path))
    return catalog


def refuse_shipped(catalog: Catalog, name: str) -> None:
    """Raise InvalidInput for a row that wears the id of one that ships."""
    for row in catalog.requirements:
        if row.id in rows_shipped():
            raise InvalidInput(
                f"{name}: the id {row.id} is that of a row that ships: a finding on yours would read as one on it.",
                remedy=f"Begin the ids of your own rows with {catalog.id}/.",
            )


def path_of(name: str) -> Path:
    """Return the file of a catalog at hand. Raises UnknownReference for an id that nobody ships."""
    if name in _shipped():
        return _shipped()[name]
    entry = _brought().get(name)
    if entry is None:
        raise UnknownReference(f"There is no catalog {name}.", remedy=f"At hand: {', '.join(ids())}.")
    try:
        return Path(entry.load())
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            f"The catalog {name} comes from {entry.value}, which cannot be loaded: {error}.",
            remedy="Mend or uninstall the package that brings it.",
        ) from error


def load_all(names: Iterable[str]) -> list[Catalog]:
    """Return several catalogs, in the order of `names`, each once."""
    return [load(name) for name in dict.fromkeys(names)]


def find(requirement: str) -> tuple[Catalog, Requirement]:
    """Return a requirement of a catalog at hand, with its catalog. Raises UnknownReference.

    A row's id need not begin with its catalog's: `fda/pccp/…` stands in `fda-pccp`, `std/…` in many.
    """
    for name in (*_shipped(), *_brought()):
        if requirement.encode() in path_of(name).read_bytes():  # most files need not be parsed
            catalog = load(name)
            for row in catalog.requirements:
                if row.id == requirement:
                    return catalog, row
    raise UnknownReference(
        f"No catalog at hand has the requirement {requirement}.",
        remedy="`compliance catalog list` names the catalogs, `compliance catalog show ID` their requirements.",
    )


@cache
def rows_shipped() -> frozenset[str]:
    """Return the ids of all rows that ship, by their lines: no file is parsed for it."""
    lines = (line for path in _shipped().values() for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(line.removeprefix("- id: ") for line in lines if line.startswith("- id: "))


def check(path: Path) -> Catalog:
    """Read a catalog file and hold its needs against the kinds that they name.

    Raises InvalidInput with file and line of everything that is wrong with it.
    """
    return checked(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Return a catalog file's bytes. Raises InvalidInput for what is no file, or too large to be a catalog."""
    try:
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is no file.", remedy="Name one catalog file, YAML.")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(f"{path}: {error.strerror}.", remedy="Check the path.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            f"{path} is larger than {MAX_BYTES // 2**20} MB, too large for a catalog.",
            remedy="Split it into several catalogs.",
        )
    return data


def read(data: bytes, name: str) -> Catalog:
    """Return the catalog that a file's bytes say. Raises InvalidInput with the line of everything that is wrong."""
    return _read(data, name)[0]


def checked(data: bytes, name: str) -> Catalog:
    """Return the same, its needs held against the fields of their kinds, and `applies_if` against the profile's."""
    from compliance.services.catalog_fields import problems, unreachable

    catalog, located = _read(data, name)
    _refuse(
        [
            _worded(located, ("requirements", row, "needs", place), text)
            for row, requirement in enumerate(catalog.requirements)
            for place, need in enumerate(requirement.needs)
            for text in problems(need)
        ]
        + [
            _worded(located, ("requirements", row, cell), text)
            for row, requirement in enumerate(catalog.requirements)
            for cell, text in unreachable(requirement)
        ]
    )
    return catalog


@cache
def _read(data: bytes, name: str) -> "tuple[Catalog, Located]":
    located, *more = read_records(data, name, first="id", most=MAX_VALUES)
    if more:
        raise InvalidInput(f"{more[0].at()}: a catalog is one document.", remedy="Make it a file of its own.")
    rows = located.value.get("requirements")
    if isinstance(rows, list) and len(rows) > MAX_ROWS:
        raise InvalidInput(
            f"{located.at(('requirements',))}: {len(rows)} requirements are too many for one catalog.",
            remedy=f"Split it: a catalog holds at most {MAX_ROWS}.",
        )
    problems = list(_doubled(located))
    try:
        catalog = Catalog.model_validate(located.value)
    except ValidationError as error:
        problems += _invalid(error, located) if not problems else _invalid(error, located, rows_only=True)
        _refuse(problems)
    _refuse([*problems, *_unknown_kinds(catalog, located)])
    return catalog, located


def tally(catalog: Catalog) -> Tally:
    """Count how the rows of a catalog are answered."""
    rows = catalog.requirements
    return Tally(
        catalog.id,
        len(rows),
        sum(1 for row in rows if row.needs and not row.ask),
        sum(1 for row in rows if row.ask and not row.needs),
        sum(1 for row in rows if row.needs and row.ask),
        sum(len(row.needs) for row in rows),
        sum(1 for row in rows if row.unmeasured),
    )


def sha256(name: str) -> str:
    """Return the SHA-256 of a catalog's file, as `sha256sum` prints it."""
    return digest(path_of(name).read_bytes())


def need_schemas(catalogs: Iterable[Catalog] | None = None) -> Mapping[str, str]:
    """Return relative path and text of the JSON Schema of every need."""
    return {
        f"{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for catalog in (available() if catalogs is None else catalogs)
        for name, schema in catalog.schemas()
    }


@cache
def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted((folder("schemas") / "catalogs").glob("*.yaml"))}


@cache
def _brought() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


# --- what is wrong with a file ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class _Problem:
    """One thing to mend, ordered as the file is read."""

    line: int
    text: str


def _refuse(problems: list[_Problem]) -> None:
    if problems:
        others = "many" if len(problems) >= WORDED else str(len(problems) - SHOWN)
        more = [f"and {others} more"] if len(problems) > SHOWN else []
        raise InvalidInput(
            "\n".join([*(problem.text for problem in sorted(problems)[:SHOWN]), *more]),
            remedy="Mend these lines; docs/how-to/write-a-catalog says what each may hold.",
        )


def _doubled(located: "Located") -> Iterator[_Problem]:
    """Yield the rows whose id or question an earlier row has, with both lines."""
    first: dict[tuple[str, str], int] = {}
    for place, row in enumerate(_rows(located)):
        for cell in ("id", "ask"):
            text = row.get(cell) if isinstance(row, dict) else None
            if isinstance(text, str) and first.setdefault((cell, text), place) != place:
                line = _line(located, ("requirements", first[cell, text], cell))
                told = "this id stands" if cell == "id" else "this question is asked"
                yield _worded(located, ("requirements", place, cell), f"{told} in line {line} already", named=False)


def _invalid(error: ValidationError, located: "Located", *, rows_only: bool = False) -> list[_Problem]:
    """Word what the model refuses; a list whose rows are refused is not called empty as well."""
    from compliance.kinds.problems import problems_in

    return [
        _worded(located, problem.path, problem.text)
        for problem in problems_in(error, Catalog, most=WORDED)
        if not (problem.path == ("requirements",) and _rows(located)) and (problem.path or not rows_only)
    ]


def _unknown_kinds(catalog: Catalog, located: "Located") -> Iterator[_Problem]:
    """Yield the needs of a kind that nobody knows: they could never be shown."""
    from compliance.core.catalog import AUDIT_TRAIL
    from compliance.kinds import kinds

    known = {*kinds(), AUDIT_TRAIL}
    for row, requirement in enumerate(catalog.requirements):
        for place, need in enumerate(requirement.needs):
            named = [need.kind, *(relation.kind for relation in need.relations if relation.kind)]
            for kind in named:
                if kind not in known:
                    where = ("requirements", row, "needs", place)
                    yield _worded(located, where, f"there is no kind {kind}; `compliance schema list` has them")


def _worded(located: "Located", where: tuple[int | str, ...], text: str, *, named: bool = True) -> _Problem:
    """Word one problem with its line, the id of the requirement it stands in, and the field."""
    row, field = "", where
    if len(where) > 1 and where[0] == "requirements" and isinstance(where[1], int):
        item, field = _rows(located)[where[1]], where[2:]
        row = f"{str(item['id'])[:200]}: " if isinstance(item, dict) and "id" in item else "row: "
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).lstrip(".") if named else ""
    told = f"{located.at(where)}: {row}{name + ' ' if name else ''}{text}".removesuffix(".")
    return _Problem(_line(located, where), told if told.endswith("?") else f"{told}.")


def _line(located: "Located", where: tuple[int | str, ...]) -> int:
    return int(located.at(where).rpartition(":")[2])


def _rows(located: "Located") -> list[Any]:
    rows = located.value.get("requirements")
    return rows if isinstance(rows, list) else []
