"""What every page of one portal shares: the workspace opened read-only, its rows, answers kept per ledger head.

Verification and assessment are worked out in a thread, once for each head of the ledger. The portal remembers the
last checkpoint that held, so that a ledger rolled back or rewritten since is noticed here even if everything beside
it was replaced.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from compliance.core.evidence import utc_text
from compliance.portal.records import Records
from compliance.services.workspace import PRIVATE, Workspace
from compliance.storage.access import Access
from compliance.storage.ledger import Ledger

if TYPE_CHECKING:
    from compliance.core.findings import Assessment
    from compliance.services.verify import Report

Answer = TypeVar("Answer")
_KEPT_ANSWERS = 64


def now() -> str:
    """Return this moment as UtcTime."""
    return utc_text(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Integrity:
    """What verification of the whole ledger said, when, and under which checkpoint."""

    report: "Report"
    at: str
    note: str | None
    remembered: str | None
    """The checkpoint that the portal held the ledger against."""


class Portal:
    """One workspace, as the portal reads it. Used from the server's event loop; long work goes to threads."""

    def __init__(self, root: Path) -> None:
        self.ws = Workspace.open(root, read_only=True)
        self.root = self.ws.root
        self.access = Access(self.root / PRIVATE)
        self._records = Records()
        self._head: str | None = None
        self.titles: dict[str, str] = {}
        """Catalog id -> title, once an assessment has read them."""
        self._answers: dict[object, asyncio.Task[object]] = {}

    @property
    def ledger(self) -> Ledger:
        return self.ws.ledger

    def records(self) -> Records:
        """Return the rows of what the ledger holds now."""
        head = self.ledger.checkpoint()
        if head is None or head != self._head:
            if not self._records.continued_by(self.ledger):
                self._records = Records()
            self._records.grow(self.ledger)
            self._head = head
        return self._records

    async def integrity(self) -> Integrity:
        """Verify the ledger as it stands; once for each of its heads."""
        note, remembered = self.ledger.checkpoint(), self.access.remembered()
        found = await self._once(("integrity", note), lambda: self._verify(note, remembered))
        if found.report.ok and found.note is not None and found.note != remembered:
            self.access.remember(found.note, found.at)
        return found

    async def assessment(self, model: str | None) -> "Assessment":
        """Assess a model version today; once for each head, day and version. Raises ComplianceError."""
        today = datetime.now(UTC).date()
        key = ("assessment", self.ledger.checkpoint(), today, model)
        return await self._once(key, lambda: self._assess(model, today))

    def default_model(self, visible: list[str]) -> str | None:
        """Return the model version meant where none is named: the system's newest one that is in scope."""
        family = self.ws.config.system.model
        own = [name for name in visible if name.partition("@")[0] == family]
        candidates = own or visible
        return candidates[-1] if candidates else None

    async def _once(self, key: object, work: Callable[[], Answer]) -> Answer:
        """Return the answer kept under `key`, or work it out in a thread; those who ask together wait for one."""
        task = self._answers.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            while len(self._answers) >= _KEPT_ANSWERS:
                del self._answers[next(iter(self._answers))]
            task = self._answers[key] = asyncio.create_task(asyncio.to_thread(work))
        return cast("Answer", await asyncio.shield(task))  # the key says what its task answers

    def _verify(self, note: str | None, remembered: str | None) -> Integrity:
        from compliance.services.verify import verify_workspace

        return Integrity(verify_workspace(self.root, against=remembered), now(), note, remembered)

    def _assess(self, model: str | None, today: date) -> "Assessment":
        from compliance.services.assess import assess_workspace
        from compliance.services.own_catalogs import in_use

        with Workspace.open(self.root, read_only=True) as ws:
            self.titles = {one.catalog.id: one.catalog.title for one in in_use(ws)}
            return assess_workspace(ws, model=model, as_of=today)
