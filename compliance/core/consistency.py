"""Records that do not agree: findings of their own, told beside the requirements. Nothing is averaged.

The same claim with different numbers; an interval that its own counts cannot produce; more cases than the dataset has
rows; a figure that a document declares and no result bears out; a result that missed its criterion and was revoked or
superseded; what was erased, which nobody can read again; a profile that changed since the version was logged.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from itertools import chain, islice
from typing import Any

from compliance.core import bounds, criteria, figures
from compliance.core.case import Case
from compliance.core.claims import Claim
from compliance.core.evidence import Evidence
from compliance.core.findings import Note
from compliance.core.needs import LISTED

_EXACT = Context(prec=1000)
"""Rounding to places never runs out of digits."""


def notes(case: Case) -> list[Note]:
    """Return everything on record about the model version that does not agree with itself."""
    return [
        *_contradictions(case),
        *_intervals(case),
        *_overcounted(case),
        *_declared(case),
        *_withdrawn(case),
        *_erased(case),
        *_rescoped(case),
    ]


def _contradictions(case: Case) -> Iterator[Note]:
    for claim, written in case.claims.disputed():
        values = _apart(written)
        if len(values) > 1:
            yield _contradiction(claim, values)


def _apart(
    written: Mapping[str, Sequence[Evidence]],
) -> dict[Decimal, list[tuple[str, Sequence[Evidence]]]]:
    """Return what was written by value. One that is another, rounded by any rule to fewer digits, is the same value."""
    values: dict[Decimal, list[tuple[str, Sequence[Evidence]]]] = {}
    lengths = {_digits(value) for value in written}
    rounded: dict[tuple[int, Decimal], Decimal] = {}
    for value in sorted(written, key=_digits, reverse=True):
        exact = rounded.get((_digits(value), Decimal(value)), Decimal(value))
        if exact not in values:
            for places in (length for length in lengths if length < _digits(value)):
                for rule in (ROUND_HALF_UP, ROUND_HALF_DOWN):
                    shorter = exact.quantize(Decimal(1).scaleb(-places), rule, _EXACT)
                    if figures.rounds_to(str(exact), str(shorter)):
                        rounded.setdefault((places, shorter), exact)
        values.setdefault(exact, []).append((value, written[value]))
    return values


def _digits(value: str) -> int:
    return len(value.partition(".")[2])


def _contradiction(claim: Claim, values: Mapping[Decimal, Sequence[tuple[str, Sequence[Evidence]]]]) -> Note:
    _, on, metric, group, _ = claim
    shown, numbers = [], []
    for _, same in sorted(values.items()):
        left = sum(len(stating) for _, stating in same) - LISTED
        named = [piece.number for piece in islice(chain.from_iterable(stating for _, stating in same), LISTED)]
        more = f" and {left:,} more" if left > 0 else ""
        shown.append(f"{same[0][0]} in {', '.join(named)}{more}")
        numbers += named
    where = f" on {on}" if on else ""
    text = f"{metric} ({group}){where} has several values on record: {'; '.join(shown)}."
    return Note("contradiction", text, tuple(numbers))


def _intervals(case: Case) -> Iterator[Note]:
    for alike in case.claims.bounded():
        piece, row = alike[0]
        if why := bounds.impossible(row):
            label = f"{row['name']} ({criteria.group_text(row.get('group'))})"
            numbers = tuple(dict.fromkeys(one.number for one, _ in alike[:LISTED]))
            yield Note("impossible interval", f"{label} in {piece.number}: {why}", numbers)


def _overcounted(case: Case) -> Iterator[Note]:
    """Tell, of each dataset, of the result with the most cases, where the dataset has fewer rows."""
    for digest, (most, piece) in case.claims.most.items():
        held = case.shelf.about("dataset", digest)
        rows = held[-1].content.get("rows") if held else None
        if rows is not None and most > rows:
            told = f"{piece.number} counts {most:,} cases; {held[-1].number}, its dataset, has {rows:,} rows."
            yield Note("more cases than data", told, (piece.number, held[-1].number))


def _declared(case: Case) -> Iterator[Note]:
    for piece in case.declaring:
        for said in figures.judged(case, piece):
            yield Note("declared figure", said.text, (piece.number,))


def _withdrawn(case: Case) -> Iterator[Note]:
    """Tell of results that missed a criterion and were put aside: they no longer fail anything, and are not hidden."""
    for piece, by in case.withdrawn_failures:
        revoked = by.kind == "revocation"
        how, said = ("revoked", by.content) if revoked else ("superseded", by.predicate["supersedes"])
        why = str(said.get("reason") or "no reason given").rstrip(".")
        told = f"{piece.number} missed its criterion and was {how} by {by.number}: {why}."
        yield Note(f"{how} failure", told, (piece.number, by.number))


def _erased(case: Case) -> Iterator[Note]:
    for by in case.erasures:
        gone, law = by.content["evidence"]["name"], str(by.content.get("legal_basis")).rstrip(".")
        told = f"{gone} was erased by {by.number} ({law}): what it said cannot be weighed any more."
        yield Note("erased", told, (by.number,))


def _rescoped(case: Case) -> Iterator[Note]:
    """Tell that other requirements may apply than when the version was logged."""
    if case.rescoped is None:
        return
    now, before = case.rescoped
    scopes = [_scope(piece.content) for piece in (now, before)]
    if changed := sorted(key for key in scopes[0] | scopes[1] if scopes[0].get(key) != scopes[1].get(key)):
        since = f"since this version was logged: {', '.join(changed)}; before, {before.number}."
        told = f"{now.number} changed what applies {since}"
        yield Note("scope", told, (now.number, before.number))


def _scope(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides which requirements apply: the profile, and the catalogs with the text of a company's own."""
    own = [one.get("sha256") for one in content.get("own_catalogs") or []]
    catalogs = {"catalogs": [*((content.get("system") or {}).get("catalogs") or []), *own]}
    return {
        key: value for key, value in {**(content.get("profile") or {}), **catalogs}.items() if key != "intended_purpose"
    }
