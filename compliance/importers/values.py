"""Values of other tools' files as records take them: figures in their digits, times in UTC, names in our letters.

What a value is not is said, never guessed: NaN and infinity are no figure, a time without a zone is no UTC time.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from compliance.core.evidence import utc_text

_DECIMALS = 30
_LARGEST = 30
"""Digits before and after the point that a record takes; what lies beyond the thirtieth decimal is rounded off."""
_SIGNIFICANT = 15
"""Digits of a binary float that mean something; the sixteenth and seventeenth are its noise."""
_NOISE = Fraction(1, 10**12)
_DIGITS = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_CUT = "…"


def number(value: Any) -> str | None:
    """Return a figure as decimal text in its source's digits; None for what is no finite figure (NaN, `N/A`, true)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if not _DIGITS.fullmatch(value):
            return None
    try:
        found = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        return None
    if not found.is_finite() or found.adjusted() > _LARGEST:
        return None
    if found.adjusted() < -_DECIMALS:
        return "0"
    if len(found.as_tuple().digits) > _SIGNIFICANT:
        found = Context(prec=_SIGNIFICANT).plus(found)
    if found.adjusted() - len(found.as_tuple().digits) < -_DECIMALS:
        found = round(found, _DECIMALS)
    text = f"{found:f}"
    return text if len(text) <= 40 else None


def count(value: Any) -> int | None:
    """Return a whole number of cases from 0; None for anything else, `2.5` and `true` among it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value) if len(value) < 16 else None
    if isinstance(value, Decimal | float) and 0 <= value < 2**53 and value == int(value):
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**53 else None


def cases(value: Any, n: int | None) -> int | None:
    """Return how many of `n` cases a share stands for, where it is that of a whole number of them.

    For shares of cases that are right or wrong, from tools that write figures unrounded, and only for these.
    """
    text = number(value)
    if text is None or not n:
        return None
    x = round(Fraction(text) * n)
    return x if 0 <= x <= n and abs(Fraction(text) - Fraction(x, n)) < _NOISE else None


def utc(value: Any) -> str | None:
    """Return a moment as `UtcTime`: ISO 8601 with a zone, or seconds since 1970; None for anything else."""
    try:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return utc_text(datetime.fromtimestamp(float(value), UTC))
        if isinstance(value, str):
            if re.fullmatch(r"\d{9,11}(\.\d+)?", value):
                return utc_text(datetime.fromtimestamp(float(value), UTC))
            return utc_text(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError, OSError):
        return None
    return None


def some(n: int, noun: str) -> str:
    """Return a count with its noun: `1 sample`, `3 samples`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def clip(text: str, length: int) -> str:
    """Return a text cut to a length, marked where it was cut."""
    return text if len(text) <= length else text[: length - len(_CUT)] + _CUT


def word(value: Any) -> str | None:
    """Return a value as a short text, or None where there is none."""
    if value is None or isinstance(value, Mapping | list):
        return None
    return clip(" ".join(str(value).split()), 200) or None


def label(text: str) -> str:
    """Return a name that programs compare: `Age band` is age_band."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:58]
    return plain if plain[:1].isalpha() else f"m_{plain}"


def inside(uri: str) -> str:
    """Return a file's place in its repository; where a machine's own folder is named, the file alone."""
    plain = uri.replace("\\", "/")
    return plain.rpartition("/")[2] if plain.startswith(("/", "file:")) or plain[1:3] == ":/" else uri


def slug(text: str) -> str:
    """Return a name as subjects have it: letters, digits, and . _ - between them."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100] or "unnamed"


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return a value that must be a mapping. Raises TypeError, naming it."""
    if not isinstance(value, dict):
        raise TypeError(f"{what} is no mapping")
    return value


def listing(value: Any, what: str) -> list[Any]:
    """Return a value that must be a list. Raises TypeError, naming it."""
    if not isinstance(value, list):
        raise TypeError(f"{what} is no list")
    return value


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
