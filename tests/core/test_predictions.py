"""Figures from predictions, held to scikit-learn and to slow, literal readings of their definitions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core import predictions
from compliance.core.statistics import Confusion

scores = st.integers(0, 12).map(lambda k: k / 12)  # few values, so that ties are common
cases = st.lists(st.tuples(st.integers(0, 1), scores), min_size=4, max_size=40).filter(
    lambda rows: 2 <= sum(y for y, _ in rows) <= len(rows) - 2
)


def arrays(rows: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([y for y, _ in rows]), np.array([s for _, s in rows])


def delong_by_definition(truth: np.ndarray, score: np.ndarray) -> tuple[Fraction, Fraction]:
    """DeLong, DeLong and Clarke-Pearson 1988, equations 3 to 6, pair by pair in exact arithmetic."""
    positives = [Fraction(s).limit_denominator(1000) for s in score[truth == 1]]
    negatives = [Fraction(s).limit_denominator(1000) for s in score[truth == 0]]
    m, n = len(positives), len(negatives)

    def psi(x: Fraction, y: Fraction) -> Fraction:
        return Fraction(1) if y < x else Fraction(1, 2) if y == x else Fraction(0)

    area = sum((psi(x, y) for x in positives for y in negatives), Fraction(0)) / (m * n)
    v10 = [sum((psi(x, y) for y in negatives), Fraction(0)) / n for x in positives]
    v01 = [sum((psi(x, y) for x in positives), Fraction(0)) / m for y in negatives]
    s10 = sum(((v - area) ** 2 for v in v10), Fraction(0)) / (m - 1)
    s01 = sum(((v - area) ** 2 for v in v01), Fraction(0)) / (n - 1)
    return area, s10 / m + s01 / n


@settings(deadline=None)
@given(cases)
def test_delong_is_its_definition(rows: list[tuple[int, float]]) -> None:
    truth, score = arrays(rows)
    area, variance = delong_by_definition(truth, score)
    assert predictions.delong(truth, score) == pytest.approx((float(area), float(variance)), abs=1e-12)


@settings(deadline=None)
@given(cases)
def test_the_area_is_scikit_learns(rows: list[tuple[int, float]]) -> None:
    from sklearn.metrics import brier_score_loss, roc_auc_score

    truth, score = arrays(rows)
    assert predictions.delong(truth, score)[0] == pytest.approx(roc_auc_score(truth, score))
    assert predictions.brier(truth, score) == pytest.approx(brier_score_loss(truth, score))


@given(st.lists(scores, min_size=1))
def test_midranks_are_scipys(values: list[float]) -> None:
    from scipy.stats import rankdata

    assert predictions.midranks(np.array(values)).tolist() == rankdata(values).tolist()


@given(cases, scores)
def test_the_table_is_scikit_learns(rows: list[tuple[int, float]], threshold: float) -> None:
    from sklearn.metrics import confusion_matrix

    truth, score = arrays(rows)
    (tn, fp), (fn, tp) = confusion_matrix(truth, score >= threshold, labels=[0, 1]).tolist()
    assert predictions.confusion(truth, score, threshold) == Confusion(tp, fp, tn, fn)


def drawn(n: int = 2000, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    logit = generator.normal(-1, 1.5, n)
    truth = (generator.random(n) < 1 / (1 + np.exp(-(slope * logit + shift)))).astype(int)
    return truth, 1 / (1 + np.exp(-logit))


def test_recalibration_is_scikit_learns_unpenalised_fit() -> None:
    from sklearn.linear_model import LogisticRegression

    truth, score = drawn(slope=0.6, shift=0.3)
    logit = np.log(score / (1 - score))
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], truth)
    fits = predictions.recalibration(truth, score)
    assert fits[0]
    assert fits[1]
    (slope, slope_error), (intercept, _) = fits
    assert slope == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-4)
    assert abs(slope - 0.6) < 3 * slope_error
    assert (1 / (1 + np.exp(-(logit + intercept)))).sum() == pytest.approx(truth.sum())  # what a fitted intercept means


@pytest.mark.parametrize(
    ("truth", "score"),
    [([0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8, 0.9]), ([0, 1, 0, 1, 1], [0.5] * 5), ([0, 1, 0, 1, 1], [1e-9] * 5)],
    ids=["separated", "one score", "one score near the end"],
)
def test_where_the_slope_has_no_fit_the_intercept_still_has_one(truth: list[int], score: list[float]) -> None:
    import statsmodels.api as sm

    y, p = np.array(truth), np.array(score)
    slope, intercept = predictions.recalibration(y, p)
    offset = np.log(p / (1 - p))
    judge = sm.GLM(y, np.ones((len(y), 1)), offset=offset, family=sm.families.Binomial()).fit(tol=1e-12)
    assert slope is None
    assert intercept == pytest.approx((judge.params[0], judge.bse[0]))
    rows = {row["name"]: row for row in predictions.metric_rows(y, p, 0.5, clusters=np.array([0, 0, 1, 1, 2]))}
    assert "no finite fit" in rows["calibration_slope"]["reason"]
    assert rows["calibration_intercept"]["ci_method"] == "cluster-robust"


def test_the_bootstrap_repeats_by_its_seed_and_covers() -> None:
    values = np.random.default_rng(5).random(400)
    assert predictions.bootstrap_mean(values) == predictions.bootstrap_mean(values)
    assert predictions.bootstrap_mean(values) != predictions.bootstrap_mean(values, seed=1)
    low, high = predictions.bootstrap_mean(values)
    half = 1.96 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15 * half)


def test_a_chunked_bootstrap_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random(400)
    whole = predictions.bootstrap_mean(values, resamples=100)
    monkeypatch.setattr(predictions, "_CHUNK", 700)  # one resample at a time
    assert predictions.bootstrap_mean(values, resamples=100) == whole


def by_name(rows: list[dict[str, object]]) -> dict[object, dict[str, object]]:
    return {row["name"]: row for row in rows}


def test_small_groups_are_flagged_and_what_is_undefined_says_why() -> None:
    rows = by_name(predictions.metric_rows(np.array([1, 1, 1]), np.array([0.2, 0.3, 0.1]), 0.5, group={"sex": "F"}))
    assert all(row.get("small") for row in rows.values())
    assert rows["ppv"]["reason"] == "no case to count: the denominator is 0"
    assert "both classes are needed" in str(rows["roc_auc"]["reason"])
    assert rows["sensitivity"]["x"] == 0
    assert rows["sensitivity"]["n"] == 3
    separated = by_name(predictions.metric_rows(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), 0.5))
    assert separated["roc_auc"]["value"] == "1.000000"
    assert "ci_low" not in separated["roc_auc"]


def test_every_row_is_one_that_the_kind_accepts() -> None:
    from compliance.kinds.metrics import MetricRow

    truth, score = drawn(300)
    rows = predictions.metric_rows(truth, score, 0.3) + predictions.metric_rows(truth[:4], score[:4], 0.3)
    for row in rows:
        MetricRow.model_validate(row)
    full = by_name(rows[:11])
    assert not any("small" in row for row in full.values())
    assert all("ci_low" in row for row in full.values())


def test_the_curve_starts_and_ends_and_no_point_is_one_persons() -> None:
    truth, score = drawn(1000)
    points = predictions.roc_points(truth, score)
    assert points is not None
    assert (points[0]["x"], points[0]["y"], points[-1]["x"], points[-1]["y"]) == ("0", "0", "1", "1")
    flagged = [int((score >= float(point["threshold"]) - 5e-7).sum()) for point in points[1:-1]]
    assert min(np.diff([0, *flagged, 1000])) >= 9  # ten apart, less a score that six decimals round away
    assert predictions.roc_points(np.ones(20), score[:20]) is None


def test_reliability_bins_add_up_and_small_ones_are_withheld() -> None:
    truth, score = drawn(1003)
    table = predictions.reliability(truth, score)
    assert sum(row["n"] for row in table) == 1003
    assert sum(row["events"] for row in table) == truth.sum()
    assert len(table) == 10
    assert [row.get("withheld") for row in predictions.reliability(truth[:7], score[:7])] == [True]


def in_clusters(n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cases of patients whose true risks differ by more than the score knows."""
    generator = np.random.default_rng(9)
    patient = np.repeat(np.arange(n // 4), 4)
    logit = generator.normal(-0.5, 1.2, n)
    own = generator.normal(0, 1.5, n // 4)[patient]
    truth = (generator.random(n) < 1 / (1 + np.exp(-logit - own))).astype(int)
    return truth, 1 / (1 + np.exp(-logit)), patient


@settings(deadline=None)
@given(cases, st.integers(0, 2**32 - 1))
def test_the_weighted_area_is_scikit_learns(rows: list[tuple[int, float]], seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    truth, score = arrays(rows)
    weights = np.random.default_rng(seed).integers(0, 3, len(truth))
    found = predictions.weighted_area(truth, score)(weights[None].astype(float))[0]
    drawn = np.repeat(truth, weights)
    if len(set(drawn.tolist())) == 2:
        assert found == pytest.approx(roc_auc_score(drawn, np.repeat(score, weights)))
    else:
        assert np.isnan(found)


def test_calibration_among_clusters_is_statsmodels_sandwich() -> None:
    import statsmodels.api as sm

    truth, score, patient = in_clusters()
    logit = np.log(score / (1 - score))
    options = {"cov_type": "cluster", "cov_kwds": {"groups": patient, "use_correction": False}}
    slope = sm.GLM(truth, sm.add_constant(logit), sm.families.Binomial()).fit(**options)
    shift = sm.GLM(truth, np.ones(len(truth)), sm.families.Binomial(), offset=logit).fit(**options)
    rows = by_name(predictions.metric_rows(truth, score, 0.5, clusters=patient))
    many = math.sqrt(150 / 149)  # ours allows for the number of clusters
    for name, fit, at in (("calibration_slope", slope, 1), ("calibration_intercept", shift, 0)):
        row = rows[name]
        assert float(str(row["value"])) == pytest.approx(fit.params[at], abs=1e-5)
        half = (float(str(row["ci_high"])) - float(str(row["ci_low"]))) / 2
        assert half == pytest.approx(1.959964 * fit.bse[at] * many, rel=1e-4)
        assert (row["ci_method"], row["clusters"]) == ("cluster-robust", 150)


def test_clusters_change_intervals_and_never_figures() -> None:
    from compliance.kinds.metrics import MetricRow

    truth, score, patient = in_clusters()
    alone = by_name(predictions.metric_rows(truth, score, 0.5))
    together = by_name(predictions.metric_rows(truth, score, 0.5, clusters=patient))
    assert list(alone) == list(together)
    for name, row in together.items():
        assert row["value"] == alone[name]["value"]
        MetricRow.model_validate(row)
        others = row["other_intervals"]
        assert isinstance(others, list)
        assert (others[-1]["ci_low"], others[-1]["ci_method"]) == (alone[name]["ci_low"], alone[name]["ci_method"])
    width = [float(str(r["ci_high"])) - float(str(r["ci_low"])) for r in (alone["prevalence"], together["prevalence"])]
    assert width[1] > 1.2 * width[0]


def test_one_cluster_shows_no_spread() -> None:
    truth, score, _ = in_clusters(40)
    rows = by_name(predictions.metric_rows(truth, score, 0.5, clusters=np.zeros(40, dtype=int)))
    assert not any("ci_low" in row for row in rows.values())
    assert all(row["small"] and row["clusters"] == 1 for row in rows.values())


@pytest.mark.parametrize("score", [0.0, 1e-300, 1.0])
def test_scores_at_the_very_end_give_figures_or_reasons(score: float) -> None:
    from compliance.kinds.metrics import MetricRow

    for row in predictions.metric_rows(np.array([0, 1] * 6), np.full(12, score), 0.5):
        MetricRow.model_validate(row)
        assert "value" in row or row["reason"]
