"""The OMS manifest, held to the vector that model-signing 1.1.1 accepted and to the standard's own schemas."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import oms
from compliance.core.canonical import canonical, digest
from compliance.errors import InvalidInput

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FILES = [
    ("weights.bin", "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"),
    ("sub/Z.txt", "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06"),
    ("config.json", "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"),
]
ROOT = "917a435067ecd13c5df29038368b378497c09072aeb0d435b3d9bf0c0837f78e"


def test_the_root_is_the_published_one() -> None:
    assert oms.root(FILES) == ROOT


def test_the_statement_is_byte_for_byte_the_vector() -> None:
    path = SHARED / "reference/evidence-vectors.json"
    if not path.exists():
        pytest.skip(f"no {path}")
    vector = json.loads(path.read_text())["oms"]
    assert digest(canonical(oms.statement("my-model", FILES))) == vector["payload_sha256"]


def test_the_standards_schemas_accept_the_statement_and_refuse_a_broken_one() -> None:
    folder = SHARED / "vectors/oms/schemas/v1.0"
    if not folder.exists():
        pytest.skip(f"no {folder}")
    schemas = {(schema := json.loads(path.read_text()))["$id"]: schema for path in folder.iterdir()}
    statement = next(schema for name, schema in schemas.items() if "/statement/" in name)
    validator = jsonschema_rs.validator_for(statement, retriever=schemas.__getitem__)
    ours = oms.statement("my-model", FILES)
    validator.validate(ours)
    ours["predicate"]["resources"][0]["digest"] = "not hex"
    assert not validator.is_valid(ours)


def test_names_are_ordered_by_code_point_not_by_folder() -> None:
    names = ["a/x", "a-b/x", "a.b", "Z", "é"]
    assert [name for name, _ in oms.manifest([(name, "00" * 32) for name in names])] == [
        "Z",
        "a-b/x",
        "a.b",
        "a/x",
        "é",
    ]


@given(st.dictionaries(st.text(min_size=1), st.binary(min_size=32, max_size=32), min_size=1), st.randoms())
def test_the_order_of_reading_does_not_matter_and_every_digest_does(files: dict[str, bytes], random) -> None:
    pairs = [(name, value.hex()) for name, value in files.items()]
    shuffled = pairs[:]
    random.shuffle(shuffled)
    assert oms.root(pairs) == oms.root(shuffled)
    name, value = pairs[0]
    assert oms.root([(name, "0" + value[1:] if value[0] != "0" else "1" + value[1:]), *pairs[1:]]) != oms.root(pairs)


def test_an_empty_folder_and_a_name_given_twice_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no file"):
        oms.root([])
    with pytest.raises(InvalidInput, match="twice"):
        oms.root([FILES[0], FILES[0]])
