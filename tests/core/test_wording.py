"""A row in words says every condition that the row states."""

import json
from typing import Any, get_args

import pytest
from support.findings import requirement

from compliance.core import wording
from compliance.core.catalog import Need, ProfileKey
from compliance.services import catalogs

NEED: dict[str, Any] = {
    "id": "all", "kind": "evaluation", "about": "model-version", "each": True,
    "where": {"dataset.role": ["test", "external-test"]}, "fields": ["protocol.document"], "least": {"metrics": 2},
    "holds": {"languages[]": ["de", "fr"]},
    "must": {"masked": [True]}, "unique": ["seed"], "groups": ["sex", "*"], "criterion": "passed",
    "metrics": {"any_of": ["sensitivity", "roc_auc", "f1"], "interval": True, "min_n": 30},
    "relations": [{"path": "a", "is": "not-later", "to": "b", "kind": "change", "days": 15}],
    "approved": {"meaning": "approved", "role": "approver", "not_author": True}, "signer_role": "reviewer",
    "max_age_days": 90, "bytes": "not-required",
}  # fmt: skip


def worded(**change: Any) -> list[str]:
    return wording.need(Need.model_validate_json(json.dumps(NEED | change)))


def test_every_condition_is_said() -> None:
    assert worded() == [
        "each evaluation about this model version",
        "where dataset.role is test or external-test",
        "reports sensitivity, roc_auc or f1, with its confidence interval, on at least 30 cases",
        "gives protocol.document",
        "languages[] holds each of de, fr",
        "has at least 2 in metrics",
        "broken down by sex",
        "broken down by some attribute",
        "masked must be yes",
        "a is not later than b of the newest change plus 15 days",
        "nothing else on record has the same seed",
        "passes its criteria, declared beforehand",
        "approved by a registered approver, who is not its author",
        "signed by a registered reviewer",
        "no older than 90 days",
        "a published identity is enough: nobody here need hold the bytes",
    ]


@pytest.mark.parametrize("word", [name for name in NEED if name not in ("id", "kind")])
def test_leaving_a_word_out_changes_what_is_said(word: str) -> None:
    without = {name: value for name, value in NEED.items() if name != word}
    assert wording.need(Need.model_validate_json(json.dumps(without))) != worded()


def test_no_word_of_the_vocabulary_is_left_out_here() -> None:
    assert set(Need.model_fields) == {*NEED, "figures"}, "a new word of a need must be worded, and tested above"
    figures = {"id": "f", "kind": "document", "figures": True}
    told = wording.need(Need.model_validate_json(json.dumps(figures)))
    assert told[-1] == "every figure it declares equals what is on record"


def test_every_key_of_the_profile_has_words() -> None:
    assert wording.KEYS.keys() == set(get_args(ProfileKey))


def test_a_row_says_whom_it_reaches_and_from_when() -> None:
    row = requirement(
        "eu-ai-act/x",
        binds=["P", "GS", "other"],
        applies_if={"roles": ["provider", "deployer"], "us.pccp": [True]},
        applies_from={"annex-i": "2028-08-02"},
    )
    assert wording.applicability(row) == "role provider or deployer; PCCP in the submission yes"
    assert wording.dates(row) == "2028-08-02 (Annex I)"
    assert wording.bound(row) == "provider, GPAI provider with systemic risk, other"
    assert wording.applicability(requirement("law/y")) == "any system"
    freed = requirement("law/z", applies_unless={"gpai.open_source": [True], "gpai.systemic_risk": [False]})
    assert wording.applicability(freed) == "any system; not where open-source model yes and systemic risk no"


def test_every_row_that_ships_can_be_worded() -> None:
    for catalog in catalogs.available():
        for row in catalog.requirements:
            assert wording.applicability(row)
            assert all(line for need in row.needs for line in wording.need(need))
