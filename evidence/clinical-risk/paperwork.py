"""What the tracker wants to know beside the bytes: prose from prose/, figures from the script that runs."""

from datetime import UTC, datetime
from importlib.metadata import version as installed
from os import cpu_count
from pathlib import Path
from platform import machine, python_version
from typing import Any

import cohort
import pandas as pd
import yaml
from served_model import LIMITS, MAY_BE_MISSING, SEXES

HERE = Path(__file__).resolve().parent
MEANING = {
    "age": "Age on the day of the blood sample",
    "creatinine": "Serum creatinine, in the unit of the cohort file",
    "kappa": "Serum free light chains, kappa, in the unit of the cohort file",
    "lambda": "Serum free light chains, lambda, in the unit of the cohort file",
}
PACKAGES = ("scikit-learn", "pandas", "numpy", "joblib", "mlflow")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dataset(role: str, parts: dict[str, pd.DataFrame], counts: dict[str, int]) -> dict[str, Any]:
    """Describe one part of the cohort; the product counts rows, columns, groups and missing values itself."""
    datasheet = _authored("datasheet")
    datasheet["sites"][0]["n"] = len(parts[role])
    return {
        **datasheet,
        "name": f"flchain-{role}",
        "version": "1",
        "role": role,
        "title": f"Free light chain cohort, {role} part",
        "description": f"The {role} part of the cohort: {len(parts[role])} people with known outcome after five years.",
        "suite": HERE / "suites" / "flchain.json",
        "target": cohort.OUTCOME,
        "groups": cohort.GROUPS,
        "patient": "person",
        "enrolled": counts["people"],
        "exclusions": [
            {"reason": "Censored before five years: outcome unknown", "n": counts["censored"]},
            *({"reason": f"Drawn into the {other} part", "n": len(parts[other])} for other in parts if other != role),
        ],
        "splits": [{"group": {"role": name}, "n": len(part)} for name, part in parts.items()],
        "preparation": [
            {
                "step": f"Outcome: death within {cohort.HORIZON_DAYS} days of the sample; censored people left out",
                "same_in_product": False,
            },
            *(
                {"step": f"Column {name} left out: {why}", "same_in_product": True}
                for name, why in cohort.LEFT_OUT.items()
            ),
            {"step": "Age band derived from age, for reporting only", "same_in_product": False},
            {"step": "No value changed or imputed; missing creatinine stays missing", "same_in_product": True},
        ],
    }


def model(version: str, settings: dict[str, Any], threshold: float, preprocessing: str) -> dict[str, Any]:
    """Describe one version: what goes in, how it was built, where it decides; `preprocessing` is a digest."""
    description = {
        **_authored("model"),
        "name": "clinical-risk",
        "version": version,
        "title": f"Five-year mortality risk, version {version}",
        "optimisation_target": "Log-likelihood, deaths and survivors weighed equally"
        if settings["class_weight"]
        else "Log-likelihood, every person weighed equally",
        "hyperparameters": {name: str(value) for name, value in settings.items()},
        "inputs": _inputs(),
        "excluded_inputs": [f"{name}: {why}" for name, why in cohort.LEFT_OUT.items()],
        "operating_points": [
            {
                "name": "flag",
                "threshold": str(threshold),
                "set_on": "flchain-tune@1",
                "rationale": "Highest threshold that flags four of five of those who died in the tuning part",
            }
        ],
        "preprocessing_sha256": preprocessing,
        "frozen_at": now(),
        "environment": _environment(),
    }
    description["changes"] = ["First version"]
    if version != "1":
        description["previous_version"] = f"clinical-risk@{int(version) - 1}"
        description["changes"] = ["Class weights dropped: the tuning data show risks about three times too high."]
    return description


def run() -> dict[str, Any]:
    """Say what MLflow does not know of a training run: which datasets on record, and how the version was chosen."""
    return {
        "datasets": ["flchain-train@1", "flchain-tune@1"],
        "seed": str(cohort.SEED),
        "method": "Maximum likelihood with an L2 penalty, by scikit-learn's lbfgs solver and its stopping rule.",
        "selection": "By calibration on the tuning part; the test part plays no role.",
        "environment": {**_environment(), "hardware": f"{machine()}, {cpu_count()} processor cores"},
        "deterministic": True,
    }


def study(version: str, role: str, preprocessing: str) -> dict[str, Any]:
    """Describe how one version was evaluated on one part; only the test is held to a plan."""
    described = {**_authored("study"), "title": f"clinical-risk {version} on the {role} part"}
    if role == "test":
        protocol = {**_authored("protocol"), "preprocessing_sha256": preprocessing}
        described |= {"plan": "acceptance-clinical-risk@1", "protocol": protocol}
    return described


def _environment() -> dict[str, Any]:
    return {
        "python": python_version(),
        "packages": [{"name": name, "version": installed(name)} for name in PACKAGES],
    }


def _inputs() -> list[dict[str, Any]]:
    numbers = [
        {
            "name": name,
            "type": "number",
            "unit": "years" if name == "age" else "as in the cohort file",
            "minimum": str(low),
            "maximum": str(high),
            "required": name not in MAY_BE_MISSING,
            "when_missing": "imputed by the training median" if name in MAY_BE_MISSING else "refused",
            "meaning": MEANING[name],
        }
        for name, (low, high) in LIMITS.items()
    ]
    return [
        *numbers,
        {
            "name": "sex",
            "type": "text",
            "values": sorted(SEXES),
            "required": True,
            "when_missing": "refused",
            "meaning": "Sex as recorded by the clinic",
        },
    ]


def _authored(name: str) -> dict[str, Any]:
    authored: dict[str, Any] = yaml.safe_load((HERE / "prose" / f"{name}.yaml").read_text(encoding="utf-8"))
    return authored
