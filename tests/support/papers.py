"""Records that say nothing: every kind filled in from its JSON Schema, with `x` wherever there is text."""

from collections.abc import Iterator, Mapping
from typing import Any

from support.cases import Json

DAY, MOMENT = "2026-11-20", "2026-11-20T10:00:00Z"


class Paper:
    """Fills in one kind's content: all fields, the n-th of the values that a field may have, and `x` for text."""

    def __init__(self, schema: Mapping[str, Any], turn: int, model: Json, data: Json) -> None:
        self._definitions, self._turn, self._model, self._data = schema["$defs"], turn, model, data

    def content(self, kind: str) -> Json:
        name = self._definitions["Predicate"]["properties"]["content"]["$ref"].rsplit("/", 1)[1]
        content: Json = self._fill(self._definitions[name], name, 0)
        if "model" in content and kind != "acceptance-plan":
            content["model"] = dict(self._model)
        if "dataset" in content:
            content["dataset"] = dict(self._data)
        return content

    def _fill(self, schema: Mapping[str, Any], field: str, depth: int) -> Any:
        if "$ref" in schema:
            return self._fill(self._definitions[schema["$ref"].rsplit("/", 1)[1]], field, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self._turn % len(schema["enum"])]
        if "anyOf" in schema:
            return self._fill(schema["anyOf"][self._turn % len(schema["anyOf"])], field, depth)
        if schema.get("type") == "object":
            return self._object(schema, depth)
        if schema.get("type") == "array":
            return [self._fill(schema["items"], field, depth + 1)] if "items" in schema and depth < 8 else []
        return self._scalar(schema, field)

    def _object(self, schema: Mapping[str, Any], depth: int) -> Json:
        if "properties" not in schema:
            return {"x": "x"}
        return {name: self._fill(inner, name, depth + 1) for name, inner in schema["properties"].items() if depth < 8}

    def _scalar(self, schema: Mapping[str, Any], field: str) -> Any:
        pattern, kind = schema.get("pattern", ""), schema.get("type")
        if kind == "boolean":
            return self._turn % 2 == 0
        if kind in ("integer", "number"):
            return schema.get("minimum", 0)
        if "T" in pattern:
            return MOMENT
        if pattern.startswith(r"^\d{4}"):
            return DAY
        if "0-9a-f" in pattern:
            return "0" * 64
        if r"\d" in pattern:
            return "0"
        return "x"


def papers(schemas: Mapping[str, Mapping[str, Any]], model: Json, data: Json, turns: int) -> Iterator[tuple[str, Json]]:
    """Yield kind and content of one record per kind and turn, so that every value of every list of words occurs."""
    for kind, schema in schemas.items():
        for turn in range(turns):
            yield kind, Paper(schema, turn, model, data).content(kind)
