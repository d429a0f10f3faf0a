"""Going through a whole ledger, stretch by stretch, on as many cores as there are where that pays.

A stretch is checked on its own, record by record; what only the whole can tell (the tree, the order, names that
changed their digest) is put together from what the stretches report.
"""

import gc
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compliance.core import checkpoint, merkle
from compliance.errors import BadSignature, VerificationFailed
from compliance.services.checking import Checked, Problem, Trust, check_record, leaf_problem, read_leaf
from compliance.storage.database import Row
from compliance.storage.ledger import Ledger
from compliance.storage.lookup import record_row, subject_rows

STRETCH = 2000
PAYS_FROM = 4000
"""Entries from which starting other processes is worth its while."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every process needs to know."""

    url: str
    root: Path
    log_key: str
    trust: Trust


@dataclass(slots=True)
class Stretch:
    """What one stretch of entries holds."""

    start: int
    leaves: list[bytes] = field(default_factory=list)
    """Leaf hashes as computed from the entries; ends at the first hole."""
    problems: list[Problem] = field(default_factory=list)
    attachments: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    """Digest -> (index, size, name) of each mention."""
    missing: dict[int, str] = field(default_factory=dict)
    """Entries whose envelope is gone: index -> digest."""
    erasures: set[str] = field(default_factory=set)
    """Digests of envelopes whose erasure is on record."""
    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    """NAME@VERSION -> its digest and the index that says so first."""
    roots: dict[int, bytes] = field(default_factory=dict)
    """Size -> root, as stored checkpoints sign them."""
    first: str = ""
    last: str = ""
    """`logged_at` of the first and last entry."""


def stretches(plan: Plan, size: int) -> Iterator[Stretch]:
    """Yield the checked stretches of the first `size` entries, in order."""
    starts = range(0, size, STRETCH)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # A process with threads must not fork, and a fresh interpreter would run the caller's script again.
    if size < PAYS_FROM or cores < 2 or threading.active_count() > 1 or not hasattr(os, "fork"):
        for start in starts:
            yield scan(plan, start, min(start + STRETCH, size))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_take, initargs=(plan,)) as pool:
        yield from pool.map(_scan_taken, starts, [min(start + STRETCH, size) for start in starts])


_taken: list[Plan] = []
"""The plan, in a process of the pool: keys cannot be sent through a pipe, but a fork inherits them."""


def _take(plan: Plan) -> None:
    _taken[:] = [plan]
    gc.disable()  # a short life that makes no cycles


def _scan_taken(start: int, stop: int) -> Stretch:
    return scan(_taken[0], start, stop)


def scan(plan: Plan, start: int, stop: int) -> Stretch:
    """Check the entries from `start` up to `stop`, and the checkpoints over sizes in between."""
    found = Stretch(start)
    with Ledger.open(plan.url, plan.root, read_only=True) as ledger:
        records, subjects = list[Row](), list[Row]()
        unread: set[int] = set()  # damaged, and reported as such: what the indexes should say of them is not known
        expected = start
        for index, leaf, hashed, digest, envelope in ledger.stored_entries(start, stop):
            if index != expected:
                found.problems += [
                    Problem(gone, "the entry is missing") for gone in range(expected, min(index, expected + 20))
                ]
            elif len(found.leaves) == index - start:
                found.leaves.append(merkle.leaf_hash(leaf.encode()))
            expected = index + 1
            if problem := leaf_problem(leaf, bytes(hashed)):
                found.problems.append(Problem(index, problem))
            parts = read_leaf(leaf)
            if parts is None:
                found.problems.append(Problem(index, "the entry cannot be read"))
                unread.add(index)
                continue
            _note_time(found, index, parts[2])
            if envelope is None:
                found.missing[index] = parts[0]
                continue
            if digest != parts[0]:
                found.problems.append(Problem(index, "the envelope stands under another digest than the entry's"))
            checked = check_record(index, parts, bytes(envelope), plan.trust)
            found.problems += [Problem(index, problem) for problem in checked.problems]
            if checked.statement is not None:
                _gather(found, index, parts, checked)
                records.append(record_row(index, parts[1], checked.statement))
                subjects += subject_rows(index, parts[1], checked.statement)
            else:
                unread.add(index)
        if expected < stop:
            found.problems += [
                Problem(gone, "the entry is missing") for gone in range(expected, min(stop, expected + 20))
            ]
        for table, rows in (("records", records), ("subjects", subjects)):
            stored = ledger.stored_index(table, start, stop)
            if stored != rows:
                wrong = {row[0] for row in set(rows) ^ set(stored)} - unread
                problem = f"the index `{table}` does not say what is signed"
                found.problems += [Problem(index, problem) for index in sorted(wrong)]
        _check_checkpoints(found, plan.log_key, ledger.stored_checkpoints(start, stop))
    return found


def _note_time(found: Stretch, index: int, logged_at: str) -> None:
    if logged_at < found.last:
        found.problems.append(Problem(index, f"it is dated {logged_at}, before the entry that it follows"))
    found.first = found.first or logged_at
    found.last = max(found.last, logged_at)


def _gather(found: Stretch, index: int, parts: tuple[str, str, str], checked: Checked) -> None:
    """Note what only the whole ledger can judge."""
    for sha256, size, name in checked.attachments():
        found.attachments.setdefault(sha256, []).append((index, size, name))
    for name, sha256 in checked.subjects():
        if "@" in name and found.names.setdefault(name, (sha256, index))[0] != sha256:
            found.problems.append(Problem(index, f"{name} stands for another digest than before"))
    if parts[1] == "revocation" and checked.content.get("erasure") is True:
        found.erasures.update(sha256 for _, sha256 in checked.subjects())


def _check_checkpoints(found: Stretch, log_key: str, rows: list[Row]) -> None:
    for size, note in rows:
        try:
            signed = checkpoint.verify(note, log_key)
        except (BadSignature, VerificationFailed) as error:
            found.problems.append(Problem(size - 1, f"the checkpoint over {size} entries: {error.problem}"))
            continue
        if signed.size != size:
            found.problems.append(
                Problem(size - 1, f"the checkpoint over {signed.size} entries stands in place of {size}")
            )
        found.roots[size] = signed.root
