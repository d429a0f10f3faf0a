"""A predicted quantity: scikit-learn's errors, and the worked example of Bland and Altman."""

import numpy as np
import pytest

from compliance.core import regression
from compliance.core.intervals import Sampling
from compliance.kinds.metrics import MetricRow

# Bland and Altman, Lancet 327 (1986) 307-310, table 1: first peak flow by a large and a mini meter, l/min
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def rows_of(truth: np.ndarray, predicted: np.ndarray, sampling: Sampling) -> dict[str, dict[str, str]]:
    rows = regression.metric_rows(truth, predicted, sampling, scale="l/min")
    for row in rows:
        MetricRow.model_validate(row)
    return {row["name"]: row for row in rows}


def test_bland_and_altmans_own_example() -> None:
    rows = rows_of(np.array(MINI, dtype=float), np.array(LARGE, dtype=float), Sampling())
    bias = rows["bland_altman_bias"]
    assert round(float(bias["value"]), 1) == -2.1
    assert (round(float(bias["ci_low"]), 1), round(float(bias["ci_high"]), 1)) == (-22.0, 17.8)
    assert (bias["ci_method"], bias["scale"], bias["n"]) == ("t", "l/min", 17)
    low, high = rows["limit_of_agreement_low"], rows["limit_of_agreement_high"]
    spread = (float(high["value"]) - float(low["value"])) / 2 / regression.LIMITS
    assert round(spread, 1) == 38.8
    assert float(low["ci_high"]) - float(low["value"]) == pytest.approx(34.6, abs=0.1)  # the paper rounds 2.12 x 16.3


def test_errors_are_scikit_learns_and_agreement_their_definition() -> None:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    generator = np.random.default_rng(0)
    truth = generator.normal(1000, 3, 200)
    predicted = truth + generator.normal(1, 2, 200)
    rows = rows_of(truth, predicted, Sampling())
    assert float(rows["mae"]["value"]) == pytest.approx(mean_absolute_error(truth, predicted), abs=1e-6)
    assert float(rows["rmse"]["value"]) == pytest.approx(root_mean_squared_error(truth, predicted), abs=1e-6)
    assert float(rows["r2"]["value"]) == pytest.approx(r2_score(truth, predicted), abs=1e-6)
    assert "scale" not in rows["r2"]
    clustered = rows_of(truth, predicted, Sampling(clusters=np.arange(200) // 4))
    for name, row in clustered.items():
        assert float(row["value"]) == pytest.approx(float(rows[name]["value"]), abs=1e-6)
        assert row["ci_method"] == "cluster-bootstrap"
        assert row["clusters"] == 50
    assert clustered["bland_altman_bias"]["other_intervals"][0]["ci_method"] == "t"
    # its cases are independent, so knowing of the clusters changes little
    width = [
        float(r["bland_altman_bias"]["ci_high"]) - float(r["bland_altman_bias"]["ci_low"]) for r in (rows, clustered)
    ]
    assert width[0] == pytest.approx(width[1], rel=0.35)


def test_a_constant_truth_or_one_case_has_no_figure_that_needs_spread() -> None:
    constant = rows_of(np.full(20, 0.1), np.linspace(0, 1, 20), Sampling())
    assert "value" not in constant["r2"]
    assert constant["r2"]["reason"]
    single = rows_of(np.array([1.0]), np.array([2.0]), Sampling())
    assert single["mae"]["value"] == "1.000000"
    assert "value" not in single["limit_of_agreement_low"]
    assert all(row["small"] for row in single.values())
