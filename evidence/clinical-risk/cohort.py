"""The cohort behind the example: who is in it, what is predicted, what is left out and why.

Data: the assay of serum free light chains in 7,874 residents of Olmsted County, Minnesota, aged 50 or over
(Dispenzieri A et al., Mayo Clin Proc 2012; shipped by scikit-survival). One row is one person.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sksurv.datasets import load_flchain

HORIZON_DAYS = 1826.25
"""Five years, leap days counted."""
SEED = 0
PREDICTORS = ["age", "sex", "creatinine", "kappa", "lambda"]
OUTCOME = "died_within_5y"
GROUPS = ["sex", "age_band"]

LEFT_OUT = {
    "chapter": "cause of death: it is filled in only for those who died, so it gives the outcome away",
    "flc.grp": "tenth of kappa + lambda over this very cohort: adds nothing, and cannot be had for a new person",
    "mgus": "diagnosis of a monoclonal gammopathy with no date in this file: it may come after the blood sample",
    "sample.yr": "year of the sample: a property of the study, not of the person",
}


def load() -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the people whose five-year outcome is known, and how many were counted on the way."""
    table, follow_up = load_flchain()
    died, days = follow_up["death"].astype(bool), follow_up["futime"]
    outcome = np.where(died & (days <= HORIZON_DAYS), 1, np.where(days > HORIZON_DAYS, 0, -1))
    people = table.drop(columns=list(LEFT_OUT)).astype({"sex": str})
    people.insert(0, "person", [f"flchain-{row:04d}" for row in range(1, len(people) + 1)])
    people["age"] = people["age"].astype(int)
    people["age_band"] = pd.cut(
        people["age"], [0, 60, 70, 80, 200], right=False, labels=["under 60", "60 to 69", "70 to 79", "80 and over"]
    ).astype(str)
    people[OUTCOME] = outcome
    counts = {
        "people": len(people),
        "creatinine_missing": int(people["creatinine"].isna().sum()),
        "died": int((outcome == 1).sum()),
        "survived": int((outcome == 0).sum()),
        "censored": int((outcome == -1).sum()),
    }
    return people[people[OUTCOME] >= 0].reset_index(drop=True), counts


def split(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return train (56 %), tune (14 %) and test (30 %), drawn by person and balanced by outcome and sex."""
    strata = people["sex"] + people[OUTCOME].astype(str)
    rest, test = train_test_split(people, test_size=0.30, random_state=SEED, stratify=strata)
    train, tune = train_test_split(rest, test_size=0.20, random_state=SEED, stratify=strata[rest.index])
    return {"train": train.sort_index(), "tune": tune.sort_index(), "test": test.sort_index()}


def write(parts: dict[str, pd.DataFrame], folder: Path) -> dict[str, Path]:
    """Write each part as a CSV file, same bytes for the same cohort, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {role: folder / f"flchain-{role}.csv" for role in parts}
    for role, part in parts.items():
        part.to_csv(paths[role], index=False, lineterminator="\n")
    return paths
