"""A risk file in the shape of ISO 14971: hazard, situation, harm, controls, evidence that they work, residual risk.

Acceptability is looked up in the file's own matrix, so that a residual risk called acceptable is acceptable there.
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from compliance.core.evidence import IsoDate, Strict
from compliance.kinds.base import Content
from compliance.kinds.fields import Count, Positive, Rank, Record, Text, Thing, Word

Acceptability = Literal["acceptable", "as-low-as-possible", "unacceptable"]


class Step(Strict):
    """One step of a severity or probability scale."""

    rank: Rank
    name: Word
    meaning: Text


class Cell(Strict):
    """What one severity at one probability means."""

    severity: Rank
    probability: Rank
    acceptability: Acceptability


class Matrix(Strict):
    """The acceptability criteria, complete: one cell for every severity and probability (clause 4.4)."""

    severity: list[Step] = Field(min_length=2)
    probability: list[Step] = Field(min_length=2)
    cells: list[Cell]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        severities, probabilities = ({step.rank for step in scale} for scale in (self.severity, self.probability))
        given = [(cell.severity, cell.probability) for cell in self.cells]
        if len(set(given)) < len(given):
            raise ValueError("gives one cell twice")
        missing = {(s, p) for s in severities for p in probabilities} - set(given)
        if missing:
            severity, probability = min(missing)
            raise ValueError(
                f"has no cell for severity {severity} and probability {probability} (and {len(missing) - 1} more)"
            )
        return self

    def at(self, risk: "Risk") -> Acceptability | None:
        """Return what the matrix says of a risk, or None where the risk is off its scales."""
        return next(
            (c.acceptability for c in self.cells if (c.severity, c.probability) == (risk.severity, risk.probability)),
            None,
        )


class Risk(Strict):
    """An estimate before or after control."""

    severity: Rank
    probability: Rank
    basis: Text | None = None
    """Where the estimate comes from: data, literature, judgement."""
    data: list[Record] | None = None


class Control(Strict):
    """A measure, in the order of preference of clause 7.1, and the evidence that it is there and works."""

    id: Word
    type: Literal["design", "protective", "information"]
    measure: Text
    requirement: Word | None = None
    """The product requirement that carries it."""
    implemented: list[Record] | None = None
    verification: list[Record] | None = None
    """Evidence that it is effective; without it the control is only claimed."""
    verification_pending: Text | None = None
    """Why there is none yet."""
    infeasible: Text | None = None
    """Why no control higher in the order was chosen."""
    new_risks: list[Word] | None = None
    """Ids of hazards that this control brings."""

    @model_validator(mode="after")
    def _shown(self) -> Self:
        if not self.verification and not self.verification_pending:
            raise ValueError(
                f"control {self.id} has no verification evidence: name it, or say under verification_pending why not"
            )
        return self


class Hazard(Strict):
    """One hazard with its hazardous situation and harm."""

    id: Word
    hazard: Text
    category: Word | None = None
    """data, model, use, information, security, operation, bias…"""
    source: Text | None = None
    cause: Text | None = None
    hazardous_situation: Text
    harm: Text
    affected: list[Word] | None = None
    vulnerable_groups: list[Word] | None = None
    """People under 18 and other vulnerable groups (Art. 9(9))."""
    fundamental_rights: Text | None = None
    misuse: bool | None = None
    """Arises from reasonably foreseeable misuse."""
    conditions: Literal["normal", "fault", "both"] | None = None
    before: Risk
    controls: list[Control]
    no_control: Text | None = None
    """Why none is needed."""
    after: Risk
    acceptability: Acceptability
    """Of the residual risk, by the matrix."""
    benefit_risk: Text | None = None
    """Needed where the residual risk is not acceptable by the matrix."""
    disclosed: Text | None = None
    """Where the residual risk is told to users."""
    monitoring: list[Record] | None = None
    """Post-market records that bear on it (Art. 9(2)(c))."""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if not self.controls and not self.no_control:
            raise ValueError(f"hazard {self.id} has no control and no_control gives no reason")
        estimates = {(risk.severity, risk.probability) for risk in (self.before, self.after)}
        if not self.controls and len(estimates) > 1:
            raise ValueError(f"hazard {self.id} has no control, but another risk after control than before")
        if self.acceptability == "unacceptable" and not self.benefit_risk:
            raise ValueError(f"hazard {self.id} keeps an unacceptable risk without a benefit_risk analysis")
        if self.after.probability > self.before.probability and self.after.severity >= self.before.severity:
            raise ValueError(f"hazard {self.id} is worse after control than before")
        return self


class Plan(Strict):
    """The risk management plan in short (clause 4.4)."""

    scope: Text
    responsibilities: Text | None = None
    review: Text | None = None
    criteria_for_overall_risk: Text | None = None
    verification: Text | None = None
    post_production: Text | None = None
    document: Thing | None = None


class Trace(Strict):
    """How far the controls are shown to be there and to work, counted over all hazards."""

    controls: Count
    not_implemented: Count
    """Controls that name no evidence of being implemented."""
    not_verified: Count
    """Controls that name no evidence of being effective."""
    uncontrolled: Count
    """Hazards without any control whose risk the matrix does not simply accept."""


class Overall(Strict):
    """The conclusion on overall residual risk (clause 8)."""

    acceptable: bool
    conclusion: Text
    method: Text | None = None
    benefits: Text | None = None


def _dicts(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


class RiskFile(Content):
    """The risk management file of the system, one version of it."""

    kind: ClassVar[str] = "risk-file"
    named: ClassVar[bool] = True

    standard: Word | None = None
    plan: Plan
    intended_use: Text
    foreseeable_misuse: list[Text] | None = None
    safety_characteristics: list[Text] | None = None
    software_safety_class: Literal["A", "B", "C"] | None = None
    """By IEC 62304 clause 4.3."""
    software_safety_rationale: Text | None = None
    users: Text | None = None
    """Knowledge, experience and training to be expected of users (Art. 9(5))."""
    matrix: Matrix
    hazards: list[Hazard] = Field(min_length=1)
    out_of_scope: list[Text] | None = None
    """Risks left outside, and why (Art. 9(3))."""
    trade_offs: Text | None = None
    """How measures interact (Art. 9(4))."""
    trace: Trace | None = None
    """Counted here; a count of one's own that differs is refused."""
    overall: Overall
    completeness_review: Text | None = None
    reviewed_on: IsoDate | None = None
    review_due: IsoDate | None = None
    """Day by which this review was planned."""
    review_number: Positive | None = None
    review_triggers: list[Text] | None = None
    next_review: IsoDate | None = None

    @model_validator(mode="before")
    @classmethod
    def _traced(cls, content: Any) -> Any:
        """Count the trace; a hazard that is no hazard is told by its own model."""
        if not isinstance(content, dict):
            return content
        hazards = _dicts(content.get("hazards"))
        controls = [one for hazard in hazards for one in _dicts(hazard.get("controls"))]
        counted = {
            "controls": len(controls),
            "not_implemented": sum(not one.get("implemented") for one in controls),
            "not_verified": sum(not one.get("verification") for one in controls),
            "uncontrolled": sum(
                not one.get("controls") and one.get("acceptability") != "acceptable" for one in hazards
            ),
        }
        if content.get("trace") not in (None, counted):
            raise ValueError(f"its trace is {content['trace']}, but its controls give {counted}")
        return {**content, "trace": counted}

    @model_validator(mode="after")
    def _by_its_matrix(self) -> Self:
        ids = [hazard.id for hazard in self.hazards]
        if len(set(ids)) < len(ids):
            raise ValueError("two hazards share an id")
        for hazard in self.hazards:
            for when, risk in (("before", hazard.before), ("after", hazard.after)):
                found = self.matrix.at(risk)
                if found is None:
                    raise ValueError(f"hazard {hazard.id}: the risk {when} control is off the matrix's scales")
            if found != hazard.acceptability:
                raise ValueError(f"hazard {hazard.id} is called {hazard.acceptability}, but its matrix says {found}")
        refused = [h.id for h in self.hazards if h.acceptability == "unacceptable"]
        if self.overall.acceptable and refused and not self.overall.benefits:
            raise ValueError(
                f"overall risk is called acceptable although {', '.join(refused)} is not, and no benefits are named"
            )
        return self
