"""lm-evaluation-harness: a `results_*.json` becomes one evaluation per task, subtasks as groups of their task.

Incomplete: a `limit`, or fewer samples than the task has. A metric's key is "name,filter"; a standard error may be
the text "N/A"; the dummy model's name is random. Files of versions before 0.4 have neither filters nor sample counts.
`samples_*.jsonl` alone is counted again, but does not say which task it is nor how many samples there should be.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source, as_json
from compliance.importers.values import cases, clip, count, mapping, number, present, some, utc, word

TOOL = "lm-eval"

_SHARES = {"acc", "acc_norm", "exact_match", "em"}
"""Metrics that are shares of samples which are right or wrong."""
_SAMPLE = {"doc_id", "resps", "filtered_resps", "target"}
_NO_METRIC = {"alias", "name", "sample_len", "sample_count", "samples", " "}


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict):
        return False
    versions = data.get("versions")
    if not isinstance(versions, dict) or not versions:
        return False
    return {"configs", "n-shot"} <= data.keys() or (
        "config" in data and versions.keys() & data["results"].keys() != set()
    )


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    results = mapping(data["results"], "results")
    config = mapping(data.get("config") or {}, "config")
    subtasks = {
        task: list(below) for task, below in mapping(data.get("group_subtasks") or {}, "group_subtasks").items()
    }
    below = {name for names in subtasks.values() for name in names}
    gaps = []
    if config.get("limit") is not None:
        gaps.append(f"The run was limited: limit is {number(config['limit']) or 'set'}.")
    records = [_record(task, results, data, subtasks) for task in results if task not in below]
    began = data.get("date")
    seconds = number(data.get("total_evaluation_time_seconds"))
    ended = float(number(began) or 0) + float(seconds) if seconds and number(began) else None
    return Reading(
        records=records or [no_result(TOOL, "a run without results", "The file holds no result.")],
        tool_version=word(data.get("lm_eval_version")),
        started_at=utc(began),
        ended_at=utc(ended),
        model=word(data.get("model_name") or _model(config)),
        gaps=gaps,
        notes=[f"Git hash of the harness: {word(data['git_hash'])}."] if data.get("git_hash") else [],
    )


def _model(config: Mapping[str, Any]) -> str | None:
    arguments = config.get("model_args")
    told = arguments if isinstance(arguments, str) else as_json(arguments) if arguments else ""
    return " ".join(filter(None, [str(config.get("model") or ""), told])) or None


def _tree(task: str, subtasks: Mapping[str, list[str]], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the subtasks of a task at every depth, each once."""
    for name in subtasks.get(task, []):
        if name not in seen:
            yield name
            yield from _tree(name, subtasks, seen | {task, name})


def _record(
    task: str, results: Mapping[str, Any], data: Mapping[str, Any], subtasks: Mapping[str, list[str]]
) -> dict[str, Any]:
    rows, gaps = Rows(), []
    members = [task, *dict.fromkeys(_tree(task, subtasks))]
    for name in members:
        if name not in results:
            gaps.append(f"{name} belongs to {task} and has no result.")
            continue
        planned, done = _samples(name, data)
        if planned is not None and done is not None and done < planned:
            gaps.append(f"{name} was run on {done} of {planned} samples.")
        _add(rows, name, {} if name == task else {"task": name[:200]}, mapping(results[name], name), data, done)
    if not rows.rows:
        return no_result(TOOL, task, "No figure of this task could be taken over.", [*gaps, *rows.gaps])
    settings = mapping(mapping(data.get("configs") or {}, "configs").get(task) or {}, task)
    generate = settings.get("generation_kwargs") or {}
    shots = mapping(data.get("n-shot") or {}, "n-shot").get(task)
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {task}",
        "task": task,
        "benchmark": present(
            {
                "name": word(task),
                "version": _version(mapping(data["versions"], "versions").get(task)),
                "items": _samples(task, data)[0] or None,
                "url": word(settings.get("dataset_path")),
            }
        ),
        "setting": "benchmark",
        "unit_of_analysis": "sample",
        "metrics": rows.rows,
        **present(
            {
                "prompting": present(
                    {
                        "shots": count(shots),
                        "temperature": number(generate.get("temperature")) if isinstance(generate, dict) else None,
                        "template": clip(str(settings.get("doc_to_text") or ""), 2000),
                    }
                ),
                "seed": _seeds(mapping(data.get("config") or {}, "config")),
            }
        ),
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
    }


def _version(told: Any) -> str | None:
    """Return a task's version; a group of tasks has none, and says so."""
    return None if told == "N/A" else word(told)


def _samples(task: str, data: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return how many samples a task has, and how many were run."""
    told = mapping(data.get("n-samples") or {}, "n-samples").get(task)
    if not isinstance(told, dict):
        return None, count(mapping(mapping(data["results"], "results").get(task) or {}, task).get("sample_len"))
    return count(told.get("original")), count(told.get("effective"))


def _add(
    rows: Rows, task: str, group: dict[str, str], result: Mapping[str, Any], data: Mapping[str, Any], n: int | None
) -> None:
    """Add a task's figures, each with the standard error beside it."""
    directions = mapping(data.get("higher_is_better") or {}, "higher_is_better").get(task) or {}
    keys = [key for key in result if key not in _NO_METRIC and "_stderr" not in key]
    names = [key.partition(",")[0] for key in keys]
    for key, name in zip(keys, names, strict=True):
        chosen = key.partition(",")[2]
        higher = mapping(directions, "higher_is_better").get(name)
        better = ("higher" if higher else "lower") if isinstance(higher, bool) else None
        among = {"filter": chosen[:200]} if chosen and names.count(name) > 1 else {}
        x = cases(result[key], n) if name in _SHARES and not (data.get("group_subtasks") or {}).get(task) else None
        row = rows.add(
            name,
            None if x is not None else result[key],
            better=better,
            group={**group, **among},
            n=n or None,
            x=x,
            standard_error=result.get(f"{name}_stderr,{chosen}" if chosen else f"{name}_stderr"),
        )
        if row is not None and x is not None:
            row["note"] = f"The file states {number(result[key])}."


def _seeds(config: Mapping[str, Any]) -> str | None:
    told = {name: config.get(f"{name}_seed") for name in ("random", "numpy", "torch", "fewshot")}
    return word(", ".join(f"{name} {seed}" for name, seed in told.items() if seed is not None)) or None


def _recognise_samples(source: Source) -> bool:
    if source.lines is None:
        return False
    first = source.lines.values[0]
    return isinstance(first, dict) and first.keys() >= _SAMPLE


def _read_samples(source: Source, given: Given) -> Reading:
    lines = source.lines
    assert lines is not None
    samples = [mapping(value, "a line") for value in lines.values]
    counted: dict[tuple[str, str], list[Any]] = {}
    for sample in samples:
        for name in sample.get("metrics") or [name for name in sample if name in _SHARES]:
            counted.setdefault((str(name), str(sample.get("filter") or "none")), []).append(sample.get(str(name)))
    rows = Rows()
    for (name, chosen), values in counted.items():
        if all(value in (0, 1) for value in values):
            group = {"filter": chosen} if len({one for _, one in counted}) > 1 else None
            rows.add(name, None, group=group, x=sum(int(value) for value in values), n=len(values))
        else:
            rows.left_out.append(name)
    gaps = ["The samples alone do not say which task they belong to, nor how many there should be."]
    gaps += [f"The file is cut off: {lines.broken}"] if lines.broken else []
    what = some(len({str(sample["doc_id"]) for sample in samples}), "sample")
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {what}",
        "unit_of_analysis": "sample",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "summary": f"Only shares of right answers are counted again. {' '.join(rows.notes())}".strip(),
    }
    return Reading(
        records=[record if rows.rows else no_result(TOOL, what, "No share of right answers stands in it.")],
        gaps=gaps,
        withheld=f"{what} with prompts and answers",
    )


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"results"', b'"configs"', b'"doc_to_text"'),))
SAMPLES = Importer(TOOL, _recognise_samples, _read_samples)
