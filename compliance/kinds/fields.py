"""What fields of all kinds are made of: text, numbers in their source's digits, and references.

A record may name things shortly (`clinical-risk@2`, `EV-000017`); the resolver that validation carries in its
context turns that into a reference with a digest. What it cannot resolve is refused, never kept as a bare name.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from compliance.core.evidence import DecimalText, EvidenceNumber, Proportion, Sha256, Strict, Subject, visible
from compliance.errors import InvalidInput

MAX_INTEGER = 2**53 - 1
UNKNOWN_REFERENCE = "unknown_reference"


class Resolver(Protocol):
    """What is on record, as far as a new record may refer to it. Raises UnknownReference."""

    def thing(self, name_version: str) -> Subject:
        """Return the subject behind NAME@VERSION, or behind the newest version of NAME."""

    def role(self, sha256: str) -> str:
        """Return the role on record of a dataset."""

    def record(self, number_or_digest: str) -> tuple[str, str]:
        """Return number and envelope digest of a record."""


def _as_text(value: Any) -> Any:
    """Let `version: 1` be the text "1": plain integers are the one thing that a reader resolves too eagerly."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_digits(value: Any) -> Any:
    """Take a number from Python code as the shortest digits that mean it; refuse NaN and infinity."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("is not a finite number")
        return f"{Decimal(repr(value)):f}"
    return _as_text(value)


def _level(text: str) -> str:
    if Decimal(text) < Decimal("0.5"):
        raise ValueError("is less than 0.5: such an interval misses the truth more often than not")
    return text


Text = Annotated[
    str, BeforeValidator(_as_text), StringConstraints(min_length=1, max_length=20_000), AfterValidator(visible)
]
Word = Annotated[
    str, BeforeValidator(_as_text), StringConstraints(min_length=1, max_length=200), AfterValidator(visible)
]
Number = Annotated[DecimalText, BeforeValidator(_as_digits)]
"""A measured number as a decimal string, in the digits of its source."""
Share = Annotated[Proportion, BeforeValidator(_as_digits)]
"""A decimal string in 0..1, never per cent."""
Level = Annotated[Share, StringConstraints(pattern=r"^0\.\d+$"), AfterValidator(_level)]
"""A confidence level such as `0.95`."""
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER, strict=True)]
Positive = Annotated[int, Field(ge=1, le=MAX_INTEGER, strict=True)]
Rank = Annotated[int, Field(ge=1, le=10, strict=True)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name that programs compare: `roc_auc`, `age_band`."""
Group = dict[Label, Word]
"""Which part of the cases: `{sex: F}`, `{sex: F, age_band: 60-69}`."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 tag: `en`, `zh-Hans`."""


def listed(content: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """Return the items of a list in content that was not validated yet; what is no item is told by its own model."""
    items = content.get(field)
    return [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []


def counted(content: Mapping[str, Any], tells: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return content with counts of what it lists; a count of one's own that differs is refused."""
    for field, count in counts.items():
        if content.get(field) not in (None, count):
            raise ValueError(f"{field} is given as {content[field]}, but {tells} {count}")
    return {**content, **counts}


def resolve(info: ValidationInfo, look_up: Callable[[Resolver], dict[str, Any]]) -> dict[str, Any]:
    """Ask the resolver that validation was given, and word its refusal as this field's problem."""
    resolver: Resolver | None = (info.context or {}).get("resolver")
    if resolver is None:
        raise ValueError("must be a reference with name and sha256")
    try:
        return look_up(resolver)
    except InvalidInput as error:
        raise PydanticCustomError(
            UNKNOWN_REFERENCE, "{problem}", {"problem": error.problem, "remedy": error.remedy}
        ) from error


def _agree(given: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Take a reference written in full only where the record says the same."""
    if isinstance(given, dict) and given.get("sha256", found["sha256"]) != found["sha256"]:
        raise ValueError(f"names {given.get('name')} with a digest that is not the one on record")
    return found


def _reference(key: str, look_up: Callable[[Resolver, str], dict[str, Any]]) -> BeforeValidator:
    def validate(value: Any, info: ValidationInfo) -> Any:
        name = value if isinstance(value, str) else value.get(key) if isinstance(value, dict) else None
        if not isinstance(name, str) or (isinstance(value, dict) and "resolver" not in (info.context or {})):
            return value
        return _agree(value, resolve(info, lambda resolver: look_up(resolver, name)))

    return BeforeValidator(validate)


def _thing(resolver: Resolver, name: str) -> dict[str, Any]:
    subject = resolver.thing(name)
    return {"name": subject.name, "sha256": subject.digest.sha256}


def _dataset(resolver: Resolver, name: str) -> dict[str, Any]:
    thing = _thing(resolver, name)
    return {**thing, "role": resolver.role(thing["sha256"])}


def _record(resolver: Resolver, name: str) -> dict[str, Any]:
    number, sha256 = resolver.record(name)
    return {"name": number, "sha256": sha256}


class Reference(Strict):
    """A thing on record, by name and subject digest."""

    name: Word
    sha256: Sha256


class DatasetReference(Reference):
    """A dataset on record, with the role it had there when this was written."""

    role: Word


class RecordReference(Strict):
    """A piece of evidence, by number and envelope digest."""

    name: EvidenceNumber
    sha256: Sha256


Thing = Annotated[Reference, _reference("name", _thing)]
"""Authored as `NAME@VERSION`."""
Dataset = Annotated[DatasetReference, _reference("name", _dataset)]
"""Authored as `NAME@VERSION`; its role is the one on record."""
Record = Annotated[RecordReference, _reference("name", _record)]
"""Authored as `EV-000017`."""
