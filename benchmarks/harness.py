"""Rows, timing and printing. Ours and the peer take turns, and medians are compared."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PASSPHRASE = "benchmark"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured goal. `value` is to be at most (or, where `at_least`, at least) `goal`."""

    group: str
    what: str
    ours: float
    peer: float | None
    """Same unit as `ours`; None where the goal is absolute."""
    unit: str
    peer_name: str
    value: float
    """The ratio to the peer, or the absolute figure that the goal is about."""
    goal: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure."""

    quick: bool
    scratch: Path

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full


def ratio(group: str, what: str, ours: float, peer: float, unit: str, peer_name: str, goal: float) -> Row:
    """Return a row whose goal is a ratio of times: at most `goal` of the peer's."""
    return Row(group, what, ours, peer, unit, peer_name, ours / peer, goal)


def rate(group: str, what: str, ours: float, goal: float, unit: str = "per s") -> Row:
    """Return a row whose goal is an absolute rate."""
    return Row(group, what, ours, None, unit, "", ours, goal, at_least=True)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def in_turns(times: int, *works: Callable[[], object], warm_up: int = 3) -> list[float]:
    """Return the median seconds of each work, called in turns so that all see the same machine."""
    for _ in range(warm_up):
        for work in works:
            work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for work, seconds in zip(works, taken, strict=True):
            seconds.append(timed(work))
    return [statistics.median(seconds) for seconds in taken]


@contextmanager
def environment(**variables: str | None) -> Any:
    """Set (or with None, unset) environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"\n{'what':58} {'ours':>12} {'peer':>12}  {'value':>10} {'goal':>12}", file=sys.stdout)
    for row in rows:
        peer = "" if row.peer is None else _figure(row.peer)
        sign = "≥" if row.at_least else "≤"
        mark = "" if row.reached else "  not reached"
        print(
            f"{row.what[:58]:58} {_figure(row.ours):>12} {peer:>12}  {_figure(row.value):>10} "
            f"{sign + ' ' + _figure(row.goal):>12} {row.unit}{' / ' + row.peer_name if row.peer_name else ''}{mark}"
        )


def keep(rows: list[Row], *, quick: bool) -> Path:
    """Write the results as JSON and return the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    said = {
        "at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "quick": quick,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "load": os.getloadavg(),
        "rows": [asdict(row) | {"reached": row.reached} for row in rows],
    }
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return path


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
