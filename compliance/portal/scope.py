"""What a grant lets its holder see. A scope only narrows; outside it, a page does not exist (404)."""

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.portal.records import Record
from compliance.storage.access import Grant


@dataclass(frozen=True, slots=True)
class Scope:
    """Model versions and catalogs; None means all of them."""

    models: frozenset[str] | None = None
    catalogs: frozenset[str] | None = None

    @classmethod
    def of(cls, grant: Grant) -> "Scope":
        return cls(frozenset(grant.models) or None, frozenset(grant.catalogs) or None)

    def sees(self, record: Record) -> bool:
        """Say whether a record is in scope: it concerns one of the model versions, or none in particular."""
        return self.models is None or not record.models or not self.models.isdisjoint(record.models)

    def has_model(self, name: str) -> bool:
        return self.models is None or name in self.models

    def has_catalog(self, name: str) -> bool:
        return self.catalogs is None or name in self.catalogs

    def catalogs_of(self, all_: Iterable[str]) -> list[str]:
        return [name for name in all_ if self.has_catalog(name)]
