"""The gate's policy: what blocks, what is excepted and until when; an exception never covers more than it names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.findings import ON, found

from compliance.core.findings import Finding, Rule, Verdict
from compliance.core.policy import OPEN, GateException, Policy, decide

EXCEPTION = {
    "requirement": "law/gap",
    "findings": ["gap"],
    "reason": "The supplier delivers in spring.",
    "expires": "2026-12-31",
}


def policy(**said: Any) -> Policy:
    return Policy.model_validate(said)


def blocked(given: Policy, *findings: Finding, on: str = ON) -> list[str]:
    return [finding.requirement.id for finding in decide(given, findings, on).blocking]


EVERY = [found(f"law/{word.value}", word) for word in Verdict]


def test_by_default_everything_open_blocks_whether_it_binds_or_not() -> None:
    later = found("law/later", "gap", binding=False)
    assert set(blocked(policy(), *EVERY, later)) == {f"law/{word}" for word in OPEN} | {"law/later"}


def test_a_policy_names_what_blocks() -> None:
    assert blocked(policy(block=["failed", "gap"]), *EVERY) == ["law/gap", "law/failed"]
    assert len(decide(policy(block=["failed"]), EVERY, ON).allowed) == len(OPEN) - 1


def test_a_row_that_the_profile_leaves_open_blocks_whatever_a_policy_lists() -> None:
    unsaid = found("law/unsaid", "undetermined", rule=Rule.PROFILE_SILENT)
    asked = found("law/asked", "undetermined", rule=Rule.QUESTION_OPEN)
    assert blocked(policy(block=["failed"]), unsaid, asked) == ["law/unsaid"]
    excused = {**EXCEPTION, "requirement": "law/unsaid", "findings": ["undetermined"]}
    assert blocked(policy(block=["failed"], exceptions=[excused]), unsaid) == []


def test_rows_that_do_not_bind_may_be_passed_over() -> None:
    later = found("law/later", "gap", binding=False)
    decision = decide(policy(binding_only=True), [later], ON)
    assert (decision.blocking, decision.not_binding) == ((), (later,))
    assert blocked(policy(binding_only=True), found("law/now", "gap"), later) == ["law/now"]


def test_a_catalog_may_have_a_rule_of_its_own() -> None:
    strict = policy(block=["failed"], catalogs={"law": {"block": ["gap"]}})
    assert blocked(strict, found("law/a", "gap"), found("law/b", "failed"), found("other/a", "gap")) == ["law/a"]


def test_an_exception_excuses_what_it_names() -> None:
    decision = decide(policy(exceptions=[EXCEPTION]), [found("law/gap", "gap"), found("law/b", "gap")], ON)
    assert [finding.requirement.id for finding in decision.blocking] == ["law/b"]
    assert decision.exceptions[0].excused == ("law/gap",)


def test_an_accepted_gap_does_not_excuse_the_failure_that_it_becomes() -> None:
    assert blocked(policy(exceptions=[EXCEPTION]), found("law/gap", "failed")) == ["law/gap"]


@pytest.mark.parametrize(("on", "expected"), [("2026-12-31", []), ("2027-01-01", ["law/gap"])])
def test_an_exception_counts_through_its_last_day(on: str, expected: list[str]) -> None:
    given = policy(exceptions=[EXCEPTION])
    assert blocked(given, found("law/gap", "gap"), on=on) == expected
    assert decide(given, [], on).exceptions[0].expired is bool(expected)


def test_an_exception_of_a_catalog_covers_its_rows() -> None:
    given = policy(exceptions=[{**EXCEPTION, "requirement": None, "catalog": "law"}])
    assert blocked(given, found("law/a", "gap"), found("other/a", "gap")) == ["other/a"]


def test_every_exception_is_told_used_or_not() -> None:
    given = policy(exceptions=[EXCEPTION, {**EXCEPTION, "requirement": "law/met", "expires": "2020-01-01"}])
    told = [(applied.excused, applied.expired) for applied in decide(given, EVERY, ON).exceptions]
    assert told == [(("law/gap",), False), ((), True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"requirement": None},
        {"catalog": "law"},
        {"findings": []},
        {"findings": ["met"]},
        {"findings": ["gaps"]},
        {"reason": ""},
        {"reason": None},
        {"expires": None},
        {"expires": "soon"},
        {"expires": "2026-02-30"},
        {"requirement": "no slash"},
        {"until": "2026-12-31"},
    ],
)
def test_an_exception_says_what_why_and_until_when(wrong: dict[str, Any]) -> None:
    given = {name: value for name, value in {**EXCEPTION, **wrong}.items() if value is not None}
    with pytest.raises(ValidationError):
        GateException.model_validate(given)


@pytest.mark.parametrize("wrong", [{"block": ["met"]}, {"blocks": []}, {"binding_only": "perhaps"}, {"catalogs": []}])
def test_an_unknown_word_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        policy(**wrong)


words = st.lists(st.sampled_from(OPEN), unique=True)


@given(words, st.booleans(), st.lists(st.tuples(st.sampled_from(list(Verdict)), st.booleans())), words)
def test_every_open_finding_has_exactly_one_fate(
    block: list[str], binding_only: bool, said: list[tuple[Verdict, bool]], excused: list[str]
) -> None:
    findings = [found(f"law/r{n}", word, binding=binding) for n, (word, binding) in enumerate(said)]
    exceptions = [{**EXCEPTION, "requirement": "law/r0", "findings": excused}] if excused else []
    decision = decide(policy(block=block, binding_only=binding_only, exceptions=exceptions), findings, ON)
    fates = [f.requirement.id for f in (*decision.blocking, *decision.not_binding, *decision.allowed)]
    fates += list(decision.excused)
    open_ = [f.requirement.id for f in findings if f.finding.value in OPEN]
    assert sorted(fates) == sorted(open_)


def test_an_exception_does_not_last_for_ever_by_digits_that_sort_last() -> None:
    with pytest.raises(ValidationError, match="calendar date"):
        GateException.model_validate(EXCEPTION | {"expires": "２０２０-01-01"})
