"""What a crosswalk says of one requirement, and what it refuses to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.core.crosswalk import Crosswalk

NAMES = [f"law/art-{number}" for number in range(6)]


def crosswalk(*rows: list[str], **more: object) -> Crosswalk:
    return Crosswalk.model_validate(
        {
            "id": "c",
            "version": "1",
            "date": "2026-11-24",
            "title": "C",
            "rows": [
                {
                    "evidence": f"evidence {place}",
                    "kinds": ["document"],
                    "requirements": row,
                    "made_by": "us",
                    "basis": "own mapping",
                }
                | more
                for place, row in enumerate(rows)
            ],
        }
    )


@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=2, unique=True), min_size=1, max_size=5))
def test_sharing_evidence_goes_both_ways_and_never_to_itself(rows: list[list[str]]) -> None:
    mapping = crosswalk(*rows)
    pairs = {(name, also.requirement, also.evidence) for name in NAMES for also in mapping.also(name)}
    assert {(b, a, evidence) for a, b, evidence in pairs} == pairs
    assert {(a, b) for a, b, _ in pairs} == {(a, b) for row in rows for a in row for b in row if a != b}


def test_it_says_who_says_so() -> None:
    (also,) = crosswalk(NAMES[:2]).also(NAMES[0])
    assert also.said_by == "own mapping by us"
    (also,) = crosswalk(NAMES[:2], stated_in="Rule 7").also(NAMES[0])
    assert also.said_by == "own mapping by us, after Rule 7"
    assert also.to_dict()["crosswalk"] == "c"


def test_unknown_requirements_are_named_with_their_place() -> None:
    assert list(crosswalk(NAMES[:2], NAMES[2:5]).unknown(set(NAMES) - {NAMES[3]})) == [(1, 1, NAMES[3])]


@pytest.mark.parametrize(
    "broken",
    [
        {"requirements": [NAMES[0]]},
        {"requirements": [NAMES[0], NAMES[0]]},
        {"requirements": ["law/art-*", NAMES[0]]},
        {"basis": "official"},
        {"made_by": ""},
        {"kinds": []},
        {"remark": "x"},
    ],
)
def test_what_no_row_may_say(broken: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        crosswalk(NAMES[:2], **broken)
