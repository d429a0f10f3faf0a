"""MedHELM: a jury's grade is no share, an unjudged answer is no grade, its metrics have a direction.

The folder is built from `benchmark/metrics/llm_jury_metrics.py` and `benchmark/run_specs/medhelm_run_specs.py` of
crfm-helm 0.5.16: running MedHELM needs a model and a jury of them.
"""

import json
from typing import Any

from support.imports import Imported, imported


def _stat(name: str, mean: float, n: int = 2) -> dict[str, Any]:
    total = mean * n
    return {"name": {"name": name, "split": "test"}, "count": n, "sum": total, "sum_squared": total, "mean": mean}


def _run(*annotations: Any, stats: dict[str, float] | None = None) -> Imported:
    jurors = {"gpt": {"model_name": "a"}, "llama": {"model_name": "b"}}
    arguments = {
        "metric_name": "aci_bench_accuracy",
        "scenario_name": "aci_bench",
        "annotator_models": jurors,
        "default_score": 1.0,
    }
    spec = {
        "name": "aci_bench:model=m",
        "scenario_spec": {"class_name": "ACIBenchScenario"},
        "adapter_spec": {"model": "m", "max_eval_instances": 1000},
        "metric_specs": [{"class_name": "helm.benchmark.metrics.llm_jury_metrics.LLMJuryMetric", "args": arguments}],
    }
    told = stats or {"aci_bench_accuracy": 4.5}
    requests = [{"result": {"success": True}, "annotations": one} for one in annotations]
    every = [_stat("num_instances", float(len(annotations)), 1), *(_stat(name, mean) for name, mean in told.items())]
    files = {
        "run_spec.json": spec,
        "stats.json": every,
        "per_instance_stats.json": [],
        "scenario.json": {"name": "aci_bench", "description": "notes"},
        "scenario_state.json": {"request_states": requests},
    }
    return imported({name: json.dumps(value).encode() for name, value in files.items()})


JUDGED = {"aci_bench": {"gpt": {"accuracy": {"score": 5}}, "llama": {"accuracy": {"score": 4}}}}
SILENT = {"aci_bench": {"gpt": None, "llama": None}}


def test_a_jurys_grade_is_no_share_although_it_is_called_accuracy() -> None:
    got = _run(JUDGED, JUDGED)
    row = got.row("aci_bench_accuracy", split="test")
    assert (row["value"], row["unit"], row["better"]) == ("4.5", "score", "higher")
    assert "no share" in row["note"]
    assert got.only["completeness"] == "complete"


def test_a_default_that_counts_as_a_grade_is_told() -> None:
    got = _run(JUDGED, SILENT)
    assert got.only["completeness"] == "incomplete"
    assert "No juror judged 1 of 2 requests for aci_bench_accuracy; 1.0 counts as their grade" in got.reasons
    assert "No juror judged 2 of 2" in _run(None, {}).reasons
    assert _run({"aci_bench": {"gpt": {"accuracy": {"score": 5}}, "llama": None}}).only["completeness"] == "complete"


def test_its_metrics_have_a_direction() -> None:
    got = _run(JUDGED, stats={"medcalc_bench_accuracy": 0.5, "ece_10_bin": 0.1, "BERTScore-F": 0.8, "odd_metric": 3.0})
    assert got.row("medcalc_bench_accuracy", split="test")["better"] == "higher"
    assert got.row("ece_10_bin", split="test")["better"] == "lower"
    assert got.row("bertscore_f", split="test")["better"] == "higher"
    assert "odd_metric" in got.summaries
