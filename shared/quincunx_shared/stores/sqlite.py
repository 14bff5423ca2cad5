"""The signature index, and the last render of every song, in one SQLite file.

Write-ahead logging lets several processes read while one writes. `synchronous=NORMAL` may lose the last records in
a power cut, never the file. A file that is no database, or one of another schema, is set aside and begun anew: the
index only saves work.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quincunx_shared.errors import StoreError
from quincunx_shared.names import Digest, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs

#: In the file's name, so that an older and a newer Quincunx on one machine each keep an index of their own.
SCHEMA = 1

#: How long a writer waits for another process's transaction, which takes milliseconds.
BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS record (signature BLOB PRIMARY KEY, outputs BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS song (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
"""

#: Records are written when so many wait, or when the last were written so long ago.
_UNWRITTEN, _UNWRITTEN_SECONDS = 64, 0.25

#: Small enough for every SQLite build's limit on variables, large enough that the number of statements is no cost.
_BATCH = 900

_Result = TypeVar("_Result")


class SqliteDatabase:
    """One connection, shared by all threads of the process behind a lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection = self._open()

    def run(self, work: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        """Do some work in one transaction. If the file turns out to be broken, begin anew and return `otherwise`."""
        with self._lock:
            try:
                with self._connection:
                    return work(self._connection)
            except sqlite3.OperationalError as error:
                raise StoreError(
                    f"the index cannot be used: {error}", where=str(self._path), remedy="choose another --cache-dir"
                ) from error
            except sqlite3.DatabaseError:
                self._connection.close()
                self._set_aside()
                self._connection = self._open()
                return otherwise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise StoreError(
                    f"the index cannot be opened: {error}", where=str(self._path), remedy="choose another --cache-dir"
                ) from error
            self._set_aside()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_TABLES)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self) -> None:
        """Rename a broken file, so that nothing a person might want is deleted."""
        number = 0
        while (aside := self._path.with_name(f"{self._path.name}.corrupt-{number}")).exists():
            number += 1
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


class SqliteIndex:
    """Signature → outputs. The first writer of a signature wins.

    Records are written in batches, because a transaction costs more than the record in it. Until then this process
    finds them all the same; a crash loses the last quarter of a second, which is computed again.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._unwritten: dict[Signature, Outputs] = {}
        self._written_at = time.monotonic()

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known of the signatures."""
        names = list(signatures)
        with self._guard:
            found = {name: self._unwritten[name] for name in names if name in self._unwritten}
        keys = [bytes.fromhex(name) for name in names if name not in found]

        def select(connection: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
            rows: list[tuple[bytes, bytes]] = []
            for start in range(0, len(keys), _BATCH):
                batch = keys[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                rows += connection.execute(
                    f"SELECT signature, outputs FROM record WHERE signature IN ({marks})",  # noqa: S608 - only marks
                    batch,
                )
            return rows

        nothing: list[tuple[bytes, bytes]] = []
        rows = self._database.run(select, nothing) if keys else nothing
        # One document for all records: ten thousand small ones take four times as long to read.
        documents = json.loads(b"[" + b",".join(record for _, record in rows) + b"]")
        found.update((Signature(key.hex()), _unpack(fields)) for (key, _), fields in zip(rows, documents, strict=True))
        return found

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add records; those that exist stay as they are."""
        with self._guard:
            for name, outputs in records.items():
                self._unwritten.setdefault(name, outputs)
            due = len(self._unwritten) >= _UNWRITTEN or time.monotonic() - self._written_at > _UNWRITTEN_SECONDS
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet, so that other processes find it."""
        with self._guard:
            taken = dict(self._unwritten)
            self._written_at = time.monotonic()
        rows = [(bytes.fromhex(name), _pack(outputs)) for name, outputs in taken.items()]

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO record VALUES (?, ?)", rows)

        if rows:
            self._database.run(insert, None)
        with self._guard:
            for name in taken:
                self._unwritten.pop(name, None)

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records."""
        names = list(signatures)
        self.flush()
        keys = [(bytes.fromhex(name),) for name in names]

        def delete(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM record WHERE signature = ?", keys)

        self._database.run(delete, None)

    def count(self) -> int:
        """How many records there are."""
        self.flush()

        def select(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT count(*) FROM record").fetchone()
            return int(row[0])

        return self._database.run(select, 0)


class SqliteHistory:
    """What the last render of each song was made of, compressed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def remember(self, key: str, record: bytes) -> None:
        """Keep a record in the place of the last one."""
        packed = zlib.compress(record, level=1)

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO song VALUES (?, ?)", (key, packed))

        self._database.run(replace, None)

    def recall(self, key: str) -> bytes | None:
        """Return the last record, if there is one that can be read."""

        def select(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT record FROM song WHERE key = ?", (key,)).fetchone()
            return None if row is None else bytes(row[0])

        packed = self._database.run(select, None)
        try:
            return None if packed is None else zlib.decompress(packed)
        except zlib.error:
            return None


def _pack(outputs: Outputs) -> bytes:
    fields: list[list[Any]] = [
        [
            ref.digest,
            ref.kind,
            ref.size_bytes,
            [*ref.shape],
            ref.dtype,
            None if ref.inline is None else ref.inline.hex(),
        ]
        for ref in outputs
    ]
    return json.dumps(fields, separators=(",", ":")).encode()


def _unpack(fields: list[list[Any]]) -> Outputs:
    return tuple(
        ParamRef(Digest(digest), kind, size, tuple(shape), dtype, None if inline is None else bytes.fromhex(inline))
        for digest, kind, size, shape, dtype, inline in fields
    )
