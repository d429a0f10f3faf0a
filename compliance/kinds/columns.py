"""What a table holds, in aggregates: columns, how they spread, classes, groups. Never one person's value."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import model_validator

from compliance.core.evidence import Strict
from compliance.kinds.fields import Count, Group, Number, Share, Text, Word


class Distribution(Strict):
    """How the numbers of one column spread: no smallest and no largest, which are some person's value."""

    n: Count
    mean: Number
    sd: Number | None = None
    """Sample standard deviation."""
    p5: Number | None = None
    p25: Number | None = None
    p50: Number | None = None
    p75: Number | None = None
    p95: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        told = [Decimal(p) for p in (self.p5, self.p25, self.p50, self.p75, self.p95) if p is not None]
        if told != sorted(told):
            raise ValueError("has percentiles out of order")
        return self


class WithinGroup(Strict):
    """A column within one group: what is there, what is missing, and how it spreads."""

    group: Group
    n: Count
    missing: Count
    distribution: Distribution | None = None


class Column(Strict):
    """One column: type, completeness, and how its values spread where that is no person's value."""

    name: Word
    type: Word
    unit: Word | None = None
    role: Literal["feature", "label", "group", "identifier", "time", "excluded", "other"] | None = None
    missing: Count | None = None
    """Absent where nobody here holds the rows, and a publisher's description names the column."""
    missing_share: Share | None = None
    distinct: Count | None = None
    distribution: Distribution | None = None
    by_group: list[WithinGroup] | None = None
    """Groups too small to tell anything of are left out, and one more where subtraction would tell."""
    note: Text | None = None


class Part(Strict):
    """How many are in one group; a count too small to print safely is withheld, not dropped."""

    group: Group
    n: Count | None = None
    share: Share | None = None
    positives: Count | None = None
    small: Literal[True] | None = None
    """Too few to conclude anything from; how many are positive is then not told."""
    withheld: Literal[True] | None = None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.n is None and not self.withheld and self.share is None:
            raise ValueError("has neither a count nor `withheld: true`")
        if self.n is not None and self.positives is not None and self.positives > self.n:
            raise ValueError(f"has {self.positives} positives among {self.n}")
        return self


class LabelCount(Strict):
    """Cases with one label value."""

    value: Word
    n: Count


class Labels(Strict):
    """The label column and the balance of its classes."""

    column: Word
    classes: list[LabelCount]
    missing: Count | None = None
