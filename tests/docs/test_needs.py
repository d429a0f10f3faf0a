"""The page on the words of a need has each word once, with an example that a catalog would take."""

import json
import re
from pathlib import Path

import pytest

from compliance.core.catalog import Need
from compliance.core.findings import Rule
from compliance.core.reading import read_records

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "needs.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_need(example: str) -> None:
    (located,) = read_records(example.encode(), PAGE.name)
    Need.model_validate_json(json.dumps(located.value))


def test_every_word_is_explained_and_shown() -> None:
    headed = {
        word for names in re.findall(r"^\*\*(.+?)\*\*", TEXT, re.MULTILINE) for word in re.findall(r"`(\w+)`", names)
    }
    shown = {name for example in EXAMPLES for name in re.findall(r"[{ ](\w+):", example)}
    assert headed == set(Need.model_fields)
    assert set(Need.model_fields) <= shown


def test_every_rule_is_explained_once() -> None:
    rules = [word for line in TEXT.splitlines() if line.startswith("| `") for word in re.findall(r"`([a-z-]+)`", line)]
    assert sorted(rules) == sorted(rule.value for rule in Rule)
