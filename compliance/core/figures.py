"""Figures that a document declares, held against the result or dataset on record that they come from.

A document prints fewer digits than a result: a figure agrees with what rounds to it, to the last digit that it is
written with. A figure that does not name its dataset is one of test data: how a model did on what it was trained on is
no claim about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from compliance.core import criteria
from compliance.core.case import Case
from compliance.core.claims import Stated
from compliance.core.evidence import Evidence
from compliance.core.findings import Rule, Said
from compliance.core.shelf import TEST_ROLES

COUNTS = {"rows": "n", "patients": "n", "positives": "positives"}
"""Figures of a dataset, and the field of a part of its composition that holds them for a group."""
_AFFIRMATIVE = frozenset({"1", "true", "yes", "positive"})
"""How the class of cases with the condition is called among a dataset's labels."""


def judged(case: Case, piece: Evidence) -> Iterator[Said]:
    """Yield each figure of a document that nothing on record states, or that states otherwise than the record."""
    declared = piece.content.get("figures") or []
    if not declared:
        yield Said(f"{piece.number} declares no figures.")
    for figure in declared:
        label = f"{figure['name']} ({criteria.group_text(figure.get('group'))})"
        stated = list(_stated(case, figure))
        if not stated:
            why = f"{piece.number} declares {label} {figure['value']}, which no result or dataset here states."
            yield Said(why, rule=Rule.NOT_COMPARABLE)
        elif not any(_agrees(figure, one) for one in stated):
            yield Said(
                f"{piece.number} declares {label} {_shown(figure)}; on record is {_listed(stated)}.", against=True
            )


def _stated(case: Case, figure: Mapping[str, Any]) -> Iterator[Stated]:
    wanted = (figure.get("dataset") or {}).get("sha256")
    if figure["name"] in COUNTS:
        for digest in case.datasets if wanted is None else [wanted]:
            for piece in case.shelf.about("dataset", digest):
                yield from _counted(piece, figure)
    for stated in case.claims.of(figure["name"], criteria.group_text(figure.get("group"))):
        data = stated.piece.content.get("dataset") or {}
        meant = data.get("sha256") == wanted if wanted else data.get("role", "test") in TEST_ROLES
        if meant and stated.piece.completeness == "complete":
            yield stated


def _counted(piece: Evidence, figure: Mapping[str, Any]) -> Iterator[Stated]:
    name, group, content = figure["name"], figure.get("group"), piece.content
    if group:
        counts = [part.get(COUNTS[name]) for part in content.get("composition") or [] if part.get("group") == group]
    elif name == "positives":
        classes = (content.get("labels") or {}).get("classes") or []
        counts = [one["n"] for one in classes if str(one["value"]).lower() in _AFFIRMATIVE]
    else:
        counts = [content.get(name)]
    yield from (Stated(piece, str(count)) for count in counts if count is not None)


def _agrees(figure: Mapping[str, Any], stated: Stated) -> bool:
    pairs = ((figure["value"], stated.value), (figure.get("ci_low"), stated.low), (figure.get("ci_high"), stated.high))
    return all(mine is None or (theirs is not None and rounds_to(theirs, mine)) for mine, theirs in pairs)


def rounds_to(exact: str, printed: str) -> bool:
    """Say whether `exact` is `printed` when rounded, by any rule, to the digits that were printed.

    What lies between 0 and 1 is rounded to neither: 1 would be said of 0.51.
    """
    written = Decimal(printed)
    if 0 < Decimal(exact) < 1 and written in (0, 1):
        return False
    exponent = written.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return abs(Decimal(exact) - written) <= unit / 2


def _shown(figure: Mapping[str, Any]) -> str:
    low, high = figure.get("ci_low"), figure.get("ci_high")
    return f"{figure['value']} ({low} to {high})" if low is not None and high is not None else str(figure["value"])


def _listed(stated: Iterable[Stated]) -> str:
    shown = list(dict.fromkeys(str(one) for one in stated))
    return "; ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
