"""A claim holds to its own digits, and not a digit further; what cannot be compared is said to be open."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import recomputed, statistics

FOUND = {
    "name": "sensitivity", "x": 171, "n": 214, "value": "0.799065", "ci_low": "0.739045", "ci_high": "0.850600",
    "ci_level": "0.95", "ci_method": "clopper-pearson",
}  # fmt: skip


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 8))
def test_any_rounding_of_a_figure_agrees_and_a_unit_more_does_not(x: int, n: int, places: int) -> None:
    exact = Fraction(min(x, n), n)
    claim = f"{float(exact):.{places}f}"
    assert recomputed.agree(claim, statistics.decimal(exact))
    further = f"{float(claim) + 2 * 10**-places:.{places}f}"
    if places <= 5:
        assert not recomputed.agree(further, statistics.decimal(exact))


CLAIMS = {
    "rounded value": ({"value": "0.80"}, [], []),
    "value beyond rounding": ({"value": "0.81"}, ["0.81 is claimed, but it is 0.799065"], []),
    "other counts": ({"x": 172, "n": 214}, ["x is 172, not 171"], []),
    "its interval": ({"ci_low": "0.739", "ci_high": "0.851", "ci_method": "clopper-pearson"}, [], []),
    "another's interval, of counts": ({"ci_low": "0.740", "ci_high": "0.847", "ci_method": "wilson"}, [], []),
    "too narrow": (
        {"ci_low": "0.760", "ci_high": "0.840", "ci_method": "wilson"},
        ["its wilson interval is 0.760 to 0.840, but it is 0.740321 to 0.847263"],
        [],
    ),
    "a bootstrap of theirs": (
        {"ci_low": "0.75", "ci_high": "0.84", "ci_method": "bootstrap"},
        [],
        ["its bootstrap interval is not computed again"],
    ),
}


@pytest.mark.parametrize(("claim", "problems", "unknown"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_beside_its_figure(claim: dict[str, Any], problems: list[str], unknown: list[str]) -> None:
    compared = recomputed.compare({"name": "sensitivity", "value": "0.799", "ci_level": "0.95", **claim}, FOUND)
    assert list(compared.problems) == problems
    assert list(compared.open) == unknown
    assert compared.holds is not bool(problems)


def test_our_own_bootstrap_repeats_by_its_seed_and_only_by_it() -> None:
    drawn = {"ci_low": "0.1", "ci_high": "0.3", "ci_level": "0.95", "ci_method": "bootstrap", "resamples": 2000}
    claim = {"name": "brier", "value": "0.2", "seed": "0", **drawn}
    assert recomputed.compare(claim, claim).open == ()
    assert recomputed.compare(claim, {**claim, "seed": "1"}).open
    beside = {"name": "brier", "value": "0.2", "other_intervals": [{**drawn, "seed": "0"}]}
    assert recomputed.compare(claim, beside) == recomputed.Compared()


def test_a_value_where_there_is_none_is_a_difference() -> None:
    nothing = {"name": "roc_auc", "reason": "both classes are needed"}
    valued = {"name": "roc_auc", "value": "0.9"}
    assert "has no value: both classes are needed" in recomputed.compare(valued, nothing).problems[0]
    assert recomputed.compare(nothing, valued).problems == ("no value is claimed, but it is 0.9",)
    assert recomputed.compare(nothing, nothing).holds


def test_recall_is_sensitivity() -> None:
    assert recomputed.key({"name": "recall", "group": {"b": "1", "a": "2"}}) == recomputed.key(
        {"name": "sensitivity", "group": {"a": "2", "b": "1"}}
    )


def test_a_row_that_the_record_itself_refutes_is_known_by_name_and_group() -> None:
    differ = [{"name": "sensitivity", "group": {"sex": "F"}, "what": "0.9 is claimed, but it is 0.8"}]
    content = {"recomputation": {"agree": 1, "differ": differ}}
    assert recomputed.refuted(content, {"name": "recall", "group": {"sex": "F"}, "value": "0.9"}) == differ[0]["what"]
    assert recomputed.refuted(content, {"name": "sensitivity", "value": "0.9"}) is None
    assert recomputed.refuted({}, {"name": "sensitivity"}) is None
