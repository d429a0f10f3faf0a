"""Whether a requirement reaches this system, and from which day: profile and dates in, an answer out.

A profile key that is left out is neither yes nor no. A date never makes a row inapplicable: it only
says whether the row binds already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.core.catalog import Requirement


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one requirement reaches."""

    applies: bool | None
    """None where the profile does not say."""
    reason: str
    """Why not, or what the profile leaves open; empty where it applies."""
    applies_from: str | None
    binding: bool


GPAI_PROVIDER = "gpai-provider"
NONE = "none"
"""What an empty list in the profile says: `high_risk = []` is an answer, no key at all is not."""


def reach(requirement: Requirement, profile: Mapping[str, Any], on: str) -> Reach:
    """Return whether `requirement` applies under the signed profile, and whether it binds on the day `on`."""
    applies_from = _first_day(requirement, profile)
    applies, reason = _applies(requirement, profile)
    binding = requirement.is_law and (applies_from is None or applies_from <= on)
    return Reach(applies, reason, applies_from, binding)


def _applies(requirement: Requirement, profile: Mapping[str, Any]) -> tuple[bool | None, str]:
    unsaid = []
    for key, wanted in requirement.applies_if.items():
        said = values_of(profile, key)
        if said is None:
            unsaid.append(key)
        elif not set(said) & set(wanted):
            return False, f"It reaches systems with {key} {_any_of(wanted)}; the signed profile says {_any_of(said)}."
    if unsaid:
        return None, f"The signed profile does not say {' or '.join(unsaid)}, which decides whether this row applies."
    return _unless(requirement, profile)


def _unless(requirement: Requirement, profile: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Say whether an exemption frees the system; one that hangs on what nobody said leaves the row open."""
    answers = {key: values_of(profile, key) for key in requirement.applies_unless}
    if any(said is not None and not set(said) & set(requirement.applies_unless[key]) for key, said in answers.items()):
        return True, ""
    if unsaid := [key for key, said in answers.items() if said is None]:
        return None, f"The signed profile does not say {' or '.join(unsaid)}, which may free from this row."
    if not answers:
        return True, ""
    told = " and ".join(f"{key} {_any_of(said or [])}" for key, said in answers.items())
    return False, f"It does not reach systems with {told}, as the signed profile says."


def values_of(profile: Mapping[str, Any], key: str) -> list[Any] | None:
    """Return what the profile says under a dotted key, as a list; None where it says nothing."""
    value: Any = profile
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            return None
    if isinstance(value, list | tuple):
        return list(value) or [NONE]
    return [value]


def _any_of(values: "list[Any] | tuple[Any, ...]") -> str:
    return " or ".join("yes" if value is True else "no" if value is False else str(value) for value in values)


def _first_day(requirement: Requirement, profile: Mapping[str, Any]) -> str | None:
    """Return the day from which the row binds this system: the earliest of its classes.

    Which date governs a system that is high-risk by both routes is not said in the Act: the earlier is
    the prudent reading. Where the profile does not say its class, the earliest date of the row is shown.
    """
    dates = requirement.applies_from
    classes = values_of(profile, "high_risk")
    mine = [day for exposure, day in dates.items() if classes and exposure in classes]
    if "gpai" in dates and GPAI_PROVIDER in (values_of(profile, "roles") or []):
        mine.append(dates["gpai"])
    if "any" in dates:
        mine.append(dates["any"])
    return min(mine or dates.values(), default=None)
