"""One value per case: means and quantiles are numpy's, tails too near one person are withheld, gaps are counted."""

import numpy as np
import pytest

from compliance.core import segmentation
from compliance.core.intervals import Sampling
from compliance.kinds.metrics import MetricRow


def by_name(name: str, values: np.ndarray, **options: object) -> dict[str, dict[str, object]]:
    better = "lower" if name == "hausdorff_95" else "higher"
    rows = segmentation.metric_rows(name, values, better, Sampling(), **options)  # type: ignore[arg-type]
    for row in rows:
        MetricRow.model_validate(row)
    return {row["name"]: row for row in rows}


def test_mean_median_quartiles_and_the_worse_tail() -> None:
    values = np.random.default_rng(1).beta(8, 2, 120)
    rows = by_name("dice", values)
    assert list(rows) == ["dice", "dice_median", "dice_p25", "dice_p75", "dice_p5"]
    for name, expected in zip(rows, [values.mean(), *np.quantile(values, [0.5, 0.25, 0.75, 0.05])], strict=True):
        assert float(rows[name]["value"]) == pytest.approx(expected, abs=1e-6)  # type: ignore[arg-type]
        assert rows[name]["ci_method"] == "bootstrap"
    assert "hausdorff_95_p95" in by_name("hausdorff_95", values * 10)


def test_a_tail_of_few_cases_is_withheld_and_a_missing_value_counted() -> None:
    values = np.array([*np.linspace(0.5, 0.9, 18), np.nan, np.nan])
    rows = by_name("dice", values)
    assert (rows["dice"]["n"], rows["dice"]["missing"]) == (18, 2)
    assert "value" not in rows["dice_p5"]
    assert "would be one case's value" in str(rows["dice_p5"]["reason"])
    assert "value" in rows["dice_median"]
    (none,) = by_name("dice", np.array([np.nan, np.nan])).values()
    assert (none["reason"], none["missing"], none["small"]) == ("no case has a value", 2, True)
