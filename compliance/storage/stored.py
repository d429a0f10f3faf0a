"""The tables as they lie, unread: what verification looks at. Nothing here is believed or even parsed."""

from compliance.storage.database import Database, Row, has_table


class Stored:
    """Raw reading for verification; mixed into `Ledger`."""

    _db: Database

    def stored_entries(self, start: int, stop: int) -> list[Row]:
        """Return (index, leaf, leaf hash, envelope digest, envelope); the last two None where it is missing."""
        rows = self._db.rows(
            "SELECT e.idx, e.leaf, e.hash, v.digest, v.envelope FROM entries e LEFT JOIN envelopes v ON v.idx = e.idx "
            "WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx",
            (start, stop),
        )
        return [
            (index, _text(leaf), _bytes(hashed), digest, None if envelope is None else _bytes(envelope))
            for index, leaf, hashed, digest, envelope in rows
        ]

    def stored_key_events(self) -> list[Row]:
        """Return (index, leaf, envelope) of entries that say they are key-events."""
        rows = self._db.rows(
            "SELECT e.idx, e.leaf, v.envelope FROM entries e JOIN envelopes v ON v.idx = e.idx "
            "WHERE e.leaf LIKE ? ORDER BY e.idx",
            ('%"kind":"key-event"%',),
        )
        return [(index, _text(leaf), _bytes(envelope)) for index, leaf, envelope in rows]

    def stored_checkpoints(self, above: int, upto: int) -> list[Row]:
        """Return (size, note) for above < size <= upto."""
        sql = "SELECT size, note FROM checkpoints WHERE size > ? AND size <= ? ORDER BY size"
        return [(size, _text(note)) for size, note in self._db.rows(sql, (above, upto))]

    def largest_checkpoint(self) -> int:
        """Return the largest size that a checkpoint row names."""
        return int(self._db.rows("SELECT COALESCE(MAX(size), 0) FROM checkpoints")[0][0])

    def stored_nodes(self, start: int, stop: int) -> list[Row]:
        """Return (position, hash) of inner nodes; empty where the index was dropped."""
        if not has_table(self._db, "nodes"):
            return []
        return self._db.rows("SELECT pos, hash FROM nodes WHERE pos >= ? AND pos < ? ORDER BY pos", (start, stop))

    def stored_index(self, table: str, start: int, stop: int) -> list[Row]:
        """Return the rows of the index table `records` or `subjects` for a stretch of entries, in order."""
        if not has_table(self._db, table):
            return []
        order = "idx, place" if table == "subjects" else "idx"
        return self._db.rows(f"SELECT * FROM {table} WHERE idx >= ? AND idx < ? ORDER BY {order}", (start, stop))

    def stray_rows(self, size: int) -> list[str]:
        """Return the tables that hold rows of no entry below `size`: what is looked up there, nobody signed."""
        ends = {"entries": ("idx", 0, size), "checkpoints": ("size", 1, None), "records": ("idx", 0, size)}
        ends |= {"subjects": ("idx", 0, size), "nodes": ("pos", 0, size - size.bit_count())}
        return [
            table
            for table, (column, first, stop) in ends.items()
            if has_table(self._db, table)
            and self._db.rows(
                f"SELECT 1 FROM {table} WHERE {column} < {first}"
                + (f" OR {column} >= {stop}" if stop is not None else "")
                + " LIMIT 1"
            )
        ]

    def repeated_entries(self) -> list[Row]:
        """Return (index, first index) of entries that name an envelope named before."""
        # every leaf of ours begins with {"envelope":"<64 digits>"
        return self._db.rows(
            "SELECT MAX(idx), MIN(idx) FROM entries GROUP BY substr(leaf, 1, 77) HAVING COUNT(*) > 1 ORDER BY MAX(idx)"
        )

    def orphaned_envelopes(self) -> list[int]:
        """Return the indexes of envelopes that no entry stands for."""
        rows = self._db.rows(
            "SELECT v.idx FROM envelopes v LEFT JOIN entries e ON e.idx = v.idx WHERE e.idx IS NULL ORDER BY v.idx"
        )
        return [row[0] for row in rows]


def _text(value: object) -> str:
    """Return a stored text; one of another type, which SQLite lets anyone store, is no text of ours."""
    return value if isinstance(value, str) else ""


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
