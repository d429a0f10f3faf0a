"""Deepchecks: a suite or check saved as JSON becomes a further record of the dataset, and an evaluation of the model.

Conditions of checks on data become its quality, each a `PASS` or not (`WARN` is no pass); those of checks on the model
are counted, beside the figures of `Train Test Performance`. A check that did not run, or a condition that ended in an
error, is neither: it makes the record incomplete, unless the tool says that the check does not apply to such a model.
The file has neither date, model nor version; links to the documentation give the release. Values and examples, which
hold rows of the data, stay in the original.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compliance.core.reading import read_foreign
from compliance.importers.base import UNKNOWN, Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import clip, count, listing, mapping, number, word

TOOL = "Deepchecks"

_ON_MODEL = {
    "Boosting Overfit", "Calibration Score", "Confusion Matrix Report", "Model Inference Time", "Model Info",
    "Multi Model Performance Report", "Performance Bias", "Prediction Drift", "Regression Error Distribution",
    "Regression Systematic Error", "Roc Report", "Segment Performance", "Simple Model Comparison",
    "Single Dataset Performance", "Train Test Performance", "Train Test Prediction Drift", "Unused Features",
    "Weak Segments Performance",
}  # fmt: skip
"""Checks of `deepchecks.tabular.checks.model_evaluation`; all others look at data."""
_PERFORMANCE = "Train Test Performance"
_OUTCOMES = {"PASS": True, "FAIL": False, "WARN": False}
_NOT_APPLICABLE = re.compile(r"Check is (irrelevant|relevant) for", re.IGNORECASE)
_RELEASE = re.compile(rb"docs\.deepchecks\.com/(\d+(?:\.\d+)+)/")
_RESULTS = ("CheckResult", "CheckFailure")


def _checks(data: Any) -> list[Any] | None:
    """Return the results of a suite, or the one of a check; None for anything else."""
    if not isinstance(data, dict):
        return None
    if data.get("type") == "SuiteResult" and isinstance(data.get("results"), list):
        return list(data["results"])
    return [data] if data.get("type") in _RESULTS and "check" in data else None


def _recognise(source: Source) -> bool:
    return _checks(source.json) is not None


def _read(source: Source, given: Given) -> Reading:
    checks = [mapping(one, "a check") for one in _checks(source.json) or []]
    title = word(source.json.get("name")) or _name(checks[0])
    release = found[1].decode() if (found := _RELEASE.search(source.data)) else None
    on_model = [one for one in checks if _name(one) in _ON_MODEL]
    on_data = [one for one in checks if _name(one) not in _ON_MODEL]
    records = [record for record in (_quality(title, release, on_data), _evaluation(title, on_model)) if record]
    return Reading(
        records=records or [no_result(TOOL, title, "No check was judged.")],
        tool_version=release,
        withheld=f"values and examples of {len(checks)} checks",
        notes=[f"Release {release} is read from links to its documentation."] if release else [],
    )


def _name(check: Mapping[str, Any]) -> str:
    return word(mapping(check["check"], "check").get("name")) or "a check"


def _not_run(checks: list[dict[str, Any]]) -> Iterator[str]:
    for check in checks:
        reason = str(check.get("exception") or "")
        if check["type"] == "CheckFailure" and not _NOT_APPLICABLE.match(reason):
            yield f"{word(check.get('header')) or _name(check)} did not run."


def _conditions(check: Mapping[str, Any]) -> Iterator[tuple[str, bool | None]]:
    """Yield what each condition of a check asked and whether it was met; None where it ended in an error."""
    for one in listing(check.get("conditions_results") or [], "conditions_results"):
        yield clip(str(one["Condition"]), 2000), _OUTCOMES.get(str(one["Status"]))


def _quality(title: str, release: str | None, checks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the further record of the dataset, or None where no check looked at data."""
    if not checks:
        return None
    told: list[dict[str, Any]] = []
    gaps = list(_not_run(checks))
    for check in checks:
        name = word(check.get("header")) or _name(check)
        if check["type"] == "CheckFailure":
            told.append({"expectation": name, "reason": "It did not run on these data."})
        for asked, met in _conditions(check):
            outcome = {"success": met} if met is not None else {"reason": "It ended in an error on these data."}
            told.append({"expectation": name, "expected": asked, **outcome})
            if met is None:
                gaps.append(f"A condition of {name} ended in an error.")
    if not told:
        return no_result(TOOL, f"{title}, data", " ".join(["No condition was set on the data.", *gaps]))
    met_all = sum(1 for one in told if one.get("success"))
    run = {
        "suite": title,
        "tool": TOOL,
        "tool_version": release or UNKNOWN,
        "success": met_all == len(told),
        "evaluated": len(told),
        "successful": met_all,
        "not_evaluated": sum(1 for one in told if "success" not in one),
        "expectations": told,
    }
    return {"kind": "dataset", "title": f"{TOOL}: {title}", "quality": [run], "gaps": gaps}


def _evaluation(title: str, checks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the evaluation of the model, or None where no check looked at it."""
    if not checks:
        return None
    gaps = list(_not_run(checks))
    conditions = [
        (word(check.get("header")) or _name(check), asked, met) for check in checks for asked, met in _conditions(check)
    ]
    rows = Rows()
    decided = [met for _, _, met in conditions if met is not None]
    if len(decided) < len(conditions):
        gaps.append(f"{len(conditions) - len(decided)} of {len(conditions)} conditions ended in an error.")
    if decided:
        rows.add("pass_rate", None, x=sum(decided), n=len(decided), note="Conditions that were met.")
    for check in checks:
        if _name(check) == _PERFORMANCE and check["type"] == "CheckResult":
            _add(rows, check["value"])
    if not rows.rows:
        return no_result(TOOL, f"{title}, model", " ".join(["No figure could be taken over.", *gaps]))
    failed = [clip(f"Not met: {name}: {asked}.", 2000) for name, asked, met in conditions if met is False]
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {title}",
        "metrics": rows.rows,
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
        **({"remarks": failed} if failed else {}),
    }


def _add(rows: Rows, table: Any) -> None:
    """Add performance by dataset and class; the table is JSON within JSON."""
    lines = read_foreign(table.encode(), "its table") if isinstance(table, str) else table
    for line in listing(lines, "the table"):
        told = mapping(line, "a line")
        group = {"part": word(told.get("Dataset")) or "not stated"}
        if told.get("Class") is not None:
            group["class"] = word(told["Class"]) or "not stated"
        value = told.get("Value")
        rows.add(
            str(told["Metric"]),
            value if number(value) is not None else "no figure",
            group=group,
            n=count(told.get("Number of samples")) or None,
        )


_MARKS = ((b'"CheckResult"', b'"conditions_results"'), (b'"SuiteResult"', b'"conditions_results"'))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
