"""What differs is named member by member; many differences are counted."""

from compliance.core.differences import TOLD, members, told


def test_what_is_gone_added_and_changed_is_named() -> None:
    before, after = {"C": "1.0", "old": "x", "same": "s"}, {"C": "2.0", "new": "y" * 100, "same": "s"}
    assert list(members("parameter", before, after, values=True)) == [
        "the parameter old is gone",
        f"the parameter new was added ({'y' * 60}…)",
        "the parameter C was changed from 1.0 to 2.0",
    ]
    assert list(members("tag", {"a": 1}, {"a": 2})) == ["the tag a was changed"]


def test_many_differences_are_counted() -> None:
    assert told([]) == ""
    assert told(str(n) for n in range(TOLD + 3)).endswith("19; and 3 more")
