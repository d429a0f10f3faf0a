"""Claims held against the predictions that are attached to them, before the record is signed.

A claim that differs beyond its own rounding is refused, unless the record says why it stays; then the difference is
part of the record, for every reader to find. A claim that holds is marked `recomputed`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from compliance.core import recomputed
from compliance.core.criteria import group_text
from compliance.core.reading import Located
from compliance.core.recomputed import Compared
from compliance.errors import InvalidInput
from compliance.services.evaluations import cut_off

if TYPE_CHECKING:
    from compliance.kinds.evaluation import Predictions
    from compliance.services.cases import Cases

Row = Mapping[str, Any]
Pair = tuple[Row, Row | None, Compared]
"""A claim, the same figure computed again where it can be, and how they compare."""
_CUT = frozenset(
    {"sensitivity", "recall", "specificity", "ppv", "precision", "npv", "accuracy", "f1", "balanced_accuracy", "mcc"}
    | {"cohen_kappa"}
)
"""Figures of two classes that rest on a threshold."""


def checked(record: Mapping[str, Any], inside: Callable[[Path], Path], *, where: str | Located) -> Mapping[str, Any]:
    """Return an authored record whose claims its predictions bear out, or that says where they do not.

    `inside` gives the real path of a file that the record names. Raises InvalidInput for predictions that are not
    attached, and for claims that differ and are not said to stay.
    """
    from compliance.kinds.evaluation import Predictions
    from compliance.kinds.metrics import MetricRow
    from compliance.services import recompute

    place = where.at(("predictions",)) if isinstance(where, Located) else where
    try:
        told = Predictions.model_validate(record["predictions"])
        rows = [MetricRow.model_validate(row).model_dump(exclude_none=True) for row in record["metrics"]]
    except (ValidationError, KeyError, TypeError):
        return record  # what is wrong with its fields is told when the record is validated, with file and line
    path = _attached(record, told.attachment)
    if path is None:
        raise InvalidInput(
            f"{place}: {told.attachment} is not among the attachments, so nothing can be computed again from it.",
            remedy=f"Add `attachments: [{{path: {told.attachment}, classification: restricted}}]`.",
        )
    cases = recompute.read(inside(path), told)
    pairs = compare(cases, told, rows, threshold=record.get("threshold"), seed=int(record.get("seed") or 0))
    differ = [_difference(claim, compared) for claim, _, compared in pairs if not compared.holds]
    if differ and not told.claims_kept:
        first = differ[0]
        more = f", and {len(differ) - 1} more" if len(differ) > 1 else ""
        raise InvalidInput(
            f"{place}: {told.attachment} does not bear out {_label(first)}: {first['what']}{more}.",
            remedy="Mend the claims or the columns; a claim that must stay needs `claims_kept: why` in predictions.",
        )
    open_ = [f"{_label(claim)}: {text}" for claim, _, compared in pairs for text in compared.open]
    held = [found is not None and compared.holds for _, found, compared in pairs]
    found = {"agree": sum(held)} | ({"differ": differ} if differ else {}) | ({"not_computed": open_} if open_ else {})
    metrics = [{**row, "origin": "recomputed"} if ok else row for row, ok in zip(record["metrics"], held, strict=True)]
    return {**record, "metrics": metrics, "recomputation": found}


def compare(
    cases: "Cases", told: "Predictions", rows: Sequence[Row], *, threshold: str | None, seed: int
) -> list[Pair]:
    """Return every claim with the figure that the cases give for it, in the order of the claims."""
    by_setting: dict[tuple[str, Any, str], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        cut = row.get("threshold") or threshold
        by_setting[group_text(row.get("group")), cut, row.get("ci_level") or "0.95"].append(at)
    pairs: dict[int, Pair] = {}
    for (_, cut, level), places in by_setting.items():
        group = dict(rows[places[0]].get("group") or {})
        wanted = {recomputed.key(rows[at]) for at in places}
        again = _again(cases, told, wanted, group, cut, level, seed)
        for at in places:
            found = None if isinstance(again, str) else again.get(recomputed.key(rows[at]))
            if isinstance(again, str):
                pairs[at] = (rows[at], None, Compared(open=(again,)))
            elif not again:
                pairs[at] = (rows[at], None, Compared(problems=("no case of the predictions belongs to this group",)))
            elif found is None:
                pairs[at] = (rows[at], None, Compared(open=("the predictions do not give this figure",)))
            elif cut is None and told.task in (None, "binary") and rows[at]["name"] in _CUT:
                pairs[at] = (rows[at], None, Compared(open=("no threshold is named",)))
            else:
                pairs[at] = (rows[at], found, recomputed.compare(rows[at], found))
    return [pairs[at] for at in range(len(rows))]


def _again(
    cases: "Cases", told: "Predictions", wanted: set[Any], group: dict[str, str], cut: str | None, level: str, seed: int
) -> dict[Any, Row] | str:
    """Return the rows of a group by metric and group, those that are wanted among them, or why there are none."""
    from compliance.core.multiclass import CLASS
    from compliance.services import recompute

    own = {name: value for name, value in group.items() if told.task != "multiclass" or name != CLASS}
    members = cases.members(own, told.groups or ())
    if members is None:
        return "the predictions name no column for this group"
    if not len(members):
        return {}
    binary = told.task in (None, "binary")
    settings: dict[str, Any] = {
        "threshold": cut_off(cut) if binary and cut else 0.5,
        "seed": seed,
        "level": level,
        "group": own,
        "members": members,
    }
    again = [*recompute.rows(cases, told, **settings)]
    if not wanted <= {recomputed.key(row) for row in again}:
        again += recompute.further(cases, told, **settings)
    return {recomputed.key(row): row for row in again}


def _attached(record: Mapping[str, Any], name: str) -> Path | None:
    for one in record.get("attachments") or ():
        path = one.get("path") if isinstance(one, Mapping) else None
        if path and name == (one.get("name") or Path(str(path)).name):
            return Path(str(path))
    return None


def _difference(claim: Row, compared: Compared) -> dict[str, Any]:
    kept = {name: claim[name] for name in ("name", "group", "threshold") if name in claim}
    return kept | {"what": "; ".join(compared.problems)}


def _label(claim: Row) -> str:
    return f"{claim['name']} ({group_text(claim.get('group'))})"
