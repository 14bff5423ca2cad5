"""The signature index in SQLite: signature → outputs, for all processes of a machine and for years."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from quincunx_shared.names import Signature
from quincunx_shared.ports import Outputs
from quincunx_shared.stores.database import BrokenDatabase, SqliteDatabase
from quincunx_shared.stores.record import pack, unpack

#: Records are written when so many wait, or when the last were written so long ago.
_UNWRITTEN, _UNWRITTEN_SECONDS = 64, 0.25

#: Small enough for every SQLite build's limit on variables, large enough that the number of statements is no cost.
_BATCH = 900

_Row = tuple[bytes, bytes]


class SqliteIndex:
    """Signature → outputs. The first writer of a signature wins.

    Records are written in batches, because a transaction costs more than the record in it. Until then this process
    finds them all the same; a crash loses the last quarter of a second, which is computed again. A record that was
    spoilt on the disk is dropped and not found.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._guard = threading.Lock()
        # Held while the file is written, so that no record comes back that was forgotten while it was on its way.
        self._writing = threading.Lock()
        self._unwritten: dict[Signature, Outputs] = {}
        self._written_at = time.monotonic()

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known of the signatures."""
        names = list(signatures)
        with self._guard:
            found = {name: self._unwritten[name] for name in names if name in self._unwritten}
        # All of them, for what is written came first and wins over what is not. In the order of the file, because
        # neighbours lie on one page, and the page is then read once.
        keys = sorted([bytes.fromhex(name) for name in names])
        rows = self._database.run(lambda connection: _select(connection, keys))
        spoilt: list[Signature] = []
        for key, record in rows:
            outputs = unpack(key, record)
            if outputs is None:
                spoilt.append(Signature(key.hex()))
            else:
                found[Signature(key.hex())] = outputs
        if spoilt:
            # Left in place they would win over every later result, and their steps would run in every render.
            self.forget(spoilt)
            self._database.check()
        return found

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add records; those that exist stay as they are."""
        with self._guard:
            for name, outputs in records.items():
                self._unwritten.setdefault(name, outputs)
            due = len(self._unwritten) >= _UNWRITTEN or time.monotonic() - self._written_at > _UNWRITTEN_SECONDS
        if due:
            self.flush()

    def flush(self, first: Callable[[], None] = lambda: None) -> None:
        """Write what is not written yet, so that other processes find it."""
        with self._guard:
            asked = dict(self._unwritten)
        first()
        with self._writing:
            with self._guard:
                # What was forgotten meanwhile is left out, even if it was added anew.
                taken = {name: made for name, made in asked.items() if self._unwritten.get(name) is made}
                self._written_at = time.monotonic()
            keys = {name: bytes.fromhex(name) for name in taken}
            rows = [(keys[name], pack(keys[name], outputs)) for name, outputs in taken.items()]
            if rows:
                self._database.run(lambda connection: _insert(connection, rows))
            with self._guard:
                for name in taken:
                    del self._unwritten[name]

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records."""
        names = list(signatures)
        with self._writing:
            with self._guard:
                for name in names:
                    self._unwritten.pop(name, None)
            keys = [(bytes.fromhex(name),) for name in names]
            self._database.run(lambda connection: _delete(connection, keys))

    def records(self) -> list[tuple[bytes, Outputs | None]]:
        """Return every record by its signature as bytes; None is what was spoilt on the disk."""
        self.flush()
        rows = self._database.run(
            lambda connection: connection.execute("SELECT signature, outputs FROM record").fetchall()
        )
        return [(key, unpack(key, record)) for key, record in rows if isinstance(key, bytes)]

    def drop(self, keys: Iterable[bytes]) -> None:
        """Drop records by their signatures as bytes."""
        rows = [(key,) for key in keys]
        with self._writing:
            self._database.run(lambda connection: _delete(connection, rows))

    def count(self) -> int:
        """How many records there are."""
        self.flush()
        return self._database.run(_count)


def _select(connection: sqlite3.Connection, keys: Sequence[bytes]) -> list[_Row]:
    rows: list[_Row] = []
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        marks = ",".join("?" * len(batch))
        rows += connection.execute(
            f"SELECT signature, outputs FROM record WHERE signature IN ({marks})",  # noqa: S608 - only marks
            batch,
        )
    if not all(isinstance(key, bytes) for key, _ in rows):
        raise BrokenDatabase("a signature that is no signature")
    return rows


def _insert(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    connection.executemany("INSERT OR IGNORE INTO record VALUES (?, ?)", rows)


def _delete(connection: sqlite3.Connection, keys: Sequence[tuple[bytes]]) -> None:
    connection.executemany("DELETE FROM record WHERE signature = ?", keys)


def _count(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM record").fetchone()
    return int(count)
