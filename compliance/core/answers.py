"""Figures of answers that were graded: share right, mean grade, pass@k, and how far a judge agrees with people.

pass@k is the unbiased estimate of Chen et al. (arXiv 2107.03374, 2021): of a question with n answers, c of them right,
1 - C(n-c, k) / C(n, k); its mean over questions, which are its cases. A judge's grades are worth what they agree with
a person's on the same answers: agreement and Cohen's kappa, over the answers that both have graded.
"""

from math import comb
from typing import TYPE_CHECKING, Any

from compliance.core.intervals import Row, Sampling, bootstrap, flagged, mean, share
from compliance.core.multiclass import AVERAGES, averages

if TYPE_CHECKING:
    from numpy import ndarray


def graded(grade: "ndarray[Any, Any]", right_or_wrong: bool, sampling: Sampling, shared: Row) -> list[Row]:
    """Return accuracy of grades that are all 0 or 1, else their mean."""
    if right_or_wrong:
        return flagged([{"name": "accuracy", **shared, **share(grade == 1, sampling)}])
    return flagged([{"name": "mean_score", **shared, "n": len(grade), **mean(grade, sampling)}])


def pass_at(
    right: "ndarray[Any, Any]", question: "ndarray[Any, Any]", ks: list[int], sampling: Sampling, shared: Row
) -> list[Row]:
    """Return pass@k for each k; `sampling` says how answers cluster, and then whole clusters of questions are drawn."""
    import numpy as np

    _, first, of = np.unique(question, return_index=True, return_inverse=True)
    answers = np.bincount(of)
    correct = np.bincount(of, weights=right == 1).astype(int)
    rows = []
    for k in ks:
        row: Row = {"name": f"pass_at_{k}", **shared, "unit": "proportion", "better": "higher", "n": len(answers)}
        if k > answers.min():
            few = f"{int((answers < k).sum())} questions have fewer than {k} answers"
            rows.append(row | {"reason": few})
            continue
        values = np.array([1 - comb(n - c, k) / comb(n, k) for n, c in zip(answers, correct, strict=True)])
        rows.append(row | mean(values, sampling.of(first)))
    return flagged(rows)


def agreement(judge: "ndarray[Any, Any]", human: "ndarray[Any, Any]", sampling: Sampling, shared: Row) -> list[Row]:
    """Return how far two graders agree on the answers that both graded, grades taken as labels."""
    import numpy as np

    labels, both = np.unique(np.concatenate([judge, human]), return_inverse=True)
    first, second = both[: len(judge)], both[len(judge) :]
    drawn = bootstrap(averages(second, first, len(labels)), len(judge), sampling)
    kappa = drawn[AVERAGES.index("cohen_kappa")]
    return flagged(
        [
            {"name": "agreement", **shared, **share(judge == human, sampling)},
            {"name": "cohen_kappa", **shared, "n": len(judge), **kappa},
        ]
    )
