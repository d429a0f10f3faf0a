"""Which model versions stand: what a revoked record leaves, and what revoking the revocation brings back."""

from support.cases import Record, key_event, ledger, sha, subject

from compliance.core.dossier import Withdrawal, withdrawals
from compliance.core.shelf import Shelf, standing_versions


def revocation(of: str) -> Record:
    return Record("revocation", subject("EV", sha(of)), {"reason": "the wrong file"}, "reviewer")


def names(records: dict[str, Record]) -> list[str]:
    return [piece.subjects[0]["name"] for piece in standing_versions(ledger(records).values())]


def test_a_revoked_version_does_not_stand_and_one_whose_revocation_was_revoked_does() -> None:
    records = {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "reviewer": key_event("reviewer", ["reviewer"]),
        **{str(n): Record("model-version", subject(f"net@{n}", sha(f"net {n}"), "file"), {}) for n in (1, 2)},
    }
    assert names(records) == ["net@1", "net@2"]
    records["gone"] = revocation("2")
    assert names(records) == ["net@1"]
    records["back"] = revocation("gone")
    assert names(records) == ["net@1", "net@2"]


def test_the_newest_system_description_stands_and_is_not_revoked() -> None:
    records = {
        "genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
        "reviewer": key_event("reviewer", ["reviewer"]),
        **{name: Record("system-description", subject("s", sha(name), "content"), {}) for name in ("old", "new")},
    }

    def shelf() -> Shelf:
        return Shelf(ledger(records).values(), "clinical-risk", "2099-01-01")

    (standing,) = shelf().of("system-description")
    assert standing.index == 3
    assert withdrawals(shelf()) == {
        "EV-000002": Withdrawal("superseded", "EV-000003", "The newest system description counts.")
    }
    records["gone"] = revocation("new")
    assert [piece.index for piece in shelf().of("system-description")] == [3]


def test_nothing_stands_on_an_empty_ledger() -> None:
    assert standing_versions([]) == []
