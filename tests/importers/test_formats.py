"""Formats with samples that we made by running the tools, the formats that older versions wrote, and their traps."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.imports import SAMPLES, imported, tool_of

from compliance.importers import NotSaidError, Source, importers, recognise, whose
from compliance.importers.archive import Archive

OURS = (
    "inspect_ai",
    "scikit_learn",
    "junit",
    "sarif",
    "pip_audit",
    "cyclonedx",
    "hugging_face",
    "great_expectations",
    "spdx",
)
ASKED = {
    "scikit_learn/roc.csv": "Import the predictions",
    "great_expectations/suite.json": "log dataset --expectations",
    **{
        f"spdx/{name}": "as JSON of version 2.2 or 2.3"
        for name in ("demo.spdx", "demo.yaml", "demo.xml", "demo.rdf.xml", "three.jsonld")
    },
}
"""Files that say too little, and what is asked for instead."""
FILES = sorted(
    name
    for folder in OURS
    for path in (SAMPLES / folder).iterdir()
    if path.suffix != ".py" and (name := str(path.relative_to(SAMPLES))) not in ASKED
)
EXPECTED = {
    "cyclonedx/env-1.5.json": ("CycloneDX", "sbom", "complete"),
    "cyclonedx/env-1.6.xml": ("CycloneDX", "sbom", "complete"),
    "cyclonedx/env-1.7.json": ("CycloneDX", "sbom", "complete"),
    "great_expectations/validation.json": ("Great Expectations", "dataset", "incomplete"),
    "hugging_face/README-model.md": ("Hugging Face", "evaluation", "complete"),
    "hugging_face/eval_results.yaml": ("Hugging Face", "document", "complete"),
    "inspect_ai/limited.json": ("inspect-ai", "evaluation", "incomplete"),
    "inspect_ai/reduced.eval": ("inspect-ai", "evaluation", "complete"),
    "inspect_ai/whole.eval": ("inspect-ai", "evaluation", "complete"),
    "junit/junit_mixed.xml": ("JUnit XML", "document", "incomplete"),
    "junit/junit_passed.xml": ("JUnit XML", "document", "complete"),
    "pip_audit/all_skipped.json": ("pip-audit", "sbom", "incomplete"),
    "spdx/demo.json": ("SPDX", "sbom", "complete"),
    "sarif/bandit.sarif.json": ("SARIF", "safety-result", "complete"),
    "scikit_learn/classification_report.json": ("scikit-learn", "evaluation", "complete"),
    "scikit_learn/classification_report.csv": ("scikit-learn", "evaluation", "complete"),
    "scikit_learn/labels_left_out.json": ("scikit-learn", "evaluation", "incomplete"),
    "scikit_learn/classification_report.txt": ("scikit-learn", "evaluation", "complete"),
    "scikit_learn/decisions.csv": ("scikit-learn", "evaluation", "complete"),
}
COMPUTED = "scikit_learn/scores.csv"
"""Its figures are computed by the service, from the file."""


def changed(name: str, change: Callable[[Any], None]) -> bytes:
    data = json.loads((SAMPLES / name).read_text())
    change(data)
    return json.dumps(data).encode()


def test_every_sample_is_expected_here() -> None:
    assert {*EXPECTED, COMPUTED} == set(FILES)


@pytest.mark.parametrize("name", ASKED)
def test_what_says_too_little_names_what_to_import_instead(name: str) -> None:
    with pytest.raises(NotSaidError) as asked:
        imported((SAMPLES / name).read_bytes(), dataset="data@1")
    assert ASKED[name] in asked.value.remedy


@pytest.mark.parametrize("name", EXPECTED)
def test_tool_kind_and_completeness(name: str) -> None:
    got = imported((SAMPLES / name).read_bytes(), dataset="data@1")
    assert got.tool == EXPECTED[name][0]
    assert {(record["kind"], record["completeness"]) for record in got.records} == {EXPECTED[name][1:]}


@pytest.mark.parametrize("name", FILES)
def test_exactly_one_importer_recognises_it(name: str) -> None:
    source = Source.of("x", (SAMPLES / name).read_bytes())
    assert len([one.tool for one in importers() if one.recognise(source)]) == 1


NO_END = {"hugging_face/README-model.md", "hugging_face/eval_results.yaml", "scikit_learn/decisions.csv", COMPUTED}
"""Formats without an end mark: a cut between two lines cannot be seen."""


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(set(FILES) - NO_END)), st.floats(0, 1, exclude_max=True))
def test_what_is_left_of_a_truncated_file_is_never_complete(name: str, share: float) -> None:
    whole = (SAMPLES / name).read_bytes()
    cut = whole[: int(len(whole) * share)]
    source = Source.of("cut", cut)
    if cut.strip() == whole.strip() or (recognise(source) or whose(source)) is None:
        return
    assert all(record["completeness"] != "complete" for record in imported(cut, dataset="data@1").records)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400))
def test_a_table_cut_within_a_line_is_never_complete(length: int) -> None:
    cut = (SAMPLES / "scikit_learn/decisions.csv").read_bytes()[:length]
    if recognise(Source.of("cut", cut)) is None or cut.endswith(b"\n"):
        return
    assert imported(cut, dataset="data@1").only["completeness"] != "complete"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_bytes_changed_anywhere_never_crash(name: str, at: int, put: bytes) -> None:
    data = bytearray((SAMPLES / name).read_bytes())
    at %= len(data)
    data[at : at + len(put)] = put
    source = Source.of("changed", bytes(data))
    if name != COMPUTED and (recognise(source) or whose(source)) is not None:
        assert imported(bytes(data), dataset="data@1").records


# --- Inspect AI ------------------------------------------------------------------------------------


def test_zstandard_members_are_read() -> None:
    data = (SAMPLES / "inspect_ai/whole.eval").read_bytes()
    archive = Archive(data)
    assert json.loads(archive["header.json"])["status"] == "success"
    got = imported(data)
    assert [record["title"] for record in got.records] == ["inspect-ai: doses, includes", "inspect-ai: doses, match"]
    row = got.records[0]["content"]["metrics"][0]
    assert (row["x"], row["n"], row["ci_method"]) == (4, 6, "clopper-pearson")
    assert got.version == "0.3.285"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda log: log.update(status="error"), "status is error"),
        (lambda log: log.update(invalidated=True), "invalidated"),
        (lambda log: log["samples"][0].update(invalidation={"author": "x"}), "invalidated"),
        (lambda log: log["results"].update(early_stopping={"early_stops": [{"id": 1}]}), "1 samples were skipped"),
        (lambda log: log["results"].update(completed_samples=1), "1 of 2 samples did not complete"),
        (lambda log: log["samples"].pop(), "holds 1 of 2 samples"),
        (lambda log: log["samples"][0].update(error={"message": "x"}), "1 samples ended in an error"),
        (lambda log: log["results"]["scores"][0]["metrics"]["accuracy"].update(value=1.0), "its samples give another"),
        (lambda log: log["results"]["scores"][0]["metrics"]["accuracy"].update(value=float("nan")), "nan"),
    ],
)
def test_what_a_log_lacks_is_named(change: Callable[[Any], None], reason: str) -> None:
    def without_limit(log: Any) -> None:
        log["eval"]["config"]["limit"] = None
        change(log)

    got = imported(changed("inspect_ai/limited.json", without_limit))
    assert got.records[0]["completeness"] == "incomplete"
    assert reason in got.reasons


def test_a_log_without_samples_is_not_one_that_was_emptied() -> None:
    def unlimited(log: Any) -> None:
        log["eval"]["config"]["limit"] = None

    def emptied(log: Any) -> None:
        unlimited(log)
        log["samples"] = []

    def header_only(log: Any) -> None:
        unlimited(log)
        del log["samples"]

    assert imported(changed("inspect_ai/limited.json", header_only)).records[0]["completeness"] == "complete"
    got = imported(changed("inspect_ai/limited.json", emptied))
    assert got.records[0]["completeness"] == "incomplete"
    assert "The log holds 0 of" in got.reasons


def test_the_best_of_several_answers_is_no_accuracy() -> None:
    got = imported(SAMPLES / "inspect_ai/reduced.eval")
    assert [row["name"] for row in got.rows] == ["accuracy", "accuracy_pass_at_2"] * 2
    assert got.rows[1]["better"] == "higher"
    assert all("ci_low" not in row for row in got.rows), "answers to one question are not independent"


def test_a_range_is_a_limit() -> None:
    ranged = changed("inspect_ai/limited.json", lambda log: log["eval"]["config"].update(limit=[2, 6]))
    assert "limit is 2 to 6" in imported(ranged).reasons


def test_the_same_log_without_its_limit_is_complete() -> None:
    got = imported(changed("inspect_ai/limited.json", lambda log: log["eval"]["config"].pop("limit")))
    assert {record["completeness"] for record in got.records} == {"complete"}


def test_a_run_without_results_keeps_its_original() -> None:
    def failed(log: Any) -> None:
        log.update(status="error", error={"message": "x"})
        del log["results"]

    got = imported(changed("inspect_ai/limited.json", failed)).only
    assert (got["kind"], got["completeness"]) == ("document", "incomplete")
    assert "holds no result" in got["reason"]


# --- lm-eval ---------------------------------------------------------------------------------------


LM_EVAL: dict[str, Any] = {
    "results": {
        "pubmedqa": {"alias": "pubmedqa", "acc,none": 0.75, "acc_stderr,none": "N/A"},
        "mmlu": {"acc,none": 0.5, "acc_stderr,none": 0.1},
        "mmlu_anatomy": {"acc,none": 0.5, "acc_stderr,none": 0.2, "wonder,none": 3.0},
    },
    "group_subtasks": {"mmlu": ["mmlu_anatomy"], "pubmedqa": []},
    "configs": {"pubmedqa": {}, "mmlu_anatomy": {}},
    "versions": {"pubmedqa": 1.0, "mmlu": 2, "mmlu_anatomy": 1},
    "n-shot": {"pubmedqa": 0, "mmlu_anatomy": 5},
    "higher_is_better": {"pubmedqa": {"acc": True}},
    "n-samples": {"pubmedqa": {"original": 500, "effective": 500}, "mmlu_anatomy": {"original": 100, "effective": 100}},
    "config": {"model": "dummy", "limit": None},
}
"""The layout of lm-eval 0.4.13's file with a group and its subtask."""


def lm_eval(**changes: Any) -> bytes:
    return json.dumps(LM_EVAL | changes).encode()


def test_a_group_of_tasks_has_no_version() -> None:
    content = imported(lm_eval(versions={"pubmedqa": 1.0, "mmlu": "N/A"})).records[1]["content"]
    assert "version" not in content["benchmark"]


def test_samples_under_several_filters_are_counted_once() -> None:
    lines = [
        {"doc_id": at, "filter": chosen, "resps": [], "filtered_resps": [], "target": "x", "exact_match": 1.0}
        for at in range(3)
        for chosen in ("strict", "loose")
    ]
    got = imported(b"".join(json.dumps(line).encode() + b"\n" for line in lines), dataset="data@1")
    assert got.only["title"] == "lm-eval: 3 samples"
    assert got.row("exact_match", filter="loose")["n"] == 3


def test_subtasks_are_groups_of_their_task() -> None:
    got = imported(lm_eval())
    assert [record["title"] for record in got.records] == ["lm-eval: pubmedqa", "lm-eval: mmlu"]
    assert got.row("accuracy", task="mmlu_anatomy")["x"] == 50
    assert got.records[0]["content"]["metrics"][0].get("standard_error") is None, "N/A is no figure"
    assert "wonder" in got.summaries, "a metric without a direction is named and not taken over"
    assert {record["completeness"] for record in got.records} == {"complete"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": {"limit": 10.0}}, "limit is 10.0"),
        ({"n-samples": {"pubmedqa": {"original": 500, "effective": 5}}}, "run on 5 of 500 samples"),
        ({"results": {"pubmedqa": {"acc,none": float("nan")}, "mmlu": {"acc,none": 1}}}, "has no figure"),
        ({"results": {"pubmedqa": {"acc,none": 1.0}, "mmlu": {"acc,none": 1}}}, "mmlu_anatomy belongs to mmlu"),
    ],
)
def test_partial_runs_are_incomplete(changes: dict[str, Any], reason: str) -> None:
    assert reason in imported(lm_eval(**changes)).reasons


def test_files_of_before_0_4_are_read() -> None:
    """As tests/testdata of EleutherAI/lm-evaluation-harness at v0.3.0 has them, with the `config` that main.py adds."""
    old = {
        "results": {"arithmetic_1dc": {"acc": 0.5, "acc_stderr": 0.1}},
        "versions": {"arithmetic_1dc": 0},
        "config": {"model": "gpt2", "model_args": "", "num_fewshot": 0, "limit": None},
    }
    got = imported(json.dumps(old).encode())
    assert got.tool == "lm-eval"
    assert got.row("accuracy")["standard_error"] == "0.1"
    assert "its version and when it ran" in got.summaries


# --- garak -----------------------------------------------------------------------------------------


def garak(*entries: dict[str, Any], end: bool = True) -> bytes:
    lines = [{"entry_type": "start_run setup", "_config.version": "0.17.1", "plugins.target_type": "test"}, *entries]
    lines += [{"entry_type": "completion", "end_time": "2026-01-01T00:00:00+00:00"}] if end else []
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def tried(**told: Any) -> dict[str, Any]:
    counts = {"passed": 9, "fails": 1, "nones": 0, "total_evaluated": 10, "total_processed": 10}
    return {"entry_type": "eval", "probe": "promptinject.Hijack", "detector": "d.D"} | counts | told


def test_a_scan_that_did_not_end_is_incomplete() -> None:
    assert "neither a completion nor a digest" in imported(garak(tried(), end=False)).reasons


def test_outputs_that_nobody_could_judge_are_no_passes() -> None:
    got = imported(garak(tried(nones=4)))
    assert "4 outputs were not judged" in got.reasons
    row = got.row("attack_success_rate", probe="promptinject.Hijack", detector="d.D")
    assert (row["x"], row["n"]) == (1, 10)


def test_answers_to_one_prompt_are_not_independent() -> None:
    scan = garak(tried()).replace(b'"plugins.target_type"', b'"run.generations": 2, "plugins.target_type"')
    assert "Each prompt was asked 2 times" in imported(scan).summaries
    assert "asked" not in imported(garak(tried())).summaries


def test_a_scan_without_detectors_is_no_clean_scan() -> None:
    got = imported(garak(end=False)).only
    assert (got["kind"], got["completeness"]) == ("document", "incomplete")
    assert "No probe was evaluated" in got["reason"]


def test_counts_that_cannot_be_leave_the_original_alone() -> None:
    got = imported(garak(tried(passed=11))).only
    assert got["completeness"] == "unreadable"
    assert "counts 11 passes of 10" in got["reason"]


# --- Great Expectations ----------------------------------------------------------------------------


def test_a_raised_exception_is_no_failure_of_the_data() -> None:
    got = imported((SAMPLES / "great_expectations/validation.json").read_bytes())
    run = got.only["content"]["quality"][0]
    by_column = {one.get("column"): one for one in run["expectations"]}
    assert "success" not in by_column["weight"]
    assert (by_column["age"]["unexpected"], by_column["age"]["success"], by_column["age"]["critical"]) == (
        1,
        False,
        True,
    )
    assert (run["evaluated"], run["successful"], run["not_evaluated"], run["success"]) == (4, 1, 1, False)
    assert "1 of 4 expectations could not be evaluated" in got.reasons


def test_values_and_tracebacks_stay_in_the_restricted_original() -> None:
    got = imported((SAMPLES / "great_expectations/validation.json").read_bytes()).only
    said = json.dumps(got["content"]) + got["summary"]
    assert "130" not in said
    assert "Traceback" not in said
    assert got["attachments"][0]["classification"] == "restricted"


def test_an_expectation_says_which_requirements_it_answers() -> None:
    def speak(data: Any) -> None:
        data["results"][0]["expectation_config"]["meta"] = {"requirements": ["eu-ai-act/art-10.3"]}

    run = imported(changed("great_expectations/validation.json", speak)).only["content"]["quality"][0]
    assert [one.get("requirements") for one in run["expectations"]] == [["eu-ai-act/art-10.3"], None, None, None]


def test_a_checkpoints_description_does_not_tell_errors_from_failures() -> None:
    """The layout of `CheckpointResult.describe_dict()` of Great Expectations 1.24.1."""
    described = {
        "success": False,
        "statistics": {"evaluated_validations": 1},
        "validation_results": [{"success": False}],
    }
    with pytest.raises(NotSaidError, match="tells an error from a failure"):
        imported(json.dumps(described).encode())


def test_a_missing_result_is_noticed() -> None:
    got = imported(changed("great_expectations/validation.json", lambda data: data["results"].pop()))
    assert "4 evaluations are stated and 3 listed" in got.reasons


# --- scikit-learn ----------------------------------------------------------------------------------


def test_recall_has_the_counts_of_its_class() -> None:
    got = imported((SAMPLES / "scikit_learn/classification_report.json").read_bytes(), dataset="data@1")
    recall = got.row("recall", **{"class": "0"})
    assert (recall["x"], recall["n"], recall["value"]) == (21, 22, "0.954545")
    assert got.row("accuracy")["x"] == 59
    assert got.row("f1_macro")["value"] == "0.981878586529749"


def test_a_rounded_report_gives_no_counts() -> None:
    got = imported((SAMPLES / "scikit_learn/classification_report.txt").read_bytes(), dataset="data@1")
    recall = got.row("recall", **{"class": "malignant"})
    assert (recall["value"], recall.get("x"), recall["n"]) == ("0.95", None, 22)
    assert "x" not in got.row("recall", **{"class": "benign"}), "1.00 may be 0.996"


def test_a_report_that_went_through_a_frame_reads_the_same() -> None:
    frame, whole = (imported(SAMPLES / f"scikit_learn/classification_report.{end}", dataset="data@1").rows
                    for end in ("csv", "json"))  # fmt: skip
    assert frame == whole


def test_a_report_without_some_classes_is_incomplete() -> None:
    got = imported(SAMPLES / "scikit_learn/labels_left_out.json", dataset="data@1")
    assert "a micro average in place of an accuracy" in got.reasons


def test_an_evaluation_is_held_against_how_many_cases_there_should_be() -> None:
    report = SAMPLES / "scikit_learn/classification_report.json"
    got = imported(report, dataset="data@1", cases=70)
    assert "10 of 70 cases are missing" in got.reasons
    assert got.only["content"]["accountability"]["missing_score"] == 10
    assert imported(report, dataset="data@1", cases=60).only["completeness"] == "complete"
    assert "holds 60 cases, and there should be 50" in imported(report, dataset="data@1", cases=50).reasons


def test_decisions_are_counted_also_by_group() -> None:
    got = imported((SAMPLES / "scikit_learn/decisions.csv").read_bytes(), dataset="data@1", groups=("site",))
    assert (got.row("sensitivity")["x"], got.row("sensitivity")["n"]) == (38, 38)
    assert got.row("accuracy", site="A")["n"] == 30
    with pytest.raises(NotSaidError, match="no column sex"):
        imported((SAMPLES / "scikit_learn/decisions.csv").read_bytes(), groups=("sex",))


def test_a_table_says_that_its_end_cannot_be_seen_unless_its_cases_are_known() -> None:
    data = (SAMPLES / "scikit_learn/decisions.csv").read_bytes()
    assert "A table has no end mark" in imported(data, dataset="data@1").summaries
    known = imported(data, dataset="data@1", cases=data.count(b"\n") - 1)
    assert "no end mark" not in known.summaries
    assert known.only["completeness"] == "complete"


def test_cases_without_truth_are_told() -> None:
    got = imported(b"y_true,y_pred\n1,1\n,1\n0,0\n", dataset="data@1")
    assert got.row("accuracy")["n"] == 2
    assert "1 of 3 cases lack truth" in got.reasons


def test_classes_that_do_not_add_up_are_told() -> None:
    def lose(report: Any) -> None:
        del report["0"]

    got = imported(changed("scikit_learn/classification_report.json", lose), dataset="data@1")
    assert "add up to 38 cases, the report says 60" in got.reasons


# --- the others ------------------------------------------------------------------------------------


def test_a_skipped_dependency_was_not_checked() -> None:
    got = imported((SAMPLES / "pip_audit/all_skipped.json").read_bytes())
    assert "3 of 3 dependencies were skipped" in got.reasons
    assert "vulnerabilities_checked_at" not in got.only["content"]


def test_vulnerabilities_of_both_layouts_of_pip_audit() -> None:
    found = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": ["CVE-1"], "description": "…"}
    dependencies = [{"name": "a", "version": "1.0", "vulns": [found]}, {"name": "b", "version": "2", "vulns": []}]
    for data in ({"dependencies": dependencies, "fixes": []}, dependencies):
        got = imported(json.dumps(data).encode()).only
        assert got["content"]["vulnerabilities"][0]["component"] == "a 1.0"
        assert (got["content"]["components"], got["completeness"]) == (2, "complete")


def test_json_and_xml_bills_tell_the_same() -> None:
    contents = [
        imported((SAMPLES / f"cyclonedx/env-{name}").read_bytes()).only["content"] for name in ("1.5.json", "1.6.xml")
    ]
    assert contents[0]["listed"] == contents[1]["listed"]
    assert contents[1]["format_version"] == "1.6"
    assert "cyclonedx-py 7.5.0" in contents[1]["tool"]


def test_a_bill_that_calls_itself_incomplete_is() -> None:
    def partial(data: Any) -> None:
        data["compositions"] = [{"aggregate": "incomplete_third_party_only"}]

    assert "incomplete_third_party_only" in imported(changed("cyclonedx/env-1.7.json", partial)).reasons


def test_decisions_on_vulnerabilities_are_kept() -> None:
    def vulnerable(data: Any) -> None:
        data["vulnerabilities"] = [
            {
                "id": "CVE-1",
                "ratings": [{"severity": "high"}, {"severity": "critical"}],
                "analysis": {"state": "exploitable"},
                "affects": [{"ref": data["components"][0]["bom-ref"]}, {"ref": "not-listed"}],
            },
            {"id": "CVE-2"},
        ]
        data["compositions"] = [{"aggregate": "unknown"}]

    got = imported(changed("cyclonedx/env-1.7.json", vulnerable))
    listed = got.only["content"]["vulnerabilities"]
    assert listed[0]["component"] == "packaging 25.0, not-listed"
    assert "calls a composition unknown" in got.summaries
    assert [(one["severity"], one["status"]) for one in listed] == [
        ("critical", "affected"),
        ("unknown", "under-investigation"),
    ]


def test_a_test_run_is_a_report_unless_it_is_said_to_measure() -> None:
    data = (SAMPLES / "junit/junit_passed.xml").read_bytes()
    assert "metrics" not in imported(data).only["content"]
    row = imported(data, kind="evaluation").row("pass_rate")
    assert (row["x"], row["n"]) == (2, 2)
    with pytest.raises(NotSaidError, match="does not say what its results are about"):
        imported(data, kind="safety-result")
    assert imported(data, kind="safety-result", category="robustness").only["content"]["category"] == "robustness"
    with pytest.raises(NotSaidError, match="becomes document, not dataset"):
        imported(data, kind="dataset")


def test_errors_and_skips_of_tests_are_no_passes() -> None:
    got = imported((SAMPLES / "junit/junit_mixed.xml").read_bytes())
    assert "ended in an error" in got.reasons
    assert "were skipped" in got.reasons
    assert "10 mg" not in json.dumps(got.only["content"])


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ('<testcase name="DISABLED_a" status="notrun" result="suppressed"/>', "1 of 2 tests were skipped"),
        ('<testcase name="a" status="disabled"/>', "1 of 2 tests were skipped"),
        ('<testcase name="a"><flakyFailure/></testcase>', "1 of 2 tests passed only when they were run again"),
    ],
)
def test_what_did_not_run_or_passed_at_last_is_no_plain_pass(test: str, reason: str) -> None:
    """GoogleTest and CTest name a test that was not run by an attribute; Maven Surefire marks what it ran again."""
    got = imported(f'<testsuite name="s" tests="2"><testcase name="b" status="run"/>{test}</testsuite>'.encode())
    assert reason in got.reasons


def test_skips_that_are_stated_and_not_listed_are_told() -> None:
    got = imported(b'<testsuite name="/home/jane/s.py" tests="1" skipped="2"><testcase name="a"/></testsuite>')
    assert got.reasons == "s.py: 2 tests are stated as not run and 0 listed."
    assert "jane" not in json.dumps(got.only["content"])


def test_a_suite_that_lists_fewer_tests_than_it_says() -> None:
    got = imported(b'<testsuite name="s" tests="3" failures="0"><testcase name="a"/></testsuite>')
    assert "3 tests are stated and 1 listed" in got.reasons


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda run: run.pop("results"), "did not report"),
        (lambda run: run.update(results=None), "did not report"),
        (lambda run: run["invocations"][0].update(executionSuccessful=False), "did not end successfully"),
        (
            lambda run: run["invocations"][0].update(toolExecutionNotifications=[{"level": "error"}]),
            "1 errors of the tool itself",
        ),
        (lambda run: run.update(externalPropertyFileReferences={"results": [{}]}), "stand in other files"),
    ],
)
def test_a_scan_that_failed_is_no_clean_scan(change: Callable[[Any], None], reason: str) -> None:
    got = imported(changed("sarif/bandit.sarif.json", lambda data: change(data["runs"][0])))
    assert got.only["completeness"] == "incomplete"
    assert reason in got.reasons


def test_findings_name_rule_and_file_and_no_snippet() -> None:
    got = imported((SAMPLES / "sarif/bandit.sarif.json").read_bytes()).only
    assert got["content"]["tool"] == "Bandit"
    assert [one["status"] for one in got["content"]["findings"]] == ["open", "open"]
    assert "password = " not in json.dumps(got["content"])
    assert got["attachments"][0]["classification"] == "restricted"


def test_suppressed_findings_are_accepted_by_somebody() -> None:
    def suppress(data: Any) -> None:
        data["runs"][0]["results"][0]["suppressions"] = [{"kind": "inSource"}]
        data["runs"][0]["results"][1]["suppressions"] = [{"kind": "external", "status": "underReview"}]

    found = imported(changed("sarif/bandit.sarif.json", suppress)).only["content"]["findings"]
    assert [one["status"] for one in found] == ["accepted", "open"]


def test_a_model_page_reports_of_itself() -> None:
    got = imported((SAMPLES / "hugging_face/README-model.md").read_bytes())
    rows = {row["name"]: row for row in got.rows}
    assert rows["accuracy"]["value"] == "0.765"
    assert "read as per cent" in rows["accuracy"]["note"]
    assert rows["exact_match"]["value"] == "0.5"
    assert "no token was checked" in got.summaries


def test_eval_results_are_statements_in_their_digits() -> None:
    statements = imported((SAMPLES / "hugging_face/eval_results.yaml").read_bytes()).only["content"]["statements"]
    assert [one["value"] for one in statements] == ["20.90", "0.412"]


def test_the_model_that_the_file_names_is_told_apart_from_the_one_on_record() -> None:
    got = imported((SAMPLES / "inspect_ai/whole.eval").read_bytes())
    told = got.records[0]["content"]["tested_model_statement"]
    assert told.startswith(
        "The file names the tested model as mockllm/model; that this is the version on record is said"
    )


def test_files_of_nobody() -> None:
    for data in (
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"text",
        b"<a/>",
        b"a,b\n1,2\n",
        b"---\na: 1\n---\n",
        b"PK\x03\x04",
        b"\xff\xfe",
    ):
        assert tool_of(data) is None
    assert tool_of((Path(__file__)).read_bytes()) is None
