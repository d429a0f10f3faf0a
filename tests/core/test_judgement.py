"""The words that judge: what contradicts them fails the need, what leaves them out cannot carry it, and it says so."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Json, Record, key_event, ledger, sha, subject

from compliance.core import paths, relations
from compliance.core.assessment import assess
from compliance.core.catalog import Catalog, Relation
from compliance.core.findings import NeedResult, Thing

MODEL = Thing("clinical-risk@2", sha("model 2"), "folder")
ROW: Json = {
    "id": "law/art-1", "ref": "Art. 1", "text": "Show it.", "binds": ["P"], "evidence_kinds": ["document"],
    "what_shows_it": "records", "measurable": "yes: as written", "tier": "C", "confidence": "high", "source": ["R"],
    "status": "in force",
}  # fmt: skip


def judged(need: Json, records: Mapping[str, Record], ask: str | None = None) -> NeedResult:
    """Return what the record shows of one need."""
    row = {**ROW, "needs": [{"id": "n", **need}], **({"ask": ask} if ask else {})}
    head = {"id": "law", "version": "1", "date": "2026-11-23", "title": "A law", "publisher": "A parliament"}
    catalog = Catalog.model_validate_json(json.dumps({**head, "requirements": [row]}))
    held = ledger({"genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"), **records}).values()
    assessment = assess([catalog], held, {}, system="clinical-risk", model=MODEL, on="2026-11-23")
    return assessment.findings[0].needs[0]


def about(model: Thing = MODEL) -> Json:
    return subject(model.name, model.sha256, model.basis)


def sbom(**content: Any) -> Record:
    return Record("sbom", subject("sbom@1", sha(repr(content))), content)


def incident(**content: Any) -> Record:
    return Record("incident", subject("incident@1", sha(repr(content))), content)


def version(**content: Any) -> Record:
    return Record("model-version", about(), content)


def document(**content: Any) -> Record:
    return Record("document", subject("ifu@1", sha(repr(content))), {"document_type": "labelling", **content})


def evaluation(**row: Any) -> Record:
    return Record("evaluation", about(), {"metrics": [{"name": "sensitivity", "n": 100, **row}]})


FIXED: Json = {"kind": "sbom", "must": {"vulnerabilities[].status": ["fixed", "not-affected"]}}
IN_TIME: Json = {
    "kind": "incident",
    "relations": [{"path": "reports[].sent", "is": "not-later", "to": "became_aware_at", "days": 15}],
}
BY_DUE: Json = {"kind": "incident", "relations": [{"path": "reports[].sent", "is": "not-later", "to": "reports[].due"}]}
KEPT: Json = {
    "kind": "log",
    "relations": [{"path": "retained_until", "is": "not-earlier", "to": "period.end", "days": 180}],
}
SAME_UDI: Json = {
    "kind": "document",
    "relations": [{"path": "identifiers.udi", "is": "equal", "to": "udi", "kind": "model-version"}],
}
UNIQUE: Json = {"kind": "model-version", "about": "model-version", "unique": ["udi"]}
FIGURES: Json = {"kind": "document", "figures": True}
LEAST: Json = {"kind": "risk-file", "least": {"hazards": 2}}
EACH: Json = {"kind": "incident", "where": {"type": ["serious-incident"]}, "fields": ["harm"], "each": True}
RELEASED: Json = {"kind": "document", "where": {"document_type": ["labelling"], "status": ["released"]}}
EVASION: Json = {"kind": "safety-result", "about": "model-version", "fields": ["attacks"]}
AWARE = "2026-11-01T08:00:00Z"
OTHER = Thing("clinical-risk@1", sha("model 1"), "folder")

CASES: list[tuple[Json, list[Record], str, str]] = [
    (FIXED, [sbom(vulnerabilities=[{"status": "fixed"}, {"status": "not-affected"}])], "passed", "shows it"),
    (FIXED, [sbom(vulnerabilities=[{"status": "fixed"}, {"status": "open"}])], "failed",
     "EV-000001 says open for \"status\" of vulnerabilities, which must be fixed or not-affected."),
    (FIXED, [sbom(vulnerabilities=[{"status": "fixed"}, {}])], "insufficient", 'leaves out "status" of'),
    (FIXED, [sbom(vulnerabilities=[])], "insufficient", "leaves out"),
    (FIXED, [sbom()], "insufficient", "leaves out"),
    (FIXED, [sbom(vulnerabilities=[{"status": "open"}]), sbom(vulnerabilities=[{"status": "fixed"}])], "failed",
     "EV-000001 says open"),
    (IN_TIME, [incident(became_aware_at=AWARE, reports=[{"sent": "2026-11-16"}])], "passed", ""),
    (IN_TIME, [incident(became_aware_at=AWARE, reports=[{"sent": "2026-11-17"}])], "failed",
     'says 2026-11-17 for "sent" of reports, which must be not later than became aware at there '
     "(2026-11-01T08:00:00Z plus 15 days)."),
    (IN_TIME, [incident(became_aware_at=AWARE, reports=[])], "insufficient", 'leaves out "sent" of reports'),
    (IN_TIME, [incident(reports=[{"sent": "2026-11-16"}])], "insufficient", "leaves out became aware at"),
    (IN_TIME, [incident(became_aware_at="early", reports=[{"sent": "2026-11-16"}])], "insufficient", "cannot be held"),
    (BY_DUE, [incident(reports=[{"sent": "2026-11-02", "due": "2026-11-02"},
                                {"sent": "2026-11-09", "due": "2026-11-10"}])], "passed", ""),
    (BY_DUE, [incident(reports=[{"sent": "2026-11-03", "due": "2026-11-02"},
                                {"sent": "2026-11-09", "due": "2026-11-10"}])], "failed", "2026-11-03"),
    (KEPT, [Record("log", subject("log@1", sha("log")), {"period": {"end": "2026-01-01"},
                                                          "retained_until": "2026-06-30"})], "passed", ""),
    (KEPT, [Record("log", subject("log@1", sha("log")), {"period": {"end": "2026-01-01"},
                                                          "retained_until": "2026-06-29"})], "failed", "2026-06-29"),
    (SAME_UDI, [version(udi="A1"), document(identifiers={"udi": "A1"})], "passed", ""),
    (SAME_UDI, [version(udi="A1"), document(identifiers={"udi": "A2"})], "failed",
     "EV-000002 says A2 for \"udi\" of identifiers, which must be equal to udi in EV-000001 (A1)."),
    (SAME_UDI, [version(udi="A2"), version(udi="A1"), document(identifiers={"udi": "A1"})], "passed", ""),
    (SAME_UDI, [version(), document(identifiers={"udi": "A2"})], "insufficient", "EV-000001 leaves out udi"),
    (SAME_UDI, [document(identifiers={"udi": "A2"})], "insufficient", "No model-version on record says udi"),
    (SAME_UDI, [Record("model-version", about(OTHER), {"udi": "A2"}), document(identifiers={"udi": "A2"})],
     "insufficient", "No model-version on record says udi"),
    (UNIQUE, [Record("model-version", about(OTHER), {"udi": "A1"}), version(udi="A2")], "passed", ""),
    (UNIQUE, [Record("model-version", about(OTHER), {"udi": "A1"}), version(udi="A1")], "failed",
     "EV-000002 says A1 for udi, and so does EV-000001 about clinical-risk@1."),
    (UNIQUE, [version(udi="A1"), version(udi="A1")], "passed", ""),
    (UNIQUE, [version()], "insufficient", "leaves out udi"),
    (FIGURES, [evaluation(value="0.849"), document(figures=[{"name": "sensitivity", "value": "0.85"}])], "passed", ""),
    (FIGURES, [evaluation(value="0.844"), document(figures=[{"name": "sensitivity", "value": "0.85"}])], "failed",
     "declares sensitivity (overall) 0.85; on record is 0.844 in EV-000001."),
    (FIGURES, [evaluation(value="0.85", ci_low="0.77", ci_high="0.91"),
               document(figures=[{"name": "sensitivity", "value": "0.85", "ci_low": "0.80", "ci_high": "0.91"}])],
     "failed", "0.85 (0.80 to 0.91); on record is 0.85 (0.77 to 0.91) in EV-000001"),
    (FIGURES, [evaluation(value="0.85"), document(figures=[{"name": "sensitivity", "value": "0.85",
                                                            "group": {"sex": "F"}}])], "insufficient", "(sex F)"),
    (FIGURES, [evaluation(value="0.85"), document()], "insufficient", "declares no figures"),
    (FIGURES, [document(figures=[{"name": "sensitivity", "value": "0.85"}])], "insufficient", "no result or dataset"),
    (FIGURES, [evaluation(value="0.85"), Record("model-version", about(OTHER), {}),
               document(model={"name": OTHER.name, "sha256": OTHER.sha256},
                        figures=[{"name": "sensitivity", "value": "0.9"}])], "stale", "another model version"),
    (LEAST, [Record("risk-file", subject("r@1", sha("r")), {"hazards": [1, 2]})], "passed", ""),
    (LEAST, [Record("risk-file", subject("r@1", sha("r")), {"hazards": [1]})], "insufficient",
     "says 1 for hazards, the need asks for 2 at least"),
    (LEAST, [Record("risk-file", subject("r@1", sha("r")), {})], "insufficient", "leaves out hazards"),
    (EACH, [incident(type="serious-incident", harm="x"), incident(type="serious-incident", harm="y")], "passed", ""),
    (EACH, [incident(type="serious-incident"), incident(type="serious-incident", harm="y")], "insufficient",
     "EV-000001 leaves out harm."),
    ({**EACH, "each": False, "fields": ["harm", "cause"]},
     [incident(type="serious-incident", harm="x"), incident(type="serious-incident")], "insufficient",
     "EV-000001 leaves out cause."),
    (RELEASED, [document(status="released"), document(status="draft")], "passed", ""),
    (RELEASED, [document(status="draft")], "insufficient", "EV-000001 says draft for status, not released."),
    (RELEASED, [document()], "insufficient", "EV-000001 says nothing for status, not released."),
    (EVASION, [Record("safety-result", about(OTHER), {"metrics": [], "attacks": ["x"]})], "stale", "clinical-risk@1"),
    (EVASION, [Record("safety-result", about(OTHER), {"metrics": []})], "gap", "about clinical-risk@2"),
]  # fmt: skip


@pytest.mark.parametrize(("need", "records", "verdict", "words"), CASES)
def test_a_word_judges(need: Json, records: list[Record], verdict: str, words: str) -> None:
    result = judged(need, {f"record {place}": record for place, record in enumerate(records)}, ask="And is it so?")
    assert (result.verdict.value, words in result.reason) == (verdict, True), result.reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"document_type": "policy", "answers": ["law/b"]},
         "with document type policy, answers law/a; EV-000001 says law/b for answers."),
        ({"document_type": "press", "answers": ["law/b"]}, "with document type policy, answers law/a."),
    ],
)  # fmt: skip
def test_other_evidence_is_named_where_it_differs_in_one_thing_only(written: Json, reason: str) -> None:
    need = {"kind": "document", "where": {"document_type": ["policy"], "answers[]": ["law/a"]}}
    result = judged(need, {"paper": document(**written)}, ask="And is it so?")
    assert (result.verdict.value, result.reason) == ("gap", f"No document evidence is on record {reason}")


def test_what_is_asked_of_each_piece_is_not_asked_where_there_is_none() -> None:
    other = incident(type="complaint")
    row = {**ROW, "needs": [{"id": "n", **EACH}], "ask": "Were there none?"}
    head = {"id": "law", "version": "1", "date": "2026-11-23", "title": "A law", "publisher": "A parliament"}
    catalog = Catalog.model_validate_json(json.dumps({**head, "requirements": [row]}))
    held = ledger({"genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"), "other": other}).values()
    found = assess([catalog], held, {}, system="clinical-risk", model=MODEL, on="2026-11-23").findings[0]
    assert (found.finding.value, found.needs, found.reason) == (
        "undetermined", (), "A person must decide: Were there none?",
    )  # fmt: skip
    with pytest.raises(ValueError, match="add an ask"):
        Catalog.model_validate_json(json.dumps({**head, "requirements": [{**row, "ask": None}]}))


def test_a_contradiction_is_superseded_only_with_a_reason_and_then_no_longer_counts() -> None:
    wrong, right = sbom(vulnerabilities=[{"status": "open"}]), sbom(vulnerabilities=[{"status": "fixed"}])
    assert judged(FIXED, {"wrong": wrong, "right": right}).verdict.value == "failed"
    right.predicate = {"supersedes": {"name": "EV-000001", "sha256": sha("wrong"), "reason": "patched in 2.0.1"}}
    assert judged(FIXED, {"wrong": wrong, "right": right}).verdict.value == "passed"


def test_the_newest_contradiction_explains_and_all_are_named() -> None:
    wrong = [sbom(vulnerabilities=[{"status": status}]) for status in ("open", "exploited")]
    result = judged(FIXED, {"first": wrong[0], "second": wrong[1]})
    assert (result.against, "says exploited" in result.reason) == (("EV-000002", "EV-000001"), True)


@pytest.mark.parametrize("flaw", [{"completeness": "incomplete"}, {"system": "another"}])
def test_evidence_that_cannot_speak_shows_no_contrary(flaw: Json) -> None:
    wrong = sbom(vulnerabilities=[{"status": "open"}])
    wrong.predicate = flaw
    assert judged(FIXED, {"wrong": wrong}).verdict.value in ("insufficient", "gap")


def test_contrary_results_on_data_in_the_wrong_role_fail_nothing() -> None:
    need = {"kind": "evaluation", "about": "model-version", "where": {"dataset.role": ["test"]},
            "must": {"setting": ["prospective"]}}  # fmt: skip
    result = Record("evaluation", about(), {"metrics": [], "setting": "simulation", "dataset": {"role": "train"}})
    assert judged(need, {"result": result}).verdict.value == "insufficient"
    result.content["dataset"]["role"] = "test"
    assert judged(need, {"result": result}).verdict.value == "failed"


@pytest.mark.parametrize(
    ("name", "figure", "verdict"),
    [
        ("rows", {"value": "400"}, "passed"),
        ("rows", {"value": "401"}, "failed"),
        ("patients", {"value": "390"}, "passed"),
        ("positives", {"value": "31"}, "passed"),
        ("rows", {"value": "180", "group": {"sex": "F"}}, "passed"),
        ("positives", {"value": "13", "group": {"sex": "F"}}, "failed"),
        ("rows", {"value": "1", "group": {"sex": "X"}}, "insufficient"),
    ],
)
def test_figures_of_a_dataset_are_held_against_its_record(name: str, figure: Json, verdict: str) -> None:
    used = {"name": "held-out@1", "sha256": sha("held-out"), "role": "test"}
    content = {
        "role": "test", "rows": 400, "patients": 390, "labels": {"classes": [{"value": "0", "n": 369},
        {"value": "1", "n": 31}]}, "composition": [{"group": {"sex": "F"}, "n": 180, "positives": 12}],
    }  # fmt: skip
    records = {
        "data": Record("dataset", subject("held-out@1", sha("held-out"), "file"), content),
        "result": Record("evaluation", about(), {"dataset": used, "metrics": []}),
        "paper": document(figures=[{"name": name, **figure}]),
    }
    assert judged(FIGURES, records).verdict.value == verdict


DAYS = st.dates(min_value=date(2000, 1, 1)).map(lambda day: day.isoformat())


def test_the_reason_is_in_words_and_the_path_beside_it() -> None:
    result = judged(FIXED, {"open": sbom(vulnerabilities=[{"status": "open"}])})
    assert result.to_dict()["field"] == "vulnerabilities[].status"
    assert "[]" not in result.reason


@pytest.mark.parametrize(
    ("value", "to", "holds"),
    [
        (400, 400, True), (399, 400, False), ("0.90", "0.9", True), ("10", "9", True), ("0.8", "0.9", False),
        ("many", 400, None), (True, 1, None), ("NaN", "1", None),
    ],
)  # fmt: skip
def test_numbers_compare_by_what_they_count(value: Any, to: Any, holds: bool | None) -> None:
    enough = Relation.model_validate({"path": "a", "is": "at-least", "to": "b"})
    assert relations.stands(enough, value, to) is holds


def test_days_go_with_dates_only() -> None:
    with pytest.raises(ValueError, match="days go with"):
        Relation.model_validate({"path": "a", "is": "at-least", "to": "b", "days": 3})


@given(DAYS, DAYS, st.integers(0, 400))
def test_later_by_days_and_earlier_by_days_are_each_others_mirror(one: str, two: str, days: int) -> None:
    later = Relation.model_validate({"path": "a", "is": "not-later", "to": "b", "days": days})
    after = Relation.model_validate({"path": "a", "is": "not-earlier", "to": "b", "days": days + 1})
    assert relations.stands(later, one, two) != relations.stands(after, one, two)


@given(
    st.recursive(
        st.dictionaries(st.sampled_from("ab"), st.sampled_from(["x", "y"]), max_size=2),
        lambda inner: st.dictionaries(st.sampled_from("ab"), inner | st.lists(inner, max_size=2), max_size=2),
    ),
    st.dictionaries(
        st.sampled_from(["a", "b", "a[].b", "a[].a", "b.a", "b[].a.b", "a[].b[].a"]),
        st.sampled_from([("x",), ("x", "y")]),
        max_size=3,
    ),
)
def test_conditions_hold_where_their_compiled_schema_says_so(content: Any, conditions: Any) -> None:
    import jsonschema_rs

    from compliance.core.catalog import Need, compile_need

    need = Need.model_validate({"id": "n", "kind": "document", "where": conditions})
    schema = compile_need("law/a", need)["properties"]["predicate"]["properties"]["content"]
    valid = jsonschema_rs.Draft202012Validator({"type": "object", **schema}).is_valid(content)
    if typed(content, conditions):
        assert paths.hold(content, conditions) == valid


def typed(content: Any, conditions: Any) -> bool:
    """Say whether every condition finds lists and objects where it expects them, as kinds guarantee."""
    for path in conditions:
        value = [content]
        for step in path.split("."):
            below = [item.get(step.removesuffix("[]")) for item in value if isinstance(item, dict)]
            below = [item for item in below if item is not None]
            if len(value) != sum(isinstance(item, dict) for item in value):
                return False
            if step.endswith("[]") and not all(isinstance(item, list) for item in below):
                return False
            value = [one for item in below for one in item] if step.endswith("[]") else below
    return True


TRACED: Json = {
    "kind": "document", "where": {"traces[].items": ["requirements"], "traces[].to": ["design"]},
    "must": {"traces[].untraced": [0]},
}  # fmt: skip


@pytest.mark.parametrize(("untraced", "other", "verdict"), [(0, 3, "passed"), (1, 0, "failed"), (0, 0, "passed")])
def test_must_looks_at_the_items_that_where_picks(untraced: int, other: int, verdict: str) -> None:
    mine = {"items": "requirements", "to": "design", "total": 5, "untraced": untraced}
    beside = {"items": "requirements", "to": "verification", "total": 5, "untraced": other}
    assert judged(TRACED, {"trace": document(traces=[mine, beside])}).verdict.value == verdict


PLANNED: Json = {
    "kind": "evaluation", "about": "model-version",
    "relations": [{"path": "accountability.analysed", "is": "at-least", "to": "protocol.planned_n"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("analysed", "planned", "verdict"),
    [(500, 500, "passed"), (501, 500, "passed"), (99, 100, "failed"), (9, "10.5", "failed"), (10, "9.99", "passed"),
     (10, "many", "insufficient"), (10, None, "insufficient")],
)  # fmt: skip
def test_numbers_are_held_to_each_other_as_numbers(analysed: int, planned: Any, verdict: str) -> None:
    content = {"accountability": {"analysed": analysed}, "protocol": {"planned_n": planned}, "metrics": []}
    found = judged(PLANNED, {"results": Record("evaluation", about(), content)})
    assert found.verdict.value == verdict
    if verdict == "failed":
        assert f'at least "planned n" of protocol there ({planned})' in found.reason


DECIDED: Json = {
    "kind": "change", "where": {"type": ["change"], "decisions[].regime": ["21 CFR 807.81"]},
    "fields": ["decisions[].reason"], "each": True,
}  # fmt: skip


def test_a_change_that_nobody_decided_under_the_rule_is_seen() -> None:
    def change(regime: str) -> Record:
        decisions = [{"regime": regime, "decision": "no-submission", "reason": "r"}]
        return Record("change", subject(f"change@{regime}", sha(regime)), {"type": "change", "decisions": decisions})

    american, european = change("21 CFR 807.81"), change("MDR")
    assert judged(DECIDED, {"one": american}, "All decided?").verdict.value == "passed"
    both = judged(DECIDED, {"one": american, "two": european}, "All decided?")
    assert (both.verdict.value, both.field) == ("insufficient", "decisions[].regime")
    assert "holds no decision under 21 CFR 807.81" in both.reason
