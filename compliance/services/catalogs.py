"""Catalogs of requirements from disk: those that ship, those that plugins bring, and a company's own file."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from compliance.core.catalog import Catalog
from compliance.core.reading import read_records
from compliance.errors import InvalidInput, UnknownReference
from compliance.storage.assets import folder

if TYPE_CHECKING:
    from compliance.core.reading import Located

GROUP = "compliance.catalogs"
"""Entry points of third parties: each gives the path of a YAML file."""


def ids() -> list[str]:
    """Return the ids of all catalogs at hand, sorted."""
    return sorted(_files())


def available() -> list[Catalog]:
    """Return every catalog at hand, sorted by id."""
    return [load(name) for name in ids()]


@cache
def load(name: str) -> Catalog:
    """Return one catalog. Raises UnknownReference for an id that nobody ships."""
    path = _files().get(name)
    if path is None:
        raise UnknownReference(
            f"There is no catalog {name}.",
            remedy=f"At hand: {', '.join(ids())}.",
        )
    return check(path)


def load_all(names: Iterable[str]) -> list[Catalog]:
    """Return several catalogs, in the order of `names`, each once."""
    return [load(name) for name in dict.fromkeys(names)]


def check(path: Path) -> Catalog:
    """Read a catalog file. Raises InvalidInput with file and line of everything that is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}.", remedy="Check the path.") from error
    located, *more = read_records(data, str(path))
    if more:
        raise InvalidInput(f"{path}:{more[0].line}: a catalog is one document.", remedy="Make it a file of its own.")
    try:
        catalog = Catalog.model_validate(located.value)
    except ValidationError as error:
        problems = [_worded(located, problem["loc"], problem["msg"]) for problem in error.errors(include_url=False)]
        raise InvalidInput("\n".join(problems), remedy="Mend these lines.") from error
    _check_kinds(catalog, located)
    return catalog


def need_schemas(catalogs: Iterable[Catalog] | None = None) -> Mapping[str, str]:
    """Return relative path and text of the JSON Schema of every need."""
    return {
        f"{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for catalog in (available() if catalogs is None else catalogs)
        for name, schema in catalog.schemas()
    }


def _files() -> dict[str, Path]:
    shipped = {path.stem: path for path in (folder("schemas") / "catalogs").glob("*.yaml")}
    brought = {point.name: Path(point.load()) for point in entry_points(group=GROUP)}
    return brought | shipped


def _check_kinds(catalog: Catalog, located: "Located") -> None:
    """Refuse a need of a kind that nobody knows: it could never be shown."""
    from compliance.core.catalog import AUDIT_TRAIL
    from compliance.kinds import kinds

    known = {*kinds(), AUDIT_TRAIL}
    problems = [
        f"{located.at(('requirements', row, 'needs', place))}: {requirement.id}: there is no kind {need.kind}."
        for row, requirement in enumerate(catalog.requirements)
        for place, need in enumerate(requirement.needs)
        if need.kind not in known
    ]
    if problems:
        raise InvalidInput("\n".join(problems), remedy="`compliance schema list` shows the kinds.")


def _worded(located: "Located", where: tuple[int | str, ...], message: str) -> str:
    """Word one problem with its line and the id of the requirement it stands in."""
    row = where[1] if len(where) > 1 and where[0] == "requirements" else None
    name = ""
    if isinstance(row, int):
        rows = located.value.get("requirements")
        item = rows[row] if isinstance(rows, list) else None
        name = f"{item['id']}: " if isinstance(item, dict) and isinstance(item.get("id"), str) else ""
    field = ".".join(str(part) for part in where[2 if row is not None else 0 :])
    return f"{located.at(where)}: {name}{field + ': ' if field else ''}{message.removeprefix('Value error, ')}."
