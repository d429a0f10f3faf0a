"""The questions of `compliance init` on a terminal: one per answer that the profile needs, each with what it means.

An empty answer leaves the key out, which means "not said" and leaves what hangs on it undetermined. Questions go to
stderr, so that a result can still be piped.
"""

from collections.abc import Mapping
from typing import Any

import typer

from compliance.cli import output
from compliance.core.system import SUBMISSIONS, Feature, HighRisk, Role

ROLES = {
    "provider": "develops it, or has it developed, under its own name",
    "manufacturer": "of the product that it is part of; under its own name it is the provider too (Art. 25(3))",
    "deployer": "uses it under its own authority, as a hospital does",
    "gpai-provider": "of a general-purpose AI model",
    "authorised-representative": "acts in the Union by a mandate of a provider outside it",
    "importer": "brings it from outside the Union",
    "distributor": "makes it available, neither provider nor importer",
    "sponsor": "of the submission to FDA, or of the study",
}
HIGH_RISK = {
    "annex-i": "a product, or its safety component, under a law of Annex I, such as the MDR",
    "annex-iii": "a use that Annex III lists",
    "annex-iii-exempt": "a use that Annex III lists, judged not high-risk under Art. 6(3)",
    "none": "neither",
}
MARKETS = {"EU": "", "US": "", "UK": "", "CH": "", "other": ""}
FEATURES = {
    "talks-to-people": "people deal with it directly",
    "generates-content": "text, images, sound or video",
    "keeps-learning": "changes itself while it is used",
    "special-category-data": "such data are processed to find and correct bias",
    "none": "none of these",
}
LAWS = {"MDR": "Regulation (EU) 2017/745", "IVDR": "Regulation (EU) 2017/746", "none": "no device"}
PATHWAYS = {
    "510(k)": "cleared as equivalent to a device on the market",
    "De Novo": "classified as the first of its type",
    "PMA": "approved",
    "exempt": "a device that needs none of these",
    "none": "no device there",
}
CHOICES = {"roles": ROLES, "high_risk": HIGH_RISK, "markets": MARKETS, "features": FEATURES}
LITERALS = {"roles": Role, "high_risk": HighRisk, "features": Feature}
"""What the profile itself allows; the tests hold the questions to it."""
EITHER = {"yes": "", "no": ""}


def text(question: str, default: str | None = None) -> str:
    """Ask for a line; an empty answer takes the default, or asks again where there is none."""
    try:
        return str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()
    except typer.Abort:
        raise KeyboardInterrupt from None


def one(question: str, choices: Mapping[str, str]) -> str | None:
    """Ask for one of the choices; None where it is left open."""
    answers = several(question, choices, most=1)
    return answers[0] if answers else None


def several(question: str, choices: Mapping[str, str], most: int | None = None) -> list[str]:
    """Ask for some of the choices, with commas; asks again for a word that is none of them."""
    explained = {word: meaning for word, meaning in choices.items() if meaning}
    output.say(f"\n{question}")
    for word, meaning in explained.items():
        output.say(f"  {word}: {meaning}")
    hints = [", ".join(choices) if not explained else "", "several with commas" if most != 1 else "", "empty: not said"]
    offered = "; ".join(hint for hint in hints if hint)
    while True:
        said = [word.strip() for word in text(f"  [{offered}]", "").split(",") if word.strip()]
        wrong = [word for word in said if word not in choices]
        if not wrong and len(said) <= (most or len(said)):
            return said
        output.say(f"  {', '.join(wrong)}: not among {', '.join(choices)}." if wrong else "  One of them only.")


def profile(known: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for every answer that the profile needs and that is not `known` yet; return all answers."""
    answers = dict(known)
    if "intended_purpose" not in answers and (purpose := text("Intended purpose, in a sentence [empty: not said]", "")):
        answers["intended_purpose"] = purpose
    _list(answers, "roles", "Which roles does your organisation have?")
    _list(answers, "markets", "On which markets?")
    if "EU" in answers.get("markets", ["EU"]):
        _list(answers, "high_risk", "Is it high-risk under the EU AI Act?")
        if "device.law" not in answers:
            _device(answers)
    if "US" in answers.get("markets", []) and "us.pathway" not in answers:
        _united_states(answers)
    if "gpai-provider" in answers.get("roles", []):
        _either(answers, "gpai.systemic_risk", "Does the general-purpose model carry systemic risk?")
        _either(answers, "gpai.open_source", "Is it free and open-source, its weights public?")
        if answers.get("gpai.open_source") and answers.get("gpai.systemic_risk") is False:
            _either(answers, "gpai.exemption_claimed", "Do you claim the exemption of Art. 53(2) for open models?")
    _list(answers, "features", "What does it do?")
    return answers


def _list(answers: dict[str, Any], key: str, question: str) -> None:
    if key not in answers and (said := several(question, CHOICES[key])):
        answers[key] = [] if said == ["none"] else said


def _either(answers: dict[str, Any], key: str, question: str) -> None:
    if key not in answers and (said := one(question, EITHER)):
        answers[key] = said == "yes"


def _device(answers: dict[str, Any]) -> None:
    law = one("Is it a medical device in the Union?", LAWS)
    if law is None or law == "none":
        return
    classes = {"MDR": ("I", "Is", "Im", "Ir", "IIa", "IIb", "III"), "IVDR": ("A", "B", "C", "D")}[law]
    class_ = one("Which class?", dict.fromkeys(classes, ""))
    if class_ is None:
        output.say("  Without a class the device is left out; give it later, in compliance.toml.")
        return
    answers |= {"device.law": law, "device.class": class_}
    if rule := text("  By which classification rule [empty: not said]", ""):
        answers["device.rule"] = rule
    if "device.notified_body" not in answers:
        while not (body := one("Does its conformity assessment need a notified body?", EITHER)):
            output.say("  This one must be answered: a device without it cannot be placed.")
        answers["device.notified_body"] = body == "yes"


def _united_states(answers: dict[str, Any]) -> None:
    pathway = one("By which pathway to the US market?", PATHWAYS)
    if pathway is None:
        return
    answers["us.pathway"] = pathway
    if pathway != "none":
        _american_device(answers, pathway)
    _either(answers, "us.certified_health_it", "Is it part of certified health IT, 45 CFR 170.315(b)(11)?")


def _american_device(answers: dict[str, Any], pathway: str) -> None:
    if class_ := one("Which US class?", dict.fromkeys(("I", "II", "III"), "")):
        answers["us.class"] = class_
    if pathway in SUBMISSIONS:
        _either(answers, "us.pccp", "Is a predetermined change control plan part of the submission?")
    _either(answers, "us.cyber_device", "Is it a cyber device under section 524B?")
