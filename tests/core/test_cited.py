"""A cited value prints as a link and refuses everything else; nothing invisible stays invisible."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.cited import LONGEST, Citations, Cited, Node, Uncited, node, rounded, visible


def cited(value: str = "0.799065", decimals: int | None = 3) -> Cited:
    return Cited(value, "EV-000021", "predicate.content.metrics[1].value", Citations("3.1"), decimals)


def test_it_prints_as_a_link_to_its_evidence() -> None:
    assert cited().__html__() == '<a class="cite num" href="#EV-000021">0.799</a>'


def test_what_was_printed_is_remembered_with_the_place_it_came_from() -> None:
    citations = Citations("3.1")
    Cited("0.799065", "EV-000021", "predicate.content.metrics[1].value", citations, 3).__html__()
    assert [c.to_dict() for c in citations.printed] == [
        {"section": "3.1", "evidence": "EV-000021", "at": "predicate.content.metrics[1].value", "value": "0.799065",
         "printed": "0.799"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "use",
    [str, int, float, bool, len, list, hash, round, abs, operator.neg, "{}".format, "{:.2f}".format,
     lambda c: c + 1, lambda c: 1 + c, lambda c: c - 1, lambda c: c * 2, lambda c: c / 2, lambda c: c // 2,
     lambda c: c % 2, lambda c: c**2, lambda c: c < 1, lambda c: c == "0.799065", lambda c: c >= 1, lambda c: c[0],
     lambda c: "0" in c, lambda c: f"{c}", lambda c: sum([c]), lambda c: max([c, c])],
)  # fmt: skip
def test_it_refuses_text_format_comparison_and_arithmetic(use: Callable[[Any], Any]) -> None:
    with pytest.raises(Uncited, match="EV-000021"):
        use(cited())


def test_a_closed_vocabulary_may_be_asked_for() -> None:
    assert cited("test").says("test", "external-test")
    assert not cited("train").says("test")


def test_a_missing_field_is_an_error_and_not_a_blank() -> None:
    record = Node({"x": 1, "y": None}, "EV-000001", "predicate", Citations())
    for key in ("y", "z"):
        with pytest.raises(KeyError):
            record[key]
        assert key not in record


def test_paths_lead_back_to_the_value() -> None:
    citations = Citations()
    content = {"metrics": [{"value": "0.5"}, {"value": "0.7"}]}
    found = node(content, "EV-000001", "predicate.content", citations)["metrics"][1]["value"]
    assert isinstance(found, Cited)
    assert found.at == "predicate.content.metrics[1].value"


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x07", "\x00", "\u2066", "\ufeff", "\u2028"])
def test_control_and_direction_characters_are_spelled_out(hidden: str) -> None:
    shown = visible(f"a{hidden}b")
    assert hidden not in shown
    assert f"U+{ord(hidden):04X}" in shown


def test_markup_is_escaped_and_very_long_text_is_cut_and_says_so() -> None:
    assert visible('<script>"{{7*7}}"</script>') == "&lt;script&gt;&quot;{{7*7}}&quot;&lt;/script&gt;"
    assert "… 10 more characters" in visible("x" * (LONGEST + 10))


@given(st.text())
def test_nothing_from_evidence_becomes_a_tag(text: str) -> None:
    shown = visible(text).replace("<span class='hidden-char'>", "").replace("</span>", "")
    assert "<" not in shown.replace("<span class='cut'>", "")


@pytest.mark.parametrize(
    ("value", "against", "printed"),
    [
        ("0.799065", None, "0.799"),
        ("0.699600", "0.70", "0.6996"),
        ("0.699999", "0.70", "0.699999"),
        ("0.700000", "0.70", "0.700"),
        ("0.5", None, "0.5"),
        ("0.8125", None, "0.812"),
    ],
)
def test_rounding_never_hides_on_which_side_of_a_threshold_a_bound_lies(
    value: str, against: str | None, printed: str
) -> None:
    assert rounded(value, 3, against) == printed
