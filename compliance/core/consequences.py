"""What a profile means, computed from the catalogs: which duties reach the system, which do not, and by which answer.

A duty is a name for rows that belong together; whether it reaches the system is decided by the rows' own conditions,
the same that an assessment goes by. Nothing is concluded that no row says.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.core import wording
from compliance.core.applicability import reach, values_of
from compliance.core.catalog import Catalog, Requirement

DUTIES = {
    "provider's duties for a high-risk system": "eu-ai-act/art-9.",
    "conformity assessment within the device's own procedure": "eu-ai-act/art-43.3",
    "registration in the EU database": "eu-ai-act/art-49.",
    "fundamental-rights impact assessment": "eu-ai-act/art-27.",
    "deployer's duties for a high-risk system": "eu-ai-act/art-26.",
    "notice to people about whom it helps to decide": "eu-ai-act/art-26.11",
    "reporting of serious incidents": "eu-ai-act/art-73.",
    "telling people that they deal with an AI system": "eu-ai-act/art-50.1",
    "marking of generated content": "eu-ai-act/art-50.2",
    "conditions for special categories of personal data": "eu-ai-act/art-4a.1.",
    "technical documentation of a general-purpose model": "eu-ai-act/art-53.1.a",
    "copyright policy of a general-purpose model": "eu-ai-act/art-53.1.c",
    "public summary of its training content": "eu-ai-act/art-53.1.d",
    "duties for systemic risk": "eu-ai-act/art-55.",
    "quality management system by 21 CFR 820": "fda/qmsr/",
    "electronic records and signatures by 21 CFR 11": "fda/part11/",
    "reports of adverse events by 21 CFR 803": "fda/cfr-803",
    "cybersecurity by section 524B": "fda/524b/b.",
    "content of a 510(k)": "fda/cfr-807.87",
    "content of a De Novo request": "fda/cfr-860.220",
    "content of a PMA": "fda/cfr-814.20",
    "predetermined change control plan": "fda/pccp/",
    "source attributes of certified health IT": "onc/hti1/",
}
"""What people ask about first, and how the ids of the rows begin that decide it."""
MARKETS = {"eu-ai-act": "EU"}
"""Catalogs whose rows name no market, though their law does: Art. 2(1) of the AI Act looks to the Union market."""


GUIDANCE = ("guidance", "draft guidance")


@dataclass(frozen=True, slots=True)
class Consequence:
    """Whether one duty reaches the system."""

    duty: str
    reaches: bool | None
    """None where the profile leaves it open."""
    why: str
    """The answer that decides it, or that is missing; empty where it reaches."""
    requirements: tuple[str, ...]
    binds_from: str | None
    """First day on which a row of it binds, where that is still to come."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "duty": self.duty,
            "reaches": self.reaches,
            "why": self.why,
            "requirements": list(self.requirements),
            "binds_from": self.binds_from,
        }


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of a catalog reaches the system."""

    catalog: str
    title: str
    reaches: int
    open: int
    out: int
    voluntary: bool
    """Nothing in it is law or an authority's guidance: to choose it is the decision."""
    foreign: bool
    """It belongs to a market that the profile does not name."""

    @property
    def proposed(self) -> bool:
        return self.reaches > 0 and not self.voluntary and not self.foreign

    @property
    def hangs(self) -> bool:
        """Whether any of it reaches the system depends on answers that the profile does not give."""
        return self.reaches == 0 and self.open > 0 and not self.voluntary and not self.foreign


def consequences(profile: Mapping[str, Any], catalogs: Iterable[Catalog], on: str) -> list[Consequence]:
    """Return what the profile says of each duty that these catalogs hold."""
    rows = [row for catalog in catalogs for row in catalog.requirements]
    found = []
    for duty, prefix in DUTIES.items():
        mine = [row for row in rows if row.id.startswith(prefix)]
        if mine:
            found.append(_consequence(duty, mine, profile, on))
    return found


def fits(profile: Mapping[str, Any], catalogs: Iterable[Catalog], on: str) -> list[Fit]:
    """Return how far each catalog reaches the system."""
    markets = values_of(profile, "markets")
    found = []
    for catalog in catalogs:
        tally = Counter(reach(row, profile, on).applies for row in catalog.requirements)
        home = MARKETS.get(catalog.id)
        voluntary = not any(row.is_law or row.status.startswith(GUIDANCE) for row in catalog.requirements)
        foreign = home is not None and markets is not None and home not in markets
        found.append(Fit(catalog.id, catalog.title, tally[True], tally[None], tally[False], voluntary, foreign))
    return found


def _consequence(duty: str, rows: Sequence[Requirement], profile: Mapping[str, Any], on: str) -> Consequence:
    reached = [reach(row, profile, on) for row in rows]
    applying = [each for each in reached if each.applies]
    ids = tuple(row.id for row, each in zip(rows, reached, strict=True) if each.applies or not applying)
    if applying:
        later = [each.applies_from for each in applying if each.applies_from and not each.binding]
        binds = any(each.binding for each in applying)
        return Consequence(duty, True, "", ids, min(later) if later and not binds else None)
    if open_ := [row for row, each in zip(rows, reached, strict=True) if each.applies is None]:
        return Consequence(duty, None, _unsaid(open_[0], profile), tuple(row.id for row in open_), None)
    return Consequence(duty, False, _against(rows[0], profile), ids, None)


def _against(row: Requirement, profile: Mapping[str, Any]) -> str:
    """Word the answers that keep the row out."""
    told = []
    for key, wanted in row.applies_if.items():
        said = values_of(profile, key)
        if said is not None and not set(said) & set(wanted):
            told.append(f"{wording.KEYS[key]} {wording.either(said)}, not {wording.either(wanted)}")
    return "; ".join(told or wording.conditions(row.applies_unless))


def _unsaid(row: Requirement, profile: Mapping[str, Any]) -> str:
    asked = (*row.applies_if, *row.applies_unless)
    keys = [wording.KEYS[key] for key in asked if values_of(profile, key) is None]
    return f"the profile does not say: {', '.join(keys)}"
