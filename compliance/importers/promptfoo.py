"""promptfoo: an `eval` becomes one evaluation, a red-team run one safety result, rows by provider and prompt.

An error of the provider is no failure of the model, and a test that asserts nothing is no pass of it: both are left
out of the figures and make the record incomplete, as do tests that a filter left out. Prompts may hold what identifies
somebody, so a row names them by position. Files of version 2, which older versions wrote, have no reason of failure:
there an ungraded test is an error. A JSON Lines file holds the tests alone: `--cases` says how many there should be.
The YAML, whose aliases are never expanded, and the XML, which need not be well-formed, say less than the JSON that
stands beside them: it is asked for.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, NotSaidError, Reading, no_result, of_all, unaccounted
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, label, listing, mapping, present, utc, word

TOOL = "promptfoo"

_TEST = {"success", "testCase", "promptIdx"}
_ERROR = 2
"""A test's `failureReason` where the provider failed."""
_NO_ASSERTIONS = "No assertions"
"""The reason of a pass where there was nothing to fail."""
_BY_MODEL = (
    "llm-rubric", "model-graded", "factuality", "answer-relevance", "context-", "g-eval", "select-best",
    "search-rubric", "moderation", "agent-rubric", "conversation-relevance", "pi", "promptfoo:redteam",
)  # fmt: skip
"""Beginnings of the assertions that a model judges."""


def _recognise(source: Source) -> bool:
    results = source.json.get("results") if isinstance(source.json, dict) else None
    if isinstance(results, dict) and isinstance(results.get("stats"), dict) and "results" in results:
        return {"successes", "failures"} <= results["stats"].keys() and "version" in results
    lines = source.lines
    return lines is not None and all(isinstance(one, dict) and one.keys() >= _TEST for one in lines.values)


def _read(source: Source, given: Given) -> Reading:
    data = source.json
    if data is None or "results" not in data:
        lines = source.lines
        assert lines is not None
        gaps = [f"The file is cut off: {lines.broken}."] if lines.broken else []
        gaps += [unaccounted(len(lines.values))] if given.cases is None else []
        tests = [mapping(one, "a test") for one in lines.values]
        return _reading(tests, {"config": {"description": f"tests, {of_all(len(tests), given)}"}}, {}, gaps)
    results = mapping(data["results"], "results")
    tests = [mapping(one, "a test") for one in listing(results["results"], "results.results")]
    return _reading(tests, data, results, list(_gaps(data, results, tests)))


def _gaps(data: Mapping[str, Any], results: Mapping[str, Any], tests: list[dict[str, Any]]) -> Iterator[str]:
    stats = mapping(results["stats"], "stats")
    stated = [count(stats.get(name, 0)) for name in ("successes", "failures", "errors")]
    if None in stated:
        yield "The file does not say how many tests passed, failed and ended in an error."
    elif sum(one or 0 for one in stated) != len(tests):
        yield f"The file counts {sum(one or 0 for one in stated)} tests and holds {len(tests)}."
    elif stated[0] != sum(1 for one in tests if one["success"] is True):
        yield f"The file counts {stated[0]} successes, and its tests give another number."
    config = mapping(data.get("config") or {}, "config")
    asked, run = config.get("tests"), {one.get("testIdx") for one in tests}
    if "scenarios" not in config and isinstance(asked, list) and None not in run and 0 < len(run) < len(asked):
        yield f"{len(asked)} tests are configured and {len(run)} were run."


def _reading(
    tests: list[dict[str, Any]], data: Mapping[str, Any], results: Mapping[str, Any], gaps: list[str]
) -> Reading:
    told = mapping(data.get("metadata") or {}, "metadata")
    errors = sum(1 for one in tests if _failed_to_run(one))
    if errors:
        gaps.append(f"{errors} of {len(tests)} tests ended in an error, which is no failure and no pass.")
    if idle := sum(1 for one in tests if _asserts_nothing(one)):
        gaps.append(f"{idle} of {len(tests)} tests assert nothing, which is no pass.")
    providers = list(dict.fromkeys(_provider(one) for one in tests))
    return Reading(
        records=[_record(tests, mapping(data.get("config") or {}, "config"))],
        tool_version=word(told.get("promptfooVersion")),
        started_at=utc(told.get("evaluationCreatedAt")) or utc(results.get("timestamp")),
        model=", ".join(providers) or None,
        gaps=gaps,
        cases=len(tests),
        withheld=f"{len(tests)} tests with prompts and answers" if tests else None,
        notes=[f"The file holds {len(providers)} providers; each has rows of its own."] if len(providers) > 1 else [],
    )


def _failed_to_run(test: Mapping[str, Any]) -> bool:
    if "failureReason" in test:
        return bool(test["failureReason"] == _ERROR)
    return test["success"] is not True and not test.get("gradingResult")


def _asserts_nothing(test: Mapping[str, Any]) -> bool:
    """Say whether a test passed because nothing was asked of the answer."""
    told = test.get("gradingResult")
    return isinstance(told, dict) and told.get("reason") == _NO_ASSERTIONS


def _provider(test: Mapping[str, Any]) -> str:
    told = test.get("provider")
    if isinstance(told, dict):
        told = told.get("label") or told.get("id")
    return word(told) or "not stated"


def _record(tests: list[dict[str, Any]], config: Mapping[str, Any]) -> dict[str, Any]:
    judged = [one for one in tests if not _failed_to_run(one) and not _asserts_nothing(one)]
    title = word(config.get("description")) or "tests"
    if not judged:
        return no_result(TOOL, title, "No test was judged.")
    attacked = [one for one in judged if _plugin(one)]
    rows = _attacks(attacked) if attacked else _passes(judged)
    assertions = Counter(kind for one in judged for kind, _, _ in _components(one))
    by_model = sorted(kind for kind in assertions if kind.startswith(_BY_MODEL))
    record: dict[str, Any] = {
        "title": f"{TOOL}: {title}",
        "benchmark": {"name": title, "items": len({str(one.get("testIdx")) for one in tests})},
        "unit_of_analysis": "test",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "method": "Assertions: " + (", ".join(f"{kind} ({n})" for kind, n in sorted(assertions.items())) or "none"),
    }
    if not attacked:
        return record | {"kind": "evaluation", "setting": "benchmark"}
    if len(attacked) < len(judged):
        record["gaps"] = [*rows.gaps, f"{len(judged) - len(attacked)} tests of no attack are not in the figures."]
    plugins = sorted({str(_plugin(one)) for one in attacked})
    judge = {"kind": "model" if by_model else "rule", "name": ", ".join(by_model)[:200] or "assertions"}
    attacks = [{"name": name, "source": TOOL} for name in plugins]
    return record | {"kind": "safety-result", "category": "adversarial", "judge": judge, "attacks": attacks}


def _plugin(test: Mapping[str, Any]) -> str | None:
    """Return which red-team plugin wrote the test."""
    told = mapping(test.get("testCase") or {}, "testCase").get("metadata")
    return word(told.get("pluginId")) if isinstance(told, dict) else None


def _components(test: Mapping[str, Any]) -> Iterator[tuple[str, str | None, bool]]:
    """Yield kind, named metric and outcome of each assertion of a test."""
    graded = mapping(test.get("gradingResult") or {}, "gradingResult")
    for one in listing(graded.get("componentResults") or [], "componentResults"):
        assertion = one.get("assertion")
        if isinstance(assertion, dict):
            yield str(assertion.get("type")), word(assertion.get("metric")), one["pass"] is True


def _passes(tests: list[dict[str, Any]]) -> Rows:
    counts: dict[tuple[tuple[str, str], ...], list[bool]] = {}
    several = len({_asked(one) for one in tests}) > 1
    for test in tests:
        asked = _asked(test) if several else ()
        counts.setdefault(asked, []).append(test["success"] is True)
        for _, metric, passed in _components(test):
            if metric:
                counts.setdefault((*asked, ("assertion", label(metric))), []).append(passed)
    return _shares("pass_rate", counts)


def _attacks(tests: list[dict[str, Any]]) -> Rows:
    """Count attacks that succeeded: in a red-team run a test passes where the model held."""
    counts: dict[tuple[tuple[str, str], ...], list[bool]] = {}
    several = len({_asked(one) for one in tests}) > 1
    for test in tests:
        asked = _asked(test) if several else ()
        for group in (asked, (*asked, ("plugin", str(_plugin(test))))):
            counts.setdefault(group, []).append(test["success"] is not True)
    return _shares("attack_success_rate", counts)


def _asked(test: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    position = count(test.get("promptIdx"))
    prompt = () if position is None else (("prompt", str(position + 1)),)
    return (("provider", _provider(test)), *prompt)


def _shares(name: str, counts: Mapping[tuple[tuple[str, str], ...], list[bool]]) -> Rows:
    rows = Rows()
    for group, found in counts.items():
        rows.add(name, None, **present({"group": dict(group)}), x=sum(found), n=len(found))
    return rows


def _recognise_page(source: Source) -> bool:
    return source.holds(b"evalId:", b"promptfooVersion:") or source.holds(b"<promptfoo>", b"<evalId>")


def _read_page(source: Source, given: Given) -> Reading:
    raise NotSaidError(
        "This is promptfoo's YAML or XML, which says less than its JSON.",
        remedy="Name the JSON instead: `promptfoo export eval ID --output results.json` writes it.",
    )


_MARKS = ((b'"evalId"', b'"promptIdx"'), (b'"gradingResult"', b'"promptIdx"'))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
PAGE = Importer(TOOL, _recognise_page, _read_page)
