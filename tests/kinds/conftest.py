"""A small record of things for new records to refer to: plain values behind the `Resolver` protocol."""

from dataclasses import dataclass, field

import pytest

from compliance.core.evidence import Basis, Subject
from compliance.errors import UnknownReference


@dataclass
class OnRecord:
    """What is on record, in memory."""

    things: dict[str, Subject] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, digit: str, basis: Basis = Basis.FILE, role: str | None = None) -> None:
        self.things[name] = Subject.of(name, digit * 64, basis)
        if role:
            self.roles[digit * 64] = role

    def thing(self, name_version: str) -> Subject:
        if name_version not in self.things:
            raise UnknownReference(f"Nothing on record is called {name_version}.", remedy="Log it first.")
        return self.things[name_version]

    def role(self, sha256: str) -> str:
        if sha256 not in self.roles:
            raise UnknownReference("No dataset on record has that digest.", remedy="Log the dataset first.")
        return self.roles[sha256]

    def record(self, number_or_digest: str) -> tuple[str, str]:
        if number_or_digest not in self.records:
            raise UnknownReference(f"{number_or_digest} is not on record.", remedy="See `compliance list`.")
        return number_or_digest, self.records[number_or_digest]


@pytest.fixture
def on_record() -> OnRecord:
    ledger = OnRecord()
    ledger.put("clinical-risk@1", "4", Basis.FOLDER)
    ledger.put("clinical-risk@2", "5", Basis.FOLDER)
    ledger.put("flchain-train@1", "b", role="train")
    ledger.put("flchain-test@1", "c", role="test")
    ledger.records = {"EV-000003": "a" * 64, "EV-000004": "d" * 64}
    return ledger
