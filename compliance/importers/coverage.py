"""Test coverage as Cobertura XML or coverage.py JSON: a document, a test report with counts of lines and branches.

Coverage tells which lines ran and nothing of whether a test passed. The counts of the whole are held against those of
the files; lines that were excluded are told. Names of folders stay in the original.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from compliance.importers.base import Given, Importer, Reading
from compliance.importers.markup import local
from compliance.importers.source import Source
from compliance.importers.values import count, mapping, utc, word

TOOL = "coverage"

_MILLISECONDS = 10**11
_TOLD = "Coverage says which lines ran, and nothing of whether a test passed."


def _recognise(source: Source) -> bool:
    if (root := source.xml) is not None:
        return local(root) == "coverage" and "line-rate" in root.attrib
    data = source.json
    return (
        isinstance(data, dict)
        and isinstance(data.get("totals"), dict)
        and "percent_covered" in data["totals"]
        and isinstance(data.get("meta"), dict)
    )


def _read(source: Source, given: Given) -> Reading:
    counts, gaps, version, when = _of_xml(source.xml) if source.xml is not None else _of_json(source.json)
    if not counts.get("lines"):
        gaps.append("No line was measured.")
    statements = [{"statement": name, "value": str(n)} for name, n in counts.items() if n is not None]
    lines, covered = counts.get("lines"), counts.get("lines covered")
    if lines is None or covered is None:
        gaps.append("The file does not say how many lines ran.")
    record = {
        "kind": "document",
        "document_type": "test-report",
        "title": f"{TOOL}: {covered} of {lines} lines ran",
        "statements": statements,
        "summary": _TOLD,
    }
    return Reading(records=[record], tool_version=version, started_at=utc(when), clock=(when,), gaps=gaps)


_Found = tuple[dict[str, int | None], list[str], str | None, Any]


def _of_xml(root: Element) -> _Found:
    counts = {
        f"{what}{which}": count(root.get(f"{what}-{attribute}"))
        for what in ("lines", "branches")
        for which, attribute in (("", "valid"), (" covered", "covered"))
    }
    seen, ran = 0, 0
    for one in _lines(root):
        seen, ran = seen + 1, ran + bool(count(one.get("hits")))
    gaps = []
    for name, here in (("lines", seen), ("lines covered", ran)):
        if counts[name] is None:
            counts[name] = here
        elif counts[name] != here:
            gaps.append(f"{counts[name]} {name} are stated and {here} listed.")
    stamp = count(root.get("timestamp"))
    seconds = None if stamp is None else Decimal(stamp) / 1000 if stamp > _MILLISECONDS else Decimal(stamp)
    return counts, gaps, word(root.get("version")), seconds


def _lines(root: Element) -> Iterator[Element]:
    """Yield the lines of each class once: methods repeat them."""
    for one in root.iter():
        if local(one) == "class":
            for lines in one:
                if local(lines) == "lines":
                    yield from (line for line in lines if local(line) == "line")


def _of_json(data: Mapping[str, Any]) -> _Found:
    meta, totals = mapping(data["meta"], "meta"), mapping(data["totals"], "totals")
    names = {
        "lines": "num_statements",
        "lines covered": "covered_lines",
        "lines excluded": "excluded_lines",
        "branches": "num_branches",
        "branches covered": "covered_branches",
    }
    counts = {ours: count(totals.get(name)) for ours, name in names.items()}
    files = [mapping(one, name) for name, one in mapping(data.get("files") or {}, "files").items()]
    gaps = []
    for ours in ("lines", "lines covered"):
        here = sum(count(mapping(one["summary"], "a summary").get(names[ours])) or 0 for one in files)
        if files and counts[ours] != here:
            gaps.append(f"{counts[ours]} {ours} are stated and {here} listed.")
    return counts, gaps, word(meta.get("version")), meta.get("timestamp")


_MARKS = ((b"<coverage", b"line-rate="), (b'"percent_covered"', b'"executed_lines"'))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
