"""What a reviewer would refuse, row by row: one true record set earns `met`, and each flaw takes it away.

The table is written from the sheets' "what shows it", not from the needs: a need that is too lax lets a flaw through,
one that is too strict refuses the true record set.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from support.cases import SYSTEM, Json, Record, key_event, ledger, sha, subject

from compliance.core.assessment import Thing, Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.findings import Finding, Verdict
from compliance.services import catalogs

MODEL, EARLIER = Thing("clinical-risk@2", sha("model 2"), "folder"), Thing("clinical-risk@1", sha("model 1"), "folder")
OTHER = Thing("another-model@1", sha("another"), "folder")
PROFILE: Json = {
    "roles": ["provider", "manufacturer"], "high_risk": ["annex-i"], "markets": ["EU", "US"], "features": [],
    "device": {"law": "MDR", "class": "IIa", "notified_body": True},
    "us": {"pathway": "510(k)", "class": "II", "pccp": True, "cyber_device": True},
}  # fmt: skip
VALIDATORS = Validators()
N = 200
SETUP, RESULTS, SIGNED = "2026-11-20T04:{:02d}:00Z", "2026-11-20T06:{:02d}:00Z", "2026-11-20T08:{:02d}:00Z"


def about(model: Thing = MODEL) -> Json:
    return subject(model.name, model.sha256, model.basis)


def own(name: str) -> Json:
    return subject(f"{name}@1", sha(f"the {name}"))


def row(name: str, group: Json | None = None, n: int = N) -> Json:
    bounds = {"value": "0.9", "ci_low": "0.85", "ci_high": "0.94", "ci_level": "0.95", "ci_method": "wilson"}
    return {"name": name, "n": n, **bounds, **({"group": group} if group else {})}


def by_group(name: str) -> list[Json]:
    groups = [{"sex": "F"}, {"sex": "M"}, {"site": "A"}, {"site": "B"}]
    return [row(name), *(row(name, group, 90) for group in groups)]


def measured(kind: str, *metrics: Json, **content: Any) -> Record:
    planned = {"plan": {"name": "plan@1", "sha256": sha("the plan")}, "started_at": "2026-11-20T05:00:00Z"}
    return Record(kind, about(), {"metrics": list(metrics), **planned, "ended_at": "2026-11-20T05:30:00Z", **content})


def result(*metrics: Json, **content: Any) -> Record:
    tested = {"name": "held-out@1", "sha256": sha("held-out"), "role": "test"}
    return measured("evaluation", *metrics, dataset=tested, method="Held out.", **content)


def safety(category: str, **content: Any) -> Record:
    return measured("safety-result", row("success_rate"), category=category, method="As planned.", **content)


def users(type_: str, metric: str) -> Record:
    group = {"n": N, "profile": "nurses", "intended_users": True}
    task = {"task": "read the score", "critical": True, "attempts": N, "successes": N}
    test = {
        "type": type_,
        "participants": group,
        "protocol": "Simulated.",
        "conclusion": "Understood.",
        "tasks": [task],
    }
    return measured("oversight-test", row(metric), **test)


def data(name: str, role: str) -> Record:
    sites = [{"name": site, "country": "DE", "setting": "hospital"} for site in "AB"]
    content = {
        "role": role, "rows": 400, "sites": sites, "bias_examination": "By sex and site.",
        "composition": [{"group": {"sex": sex}, "n": 200} for sex in "FM"],
        "representativeness": {"target_population": "Adults", "statement": "Alike."},
    }  # fmt: skip
    if role == "test":
        content["leakage"] = {"datasets": 1, "not_comparable": 0, "shared": 0}
    return Record("dataset", subject(f"{name}@1", sha(name), "file"), content)


def criterion(metric: str) -> Json:
    asked = {"comparator": ">=", "threshold": "0.70", "bound": "ci_low", "ci_level": "0.95", "min_n": N}
    return {"id": metric, "metric": metric, "rationale": "As clinicians asked.", **asked}


PLANNED = ("sensitivity", "repeat_agreement", "success_rate", "comprehension_rate", "task_success_rate")
APPROVED = ("plan", "accuracy", "instructions", "report")


def story() -> dict[str, Record]:
    """Return what a careful provider has on record: criteria first, then results, then signatures."""
    plan = {
        "model": "clinical-risk", "groups": [{"sex": "F"}, {"sex": "M"}], "sample_size": "200 by calculation.",
        "applies_to": "evaluation", "endpoints": "Sensitivity.", "methods": "Wilson.", "subgroups": "By sex.",
        "criteria": [criterion("sensitivity"), criterion("repeat_agreement")],
    }  # fmt: skip
    others = {"model": "clinical-risk", "criteria": [criterion(metric) for metric in PLANNED[2:]]}
    trained = {"datasets": [{"name": "train@1", "sha256": sha("train"), "role": "train"}]}
    figures = [{"name": "sensitivity", "value": "0.9", "ci_low": "0.85", "ci_high": "0.94"}]
    figures += [{**figures[0], "group": {"sex": sex}} for sex in "FM"]
    manual = {"document_type": "instructions-for-use", "status": "released", "figures": figures, "statements": [{}]}
    setup = {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "approver": key_event("approver", ["approver"]),
        "reviewer": key_event("reviewer", ["reviewer"]),
        "earlier": Record("model-version", about(EARLIER), {}),
        "another": Record("model-version", about(OTHER), {}),
        "model": Record("model-version", about(), {"frozen_at": "2026-11-20T04:30:00Z"}),
        "train": data("train", "train"),
        "held-out": data("held-out", "test"),
        "run": Record("training-run", about(), trained),
        "plan": Record("acceptance-plan", own("plan"), plan),
        "other plan": Record("acceptance-plan", own("other plan"), others),
    }
    protocol = {"masking": "Readers saw no output.", "planned_n": N, "code_commit": "abc", "preprocessing_sha256": "0"}
    truth = {"source": "registry", "masked_from_model": True}
    results = {
        "accuracy": result(*by_group("sensitivity"), protocol=protocol, ground_truth=truth,
                           accountability={"enrolled": N, "analysed": N}),
        "precision": result(*(row("repeat_agreement", group) for group in (None, {"sex": "F"}, {"sex": "M"}))),
        "robustness": safety("robustness", perturbations=[{"name": "missing values"}]),
        "bad input": safety("input-handling"),
        "fail-safe": safety("fail-safe"),
        "fuzzing": safety("cybersecurity", techniques=["fuzzing", "penetration"], open_findings=0),
        "comprehension": users("comprehension", "comprehension_rate"),
        "usability": users("usability-summative", "task_success_rate"),
        "instructions": Record("document", about(), manual),
        "report": Record("document", about(), {"document_type": "test-report", "status": "released"}),
        "watch": Record("monitoring", own("watch"), {"type": "plan", "indicators": [
            {"metric": "sensitivity", "alert": "below 0.70"}, {"metric": "missing_rate", "alert": "above 0.05"}]}),
    }  # fmt: skip
    for record in results.values():
        if record.kind in ("safety-result", "oversight-test"):
            record.content["plan"] = {"name": "other plan@1", "sha256": sha("the other plan")}
    signed = {f"approved {name}": Record("approval", subject("EV", sha(name)), {"meaning": "approved"}, "approver")
              for name in APPROVED}  # fmt: skip
    signed["reviewed report"] = Record("approval", subject("EV", sha("report")), {"meaning": "reviewed"}, "reviewer")
    for moment, part in ((SETUP, setup), (RESULTS, results), (SIGNED, signed)):
        for place, record in enumerate(part.values()):
            record.at = moment.format(place)
    return {**setup, **results, **signed}


# --- what a reviewer would refuse -----------------------------------------------------------------------

Flaw = Callable[[dict[str, Record], str], None]


def wrong_version(records: dict[str, Record], name: str) -> None:
    records[name].subject = about(EARLIER)


def another_model(records: dict[str, Record], name: str) -> None:
    records[name].subject = about(OTHER)


def wrong_data(records: dict[str, Record], name: str) -> None:
    records[name].content["dataset"] = {"name": "train@1", "sha256": sha("train"), "role": "train"}


def plan_later(records: dict[str, Record], name: str) -> None:
    for plan in ("plan", "other plan"):
        moved = records.pop(plan)
        moved.at = "2026-11-20T07:00:00Z"
        records[plan] = moved


def one_case_fewer(records: dict[str, Record], name: str) -> None:
    for metric in records[name].content["metrics"]:
        metric["n"] -= 1


def no_interval(records: dict[str, Record], name: str) -> None:
    for metric in records[name].content["metrics"]:
        del metric["ci_low"], metric["ci_high"]


def group_missing(records: dict[str, Record], name: str) -> None:
    kept = [metric for metric in records[name].content["metrics"] if "group" not in metric]
    records[name].content["metrics"] = kept


def author_approves(records: dict[str, Record], name: str) -> None:
    records[name].signer = "approver"


def key_revoked(records: dict[str, Record], name: str) -> None:
    ended = key_event("approver", ["approver"], event="revoked")
    ended.at = RESULTS.format(59)
    signed = {key: records.pop(key) for key in list(records) if records[key].kind == "approval"}
    records.update({"ended": ended, **signed})


def incomplete(records: dict[str, Record], name: str) -> None:
    records[name].predicate = {"completeness": "incomplete", "completeness_reason": "half of it crashed"}


def another_system(records: dict[str, Record], name: str) -> None:
    records[name].predicate = {"system": "somebody-elses"}


def misses(records: dict[str, Record], name: str) -> None:
    for metric in records[name].content["metrics"]:
        metric["ci_low"] = "0.6"


def unmasked(records: dict[str, Record], name: str) -> None:
    records[name].content["ground_truth"]["masked_from_model"] = False


def before_the_freeze(records: dict[str, Record], name: str) -> None:
    records["model"].content["frozen_at"] = "2026-11-20T05:00:01Z"


def finding_open(records: dict[str, Record], name: str) -> None:
    records[name].content["open_findings"] = 1


def other_figure(records: dict[str, Record], name: str) -> None:
    records[name].content["figures"][0]["value"] = "0.91"


def no_penetration(records: dict[str, Record], name: str) -> None:
    records[name].content["techniques"] = ["fuzzing", "static-analysis"]


def shared_people(records: dict[str, Record], name: str) -> None:
    records[name].content["leakage"]["shared"] = 2


def nobody_compared(records: dict[str, Record], name: str) -> None:
    del records[name].content["leakage"]


def fewer_than_planned(records: dict[str, Record], name: str) -> None:
    records[name].content["accountability"]["analysed"] = N - 1


def no_composition(records: dict[str, Record], name: str) -> None:
    del records[name].content["composition"]


def no_sites(records: dict[str, Record], name: str) -> None:
    del records[name].content["sites"]


def one_without_limit(records: dict[str, Record], name: str) -> None:
    del records[name].content["indicators"][1]["alert"]


WHOSE: tuple[Flaw, ...] = (wrong_version, another_model, incomplete, another_system)
PLANNED_FLAWS: tuple[Flaw, ...] = (*WHOSE, plan_later, one_case_fewer, no_interval, misses)
TABLE: dict[str, dict[str, tuple[Flaw, ...]]] = {
    "eu-ai-act/art-9.6": {"accuracy": (*PLANNED_FLAWS, wrong_data, group_missing), "robustness": (misses,)},
    "eu-ai-act/art-9.8.timing": {"accuracy": (*WHOSE, wrong_data, no_interval, author_approves, key_revoked)},
    "eu-ai-act/art-9.8.metrics": {
        "accuracy": (*WHOSE, wrong_data, no_interval, plan_later), "plan": (author_approves, key_revoked)},
    "eu-ai-act/art-10.2.f": {"accuracy": (*WHOSE, wrong_data, no_interval, group_missing), "train": (no_composition,)},
    "eu-ai-act/art-10.4": {"accuracy": (*WHOSE, wrong_data, group_missing), "held-out": (no_sites,)},
    "eu-ai-act/art-13.1": {"comprehension": PLANNED_FLAWS},
    "eu-ai-act/art-13.3.b.v": {"accuracy": (*WHOSE, wrong_data, group_missing), "instructions": (other_figure,)},
    "eu-ai-act/art-14.4.e": {"fail-safe": PLANNED_FLAWS},
    "eu-ai-act/art-15.1": {"accuracy": (*PLANNED_FLAWS, wrong_data, author_approves, key_revoked),
                           "robustness": PLANNED_FLAWS, "watch": (incomplete, another_system, one_without_limit)},
    "eu-ai-act/art-15.3": {"accuracy": (*WHOSE, wrong_data, plan_later),
                           "instructions": (*WHOSE, other_figure, author_approves, key_revoked)},
    "eu-ai-act/art-15.4.errors": {"robustness": PLANNED_FLAWS},
    "fda/aidsf/validation.success-criteria": {
        "accuracy": (*PLANNED_FLAWS, wrong_data), "plan": (author_approves, key_revoked)},
    "fda/aidsf/validation.subgroup-results": {"accuracy": (*WHOSE, wrong_data, no_interval, group_missing)},
    "fda/aidsf/validation.masking": {"accuracy": (*WHOSE, wrong_data, unmasked)},
    "fda/aidsf/validation.repeatability": {"precision": (*PLANNED_FLAWS, wrong_data, group_missing)},
    "fda/aidsf/validation.no-post-hoc": {"accuracy": (*WHOSE, wrong_data, plan_later, before_the_freeze)},
    "fda/aidsf/usability.evaluation": {"usability": PLANNED_FLAWS},
    "fda/aidsf/cyber.testing": {"fuzzing": (*WHOSE, finding_open, no_penetration)},
    "fda/aidsf/validation.performance": {
        "accuracy": (*PLANNED_FLAWS, wrong_data), "held-out": (shared_people, nobody_compared)},
    "fda/aidsf/validation.sample-size": {"accuracy": (*WHOSE, wrong_data, plan_later, fewer_than_planned)},
    "fda/aidsf/data.subgroup-analysis": {"accuracy": (*WHOSE, wrong_data, plan_later, no_interval, group_missing)},
}  # fmt: skip
FLAWS = [(row_, name, flaw) for row_, parts in TABLE.items() for name, flaws in parts.items() for flaw in flaws]


class Verified:
    ok, checked = True, 30


@cache
def catalog_of(requirement: str) -> Catalog:
    """Return a catalog of this one row, as it ships."""
    whole = next(one for one in catalogs.available() for each in one.requirements if each.id == requirement)
    return whole.model_copy(update={"requirements": tuple(r for r in whole.requirements if r.id == requirement)})


def found(requirement: str, records: dict[str, Record]) -> Finding:
    """Assess one row whose question a reviewer has answered, so that only the evidence stands between it and `met`."""
    content = {"requirements": [requirement], "decision": "met", "reason": "I read it."}
    answered = Record("determination", about(), content, "reviewer", at=SIGNED.format(59))
    held = ledger({**records, "answered": answered}).values()
    options: Json = {"system": SYSTEM, "model": MODEL, "on": "2026-11-23", "validators": VALIDATORS}
    return assess([catalog_of(requirement)], held, PROFILE, ledger=Verified(), **options).findings[0]


@pytest.mark.parametrize("requirement", TABLE)
def test_the_true_record_set_earns_met(requirement: str) -> None:
    finding = found(requirement, story())
    assert finding.finding is Verdict.MET, finding.reason


@pytest.mark.parametrize(("requirement", "name", "flaw"), FLAWS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_a_flaw_takes_met_away(requirement: str, name: str, flaw: Flaw) -> None:
    records = story()
    flaw(records, name)
    finding = found(requirement, records)
    assert finding.finding is not Verdict.MET, finding.reason
    assert finding.missing
    assert finding.next.startswith("compliance ")
