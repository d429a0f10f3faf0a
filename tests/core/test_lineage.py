"""Lineage follows signed references by digest, in both directions, and guesses nothing."""

from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.lineage import Link, lineage


def digest(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


def ref(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "sha256": digest(name), **more}


def piece(index: int, kind: str, subjects: list[str], **content: Any) -> Evidence:
    about = [{"name": name, "digest": {"sha256": digest(name)}} for name in subjects]
    statement = {"subject": about, "predicate": {"title": kind, "content": content}}
    return Evidence(index, digest(f"record {index}"), kind, "2026-11-24T00:00:00Z", "hint", statement)


RECORDS = [
    piece(0, "dataset", ["raw@1"]),
    piece(1, "dataset", ["train@1"], parent=ref("raw@1")),
    piece(2, "dataset", ["test@1"], parent=ref("raw@1"), overlaps=[{"dataset": ref("train@1"), "shared": 0}]),
    piece(
        3,
        "training-run",
        ["run@1", "model@1"],
        datasets=[ref("train@1", role="train")],
        code={"repository": "r", "commit": "c0ffee"},
    ),
    piece(4, "model-version", ["model@1"], training_run=ref("run@1")),
    piece(5, "evaluation", ["model@1"], dataset=ref("test@1", role="test")),
    piece(6, "approval", ["EV-000005"]),
    piece(7, "model-version", ["model@2"], previous_version=ref("model@1")),
]


def told(links: tuple[Link, ...]) -> dict[str, tuple[str, str, int]]:
    return {link.node.name: (link.relation, link.evidence, link.steps) for link in links}


def test_a_model_came_from_its_run_the_runs_data_and_code() -> None:
    assert told(lineage(RECORDS, digest("model@1")).upstream) == {
        "run@1": ("training-run", "EV-000003", 1),
        "train@1": ("datasets", "EV-000003", 2),
        "r@c0ffee": ("code", "EV-000003", 2),
        "raw@1": ("parent", "EV-000001", 3),
    }


def test_what_was_built_on_it_and_measured_with_it() -> None:
    assert told(lineage(RECORDS, digest("model@1")).downstream) == {
        "EV-000005": ("evaluation", "EV-000005", 1),
        "model@2": ("previous version", "EV-000007", 1),
    }
    assert set(told(lineage(RECORDS, digest("raw@1")).downstream)) == {
        "train@1", "test@1", "run@1", "model@1", "model@2", "EV-000005",
    }  # fmt: skip


def test_being_compared_or_tested_with_is_no_ancestry() -> None:
    assert set(told(lineage(RECORDS, digest("test@1")).upstream)) == {"raw@1"}
    assert "test@1" not in told(lineage(RECORDS, digest("model@1")).upstream)


def test_a_record_that_says_more_takes_the_place_of_the_one_that_it_superseded() -> None:
    records = [piece(0, "training-run", ["run@2"], datasets=[ref("train@1", role="train")]), RECORDS[4]]
    found = lineage(records, digest("model@1"), {digest("run@1"): ("run@2", digest("run@2"))})
    assert [(link.node.name, link.evidence) for link in found.upstream] == [
        ("run@2", "EV-000004"),
        ("train@1", "EV-000000"),
    ]


def test_circles_end() -> None:
    circle = [piece(0, "dataset", ["a@1"], parent=ref("b@1")), piece(1, "dataset", ["b@1"], parent=ref("a@1"))]
    assert set(told(lineage(circle, digest("a@1")).upstream)) == {"b@1"}


def test_a_stranger_has_none() -> None:
    found = lineage(RECORDS, digest("stranger@1"))
    assert found.upstream == found.downstream == ()
