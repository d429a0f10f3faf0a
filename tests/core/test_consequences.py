"""What a profile means: decided by the rows' own conditions, checked on the sheets' own traps."""

from typing import Any

import pytest
from pydantic import ValidationError

from compliance.core.applicability import reach
from compliance.core.consequences import DUTIES, Consequence, consequences, fits
from compliance.core.system import Gpai
from compliance.services import catalogs

ON = "2026-11-24"
CATALOGS = catalogs.available()
DEVICE: dict[str, Any] = {
    "roles": ["provider", "manufacturer"],
    "high_risk": ["annex-i"],
    "markets": ["EU", "US"],
    "features": [],
    "us": {"pathway": "De Novo", "pccp": False, "cyber_device": True},
}


def told(profile: dict[str, Any]) -> dict[str, Consequence]:
    return {each.duty: each for each in consequences(profile, CATALOGS, ON)}


def test_a_device_by_annex_i_alone_is_not_registered_and_owes_no_impact_assessment() -> None:
    """Traps 2 and 3 of the AI Act sheet: Arts. 49 and 27 bind for Annex III systems only."""
    for deployer in (DEVICE, {**DEVICE, "roles": ["provider", "deployer"]}):
        found = told(deployer)
        for duty, row in (
            ("registration in the EU database", "eu-ai-act/art-49.1"),
            ("fundamental-rights impact assessment", "eu-ai-act/art-27.1.a"),
        ):
            assert found[duty].reaches is False
            assert "high-risk by annex-i, not annex-iii" in found[duty].why
            assert row in found[duty].requirements


def test_with_annex_iii_they_are_owed_from_its_date() -> None:
    found = told({**DEVICE, "roles": ["provider", "deployer"], "high_risk": ["annex-i", "annex-iii"]})
    registration = found["registration in the EU database"]
    assert (registration.reaches, registration.binds_from) == (True, "2027-12-02")
    assert found["fundamental-rights impact assessment"].reaches is True


def test_registration_without_high_risk_is_owed_only_under_the_exemption() -> None:
    """Art. 49(2) binds for uses that Annex III lists and Art. 6(3) exempts, not for whatever is not high-risk."""
    none, exempt = (told({**DEVICE, "high_risk": said}) for said in ([], ["annex-iii-exempt"]))
    assert none["registration in the EU database"].reaches is False
    assert exempt["registration in the EU database"].reaches is True
    assert exempt["registration in the EU database"].requirements == ("eu-ai-act/art-49.2",)
    assert exempt["provider's duties for a high-risk system"].reaches is False


def test_pathways_shut_each_other_out() -> None:
    found = told(DEVICE)
    assert found["content of a De Novo request"].reaches is True
    assert found["content of a PMA"].why == "US pathway De Novo, not PMA"
    assert found["predetermined change control plan"].why == "PCCP in the submission no, not yes"


GPAI: dict[str, Any] = {"roles": ["gpai-provider"], "high_risk": [], "markets": ["EU"], "features": []}


@pytest.mark.parametrize(
    ("gpai", "reaches"),
    [
        ({"open_source": True, "exemption_claimed": True, "systemic_risk": False}, False),
        ({"open_source": True, "exemption_claimed": False, "systemic_risk": False}, True),
        ({"open_source": True, "systemic_risk": True}, True),
        ({"open_source": False, "systemic_risk": False}, True),
        (None, None),
    ],
)
def test_an_open_model_without_systemic_risk_owes_no_technical_documentation(gpai: Any, reaches: bool | None) -> None:
    """Art. 53(2), where it is claimed: (a) and (b) do not bind, nor Annexes XI section 1 and XII; (c) and (d) do."""
    profile = GPAI if gpai is None else {**GPAI, "gpai": gpai}
    found = told(profile)
    assert found["technical documentation of a general-purpose model"].reaches is reaches
    assert found["copyright policy of a general-purpose model"].reaches is True
    rows = {row.id: row for catalog in CATALOGS for row in catalog.requirements}
    for name in ("art-53.1.b.i", "annex-xi.s1.2.d", "annex-xii.2.b", "art-54.1"):
        answer = reach(rows[f"eu-ai-act/{name}"], profile, ON)
        assert (answer.applies, bool(answer.reason)) == (reaches, reaches is not True)
    assert reach(rows["eu-ai-act/art-53.1.d"], profile, ON).applies is True


@pytest.mark.parametrize(("open_source", "systemic_risk"), [(False, False), (True, True)])
def test_only_an_open_model_without_systemic_risk_claims_the_exemption(open_source: bool, systemic_risk: bool) -> None:
    with pytest.raises(ValidationError, match=r"needs an open-source model without systemic risk"):
        Gpai(open_source=open_source, systemic_risk=systemic_risk, exemption_claimed=True)


def test_an_exemption_says_by_which_answers_it_frees() -> None:
    duty = told({**GPAI, "gpai": {"open_source": True, "exemption_claimed": True, "systemic_risk": False}})[
        "technical documentation of a general-purpose model"
    ]
    assert duty.why == "open-source model yes; exemption for open models claimed yes; systemic risk no"


def test_what_nobody_said_is_open_and_names_the_answer_that_is_missing() -> None:
    found = told({**DEVICE, "us": {"pathway": "De Novo"}})
    assert found["cybersecurity by section 524B"].reaches is None
    assert found["cybersecurity by section 524B"].why == "the profile does not say: cyber device"
    assert {each.reaches for each in told({}).values()} == {None}


@pytest.mark.parametrize("profile", [DEVICE, {}, {**DEVICE, "roles": ["deployer"], "high_risk": ["annex-iii"]}])
def test_each_answer_is_that_of_the_rows_it_names(profile: dict[str, Any]) -> None:
    rows = {row.id: row for catalog in CATALOGS for row in catalog.requirements}
    for each in told(profile).values():
        assert each.requirements
        assert {reach(rows[name], profile, ON).applies for name in each.requirements} >= {each.reaches}


def test_every_duty_has_rows() -> None:
    ids = [row.id for catalog in CATALOGS for row in catalog.requirements]
    assert [duty for duty, prefix in DUTIES.items() if not any(name.startswith(prefix) for name in ids)] == []


def test_catalogs_are_proposed_where_law_or_guidance_reaches_the_system() -> None:
    proposed = {fit.catalog for fit in fits(DEVICE, CATALOGS, ON) if fit.proposed}
    assert {"eu-ai-act", "fda-aidsf", "fda-cybersecurity", "fda-qmsr"} <= proposed
    assert not proposed & {"iso-14971", "chai", "hti-1", "fda-gmlp"}
    american = {fit.catalog for fit in fits({**DEVICE, "markets": ["US"]}, CATALOGS, ON) if fit.proposed}
    assert american == proposed - {"eu-ai-act"}
    assert not any(f.proposed for f in fits({**DEVICE, "markets": ["EU"]}, CATALOGS, ON) if f.catalog.startswith("fda"))
    assert not any(fit.proposed for fit in fits({}, CATALOGS, ON))


def test_what_hangs_on_an_answer_is_told_apart_from_what_does_not_reach() -> None:
    def hanging(**us: Any) -> set[str]:
        profile = {**DEVICE, "markets": ["US"], "us": us or None}
        return {fit.catalog for fit in fits(profile, CATALOGS, ON) if fit.hangs}

    assert {"fda-aidsf", "fda-qmsr", "fda-part-11", "fda-pccp"} <= hanging()
    assert hanging(pathway="510(k)", pccp=False, cyber_device=True, certified_health_it=False) == set()
    assert hanging(pathway="De Novo", cyber_device=True, certified_health_it=False) == {"fda-pccp"}


def test_what_is_no_device_owes_no_quality_system_and_meets_the_criteria_for_being_none() -> None:
    reached = {fit.catalog for fit in fits({**DEVICE, "us": {"pathway": "none"}}, CATALOGS, ON) if fit.reaches}
    assert "fda-cds" in reached
    assert {catalog for catalog in reached if catalog.startswith("fda-")} == {"fda-cds", "fda-gmlp"}
    exempt = {fit.catalog for fit in fits({**DEVICE, "us": {"pathway": "exempt"}}, CATALOGS, ON) if fit.reaches}
    assert {"fda-qmsr", "fda-part-11", "fda-aidsf", "fda-submissions"} <= exempt
    assert not exempt & {"fda-cds", "fda-estar", "fda-software"}


def test_every_row_of_a_catalog_is_counted() -> None:
    for catalog, fit in zip(CATALOGS, fits(DEVICE, CATALOGS, ON), strict=True):
        assert fit.reaches + fit.open + fit.out == len(catalog.requirements)
