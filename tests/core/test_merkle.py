"""The tree is held to our vectors, to transparency-dev/merkle's, and to properties against the RFC's own recursion."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import merkle
from compliance.errors import VerificationFailed

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/evidence.json").read_text(encoding="utf-8"))["merkle"]
SHARED = Path(__file__).resolve().parents[2].parent / "shared/vectors/merkle"
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["entries_hex"]]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]

sizes = st.integers(1, 200)


def numbered(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"entry %d" % number) for number in range(count)]


def by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(by_the_book(leaves[:split]), by_the_book(leaves[split:]))


def test_leaves_and_roots_are_everyone_elses() -> None:
    assert [leaf.hex() for leaf in LEAVES] == VECTORS["leaf_hashes"]
    assert merkle.root([]).hex() == VECTORS["empty_root"]
    for size, expected in VECTORS["roots"].items():
        assert merkle.root(LEAVES[: int(size)]).hex() == expected


def test_proofs_are_everyone_elses() -> None:
    assert [node.hex() for node in merkle.inclusion(LEAVES, 5, 7)] == VECTORS["inclusion_5_of_7"]
    assert [node.hex() for node in merkle.inclusion(LEAVES, 6, 7)] == VECTORS["inclusion_6_of_7"]
    assert [node.hex() for node in merkle.consistency(LEAVES, 3, 7)] == VECTORS["consistency_3_7"]
    assert [node.hex() for node in merkle.consistency(LEAVES, 4, 8)] == VECTORS["consistency_4_8"]


def test_the_root_of_three_hundred_entries() -> None:
    tiles = json.loads((Path(__file__).parents[1] / "vectors/evidence.json").read_text(encoding="utf-8"))["tiles"]
    assert merkle.root(numbered(300)).hex() == tiles["root"]


@given(st.integers(0, 200))
def test_root_and_frontier_agree_with_the_book(size: int) -> None:
    leaves = numbered(size)
    frontier, inner = merkle.Frontier(), []
    for leaf in leaves:
        inner += frontier.push(leaf)
    assert merkle.root(leaves) == frontier.root() == by_the_book(leaves)
    places = merkle.frontier_nodes(size)
    kept = [inner[merkle.node_position(*place)] if place[0] else leaves[place[1]] for place in places]
    assert merkle.Frontier(size, kept).root() == frontier.root()


@given(sizes, st.data())
def test_every_inclusion_proof_holds_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    path, head = merkle.inclusion(leaves, index, size), merkle.root(leaves)
    merkle.verify_inclusion(leaves[index], index, size, path, head)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(VerificationFailed):
            merkle.verify_inclusion(leaves[index], other, size, path, head)
    if path:
        bad = data.draw(st.integers(0, len(path) - 1))
        broken = [bytes(32) if place == bad else node for place, node in enumerate(path)]
        with pytest.raises(VerificationFailed):
            merkle.verify_inclusion(leaves[index], index, size, broken, head)


@given(sizes, st.data())
def test_every_consistency_proof_holds_and_no_rewriting(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    first = data.draw(st.integers(0, size))
    old, new = merkle.root(leaves[:first]), merkle.root(leaves)
    path = merkle.consistency(leaves, first, size)
    merkle.verify_consistency(first, size, old, new, path)
    if first:
        changed = [*leaves[: first - 1], bytes(32), *leaves[first:]]
        with pytest.raises(VerificationFailed):
            merkle.verify_consistency(first, size, old, merkle.root(changed), merkle.consistency(changed, first, size))


def test_what_lies_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion(LEAVES, 8, 8)
    with pytest.raises(ValueError, match="cannot have grown"):
        merkle.consistency(LEAVES, 8, 7)
    with pytest.raises(VerificationFailed, match="outside"):
        merkle.verify_inclusion(LEAVES[0], 8, 8, [], LEAVES[0])
    with pytest.raises(VerificationFailed, match="32 bytes"):
        merkle.verify_inclusion(LEAVES[0], 0, 1, [b"short"], LEAVES[0])
    with pytest.raises(VerificationFailed, match="cannot have grown"):
        merkle.verify_consistency(2, 1, LEAVES[0], LEAVES[0], [])
    with pytest.raises(VerificationFailed, match="sizes and roots"):
        merkle.verify_consistency(0, 1, LEAVES[1], LEAVES[0], [])
    with pytest.raises(ValueError, match="one node per set bit"):
        merkle.Frontier(3, [bytes(32)])


def cases(kind: str) -> list[Path]:
    found = sorted((SHARED / kind).rglob("*.json"))
    if not found:
        pytest.skip(f"no {SHARED / kind}")
    return found


def test_transparency_dev_inclusion() -> None:
    for path in cases("inclusion"):
        case = json.loads(path.read_text())
        leaf, head, *proof = (_hash(text) for text in (case["leafHash"], case["root"], *(case["proof"] or [])))
        failed = _fails(merkle.verify_inclusion, leaf, case["leafIdx"], case["treeSize"], proof, head)
        assert failed == (case["wantErr"] or len(head) != 32), path


def test_transparency_dev_consistency() -> None:
    for path in cases("consistency"):
        case = json.loads(path.read_text())
        old, new, *proof = (_hash(text) for text in (case["root1"], case["root2"], *(case["proof"] or [])))
        failed = _fails(merkle.verify_consistency, case["size1"], case["size2"], old, new, proof)
        # Their code does not look at the roots of trees of the same size; ours wants hashes of 32 bytes.
        assert failed == (case["wantErr"] or len(old) != 32), path


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _fails(check: object, *arguments: object) -> bool:
    try:
        check(*arguments)  # type: ignore[operator]
    except VerificationFailed:
        return True
    return False
