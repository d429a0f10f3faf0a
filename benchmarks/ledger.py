"""The ledger alone: signing, appending, full synchronisation. No MLflow."""

import sqlite3
import time
from collections.abc import Callable

from benchmarks.harness import Options, Row, rate
from compliance.core import checkpoint
from compliance.core.canonical import canonical
from compliance.core.envelope import seal
from compliance.core.evidence import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from compliance.storage.keys import Signer, create_key
from compliance.storage.ledger import Ledger

GROUP = "ledger"
NOW = "2026-11-23T10:05:01Z"


def statement(number: int) -> bytes:
    """Return a statement of 1.5 kB, as an evaluation has."""
    subject = {"name": "net@1", "digest": {"sha256": "5f" * 32}, "annotations": {"basis": "file"}}
    rows = [{"name": f"metric{n}", "value": "0.799065", "n": 214, "x": 171, "origin": "computed"} for n in range(12)]
    predicate = {"title": f"Evaluation {number}", "completeness": "complete", "content": {"metrics": rows}}
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "predicateType": predicate_type("evaluation"),
            "subject": [subject],
            "predicate": predicate,
        }
    )


def checkpoints(log: Signer) -> Callable[[int, bytes], str]:
    def sign(size: int, root: bytes) -> str:
        return checkpoint.sign(checkpoint.Checkpoint("example.org/benchmark", size, root), log.sign, log.public_key.raw)

    return sign


def _bare_commits(options: Options) -> float:
    """Return how many rows SQLite alone commits in a second, with full synchronisation: what the disk allows."""
    connection = sqlite3.connect(options.scratch / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (a INTEGER, b BLOB)")
    times = options.size(2_000, 300)
    begin = time.perf_counter()
    for number in range(times):
        connection.execute("INSERT INTO t VALUES (?, ?)", (number, b"x" * 1_500))
    taken = time.perf_counter() - begin
    connection.close()
    return times / taken


def measure(options: Options) -> list[Row]:
    bare = _bare_commits(options)
    payloads = [statement(number) for number in range(options.size(250_000, 13_000))]
    signer = create_key(options.scratch / "keys", "pipeline", b"x")
    sign = checkpoints(create_key(options.scratch / "keys", "log", b"x", algorithm="ed25519"))
    count = 0

    def sealed() -> tuple[str, bytes]:
        nonlocal count
        count += 1
        return "evaluation", seal(payloads[count], signer.sign, signer.hint, PAYLOAD_TYPE)

    with Ledger.create("sqlite:///ledger.db", options.scratch) as ledger:

        def singles(number: int) -> float:
            begin = time.perf_counter()
            for _ in range(number):
                ledger.append([sealed()], sign_checkpoint=sign, now=NOW)
            return number / (time.perf_counter() - begin)

        def batches(number: int) -> float:
            begin = time.perf_counter()
            for _ in range(number):
                ledger.append([sealed() for _ in range(1_000)], sign_checkpoint=sign, now=NOW)
            return number * 1_000 / (time.perf_counter() - begin)

        singles(200)
        first = singles(options.size(4_000, 400))
        batched = batches(options.size(20, 2))
        grown = options.size(200, 5)
        late_batches = batches(grown)
        late = singles(options.size(4_000, 400))
        size = ledger.size
    return [
        rate(GROUP, "one signed record, full sync", first, 2_000),
        Row(GROUP, "the same, to one row of 1.5 kB in bare SQLite", first, bare, "per s", "sqlite3", first / bare, 0.5,
            at_least=True),
        rate(GROUP, "batches of 1,000, signed", batched, 10_000),
        Row(GROUP, f"one record at {size:,} entries, to an empty ledger", late, first, "per s", "empty", late / first,
            0.9, at_least=True),
        Row(GROUP, f"batches up to {size:,} entries, to the first", late_batches, batched, "per s", "first",
            late_batches / batched, 0.9, at_least=True),
    ]  # fmt: skip
