"""Great Expectations: a validation or checkpoint result becomes a further record of the dataset that was validated.

Outcomes and counts are taken over, field by field, and nothing else: results carry samples of values, index lists and
tracebacks, which may be a patient's. A raised exception is no failure of the data: that expectation has no outcome,
and the record is incomplete. Results of versions before 1.0 name an expectation's type and their version otherwise.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from compliance.core.statistics import decimal
from compliance.importers.base import UNKNOWN, Given, Importer, NotSaidError, Reading, UnreadableError
from compliance.importers.source import Source, as_json
from compliance.importers.values import clip, count, listing, mapping, present, utc, word

TOOL = "Great Expectations"

_VERSIONS = ("great_expectations_version", "great_expectations.__version__")
_NOT_ASKED = {"column", "result_format", "batch_id", "include_config", "catch_exceptions"}
_SAMPLES = (
    "partial_unexpected_list", "unexpected_list", "unexpected_index_list", "partial_unexpected_index_list",
    "partial_unexpected_counts", "unexpected_index_query", "details",
)  # fmt: skip


def _recognise(source: Source) -> bool:
    return isinstance(source.json, dict) and any(True for _ in _runs(source.json))


def _runs(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the validation results of a file: itself, or those of a checkpoint's run."""
    statistics, meta = data.get("statistics"), data.get("meta")
    if isinstance(statistics, dict) and isinstance(meta, dict):
        if "evaluated_expectations" in statistics and any(name in meta for name in _VERSIONS):
            yield dict(data)
    elif isinstance(data.get("run_results"), dict):
        for result in data["run_results"].values():
            if isinstance(result, dict):
                yield from _runs(result.get("validation_result", result))


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    runs = list(_runs(data))
    if len(runs) < len(data.get("run_results") or {}):
        raise UnreadableError("A validation of this checkpoint has no statistics.")
    gaps: list[str] = []
    quality = [_run(run, gaps) for run in runs]
    meta = [mapping(run["meta"], "meta") for run in runs]
    names = ", ".join(dict.fromkeys(run["suite"] for run in quality))
    samples = sum(1 for run in runs for result in run["results"] if _shows_values(result))
    return Reading(
        records=[{"kind": "dataset", "title": f"{TOOL}: {names}", "quality": quality}],
        tool_version=_version(meta[0]),
        started_at=utc(_time(meta[0])),
        gaps=gaps,
        withheld=f"values that {samples} expectations did not expect" if samples else None,
    )


def _version(meta: Mapping[str, Any]) -> str | None:
    return next((word(meta[name]) for name in _VERSIONS if meta.get(name)), None)


def _time(meta: Mapping[str, Any]) -> Any:
    run = meta.get("run_id")
    return (run.get("run_time") if isinstance(run, dict) else None) or meta.get("validation_time")


def _shows_values(result: Any) -> bool:
    told = result.get("result") if isinstance(result, dict) else None
    return isinstance(told, dict) and (
        any(told.get(name) for name in _SAMPLES) or isinstance(told.get("observed_value"), str | list | dict)
    )


def _run(run: Mapping[str, Any], gaps: list[str]) -> dict[str, Any]:
    meta = mapping(run["meta"], "meta")
    suite = word(run.get("suite_name") or meta.get("expectation_suite_name")) or "unnamed suite"
    told = [_expectation(mapping(result, "a result")) for result in listing(run["results"], "results")]
    stated = mapping(run["statistics"], "statistics")
    undecided = [one for one in told if "success" not in one]
    met = sum(1 for one in told if one.get("success"))
    if undecided:
        gaps.append(f"{suite}: {len(undecided)} of {len(told)} expectations could not be evaluated.")
    if not told:
        gaps.append(f"{suite}: no expectation was evaluated.")
    if count(stated.get("evaluated_expectations")) != len(told):
        gaps.append(f"{suite}: {stated.get('evaluated_expectations')} evaluations are stated and {len(told)} listed.")
    if count(stated.get("successful_expectations")) != met:
        gaps.append(f"{suite}: {stated.get('successful_expectations')} successes are stated and {met} listed.")
    return {
        "suite": suite,
        "tool": TOOL,
        "tool_version": _version(meta) or UNKNOWN,
        "success": bool(told) and met == len(told),
        "evaluated": len(told),
        "successful": met,
        "not_evaluated": len(undecided),
        "expectations": told,
    }


def _expectation(result: Mapping[str, Any]) -> dict[str, Any]:
    config = mapping(result["expectation_config"], "expectation_config")
    kwargs = mapping(config.get("kwargs") or {}, "kwargs")
    asked = {name: value for name, value in kwargs.items() if name not in _NOT_ASKED}
    column = kwargs.get("column")
    told = {
        "expectation": str(config.get("type") or config["expectation_type"]),
        **present({"column": word(column), "expected": clip(as_json(asked), 2000) if asked else None}),
    }
    if requirements := _requirements(config.get("meta")):
        told["requirements"] = requirements
    if config.get("severity"):
        told["critical"] = config["severity"] == "critical"
    if _raised(result.get("exception_info")):
        return told | {"reason": "Could not be evaluated: it raised an error on these data."}
    if not isinstance(result.get("success"), bool):
        return told | {"reason": "Could not be evaluated: no outcome is stated."}
    counts = mapping(result.get("result") or {}, "result")
    elements, missing, unexpected = (
        count(counts.get(f"{name}_count")) for name in ("element", "missing", "unexpected")
    )
    told |= {"success": result["success"]}
    told |= {
        name: n
        for name, n in (("elements", elements), ("missing", missing), ("unexpected", unexpected))
        if n is not None
    }
    judged = (elements or 0) - (missing or 0)
    if unexpected is not None and judged > 0 and unexpected <= judged:
        told["unexpected_share"] = decimal(Fraction(unexpected, judged))
    observed = count(counts.get("observed_value"))
    if observed is not None and told["expectation"].startswith("expect_table_"):
        told["observed"] = str(observed)
    return told


def _requirements(meta: Any) -> list[str]:
    """Return the requirements that an expectation speaks to, as its `meta` says in a suite of ours."""
    said = meta.get("requirements") if isinstance(meta, dict) else None
    return [told for one in (said if isinstance(said, list) else [said]) if (told := word(one))]


def _raised(information: Any) -> bool:
    """Say whether evaluating failed; the flag stands at the top or, by metric, one mapping below."""
    if not isinstance(information, dict):
        return False
    return bool(information.get("raised_exception")) or any(_raised(inner) for inner in information.values())


def _recognise_other(source: Source) -> bool:
    data = source.json
    if isinstance(data, dict):
        described = "validation_results" in data and "statistics" in data
        return described or ("expectations" in data and {"name", "expectation_suite_name"} & data.keys() != set())
    return source.holds(b"Data documentation compiled by Great Expectations")


def _read_other(source: Source, given: Given) -> Reading:
    raise NotSaidError(
        "This is a suite, a description of a checkpoint or a page of Data Docs: none tells an error from a failure.",
        remedy="Import the validation's own result, result.to_json_dict() written as JSON; a suite is run by "
        "`compliance log dataset --expectations`.",
    )


_MARKS = ((b'"evaluated_expectations"', b'"exception_info"'), (b'"expectation_config"', b'"exception_info"'))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
OTHER = Importer(TOOL, _recognise_other, _read_other)
