"""The Merkle tree behind the ledger: hashes in, hashes and proofs out.

Pure: no files, no clock; a leaf is already a 32-byte hash. Follows RFC 9162 section 2.1 with SHA-256, so
any transparency-log tool can check our proofs. A hash that is not 32 bytes, or an index outside the tree, is
refused. Held to tests/vectors/evidence.json and to the vectors of transparency-dev/merkle.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from compliance.errors import VerificationFailed

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32

NodeAt = Callable[[int, int], bytes]
"""(level, n) -> hash over the leaves n * 2**level up to (n + 1) * 2**level, all of them present."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry. The 0x00 prefix keeps a leaf from posing as a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head over `leaves`, oldest first.

    Pairing level by level and carrying an odd last one up gives the tree that RFC 9162 defines by splitting.
    """
    if not leaves:
        return EMPTY_ROOT
    row = list(leaves)
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)] + odd
    return row[0]


class Frontier:
    """The right edge of a growing tree: all that is needed to append and to know the head, in O(log n).

    `nodes` are the roots of the full subtrees, largest first (a compact range that starts at 0).
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        if len(nodes) != size.bit_count():
            raise ValueError("a frontier has one node per set bit of its size")
        self.size, self.nodes = size, list(nodes)

    def push(self, leaf: bytes) -> list[bytes]:
        """Append one leaf; return the inner nodes that it completed, lowest first."""
        completed: list[bytes] = []
        size, node = self.size, leaf
        while size & 1:
            node = node_hash(self.nodes.pop(), node)
            completed.append(node)
            size >>= 1
        self.nodes.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the tree head."""
        if not self.nodes:
            return EMPTY_ROOT
        head = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            head = node_hash(node, head)
        return head


def frontier_nodes(size: int) -> list[tuple[int, int]]:
    """Return (level, n) of each node of the frontier at `size`, largest first."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length(), -1, -1) if size >> level & 1]


def node_position(level: int, n: int) -> int:
    """Return where an inner node (level of 1 or more) stands when inner nodes are kept in order of completion.

    The leaf that completes it has index `last`; the `last` leaves before it completed `last - popcount(last)`.
    """
    last = ((n + 1) << level) - 1
    return last - last.bit_count() + level - 1


def inclusion(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of the first `size` leaves."""
    return inclusion_from(_nodes_of(leaves), index, size)


def consistency(leaves: Sequence[bytes], first: int, second: int) -> list[bytes]:
    """Return the proof that the tree of `second` leaves grew from the tree of `first`."""
    return consistency_from(_nodes_of(leaves), first, second)


def inclusion_from(node: NodeAt, index: int, size: int) -> list[bytes]:
    """As `inclusion`, from stored nodes: O(log n) look-ups (times log n on the ragged right edge)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is outside a tree of {size}")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        split = start + _split(stop - start)
        if index < split:
            path.append(_range_root(node, split, stop))
            stop = split
        else:
            path.append(_range_root(node, start, split))
            start = split
    return path[::-1]


def consistency_from(node: NodeAt, first: int, second: int) -> list[bytes]:
    """As `consistency`, from stored nodes. From the empty tree, and to itself, the proof is empty."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} cannot have grown from one of {first}")
    path: list[bytes] = []
    start, stop = 0, second
    if first == 0:
        return path
    while first != stop:
        split = start + _split(stop - start)
        if first <= split:
            path.append(_range_root(node, split, stop))
            stop = split
        else:
            path.append(_range_root(node, start, split))
            start = split
    if start:  # else the old tree is a full subtree, whose root the verifier holds already
        path.append(_range_root(node, start, stop))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> None:
    """Check that `leaf` is number `index` in the tree of `size` under `head`. Raises VerificationFailed.

    RFC 9162 section 2.1.3.2.
    """
    _check_hashes(leaf, head, *path)
    if not 0 <= index < size:
        raise _refused(f"leaf {index} is outside a tree of {size}")
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise _refused("the inclusion proof is too long")
        left = bool(at & 1) or at == last
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
        at, last = _parent(at, last)
    if last:
        raise _refused("the inclusion proof is too short")
    if node != head:
        raise _refused("the inclusion proof leads to another root")


def verify_consistency(first: int, second: int, old: bytes, new: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree of `second` under `new` grew from `first` under `old`. Raises VerificationFailed.

    RFC 9162 section 2.1.4.2; every tree grows from the empty one, with an empty proof.
    """
    _check_hashes(old, new, *path)
    if not 0 <= first <= second:
        raise _refused(f"a tree of {second} cannot have grown from one of {first}")
    if first in (0, second):
        if path or old != (new if first else EMPTY_ROOT):
            raise _refused("the consistency proof does not fit trees of these sizes and roots")
        return
    if not path:
        raise _refused("the consistency proof is empty")
    proof = [old, *path] if first.bit_count() == 1 else path
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_node = new_node = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            raise _refused("the consistency proof is too long")
        if at & 1 or at == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
        else:
            new_node = node_hash(new_node, sibling)
        at, last = _parent(at, last)
    if last:
        raise _refused("the consistency proof is too short")
    if old_node != old or new_node != new:
        raise _refused("the consistency proof leads to another root: history was rewritten")


def _parent(at: int, last: int) -> tuple[int, int]:
    """Return the place and the last place one level up, skipping levels where the right edge stands alone."""
    if not at & 1 and at == last:
        while not at & 1 and at:
            at, last = at >> 1, last >> 1
    return at >> 1, last >> 1


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(node: NodeAt, start: int, stop: int) -> bytes:
    """Return the root over leaves `start` to `stop`, where `start` is aligned as RFC 9162's splits leave it."""
    count = stop - start
    if count.bit_count() == 1:
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(count)
    return node_hash(_range_root(node, start, split), _range_root(node, split, stop))


def _nodes_of(leaves: Sequence[bytes]) -> NodeAt:
    return lambda level, n: root(leaves[n << level : (n + 1) << level])


def _check_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise _refused("every hash must have 32 bytes")


def _refused(why: str) -> VerificationFailed:
    return VerificationFailed(
        f"The proof does not hold: {why}.",
        remedy="Ask for a fresh proof and checkpoint; if it stays, the log that gave it is not to be trusted.",
    )
