"""Parts of assessments, and two of them side by side."""

from hypothesis import given
from hypothesis import strategies as st
from support.findings import MODEL, assessment, found

from compliance.core.assessments import WORST_FIRST, compare, moves, narrow
from compliance.core.findings import Thing, Verdict

OLD = Thing("clinical-risk@1", "1a" * 32, "folder")
ROWS = [found("law/art-1", "met"), found("law/art-10", "gap", binding=False), found("code/a", "failed")]
words = st.lists(st.sampled_from(list(Verdict)), max_size=8)


def test_a_part_counts_only_itself() -> None:
    part = narrow(assessment(*ROWS), findings=["gap", "failed"])
    assert [f.requirement.id for f in part.findings] == ["law/art-10", "code/a"]
    assert part.counts["met"] == 0
    assert sum(part.counts.values()) == 2


def test_a_part_by_the_beginning_of_the_id() -> None:
    assert [f.requirement.id for f in narrow(assessment(*ROWS), requirement="law/art-").findings] == [
        "law/art-1",
        "law/art-10",
    ]


def test_a_whole_id_is_that_requirement_alone() -> None:
    assert [f.requirement.id for f in narrow(assessment(*ROWS), requirement="law/art-1").findings] == ["law/art-1"]


def test_a_part_that_binds() -> None:
    assert "law/art-10" not in [f.requirement.id for f in narrow(assessment(*ROWS), binding=True).findings]


def test_without_a_filter_a_part_is_the_whole() -> None:
    assert narrow(assessment(*ROWS)) == assessment(*ROWS)


def test_better_worse_open_and_scope() -> None:
    before = assessment(
        found("law/a", "gap"),
        found("law/b", "met"),
        found("law/c", "gap"),
        found("law/d", "not-applicable"),
        found("law/e", "met"),
        model=OLD,
    )
    after = assessment(
        found("law/a", "met"),
        found("law/b", "stale"),
        found("law/c", "gap"),
        found("law/d", "gap"),
        found("law/e", "met"),
    )
    told = compare(before, after)
    assert (told.before, told.after) == (OLD.name, MODEL.name)
    assert [[m.requirement for m in part] for part in (told.better, told.worse, told.open, told.scope)] == [
        ["law/a"],
        ["law/b"],
        ["law/c"],
        ["law/d"],
    ]
    assert told.worse[0].reason == "why law/b"


def test_rows_that_are_new_or_gone_are_told() -> None:
    moved = moves([found("law/a", "gap")], [found("law/b", "met")])
    assert [(m.requirement, m.before, m.after) for m in moved] == [
        ("law/b", None, Verdict.MET),
        ("law/a", Verdict.GAP, None),
    ]


def test_every_finding_has_a_place_in_the_order() -> None:
    assert {*WORST_FIRST, Verdict.NOT_APPLICABLE} == set(Verdict)


@given(words, words)
def test_the_other_way_round_better_is_worse(first: list[Verdict], second: list[Verdict]) -> None:
    one = assessment(*(found(f"law/r{n}", word) for n, word in enumerate(first)))
    two = assessment(*(found(f"law/r{n}", word) for n, word in enumerate(second)))
    there, back = compare(one, two), compare(two, one)
    assert [m.requirement for m in there.better] == [m.requirement for m in back.worse]
    assert [m.requirement for m in there.open] == [m.requirement for m in back.open]
    assert compare(one, one).better == compare(one, one).worse == ()
