"""CHAI Applied Model Card: an XML card becomes a document of type model card, with what it states and declares.

The figures are the provider's claims, to be held against results on record: no result themselves. Cards of v0.2 hold
figures with intervals; v0.1 puts them into prose, from which none is taken.
"""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from compliance.core.reading import read_foreign
from compliance.errors import InvalidInput
from compliance.importers.base import Given, Importer, Reading, UnreadableError
from compliance.importers.markup import child, local, namespace, text
from compliance.importers.metrics import named, per_cent
from compliance.importers.source import Source
from compliance.importers.values import clip, label, mapping, number, present, slug, word
from compliance.kinds.metrics import KNOWN

TOOL = "CHAI Applied Model Card"

_NAMESPACE = "mc.chai.org"


def _recognise(source: Source) -> bool:
    root = source.xml
    return root is not None and local(root) == "AppliedModelCard" and _NAMESPACE in namespace(root)


def _read(source: Source, given: Given) -> Reading:
    root = source.xml
    assert root is not None
    name = word(text(child(root, "BasicInfo", "ModelName")))
    if name is None:
        raise UnreadableError("The card does not name a model.")
    version = word(text(child(root, "ReleaseInfo", "ReleaseVersion")))
    schema = namespace(root).removesuffix("/schema.xsd").rpartition("/")[2]
    gaps: list[str] = []
    results = list(_results(child(root, "KeyMetrics"), gaps))
    statements = [{"statement": clip(told, 20_000), "where": word(where)} for where, told in _leaves(root, "")]
    statements += [
        present(
            {"statement": clip(one["label"], 2000), "where": one["where"], "value": one["value"], "unit": one["unit"]}
        )
        for one in results
    ]
    figures = [figure for one in results if (figure := _figure(one))]
    record = {
        "kind": "document",
        "document_type": "model-card",
        "title": f"Applied Model Card: {name}{f' {version}' if version else ''}",
        **present(
            {
                "publisher": word(text(child(root, "BasicInfo", "ModelDeveloper"))),
                "revision": version,
                "identifiers": present({"model": slug(name), "version": version}),
                "statements": [one for one in statements if one.get("statement")],
                "figures": _once(figures),
            }
        ),
        "status": "published",
    }
    prose = "" if results else "It holds no figure as such; what stands in its prose was not taken over."
    return Reading(records=[record], tool_version=schema, model=name, gaps=gaps, notes=[prose] if prose else [])


def _leaves(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a card with where they stand; figures are read apart."""
    for inner in element:
        where = f"{path}/{local(inner)}".lstrip("/")
        if local(inner) == "MetricResult":
            continue
        if len(inner):
            yield from _leaves(inner, where)
        elif told := text(inner):
            yield where, told


def _results(metrics: Element | None, gaps: list[str]) -> Iterator[dict[str, Any]]:
    for part in metrics if metrics is not None else ():
        for result in part.iter():
            if local(result) != "MetricResult":
                continue
            name = text(child(result, "Label")) or "unnamed"
            told = text(child(result, "ValueJson"))
            try:
                value = mapping(read_foreign((told or "").encode(), "ValueJson"), "ValueJson")
            except (InvalidInput, TypeError):
                gaps.append(f"The figure {name} cannot be read.")
                continue
            digits = number(value.get("estimate", value.get("value")))
            if digits is None:
                gaps.append(f"The figure {name} is no number.")
                continue
            yield {
                "label": name,
                "where": f"KeyMetrics/{local(part)}",
                "value": digits,
                "unit": word(value.get("unit")),
                "low": number(value.get("lower")),
                "high": number(value.get("upper")),
            }


def _figure(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return a figure that evaluations have under the same name; per cent as a share of one."""
    found = named(label(result["label"]))
    if found is None or found["name"] not in KNOWN:
        return None
    values = {"value": result["value"], "ci_low": result["low"], "ci_high": result["high"]}
    if result["unit"] in ("%", "percent"):
        values = {key: per_cent(value) for key, value in values.items()}
    elif result["unit"]:
        return None
    if (values["ci_low"] is None) != (values["ci_high"] is None):
        values |= {"ci_low": None, "ci_high": None}
    return {"name": found["name"], **present(values)}


def _once(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures whose name stands once: of two, nobody can say which is meant."""
    names = [figure["name"] for figure in figures]
    return [figure for figure in figures if names.count(figure["name"]) == 1]


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"AppliedModelCard", b"mc.chai.org"),))
