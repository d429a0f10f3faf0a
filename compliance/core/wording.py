"""A requirement in words: to whom it applies, from when, and what each need asks for. Pure text.

What is said here is read off the row, nothing is added: a condition that the row does not state is not worded.
"""

from collections.abc import Iterator, Mapping, Sequence

from compliance.core.catalog import AUDIT_TRAIL, Metrics, Need, ProfileKey, Relation, Requirement

KEYS: dict[ProfileKey, str] = {
    "roles": "role",
    "high_risk": "high-risk by",
    "markets": "market",
    "features": "feature",
    "device.law": "device law",
    "device.class": "device class",
    "device.notified_body": "notified body",
    "gpai.systemic_risk": "systemic risk",
    "gpai.open_source": "open-source model",
    "gpai.exemption_claimed": "exemption for open models claimed",
    "us.pathway": "US pathway",
    "us.class": "US class",
    "us.pccp": "PCCP in the submission",
    "us.cyber_device": "cyber device",
    "us.certified_health_it": "certified health IT",
}
_EXPOSURES = {"annex-i": "Annex I", "annex-iii": "Annex III", "gpai": "GPAI models", "any": "everybody"}
_BOUND = {
    "eu-ai-act": {
        "P": "provider", "M": "product manufacturer", "D": "deployer", "G": "GPAI provider",
        "GS": "GPAI provider with systemic risk", "AR": "authorised representative", "IMP": "importer",
        "DIS": "distributor", "NB": "notified body", "MSA": "market surveillance authority", "SUP": "supplier",
    },
    "fda": {"S": "sponsor or manufacturer", "RS": "record system", "U": "signer or user", "QMS": "quality system"},
    "": {
        "M": "manufacturer or developer", "ORG": "organisation", "D": "deployer", "A": "author or sponsor of a study",
        "HIT": "certified health IT developer",
    },
}  # fmt: skip
_TIERS = {"C": "core", "S": "supporting", "X": "contextual"}
_ABOUT = {
    "model-version": "about this model version",
    "dataset": "about a dataset it was trained, tuned or tested on",
    "system": "of this system",
}


def applicability(requirement: Requirement) -> str:
    """Say which systems the row reaches."""
    reached = "; ".join(conditions(requirement.applies_if)) or "any system"
    freed = " and ".join(conditions(requirement.applies_unless))
    return f"{reached}; not where {freed}" if freed else reached


def conditions(profile: Mapping[ProfileKey, Sequence[object]]) -> list[str]:
    """Return answers of a profile, in words."""
    return [f"{KEYS[key]} {either(values)}" for key, values in profile.items()]


def dates(requirement: Requirement) -> str:
    """Say from when the row binds; empty where it names no date."""
    return ", ".join(f"{day} ({_EXPOSURES[exposure]})" for exposure, day in requirement.applies_from.items())


def bound(requirement: Requirement) -> str:
    """Say whom the row binds; letters of a catalog that is not ours stay as they are."""
    words = _BOUND.get(requirement.id.partition("/")[0], _BOUND[""])
    return ", ".join(words.get(letter, letter) for letter in requirement.binds)


def tier(requirement: Requirement) -> str:
    return f"{requirement.tier}, {_TIERS[requirement.tier]}"


def need(need: Need) -> list[str]:
    """Return a need as lines: what it looks for, then one line per condition."""
    if need.kind == AUDIT_TRAIL:
        return ["the ledger itself, which must verify"]
    which = f"each {need.kind}" if need.each else need.kind
    return [f"{which} {_ABOUT[need.about]}", *_selecting(need), *_required(need), *_judged(need), *_related(need)]


def either(values: Sequence[object]) -> str:
    """Join alternatives with "or"; true and false are yes and no."""
    words = ["yes" if value is True else "no" if value is False else str(value) for value in values]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _selecting(need: Need) -> Iterator[str]:
    for path, values in need.where.items():
        yield f"where {path} is {either(values)}"
    if need.metrics:
        yield f"reports {_metrics(need.metrics)}"


def _metrics(metrics: Metrics) -> str:
    interval = ", with its confidence interval" if metrics.interval else ""
    cases = f", on at least {metrics.min_n} cases" if metrics.min_n else ""
    return f"{either(metrics.any_of)}{interval}{cases}"


def _required(need: Need) -> Iterator[str]:
    if need.fields:
        yield f"gives {', '.join(need.fields)}"
    for path, values in need.holds.items():
        yield f"{path} holds each of {', '.join(str(value) for value in values)}"
    for path, least in need.least.items():
        yield f"has at least {least} in {path}"
    for group in need.groups:
        yield f"broken down by {'some attribute' if group == '*' else group}"


def _judged(need: Need) -> Iterator[str]:
    yield from (f"{path} must be {either(values)}" for path, values in need.must.items())
    yield from (_relation(relation) for relation in need.relations)
    if need.unique:
        yield f"nothing else on record has the same {', '.join(need.unique)}"
    if need.figures:
        yield "every figure it declares equals what is on record"
    if need.criterion == "passed":
        yield "passes its criteria, declared beforehand"
    elif need.criterion == "declared":
        yield "is held against criteria declared beforehand"


def _relation(relation: Relation) -> str:
    there = relation.to if relation.kind is None else f"{relation.to} of the newest {relation.kind}"
    days = f" plus {relation.days} days" if relation.days is not None else ""
    words = {
        "equal": "equals",
        "not-later": "is not later than",
        "not-earlier": "is not earlier than",
        "at-least": "is at least",
    }
    return f"{relation.path} {words[relation.relation]} {there}{days}"


def _related(need: Need) -> Iterator[str]:
    if need.approved:
        other = ", who is not its author" if need.approved.not_author else ""
        yield f"{need.approved.meaning} by a registered {need.approved.role}{other}"
    if need.signer_role:
        yield f"signed by a registered {need.signer_role}"
    if need.max_age_days:
        yield f"no older than {need.max_age_days} days"
    if need.bytes == "not-required":
        yield "a published identity is enough: nobody here need hold the bytes"
