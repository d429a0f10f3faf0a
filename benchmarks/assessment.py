"""Assessment of 100,000 pieces of evidence about one model version against every catalog, and after one more."""

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from benchmarks.harness import Options, Row, timed
from compliance.core.assessment import Assessment, Assessor, Thing, Validators
from compliance.core.evidence import Evidence, predicate_type
from compliance.services import catalogs

SYSTEM, ON = "benchmark", "2026-11-23"
PROFILE: dict[str, Any] = {
    "intended_purpose": "Measurement", "roles": ["provider", "manufacturer", "deployer", "sponsor"],
    "high_risk": ["annex-i"], "markets": ["EU", "US"], "features": ["keeps-learning"],
    "device": {"law": "MDR", "class": "IIa", "notified_body": True},
    "us": {"pathway": "510(k)", "class": "II", "pccp": True, "cyber_device": True, "certified_health_it": False},
}  # fmt: skip
CATEGORIES = ("robustness", "adversarial", "bias", "privacy", "cybersecurity", "input-handling", "misuse", "fail-safe")
TYPES = ("instructions-for-use", "model-card", "policy", "test-report", "labelling", "study-report", "declaration")


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


MODEL = Thing("net@2", digest("net@2"), "file")


def measure(options: Options) -> list[Row]:
    size = options.size(100_000, 5_000)
    used = catalogs.available()
    pieces = [piece(index) for index in range(size)]
    made: dict[str, Any] = {"system": SYSTEM, "model": MODEL, "on": ON}
    validators = Validators()
    assessor = Assessor(used, pieces, PROFILE, **made, validators=validators)
    seconds = statistics.median(
        timed(lambda: Assessor(used, pieces, PROFILE, **made, validators=validators).assessment())
        for _ in range(options.size(3, 1))
    )
    rows = sum(len(catalog.requirements) for catalog in used)
    what = f"{size:,} pieces about one version, {rows} requirements"
    found = [Row("assessment", what, seconds, None, "s", "", seconds, 5.0)]
    index = size
    for name, more in MORE.items():
        taken = []
        for _ in range(options.size(9, 3)):
            one = _evidence(index, *more(index, size))
            taken.append(timed(partial(_one_more, assessor, one)))
            index += 1
        median = statistics.median(taken) * 1000
        found.append(Row("assessment", f"after one more {name}", median, None, "ms", "", median, 50.0))
    return found


def _one_more(assessor: Assessor, piece: Evidence) -> Assessment:
    assessor.add(piece)
    return assessor.assessment()


def piece(index: int) -> Evidence:
    """Return one of the pieces that a system in use gathers: mostly results, and every other kind among them."""
    if index < len(BEGINNING):
        return _evidence(index, *BEGINNING[index])
    makers = MAKERS
    return _evidence(index, *makers[index % len(makers)](index))


Made = tuple[str, dict[str, Any], dict[str, Any]]
"""Kind, subject, content."""


def _evidence(index: int, kind: str, subject: dict[str, Any], content: dict[str, Any]) -> Evidence:
    predicate = {
        "schema_version": 1, "system": SYSTEM, "title": f"{kind} {index}", "completeness": "complete",
        "source": {"how": "record"}, "content": content,
    }  # fmt: skip
    statement = {"subject": [subject], "predicateType": predicate_type(kind), "predicate": predicate}
    logged = f"2026-{1 + index // 10_000 % 10:02d}-{1 + index % 28:02d}T10:00:00Z"
    return Evidence(index, digest(f"record {index}"), kind, logged, "a2V5", statement)


def _subject(name: str, basis: str = "content") -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest(name)}, "annotations": {"basis": basis}}


def _model() -> dict[str, Any]:
    return _subject(MODEL.name, MODEL.basis)


def _thing(name: str) -> dict[str, Any]:
    return {"name": name, "sha256": digest(name)}


def _row(name: str, index: int, n: int, group: dict[str, str] | None = None) -> dict[str, Any]:
    x = 70 + index % 25
    row = {"name": name, "n": n, "x": x, "value": f"{x / n:.6f}", "ci_low": "0.700000", "ci_high": "0.990000"}
    row |= {"ci_level": "0.95", "ci_method": "clopper-pearson", "origin": "computed"}
    return row | ({"group": group} if group else {})


def _evaluation(index: int) -> Made:
    names = ("sensitivity", "specificity", "ppv", "npv")
    rows = [_row(name, index, 100) for name in names[: 1 + index % 4]]
    rows += [_row("sensitivity", index, 100, {"sex": sex}) for sex in "FM"]
    dataset = {**_thing(f"held-out@{index % 5}"), "role": "test" if index % 3 else "train"}
    started = "2026-06-01T10:00:00Z"
    content = {"dataset": dataset, "metrics": rows, "started_at": started, "unit_of_analysis": "person"}
    return "evaluation", _model(), content | ({"plan": _thing("plan@1")} if index % 2 else {})


def _safety(index: int) -> Made:
    rows = [_row("success_rate", index, 100)]
    content = {"category": CATEGORIES[index % len(CATEGORIES)], "metrics": rows, "method": "as planned"}
    return "safety-result", _model(), content


def _document(index: int) -> Made:
    kind = TYPES[index % len(TYPES)]
    status = "released" if index % 4 else "draft"
    content = {"document_type": kind, "status": status, "date": "2026-05-01", "model": _thing(MODEL.name)}
    return "document", _subject(f"paper-{index}@1"), content


def _monitoring(index: int) -> Made:
    content = {"type": "performance", "reported_on": "2026-05-01", "due_on": "2026-05-02", "model": _thing(MODEL.name)}
    return "monitoring", _subject(f"monitoring-{index}@1"), content


def _incident(index: int) -> Made:
    content = {
        "type": "malfunction", "description": "It stopped.", "status": "closed",
        "reports": [{"authority": "A", "sent": "2026-05-01", "due": "2026-05-02"}],
    }  # fmt: skip
    return "incident", _subject(f"incident-{index}@1"), content


def _log(index: int) -> Made:
    return "log", _subject(f"log-{index}@1"), {"type": "operation", "entries": 10, "expected": 10}


def _change(index: int) -> Made:
    content = {"type": "change", "description": "A fix.", "approved_on": "2026-05-01", "implemented_on": "2026-05-02"}
    return "change", _subject(f"change-{index}@1"), content | {"model": _thing(MODEL.name)}


def _approval(index: int) -> Made:
    of = digest(f"record {index - 1}")
    return (
        "approval",
        {"name": "EV", "digest": {"sha256": of}, "annotations": {"basis": "content"}},
        {"meaning": "approved"},
    )


def _determination(index: int) -> Made:
    content = {"requirements": ["eu-ai-act/art-15.1"], "decision": "known-gap", "reason": "It is known."}
    return "determination", _model(), content


MAKERS: Sequence[Callable[[int], Made]] = (
    *[_evaluation] * 10, *[_safety] * 4, *[_document] * 2, *[_monitoring] * 2, _incident, _log, _change, _approval,
)  # fmt: skip
CRITERIA = [
    {"id": name, "metric": name, "comparator": ">=", "threshold": "0.60", "bound": "ci_low", "ci_level": "0.95"}
    for name in ("sensitivity", "specificity", "success_rate")
]
BEGINNING: Sequence[Made] = (
    ("model-version", _model(), {"release_date": "2026-01-01", "udi": "A1"}),
    ("acceptance-plan", _subject("plan@1"), {"model": "net", "data_role": "test", "criteria": CRITERIA}),
    *[
        ("dataset", _subject(f"held-out@{n}", "file"), {"role": "test" if n else "train", "rows": 100})
        for n in range(5)
    ],
    ("system-description", _subject("system@1"), {"profile": PROFILE}),
)
MORE: dict[str, Callable[[int, int], Made]] = {
    "evaluation": lambda index, size: _evaluation(index),
    "safety result": lambda index, size: _safety(index),
    "document": lambda index, size: _document(index),
    "approval": lambda index, size: _approval(size - 30 + index % 10),
    "determination": lambda index, size: _determination(index),
}
