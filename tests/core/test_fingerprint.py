"""Fingerprints: one value one print, different rows different prints, no comparing across secrets."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import fingerprint
from compliance.core.fingerprint import Fingerprints, Level, Prints
from compliance.core.rows import encode, plain

SECRET, OTHER = b"s" * 32, b"o" * 32
VALUES = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5))


def of(secret: bytes, rows: list[tuple[str | None, ...]], level: Level = "record") -> Fingerprints:
    columns = [f"c{i}" for i in range(len(rows[0]))] if rows else ["c0"]
    encoded = [b"".join(row) for row in zip(*map(encode, map(list, zip(*rows, strict=True))), strict=True)]
    found = b"".join(fingerprint.take(secret, level, columns, encoded))
    return Fingerprints(fingerprint.secret_id(secret), {level: fingerprint.packed(columns, found)})


def test_a_print_is_what_the_documentation_says_it_is() -> None:
    """Recomputed with the standard library from the words of the module's docstring."""
    message = b'record\n["age","sex"]\n' + b"2:61," + b"-"
    row = b"".join([*encode(["61.0"]), *encode([None])])
    (found,) = fingerprint.take(SECRET, "record", ["age", "sex"], [row])
    assert found == hmac.new(SECRET, message, sha256).digest()[:16]


@given(st.lists(st.tuples(VALUES, VALUES), max_size=8), st.lists(st.tuples(VALUES, VALUES), max_size=8))
def test_overlap_is_that_of_the_rows_themselves(
    one: list[tuple[str | None, str | None]], other: list[tuple[str | None, str | None]]
) -> None:
    def spelled(rows: list[tuple[str | None, str | None]]) -> set[tuple[str | None, ...]]:
        return {tuple(None if v is None else plain(v) for v in row) for row in rows}

    if not one or not other:
        return
    shared = fingerprint.shared(of(SECRET, list(one)), of(SECRET, list(other)), "record")
    assert shared.count == len(spelled(one) & spelled(other))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8))
def test_a_written_file_reads_back_and_holds_no_value(rows: list[tuple[str | None, str | None]]) -> None:
    found = of(SECRET, list(rows))
    data = fingerprint.write(found)
    assert fingerprint.read(data) == found
    body = data.decode().splitlines()[3:]
    assert body == sorted(body)
    assert all(len(line) == 32 and set(line) <= set("0123456789abcdef") for line in body)


def test_other_secrets_columns_and_levels_are_not_comparable_which_is_not_nothing_shared() -> None:
    rows: list[tuple[str | None, ...]] = [("a",), ("b",)]
    mine = of(SECRET, rows)
    assert fingerprint.shared(mine, of(SECRET, rows), "record").count == 2
    for theirs, told in (
        (of(OTHER, rows), "different secrets"),
        (of(SECRET, rows, "patient"), "one of them"),
        (Fingerprints(mine.secret_id, {"record": Prints(("other",), b"")}), "columns differ"),
    ):
        shared = fingerprint.shared(mine, theirs, "record")
        assert shared.count is None
        assert told in str(shared.reason)
    assert of(OTHER, rows).levels["record"].packed != mine.levels["record"].packed


@pytest.mark.parametrize(
    "change",
    [lambda d: d.replace(b"fingerprints 3", b"fingerprints 2"), lambda d: d[:-1], lambda d: d[:-34] + b"\n",
     lambda d: d.replace(b"record 2", b"record 3"), lambda d: d + b"x\n", lambda d: b""],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError):  # noqa: PT011 - any of its refusals
        fingerprint.read(change(fingerprint.write(of(SECRET, [("a",), ("b",)]))))
