"""Example 1: the cohort is what its papers say, and every record that ships is valid."""

import importlib
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template
from types import ModuleType

import pytest

from compliance.core.evidence import Basis
from compliance.core.reading import read_records
from compliance.kinds.authoring import draft
from compliance.services import catalogs

from .conftest import EVIDENCE, Records

FOLDER = EVIDENCE / "clinical-risk"


@pytest.fixture(scope="module")
def script() -> Iterator[dict[str, ModuleType]]:
    """Import the example's modules as `python train.py` would, and forget them afterwards."""
    pytest.importorskip("sksurv", reason="the example needs scikit-survival")
    names = ("bill", "cohort", "served_model", "challenges", "train")
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name in [*names, "paperwork"]:
            sys.modules.pop(name, None)


def test_the_cohort_is_the_one_that_its_papers_describe(script: dict[str, ModuleType]) -> None:
    people, counts = script["cohort"].load()
    assert counts == {"people": 7874, "creatinine_missing": 1350, "died": 935, "survived": 6744, "censored": 195}
    assert len(people) == 935 + 6744


def test_a_person_is_in_one_part_only_and_parts_are_the_same_every_time(script: dict[str, ModuleType]) -> None:
    cohort = script["cohort"]
    people, _ = cohort.load()
    parts = cohort.split(people)
    drawn = [person for part in parts.values() for person in part["person"]]
    assert sorted(drawn) == sorted(people["person"])
    assert {role: len(part) for role, part in parts.items()} == {"train": 4300, "tune": 1075, "test": 2304}
    assert all(parts[role].equals(part) for role, part in cohort.split(people).items())


def test_the_cause_of_death_gives_the_outcome_away_and_is_left_out(script: dict[str, ModuleType]) -> None:
    from sklearn.metrics import roc_auc_score
    from sksurv.datasets import load_flchain

    cohort = script["cohort"]
    people, _ = cohort.load()
    table, _ = load_flchain()
    known = people["person"].str.removeprefix("flchain-").astype(int).to_numpy() - 1
    leaks = table["chapter"].notna().to_numpy()[known]
    assert roc_auc_score(people[cohort.OUTCOME], leaks) > 0.9
    assert not set(cohort.LEFT_OUT) & set(people.columns)


def test_the_served_model_refuses_every_fault_and_answers_what_is_in_order(script: dict[str, ModuleType]) -> None:
    check, refused = script["served_model"].check, script["served_model"].RefusedInputError
    people, _ = script["cohort"].load()
    asked = script["train"].predictors(people)
    check(asked)
    for fault in script["challenges"].FAULTS.values():
        with pytest.raises(refused, match=next(iter(fault))):
            check(asked.iloc[[0]].assign(**fault))
    for column in asked.columns:
        with pytest.raises(refused, match=f"{column} is absent"):
            check(asked.drop(columns=column))


def test_weighing_deaths_up_shows_in_the_tuning_data(script: dict[str, ModuleType]) -> None:
    """The reason for version 2 is real, and it is seen without the test set."""
    train = script["train"]
    parts = script["cohort"].split(script["cohort"].load()[0])
    ratio = {}
    for version, settings in train.VERSIONS.items():
        model = train.pipeline(**settings).fit(train.predictors(parts["train"]), parts["train"]["died_within_5y"])
        expected = model.predict_proba(train.predictors(parts["tune"]))[:, 1].mean()
        ratio[version] = expected / parts["tune"]["died_within_5y"].mean()
    assert 2.5 < ratio["1"] < 3.5
    assert 0.9 < ratio["2"] < 1.1


def test_the_bill_of_materials_is_cyclonedx_and_counts_what_it_holds(
    script: dict[str, ModuleType], tmp_path: Path
) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="the outside judge is not installed")
    from cyclonedx.schema import SchemaVersion

    record = script["bill"].write(tmp_path / "sbom.cdx.json")
    text = (tmp_path / "sbom.cdx.json").read_text()
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert record["components"] == len(json.loads(text)["components"])
    listed = {part["name"]: part["version"] for part in record["listed"]}
    assert listed.keys() == set(script["bill"].SERVED_WITH)
    assert listed["scikit-learn"] == importlib.metadata.version("scikit-learn")


class Numbered(Records):
    """Every number that the release names is on record."""

    def record(self, number_or_digest: str) -> tuple[str, str]:
        return number_or_digest, "a" * 64


def words() -> dict[str, str]:
    numbers = dict.fromkeys(("model", "evaluation", "rejection", "instructions"), "EV-000017")
    figures = dict.fromkeys(
        ("threshold", "train_n", "test_n", "test_deaths", "ppv_of_100", "missed_of_100", "missed", "table"), "1"
    )
    return {"version": "2", "today": "2026-11-23", "purpose": "Estimates a risk", **numbers, **figures}


def test_every_record_is_valid(tmp_path: Path) -> None:
    records = Numbered()
    for version in ("1", "2"):
        records.announce(f"clinical-risk@{version}")
    files = []
    for file in sorted((FOLDER / "records").glob("*.yaml")):
        files.append(tmp_path / file.name)
        files[-1].write_text(Template(file.read_text()).substitute(words()))
    records.read(files)
    kinds = [*["acceptance-plan"] * 3, *["document"] * 4, "risk-file", "change"]
    assert [drafted.kind for drafted in records.drafts[:9]] == kinds
    known = {row.id for name in ("eu-ai-act", "fda-aidsf") for row in catalogs.load(name).requirements}
    for decision in records.drafts[9:]:
        assert decision.kind == "determination"
        assert set(decision.content["requirements"]) <= known


def test_every_word_of_the_documents_is_filled() -> None:
    for paper in (FOLDER / "documents").glob("*.md"):
        assert "$" not in Template(paper.read_text(encoding="utf-8")).substitute(words())


def test_the_prose_of_datasets_and_models_is_valid() -> None:
    records = Records()
    for role in ("train", "tune"):
        records.announce(f"flchain-{role}@1", role)
    (datasheet,) = read_records((FOLDER / "prose" / "datasheet.yaml").read_bytes(), "datasheet.yaml")
    (model,) = read_records((FOLDER / "prose" / "model.yaml").read_bytes(), "model.yaml")
    bytes_ = {"sha256": "b" * 64, "basis": Basis.FILE}
    data = {"kind": "dataset", "title": "x", "name": "flchain-test@1", "role": "test", **bytes_, **datasheet.value}
    version = {"kind": "model-version", "title": "x", "name": "clinical-risk@1", **bytes_, **model.value}
    assert draft(data, records, where=datasheet).kind == "dataset"
    assert draft(version, records, where=model).kind == "model-version"
