"""Evidently: a report becomes an evaluation of the model and an observation of its data, where figures speak of them.

Performance is the evaluation; drift, missing values and counts are monitoring. A drift score is a p value (higher is
less drift) or a distance (lower is), which its method tells. A test with a warning, an error or one that was skipped is
no pass. A report says neither when it was made nor about which data; a snapshot has a time without a zone, and reports
of versions before 0.6 have version and time. Distributions and values of columns are not taken over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import clip, count, listing, mapping, number, utc, word

TOOL = "Evidently"

_TYPE = "evidently:metric_v2:"
_ON_MODEL = {
    "Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1Score": "f1", "RocAuc": "roc_auc",
    "LogLoss": "log_loss", "TPR": "tpr", "TNR": "tnr", "FPR": "fpr", "FNR": "fnr", "PrecisionByLabel": "precision",
    "RecallByLabel": "recall", "F1ByLabel": "f1", "RocAucByLabel": "roc_auc", "MAE": "mae", "RMSE": "rmse",
    "R2Score": "r2", "MAPE": "mape",
}  # fmt: skip
"""Metrics of the model's performance, as we call them."""
_FIRST = {
    "ClassificationQualityMetric": (
        "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "tpr", "tnr", "fpr", "fnr",
    ),
    "RegressionQualityMetric": ("mean_abs_error", "rmse", "r2_score"),
}  # fmt: skip
"""The same in reports of versions before 0.6: metric and its figures."""
_LOWER = {"mape"}
_OF_ONE = {"MinValue", "MaxValue", "MedianValue", "QuantileValue"}
"""Metrics whose value may be a single person's; their tests name it behind a colon."""
_OUTCOMES = {"SUCCESS": True, "FAIL": False, "WARNING": False}


@dataclass(slots=True)
class _Found:
    """What a file of any version holds."""

    model: Rows = field(default_factory=Rows)
    data: Rows = field(default_factory=Rows)
    tests: list[tuple[str, str, bool]] = field(default_factory=list)
    """Name, status, and whether it is about the model."""
    cases: int | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    """Of a suite: how many tests it says there were, and how many were met."""


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict):
        return False
    if isinstance(data.get("metric_results"), dict) and "top_level_metrics" in data:
        return True
    metrics, tests = data.get("metrics"), data.get("tests")
    if isinstance(metrics, list) and metrics and isinstance(first := metrics[0], dict):
        config = first.get("config")
        if isinstance(config, dict) and str(config.get("type")).startswith(_TYPE):
            return True
        return "version" in data and "timestamp" in data and {"metric", "result"} <= first.keys()
    return isinstance(tests, list) and {"version", "timestamp", "summary"} <= data.keys()


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    found = _Found()
    if "metric_results" in data:
        _take(found, [_from_snapshot(one) for one in mapping(data["metric_results"], "metric_results").values()])
    elif "version" in data:
        _take_first(found, data)
    else:
        _take(found, [mapping(one, "a metric") for one in listing(data["metrics"], "metrics")])
        for one in listing(data.get("tests") or [], "tests"):
            _test(found, mapping(one, "a test"))
    gaps = list(_gaps(found))
    records = [record for record in (_evaluation(found), _monitoring(found)) if record]
    written = data.get("timestamp")
    return Reading(
        records=records or [no_result(TOOL, "a report without figures", "No figure could be taken over.")],
        tool_version=word(data.get("version")),
        started_at=utc(written),
        clock=(written,),
        gaps=gaps,
        withheld="distributions and values of columns",
    )


def _from_snapshot(result: Any) -> dict[str, Any]:
    """Return a result of a snapshot as a report has it: its settings, its value, its tests."""
    told = mapping(result, "a result")
    config = mapping(mapping(told["metric_value_location"], "its location")["metric"], "its metric")["params"]
    if "values" in told:
        value: Any = {label: mapping(one, label)["value"] for label, one in mapping(told["values"], "values").items()}
    elif "count" in told and "share" in told:
        value = {name: mapping(told[name], name)["value"] for name in ("count", "share")}
    else:
        value = told.get("value")
    return {"config": config, "value": value, "tests": told.get("tests") or []}


def _take(found: _Found, metrics: list[dict[str, Any]]) -> None:
    seen = []
    for metric in metrics:
        config = mapping(metric["config"], "config")
        settings = {name: value for name, value in config.items() if name != "tests"}
        for test in metric.get("tests") or []:
            _test(found, mapping(test, "a test"))
        if settings not in seen:  # a preset and a metric beside it give the same figure twice
            seen.append(settings)
            _metric(found, str(config["type"]).removeprefix(_TYPE), settings, metric.get("value"))


def _metric(found: _Found, name: str, settings: Mapping[str, Any], value: Any) -> None:
    if name in _ON_MODEL:
        which = word(settings.get("classification_name") or settings.get("regression_name"))
        group = {"output": which} if which not in (None, "default") else {}
        values = value.items() if isinstance(value, dict) else [(None, value)]
        for label, one in values:
            labelled = group | ({"label": str(label)[:200]} if label is not None else {})
            _performance(found, _ON_MODEL[name], one, labelled)
    elif name == "RowCount":
        found.cases = count(value)
    elif name == "DriftedColumnsCount":
        told = mapping(value, name)
        _share(found, "drifted_columns", told.get("count"), told.get("share"), None)
    elif name == "MissingValueCount":
        told = mapping(value, name)
        _share(found, "missing_rate", told.get("count"), told.get("share"), word(settings.get("column")))
    elif name == "ValueDrift":
        _drift(found, settings.get("column"), settings.get("method"), settings.get("threshold"), value)
    elif name not in found.data.left_out:
        found.data.left_out.append(name)


def _performance(found: _Found, name: str, value: Any, group: dict[str, str]) -> None:
    better = "lower" if name in _LOWER else None
    found.model.add(name, value, better=better, group=group or None)


def _share(found: _Found, name: str, counted: Any, share: Any, column: str | None) -> None:
    """Add a share; its number of cases follows from count and share where these are a whole number of them."""
    x, part, n = count(counted), number(share), None
    if x and part and float(part) > 0 and abs(x / float(part) - round(x / float(part))) < 1e-6:
        n = round(x / float(part))
    group = {"column": column} if column else None
    if n:
        found.data.add(name, None, better="lower", unit="proportion", x=x, n=n, group=group)
    else:
        found.data.add(name, share, better="lower", unit="proportion", group=group)


def _drift(found: _Found, column: Any, method: Any, threshold: Any, value: Any) -> None:
    """Add a drift score under the name that says which way it reads."""
    told = word(method) or "method not stated"
    group = {"column": word(column) or "not stated", "method": told}
    name, better = ("drift_p_value", "higher") if "p_value" in told else ("drift_distance", "lower")
    found.data.add(name, value, better=better, group=group, note=f"Evidently's limit: {number(threshold) or '?'}.")


def _test(found: _Found, test: Mapping[str, Any]) -> None:
    params = mapping(mapping(test.get("metric_config") or {}, "metric_config").get("params") or {}, "params")
    about = str(params.get("type")).removeprefix(_TYPE)
    status = test.get("status")
    status = status.get("status") if isinstance(status, dict) else status
    on_model = about in _ON_MODEL or test.get("group") in ("classification", "regression")
    name = str(test.get("name"))
    name = name.partition(": ")[0] if about in _OF_ONE else name
    found.tests.append((clip(name, 500), str(status).rpartition(".")[2], on_model))


def _take_first(found: _Found, data: Mapping[str, Any]) -> None:
    """Take a report or suite of a version before 0.6."""
    for entry in listing(data.get("metrics") or [], "metrics"):
        metric = mapping(entry, "a metric")
        name, result = str(metric["metric"]), mapping(metric["result"], "result")
        if name in _FIRST:
            for part in ("current", "reference"):
                told = mapping(result.get(part) or {}, part)
                for figure in _FIRST[name]:
                    if told.get(figure) is not None:
                        _performance(found, figure, told[figure], {"part": part})
        elif name == "DatasetDriftMetric":
            columns = count(result.get("number_of_columns"))
            x = count(result.get("number_of_drifted_columns"))
            found.data.add("drifted_columns", None, better="lower", unit="proportion", x=x, n=columns)
        elif name == "DataDriftTable":
            for told in mapping(result.get("drift_by_columns") or {}, "drift_by_columns").values():
                names = ("column_name", "stattest_name", "stattest_threshold", "drift_score")
                _drift(found, *(told.get(name) for name in names))
        elif result:
            found.data.left_out.append(name)
    for entry in listing(data.get("tests") or [], "tests"):
        _test(found, mapping(entry, "a test"))
    found.summary = mapping(data.get("summary") or {}, "summary")


def _gaps(found: _Found) -> Iterator[str]:
    total, met = (count(found.summary.get(name)) for name in ("total_tests", "success_tests"))
    if total is not None and total != len(found.tests):
        yield f"The summary counts {total} tests, and {len(found.tests)} are listed."
    listed = sum(status == "SUCCESS" for _, status, _ in found.tests)
    if met is not None and met != listed:
        yield f"The summary counts {met} tests as met, and {listed} are listed as met."
    if left := [name for name, status, _ in found.tests if status not in _OUTCOMES]:
        yield f"{len(left)} of {len(found.tests)} tests ended in an error or were skipped: {', '.join(left)}."


def _judged(found: _Found, rows: Rows, *, on_model: bool) -> list[str]:
    """Count the tests that were met; return those that were not."""
    told = [
        (name, _OUTCOMES[status]) for name, status, about in found.tests if about is on_model and status in _OUTCOMES
    ]
    if told:
        rows.add("pass_rate", None, x=sum(met for _, met in told), n=len(told), note="Evidently's tests that were met.")
    return [f"Not met: {name}." for name, met in told if not met]


def _evaluation(found: _Found) -> dict[str, Any] | None:
    failed = _judged(found, found.model, on_model=True)
    if not found.model.rows:
        return None
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: performance",
        "metrics": found.model.rows,
        "gaps": found.model.gaps,
        **({"remarks": failed} if failed else {}),
    }


def _monitoring(found: _Found) -> dict[str, Any] | None:
    failed = _judged(found, found.data, on_model=False)
    if not found.data.rows and found.cases is None:
        return None
    return {
        "kind": "monitoring",
        "type": "observation",
        "title": f"{TOOL}: data",
        **({"metrics": found.data.rows} if found.data.rows else {}),
        **({"cases": found.cases} if found.cases is not None else {}),
        **({"conclusion": clip(" ".join(failed), 5000)} if failed else {}),
        "gaps": found.data.gaps,
        "summary": " ".join(found.data.notes()),
    }


_MARKS = ((b'"evidently:metric_v2:',), (b'"evidently:metric_result_v2:',))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
