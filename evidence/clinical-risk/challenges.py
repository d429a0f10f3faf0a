"""What may go wrong with the input of the served model, tried on the served model itself.

Each challenge returns a safety result as the tracker takes it: counts, never a person's row.
"""

from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

SEED = 20261123
ASSAY_VARIATION = 0.05
"""Relative standard deviation between two measurements of the same blood: a usual bound for these assays."""
NOISE = f"Each assay of every person times a normal factor, mean 1, standard deviation {ASSAY_VARIATION}."
CHALLENGED = 25
"""People whose request is spoilt, one fault at a time."""

FAULTS: dict[str, dict[str, Any]] = {
    "a child": {"age": 9.0},
    "below the cohort's age": {"age": 49.0},
    "an impossible age": {"age": 140.0},
    "no age": {"age": np.nan},
    "no sex": {"sex": None},
    "an unknown sex": {"sex": "X"},
    "sex as a word": {"sex": "female"},
    "creatinine in micromoles per litre": {"creatinine": 97.0},
    "creatinine zero": {"creatinine": 0.0},
    "creatinine negative": {"creatinine": -1.0},
    "creatinine infinite": {"creatinine": np.inf},
    "no kappa": {"kappa": np.nan},
    "kappa negative": {"kappa": -0.5},
    "kappa beyond the assay": {"kappa": 400.0},
    "no lambda": {"lambda": np.nan},
    "lambda beyond the assay": {"lambda": 400.0},
}


def challenges(model: Any, people: pd.DataFrame, asked: pd.DataFrame, threshold: float) -> list[dict[str, Any]]:
    """Try everything on `people`, none of whom the model has seen; `asked` is their input to the model."""
    flagged = model.predict(asked) >= threshold
    assays = ["creatinine", "kappa", "lambda"]
    noise = np.random.default_rng(SEED).normal(1.0, ASSAY_VARIATION, size=(len(asked), len(assays)))
    perturbed = asked.assign(**{name: asked[name] * noise[:, column] for column, name in enumerate(assays)})
    measured = people["creatinine"].notna().to_numpy()
    blanked = asked[measured].assign(creatinine=np.nan)
    return [
        {
            "title": "Measurement error of the assays",
            "category": "robustness",
            "plan": "robustness-clinical-risk@1",
            "method": "Both measurements go through the served model; a decision is the flag at the operating point.",
            "perturbations": [{"name": "assay variation", "magnitude": str(ASSAY_VARIATION), "description": NOISE}],
            "seed": str(SEED),
            "metrics": _changed(people, (model.predict(perturbed) >= threshold) != flagged),
        },
        {
            "title": "Creatinine not measured",
            "category": "robustness",
            "plan": "robustness-clinical-risk@1",
            "method": "The creatinine of every person who has one is taken away; a decision is the flag.",
            "perturbations": [{"name": "missing creatinine", "description": "Imputed by the training median."}],
            "metrics": _changed(people[measured], (model.predict(blanked) >= threshold) != flagged[measured]),
        },
        {
            "title": "Input outside the limits",
            "category": "input-handling",
            "plan": "input-handling-clinical-risk@1",
            "method": f"{len(FAULTS)} faults, one at a time, in the requests of {CHALLENGED} people.",
            "perturbations": [{"name": name} for name in FAULTS],
            "expected_behaviour": "The served model refuses to answer and names every column at fault.",
            "unit_of_analysis": "request",
            "metrics": _refused(model, asked),
        },
    ]


def _changed(people: pd.DataFrame, changed: np.ndarray) -> list[dict[str, Any]]:
    sex = people["sex"].to_numpy()
    rows: list[dict[str, Any]] = [_rate(changed)]
    return rows + [{**_rate(changed[sex == value]), "group": {"sex": value}} for value in ("F", "M")]


def _rate(changed: np.ndarray) -> dict[str, Any]:
    return {"name": "changed_decision_rate", "x": int(changed.sum()), "n": len(changed)}


def _refused(model: Any, asked: pd.DataFrame) -> list[dict[str, Any]]:
    """Count what was refused, over all requests and by the sex of those whose request was spoilt."""
    refused = {"F": 0, "M": 0}
    spoilt = asked.head(CHALLENGED)
    for row in range(len(spoilt)):
        for fault in FAULTS.values():
            try:
                model.predict(spoilt.iloc[[row]].assign(**fault))
            except (ValueError, MlflowException):  # our guard, or MLflow's own check of types
                refused[spoilt["sex"].iloc[row]] += 1
    people = {sex: int((spoilt["sex"] == sex).sum()) for sex in refused}
    rows = [(None, sum(refused.values()), len(spoilt)), *((sex, refused[sex], people[sex]) for sex in refused)]
    return [
        {"name": "rejection_rate", "x": x, "n": n * len(FAULTS), **({"group": {"sex": sex}} if sex else {})}
        for sex, x, n in rows
    ]
