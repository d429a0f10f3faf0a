"""Genuine files of other tools, as their own repositories hold them: each recognised by one importer, none too good.

A truncated file is the sharpest check: whatever is left of it, it never becomes a complete record.
"""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.imports import Imported, imported

from compliance.importers import Source, importers, recognise, whose

GENUINE = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
pytestmark = pytest.mark.skipif(not GENUINE.is_dir(), reason="the genuine samples are not beside the repository")

HELM = "every-eval-ever/helm/narrative_qa-model=openai_gpt2"
EXPECTED: dict[str, tuple[str, str, str]] = {
    "aiverify/fairness_classification.json": ("AI Verify", "safety-result", "incomplete"),
    "chai/Aidoc_BA-01.xml": ("CHAI Applied Model Card", "document", "complete"),
    "chai/Aidoc_PE-03-RT.xml": ("CHAI Applied Model Card", "document", "complete"),
    "chai/v0.1_Aidoc_BA-01.xml": ("CHAI Applied Model Card", "document", "complete"),
    "chai/v0.1_Aidoc_PE-03-RT.xml": ("CHAI Applied Model Card", "document", "complete"),
    "croissant/gpt-3.json": ("Croissant", "dataset", "incomplete"),
    "croissant/titanic.json": ("Croissant", "dataset", "complete"),
    "cyclonedx/valid-attestation-1.6.json": ("CycloneDX", "sbom", "incomplete"),
    "cyclonedx/valid-attestation-1.7.json": ("CycloneDX", "sbom", "incomplete"),
    "cyclonedx/valid-machine-learning-1.6.json": ("CycloneDX", "sbom", "complete"),
    "cyclonedx/valid-machine-learning-1.7.json": ("CycloneDX", "sbom", "complete"),
    "every-eval-ever/98ea850e-7019-4728-a558-8b1819ec47c2.json": ("Every Eval Ever", "evaluation", "complete"),
    HELM: ("crfm-helm", "evaluation", "incomplete"),
    "every-eval-ever/inspect/data_pubmedqa_gpt4o_mini.json": ("inspect-ai", "evaluation", "incomplete"),
    "garak/agg.report.jsonl": ("garak", "safety-result", "complete"),
    "garak/quack.report.jsonl": ("garak", "safety-result", "complete"),
    "garak/test.report.jsonl": ("garak", "safety-result", "complete"),
    "garak/test_with_ci.report.jsonl": ("garak", "safety-result", "complete"),
    "great-expectations/ValidationOperatorResult_old.json": ("Great Expectations", "dataset", "complete"),
    "inspect-ai/2025-05-12T20-28-13-04-00_no-samples.json": ("inspect-ai", "evaluation", "incomplete"),
    "inspect-ai/2025-05-12T20-28-13-04-00_popularity.json": ("inspect-ai", "evaluation", "incomplete"),
    "inspect-ai/log_formats.eval": ("inspect-ai", "evaluation", "incomplete"),
    "inspect-ai/log_read_sample.json": ("inspect-ai", "evaluation", "incomplete"),
    "inspect-ai/log_streaming.eval": ("inspect-ai", "evaluation", "incomplete"),
    "inspect-ai/log_tool_call_error.json": ("inspect-ai", "evaluation", "incomplete"),
    "lm-eval/results_2026-01-21T03-44-18.458309.json": ("lm-eval", "evaluation", "complete"),
    "lm-eval/samples_math_perturbed_full_2026-01-21T03-44-18.458309.jsonl": ("lm-eval", "evaluation", "incomplete"),
    "moonshot/my-new-runner-recipe.json": ("Moonshot", "evaluation", "incomplete"),
    "syft/TestCycloneDxDirectoryEncoder.json": ("CycloneDX", "sbom", "complete"),
    "syft/TestEncodeFullJSONDocument.json": ("syft", "sbom", "complete"),
    "syft/TestSPDXJSONImageEncoder.json": ("SPDX", "sbom", "complete"),
}
FILES = sorted(name for name in EXPECTED if name != HELM)


def test_every_file_that_there_is_is_expected_here() -> None:
    there = {str(path.relative_to(GENUINE)) for path in GENUINE.rglob("*") if path.is_file()}
    helm = {name for name in there if name.startswith(HELM)}
    assert there - helm - {"README.md"} == set(FILES)


@pytest.mark.parametrize("name", EXPECTED)
def test_tool_kind_and_completeness(name: str) -> None:
    got = imported(GENUINE / name, dataset="data@1")
    tool, kind, completeness = EXPECTED[name]
    assert got.tool == tool
    assert {record["kind"] for record in got.records} == {kind}
    assert {record["completeness"] for record in got.records} == {completeness}
    assert all((record["reason"] is None) == (completeness == "complete") for record in got.records)


@pytest.mark.parametrize("name", FILES)
def test_exactly_one_importer_recognises_it_whatever_its_name(name: str) -> None:
    source = Source.of("x", (GENUINE / name).read_bytes())
    assert [one.tool for one in importers() if one.recognise(source)] == [EXPECTED[name][0]]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True))
def test_what_is_left_of_a_truncated_file_is_never_complete(name: str, share: float) -> None:
    whole = (GENUINE / name).read_bytes()
    cut = whole[: int(len(whole) * share)]
    source = Source.of("cut", cut)
    if recognise(source) is None and whose(source) is None:
        return
    if _loses_nothing(name, cut, whole):
        return
    assert all(record["completeness"] != "complete" for record in imported(cut, dataset="data@1").records), (
        f"{len(cut)} bytes"
    )


def _loses_nothing(name: str, cut: bytes, whole: bytes) -> bool:
    """White space at the end, or garak's digest of a scan that said before that it was over."""
    return cut.strip() == whole.strip() or (name.startswith("garak/") and b'"entry_type": "completion"' in cut)


@pytest.mark.parametrize("name", FILES)
def test_a_line_less_is_never_complete(name: str) -> None:
    whole = (GENUINE / name).read_bytes().rstrip()
    cut = whole[: whole.rfind(b"\n") + 1]
    if not cut or recognise(Source.of("cut", cut)) is None or _loses_nothing(name, cut, whole):
        return
    assert all(record["completeness"] != "complete" for record in imported(cut, dataset="data@1").records)


def test_inspect_counts_right_answers_from_the_samples() -> None:
    got = imported(GENUINE / "inspect-ai/2025-05-12T20-28-13-04-00_popularity.json")
    row = got.row("accuracy")
    assert (row["x"], row["n"]) == (2, 3)
    assert "status is cancelled" in got.reasons
    assert "limit is 3" in got.reasons
    assert got.only["content"]["started_at"] == "2025-05-13T00:28:13Z"
    assert "openai/gpt-4o-mini" in got.only["content"]["tested_model_statement"]


def test_inspect_gives_no_counts_where_samples_were_asked_twice() -> None:
    row = imported(GENUINE / "inspect-ai/log_streaming.eval").row("accuracy")
    assert (row["value"], row["n"], row.get("x")) == ("0.75", 2, None)


def test_prompts_and_answers_are_withheld() -> None:
    for name in (
        "inspect-ai/log_read_sample.json",
        "garak/test.report.jsonl",
        "moonshot/my-new-runner-recipe.json",
        HELM,
    ):
        got = imported(GENUINE / name)
        for record in got.records:
            assert {one["classification"] for one in record["attachments"]} == {"restricted"}
        assert "Withheld: " in got.summaries
        assert "SHA-256" in got.summaries
        assert "following statement" not in str([record["content"] for record in got.records])


def test_lm_eval_makes_counts_of_unrounded_shares() -> None:
    got = imported(GENUINE / "lm-eval/results_2026-01-21T03-44-18.458309.json")
    rows = {record["title"]: record["content"]["metrics"][0] for record in got.records}
    assert (rows["lm-eval: math_rephrased_full"]["x"], rows["lm-eval: math_rephrased_full"]["n"]) == (2, 5000)
    assert rows["lm-eval: math_perturbed_full"]["ci_high"] == "0.000738"
    assert {record["content"]["tool_version"] for record in got.records} == {"0.4.9.2"}


def test_garak_leaves_its_own_interval_aside() -> None:
    got = imported(GENUINE / "garak/test_with_ci.report.jsonl")
    row = got.row("attack_success_rate", probe="test.Test", detector="always.Pass")
    assert (row["x"], row["n"], row["ci_method"]) == (13, 50, "clopper-pearson")
    assert "0.14 to 0.38" in row["note"]
    assert imported(GENUINE / "garak/quack.report.jsonl").row("attack_success_rate")["ci_high"] == "0.975000"


def test_moonshot_is_read_as_per_cent_and_by_endpoint() -> None:
    got = imported(GENUINE / "moonshot/my-new-runner-recipe.json")
    rows = [row for row in got.rows if row["name"] == "accuracy"]
    assert len(rows) == 44
    assert {row["group"]["endpoint"] for row in rows} == {"openai-gpt35-turbo", "openai-gpt35-turbo-16k"}
    assert all(row["n"] == 2 for row in rows)
    assert "2 % of the prompts" in got.reasons


def test_aiverify_says_where_the_file_contradicts_itself() -> None:
    got = imported(GENUINE / "aiverify/fairness_classification.json")
    assert got.row("sensitivity", gender="0", output_class="0")["value"] == "0.170265780730897"
    assert got.row("disparate_impact", gender="0 and 1", output_class="0")["ideal"] == "1"
    assert "add up to 0.483389, not to 1" in got.reasons


def test_helm_keeps_splits_and_perturbations_apart() -> None:
    got = imported(GENUINE / HELM)
    assert got.row("exact_match", split="test")["n"] == 4
    assert got.row("exact_match", split="test", perturbation="robustness", computed_on="worst")["value"] == "0.0"
    assert not [row for row in got.rows if row["name"].startswith(("num_", "inference", "training"))]
    assert got.only["attachments"][0]["name"] == "run_spec.json"


def test_helm_without_one_of_its_files_says_which() -> None:
    files = {path.name: path.read_bytes() for path in (GENUINE / HELM).iterdir() if path.name != "scenario_state.json"}
    assert "scenario_state.json is missing" in imported(files).reasons


def test_documentation_is_published_and_cited() -> None:
    got = imported(GENUINE / "every-eval-ever/98ea850e-7019-4728-a558-8b1819ec47c2.json")
    assert len(got.records) == 6
    assert {record["content"]["independent"] for record in got.records} == {True}
    assert {record["basis"] for record in got.records} == {"published"}


def test_cards_declare_figures_as_shares() -> None:
    figures = imported(GENUINE / "chai/Aidoc_BA-01.xml").only["content"]["figures"]
    assert {"name": "sensitivity", "value": "0.885", "ci_low": "0.804", "ci_high": "0.941"} in figures
    older = imported(GENUINE / "chai/v0.1_Aidoc_BA-01.xml")
    assert "figures" not in older.only["content"]
    assert "no figure as such" in older.summaries


def test_claimed_digests_are_called_claims() -> None:
    got = imported(GENUINE / "croissant/titanic.json")
    assert got.only["content"]["role"] == "raw"
    assert "as claimed; nobody here computed it" in got.only["content"]["remarks"][0]
    assert "repo has no digest" in imported(GENUINE / "croissant/gpt-3.json").reasons


def test_bills_of_three_formats_tell_the_same_components() -> None:
    names = ("syft/TestCycloneDxDirectoryEncoder.json", "syft/TestEncodeFullJSONDocument.json")
    listed = [imported(GENUINE / name).only["content"]["listed"] for name in names]
    told = [[(one["name"], one["version"]) for one in bill] for bill in listed]
    assert told[0][:2] == told[1] == [("package-1", "1.0.1"), ("package-2", "2.0.1")]
    spdx = imported(GENUINE / "syft/TestSPDXJSONImageEncoder.json").only["content"]
    assert [one.get("licence") for one in spdx["listed"]][:2] == ["MIT", None], "NOASSERTION is nothing stated"


def test_unexpected_values_never_enter_a_record() -> None:
    got = imported(GENUINE / "great-expectations/ValidationOperatorResult_old.json")
    runs = got.only["content"]["quality"]
    assert [(run["evaluated"], run["successful"], run["not_evaluated"]) for run in runs] == [(11, 9, 0)] * 2
    assert runs[0]["tool_version"] == "0.11.8+4.g4ab34df3.dirty"
    assert "partial_unexpected_list" not in str(got.only["content"])


def test_a_repacked_archive_reads_the_same() -> None:
    data = (GENUINE / "inspect-ai/log_formats.eval").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as new:
        for name in reversed(old.namelist()):
            new.writestr(name, old.read(name))

    def told(got: Imported) -> object:
        return [record["content"] for record in got.records]

    assert told(imported(packed.getvalue())) == told(imported(data))
