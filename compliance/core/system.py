"""The regulated AI system as its provider describes it: identity, profile, description.

Authored in `compliance.toml` and signed as `system-description`; the profile decides which
requirements apply, and counts only as signed. A profile key that is left out means
"not said", which is neither yes nor no.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from compliance.core.evidence import NAME, IsoDate, Name, Strict

# `class` is a word of Python, so the field that compliance.toml calls `class` has another name here.
_BY_ALIAS = Strict.model_config | {"validate_by_name": True, "validate_by_alias": True, "serialize_by_alias": True}

Role = Literal[
    "provider",
    "manufacturer",
    "deployer",
    "gpai-provider",
    "authorised-representative",
    "importer",
    "distributor",
    "sponsor",
]
HighRisk = Literal["annex-i", "annex-iii", "annex-iii-exempt"]
Feature = Literal["talks-to-people", "generates-content", "keeps-learning", "special-category-data"]


class Device(Strict):
    """Classification under the Medical Devices or In Vitro Diagnostics Regulation."""

    law: Literal["MDR", "IVDR"]
    device_class: str = Field(alias="class", pattern=r"^(I|Is|Im|Ir|IIa|IIb|III|A|B|C|D)$")
    rule: str | None = None
    notified_body: bool
    """Whether the law asks for third-party conformity assessment: the second limb of Art. 6(1) AI Act."""

    model_config = _BY_ALIAS


class Gpai(Strict):
    """General-purpose AI model status under Chapter V of the AI Act."""

    systemic_risk: bool
    open_source: bool = False
    """Free and open-source licence, with weights, architecture and usage information public."""
    exemption_claimed: bool = False
    """Claims the exemption of Art. 53(2) for an open-source model without systemic risk."""

    @model_validator(mode="after")
    def _claimed_where_it_may_be(self) -> Self:
        if self.exemption_claimed and (self.systemic_risk or not self.open_source):
            raise ValueError(
                "claims the exemption of Art. 53(2), which needs an open-source model without systemic risk"
            )
        return self


SUBMISSIONS = ("510(k)", "De Novo", "PMA")
"""US pathways on which something is submitted."""


class UnitedStates(Strict):
    """Route to the US market."""

    pathway: Literal["510(k)", "De Novo", "PMA", "exempt", "none"]
    """`exempt`: a device that needs no submission; `none`: no device there."""
    device_class: Literal["I", "II", "III"] | None = Field(default=None, alias="class")
    pccp: bool | None = None
    """Whether a predetermined change control plan is part of the submission."""
    cyber_device: bool | None = None
    """Whether section 524B FD&C Act applies."""
    certified_health_it: bool | None = None
    """Whether it is part of health IT certified under 45 CFR 170.315(b)(11)."""

    model_config = _BY_ALIAS


class Profile(Strict):
    """What decides which requirements apply."""

    intended_purpose: str | None = Field(default=None, min_length=1)
    roles: list[Role] | None = None
    high_risk: list[HighRisk] | None = None
    device: Device | None = None
    gpai: Gpai | None = None
    us: UnitedStates | None = None
    markets: list[Literal["EU", "US", "UK", "CH", "other"]] | None = None
    features: list[Feature] | None = None
    placed_on_market: IsoDate | None = None


class Description(Strict):
    """The prose that Annex IV(1) and FDA's device description ask for; each field may be left out."""

    users: str | None = None
    """Intended users and their qualification."""
    patients: str | None = None
    """Intended patient population, with what is excluded."""
    environment: str | None = None
    workflow: str | None = None
    """Decision role, degree of automation, how outputs are used."""
    inputs: str | None = None
    outputs: str | None = None
    output_kind: Literal["prediction", "classification", "recommendation", "evaluation", "analysis", "other"] | None = (
        None
    )
    """What sort of output it gives (45 CFR 170.315(b)(11)(iv)(B)(1)(iv))."""
    decision_role: Literal["informs", "augments", "replaces"] | None = None
    """What it does to clinical management (45 CFR 170.315(b)(11)(iv)(B)(2)(iv))."""
    ai_function: str | None = None
    """How AI serves the intended use; AI and non-AI functions."""
    contraindications: str | None = None
    limitations: str | None = None
    interfaces: str | None = None
    """Hardware, software and other AI systems it interacts with (Annex IV(1)(b))."""
    software: str | None = None
    """Versions of relevant software or firmware and update requirements (Annex IV(1)(c))."""
    supply: str | None = None
    """Forms in which it is placed on the market (Annex IV(1)(d))."""
    hardware: str | None = None
    """Hardware it is intended to run on (Annex IV(1)(e))."""
    user_interface: str | None = None
    """(Annex IV(1)(g))."""
    architecture: str | None = None
    """How components build on each other, and computing resources (Annex IV(2)(c))."""
    oversight: str | None = None
    """Human oversight measures (Annex IV(2)(e) and (3))."""
    logging: str | None = None
    """What is logged automatically in operation (Art. 12)."""
    configuration: str | None = None
    """User-configurable elements, who may configure, operating points."""
    maintenance: str | None = None
    """Installation, maintenance, expected lifetime, updates."""


CATALOG_FILES = (".yaml", ".yml")


def _catalog(text: str) -> str:
    if "/" in text and not text.endswith(CATALOG_FILES):
        raise ValueError("must be the id of a catalog, or the path of a .yaml file in the workspace")
    return text


CatalogName = Annotated[str, StringConstraints(pattern=f"^{NAME}(/{NAME})*$", max_length=200), AfterValidator(_catalog)]
"""Id of a catalog at hand, or path in the workspace of a catalog of one's own: `catalogs/qms.yaml`."""


class System(Strict):
    """`[system]` of compliance.toml."""

    id: Name
    name: str = Field(min_length=1)
    provider: str = Field(min_length=1)
    model: Name | None = None
    """Model meant where `--model` is left out, in its newest logged version."""
    catalogs: list[CatalogName] = Field(default=[])
    """Ids of catalogs at hand, or paths of YAML files in the workspace, which count as they were signed."""
    demonstration: bool = False
    """Printed on every page of dossiers and portal."""
