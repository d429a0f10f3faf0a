"""A criterion is not carried by an interval that its own counts cannot give."""

from typing import Any

import pytest
from pydantic import ValidationError

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
    assert bounds.impossible(NARROW | {"ci_method": method}) is None


def test_calling_it_computed_helps_nobody() -> None:
    claimed = NARROW | {"ci_method": "clopper-pearson", "origin": "computed"}
    with pytest.raises(ValidationError, match="is called computed"):
        MetricRow.model_validate(claimed)
    assert bounds.impossible(claimed | {"x": None})
