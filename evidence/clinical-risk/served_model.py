"""What is served: the fitted pipeline behind a guard that refuses what the cohort gives no ground to answer.

Logged with MLflow as a model from code, so this file lies inside the model folder: whoever changes the guard
makes another model version.
"""

from typing import Any

import joblib
import mlflow
import numpy as np
import pandas as pd

LIMITS = {
    "age": (50, 110),
    "creatinine": (0.2, 15.0),
    "kappa": (0.001, 40.0),
    "lambda": (0.001, 40.0),
}
"""Age in years, the rest in the units of the cohort file; creatinine in µmol/L falls outside, as it should."""
MAY_BE_MISSING = {"creatinine"}
SEXES = {"F", "M"}


class RefusedInputError(ValueError):
    """The request is outside what this model version was built and tested for."""


def check(people: pd.DataFrame) -> None:
    """Raise RefusedInputError, naming every column at fault, unless each value can be answered."""
    faults = [f"{name} is absent" for name in [*LIMITS, "sex"] if name not in people.columns]
    if faults:
        raise RefusedInputError("; ".join(faults))
    for name, (low, high) in LIMITS.items():
        values = pd.to_numeric(people[name], errors="coerce")
        missing = people[name].isna()
        if (values.isna() & ~missing).any():
            faults.append(f"{name} is not a number")
        if missing.any() and name not in MAY_BE_MISSING:
            faults.append(f"{name} is missing")
        if ((values < low) | (values > high)).any():
            faults.append(f"{name} lies outside {low} to {high}")
    if not people["sex"].isin(SEXES).all():
        faults.append("sex is neither F nor M")
    if faults:
        raise RefusedInputError("; ".join(faults))


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined, unused-ignore]
    """Risk of death within five years, between 0 and 1, one per row."""

    def load_context(self, context: Any) -> None:
        self.pipeline = joblib.load(context.artifacts["pipeline"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> np.ndarray:
        check(model_input)
        risk: np.ndarray = self.pipeline.predict_proba(model_input)[:, 1]
        return risk


mlflow.models.set_model(ServedModel())
