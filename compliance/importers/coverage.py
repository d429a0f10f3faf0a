"""coverage.xml (Cobertura's layout, as coverage.py writes it): how much code the tests ran becomes a test report.

It tells what ran, not what held: no figure of a model is made of it. A file that names a document type, as older tools
wrote, is refused like all XML that does, and its original kept.
"""

from compliance.importers.base import Given, Importer, Reading, UnreadableError
from compliance.importers.markup import local
from compliance.importers.source import Source
from compliance.importers.values import count, number, utc, word

TOOL = "coverage.xml"


def _recognise(source: Source) -> bool:
    return source.xml is not None and local(source.xml) == "coverage" and "line-rate" in source.xml.attrib


def _read(source: Source, given: Given) -> Reading:
    root = source.xml
    assert root is not None
    covered, valid = count(root.get("lines-covered")), count(root.get("lines-valid"))
    rate = number(root.get("line-rate"))
    if rate is None:
        raise UnreadableError("The file states no share of lines.")
    told = {"Lines covered": covered, "Lines that could be": valid}
    statements = [{"statement": "Share of lines covered", "value": rate}]
    statements += [{"statement": name, "value": str(n)} for name, n in told.items() if n is not None]
    gaps = []
    if valid == 0:
        gaps.append("No line could be covered.")
    elif covered is not None and valid is not None and abs(covered / valid - float(rate)) > 0.001:
        gaps.append(f"{covered} of {valid} lines are covered, but the share is stated as {rate}.")
    files = sum(1 for one in root.iter() if local(one) == "class")
    if not files:
        gaps.append("No file is listed.")
    milliseconds = number(root.get("timestamp"))
    return Reading(
        records=[
            {
                "kind": "document",
                "document_type": "test-report",
                "title": f"{TOOL}: {covered if covered is not None else rate} of {valid or 1} lines covered",
                "statements": statements,
            }
        ],
        tool_version=word(root.get("version")),
        started_at=utc(float(milliseconds) / 1000) if milliseconds and float(milliseconds) > 1e11 else None,
        gaps=gaps,
        notes=[f"It lists {files} files, whose names stand in the original."],
    )


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"<coverage", b"line-rate="),))
