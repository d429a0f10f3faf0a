"""What a need says of a statement in words agrees with what its compiled schema says of it."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from compliance.core import matching
from compliance.core.catalog import Need
from compliance.core.evidence import Evidence, predicate_type

BARE = {"name": "sensitivity", "n": 50}
FULL = {**BARE, "ci_low": "0.1", "ci_high": "0.9", "ci_level": "0.95", "ci_method": "wilson"}
ROWS = st.fixed_dictionaries(
    {"name": st.sampled_from(["sensitivity", "roc_auc"]), "n": st.integers(1, 60)},
    optional={
        **{field: st.just(FULL[field]) for field in ("ci_low", "ci_high", "ci_level", "ci_method")},
        "group": st.sampled_from([{"sex": "F"}, {"sex": "M"}, {"site": "A"}]),
    },
)
CONTENT = st.fixed_dictionaries(
    {"metrics": st.lists(ROWS, min_size=1, max_size=4)},
    optional={
        "dataset": st.fixed_dictionaries({"role": st.sampled_from(["test", "train"])}),
        "method": st.sampled_from(["", "held out"]),
        "steps": st.lists(st.fixed_dictionaries({}, optional={"done": st.sampled_from(["yes", ""])}), max_size=2),
    },
)
NEEDS = st.fixed_dictionaries(
    {"id": st.just("n"), "kind": st.just("evaluation")},
    optional={
        "where": st.just({"dataset.role": ["test"]}),
        "fields": st.sampled_from([["method"], ["steps"], ["steps[].done"]]),
        "holds": st.sampled_from([{"steps[].done": ["yes", "no"]}, {"metrics[].name": ["sensitivity", "roc_auc"]}]),
        "groups": st.sampled_from([["*"], ["sex"]]),
        "metrics": st.fixed_dictionaries(
            {"any_of": st.just(["sensitivity"])},
            optional={"interval": st.booleans(), "min_n": st.sampled_from([30])},
        ),
    },
)


def judged(written: Any, content: Any) -> tuple[bool, str | None]:
    need = Need.model_validate_json(json.dumps(written))
    predicate = {"completeness": "complete", "content": content}
    statement = {"subject": [], "predicateType": predicate_type("evaluation"), "predicate": predicate}
    piece = Evidence(1, "d", "evaluation", "2026-11-20T00:00:00Z", "k", statement)
    valid = matching.validator("law/a", need).is_valid(statement)
    return valid, matching.lacks(need, piece) if matching.selects(need, content) else None


@given(NEEDS, CONTENT)
@example(
    {"id": "n", "kind": "evaluation", "metrics": {"any_of": ["sensitivity"], "interval": True}}, {"metrics": [FULL]}
)
def test_words_never_find_fault_with_what_the_schema_accepts(need: Any, content: Any) -> None:
    valid, fault = judged(need, content)
    assert not (valid and fault)


def test_interval_and_cases_may_not_be_pieced_together_from_two_rows() -> None:
    need = {"id": "n", "kind": "evaluation", "metrics": {"any_of": ["sensitivity"], "interval": True, "min_n": 30}}
    assert not judged(need, {"metrics": [{**BARE, "n": 50}, {**FULL, "n": 5}]})[0]
    assert judged(need, {"metrics": [FULL]}) == (True, None)


def test_all_of_a_set_must_be_there_each_in_some_item() -> None:
    need = {"id": "n", "kind": "evaluation", "holds": {"steps[].done": ["a", "b", "c"], "metrics[].n": [5]}}
    whole: Any = {"metrics": [FULL, {**BARE, "n": 5}], "steps": [{"done": one} for one in "cab"]}
    assert judged(need, whole) == (True, None)
    for lacking in ({"metrics": [BARE]}, {"steps": [{"done": "a"}, {"done": "a"}, {"done": "a"}]}, {"steps": []}):
        valid, fault = judged(need, {**whole, **lacking})
        assert not valid
        assert fault
    assert "leaves out b, c in" in str(judged(need, {**whole, "steps": [{"done": "a"}]})[1])


def test_one_item_of_a_list_satisfies_all_conditions_on_it() -> None:
    need = {"id": "n", "kind": "evaluation", "where": {"steps[].a": ["x"], "steps[].b": ["y"]}}
    apart: Any = {"metrics": [BARE], "steps": [{"a": "x", "b": "n"}, {"a": "n", "b": "y"}]}
    assert not judged(need, apart)[0]
    assert judged(need, {"metrics": [BARE], "steps": [{"a": "x", "b": "y"}]})[0]
