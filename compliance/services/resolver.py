"""What the names and numbers in a record stand for: by the ledger, and by the drafts that came before it."""

from compliance.core.evidence import Basis, Subject, evidence_number
from compliance.core.wire import meant_index
from compliance.errors import Conflict, UnknownReference
from compliance.kinds.authoring import Draft
from compliance.storage.ledger import Ledger


class LedgerResolver:
    """Resolves names against the ledger and against the drafts of the same batch that stand before."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._subjects: dict[str, Subject] = {}
        """By name and, the newest, by name without version."""
        self._roles: dict[str, str] = {}

    def thing(self, name: str) -> Subject:
        """Return the subject behind NAME@VERSION, or behind the newest version of NAME."""
        if name in self._subjects:
            return self._subjects[name]
        found = self._ledger.subject(name)
        if found is None:
            raise UnknownReference(
                f"Nothing on record is called {name}.",
                remedy="Log it first, or mend the name; `compliance list` shows what is on record.",
            )
        return Subject.of(found.name, found.sha256, Basis(found.basis))

    def role(self, sha256: str) -> str:
        """Return the role (train, tune, test…) that the newest record of this dataset gives it."""
        if sha256 in self._roles:
            return self._roles[sha256]
        for index in reversed(self._ledger.indexes_about(sha256, kind="dataset")):
            return str(self._ledger.piece(index).content["role"])
        raise UnknownReference(f"No dataset on record has the digest {sha256[:12]}….", remedy="Log the dataset first.")

    def record(self, number_or_digest: str) -> tuple[str, str]:
        """Return number and envelope digest of a record."""
        index = meant_index(number_or_digest)
        index = self._ledger.index_of(number_or_digest) if index is None else index
        if index is None or index >= self._ledger.size:
            raise UnknownReference(
                f"{number_or_digest} is not on record.", remedy="`compliance list` shows what is on record."
            )
        return evidence_number(index), self._ledger.entry(index).envelope

    def add(self, drafted: Draft) -> None:
        """Let later drafts of this batch refer to this one. Raises Conflict where a name changes its digest."""
        for subject in drafted.subjects:
            known = self._known(subject.name)
            if known is not None and known != subject.digest.sha256:
                raise Conflict(
                    f"{subject.name} stands for {known[:12]}… already, not for {subject.digest.sha256[:12]}….",
                    remedy="A name and version mean one digest for ever: give it a new version.",
                )
        for subject in reversed(drafted.subjects):
            self._subjects |= {subject.name: subject, subject.name.partition("@")[0]: subject}
        if drafted.kind == "dataset":
            self._roles[drafted.subjects[0].digest.sha256] = drafted.content["role"]

    def _known(self, name: str) -> str | None:
        if "@" not in name:
            return None
        if name in self._subjects:
            return self._subjects[name].digest.sha256
        found = self._ledger.subject(name)
        return None if found is None else found.sha256
