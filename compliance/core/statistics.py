"""Figures and their uncertainty, from counts and from predictions.

Counts are served by the standard library alone, because logging a proportion must not cost an import of
scipy: the Clopper-Pearson bounds are quantiles of the beta distribution, found here from its continued fraction.
Predictions need numpy, imported where it is used. Figures leave as decimal strings, six places, half to even.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

PLACES = Decimal("0.000001")
_WIDE = Context(prec=400)
"""Digits for any floating-point number."""

Method = Literal["clopper-pearson", "wilson", "wald"]


def decimal(value: float | Fraction | Decimal) -> str:
    """Return a figure as text: six decimals, half to even, no exponent, no minus before zero."""
    exact = Decimal(value.numerator) / Decimal(value.denominator) if isinstance(value, Fraction) else Decimal(value)
    if not exact.is_finite():
        raise ValueError("a figure that is not finite")
    rounded = exact.quantize(PLACES, ROUND_HALF_EVEN, _WIDE)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


def agrees(stated: str, x: int, n: int) -> bool:
    """Say whether `stated` is x/n rounded, by any rule, to the digits it is written with."""
    written = Decimal(stated)
    exponent = written.as_tuple().exponent
    half_unit = Fraction(10) ** (exponent if isinstance(exponent, int) else 0) / 2
    return abs(Fraction(written) - Fraction(x, n)) <= half_unit


# --- one proportion --------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def clopper_pearson(x: int, n: int, level: str = "0.95") -> tuple[str, str]:
    """Return the exact two-sided interval of x in n. Never narrower than its level; 0 and n have a closed end.

    Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    _counted(x, n)
    tail = (1 - float(level)) / 2
    low = 0.0 if x == 0 else _beta_quantile(tail, x, n - x + 1)
    high = 1.0 if x == n else _beta_quantile(1 - tail, x + 1, n - x)
    return decimal(low), decimal(high)


def interval(x: int, n: int, method: Method, level: str = "0.95") -> tuple[float, float]:
    """Return the bounds of x in n by a named method, unrounded."""
    _counted(x, n)
    if method == "clopper-pearson":
        tail = (1 - float(level)) / 2
        return (
            0.0 if x == 0 else _beta_quantile(tail, x, n - x + 1),
            1.0 if x == n else _beta_quantile(1 - tail, x + 1, n - x),
        )
    z, p = normal_quantile(level), x / n
    if method == "wald":
        half = z * math.sqrt(p * (1 - p) / n)
        return p - half, p + half
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def counts_behind(
    value: str, low: str, high: str, level: str = "0.95", *, largest: int = 3000
) -> tuple[Method, int, int] | None:
    """Return the method and the smallest whole counts that print as this value and interval, or None if none do.

    None up to `largest` cases is a reason to ask the publisher, not a proof of error.
    """
    methods: tuple[Method, ...] = ("clopper-pearson", "wilson", "wald")
    for n in range(1, largest + 1):
        nearest = round(Decimal(value) * n)
        for x in (nearest - 1, nearest, nearest + 1):
            if not 0 <= x <= n or not agrees(value, x, n):
                continue
            for method in methods:
                if prints_as(interval(x, n, method, level), (low, high)):
                    return method, x, n
    return None


def normal_quantile(level: str) -> float:
    """Return z for a two-sided level: 0.95 gives 1.959964."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + float(level) / 2)


def prints_as(bounds: tuple[float, float], stated: tuple[str, str]) -> bool:
    """Say whether an interval, cut off at 0 and 1, is the stated one to the digits it is written with."""
    return all(_prints_as(bound, text) for bound, text in zip(bounds, stated, strict=True))


def _prints_as(bound: float, text: str) -> bool:
    written = Decimal(text)
    exponent = written.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return abs(Decimal(min(max(bound, 0.0), 1.0)) - written) <= unit / 2


def _counted(x: int, n: int) -> None:
    if n < 1 or not 0 <= x <= n:
        raise ValueError(f"{x} of {n} is no proportion")


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Solve I_q(a, b) = probability by Newton's steps inside a shrinking bracket."""
    low, high, mean = 0.0, 1.0, a / (a + b)
    spread = math.sqrt(mean * (1 - mean) / (a + b + 1))
    q = min(max(mean + _roughly_normal(probability) * spread, mean / 10), 1 - (1 - mean) / 10)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    for _ in range(200):
        error = _beta_cdf(q, a, b, log_beta) - probability
        low, high = (q, high) if error < 0 else (low, q)
        density = math.exp((a - 1) * math.log(q) + (b - 1) * math.log1p(-q) - log_beta)
        step = q - error / density if density > 0 else low
        if abs(step - q) < 1e-10 or high - low < 1e-15:  # the next error is this one squared
            return min(max(step, low), high)
        q = step if low < step < high else (low + high) / 2
    return q


def _roughly_normal(probability: float) -> float:
    """Return a normal quantile to some three digits: a start for Newton (Abramowitz and Stegun 26.2.22)."""
    t = math.sqrt(-2 * math.log(min(probability, 1 - probability)))
    z = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t)
    return math.copysign(z, probability - 0.5)


def _beta_cdf(q: float, a: float, b: float, log_beta: float) -> float:
    """Return the regularised incomplete beta function (DLMF 8.17.22, by Lentz's method)."""
    if q > (a + 1) / (a + b + 2):
        return 1 - _beta_cdf(1 - q, b, a, log_beta)
    tiny = 1e-300
    front = math.exp(a * math.log(q) + b * math.log1p(-q) - log_beta) / a
    c, d = 1.0, 1 - (a + b) * q / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    fraction = d
    for m in range(1, 100_000):
        for term in (
            m * (b - m) * q / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * q / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 + term * d, 1 + term / c
            d = 1 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * fraction


# --- a two-by-two table ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confusion:
    """Cases by truth and decision at one threshold."""

    tp: int
    fp: int
    tn: int
    fn: int

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Return x and n of each proportion; one whose n is 0 is undefined and left to the caller."""
        tp, fp, tn, fn = self.tp, self.fp, self.tn, self.fn
        return {
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
            "ppv": (tp, tp + fp),
            "npv": (tn, tn + fn),
            "accuracy": (tp + tn, tp + fp + tn + fn),
        }
