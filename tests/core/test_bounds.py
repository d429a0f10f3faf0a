"""A criterion is not carried by an interval that its own counts cannot give."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binom

from compliance.core import bounds, criteria
from compliance.core.evidence import Evidence, predicate_type
from compliance.kinds.metrics import MetricRow

ROW = {"name": "sensitivity", "x": 318, "n": 402, "value": "0.791045", "ci_level": "0.95"}
EXACT = ROW | {"ci_low": "0.747981", "ci_high": "0.829763", "ci_method": "clopper-pearson"}
NARROW = ROW | {"ci_low": "0.7905", "ci_high": "0.7915"}


def evidence(kind: str, content: dict[str, Any]) -> Evidence:
    statement = {"subject": [], "predicateType": predicate_type(kind), "predicate": {"content": content}}
    return Evidence(1, "0" * 64, kind, "2026-01-01T00:00:00Z", "", statement)


def held(row: dict[str, Any]) -> criteria.Tested:
    criterion = {"id": "sens", "metric": "sensitivity", "bound": "ci_low", "comparator": ">=", "threshold": "0.74"}
    (one,) = criteria.test(
        evidence("evaluation", {"metrics": [row]}), evidence("acceptance-plan", {"criteria": [criterion]})
    )
    return one


def test_the_interval_that_the_counts_give_is_tested() -> None:
    assert bounds.impossible(EXACT) is None
    assert held(EXACT).outcome is criteria.Outcome.PASSED


@pytest.mark.parametrize(
    "method", ["clopper-pearson", "wilson", "wald", "normal", "t", "delong", "stated-without-method"]
)
def test_an_interval_typed_by_hand_is_not(method: str) -> None:
    found = held(NARROW | {"ci_method": method})
    assert found.outcome is criteria.Outcome.UNTESTED
    assert "318 of 402 does not give 0.791045 (0.7905 to 0.7915, level 0.95)" in found.reason


@pytest.mark.parametrize("method", ["bootstrap", "cluster-bootstrap", "credible"])
def test_intervals_that_counts_alone_do_not_give_are_left_alone(method: str) -> None:
    assert bounds.impossible(ROW | {"ci_low": "0.76", "ci_high": "0.82", "ci_method": method}) is None
    assert bounds.impossible(ROW | {"ci_low": "0.6", "ci_high": "0.9", "ci_method": method}) is None


@pytest.mark.parametrize("counts", [{}, {"x": None}])
def test_no_resampling_makes_an_interval_far_narrower_than_its_cases_do(counts: dict[str, Any]) -> None:
    assert "less than half as wide as 318 of 402 cases give" in (
        bounds.impossible(NARROW | {"ci_method": "bootstrap"} | counts) or ""
    )
    shifted = ROW | {"ci_low": "0.7905", "ci_high": "0.85", "ci_method": "cluster-bootstrap"}
    assert held(shifted | counts).rule is criteria.Rule.IMPOSSIBLE_INTERVAL
    assert bounds.impossible(NARROW | {"ci_method": "credible"}) is None  # what was known before may say more


@given(st.integers(1, 60), st.data())
def test_the_bootstrap_of_the_very_counts_is_never_too_narrow(n: int, data: Any) -> None:
    """The percentile interval of resampled counts has the quantiles of the binomial distribution for bounds."""
    x = data.draw(st.integers(0, n))
    low, high = (float(binom.ppf(tail, n, x / n)) / n for tail in (0.025, 0.975))
    row = ROW | {"x": x, "n": n, "value": f"{x / n:.3f}", "ci_low": f"{low:.3f}", "ci_high": f"{high:.3f}"}
    assert bounds.impossible(row | {"ci_method": "bootstrap"}) is None


def test_calling_it_computed_helps_nobody() -> None:
    claimed = NARROW | {"ci_method": "clopper-pearson", "origin": "computed"}
    with pytest.raises(ValidationError, match="is called computed"):
        MetricRow.model_validate(claimed)
    assert bounds.impossible(claimed | {"x": None})
