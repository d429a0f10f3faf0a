"""HELM and MedHELM: the folder of one run becomes one evaluation, its rows by split and perturbation.

`stats.json` mixes figures with counts of tokens and seconds, which are not taken over; one name stands there once per
split and perturbation. Figures are held against `per_instance_stats.json`. Incomplete: one of the five files missing,
a request that failed, as many instances as `max_eval_instances` allowed. Version and date are in none of the files.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers import medhelm
from compliance.importers.base import Given, Importer, NotSaidError, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source, member
from compliance.importers.values import cases, clip, count, label, listing, mapping, number, present, some, word

TOOL = "crfm-helm"

_NEEDED = ("run_spec.json", "stats.json")
_FILES = (*_NEEDED, "per_instance_stats.json", "scenario.json", "scenario_state.json")
_BOOKKEEPING = (
    "num_", "training_", "inference_", "batch_size", "finish_reason_", "max_prob", "prompt_truncated", "logprob",
    "predicted_index", "bits_per_byte", "perplexity", "denoised_", "estimated_num_",
)  # fmt: skip
"""Beginnings of the names that count or time the run, or describe its tokens, and measure no quality."""
_SHARES = {"exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match"}
_CLOSE = 1e-6


def _recognise(source: Source) -> bool:
    return source.is_folder and all(name in source.files for name in _NEEDED)


def _read(source: Source, given: Given) -> Reading:
    here = [name for name in _FILES if name in source.files]
    spec = mapping(member(source.files, "run_spec.json"), "run_spec.json")
    stats = [mapping(one, "a statistic") for one in listing(member(source.files, "stats.json"), "stats.json")]
    adapter = mapping(spec["adapter_spec"], "adapter_spec")
    scenario = mapping(member(source.files, "scenario.json"), "scenario.json") if "scenario.json" in here else {}
    gaps = [f"{name} is missing." for name in _FILES if name not in here]
    held, jury = 0, medhelm.juries(spec)
    if "scenario_state.json" in here:
        state = mapping(member(source.files, "scenario_state.json"), "scenario_state.json")
        requests = listing(state["request_states"], "request_states")
        held = len(requests)
        failed = sum(1 for one in requests if not (one.get("result") or {}).get("success"))
        if failed:
            gaps.append(f"{failed} of {held} requests have no result.")
        gaps += medhelm.unjudged(jury, requests)
    instances = _instances(stats)
    allowed = count(adapter.get("max_eval_instances"))
    if allowed and sum(instances.values()) >= allowed:
        gaps.append(f"The run stopped at its limit of {allowed} instances.")
    rows = Rows()
    for name, group, value in _figures(stats):
        n = instances.get(group["split"]) if len(group) == 1 else None
        x = cases(value, n) if name in _SHARES else None
        said = medhelm.meaning(name, jury)
        rows.add(name, None if x is not None else value, group=group, n=n, x=x, **said)
    if "per_instance_stats.json" in here:
        gaps += _contradictions(stats, listing(member(source.files, "per_instance_stats.json"), "per_instance_stats"))
    title = word(spec.get("name")) or "a run"
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {title}",
        "task": clip(str(scenario.get("description") or title), 2000),
        "benchmark": present(
            {
                "name": word(scenario.get("name")) or title,
                "items": sum(instances.values()) or None,
                "url": word(scenario.get("definition_path")),
                "sampling": f"at most {allowed} instances" if allowed else None,
            }
        ),
        "setting": "benchmark",
        "unit_of_analysis": "instance",
        "metrics": rows.rows,
        "prompting": present(
            {"shots": count(adapter.get("max_train_instances")), "temperature": number(adapter.get("temperature"))}
        ),
        "gaps": rows.gaps,
        "summary": " ".join(rows.notes()),
    }
    return Reading(
        records=[record if rows.rows else no_result(TOOL, title, "No figure could be taken over.")],
        model=word(adapter.get("model") or adapter.get("model_deployment")),
        gaps=gaps,
        withheld=f"{some(held, 'request')} with prompts and answers" if held else None,
        originals=here,
    )


def _group(name: Mapping[str, Any]) -> dict[str, str]:
    """Return split and perturbation of a statistic as a group of cases."""
    changed = name.get("perturbation")
    told = {"split": str(name.get("split") or "all")}
    if isinstance(changed, dict):
        told |= {
            "perturbation": str(changed.get("name")),
            "computed_on": str(changed.get("computed_on") or "perturbed"),
        }
    return told | ({"sub_split": str(name["sub_split"])} if name.get("sub_split") else {})


def _figures(stats: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, str], Any]]:
    for stat in stats:
        name = mapping(stat["name"], "a name")
        plain = str(name["name"])
        if not plain.startswith(_BOOKKEEPING) and (stat.get("count") or not number(stat.get("sum"))):
            yield plain, _group(name), stat.get("mean")


def _instances(stats: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many instances each split has."""
    told = {}
    for stat in stats:
        name = mapping(stat["name"], "a name")
        if name["name"] == "num_instances" and "perturbation" not in name and (n := count(stat.get("mean"))):
            told[str(name.get("split") or "all")] = n
    return told


def _contradictions(stats: list[dict[str, Any]], per_instance: list[Any]) -> list[str]:
    """Compute the means again from the instances; a difference is told."""
    sums: dict[tuple[str, str], tuple[float, int]] = {}
    for instance in per_instance:
        if instance.get("perturbation"):
            continue
        for stat in instance["stats"]:
            name = stat["name"]
            if not name.get("perturbation") and (value := number(stat.get("mean"))) is not None:
                total, n = sums.get((str(name["name"]), str(name.get("split") or "all")), (0.0, 0))
                sums[str(name["name"]), str(name.get("split") or "all")] = (total + float(value), n + 1)
    told = []
    for name, group, stated in _figures(stats):
        total, n = sums.get((name, group["split"]), (0.0, 0))
        digits = number(stated)
        if len(group) == 1 and n and digits is not None and abs(total / n - float(digits)) > _CLOSE:
            told.append(f"{label(name)} of {group['split']} is stated as {digits}, but its {n} instances give another.")
    return told


def _recognise_part(source: Source) -> bool:
    data = source.json
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return isinstance(data[0].get("name"), dict) and {"sum_squared", "count"} <= data[0].keys()
    return isinstance(data, dict) and {"adapter_spec", "scenario_spec", "metric_specs"} <= data.keys()


def _read_part(source: Source, given: Given) -> Reading:
    raise NotSaidError("This is one file of a HELM run, which says nothing alone.", remedy="Name the run's folder.")


IMPORTER = Importer(TOOL, _recognise, _read)
PART = Importer(TOOL, _recognise_part, _read_part)
