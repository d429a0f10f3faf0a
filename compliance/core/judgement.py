"""What a piece of evidence says against its need: values, order, identities, figures that are otherwise than asked.

Where a need judges, evidence to the contrary fails it, and evidence that leaves the field out cannot carry it.
"""

from collections.abc import Iterator, Mapping, Sequence

from compliance.core import figures, paths, relations
from compliance.core.case import Case
from compliance.core.catalog import Need, Scalar
from compliance.core.evidence import Evidence
from compliance.core.findings import Said


def judged(case: Case, need: Need, piece: Evidence) -> Iterator[Said]:
    """Yield everything that a piece does not say as the need's judging words ask."""
    for path, allowed in need.must.items():
        yield from _must(piece, path, allowed, need.picks(path))
    for relation in need.relations:
        yield from relations.judged(relation, piece, case.counterpart)
    for path in need.unique:
        yield from _unique(case, piece, path)
    if need.figures:
        yield from figures.judged(case, piece)


def judges(need: Need) -> bool:
    """Say whether a need has a word whose contrary fails it, criteria apart."""
    return bool(need.must or need.relations or need.unique or need.figures)


def _must(
    piece: Evidence, path: str, allowed: Sequence[Scalar], picks: Mapping[str, Sequence[Scalar]]
) -> Iterator[Said]:
    wanted = paths.wordy(allowed)
    values = paths.at_picked(piece.content, path, picks)
    if any(value in paths.EMPTY for value in values):
        yield Said(f"{piece.number} leaves out {paths.label(path)}, which must be {wanted}.", field=path)
    others = [value for value in values if value not in paths.EMPTY and not paths.one_of(value, allowed)]
    if others:
        found = paths.wordy(list(dict.fromkeys(others)))
        why = f"{piece.number} says {found} for {paths.label(path)}, which must be {wanted}."
        yield Said(why, against=True, field=path)


def _unique(case: Case, piece: Evidence, path: str) -> Iterator[Said]:
    values = paths.said(piece.content, path)
    if not values:
        why = f"{piece.number} leaves out {paths.label(path)}, which no other {piece.kind} may share."
        yield Said(why, field=path)
    for value in values:
        if others := case.others_with(piece, path, value):
            about = ", ".join(str(subject.get("name")) for subject in others[-1].subjects)
            so = f"and so does {others[-1].number} about {about}"
            yield Said(f"{piece.number} says {value} for {paths.label(path)}, {so}.", against=True, field=path)
