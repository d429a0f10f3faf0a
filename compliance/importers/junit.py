"""JUnit XML: a test run becomes a document, a test report with counts by suite; `--kind` makes figures of them.

What the tests were about no file says: with --kind evaluation or safety-result the share that passed is a figure, else
nothing but a report. An error, a skipped test, a suite whose counts are not those of its tests make it incomplete.
Messages and output may quote data and stay in the original.
"""

from typing import Any
from xml.etree.ElementTree import Element

from compliance.importers.base import Given, Importer, Reading
from compliance.importers.markup import local
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, inside, some, utc, word

TOOL = "JUnit XML"

_OUTCOMES = ("failure", "error", "skipped")
_NOT_RUN = ("notrun", "disabled", "skipped", "suppressed", "ignored")
"""What GoogleTest, CTest and others write as `status` or `result` of a test that has no element to say it."""
_AGAIN = ("flakyFailure", "flakyError")
"""Of a test that failed, was run again and passed (Maven Surefire)."""
_QUOTES = (*_OUTCOMES, "system-out", "system-err", "properties")
_MEASURED = ("evaluation", "safety-result")


def _recognise(source: Source) -> bool:
    root = source.xml
    if root is None or local(root) not in ("testsuites", "testsuite"):
        return False
    return local(root) == "testsuites" or any(local(inner) == "testcase" for inner in root) or "tests" in root.attrib


def _read(source: Source, given: Given) -> Reading:
    root = source.xml
    assert root is not None
    suites = [one for one in root.iter() if local(one) == "testsuite"]
    counted = [_counted(suite) for suite in suites if _cases(suite) or not _suites(suite)]
    gaps = [gap for suite in counted for gap in suite["gaps"]]
    total, passed = (sum(suite[name] for suite in counted) for name in ("tests", "passed"))
    if not total:
        gaps.append("No test ran.")
    name = word(root.get("name")) or ", ".join(dict.fromkeys(suite["name"] for suite in counted)) or "no suite"
    stamps = [stamp for suite in suites if (stamp := suite.get("timestamp"))]
    quotes = sum(1 for one in root.iter() if local(one) in _QUOTES)
    return Reading(
        records=[_record(name, counted, total, passed, given)],
        started_at=min(filter(None, map(utc, stamps)), default=None),
        clock=stamps[:1],
        gaps=gaps,
        withheld=f"{some(quotes, 'message')} and outputs of tests" if quotes else None,
    )


def _suites(suite: Element) -> list[Element]:
    return [inner for inner in suite if local(inner) == "testsuite"]


def _cases(suite: Element) -> list[Element]:
    return [inner for inner in suite if local(inner) == "testcase"]


def _counted(suite: Element) -> dict[str, Any]:
    """Count the tests of one suite by their outcome, and hold them against what it says of itself."""
    name = inside(word(suite.get("name")) or "unnamed suite")
    found = dict.fromkeys(_OUTCOMES, 0)
    tests = _cases(suite)
    for test in tests:
        outcome = next((one for one in _OUTCOMES if any(local(inner) == one for inner in test)), None)
        if outcome is None and {test.get("status"), test.get("result")} & {*_NOT_RUN}:
            outcome = "skipped"
        if outcome:
            found[outcome] += 1
    gaps = []
    if found["error"]:
        gaps.append(f"{name}: {found['error']} of {len(tests)} tests ended in an error.")
    if found["skipped"]:
        gaps.append(f"{name}: {found['skipped']} of {len(tests)} tests were skipped.")
    if again := sum(1 for test in tests if any(local(inner) in _AGAIN for inner in test)):
        gaps.append(f"{name}: {again} of {len(tests)} tests passed only when they were run again.")
    stated = {"tests": len(tests), "failures": found["failure"], "errors": found["error"]}
    for attribute, here in stated.items():
        says = count(suite.get(attribute))
        twice = found["error"] if attribute == "tests" else 0  # pytest counts a test again whose teardown failed
        if says is not None and not _suites(suite) and not here <= says <= here + twice:
            gaps.append(f"{name}: {says} {attribute} are stated and {here} listed.")
    left_out = sum(count(suite.get(name)) or 0 for name in ("skipped", "disabled"))
    if not _suites(suite) and left_out > found["skipped"]:
        gaps.append(f"{name}: {left_out} tests are stated as not run and {found['skipped']} listed.")
    return {"name": name, "tests": len(tests), "passed": len(tests) - sum(found.values()), **found, "gaps": gaps}


def _record(name: str, counted: list[dict[str, Any]], total: int, passed: int, given: Given) -> dict[str, Any]:
    title = f"{TOOL}: {name}, {passed} of {total} tests passed"
    if given.kind in _MEASURED and total:
        rows = Rows()
        rows.add("pass_rate", None, x=passed, n=total)
        if len(counted) > 1:
            for suite in counted:
                if suite["tests"]:
                    rows.add("pass_rate", None, group={"suite": suite["name"]}, x=suite["passed"], n=suite["tests"])
        return {"kind": given.kind, "title": title, "benchmark": {"name": name}, "metrics": rows.rows,
                "unit_of_analysis": "test", "gaps": rows.gaps}  # fmt: skip
    told = ("tests", "passed", "failure", "error", "skipped")
    statements = [
        {"statement": f"{suite['name']}: {what}", "where": suite["name"], "value": str(suite[what])}
        for suite in counted
        for what in told
    ]
    record = {"kind": "document", "document_type": "test-report", "title": title}
    return record | ({"statements": statements} if statements else {})


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"<testsuite", b"<testcase"),))
