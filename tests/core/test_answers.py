"""Graded answers: pass@k as its paper computes it, and a judge held against people."""

import numpy as np
import pytest

from compliance.core import answers
from compliance.core.intervals import Sampling
from compliance.kinds.metrics import MetricRow

SHARED = {"origin": "computed"}


def pass_at_k_of_the_paper(n: int, c: int, k: int) -> float:
    """Chen et al., arXiv 2107.03374, figure 3."""
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def test_pass_at_k_is_the_papers_over_questions() -> None:
    generator = np.random.default_rng(0)
    answered = [
        (f"q{i}", n, c) for i, n in enumerate(generator.integers(5, 12, 40)) for c in [generator.integers(0, n)]
    ]
    question = np.array([q for q, n, _ in answered for _ in range(n)])
    right = np.concatenate([np.arange(n) < c for _, n, c in answered]).astype(float)
    rows = answers.pass_at(right, question, [1, 3, 6], Sampling(), SHARED)
    for k, row in zip((1, 3), rows, strict=False):
        expected = np.mean([pass_at_k_of_the_paper(n, c, k) for _, n, c in answered])
        assert float(row["value"]) == pytest.approx(expected, abs=1e-6)
        assert (row["name"], row["n"]) == (f"pass_at_{k}", 40)
        MetricRow.model_validate(row)
    assert "have fewer than 6 answers" in rows[2]["reason"]


def test_a_judge_is_worth_what_it_agrees_with_people() -> None:
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(4)
    human = generator.integers(0, 2, 150).astype(float)
    judge = np.where(generator.random(150) < 0.85, human, 1 - human)
    agreed, kappa = answers.agreement(judge, human, Sampling(), SHARED)
    assert (agreed["x"], agreed["n"]) == (int((judge == human).sum()), 150)
    assert float(kappa["value"]) == pytest.approx(cohen_kappa_score(human, judge), abs=1e-6)
    for row in (agreed, kappa):
        MetricRow.model_validate(row)


def test_grades_that_are_not_all_right_or_wrong_have_a_mean() -> None:
    (row,) = answers.graded(np.array([0.2, 0.9, 0.5] * 10), False, Sampling(), SHARED)
    assert (row["name"], row["value"], row["ci_method"]) == ("mean_score", "0.533333", "bootstrap")
    (row,) = answers.graded(np.array([0.0, 1.0, 1.0] * 10), True, Sampling(), SHARED)
    assert (row["name"], row["x"], row["n"], row["ci_method"]) == ("accuracy", 20, 30, "clopper-pearson")
