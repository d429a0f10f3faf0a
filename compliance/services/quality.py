"""Great Expectations, run for real, and what of its answer may enter a record: outcomes and counts, never a value.

Its results carry data values in several places, whatever the format asked for; so nothing is taken over but the keys
named here. An expectation that could not be evaluated is no failure of the data: it is told apart, with its reason.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compliance.core.reading import read_value
from compliance.core.statistics import decimal
from compliance.errors import InvalidInput, Unavailable

_COUNTS = {"element_count": "elements", "missing_count": "missing", "unexpected_count": "unexpected"}
_TEXT_LIMIT = 300


def run_suite(data: Path, suite: Path) -> dict[str, Any]:
    """Validate a CSV or Parquet file against a suite (JSON or YAML) and return it as the kind `dataset` records it.

    Raises InvalidInput where the suite is not one that Great Expectations accepts.
    """
    asked = _suite(suite)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, when the library is imported
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    try:
        expectations = context.suites.add(gx.ExpectationSuite(**asked))
    except (TypeError, ValueError, AttributeError, GreatExpectationsError) as error:
        raise InvalidInput(
            f"{suite} is not a suite that Great Expectations accepts: {_one_line(error)}",
            remedy="Check the expectations' types and kwargs.",
        ) from error
    definition = (
        context.data_sources.add_pandas("data").add_dataframe_asset("table").add_batch_definition_whole_dataframe("all")
    )
    batch = definition.get_batch({"dataframe": _frame(data)})
    result = batch.validate(expectations, result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    answer: dict[str, Any] = result.to_json_dict()  # type: ignore[no-untyped-call]
    found = [_expectation(each) for each in answer["results"]]
    met = sum(1 for each in found if each.get("success") is True)
    undecided = sum(1 for each in found if "success" not in each)
    return {
        "suite": str(asked["name"]),
        "tool": "great-expectations",
        "tool_version": gx.__version__,
        "success": met == len(found),
        "evaluated": len(found),
        "successful": met,
        "not_evaluated": undecided,
        "expectations": found,
    }


def _suite(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"{path} is not there.", remedy="Check the path of the suite.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error
    asked = read_value(data, str(path))
    if not isinstance(asked, dict) or not isinstance(asked.get("expectations"), list) or not asked.get("name"):
        raise InvalidInput(
            f"{path} is not a suite: it needs `name` and a list of `expectations`.",
            remedy='Each expectation is {"type": "expect_…", "kwargs": {…}}.',
        )
    if not asked["expectations"]:
        raise InvalidInput(f"{path} holds no expectation, so nothing would be checked.", remedy="Add one.")
    known = {"name", "expectations", "meta", "notes", "suite_parameters"}
    return {name: value for name, value in asked.items() if name in known}


def _frame(path: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else pd.read_csv(path)


def _expectation(result: Mapping[str, Any]) -> dict[str, Any]:
    config, answer = result["expectation_config"], result.get("result") or {}
    kwargs = {name: value for name, value in config["kwargs"].items() if name not in ("batch_id", "column")}
    row: dict[str, Any] = {"expectation": config["type"]}
    if isinstance(column := config["kwargs"].get("column"), str):
        row["column"] = column
    if kwargs:
        row["expected"] = json.dumps(kwargs, sort_keys=True, ensure_ascii=False)
    if config.get("severity"):
        row["critical"] = str(config["severity"]) == "critical"
    if reason := _raised(result.get("exception_info") or {}):
        return row | {"reason": reason}
    row["success"] = bool(result["success"])
    row |= {ours: int(answer[theirs]) for theirs, ours in _COUNTS.items() if isinstance(answer.get(theirs), int)}
    if row.get("elements") and "unexpected" in row:
        row["unexpected_share"] = decimal(row["unexpected"] / row["elements"])
    observed = answer.get("observed_value")
    if _aggregates(config["type"]) and isinstance(observed, int | float) and not isinstance(observed, bool):
        row["observed"] = decimal(observed)
    return row


def _aggregates(expectation: str) -> bool:
    """Whether the observed value is a figure over many rows: a minimum or maximum is one person's value."""
    words = ("mean", "median", "stdev", "sum", "row_count", "column_count", "unique_value_count", "proportion")
    return any(word in expectation for word in words)


def _raised(info: Mapping[str, Any]) -> str | None:
    """Return why an expectation could not be evaluated, which Great Expectations may nest by metric."""
    nested = [info, *(each for each in info.values() if isinstance(each, Mapping))]
    for each in nested:
        if each.get("raised_exception"):
            message = str(each.get("exception_message") or "an exception was raised")
            return f"Could not be evaluated: {_one_line(message)}"
    return None


def _one_line(error: object) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}…"
