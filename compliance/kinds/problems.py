"""Wording what is wrong with a record, for the person who wrote it: where, what, and the nearest right name."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, NoReturn, Union, get_args, get_origin
from unicodedata import name as unicode_name

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from compliance.core.reading import Located, Path
from compliance.errors import InvalidInput, UnknownReference
from compliance.kinds.fields import UNKNOWN_REFERENCE

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: the field's path, what is wrong with it, and how to go on."""

    path: Path
    text: str
    remedy: str = ""
    unknown: bool = False
    """Whether it is a name that nothing on record answers to."""


_PATTERNS = {
    "[0-9a-f]{64}": "must be a SHA-256 digest: 64 lower-case hex digits",
    r"T\d{2}:": "must be a UTC time such as 2026-11-23T10:02:11Z",
    r"^\d{4}-": "must be a calendar date such as 2026-11-23",
    r"^-?\d+": "must be a number such as 0.947",
    "EV-": "must be an evidence number such as EV-000017",
    r"^0\.": "must be a level such as 0.95",
    "BEGIN PUBLIC KEY": "must be a public key in PEM form",
    "^[a-z][a-z0-9_]*$": "must be lower-case letters, digits and _, beginning with a letter",
    "^[a-z]{2,3}(": "must be a language tag such as en or zh-Hans",
    "(/[a-z0-9]": "must be an id in lower case with a slash, such as qms/release",
    "^[a-z0-9][a-z0-9-]*$": "must be lower-case letters, digits and -",
    "^(no|(yes|partly)": "must be no, or yes: or partly: followed by the criterion",
    r"(\[\])?": "must be the path of a field, such as dataset.role or hazards[].controls",
    r"^(\*|": "must be an attribute in lower case, or *",
    "^[A-Za-z0-9]": "must be letters, digits, dots, _ and -, beginning with a letter or digit",
}


def refuse(place: Located, problems: list[Problem]) -> NoReturn:
    """Raise one InvalidInput for all problems of a record, the first one first."""
    first, *rest = problems
    lines = [f"{_where(place, p)}: {_told(p)}" for p in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    error = UnknownReference if first.unknown else InvalidInput
    raise error(
        "\n".join(lines) + ("." if not rest and not lines[0].endswith("?") else ""),
        remedy=first.remedy or "Mend the record; nothing of it was logged.",
        field=_field(first.path).rstrip(" :"),
        file=place.name,
    )


def _told(problem: Problem) -> str:
    field = _field(problem.path)
    return f"{field.rstrip()}: {problem.text}" if problem.unknown else f"{field}{problem.text}"


def unknown_fields(authored: Mapping[str, Any], known: set[str], kind: str) -> list[Problem]:
    """Return a problem for each field of a record that its kind does not have."""
    return [
        Problem((str(name),), f"is no field of {kind}{_near(str(name), known)}")
        for name in authored
        if name not in known
    ]


def problems_in(error: ValidationError, model: type[BaseModel], most: int | None = None) -> list[Problem]:
    """Return pydantic's findings, or the first `most`, in our words; the branches of a union count once."""
    found: dict[Path, Problem] = {}
    for detail in islice(error.errors(include_url=False), most):
        path = _path(model, detail["loc"])
        found.setdefault(path, _worded(detail, path, model))
    return list(found.values())


def _worded(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> Problem:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            text = "is missing"
        case "extra_forbidden":
            parent = _model_at(model, path[:-1])
            names = set(parent.model_fields) if parent else set()
            text = f"is no field here{_near(str(path[-1]), names)}"
        case "value_error":
            text = str(context["error"])
        case "string_pattern_mismatch":
            pattern = str(context["pattern"])
            text = next((words for part, words in _PATTERNS.items() if part in pattern), f"does not match {pattern}")
            text += _look_alike(str(detail["input"]))
        case "literal_error" | "enum":
            text = f"must be {context['expected']}{_near(str(detail['input']), _options(str(context['expected'])))}"
        case "string_type":
            text = "must be text" if detail["input"] is not None else "is empty"
        case "tuple_type" | "list_type":
            text = "must be a list"
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            text = "must be a mapping of fields"
        case "int_type" | "int_from_float":
            text = "must be a whole number"
        case "string_too_short" | "too_short":
            text = "must not be empty"
        case kind if kind == UNKNOWN_REFERENCE:
            return Problem(path, str(context["problem"]).rstrip("."), str(context["remedy"]), unknown=True)
        case _:
            text = detail["msg"][:1].lower() + detail["msg"][1:]
    return Problem(path, text)


def _look_alike(text: str) -> str:
    """Name the first character that no pattern of ours holds: it may look like one that does."""
    other = next((character for character in text if not character.isascii()), None)
    return f"; it holds U+{ord(other):04X}, {unicode_name(other, 'a character without name').lower()}" if other else ""


def _near(name: str, known: set[str]) -> str:
    begun = sorted((word for word in known if len(word) > 2 and name.startswith(word)), key=len)  # training means train
    near = begun or get_close_matches(name, known, 1, cutoff=0.5)
    return f"; did you mean {near[-1]}?" if near else ""


def _options(expected: str) -> set[str]:
    return {part.strip("' ") for part in expected.replace(" or ", ", ").split(",")}


def _field(path: Path) -> str:
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"{shown} " if shown else "the record "


def _where(place: Located, problem: Problem) -> str:
    return place.at(problem.path) if place.line else place.name


def _path(model: type[BaseModel], loc: tuple[int | str, ...]) -> Path:
    """Drop what pydantic adds for itself: the name of a union's branch, `[key]` of a dictionary."""
    path: list[int | str] = []
    at: Any = model
    for part in loc:
        if isinstance(part, int):
            path.append(part)
            continue
        nested = next(nested_models(at), None)
        if nested and part in _names(nested):
            at = nested.model_fields[_names(nested)[part]].annotation
            path.append(part)
        elif get_origin(_bare(at)) in (dict, Mapping) or (nested and part not in _BRANCHES):
            path.append(part)
    return tuple(path)


_BRANCHES = {"str", "int", "bool", "float", "[key]"}


def _names(model: type[BaseModel]) -> dict[str, str]:
    """Map a model's field names and aliases to its field names."""
    return {key: name for name, info in model.model_fields.items() for key in (name, info.alias or name)}


def _bare(annotation: Any) -> Any:
    """Return X of `X | None`."""
    if get_origin(annotation) in (types.UnionType, Union):
        return next((a for a in get_args(annotation) if a is not type(None)), annotation)
    return annotation


def nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from nested_models(argument)


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    at: Any = model
    for part in path:
        nested = next(nested_models(at), None)
        if nested is None:
            return None
        if isinstance(part, str) and part in _names(nested):
            at = nested.model_fields[_names(nested)[part]].annotation
    return next(nested_models(at), None)
