"""The proof file is the one that transparency-dev's parser accepted, byte for byte."""

import json
from pathlib import Path

import pytest

from compliance.exporters import tlog_proof

VECTORS = Path(__file__).resolve().parents[2].parent / "shared/reference/evidence-vectors.json"


def test_the_vectors_proof() -> None:
    if not VECTORS.exists():
        pytest.skip(f"no {VECTORS}")
    vectors = json.loads(VECTORS.read_text())
    path = [bytes.fromhex(node) for node in vectors["merkle"]["inclusion_5_of_7"]]
    assert tlog_proof.to_text(5, path, vectors["checkpoint"]["note"]) == vectors["tlog_proof"]
