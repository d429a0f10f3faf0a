"""Crosswalks that ship, held against the catalogs at hand: one piece of evidence answers every requirement it can."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from compliance.core.catalog import AUDIT_TRAIL
from compliance.core.crosswalk import Also, Crosswalk
from compliance.core.reading import read_records
from compliance.errors import InvalidInput
from compliance.kinds import kinds
from compliance.services import catalogs
from compliance.storage.assets import folder

if TYPE_CHECKING:
    from compliance.core.reading import Located


def for_requirement(requirement: str) -> list[Also]:
    """Return the other requirements that the evidence for this one answers, each with who says so."""
    return [also for crosswalk in available() for also in crosswalk.also(requirement)]


def readings(requirement: str) -> dict[tuple[str, str], list[str]]:
    """Return the same by (evidence, who says so), for people to read."""
    found: dict[tuple[str, str], list[str]] = {}
    for also in for_requirement(requirement):
        found.setdefault((also.evidence, also.said_by), []).append(also.requirement)
    return found


@cache
def available() -> tuple[Crosswalk, ...]:
    """Return every crosswalk that ships, by file name; that their requirements are real, the tests check."""
    return tuple(_read(path)[0] for path in files())


def files() -> list[Path]:
    """Return the files of the crosswalks that ship, sorted."""
    return sorted((folder("schemas") / "crosswalks").glob("*.yaml"))


def check(path: Path) -> Crosswalk:
    """Read a crosswalk file and hold it against all catalogs at hand.

    Raises InvalidInput with file and line of everything that is wrong with it.
    """
    crosswalk, located = _read(path)
    if problems := [*_unknown(crosswalk, located)]:
        raise InvalidInput(
            "\n".join(problems),
            remedy="`compliance catalog show ID` lists a catalog's requirements, `compliance schema list` the kinds.",
        )
    return crosswalk


def _read(path: Path) -> "tuple[Crosswalk, Located]":
    located, *more = read_records(catalogs.read_bytes(path), str(path), first="id")
    if more:
        raise InvalidInput(f"{more[0].at()}: a crosswalk is one document.", remedy="Make it a file of its own.")
    try:
        return Crosswalk.model_validate(located.value), located
    except ValidationError as error:
        raise InvalidInput("\n".join(_invalid(error, located)), remedy="Mend these lines.") from error


def _invalid(error: ValidationError, located: "Located") -> Iterator[str]:
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        yield f"{located.at(problem['loc'])}: {field + ': ' if field else ''}{message}."


def _unknown(crosswalk: Crosswalk, located: "Located") -> Iterator[str]:
    words = {*kinds(), AUDIT_TRAIL}
    for row, mapping in enumerate(crosswalk.rows):
        for place, kind in enumerate(mapping.kinds):
            if kind not in words:
                yield f"{located.at(('rows', row, 'kinds', place))}: no kind of evidence is called {kind}."
    known = {row.id for catalog in catalogs.available() for row in catalog.requirements}
    for row, place, requirement in crosswalk.unknown(known):
        near = get_close_matches(requirement, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "."
        yield f"{located.at(('rows', row, 'requirements', place))}: no catalog at hand has {requirement}{hint}"
