"""Verifying a whole workspace, beside bare P-256 verification by `cryptography` on one core."""

import os
import statistics
import time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.harness import Options, Row, rate, timed
from benchmarks.ledger import statement
from benchmarks.records import evaluation, workspace
from compliance.core import merkle
from compliance.services.verify import verify_workspace

GROUP = "verification"


def measure(options: Options) -> list[Row]:
    records = options.size(20_000, 2_000)
    with workspace(options.scratch / "ws") as ws:
        for start in range(0, records, 1_000):
            ws.log_records([evaluation(start + n) for n in range(1_000)])
        root, size = ws.root, ws.ledger.size
    taken = min(timed(lambda: verify_workspace(root)) for _ in range(2))
    report = verify_workspace(root)
    if not report.ok or report.checked != size:
        raise RuntimeError(f"verification says {report}")
    bare = _bare_per_second(options.size(20_000, 2_000))
    cores = os.cpu_count() or 1
    ours = size / taken

    leaves = options.size(1_000_000, 100_000)
    leaf_text = b'{"envelope":"%064d","kind":"evaluation","logged_at":"2026-11-23T10:05:01Z","v":1}'
    entries = [leaf_text % number for number in range(leaves)]
    begin = time.perf_counter()
    frontier = merkle.Frontier()
    hashes = []
    for entry in entries:
        leaf = merkle.leaf_hash(entry)
        hashes.append(leaf)
        frontier.push(leaf)
    tree = leaves / (time.perf_counter() - begin)
    stored = {(0, n): leaf for n, leaf in enumerate(hashes)}
    level, row = 0, hashes
    while len(row) > 1:
        row = [merkle.node_hash(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)]
        level += 1
        stored |= {(level, n): node for n, node in enumerate(row)}
    top = frontier.root()

    def prove(index: int) -> None:
        proof = merkle.inclusion_from(lambda level, n: stored[level, n], index, leaves)
        merkle.verify_inclusion(hashes[index], index, leaves, proof, top)

    each = []
    for number in range(500):
        begin = time.perf_counter()
        prove(number * 7919 % leaves)
        each.append((time.perf_counter() - begin) * 1_000)
    proof = statistics.median(each)
    return [
        Row(GROUP, f"every signature of {size:,} records, all checks", ours, bare * cores, "per s",
            f"bare P-256 x {cores} cores", ours / (bare * cores), 0.85, at_least=True),
        rate(GROUP, f"tree alone, {leaves:,} leaves", tree, 300_000),
        Row(GROUP, f"inclusion proof made and checked, {leaves:,} leaves", proof, None, "ms", "", proof, 1.0),
    ]  # fmt: skip


def _bare_per_second(times: int) -> float:
    """Return how many signatures over a statement one core checks in a second, and does nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, algorithm, data = key.public_key(), ec.ECDSA(SHA256()), statement(1)
    signature = key.sign(data, algorithm)
    begin = time.perf_counter()
    for _ in range(times):
        public.verify(signature, data, algorithm)
    return times / (time.perf_counter() - begin)
