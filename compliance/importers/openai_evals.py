"""OpenAI evals: a run's JSON Lines become one evaluation, counted again from its `match` events.

The first line names the run, the report stands wherever the last flush put it: without one the run did not end. Events
that stand behind it have no end mark, which is told.
`max_samples` is a limit, an `error` event a sample that failed. The report's standard error is called `boostrap_std`.
Prompts and answers stay in the original; the folders in the run's settings are not taken over.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, mapping, number, present, utc, word

TOOL = "OpenAI evals"

_ERRORS = ("boostrap_std", "bootstrap_std")
_COUNTS = ("num_samples", "n_samples", "invalid_responses", "count")


def _recognise(source: Source) -> bool:
    lines = source.lines
    first = lines.values[0] if lines is not None else None
    spec = first.get("spec") if isinstance(first, dict) else None
    return isinstance(spec, dict) and "run_id" in spec and bool({"base_eval", "eval_name"} & spec.keys())


def _read(source: Source, given: Given) -> Reading:
    lines = source.lines
    assert lines is not None
    entries = [mapping(value, "a line") for value in lines.values]
    spec = mapping(entries[0]["spec"], "spec")
    settings = mapping(spec.get("run_config") or {}, "run_config")
    reports = [mapping(one["final_report"], "final_report") for one in entries if one.get("final_report")]
    events = [one for one in entries if "event_id" in one]
    gaps = [f"The file is cut off: {lines.broken}."] if lines.broken else []
    gaps += _gaps(settings, reports, events)
    samples = {str(one.get("sample_id")) for one in events}
    title = word(spec.get("eval_name") or spec.get("base_eval")) or "a run"
    rows = _rows(reports[-1] if reports else {}, events, samples)
    times = [time for one in events if (time := utc(_zoned(one.get("created_at"))))]
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {title}",
        "task": title,
        "benchmark": present({"name": word(spec.get("base_eval")) or title, "version": word(spec.get("split"))}),
        "setting": "benchmark",
        "unit_of_analysis": "sample",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "summary": " ".join(rows.notes()),
        **present({"seed": word(settings.get("seed"))}),
    }
    solvers = spec.get("completion_fns") or settings.get("completion_fns") or [spec.get("model_name")]
    return Reading(
        records=[record if rows.rows else no_result(TOOL, title, "No figure could be taken over.")],
        started_at=min(times, default=None),
        ended_at=max(times, default=None),
        model=", ".join(filter(None, map(word, solvers))) or None,
        gaps=gaps,
        withheld=f"{len(samples)} samples with prompts and answers" if samples else None,
        notes=["Events stand behind the final report, so a cut between two of them cannot be seen."]
        if "event_id" in entries[-1]
        else [],
    )


def _zoned(moment: Any) -> Any:
    """Return a moment as `utc` reads it: events are written with a space and an offset."""
    return moment.replace(" ", "T", 1) if isinstance(moment, str) else moment


def _gaps(settings: Mapping[str, Any], reports: list[dict[str, Any]], events: list[dict[str, Any]]) -> Iterator[str]:
    if not reports:
        yield "The file has no final report: the run did not end, or the file is cut off."
    if len(reports) > 1:
        yield f"The file holds {len(reports)} final reports; the last one was taken over."
    if settings.get("max_samples") is not None:
        yield f"The run was limited to {word(settings['max_samples']) or 'some'} samples."
    if failed := len({str(one.get("sample_id")) for one in events if one.get("type") == "error"}):
        yield f"{failed} samples ended in an error."
    numbers = [one["event_id"] for one in events]
    if sorted(numbers) != list(range(len(numbers))):
        yield "Events are missing from the file: their numbers do not follow one another."


def _rows(report: Mapping[str, Any], events: list[dict[str, Any]], samples: set[str]) -> Rows:
    rows = Rows()
    told = [mapping(one.get("data") or {}, "data").get("correct") for one in events if one.get("type") == "match"]
    graded = [value for value in told if isinstance(value, bool)]
    once = len(graded) == len(told) == len(samples)
    error = next((report[name] for name in _ERRORS if name in report), None)
    for name, value in report.items():
        if name in (*_ERRORS, *_COUNTS) or isinstance(value, dict | list):
            continue
        if name == "accuracy" and graded and once:
            stated, right = number(value), sum(graded)
            if stated is None or abs(float(stated) - right / len(graded)) > 1e-9:
                rows.gaps.append(f"The report states an accuracy of {value!s:.40}, but {right} of {len(graded)} match")
            rows.add(name, None, x=right, n=len(graded), note=f"The report states {value!s:.40}.")
        else:
            n = count(report.get("num_samples")) or len(samples) or None
            rows.add(name, value, n=n, standard_error=error if name == "accuracy" else None)
    if not report and graded and once:
        rows.add("accuracy", None, x=sum(graded), n=len(graded))
    return rows


_MARKS = ((b'"spec"', b'"base_eval"', b'"run_config"'),)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
