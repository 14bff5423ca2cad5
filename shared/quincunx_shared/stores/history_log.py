"""What the last render of each song was made of, so that the next one can say what changed."""

from __future__ import annotations

import sqlite3
import zlib

from quincunx_shared.stores.database import SqliteDatabase


class SqliteHistory:
    """The last record of each song, compressed. Beside the signatures, because both are lost and kept together."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def remember(self, key: str, record: bytes) -> None:
        """Keep a record in the place of the last one."""
        packed = zlib.compress(record, level=1)

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO song VALUES (?, ?)", (key, packed))

        self._database.run(replace)

    def recall(self, key: str) -> bytes | None:
        """Return the last record, if there is one that can be read."""

        def select(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT record FROM song WHERE key = ?", (key,)).fetchone()
            return row[0] if row is not None and isinstance(row[0], bytes) else None

        packed = self._database.run(select)
        try:
            return None if packed is None else zlib.decompress(packed)
        except zlib.error:
            return None
