"""What of the ledger stands in MLflow already: `pending` → `sending` (leased to one process) → `mirrored`.

The queue is an index: dropped and rebuilt it says `pending` for everything, and mirroring again finds
what is there by its digest. On an error a piece goes back to `pending` with the error's text.
"""

import time
from collections.abc import Iterable, Mapping

from compliance.storage.database import Database

_FREE = "(state = 'pending' OR (state = 'sending' AND until < ?))"


class MirrorQueue:
    """The mirror's queue; mixed into `Ledger`."""

    _db: Database

    def pending(self, limit: int | None = None) -> list[int]:
        """Return the indexes that wait for a process to send them, oldest first."""
        sql = f"SELECT idx FROM mirror WHERE state != 'mirrored' AND {_FREE} ORDER BY idx"
        if limit is None:
            return [row[0] for row in self._db.rows(sql, (time.time(),))]
        return [row[0] for row in self._db.rows(f"{sql} LIMIT ?", (time.time(), limit))]

    def pending_count(self) -> int:
        """Return how many are not mirrored, leased ones included."""
        return int(self._db.rows("SELECT COUNT(*) FROM mirror WHERE state != 'mirrored'")[0][0])

    def lease(self, index: int, owner: str, seconds: float) -> bool:
        """Take one piece for `seconds`; False where another process has it or it is done."""
        now = time.time()
        return (
            self._db.run(
                f"UPDATE mirror SET state = 'sending', owner = ?, until = ? WHERE idx = ? AND {_FREE}",
                (owner, now + seconds, index, now),
            )
            == 1
        )

    def lease_many(self, indexes: Iterable[int], owner: str, seconds: float) -> list[int]:
        """Take several in one transaction; return those that were free."""
        with self._db.writing():
            return [index for index in indexes if self.lease(index, owner, seconds)]

    def mirrored(self, index: int, run_id: str) -> None:
        """Note that a piece stands whole in MLflow, in this run."""
        self.mirrored_many({index: run_id})

    def mirrored_many(self, runs: Mapping[int, str]) -> None:
        """As `mirrored`, for several pieces (index -> run) in one transaction."""
        with self._db.writing():
            self._db.run_many(
                "UPDATE mirror SET state = 'mirrored', run_id = ?, owner = NULL, until = NULL, error = NULL "
                "WHERE idx = ?",
                [(run_id, index) for index, run_id in runs.items()],
            )

    def failed(self, index: int, error: str) -> None:
        """Give a piece back, with what went wrong."""
        self._db.run(
            "UPDATE mirror SET state = 'pending', owner = NULL, until = NULL, error = ? WHERE idx = ?", (error, index)
        )

    def senders(self) -> dict[int, str]:
        """Return who is sending what at the moment: index -> owner of the lease."""
        return dict(self._db.rows("SELECT idx, owner FROM mirror WHERE state = 'sending'"))

    def untried(self, index: int) -> bool:
        """Say whether no process ever began to send a piece, so that MLflow cannot hold any of it."""
        sql = "SELECT 1 FROM mirror WHERE idx = ? AND state = 'pending' AND owner IS NULL AND error IS NULL"
        return bool(self._db.rows(sql, (index,)))

    def requeue(self, index: int) -> None:
        """Mark a mirrored piece as pending again: its run is gone or not whole."""
        self._db.run(
            "UPDATE mirror SET state = 'pending', run_id = NULL, error = 'to be written again' WHERE idx = ?", (index,)
        )

    def mirror_states(self) -> dict[int, str]:
        """Return the state of every piece."""
        return dict(self._db.rows("SELECT idx, state FROM mirror ORDER BY idx"))

    def mirror_run(self, index: int) -> str | None:
        """Return the MLflow run that holds a piece, where one does."""
        rows = self._db.rows("SELECT run_id FROM mirror WHERE idx = ?", (index,))
        return rows[0][0] if rows else None

    def mirror_error(self, index: int) -> str | None:
        """Return the text of the last failure to mirror a piece."""
        rows = self._db.rows("SELECT error FROM mirror WHERE idx = ?", (index,))
        return rows[0][0] if rows else None
