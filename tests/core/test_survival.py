"""Risk over time: scikit-survival's figures, its documented example, and Kaplan-Meier's best known curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core import survival
from compliance.core.intervals import Sampling
from compliance.kinds.evaluation import CalibrationBin
from compliance.kinds.metrics import MetricRow

followed = st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 6)), min_size=3, max_size=30).filter(
    lambda rows: any(seen and any(t > time for t, _, _ in rows) for time, seen, _ in rows)
)


def arrays(rows: list[tuple[int, bool, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time, event, score = zip(*rows, strict=True)
    return np.array(time, dtype=float), np.array(event), np.array(score) / 6


def survival_array(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    from sksurv.util import Surv

    return Surv.from_arrays(event, time)


@settings(deadline=None)
@given(followed, st.integers(0, 2**32 - 1))
def test_the_c_index_is_scikit_survivals_for_any_weights(rows: list[tuple[int, bool, int]], seed: int) -> None:
    from sksurv.metrics import concordance_index_censored

    time, event, score = arrays(rows)
    statistic = survival.concordance(time, event, score)
    expected = concordance_index_censored(event, time, score)[0]
    assert statistic(np.ones((1, len(time))))[0, 0] == pytest.approx(expected)
    weights = np.random.default_rng(seed).integers(0, 3, len(time))
    drawn = np.repeat(np.arange(len(time)), weights)
    found = statistic(weights[None].astype(float))[0, 0]
    if np.isnan(found):
        return
    assert found == pytest.approx(concordance_index_censored(event[drawn], time[drawn], score[drawn])[0])


@settings(deadline=None)
@given(followed, st.integers(1, 7))
def test_the_brier_score_is_scikit_survivals(rows: list[tuple[int, bool, int]], horizon: int) -> None:
    from sksurv.metrics import brier_score

    time, event, risk = arrays(rows)
    found = survival.brier(time, event, risk, horizon)(np.ones((1, len(time))))[0, 0]
    if time.min() <= horizon < time.max():
        whole = survival_array(time, event)
        assert found == pytest.approx(brier_score(whole, whole, 1 - risk, horizon)[1][0])
    elif time.max() <= horizon:
        assert np.isnan(found)


def test_the_brier_score_of_scikit_survivals_documentation() -> None:
    """`sksurv.metrics.brier_score`, example: a Cox model of tumour grade on GBSG2, 1825 days: 0.20881843."""
    from sksurv.datasets import load_gbsg2
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.preprocessing import OneHotEncoder

    features, whole = load_gbsg2()
    features["tgrade"] = features["tgrade"].map(len).astype(int)
    encoded = OneHotEncoder().fit_transform(features)
    model = CoxPHSurvivalAnalysis(ties="efron").fit(encoded, whole)
    risk = 1 - np.array([curve(1825) for curve in model.predict_survival_function(encoded)])
    rows = survival.metric_rows(whole["time"], whole["cens"], risk, Sampling(), horizon=1825)
    by_name = {row["name"]: row for row in rows}
    assert by_name["brier"]["value"] == "0.208818"
    assert {row["ci_method"] for row in rows} == {"bootstrap"}
    assert (by_name["c_index"]["n"], by_name["c_index"]["positives"]) == (686, 299)
    bins = survival.reliability(whole["time"], whole["cens"], risk, 1825)
    assert sum(row["n"] for row in bins) == 686
    for row in bins:
        CalibrationBin.model_validate(row)
    for row in rows:
        MetricRow.model_validate(row)


def test_observed_risk_is_one_less_kaplan_meiers_curve() -> None:
    """Freireich et al., Blood 21 (1963) 699-716, remission under 6-MP; the curve as every textbook prints it."""
    times = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    event = np.arange(21) < 9
    time, once = np.array(times, dtype=float), np.ones((1, 21))
    for week, free in {5: 1, 6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}.items():
        assert round(1 - survival.observed_risk(time, event, once, week)[0], 3) == free
    assert np.isnan(survival.observed_risk(time, event, once, 35)[0])


def test_nobody_followed_so_long_has_no_figure_at_the_horizon() -> None:
    generator = np.random.default_rng(0)
    time, event, risk = generator.exponential(size=60), generator.random(60) < 0.5, generator.random(60)
    rows = survival.metric_rows(time, event, risk, Sampling(clusters=np.arange(60) // 2), horizon=1000)
    by_name = {row["name"]: row for row in rows}
    assert by_name["c_index"]["ci_method"] == "cluster-bootstrap"
    for name in ("brier", "observed_expected_ratio"):
        assert by_name[name]["reason"] == "nobody was followed beyond 1000"
        MetricRow.model_validate(by_name[name])
