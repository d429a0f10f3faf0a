"""A set of shipped records resolved among themselves, as the ledger would resolve them in the same order."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from compliance.core.canonical import content_digest
from compliance.core.evidence import Basis, Subject
from compliance.core.reading import Located, read_records
from compliance.errors import UnknownReference
from compliance.kinds.authoring import Draft, draft
from compliance.storage.assets import folder

from .assessments import demonstrate

EVIDENCE = folder("evidence")


class Records:
    """What was drafted so far; things that a script digests later can be announced beforehand."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.seen: list[Located] = []
        self._things: dict[str, Subject] = {}
        self._roles: dict[str, str] = {}

    def announce(self, name: str, role: str | None = None) -> None:
        subject = Subject.of(name, content_digest(name), Basis.FILE)
        self._things[name] = self._things[name.partition("@")[0]] = subject
        if role:
            self._roles[subject.digest.sha256] = role

    def read(self, paths: Iterable[Path]) -> "Records":
        for path in paths:
            for located in read_records(path.read_bytes(), str(path)):
                self._add(located)
        return self

    def _add(self, located: Located) -> None:
        value = {name: told for name, told in located.value.items() if name != "path"}  # digested where it is logged
        drafted = draft(value, self, where=located)
        for subject in drafted.subjects:
            known = self._things.get(subject.name)
            assert known is None or known == subject, f"{subject.name} means two digests"
            self._things[subject.name] = self._things[subject.name.partition("@")[0]] = subject
            if drafted.kind == "dataset":
                self._roles[subject.digest.sha256] = drafted.content["role"]
        self.drafts.append(drafted)
        self.seen.append(located)

    def thing(self, name_version: str) -> Subject:
        try:
            return self._things[name_version]
        except KeyError:
            raise UnknownReference(f"Nothing is called {name_version}.") from None

    def role(self, sha256: str) -> str:
        return self._roles[sha256]

    def record(self, number_or_digest: str) -> tuple[str, str]:
        raise UnknownReference(f"{number_or_digest} is not among these records.")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The demonstration, run once for real: its folder, and what it answered."""
    pytest.importorskip("sksurv", reason="the example needs scikit-survival")
    target = tmp_path_factory.mktemp("demo")
    return target, demonstrate(target)


@pytest.fixture(scope="session")
def demonstration(made: tuple[Path, Any]) -> Path:
    return made[0]


@pytest.fixture(scope="session")
def deepseek() -> Records:
    return Records().read(sorted((EVIDENCE / "deepseek-r1" / "records").glob("*.yaml")))


def text_of(value: Any) -> str:
    """Return every text inside a record, one per line."""
    if isinstance(value, dict):
        return "\n".join(text_of(inner) for inner in value.values())
    if isinstance(value, list):
        return "\n".join(text_of(inner) for inner in value)
    return str(value)
