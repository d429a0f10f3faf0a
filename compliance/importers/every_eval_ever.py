"""Every Eval Ever: an aggregate file becomes one evaluation per benchmark in it.

The file says of every metric which way is better. What it took from documentation is published, not measured here,
and is cited. When the evaluation ran is only in newer files; when the file was retrieved is another thing.
"""

from collections.abc import Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import clip, count, listing, mapping, number, present, utc, word

TOOL = "Every Eval Ever"

_INDEPENDENT = {"third_party": True, "first_party": False}


def _recognise(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and {"schema_version", "evaluation_id", "evaluation_results"} <= data.keys()


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    told = mapping(data.get("source_metadata") or {}, "source_metadata")
    library = mapping(data.get("eval_library") or {}, "eval_library")
    model = mapping(data.get("model_info") or {}, "model_info")
    by_name: dict[str, list[dict[str, Any]]] = {}
    for entry in listing(data["evaluation_results"], "evaluation_results"):
        result = mapping(entry, "a result")
        by_name.setdefault(word(result.get("evaluation_name")) or "unnamed", []).append(result)
    shared = _origin(told, str(data["evaluation_id"]))
    records = [_record(name, results, shared) for name, results in by_name.items()]
    began = data.get("evaluation_timestamp")
    notes = [f"Evaluated with {word(library.get('name'))}."] if library.get("name") else []
    notes += [
        f"File of schema {word(data['schema_version'])}, retrieved {utc(data.get('retrieved_timestamp')) or '?'}."
    ]
    return Reading(
        records=records or [no_result(TOOL, "a file without results", "The file holds no result.")],
        tool_version=word(library.get("version")) if library.get("version") != "unknown" else None,
        started_at=utc(began),
        model=word(model.get("id") or model.get("name")),
        notes=notes,
    )


def _origin(told: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    shared: dict[str, Any] = {}
    if (independent := _INDEPENDENT.get(str(told.get("evaluator_relationship")))) is not None:
        shared["independent"] = independent
    if told.get("source_type") == "documentation":
        cited = {
            "title": word(told.get("source_name")) or "a source without a name",
            "venue": word(told.get("source_organization_name")),
            "identifier": clip(identifier, 200),
        }
        shared |= {"basis": "published", "citation": present(cited)}
    return shared


def _record(name: str, results: list[dict[str, Any]], shared: Mapping[str, Any]) -> dict[str, Any]:
    rows = Rows()
    gaps = []
    for result in results:
        config = mapping(result["metric_config"], "metric_config")
        details = mapping(result["score_details"], "score_details")
        if not isinstance(lower := config.get("lower_is_better"), bool):
            gaps.append(f"{name} does not say which way is better.")
        metric = word(config.get("metric_name") or config.get("metric_id"))
        rows.add(
            metric or "mean_score",
            details.get("score"),
            better=("lower" if lower else "higher") if isinstance(lower, bool) else None,
            unit="score" if metric is None and lower is True else None,
            note=clip(str(config.get("evaluation_description") or ""), 500),
            **_uncertainty(mapping(details.get("uncertainty") or {}, "uncertainty"), details.get("score")),
        )
    if not rows.rows:
        return no_result(TOOL, name, "No figure could be taken over.", [*gaps, *rows.gaps])
    data = mapping(results[0].get("source_data") or {}, "source_data")
    times = [moment for result in results if (moment := utc(result.get("evaluation_timestamp")))]
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {name}",
        "benchmark": present({"name": word(data.get("dataset_name")) or name, "url": word(data.get("hf_repo"))}),
        "setting": "benchmark",
        "metrics": rows.rows,
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
        **({"started_at": min(times)} if times else {}),
        **shared,
    }


def _uncertainty(told: Mapping[str, Any], score: Any) -> dict[str, Any]:
    """Return sample count, standard error and interval as the file states them."""
    error, interval = told.get("standard_error"), told.get("confidence_interval")
    found: dict[str, Any] = {"n": count(told.get("num_samples")) or None}
    found["standard_error"] = error.get("value") if isinstance(error, dict) else error
    if isinstance(interval, dict):
        low, high, level = (number(interval.get(key)) for key in ("lower", "upper", "confidence_level"))
        value = number(score)
        if low and high and level and value and float(low) <= float(value) <= float(high):
            method = "bootstrap" if "bootstrap" in str(interval.get("method")) else "stated-without-method"
            found |= {"ci_low": low, "ci_high": high, "ci_level": level, "ci_method": method}
    return found


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"schema_version"', b'"evaluation_id"', b'"model_info"'),))
