"""JSON Schemas (2020-12) of whole statements, generated from the models; and a statement's check against both.

Written to `schemas/evidence/<kind>.schema.json` by `python -m compliance.kinds.schema FOLDER`; a test fails on drift.
No schema ever fetches another: the validator's retriever refuses.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, NoReturn

import jsonschema_rs
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from compliance.core.canonical import content_digest
from compliance.core.evidence import PREDICATES, STATEMENT_TYPE, Basis, Completeness, Subject, kind_of, predicate_type
from compliance.errors import InvalidInput
from compliance.kinds import content_model, kinds
from compliance.kinds.base import Predicate
from compliance.kinds.problems import nested_models, problems_in

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://w3id.org/compliance-tracker/schemas/evidence/"


class _Recorded(GenerateJsonSchema):
    """Schemas of what is recorded: a field without a value is absent, never null, and no default is implied."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema(kind: str, *, described: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a whole statement of `kind`; `described` adds the models' own words."""
    content = content_model(kind)
    definitions: dict[str, Any] = {}
    parts = {}
    models: tuple[type[BaseModel], ...] = (Subject, Predicate, content)
    for model in models:
        name = model.__name__
        part = model.model_json_schema(by_alias=True, schema_generator=_Recorded, ref_template="#/$defs/{model}")
        definitions |= part.pop("$defs", {})
        definitions[name] = parts[name] = part
    parts["Predicate"]["properties"]["content"] = {"$ref": f"#/$defs/{content.__name__}"}
    if described:
        for model in _all_models(models):
            _describe(definitions.get(model.__name__, {}), model)
    return {
        "$schema": DIALECT,
        "$id": f"{BASE}{kind}.schema.json",
        "title": f"Evidence of kind {kind}",
        "type": "object",
        "required": ["_type", "subject", "predicateType", "predicate"],
        "additionalProperties": False,
        "properties": {
            "_type": {"const": STATEMENT_TYPE},
            "subject": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Subject"}},
            "predicateType": {"const": predicate_type(kind)},
            "predicate": {"$ref": "#/$defs/Predicate"},
        },
        "$defs": dict(sorted(definitions.items())),
    }


def generate() -> dict[str, str]:
    """Return file name and text of every schema of ours, as they stand under `schemas/evidence/`."""
    return {
        f"{kind}.schema.json": json.dumps(schema(kind, described=True), indent=1, ensure_ascii=False) + "\n"
        for kind in kinds(plugins=False)
    }


def validate_statement(statement: dict[str, Any]) -> None:
    """Check a whole statement: its common part, its kind's model, its JSON Schema, its own digests.

    Raises InvalidInput. For what is about to be signed; what was signed is verified without this module.
    """
    kind = kind_of(str(statement.get("predicateType", "")))
    if kind is None:
        raise InvalidInput(
            f"{statement.get('predicateType')!r} is not one of our predicate types.",
            remedy=f"They begin with {PREDICATES}.",
        )
    content = content_model(kind)
    try:
        predicate = Predicate.model_validate(statement.get("predicate"))
        content.model_validate(predicate.content)
        subjects = [Subject.model_validate(subject) for subject in statement.get("subject", [])]
    except ValidationError as error:
        first = problems_in(error, content)[0]
        where = ".".join(str(part) for part in first.path)
        raise InvalidInput(f"{kind}: {where or 'the statement'} {first.text}.", remedy="Mend the record.") from error
    if (predicate.completeness is Completeness.COMPLETE) == (predicate.completeness_reason is not None):
        raise InvalidInput(
            f"{kind}: completeness_reason goes with incomplete or unreadable records, and only with them.",
            remedy="Say why.",
        )
    _check_own_digests(kind, subjects, predicate.content)
    for finding in _validator(kind).iter_errors(statement):
        where = "/".join(str(part) for part in finding.instance_path)
        raise InvalidInput(f"{kind}: {where or 'the statement'}: {finding.message}.", remedy="Mend the record.")


def _check_own_digests(kind: str, subjects: list[Subject], content: dict[str, Any]) -> None:
    """A digest over content or published identity can be taken again here, so it is."""
    if not subjects:
        raise InvalidInput(f"{kind}: is about nothing.", remedy="Name what it is about.")
    own = content_model(kind).own
    first = subjects[0]
    expected = {Basis.CONTENT: content, Basis.IDENTITY: content.get("identity")}.get(first.annotations.basis)
    if own == "none" or first.annotations.basis not in (Basis.CONTENT, Basis.IDENTITY):
        return
    if expected is None or content_digest(expected) != first.digest.sha256:
        raise InvalidInput(
            f"{kind}: the digest of {first.name} is not the one of its {first.annotations.basis.value}.",
            remedy="Let the tracker take the digest.",
        )


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(kind), retriever=refuse_retrieval)


def refuse_retrieval(uri: str) -> NoReturn:
    """Refuse any reference that leaves a schema: nothing is fetched, whatever a schema says."""
    raise ValueError(f"a schema may not refer to {uri}: nothing is fetched")


def _all_models(roots: Iterable[type[BaseModel]]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    queue = list(roots)
    while queue:
        model = queue.pop()
        if model not in found:
            found.add(model)
            queue += [m for info in model.model_fields.values() for m in nested_models(info.annotation)]
    return found


def _describe(target: dict[str, Any], model: type[BaseModel]) -> None:
    """Carry the docstrings of a model and of its fields into its schema."""
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or base is BaseModel:
            continue
        for name, text in _field_docs(base).items():
            field = model.model_fields.get(name)
            if field is not None and (entry := target.get("properties", {}).get(field.alias or name)) is not None:
                entry["description"] = text


@cache
def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(dedent(inspect.getsource(model))).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    docs = {}
    for this, following in pairwise(statements):
        said = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(this, ast.AnnAssign) and isinstance(this.target, ast.Name) and said:
            docs[this.target.id] = " ".join(str(following.value.value).split())  # type: ignore[attr-defined]
    return docs


def write(folder: Path) -> list[Path]:
    """Write every schema under `folder` and return the files that changed."""
    changed = []
    for name, text in generate().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for path in write(Path(sys.argv[1])):
        print(path)
