"""What comes from outside is read in one spelling only, and everything risky is refused with its place."""

import json
import time
from contextlib import suppress
from inspect import signature

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compliance.core.reading import MAX_BYTES, MAX_VALUES, read_records, read_value
from compliance.errors import InvalidInput


def test_figures_versions_and_dates_keep_their_spelling() -> None:
    text = (
        b"threshold: 0.90\nversion: 1.10\nat: 2026-11-23T10:02:11Z\nday: 2026-11-23\n"
        b"yes: yes\nhex: 0x1F\noctal: 007\nbig: 1e999\n"
    )
    [record] = read_records(text, "a.yaml")
    assert record.value == {
        "threshold": "0.90",
        "version": "1.10",
        "at": "2026-11-23T10:02:11Z",
        "day": "2026-11-23",
        "yes": "yes",
        "hex": "0x1F",
        "octal": "007",
        "big": "1e999",
    }


def test_only_four_plain_spellings_are_resolved() -> None:
    text = b"a: true\nb: false\nc: null\nd: -12\ne: 'true'\nf: \"12\"\ng: True\nh: +1\ni:\n"
    [record] = read_records(text, "a.yaml")
    assert record.value == {
        "a": True, "b": False, "c": None, "d": -12, "e": "true", "f": "12", "g": "True", "h": "+1", "i": None,
    }  # fmt: skip


def test_json_figures_keep_their_spelling_too() -> None:
    text = b'{"a": 0.90, "b": 12, "c": 1.5e-3, "d": 9007199254740991, "e": 9007199254740992}'
    [record] = read_records(text, "a.json")  # the last is past what canonical JSON can carry as an integer
    assert record.value == {"a": "0.90", "b": 12, "c": "0.0015", "d": 2**53 - 1, "e": "9007199254740992"}


def test_every_record_and_field_knows_its_line() -> None:
    first, second = read_records(b"kind: a\nrows:\n- {x: 1}\n- {x: 2,\n   y: 3}\n---\n# why\nkind: b\n", "f.yaml")
    assert (first.at(), second.at()) == ("f.yaml:1", "f.yaml:8")
    assert first.at(("rows", 1, "y")) == "f.yaml:5"
    assert first.at(("rows", 1, "unheard-of")) == "f.yaml:4"
    one, two = read_records(b'[\n{"a": 1},\n{"a": 2}\n]', "f.json")
    assert (one.at(("a",)), two.at()) == ("f.json:2", "f.json:3")


def test_names_and_values_are_counted_over_all_documents() -> None:
    assert len(read_records(b"a: [1, 2]\n---\nb: 3", "a.yaml", most=8)) == 2
    with pytest.raises(InvalidInput, match=r"a.yaml:3: holds more than 7 names and values"):
        read_records(b"a: [1, 2]\n---\nb: 3", "a.yaml", most=7)
    assert signature(read_records).parameters["most"].default == MAX_VALUES


REFUSED = {
    "empty": ("a.yaml", b"", "is empty"),
    "blank": ("a.json", b" \n", "is empty"),
    "no record": ("a.yaml", b"---\n", "holds no record"),
    "not a mapping": ("a.yaml", b"just text", "a.yaml:1: is not a record"),
    "anchor": ("a.yaml", b"b: 1\na: &x 1", "a.yaml:2: uses an anchor"),
    "alias": ("a.yaml", b"a: *x", "a.yaml:1: uses an anchor"),
    "tag": ("a.yaml", b"a: !!python/object:os.system x", "a.yaml:1: uses a tag"),
    "tag on a key": ("a.yaml", b"!!str a: 1", "uses a tag"),
    "duplicate key": ("a.yaml", b"a: 1\nb: 2\na: 3", "a.yaml:3: gives the field 'a' twice"),
    "key that is a list": ("a.yaml", b"? [a]\n: b", "a.yaml:1: uses a list"),
    "unclosed": ("a.yaml", b"a: [1\n", "is not YAML"),
    "tab": ("a.yaml", b"a:\n\t- 1", "a.yaml:2: is not YAML"),
    "NUL": ("a.yaml", b"a: b\x00c", "does not allow"),
    "latin-1": ("a.yaml", "a: 1\nb: é".encode("latin-1"), "a.yaml:2: is not UTF-8"),
    "utf-16": ("a.json", '{"a": 1}'.encode("utf-16"), "a.json:1: is not UTF-8"),
    "deep list": ("a.yaml", b"a: " + b"[" * 100_000, "nested deeper than 64"),
    "deep mapping": ("a.yaml", b"{a: " * 100_000, "nested deeper than 64"),
    "deep block": ("a.yaml", b"- " * 100_000, "nested deeper than 64"),
    "deep JSON list": ("a.json", b"[" * 100_000, "nested deeper than 64"),
    "deep JSON object": ("a.json", b'{"a":' * 100_000, "nested deeper than 64"),
    "depth 65": ("a.json", b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper than 64"),
    "NaN": ("a.json", b'{"a": NaN}', "NaN"),
    "infinity": ("a.json", b'{"a": -Infinity}', "-Infinity"),
    "1e999": ("a.json", b'{"a": 1e999}', "1e999"),
    "JSON duplicate": ("a.json", b'{"a": {"b": 1, "b": 1}}', "'b' twice"),
    "JSON duplicate among many": (
        "a.json",
        b"{" + b"".join(b'"%d":1,' % i for i in range(100_000)) + b'"99999":2}',
        "'99999' twice",
    ),
    "JSON half": ("a.json", b'[\n{"a": 1}\n', "a.json:3: is not JSON"),
    "JSON more": ("a.json", b'{"a": 1}\n{"a": 2}', "a.json:1: goes on after its end"),
    "array more": ("a.json", b'[{"a": 1}]\n[]', "goes on after its end"),
    "surrogate": ("a.json", b'{"a": "\\ud800"}', "surrogate"),
    "JSON scalar": ("a.json", b"[1]", "a.json:1: is not a record"),
}


@pytest.mark.parametrize(("name", "data", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_place(name: str, data: bytes, problem: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidInput) as refusal:
        read_records(data, name)
    assert problem in refusal.value.problem
    assert refusal.value.remedy
    assert time.monotonic() - started < 2


def test_depth_64_is_still_read() -> None:
    assert read_records(b'{"a":' * 64 + b"1" + b"}" * 64, "a.json")


def test_a_bomb_cannot_be_written_without_aliases() -> None:
    bomb = b"a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"
    with pytest.raises(InvalidInput, match="anchor"):
        read_records(bomb, "bomb.yaml")


def test_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidInput, match="larger than 64 MB"):
        read_records(bytes(MAX_BYTES + 1), "huge.yaml")


def test_settings_of_other_tools_have_real_numbers() -> None:
    assert read_value(b'{"kwargs": {"min_value": 0.5, "mostly": 1, "regex": "1.50"}}', "s.json") == {
        "kwargs": {"min_value": 0.5, "mostly": 1, "regex": "1.50"}
    }
    assert read_value(b"min_value: 0.5\nname: '0.5'\n", "s.yaml") == {"min_value": 0.5, "name": "0.5"}


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abcdef", min_size=1), plain, min_size=1))
def test_what_json_writes_is_read_back_the_same(record: dict[str, object]) -> None:
    assert read_records(json.dumps(record).encode(), "a.json")[0].value == record
    assert read_records(json.dumps([record, record], ensure_ascii=False).encode(), "a.json")[1].value == record


@given(st.dictionaries(st.text("abcdef", min_size=1), plain, min_size=1))
def test_what_yaml_writes_quoted_is_read_back_the_same(record: dict[str, object]) -> None:
    text = yaml.safe_dump(record, default_style='"', allow_unicode=True)
    if "!!" not in text:  # with every scalar quoted, PyYAML tags what is not text
        assert read_records(text.encode(), "a.yaml")[0].value == record


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for name in ("a.yaml", "a.json"):
        with suppress(InvalidInput):
            read_records(data, name)
