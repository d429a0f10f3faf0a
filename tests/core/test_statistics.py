"""Intervals held to scipy, to published intervals and to their definitions."""

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core import statistics

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from(["0.90", "0.95", "0.99"])


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (171, 214, "0.739045", "0.850600"),  # the design's example
        (0, 32, "0.000000", "0.108881"),  # 1 - 0.025 ** (1 / 32): "0 failures in 32" bounds nothing below 10.9 %
        (50, 50, "0.928878", "1.000000"),  # 0.025 ** (1 / 50)
        (1, 1, "0.025000", "1.000000"),
    ],
)
def test_clopper_pearson(x: int, n: int, low: str, high: str) -> None:
    assert statistics.clopper_pearson(x, n) == (low, high)


def test_intervals_as_others_print_them() -> None:
    # statsmodels' "beta" and scipy's "exact" for 45 of 50; a published device card, 96.15 % [90.44-98.94].
    assert [f"{float(bound):.4f}" for bound in statistics.clopper_pearson(45, 50)] == ["0.7819", "0.9667"]
    assert [f"{float(bound):.4f}" for bound in statistics.clopper_pearson(100, 104)] == ["0.9044", "0.9894"]


@settings(max_examples=300, deadline=None)
@given(counts, levels)
def test_clopper_pearson_is_scipys_beta_quantile(xn: tuple[int, int], level: str) -> None:
    from scipy.special import betaincinv

    (x, n), tail = xn, (1 - float(level)) / 2
    low, high = statistics.interval(x, n, "clopper-pearson", level)
    assert low == pytest.approx(0 if x == 0 else betaincinv(x, n - x + 1, tail), abs=1e-10)
    assert high == pytest.approx(1 if x == n else betaincinv(x + 1, n - x, 1 - tail), abs=1e-10)


@pytest.mark.parametrize("n", [10**6, 10**8])
def test_clopper_pearson_of_very_many_cases(n: int) -> None:
    from scipy.special import betaincinv

    low, high = statistics.interval(n // 3, n, "clopper-pearson")
    assert low == pytest.approx(betaincinv(n // 3, n - n // 3 + 1, 0.025), abs=1e-9)
    assert high == pytest.approx(betaincinv(n // 3 + 1, n - n // 3, 0.975), abs=1e-9)


@settings(deadline=None)
@given(counts, levels)
def test_an_interval_holds_its_value_and_mirrors(xn: tuple[int, int], level: str) -> None:
    x, n = xn
    low, high = (Decimal(bound) for bound in statistics.clopper_pearson(x, n, level))
    assert 0 <= low <= Decimal(statistics.decimal(Fraction(x, n))) <= high <= 1
    mirrored = statistics.interval(n - x, n, "clopper-pearson", level)
    assert statistics.interval(x, n, "clopper-pearson", level)[0] == pytest.approx(1 - mirrored[1], abs=1e-12)


@settings(deadline=None)
@given(counts)
def test_wilson_and_wald_are_scipys(xn: tuple[int, int]) -> None:
    from scipy.stats import binomtest, norm

    x, n = xn
    wilson = binomtest(x, n).proportion_ci(method="wilson")
    assert statistics.interval(x, n, "wilson") == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    half = norm.ppf(0.975) * math.sqrt(x / n * (1 - x / n) / n)
    assert statistics.interval(x, n, "wald") == pytest.approx((x / n - half, x / n + half), abs=1e-9)


@pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_proportion_is_refused(x: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        statistics.clopper_pearson(x, n)


def test_six_places_half_to_even_and_no_minus_before_zero() -> None:
    assert statistics.decimal(Fraction(1, 2000000)) == "0.000000"
    assert statistics.decimal(Fraction(3, 2000000)) == "0.000002"
    assert statistics.decimal(-1e-12) == "0.000000"
    assert statistics.decimal(1e-7) == "0.000000"
    assert statistics.decimal(12345.5) == "12345.500000"
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not finite"):
            statistics.decimal(value)


@given(counts, st.integers(0, 8))
def test_a_rounded_value_agrees_and_its_neighbour_does_not(xn: tuple[int, int], digits: int) -> None:
    x, n = xn
    unit = Decimal(1).scaleb(-digits)
    rounded = (Decimal(x) / Decimal(n)).quantize(unit)
    assert statistics.agrees(str(rounded), x, n)
    assert not statistics.agrees(str(rounded + 2 * unit), x, n)


def test_counts_behind_a_published_interval() -> None:
    assert statistics.counts_behind("0.9615", "0.9044", "0.9894") == ("clopper-pearson", 100, 104)
    # Two intervals of published device cards that no whole counts give, by any of the three methods.
    assert statistics.counts_behind("0.9202", "0.892", "0.9387", largest=1500) is None


def test_counting_imports_neither_numpy_nor_scipy() -> None:
    probe = "import sys; from compliance.core.statistics import clopper_pearson as f; f(3, 9); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy"} & set(told)
