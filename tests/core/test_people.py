"""Names that look alike, by Unicode's own list of confusable characters; and names that people really have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import people


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Head of Quality", "Head оf Quality"),  # Cyrillic o
        ("Head of Quality", "HEAD OF QUАLITY"),  # Cyrillic A
        ("Reviewer Hal", "Reviewer HaI"),  # capital i
        ("Anna Muller", "Аnnа Мullеr"),
        ("Head of Quality", "Head  ᴏf Quality"),  # small capital o
    ],
)
def test_look_alikes_are_seen(name: str, other: str) -> None:
    assert people.looks_like(name, other)
    assert people.looks_like(other, name)


@pytest.mark.parametrize(
    ("name", "other"),
    [("Head of Quality", "head of  quality"), ("Reviewer", "Approver"), ("Anna Meier", "Anna Maier"), ("質", "品")],
)
def test_one_person_twice_and_two_people_do_not_look_alike(name: str, other: str) -> None:
    assert not people.looks_like(name, other)


@pytest.mark.parametrize(
    "name",
    [
        "Demonstration approver",
        "Zoë O'Brien-Şahin, PhD",
        "Иван Петров",
        "Αλέξης Παππάς",
        "品質責任者 QA",
        "김하늘 RA",
        "أحمد",
    ],
)
def test_names_that_people_have_are_taken(name: str) -> None:
    assert people.fault(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Head оf Quality", "mixes letters of several scripts (cyrillic, latin)"),
        ("Head of Quality\u200b", "a character that is not seen"),
        ("\u202eytilauQ", "a character that is not seen"),
        ("Head\nof", "a character that is not seen"),
    ],
)
def test_names_that_nobody_can_tell_apart_are_not(name: str, why: str) -> None:
    assert why in str(people.fault(name))


@given(st.text(max_size=20), st.text(max_size=20))
def test_looking_alike_goes_both_ways_and_never_with_oneself(name: str, other: str) -> None:
    assert people.looks_like(name, other) == people.looks_like(other, name)
    assert not people.looks_like(name, name)
