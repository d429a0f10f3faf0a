"""A safety result: what happened when somebody tried to make the model fail, or looked for harm."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from compliance.core.evidence import Strict
from compliance.kinds.evaluation import Measured
from compliance.kinds.fields import Count, Group, Label, Number, Positive, Record, Text, Word, counted, listed

Category = Literal[
    "robustness", "adversarial", "bias", "misinformation", "multilingual", "privacy", "input-handling", "cybersecurity",
    "misuse", "toxicity", "over-refusal", "transparency", "fail-safe", "logging", "data-poisoning", "supply-chain",
]  # fmt: skip
Technique = Literal[
    "security-requirements", "threat-mitigation", "fuzzing", "attack-surface", "vulnerability-chaining",
    "known-vulnerability-scan", "composition-analysis", "static-analysis", "dynamic-analysis", "penetration",
]  # fmt: skip
"""Kinds of security testing (FDA cybersecurity guidance, Section V.C)."""
Severity = Literal["negligible", "minor", "serious", "critical", "catastrophic"]


class Attack(Strict):
    """What was tried."""

    name: Word
    method: Text | None = None
    knowledge: Literal["black-box", "grey-box", "white-box"] | None = None
    source: Word | None = None
    """Public attack set or catalogue entry (MITRE ATLAS, OWASP)."""
    attempts: Positive | None = None
    successes: Count | None = None


class Perturbation(Strict):
    """How inputs were disturbed."""

    name: Word
    magnitude: Number | None = None
    unit: Word | None = None
    description: Text | None = None
    group: Group | None = None


class Judge(Strict):
    """Who decided what counts as a failure."""

    kind: Literal["rule", "human", "model", "human-and-model"]
    name: Word | None = None
    version: Word | None = None
    agreement: Number | None = None
    agreement_metric: Label | None = None
    rubric: Text | None = None


class Finding(Strict):
    """One weakness found, its severity and what became of it."""

    id: Word
    finding: Text
    severity: Severity
    status: Literal["open", "fixed", "mitigated", "accepted"]
    weakness: Word | None = None
    """Category: CWE-787."""
    hazard: Word | None = None
    """The id of the hazard in the risk file."""
    resolution: Text | None = None
    evidence: Record | None = None


class SafetyResult(Measured):
    """Adversarial, robustness, cybersecurity or harm-oriented testing of one model version."""

    kind: ClassVar[str] = "safety-result"

    category: Category
    threats: list[Word] | None = None
    """data-poisoning, model-inversion, evasion, leakage… that this test speaks to (Art. 15(5); FDA AI-DSF XII)."""
    techniques: list[Technique] | None = None
    attacks: list[Attack] | None = None
    perturbations: list[Perturbation] | None = None
    judge: Judge | None = None
    harm: Text | None = None
    harm_severity: Severity | None = None
    harm_categories: list[Word] | None = None
    """cbrn, violence, hate, self-harm, sexual, child-abuse, non-consensual-imagery…"""
    mitigations_active: Text | None = None
    """Filters, guardrails or human review that stood in front of the model during the test."""
    findings: list[Finding] | None = None
    open_findings: Count | None = None
    """Counted from `findings`; where there are none, say 0."""
    expected_behaviour: Text | None = None
    """Safe state, refusal, rejection of input: what a pass looks like."""
    unit_of_analysis: Word | None = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not content.get("findings"):
            return content
        still_open = sum(one.get("status") == "open" for one in listed(content, "findings"))
        return counted(content, "its findings give", {"open_findings": still_open})
