"""Giskard: a `scan.json` becomes safety results by sort of harm, a `suite_result.json` one evaluation.

A scan names each detector with sentences about what it found. A detector that failed is written like one that found
nothing, so an empty one has no figure and makes the record incomplete. Neither file names model, data, version or
date. A test of a suite that ended in an error is written as failed, without a value; it is no failure of the model.
"""

import re
from collections.abc import Mapping
from typing import Any

from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows, named
from compliance.importers.source import Source
from compliance.importers.values import clip, listing, mapping, number, word

TOOL = "Giskard"

_CATEGORIES = {
    "EthicalBiasDetector": "bias",
    "PerformanceBiasDetector": "bias",
    "SpuriousCorrelationDetector": "bias",
    "LLMStereotypesDetector": "bias",
    "LLMHarmfulContentDetector": "toxicity",
    "LLMInformationDisclosureDetector": "privacy",
    "LLMPromptInjectionDetector": "adversarial",
    "LLMCharsInjectionDetector": "input-handling",
    "LLMFaithfulnessDetector": "misinformation",
    "LLMImplausibleOutputDetector": "misinformation",
    "LLMBasicSycophancyDetector": "misinformation",
}
"""What a detector looks for; the rest disturb inputs or look at the model's own certainty: `robustness`."""
_SLICE = re.compile(r"(?P<metric>.+?) on data slice [“\"](?P<slice>.+)[”\"]")
_OUTCOMES = {"Passed": True, "Failed": False}


def _recognise_scan(source: Source) -> bool:
    data = source.json
    return (
        isinstance(data, dict)
        and bool(data)
        and all(name.endswith("Detector") and isinstance(found, dict) for name, found in data.items())
    )


def _recognise_suite(source: Source) -> bool:
    data = source.json
    return (
        isinstance(data, dict)
        and bool(data)
        and all(
            isinstance(one, dict) and one.keys() == {"result", "metric_value"} and one["result"] in tuple(_OUTCOMES)
            for one in data.values()
        )
    )


def _read_scan(source: Source, given: Given) -> Reading:
    grouped: dict[str, dict[str, Any]] = {}
    for name, found in mapping(source.json, "the scan").items():
        grouped.setdefault(_CATEGORIES.get(name, "robustness"), {})[name] = found
    return Reading(records=[_scanned(category, grouped[category]) for category in sorted(grouped)])


def _scanned(category: str, detectors: Mapping[str, Any]) -> dict[str, Any]:
    rows = Rows()
    silent, remarks = [], []
    for detector, found in detectors.items():
        if not found:
            silent.append(detector)
        for level, sentences in mapping(found, detector).items():
            told = [str(one) for one in listing(sentences, level)]
            group = {"detector": detector[:200], "level": str(level)[:200]}
            rows.add("issues", len(told), better="lower", unit="count", group=group)
            remarks += [clip(f"{detector}, {level}: {one}", 2000) for one in told]
    gaps = []
    if silent:
        gaps.append(f"Whether {', '.join(silent)} found nothing or failed is not told apart in the file.")
    if not rows.rows:
        return no_result(TOOL, f"scan, {category}", "No issue is listed.", gaps)
    return {
        "kind": "safety-result",
        "category": category,
        "title": f"{TOOL}: scan, {category}",
        "benchmark": {"name": "Giskard scan"},
        "metrics": rows.rows,
        "gaps": gaps,
        "remarks": remarks,
    }


def _read_suite(source: Source, given: Given) -> Reading:
    tests = {name: mapping(one, name) for name, one in mapping(source.json, "the suite").items()}
    judged = {name: one for name, one in tests.items() if number(one["metric_value"]) is not None}
    gaps = []
    if left := len(tests) - len(judged):
        gaps.append(f"{left} of {len(tests)} tests have no value: they ended in an error or could not measure.")
    if not judged:
        return Reading(records=[no_result(TOOL, "a suite without results", "No test has a value.")], gaps=gaps)
    rows = Rows()
    rows.add("pass_rate", None, x=sum(_OUTCOMES[one["result"]] for one in judged.values()), n=len(judged))
    for name, one in judged.items():
        sliced = _SLICE.fullmatch(name)
        metric, value = (sliced["metric"], one["metric_value"]) if sliced else (name, one["metric_value"])
        if named(metric) is None:
            rows.left_out.append(word(name) or "?")
        elif sliced:
            rows.add(metric, value, group={"slice": clip(sliced["slice"], 200)})
        else:
            rows.add(metric, value)
    failed = [f"Failed: {clip(name, 500)}." for name, one in judged.items() if not _OUTCOMES[one["result"]]]
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: test suite",
        "task": "test suite",
        "unit_of_analysis": "test",
        "metrics": rows.rows,
        "gaps": rows.gaps,
        "summary": " ".join(rows.notes()),
        **({"remarks": failed} if failed else {}),
    }
    return Reading(records=[record], gaps=gaps)


SCAN = Importer(TOOL, _recognise_scan, _read_scan, marks=((b'"StochasticityDetector"', b'"PerformanceBiasDetector"'),))
SUITE = Importer(TOOL, _recognise_suite, _read_suite, marks=((b'"metric_value"', b'"result"', b"on data slice"),))
