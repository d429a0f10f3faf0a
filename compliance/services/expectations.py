"""Great Expectations over one table: what was expected, and how many values met it. Counts, never values.

Its results carry samples of values, tracebacks and batch descriptions; only the fields named here are taken over.
An expectation that could not be evaluated is no failure of the data: it has no outcome, and the record is incomplete.
Importing Great Expectations takes seconds, so it is imported where it runs and nowhere else.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

from compliance.core.canonical import digest
from compliance.core.statistics import decimal
from compliance.errors import InvalidInput, Unavailable
from compliance.services import batches, suites
from compliance.services.reading import Table
from compliance.services.record import read_file

TOOL = "great-expectations"
_AGGREGATES = {
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
}
"""Expectations whose observed value is an aggregate. A smallest, largest or most common value is some person's."""
_LONGEST = 2_000
"""Characters of what was asked that a record repeats; the suite is attached whole."""
_ENOUGH_ROWS = 10
"""In a smaller table an aggregate says too much about one row."""


def run(source: object, table: Table, suite: Path, engine: str = "pandas") -> tuple[dict[str, Any], bytes]:
    """Validate every row of a source; return a `quality` run of a dataset record, and the suite's bytes."""
    written = read_file(suite)
    asked = suites.read_suite(written, suite.name)
    return {**validate(source, table, asked, suite.name, engine), "suite_sha256": digest(written)}, written


def validate(source: object, table: Table, suite: Mapping[str, Any], file: str, engine: str) -> dict[str, Any]:
    """Validate where the data are (`services.batches`). Raises InvalidInput for an expectation that there is not."""
    with _quiet():
        gx = _library()
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        expectations = [_built(item, number, file) for number, item in enumerate(suite["expectations"])]
        by_number: dict[int, Mapping[str, Any]] = {}
        for numbers, batch in batches.batches(context, source, table, suite["expectations"], engine):
            asked = gx.ExpectationSuite(name=f"part {numbers[0]}", expectations=[expectations[n] for n in numbers])
            result_format = {"result_format": "BASIC", "partial_unexpected_count": 0}
            found = batch.validate(context.suites.add(asked), result_format=result_format).to_json_dict()
            by_number |= {result["expectation_config"]["meta"]["number"]: result for result in found["results"]}
    told = [_told(by_number.get(n, {}), item, table) for n, item in enumerate(suite["expectations"])]
    met = sum(1 for one in told if one.get("success"))
    return {
        "suite": suite["name"],
        "tool": TOOL,
        "tool_version": gx.__version__,
        "success": met == len(told),
        "evaluated": len(told),
        "successful": met,
        "not_evaluated": sum(1 for one in told if "success" not in one),
        "expectations": told,
    }


def _library() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    try:
        import great_expectations
    except SystemExit as leaving:  # PySpark takes a program without a file for one of its own doctests
        raise Unavailable(
            "PySpark, which Great Expectations loads, ends a program that Python got by -c or on standard input.",
            remedy="Put the program into a file and run that.",
        ) from leaving
    return great_expectations


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log off: it writes whole tracebacks, with values in them, for what we word ourselves."""
    logger = logging.getLogger("great_expectations")
    before = logger.disabled, logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled, logger.level = before


def _built(item: Mapping[str, Any], number: int, file: str) -> Any:
    """Build one expectation; a suite built whole drops the ones that it does not know."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = list_registered_expectation_implementations()
    if item["type"] not in known:
        near = get_close_matches(item["type"], known, 1)
        raise InvalidInput(
            f"{file}: expectation {number + 1}: Great Expectations knows no {item['type']}.",
            remedy=f"Did you mean {near[0]}?" if near else "Its gallery lists the expectations that there are.",
        )
    given: dict[str, Any] = {"severity": item["severity"]} if "severity" in item else {}
    try:
        return ExpectationConfiguration(
            type=item["type"], kwargs=dict(item.get("kwargs", {})), meta={"number": number}, **given
        ).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        detail = "; ".join(line.strip() for line in str(error).splitlines()[1:] if line.strip())
        raise InvalidInput(
            f"{file}: expectation {number + 1} ({item['type']}) is not valid: {detail or error}.",
            remedy="Mend its kwargs.",
        ) from error


def _told(result: Mapping[str, Any], item: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Take over one result: outcome and counts, by name, and nothing else."""
    kwargs = item.get("kwargs", {})
    told: dict[str, Any] = {"expectation": item["type"]}
    column = kwargs.get("column")
    if isinstance(column, str):
        told["column"] = column
    if asked := {name: value for name, value in kwargs.items() if name != "column"}:
        told["expected"] = json.dumps(asked, sort_keys=True, ensure_ascii=False)[:_LONGEST]
    if speaks_to := suites.requirements(item):
        told["requirements"] = speaks_to
    if "severity" in item:
        told["critical"] = item["severity"] == "critical"
    if not result or _raised(result.get("exception_info") or {}):
        wanted = [name for key in ("column", "column_A", "column_B") if isinstance(name := kwargs.get(key), str)]
        absent = [name for name in wanted if name not in table.columns]
        reason = f"there is no column {absent[0]}" if absent else "it raised an error on these data"
        return told | {"reason": f"Could not be evaluated: {reason}."}
    told["success"] = bool(result["success"])
    counts = result.get("result") or {}
    for name, key in (("elements", "element_count"), ("missing", "missing_count"), ("unexpected", "unexpected_count")):
        if isinstance(counts.get(key), int):
            told[name] = counts[key]
    present = told.get("elements", 0) - told.get("missing", 0)
    if "unexpected" in told and 0 < present >= told["unexpected"]:
        told["unexpected_share"] = decimal(Fraction(told["unexpected"], present))
    observed = counts.get("observed_value")
    if item["type"] in _AGGREGATES and table.rows >= _ENOUGH_ROWS and isinstance(observed, int | float):
        told["observed"] = decimal(observed)
    return told


def _raised(information: Mapping[str, Any]) -> bool:
    """Say whether evaluating failed; the flag stands at the top or, by metric, one mapping below."""
    if information.get("raised_exception"):
        return True
    return any(isinstance(inner, Mapping) and _raised(inner) for inner in information.values())
