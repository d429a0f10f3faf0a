"""Moonshot: a runner's result becomes one evaluation per recipe, its rows by endpoint, dataset and prompt template.

Incomplete: less than all prompts (`prompt_selection_percentage`), a status other than completed, a recipe without
result. Figures are percentages. A file may hold several endpoints; each keeps rows of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import cases, listing, mapping, number, some, utc, word

TOOL = "Moonshot"

_SHARES = {"accuracy", "exact_str_match"}
_NO_METRIC = {"grading_criteria", "individual_scores", "details"}


def _recognise(source: Source) -> bool:
    data = source.json
    if not isinstance(data, dict):
        return False
    told, results = data.get("metadata"), data.get("results")
    return (
        isinstance(told, dict)
        and "endpoints" in told
        and isinstance(results, dict)
        and bool({"recipes", "cookbooks"} & results.keys())
    )


def _read(source: Source, given: Given) -> Reading:
    data = mapping(source.json, "the file")
    told = mapping(data["metadata"], "metadata")
    recipes = list(_recipes(mapping(data["results"], "results")))
    gaps = []
    share = number(told.get("prompt_selection_percentage"))
    if share is None and told.get("num_of_prompts"):
        gaps.append(f"The run was limited to {word(told['num_of_prompts'])} prompts of each dataset.")
    elif share is not None and float(share) < 100:
        gaps.append(f"Only {share} % of the prompts were selected.")
    if told.get("status") != "completed":
        gaps.append(f"The run's status is {word(told.get('status')) or 'not stated'}, not completed.")
    done = {str(recipe.get("id")) for recipe in recipes}
    gaps += [f"The recipe {name} has no result." for name in told.get("recipes") or [] if str(name) not in done]
    records = [_record(recipe) for recipe in recipes]
    prompts = sum(len(detail.get("data") or []) for recipe in recipes for detail in recipe.get("details") or [])
    began, ended = told.get("start_time"), told.get("end_time")
    return Reading(
        records=records or [no_result(TOOL, "a run without results", "The file holds no recipe's result.")],
        started_at=utc(began),
        ended_at=utc(ended),
        clock=(began, ended),
        model=", ".join(str(name) for name in told.get("endpoints") or []) or None,
        gaps=gaps,
        withheld=f"{some(prompts, 'prompt')} with answers" if prompts else None,
    )


def _recipes(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cookbook in listing(results.get("cookbooks") or [], "cookbooks"):
        yield from _recipes(mapping(cookbook, "a cookbook"))
    for recipe in listing(results.get("recipes") or [], "recipes"):
        yield mapping(recipe, "a recipe")


def _record(recipe: Mapping[str, Any]) -> dict[str, Any]:
    name = word(recipe.get("id")) or "a recipe"
    rows = Rows()
    gaps = []
    for entry in listing(recipe.get("details") or [], "details"):
        detail = mapping(entry, "a detail")
        asked = (("endpoint", "model_id"), ("dataset", "dataset_id"), ("template", "prompt_template_id"))
        group = {key: word(detail.get(field)) or "not stated" for key, field in asked}
        n = len(listing(detail.get("data") or [], "data"))
        if not n:
            gaps.append(f"{group['endpoint']} was asked nothing from {group['dataset']}.")
            continue
        for metric in listing(detail.get("metrics") or [], "metrics"):
            for key, value in mapping(metric, "a metric").items():
                if key not in _NO_METRIC and not isinstance(value, dict | list | str):
                    _add(rows, key, value, group, n)
    if not rows.rows:
        return no_result(TOOL, name, "No figure could be taken over.", [*gaps, *rows.gaps])
    return {
        "kind": "evaluation",
        "title": f"{TOOL}: {name}",
        "task": name,
        "benchmark": {"name": name},
        "setting": "benchmark",
        "unit_of_analysis": "prompt",
        "metrics": rows.rows,
        "gaps": [*gaps, *rows.gaps],
        "summary": " ".join(rows.notes()),
    }


def _add(rows: Rows, key: str, value: Any, group: dict[str, str], n: int) -> None:
    """Add a percentage, as counts where it is a share of right answers."""
    digits = number(value)
    x = cases(float(digits) / 100, n) if key in _SHARES and digits is not None else None
    if x is not None:
        rows.add("accuracy", None, group=group, n=n, x=x, note=f"The file states {digits} per cent as {key}.")
    else:
        rows.add(key, value, group=group, n=n, unit="percent" if key in _SHARES else None)


IMPORTER = Importer(TOOL, _recognise, _read, marks=((b'"endpoints"', b'"prompt_template_id"'),))
