"""Taking in one piece more says what assessing everything again says, whatever the piece and the order."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import SYSTEM, Json, Record, key_event, ledger, sha, subject

from compliance.core.assessment import Assessor, Thing, Validators, assess
from compliance.core.catalog import Catalog
from compliance.core.evidence import Evidence

MODEL, EARLIER = Thing("clinical-risk@2", sha("model 2"), "folder"), Thing("clinical-risk@1", sha("model 1"), "folder")
VALIDATORS = Validators()
ROW: Json = {
    "ref": "Art. 1", "text": "Show it.", "binds": ["P"], "evidence_kinds": ["document"], "what_shows_it": "records",
    "measurable": "yes: as written", "tier": "C", "confidence": "high", "source": ["R"], "status": "in force",
}  # fmt: skip
ACCURACY: Json = {
    "kind": "evaluation", "about": "model-version", "where": {"dataset.role": ["test"]},
    "metrics": {"any_of": ["sensitivity"], "interval": True, "min_n": 30},
}  # fmt: skip
APPROVED: Json = {"meaning": "approved", "role": "approver", "not_author": True}
ROWS: dict[str, list[Json]] = {
    "measured": [{**ACCURACY, "criterion": "passed"}],
    "declared": [{**ACCURACY, "criterion": "declared"}, {"kind": "document", "figures": True}],
    "approved": [{**ACCURACY, "approved": APPROVED, "groups": ["sex"]}],
    "fixed": [{"kind": "sbom", "about": "model-version", "must": {"vulnerabilities[].status": ["fixed"]}}],
    "dataset": [{"kind": "dataset", "about": "dataset", "least": {"rows": 100}}],
    "named": [{"kind": "model-version", "about": "model-version", "unique": ["udi"]}],
    "label": [
        {"kind": "document", "where": {"document_type": ["labelling"]}, "fields": ["date"], "relations": [
            {"path": "identifiers.udi", "is": "equal", "to": "udi", "kind": "model-version"},
            {"path": "date", "is": "not-later", "to": "implemented_on", "kind": "change"}]},
    ],
    "each": [{"kind": "document", "where": {"document_type": ["labelling"]}, "approved": APPROVED, "each": True}],
}  # fmt: skip
CATALOG = Catalog.model_validate_json(
    json.dumps(
        {
            "id": "law", "version": "1", "date": "2026-11-23", "title": "A law", "publisher": "A parliament",
            "requirements": [
                {**ROW, "id": f"law/{name}", "needs": [{"id": f"n{place}", **need} for place, need in enumerate(needs)],
                 "ask": f"Would a reviewer say no to {name} for any reason?" if name in ("each", "label") else None}
                for name, needs in ROWS.items()
            ],
        }
    )
)  # fmt: skip


def about(model: Thing = MODEL) -> Json:
    return subject(model.name, model.sha256, model.basis)


def result(value: str, model: Thing = MODEL, **content: Any) -> Record:
    row = {"name": "sensitivity", "n": 40, "value": value, "ci_level": "0.95", "ci_method": "wilson"}
    row |= {"ci_low": value, "ci_high": "1"}
    groups = [{**row, "n": 20, "group": {"sex": sex}} for sex in "FM"]
    named = {"name": "held-out@1", "sha256": sha("held-out"), "role": "test"}
    plan = {"name": "plan@1", "sha256": sha("the plan")}
    content = {"dataset": named, "plan": plan, "started_at": "2026-11-20T05:30:00Z", **content}
    return Record("evaluation", about(model), {"metrics": [row, *groups], **content})


def document(**content: Any) -> Record:
    return Record("document", subject("ifu@1", sha(repr(content))), {"document_type": "labelling", **content})


def start() -> dict[str, Record]:
    criterion = {"id": "s", "metric": "sensitivity", "comparator": ">=", "threshold": "0.80", "bound": "ci_low"}
    plan = {"model": "clinical-risk", "data_role": "test", "criteria": [criterion]}
    return {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "approver": key_event("approver", ["approver"]),
        "earlier": Record("model-version", about(EARLIER), {"udi": "A1"}),
        "changes": Record("change", subject("changes@1", sha("changes")), {
            "type": "plan", "planned_changes": [{"id": "retrain"}], "implemented_on": "2026-11-10"}),
        "model": Record("model-version", about(), {"udi": "A2"}),
        "plan": Record("acceptance-plan", subject("plan@1", sha("the plan")), plan, at="2026-11-20T04:00:00Z"),
    }  # fmt: skip


def signed(target: str, meaning: str = "approved") -> Record:
    return Record("approval", subject("EV", sha(target)), {"meaning": meaning}, "approver")


def decided(decision: str, target: str = "") -> Record:
    carry = {"carry": [{"name": "EV", "sha256": sha(target)}]} if target else {}
    rests = {"based_on": [{"name": "EV", "sha256": sha("changes")}]} if target else {}
    content = {"requirements": ["law/measured", "law/label"], "decision": decision, "reason": "So.", **carry, **rests}
    return Record("determination", about(), content, "approver")


def replacing(record: Record, target: str) -> Record:
    record.predicate = {"supersedes": {"name": "EV", "sha256": sha(target), "reason": "corrected"}}
    return record


TEST_DATA: Json = {"role": "test", "rows": 9}
MADE: Json = {"type": "change", "implemented_on": "2026-11-30"}
POOL = {
    "pass": lambda names: result("0.9"),
    "miss": lambda names: result("0.7"),
    "other data": lambda names: result("0.9", dataset={"name": "o@1", "sha256": sha("other"), "role": "test"}),
    "training data": lambda names: result("0.9", dataset={"name": "t@1", "sha256": sha("t"), "role": "train"}),
    "earlier's": lambda names: result("0.9", EARLIER),
    "no plan": lambda names: result("0.9", plan=None),
    "label": lambda names: document(date="2026-11-09", identifiers={"udi": "A2"}),
    "late label": lambda names: document(date="2026-11-12", identifiers={"udi": "A2"}),
    "wrong label": lambda names: document(identifiers={"udi": "A1"}, figures=[{"name": "sensitivity", "value": "0.9"}]),
    "card": lambda names: document(document_type="model-card", figures=[{"name": "sensitivity", "value": "0.7"}]),
    "fixed": lambda names: Record("sbom", about(), {"vulnerabilities": [{"status": "fixed"}]}),
    "open": lambda names: Record("sbom", about(), {"vulnerabilities": [{"status": "open"}]}),
    "held-out": lambda names: Record("dataset", subject("held-out@1", sha("held-out"), "file"), TEST_DATA),
    "change": lambda names: Record("change", subject("c@1", sha("c")), MADE),
    "same udi": lambda names: Record("model-version", subject("clinical-risk@3", sha("m3"), "folder"), {"udi": "A2"}),
    "sign": lambda names: signed(names[-1]),
    "sign first": lambda names: signed(names[0]),
    "write": lambda names: signed(names[-1], "authored"),
    "revoke": lambda names: Record("revocation", subject("EV", sha(names[-1])), {"reason": "wrong"}),
    "replace": lambda names: replacing(result("0.95"), names[-1]),
    "met": lambda names: decided("met"),
    "not-met": lambda names: decided("not-met"),
    "carry": lambda names: decided("carried-over", names[-1]),
    "another's": lambda names: Record("sbom", about(), {}, predicate={"system": "somebody-elses"}),
}  # fmt: skip


def drawn(steps: Sequence[str]) -> tuple[list[Evidence], list[Evidence]]:
    """Return what was on record at the start, and what came, one after another."""
    records, names = start(), ["plan"]
    begin = len(records)
    for place, step in enumerate(steps):
        name = f"{step} {place}"
        records[name] = POOL[step](names)
        records[name].at = f"2026-11-20T06:{place:02d}:00Z"
        if step not in ("sign", "sign first", "write", "met", "not-met"):
            names.append(name)
    pieces = list(ledger(records).values())
    return pieces[:begin], pieces[begin:]


OPTIONS: Json = {"system": SYSTEM, "model": MODEL, "on": "2026-11-23", "validators": VALIDATORS}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), max_size=9))
def test_one_piece_more_equals_assessing_again(steps: list[str]) -> None:
    before, later = drawn(steps)
    assessor = Assessor([CATALOG], before, {}, **OPTIONS)
    for place, piece in enumerate(later, start=1):
        assessor.add(piece)
        assert assessor.assessment() == assess([CATALOG], [*before, *later[:place]], {}, **OPTIONS)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), max_size=7), st.integers(0, 6))
def test_evidence_of_a_later_day_changes_no_earlier_assessment(steps: list[str], at: int) -> None:
    before, later = drawn(steps)
    known = [*before, *later[:at]]
    moved = [
        Evidence(one.index, one.digest, one.kind, one.logged_at.replace("-20T", "-25T"), one.signer, one.statement)
        for one in later[at:]
    ]
    assert assess([CATALOG], [*known, *moved], {}, **OPTIONS) == assess([CATALOG], known, {}, **OPTIONS)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), max_size=7))
def test_revoking_what_a_met_rests_on_takes_it_away(steps: list[str]) -> None:
    before, later = drawn(steps)
    known = [*before, *later]
    for found in assess([CATALOG], known, {}, **OPTIONS).findings:
        for number in found.evidence if found.finding == "met" else ():
            target = next(piece for piece in known if piece.number == number)
            withdrawn = Record("revocation", subject(number, target.digest), {"reason": "wrong"}, "approver")
            records = {f"filler {place}": withdrawn for place in range(len(known) + 1)}
            last = list(ledger(records).values())[-1]
            moved = Evidence(last.index, last.digest, last.kind, "2026-11-21T00:00:00Z", last.signer, last.statement)
            after = assess([CATALOG], [*known, moved], {}, **OPTIONS).finding(found.requirement.id)
            assert after is not None
            assert number not in after.evidence


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), max_size=7), st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(steps: list[str], random: Any) -> None:
    known = [piece for part in drawn(steps) for piece in part]
    shuffled = random.sample(known, len(known))
    assert assess([CATALOG], shuffled, {}, **OPTIONS) == assess([CATALOG], known, {}, **OPTIONS)


UNRELATED = {
    "another's": lambda: Record("evaluation", about(), {"metrics": []}, predicate={"system": "somebody-elses"}),
    "other model": lambda: Record("evaluation", subject("other@1", sha("other"), "file"), result("0.1").content),
    "procedure": lambda: Record("procedure", subject("p@1", sha("p")), {"topic": "training"}),
}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), max_size=6), st.sampled_from(sorted(UNRELATED)), st.integers(0, 6))
def test_unrelated_evidence_changes_nothing_wherever_it_stands(steps: list[str], other: str, at: int) -> None:
    before, later = drawn(steps)
    known = [*before, *later]
    (stray,) = ledger({"stray": UNRELATED[other]()}).values()
    moment = later[min(at, len(later) - 1)].logged_at if later else "2026-11-20T06:00:00Z"
    place = len(before) + min(at, len(later))
    moved = [
        Evidence(one.index + (one.index >= place), one.digest, one.kind, one.logged_at, one.signer, one.statement)
        for one in known
    ]
    put = Evidence(place, stray.digest, stray.kind, moment, stray.signer, stray.statement)
    told = [
        [(found.finding, found.rule, len(found.evidence), len(found.against)) for found in assessment.findings]
        for assessment in (assess([CATALOG], known, {}, **OPTIONS), assess([CATALOG], [*moved, put], {}, **OPTIONS))
    ]
    assert told[0] == told[1]
