"""Inspect AI: a log (`.json`, or `.eval`, a zip) becomes one evaluation per scorer.

Incomplete: any status but `success`, `invalidated`, a `limit`, samples that did not complete or carry an error. The
format is not frozen: newer logs pack their members with Zstandard, older ones with deflate, results are absent after
an error and samples may be left out. Where the log holds its samples, right answers are counted from them and the
stated figure must agree. Prompts, answers and traces stay in the original.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.core.reading import read_foreign
from compliance.importers.base import Given, Importer, Reading, UnreadableError, no_result
from compliance.importers.metrics import Rows, named
from compliance.importers.source import Source
from compliance.importers.values import count, label, listing, mapping, number, present, some, utc, word
from compliance.kinds.metrics import KNOWN

TOOL = "inspect-ai"

_HEADER = {"version", "eval", "plan"}
_RIGHT, _WRONG = ("C", 1, True), ("I", 0, False)
"""What a scorer gives a right answer, and a wrong one; anything else is no share of cases."""
_LIMITS = ("limit", "sample_id", "message_limit", "token_limit", "time_limit", "working_limit", "cost_limit")
_PER_SAMPLE = set(_LIMITS[2:])


def _recognise(source: Source) -> bool:
    data = source.json
    if isinstance(data, dict):
        return data.keys() >= _HEADER and "status" in data
    return source.archive is not None and (
        "header.json" in source.archive or any(name.startswith("_journal/") for name in source.archive)
    )


def _read(source: Source, given: Given) -> Reading:
    if source.archive is None:
        log = mapping(source.json, "the log")
        samples = [_slim(one) for one in listing(log.get("samples") or [], "samples")]
    else:
        log, samples = _unpacked(source)
    told = mapping(log["eval"], "eval")
    stats = mapping(log.get("stats") or {}, "stats")
    results = mapping(log.get("results") or {}, "results")
    kept = mapping(told.get("config") or {}, "config").get("log_samples") is not False
    holds = kept and (source.archive is not None or isinstance(log.get("samples"), list))
    gaps = [*_gaps(log, told, results, samples if holds else None)]
    records = [_record(told, log, results, score, samples) for score in results.get("scores") or []]
    if not records:
        records = [no_result(TOOL, f"{word(told.get('task')) or 'a run'} without results", "The log holds no result.")]
    return Reading(
        records=_distinct(records),
        tool_version=word(mapping(told.get("packages") or {}, "packages").get("inspect_ai")),
        started_at=utc(stats.get("started_at")) or utc(told.get("created")),
        ended_at=utc(stats.get("completed_at")),
        model=word(told.get("model")),
        gaps=gaps,
        withheld=f"{some(len(samples), 'sample')} with prompts, answers and traces" if samples else None,
    )


def _unpacked(source: Source) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return header and samples of an `.eval` archive; one without header is a run that has not ended."""
    files = source.archive
    assert files is not None
    heads: dict[str, dict[str, Any]] = {}
    samples = []
    for name in sorted(files):  # all of them, since each brings its own checksum
        data = files[name]
        if name in ("header.json", "_journal/start.json"):
            heads[name] = mapping(read_foreign(data, name), name)
        elif name.startswith("samples/") and name.endswith(".json"):
            samples.append(_slim(read_foreign(data, name)))
    if not heads:
        raise UnreadableError("The archive holds neither a header nor the journal of a started run.")
    log = heads.get("header.json") or {"status": "started", **heads["_journal/start.json"]}
    if not log.keys() >= _HEADER:
        raise UnreadableError("The archive's header is not that of a log.")
    return log, samples


def _slim(sample: Any) -> dict[str, Any]:
    """Return of a sample what is looked at: its traces may be large."""
    told = mapping(sample, "a sample")
    return {name: told.get(name) for name in ("id", "epoch", "scores", "error", "limit", "invalidation")}


def _gaps(
    log: Mapping[str, Any], told: Mapping[str, Any], results: Mapping[str, Any], held: list[dict[str, Any]] | None
) -> Iterator[str]:
    """Yield what a run lacks; `held` are the samples in its log, None where the log was written without them."""
    samples = held or []
    status = log.get("status")
    if status != "success":
        yield f"The run's status is {word(status) or 'not stated'}, not success."
    if log.get("invalidated") or any(one["invalidation"] for one in samples):
        yield "The log is marked as invalidated."
    if log.get("error"):
        yield "The run ended in an error."
    config = mapping(told.get("config") or {}, "config")
    for name in _LIMITS:
        if config.get(name) is not None and name not in _PER_SAMPLE:
            yield f"The run was limited: {name} is {_told(config[name])}."
    total, done = count(results.get("total_samples")), count(results.get("completed_samples"))
    if results and (total is None or done is None):
        yield "The log does not say how many samples were to be run and completed."
    elif total is not None and done is not None and done < total:
        yield f"{total - done} of {total} samples did not complete."
    early = mapping(results.get("early_stopping") or {}, "early_stopping").get("early_stops") or []
    if early:
        yield f"{len(early)} samples were skipped, because the run was stopped early for them."
    if failed := sum(1 for one in samples if one["error"]):
        yield f"{failed} samples ended in an error."
    if stopped := sum(1 for one in samples if one["limit"]):
        yield f"{stopped} samples were stopped by a limit."
    if held is not None and total is not None and len(samples) < total:
        yield f"The log holds {len(samples)} of {total} samples."


def _told(limit: Any) -> str:
    """Return a limit as it was set: a number, a range, or a list of samples' names, which stay in the original."""
    if isinstance(limit, list) and all(count(one) is not None for one in limit):
        return " to ".join(str(one) for one in limit)
    return word(limit) or "set"


def _record(
    told: Mapping[str, Any],
    log: Mapping[str, Any],
    results: Mapping[str, Any],
    score: Any,
    samples: list[dict[str, Any]],
) -> dict[str, Any]:
    score = mapping(score, "a score")
    name, scorer, reducer = str(score.get("name")), str(score.get("scorer")), score.get("reducer")
    task = word(told.get("task")) or "task"
    config = mapping(told.get("config") or {}, "config")
    epochs = max([count(config.get("epochs")) or 1, *(count(one["epoch"]) or 1 for one in samples)])
    rows = _rows(reducer, score, _scored(score, results, samples, epochs), _graded(samples, name), epochs)
    left = count(score.get("unscored_samples"))
    gaps = [*rows.gaps, *([f"{left} samples were not scored by {scorer}."] if left else [])]
    dataset = mapping(told.get("dataset") or {}, "dataset")
    if not rows.rows:
        return no_result(TOOL, f"{task}, {name}", "No figure of this scorer could be taken over.", gaps)
    generate = mapping(log.get("plan") or {}, "plan").get("config") or {}
    method = [
        f"scorer {word(scorer)}",
        f"{epochs} epochs" if epochs > 1 else "",
        f"reduced by {reducer}" if reducer else "",
    ]
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {task}, {name}" + (f" ({reducer})" if reducer else ""),
        "task": task,
        "benchmark": present(
            {
                "name": word(dataset.get("name")) or task,
                "version": word(told.get("task_version")),
                "items": count(dataset.get("samples")) or None,
                "sampling": f"limited to {_told(config['limit'])}" if config.get("limit") is not None else None,
            }
        ),
        "setting": "benchmark",
        "unit_of_analysis": "sample",
        "metrics": rows.rows,
        "method": ", ".join(filter(None, method)),
        **present({"prompting": present({"temperature": number(generate.get("temperature"))})}),
        "gaps": gaps,
        "summary": " ".join(rows.notes()),
    }


def _rows(reducer: Any, score: Mapping[str, Any], n: int | None, graded: list[bool] | None, epochs: int) -> Rows:
    """Return a scorer's figures; the standard error belongs to the accuracy or mean beside it.

    Where each sample was asked several times, answers are not independent: no count makes an interval of them, and
    what is left of them but their mean (the best, `pass_at_2`) has a name of its own.
    """
    metrics = mapping(score.get("metrics") or {}, "metrics")
    errors = {key for key in metrics if key in ("stderr", "std", "var", "bootstrap_stderr")}
    error = mapping(metrics["stderr"], "stderr").get("value") if "stderr" in metrics else None
    rows = Rows()
    for key, metric in metrics.items():
        value = mapping(metric, key).get("value")
        if key in errors:
            continue
        counted = graded is not None and key == "accuracy" and epochs == 1 and _agrees(value, graded)
        if counted and graded is not None:
            rows.add(key, None, x=sum(graded), n=len(graded), note=f"The log states {number(value)}.")
        else:
            name = "mean_score" if key == "mean" else key
            reduced, better = _reduced(name, reducer)
            rows.add(reduced, value, better=better, n=n, standard_error=error if key in ("accuracy", "mean") else None)
            if key == "accuracy" and graded is not None and epochs == 1:
                rows.gaps.append(f"The log states an accuracy of {number(value)}, but its samples give another")
    return rows


def _reduced(name: str, reducer: Any) -> tuple[str, str | None]:
    """Return a metric's name with how several answers became one, unless they were averaged, and its direction."""
    found = named(name)
    if reducer in (None, "mean") or found is None:
        return name, None
    return f"{found['name']}_{label(str(reducer))}", found.get("better") or KNOWN[found["name"]].better


def _scored(
    score: Mapping[str, Any], results: Mapping[str, Any], samples: list[dict[str, Any]], epochs: int
) -> int | None:
    """Return how many different samples a score rests on: older logs count each as often as it was asked."""
    ids = {str(one["id"]) for one in samples}
    return (
        count(score.get("scored_samples")) or len(ids) or (count(results.get("total_samples")) or 0) // epochs or None
    )


def _graded(samples: list[dict[str, Any]], name: str) -> list[bool] | None:
    """Return right or wrong for each sample; None where the log lacks a grade or grades are not of that sort."""
    graded = []
    for sample in samples:
        scores = sample["scores"] or {}
        value = scores[name]["value"] if name in scores else None
        if not isinstance(value, str | int) or value not in (*_RIGHT, *_WRONG):
            return None
        graded.append(value in _RIGHT)
    return graded or None


def _agrees(value: Any, graded: list[bool]) -> bool:
    stated = number(value)
    return stated is not None and abs(float(stated) - sum(graded) / len(graded)) < 1e-9


def _distinct(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Number the titles that repeat: one scorer may be asked several times."""
    seen: dict[str, int] = {}
    for record in records:
        times = seen[record["title"]] = seen.get(record["title"], 0) + 1
        if times > 1:
            record["title"] += f" [{times}]"
    return records


_MARKS = ((b'"eval"', b'"task_id"', b'"run_id"'), (b"_journal/start.json",), (b"header.json", b"summaries.json"))
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
