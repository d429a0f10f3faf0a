"""Two texts of a catalog: whatever was changed is told once, and nothing else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.findings import requirement

from compliance.core.catalog import Catalog
from compliance.core.catalog_diff import diff

NEED = {"id": "doc", "kind": "document", "where": {"document_type": ["labelling"]}, "least": {"answers": 1}}


def catalog(*rows: dict[str, Any], version: str = "1") -> Catalog:
    made = [json.loads(requirement(**row).model_dump_json(by_alias=True)) for row in rows]
    head = {"id": "law", "version": version, "date": "2026-11-23", "title": "A law", "publisher": "A parliament"}
    return Catalog.model_validate_json(json.dumps({**head, "requirements": made}))


def row(name: str, **change: Any) -> dict[str, Any]:
    return {"name": f"law/{name}", **change}


def test_new_removed_moved_and_changed_rows() -> None:
    before = catalog(
        row("a"),
        row("b", status="applies from 2027-12-02", applies_from={"any": "2027-12-02"}),
        row("c", needs=[NEED]),
        row("d"),
    )
    after = catalog(
        row("b", status="applies from 2028-08-02", applies_from={"any": "2028-08-02"}, tier="S"),
        row("c", needs=[{**NEED, "least": {"answers": 3}}]),
        row("d"),
        row("e"),
        version="2",
    )
    told = diff(before, after).to_dict()
    assert [r["requirement"] for r in told["new"]] == ["law/e"]
    assert [r["requirement"] for r in told["removed"]] == ["law/a"]
    assert told["moved"] == [
        {
            "requirement": "law/b",
            "cells": [
                {"cell": "status", "before": "applies from 2027-12-02", "after": "applies from 2028-08-02"},
                {"cell": "applies_from", "before": "any 2027-12-02", "after": "any 2028-08-02"},
            ],
        }
    ]
    assert [(r["requirement"], [c["cell"] for c in r["cells"]]) for r in told["changed"]] == [
        ("law/b", ["tier"]),
        ("law/c", ["need doc"]),
    ]
    assert told["changed"][1]["cells"][0]["after"].endswith("has at least 3 in answers")


def test_a_need_that_came_or_went_is_told_by_its_id() -> None:
    before, after = catalog(row("a", needs=[NEED])), catalog(row("a", needs=[{**NEED, "id": "other"}]))
    cells = diff(before, after).changed[0].cells
    assert [(cell.name, bool(cell.before), bool(cell.after)) for cell in cells] == [
        ("need doc", True, False),
        ("need other", False, True),
    ]


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)


@given(names, names)
def test_every_row_is_in_one_place_and_back_again_mirrors(first: list[str], second: list[str]) -> None:
    one, two = catalog(*map(row, first)), catalog(*(row(name, tier="S") for name in second))
    there, back = diff(one, two), diff(two, one)
    assert {r.id for r in there.new} == {r.id for r in back.removed} == {f"law/{n}" for n in set(second) - set(first)}
    assert {c.requirement for c in there.changed} == {f"law/{n}" for n in set(first) & set(second)}
    assert diff(one, one).empty
    assert there.empty is False
