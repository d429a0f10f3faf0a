"""From answers to a profile: what `init` is told by flags or at the prompt, checked as compliance.toml will be."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from compliance.core.consequences import Consequence, Fit, consequences, fits
from compliance.core.system import Profile
from compliance.errors import InvalidInput
from compliance.kinds.problems import problems_in
from compliance.services import catalogs

LISTS = ("roles", "high_risk", "markets", "features")
NONE = "none"
"""What says that a list is empty, which is an answer; leaving it out is none."""
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def profile(answers: Mapping[str, Any]) -> Profile:
    """Return the profile of dotted keys and their answers. Raises InvalidInput for a key or answer that is none."""
    nested: dict[str, Any] = {}
    for key, value in answers.items():
        part, _, rest = key.partition(".")
        if rest:
            nested.setdefault(part, {})[rest] = value
        else:
            nested[part] = value
    try:
        return Profile.model_validate(nested)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, p.path)) or 'the profile'} {p.text}" for p in problems_in(error, Profile)]
        raise InvalidInput(
            f"[profile]: {'; '.join(lines)}.",
            remedy="docs/reference/generated/configuration lists the keys of [profile] and what each may say.",
        ) from error


def answer(text: str) -> tuple[str, Any]:
    """Read KEY=VALUE: yes and no as such, a list by commas. Raises InvalidInput where there is no `=`."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidInput(f"{text!r} is no answer.", remedy="Write it as KEY=VALUE, for example us.pccp=yes.")
    if key in LISTS:
        return key, listed(value.split(","))
    return key, _WORDS.get(value, value)


def listed(values: Sequence[str]) -> list[str]:
    """Return the words of a list; `none` alone is the empty list."""
    words = [value.strip() for value in values if value.strip()]
    return [] if words == [NONE] else words


def follows(given: Profile, names: Sequence[str]) -> list[Consequence]:
    """Return what the profile means for the duties that these catalogs hold."""
    found = catalogs.load_all(name for name in names if name in catalogs.ids())
    return consequences(_plain(given), found, _today())


def fitting(given: Profile) -> list[Fit]:
    """Return how far each catalog at hand reaches a system of this profile."""
    return fits(_plain(given), catalogs.available(), _today())


def _plain(given: Profile) -> dict[str, Any]:
    return given.model_dump(mode="json", exclude_none=True, by_alias=True)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
