"""MedHELM: what its metrics mean beyond HELM's, which way they are better, and whether its jury judged.

A jury of models grades generated text; its mean grade is called `…_accuracy` and is no share of right answers. Where no
juror's answer could be read, the run's default counts as the grade, which the statistics do not show: it is looked for
in the requests. Names and directions are those of `schema_medhelm.yaml` in crfm-helm 0.5.16.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.importers.values import listing, mapping

_HIGHER = (
    "live_qa_score", "medication_qa_score", "medcalc_bench_accuracy", "medec_error_flag_accuracy",
    "medec_error_sentence_accuracy", "ehr_sql_precision_answerable", "ehr_sql_recall_answerable",
    "ehr_sql_execution_accuracy", "ehr_sql_query_validity", "mimiciv_billing_code_precision",
    "mimiciv_billing_code_recall", "mimiciv_billing_code_f1", "exact_match@5", "quasi_exact_match@5",
    "prefix_exact_match@5", "quasi_prefix_exact_match@5", "summac", "QAFactEval", "BERTScore-P", "BERTScore-R",
    "BERTScore-F", "HumanEval-faithfulness", "HumanEval-relevance", "HumanEval-coherence", "selective_cov_acc_area",
    "selective_acc@10",
)  # fmt: skip
_LOWER = (
    "expected_max_toxicity", "max_toxicity_probability", "toxic_frac", "ece_10_bin", "ece_1_bin", "platt_ece_10_bin",
    "platt_ece_1_bin",
)  # fmt: skip
_BETTER = dict.fromkeys(_HIGHER, "higher") | dict.fromkeys(_LOWER, "lower")
_JURY = "llm_jury_metrics.LLMJuryMetric"


def juries(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the jury metrics of a run by name, with what the run said of them."""
    told = {}
    for one in listing(spec.get("metric_specs") or [], "metric_specs"):
        if str(one.get("class_name")).endswith(_JURY):
            arguments = mapping(one.get("args") or {}, "args")
            told[str(arguments["metric_name"])] = arguments
    return told


def meaning(name: str, jury: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a metric row says beside its figure."""
    if name in jury:
        return {"better": "higher", "unit": "score", "note": "A jury of models' mean grade, no share of answers."}
    return {"better": _BETTER[name]} if name in _BETTER else {}


def unjudged(jury: Mapping[str, Mapping[str, Any]], requests: list[Any]) -> Iterator[str]:
    """Yield of each jury metric how many requests no juror judged, and what counts as their grade."""
    for name, arguments in jury.items():
        scenario, jurors = str(arguments.get("scenario_name")), arguments.get("annotator_models") or {}
        missing = sum(1 for request in requests if not _judged(request, scenario, jurors))
        if missing:
            default = arguments.get("default_score", 0)
            yield f"No juror judged {missing} of {len(requests)} requests for {name}; {default} counts as their grade."


def _judged(request: Any, scenario: str, jurors: Mapping[str, Any]) -> bool:
    told = (mapping(request, "a request").get("annotations") or {}).get(scenario)
    return isinstance(told, dict) and any(told.get(juror) for juror in jurors)
