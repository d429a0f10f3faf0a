"""Several classes: every average is scikit-learn's, and every class against the rest has its counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core import multiclass
from compliance.core.intervals import Sampling
from compliance.kinds.metrics import MetricRow

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


@settings(deadline=None)
@given(pairs, st.integers(0, 2**32 - 1))
def test_averages_are_scikit_learns_for_any_weights(rows: list[tuple[int, int]], seed: int) -> None:
    from sklearn import metrics

    truth, predicted = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.random.default_rng(seed).integers(0, 3, len(rows))
    weights[0] += 1
    found = dict(
        zip(
            multiclass.AVERAGES,
            multiclass.averages(truth, predicted, 4)(weights[None].astype(float))[0],
            strict=False,
        )
    )
    true, said = np.repeat(truth, weights), np.repeat(predicted, weights)
    for average in ("macro", "micro", "weighted"):
        options = {"average": average, "zero_division": 0}
        assert found[f"precision_{average}"] == pytest.approx(metrics.precision_score(true, said, **options))
        assert found[f"recall_{average}"] == pytest.approx(metrics.recall_score(true, said, **options))
        assert found[f"f1_{average}"] == pytest.approx(metrics.f1_score(true, said, **options))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(true, said))
    if len({*true, *said}) > 1:
        assert found["cohen_kappa"] == pytest.approx(metrics.cohen_kappa_score(true, said))
    else:
        assert np.isnan(found["cohen_kappa"])  # no chance to agree beyond
    if len(set(true)) > 1 and len(set(said)) > 1:
        assert found["mcc"] == pytest.approx(metrics.matthews_corrcoef(true, said))


def test_kappa_of_a_published_table() -> None:
    """Fleiss, Statistical Methods for Rates and Proportions (2nd edition, 1981), table 13.1: kappa 0.676."""
    counts = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    cells = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    truth, predicted = (np.array(column) for column in zip(*cells, strict=True))
    values = multiclass.averages(truth, predicted, 3)(np.ones((1, 100)))[0]
    assert round(values[multiclass.AVERAGES.index("cohen_kappa")], 3) == 0.676


def test_rows_of_every_class_with_counts_and_small_ones_flagged() -> None:
    generator = np.random.default_rng(2)
    truth = np.concatenate([generator.integers(0, 2, 200), [2, 2]])
    predicted = np.where(generator.random(202) < 0.8, truth, (truth + 1) % 3)
    rows = multiclass.metric_rows(truth, predicted, ["a", "b", "rare"], Sampling(), {"sex": "F"})
    for row in rows:
        MetricRow.model_validate(row)
    by_key = {(row["name"], row["group"].get("class")): row for row in rows}
    assert by_key["sensitivity", "a"]["n"] == int((truth == 0).sum())
    assert by_key["ppv", "b"]["n"] == int((predicted == 1).sum())
    assert by_key["sensitivity", "rare"]["small"] is True
    assert "small" not in by_key["sensitivity", "a"]
    assert by_key["f1_macro", None]["ci_method"] == "bootstrap"
    assert sum(sum(row["predicted"].values()) for row in multiclass.table(truth, predicted, ["a", "b", "rare"])) == 202


def test_an_absent_class_says_so() -> None:
    rows = multiclass.metric_rows(np.array([0, 1] * 20), np.array([0, 1] * 20), ["a", "b", "c"], Sampling())
    absent = [row for row in rows if row.get("group") == {"class": "c"}]
    assert {row["name"] for row in absent if "value" not in row} == {"sensitivity", "ppv", "f1"}
    assert all(row.get("reason") for row in absent if "value" not in row)
