"""Example 2 carries published facts over: all of them, once each, with nothing filled in."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.core.evidence import Basis, SourceBasis
from compliance.services import catalogs

from .conftest import EVIDENCE, Records

COLLECTION = Path(__file__).resolve().parents[2].parent / "shared" / "seed" / "deepseek-r1.yaml"
RECORD = re.compile(r"collection of 2026-11-23, record (\S+)")
FIGURES = ("evaluation", "safety_result")


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    if not COLLECTION.is_file():
        pytest.skip("the collection of published facts is not on this machine")
    return {fact["id"]: fact for fact in yaml.safe_load(COLLECTION.read_text(encoding="utf-8"))}


def sources(record: dict[str, Any]) -> list[str]:
    return [m[1] for place in record["citation"].get("checked_in", []) if (m := RECORD.fullmatch(place))]


@pytest.fixture(scope="module")
def by_fact(deepseek: Records) -> dict[str, dict[str, Any]]:
    return {name: located.value for located in deepseek.seen for name in sources(located.value)}


def test_every_record_is_valid_and_rests_on_a_citation(deepseek: Records) -> None:
    assert len(deepseek.drafts) == 160
    for drafted in deepseek.drafts:
        assert drafted.basis in (SourceBasis.PUBLISHED, SourceBasis.ESTIMATED)
        assert drafted.citation is not None


def test_every_fact_became_exactly_one_record(deepseek: Records, facts: dict[str, Any]) -> None:
    carried = Counter(name for located in deepseek.seen for name in sources(located.value))
    assert set(carried) == set(facts)
    assert set(carried.values()) == {1}


def test_nobody_holds_the_bytes(deepseek: Records) -> None:
    for drafted in deepseek.drafts:
        if drafted.kind in ("model-version", "dataset"):
            assert [subject.annotations.basis for subject in drafted.subjects] == [Basis.IDENTITY]


def test_figures_are_the_source_s_and_no_null_is_filled(
    by_fact: dict[str, dict[str, Any]], facts: dict[str, dict[str, Any]]
) -> None:
    for name, fact in facts.items():
        if fact["kind"] not in FIGURES:
            continue
        row, fields = by_fact[name]["metrics"][0], fact["fields"]
        assert row.get("n") == fields["n"], name
        assert ("value" in row) == (fields["value"] is not None), name
        assert ("p_value" in row) == (fields["p_value"] is not None), name
        assert ("ci_low" in row) == (fields["ci_low"] is not None and fields["ci_high"] is not None), name
        if fields["value"] is not None:
            printed = Decimal(str(fields["value"]))
            assert Decimal(row["value"]) in (printed, printed / 100), name
            assert row.get("reason") is None
        else:
            assert row["reason"], name


def test_comparators_are_the_source_s(by_fact: dict[str, dict[str, Any]], facts: dict[str, dict[str, Any]]) -> None:
    for name, fact in facts.items():
        if fact["kind"] not in FIGURES:
            continue
        shown = {c["name"]: c.get("value") for c in by_fact[name].get("comparators", []) if "group" not in c}
        told = {c["model"]: c["value"] for c in fact["fields"]["comparators"] or []}
        assert set(shown) == set(told), name
        for model, value in told.items():
            if isinstance(value, int | float):
                printed = Decimal(str(value))
                assert Decimal(shown[model] or "NaN") in (printed, printed / 100), (name, model)
            else:
                assert shown[model] is None, (name, model)


def test_contradictions_stand_on_both_sides(
    by_fact: dict[str, dict[str, Any]], facts: dict[str, dict[str, Any]]
) -> None:
    for name, fact in facts.items():
        for other in fact.get("contradicts", []):
            if "gap" in (fact["kind"], facts[other]["kind"]):
                continue
            assert f"record {other} of this collection" in str(by_fact[name]), name
            assert f"record {name} of this collection" in str(by_fact[other]), other


def test_what_was_tested_is_never_filed_under_weights_it_may_not_be_about(
    by_fact: dict[str, dict[str, Any]], facts: dict[str, dict[str, Any]]
) -> None:
    for name, fact in facts.items():
        if fact["kind"] not in FIGURES:
            continue
        pinned = by_fact[name]["model"] == "DeepSeek-R1@2025-01-20"
        assert pinned == (fact["subject"]["version"] == "2025-01-20 release (deepseek-ai/DeepSeek-R1)"), name


def test_gaps_are_determinations_about_requirements_that_exist(deepseek: Records, facts: dict[str, Any]) -> None:
    known = {row.id for name in ("eu-ai-act", "fda-aidsf") for row in catalogs.load(name).requirements}
    gaps = [drafted.content for drafted in deepseek.drafts if drafted.kind == "determination"]
    assert len(gaps) == sum(fact["kind"] == "gap" for fact in facts.values())
    for gap in gaps:
        assert gap["decision"] == "known-gap"
        assert set(gap["requirements"]) <= known


def test_the_records_are_read_in_the_order_of_their_names() -> None:
    names = [path.name for path in sorted((EVIDENCE / "deepseek-r1" / "records").glob("*.yaml"))]
    assert [name[0] for name in names] == [str(number) for number in range(1, 10)]
