"""Hugging Face: a model page's `model-index` becomes one evaluation per dataset, `.eval_results` a document.

Both are self-reported; a `verifyToken` is a claim that nobody here checked. A figure above one where only a share can
stand is read as per cent. An eval result names neither its metric nor which way is better, so it stays a statement.
YAML has no end mark: a file cut off between two results cannot be told from a whole one.
"""

from collections.abc import Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, UnreadableError, no_result
from compliance.importers.metrics import SAME, Rows, per_cent
from compliance.importers.source import Source
from compliance.importers.values import clip, label, listing, mapping, number, present, some, word
from compliance.kinds.metrics import KNOWN

TOOL = "Hugging Face"


def _recognise(source: Source) -> bool:
    return source.front is not None and "model-index" in source.front


def _read(source: Source, given: Given) -> Reading:
    front = mapping(source.front, "the front matter")
    records = []
    for entry in listing(front["model-index"], "model-index"):
        model = mapping(entry, "a model")
        name = word(model.get("name")) or "unnamed model"
        records += [_record(name, mapping(one, "a result")) for one in listing(model.get("results") or [], "results")]
    if not records:
        raise UnreadableError("The page's model-index holds no result.")
    names = dict.fromkeys(word(one.get("name")) for one in front["model-index"])
    return Reading(
        records=_distinct(records),
        model=", ".join(filter(None, names)) or None,
        notes=["Self-reported by the page's author."],
    )


def _record(model: str, result: Mapping[str, Any]) -> dict[str, Any]:
    data = mapping(result.get("dataset") or {}, "dataset")
    task = mapping(result.get("task") or {}, "task")
    name = word(data.get("name") or data.get("type")) or "unnamed dataset"
    rows, claimed = Rows(), 0
    for entry in listing(result.get("metrics") or [], "metrics"):
        metric = mapping(entry, "a metric")
        claimed += bool(metric.get("verified"))
        kind = str(metric["type"])
        digits, note = _scaled(kind, number(metric.get("value")))
        given = {"value": metric.get("value")} if digits is None else {"value": digits}
        group = {} if not _stands(rows, kind) else {"variant": word(metric.get("name") or metric.get("config")) or "?"}
        told = ". ".join(filter(None, [word(metric.get("name")), note]))
        rows.add(kind, given["value"], group=group, note=told)
    if not rows.rows:
        return no_result(TOOL, f"{model} on {name}", "No figure could be taken over.", rows.gaps)
    notes = [*rows.notes(), *([f"{some(claimed, 'figure')} called verified; no token was checked."] if claimed else [])]
    source = mapping(result.get("source") or {}, "source")
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {model} on {name}",
        "basis": "published",
        "citation": present(
            {"title": f"Model page of {model}", "identifier": word(source.get("url")), "where": "model-index"}
        ),
        "benchmark": present(
            {
                "name": name,
                "version": word(data.get("revision")),
                "sampling": ", ".join(filter(None, [word(data.get("config")), word(data.get("split"))])),
            }
        ),
        "task": word(task.get("name") or task.get("type")) or "not stated",
        "setting": "benchmark",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "summary": " ".join(notes),
    }


def _stands(rows: Rows, kind: str) -> bool:
    ours = SAME.get(label(kind), label(kind))
    return any(row["name"] == ours for row in rows.rows)


def _scaled(kind: str, digits: str | None) -> tuple[str | None, str | None]:
    """Return a figure of a metric that cannot exceed one as a share, where it is plainly written per cent."""
    known = KNOWN.get(SAME.get(label(kind), label(kind)))
    if digits is None or known is None or known.high != 1 or not 1 < float(digits) <= 100:
        return digits, None
    return per_cent(digits), f"Written as {digits}, read as per cent."


def _distinct(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Number the titles that repeat: a page may report one dataset twice."""
    seen: dict[str, int] = {}
    for record in records:
        seen[record["title"]] = seen.get(record["title"], 0) + 1
        if seen[record["title"]] > 1:
            record["title"] += f" [{seen[record['title']]}]"
    return records


# --- .eval_results/*.yaml --------------------------------------------------------------------------


def _recognise_results(source: Source) -> bool:
    if not source.holds(b"task_id", b"dataset", b"value") or not source.yaml:  # not every text is worth parsing
        return False
    return all(
        isinstance(one.get("dataset"), dict) and {"id", "task_id"} <= one["dataset"].keys() for one in source.yaml
    )


def _read_results(source: Source, given: Given) -> Reading:
    results = source.yaml
    assert results is not None
    gaps = [] if source.data.endswith(b"\n") else ["The last line has no end: the file may be cut off."]
    statements = []
    for result in results:
        data, origin = mapping(result["dataset"], "dataset"), mapping(result.get("source") or {}, "source")
        where = " ".join(filter(None, [word(data["id"]), word(data["task_id"]), word(data.get("revision"))]))
        digits = number(result.get("value"))
        if digits is None:
            gaps.append(f"{where} has no figure.")
            continue
        told = [f"Result on {where}", word(result.get("date")), word(result.get("notes")), word(origin.get("url"))]
        if result.get("verifyToken"):
            told.append("called verified, token not checked")
        statements.append(
            {"statement": clip(", ".join(filter(None, told)), 2000), "where": word(where), "value": digits}
        )
    return Reading(
        records=[
            {
                "kind": "document",
                "document_type": "model-card",
                "title": f"{TOOL}: {some(len(results), 'evaluation result')} of a model page",
                "status": "published",
                **present({"statements": statements}),
            }
        ],
        gaps=gaps,
        notes=["Self-reported unless verified; neither metrics nor their directions are stated."],
    )


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b"---", b"model-index:"),))
RESULTS = Importer(TOOL, _recognise_results, _read_results, marks=((b"task_id:", b"dataset:", b"value:"),))
