"""Crosswalks: which requirements of different bodies the same evidence answers, and who says so.

A mapping is a reading, not law: every row names who made it, and where a source itself points from one
requirement to the other, that source. Requirements are named one by one; a wildcard would take in rows to come.
"""

from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from compliance.core.catalog import RequirementId, Slug, Text
from compliance.core.evidence import IsoDate, Name, Strict


class Row(Strict):
    """One sort of evidence, and the requirements that it all answers."""

    evidence: Text
    """What it is, in words."""
    kinds: tuple[Slug, ...] = Field(min_length=1)
    requirements: tuple[RequirementId, ...] = Field(min_length=2)
    made_by: Text
    basis: Literal["own mapping"]
    """No authority has confirmed it."""
    stated_in: Text | None = None
    """The source that itself points from one of them to another, with the place."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.requirements)) < len(self.requirements):
            raise ValueError("names one requirement twice")
        return self

    @property
    def said_by(self) -> str:
        """Who says so, to be printed beside it."""
        return f"{self.basis} by {self.made_by}" + (f", after {self.stated_in}" if self.stated_in else "")


@dataclass(frozen=True, slots=True)
class Also:
    """Another requirement that the same evidence answers."""

    requirement: str
    evidence: str
    kinds: tuple[str, ...]
    said_by: str
    crosswalk: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Crosswalk(Strict):
    """A set of mappings, versioned."""

    id: Name
    version: Annotated[str, Field(min_length=1)]
    date: IsoDate
    title: Text
    note: str = ""
    rows: tuple[Row, ...] = Field(min_length=1)

    def also(self, requirement: str) -> Iterator[Also]:
        """Yield what the evidence for a requirement also answers, in the order of the rows."""
        for row in self.rows:
            if requirement in row.requirements:
                for other in row.requirements:
                    if other != requirement:
                        yield Also(other, row.evidence, row.kinds, row.said_by, self.id)

    def unknown(self, requirements: Container[str]) -> Iterator[tuple[int, int, str]]:
        """Yield (row, place, id) of every requirement that is not among these."""
        for row, mapping in enumerate(self.rows):
            for place, requirement in enumerate(mapping.requirements):
                if requirement not in requirements:
                    yield row, place, requirement
