"""Names of people, as far as they tell two people apart: a look-alike letter must not make one signer into two.

What counts as looking alike is Unicode's list of confusable characters, by `confusable_homoglyphs`; which scripts may
stand in one name is the level "highly restrictive" of Unicode Technical Standard 39. Pure.
"""

from unicodedata import normalize

_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that people write in one name, and that have no look-alikes of each other."""
_ANY_SCRIPT = frozenset({"COMMON", "INHERITED"})


def person(name: str) -> str:
    """Return a name without what tells no two people apart: case, spacing, and how letters are encoded."""
    return " ".join(normalize("NFKC", name).casefold().split())


def fault(name: str) -> str | None:
    """Return why nobody could be told apart by this name, or None where one could."""
    if not name.isprintable():
        return "holds a character that is not seen"
    from confusable_homoglyphs.categories import unique_aliases

    scripts = unique_aliases(normalize("NFKC", name)) - _ANY_SCRIPT
    if len(scripts) < 2 or any(scripts <= together for together in _TOGETHER):
        return None
    return f"mixes letters of several scripts ({', '.join(sorted(scripts)).lower()})"


def looks_like(name: str, other: str) -> bool:
    """Say whether two names that are not one person's look the same, letter by letter."""
    mine, theirs = (" ".join(normalize("NFKC", one).split()) for one in (name, other))
    if person(name) == person(other) or len(mine) != len(theirs):
        return False
    return all(_alike(a, b) or _alike(a.casefold(), b.casefold()) for a, b in zip(mine, theirs, strict=True))


def _alike(one: str, two: str) -> bool:
    return one == two or bool(_shapes(one) & _shapes(two))


def _shapes(letter: str) -> set[str]:
    """Return a letter and the single letters that it is confusable with."""
    from confusable_homoglyphs.confusables import confusables_data

    return {letter} | {other["c"] for other in confusables_data.get(letter, ()) if len(other["c"]) == 1}
