"""The metric rows on record about one model version, found by what they claim: read once, by whoever compares."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from compliance.core.criteria import group_text, rows
from compliance.core.evidence import Evidence

Claim = tuple[str, str, str, str, str]
"""Kind, what it was measured on, metric, group, threshold."""
_COUNTED = ("name", "x", "n", "value", "ci_low", "ci_high", "ci_level", "ci_method")


@dataclass(frozen=True, slots=True)
class Stated:
    """One value on record, and where it stands."""

    piece: Evidence
    value: str
    low: str | None = None
    high: str | None = None

    def __str__(self) -> str:
        bounds = f" ({self.low} to {self.high})" if self.low is not None and self.high is not None else ""
        return f"{self.value}{bounds} in {self.piece.number}"


class Claims:
    """Every value that results about a model version state."""

    def __init__(self, results: Iterable[Evidence]) -> None:
        self._by_claim: dict[Claim, dict[str, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
        self._disputed: set[Claim] = set()
        self.most: dict[str, tuple[int, Evidence]] = {}
        """Digest of a dataset -> most cases that a result counts on it, and which result."""
        self._by_figure: dict[tuple[str, str], list[tuple[Evidence, Mapping[str, Any]]]] = defaultdict(list)
        self._bounded: dict[tuple[Any, ...], list[tuple[Evidence, Mapping[str, Any]]]] = defaultdict(list)
        for piece in results:
            self.add(piece)

    def add(self, piece: Evidence) -> None:
        content = piece.content
        on, data = _measured_on(content), (content.get("dataset") or {}).get("sha256")
        common = content.get("threshold")
        for row in rows(content):
            if data and (row.get("n") or 0) > self.most.get(data, (0,))[0]:
                self.most[data] = row["n"], piece
            value = row.get("value")
            if value is None:
                continue
            group = group_text(row.get("group"))
            threshold = row.get("threshold") or common
            claim = (piece.kind, on, row["name"], group, _plain(threshold) if threshold else "")
            values = self._by_claim[claim]
            values[value].append(piece)
            if len(values) > 1:
                self._disputed.add(claim)
            self._by_figure[row["name"], group].append((piece, row))
            if row.get("ci_low") is not None and row.get("ci_origin", row.get("origin")) != "computed":
                self._bounded[tuple(map(row.get, _COUNTED))].append((piece, row))

    def disputed(self) -> Iterator[tuple[Claim, Mapping[str, Sequence[Evidence]]]]:
        """Yield each claim that several values are on record for, as written, and where each stands."""
        for claim in sorted(self._disputed):
            yield claim, self._by_claim[claim]

    def of(self, name: str, group: str) -> Sequence[Stated]:
        """Return every value on record for a metric of a group."""
        held = self._by_figure.get((name, group), [])
        return [Stated(piece, row["value"], row.get("ci_low"), row.get("ci_high")) for piece, row in held]

    def bounded(self) -> Iterator[Sequence[tuple[Evidence, Mapping[str, Any]]]]:
        """Yield the rows with an interval that a source stated, alike ones together."""
        yield from self._bounded.values()


@cache
def _plain(threshold: str) -> str:
    """Return a threshold as 0.5, however many zeros its source wrote."""
    return f"{Decimal(threshold).normalize():f}"


def _measured_on(content: Mapping[str, Any]) -> str:
    """Return what a result is about: figures of two benchmarks, tasks or populations are two claims."""
    dataset, benchmark = content.get("dataset") or {}, content.get("benchmark") or {}
    parts = [
        dataset.get("name"),
        benchmark.get("name"),
        benchmark.get("version"),
        content.get("category"),
        content.get("task"),
        content.get("population"),
        content.get("language"),
    ]
    return ", ".join([part for part in parts if part])
