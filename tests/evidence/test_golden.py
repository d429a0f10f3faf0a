"""Every finding of both examples stands in a file that was read by eye; it changes only with a reason."""

import difflib
from pathlib import Path

import pytest

from .assessments import GOLDEN, HEAD, SYSTEMS, assessed, digest, last_change


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_golden_file_changes_only_with_a_reason(system: str) -> None:
    text = (GOLDEN / f"{system}.txt").read_text(encoding="utf-8")
    named, why = last_change(system)
    assert text.startswith(HEAD)
    assert named == digest(text), f"add a line to golden/CHANGES: {system} {digest(text)} and why"
    assert len(why.split()) >= 5


@pytest.mark.demo
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_findings_are_those_that_were_read(demonstration: Path, system: str) -> None:
    golden = (GOLDEN / f"{system}.txt").read_text(encoding="utf-8").splitlines()
    now = assessed(demonstration / system).splitlines()
    changed = list(difflib.unified_diff(golden, now, "golden", "now", lineterm="", n=0))
    assert changed == [], "\n".join(changed)
