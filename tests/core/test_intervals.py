"""Intervals with and without clusters, held to scipy, statsmodels and what resampling means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core import intervals
from compliance.core.intervals import Sampling, bootstrap, korn_graubard, mean, share, weighted_quantiles

drawn = np.random.default_rng(7)
CLUSTERS = np.repeat(np.arange(60), drawn.integers(1, 8, 60))
HITS = drawn.random(len(CLUSTERS)) < np.clip(0.7 + 0.25 * drawn.normal(size=60), 0, 1)[CLUSTERS]


def korn_graubard_by_definition(hits: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """As `svyciprop(method="beta")` of R's survey package does it, but never more cases than there are."""
    from scipy import stats
    from statsmodels.api import OLS

    n, k, p = len(hits), len(set(clusters)), hits.mean()
    groups = {"groups": clusters}  # the mean's sandwich variance, with k / (k - 1)
    variance = OLS(hits.astype(float), np.ones(n)).fit(cov_type="cluster", cov_kwds=groups).cov_params()[0, 0]
    effective = p * (1 - p) / variance * (stats.t.ppf(0.025, n - 1) / stats.t.ppf(0.025, k - 1)) ** 2
    effective = min(n, effective)
    low = stats.beta.ppf(0.025, effective * p, effective * (1 - p) + 1)
    high = stats.beta.ppf(0.975, effective * p + 1, effective * (1 - p))
    return float(low), float(high), float(variance * n / (p * (1 - p)))


def test_korn_graubard_is_its_definition() -> None:
    row = korn_graubard(HITS, Sampling(clusters=CLUSTERS))
    low, high, effect = korn_graubard_by_definition(HITS, CLUSTERS)
    assert (float(row["ci_low"]), float(row["ci_high"])) == pytest.approx((low, high), abs=1e-6)
    assert float(row["design_effect"]) == pytest.approx(effect, abs=1e-6)
    assert effect > 1.5
    assert row["clusters"] == 60


def test_cases_that_stand_alone_get_the_exact_interval() -> None:
    row = share(HITS, Sampling())
    exact = intervals.proportion(int(HITS.sum()), len(HITS), "0.95")
    assert row == exact
    clustered = share(HITS, Sampling(clusters=CLUSTERS))
    assert clustered["value"] == exact["value"]
    assert float(clustered["ci_low"]) < float(exact["ci_low"]) < float(exact["ci_high"]) < float(clustered["ci_high"])
    assert [one["ci_method"] for one in clustered["other_intervals"]] == ["cluster-bootstrap", "clopper-pearson"]
    assert clustered["other_intervals"][1]["ci_low"] == exact["ci_low"]


def test_clusters_that_cannot_differ_are_never_taken_for_certainty() -> None:
    sure = share(np.ones(40, dtype=bool), Sampling(clusters=np.repeat(np.arange(10), 4)))
    assert sure["ci_high"] == "1.000000"
    # ten patients, four images each, all right: no better than ten of ten
    assert float(sure["ci_low"]) < float(intervals.proportion(10, 10, "0.95")["ci_low"])
    assert [one["ci_method"] for one in sure["other_intervals"]] == ["clopper-pearson"]
    one = share(HITS[:6], Sampling(clusters=np.zeros(6)))
    assert "ci_low" not in one
    assert one["reason"] == intervals.ONE_CLUSTER
    from compliance.kinds.metrics import MetricRow

    assert MetricRow.model_validate({"name": "accuracy", **one}).ci_low is None


def test_cases_told_twice_are_worth_no_more() -> None:
    values = drawn.normal(size=80)
    alone = mean(values, Sampling())
    twice = mean(np.repeat(values, 2), Sampling(clusters=np.repeat(np.arange(80), 2)))
    bounds = ("value", "ci_low", "ci_high")
    assert [alone[name] for name in bounds] == [twice[name] for name in bounds]
    assert (alone["ci_method"], twice["ci_method"]) == ("bootstrap", "cluster-bootstrap")
    blind = mean(np.repeat(values, 2), Sampling())
    assert float(blind["ci_high"]) - float(blind["ci_low"]) < 0.8 * (float(alone["ci_high"]) - float(alone["ci_low"]))


def test_whole_clusters_are_drawn_whatever_the_order_of_cases() -> None:
    values, order = drawn.normal(size=len(CLUSTERS)) + CLUSTERS, drawn.permutation(len(CLUSTERS))
    values, clusters = values[order], CLUSTERS[order]
    seen = []

    def statistic(weights: np.ndarray) -> np.ndarray:
        if len(weights) > 1:
            seen.append(all(len(set(row[clusters == one].tolist())) == 1 for row in weights[:20] for one in range(60)))
        return (weights @ values / weights.sum(axis=1))[:, None]

    (row,) = bootstrap(statistic, len(values), Sampling(clusters=clusters))
    assert all(seen)
    assert row == mean(values, Sampling(clusters=clusters))


def test_a_bootstrap_repeats_by_its_seed_whatever_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = drawn.normal(size=50)
    whole = mean(values, Sampling(seed=3))
    assert whole != mean(values, Sampling(seed=4))
    monkeypatch.setattr(intervals, "_CHUNK", 90)
    assert mean(values, Sampling(seed=3)) == whole


def test_the_bootstrap_covers_as_scipys_does() -> None:
    from scipy.stats import bootstrap as scipys

    values = drawn.exponential(size=300)
    theirs = scipys((values,), np.mean, method="percentile", n_resamples=5000, rng=1).confidence_interval
    row = mean(values, Sampling())
    assert (float(row["ci_low"]), float(row["ci_high"])) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_what_resamples_do_not_define_is_told() -> None:
    def first_case(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, :1] > 0, weights[:, 1:2], np.nan)

    (often,) = bootstrap(first_case, 10, Sampling())
    assert "too many for an interval" in often["reason"]
    assert "ci_low" not in often

    def sometimes(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, :5].sum(axis=1, keepdims=True) > 0, weights[:, 7:8], np.nan)

    (seldom,) = bootstrap(sometimes, 10, Sampling())
    assert "are left out of the interval" in seldom["note"]
    (same,) = bootstrap(lambda w: np.ones((len(w), 1)), 10, Sampling())
    assert same == {"value": "1.000000", "reason": "every resample gives this value, so resampling shows no spread"}
    (never,) = bootstrap(lambda w: np.full((len(w), 1), np.nan), 10, Sampling())
    assert "undefined" in never["reason"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1).filter(lambda r: any(w for _, w in r)))
def test_weighted_quantiles_are_numpys_of_repeated_values(rows: list[tuple[int, int]]) -> None:
    values, weights = np.array([v for v, _ in rows], dtype=float), np.array([[w for _, w in rows]], dtype=float)
    shares = (0.05, 0.25, 0.5, 0.95)
    expected = np.quantile(np.repeat(values, weights[0].astype(int)), shares)
    assert weighted_quantiles(values, shares)(weights)[0].tolist() == pytest.approx(expected.tolist())
