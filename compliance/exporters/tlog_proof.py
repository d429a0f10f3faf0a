"""Proof that one entry stands in the ledger, as text that transparency-log tools read.

Format: C2SP tlog-proof (draft, v1): index, inclusion proof, and the checkpoint that it leads to.
"""

import base64
from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"


def to_text(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """Return the proof that leaf `index` is in the tree of `checkpoint`, a signed note."""
    hashes = "".join(base64.b64encode(node).decode() + "\n" for node in path)
    return f"{HEADER}\nindex {index}\n{hashes}\n{checkpoint}"
