"""One SQLite file that heals itself.

Write-ahead logging lets several processes read while one writes. `synchronous=NORMAL` may lose the last records in
a power cut, never the file. What lies in it only saves work, so a file that is broken, or that is not ours, is
renamed to `….corrupt-<n>` and begun anew, and nobody has to hear of it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from quincunx_shared.errors import StoreError

#: Stands in the file's name, so that an older and a newer Quincunx on one machine each keep an index of their own
#: instead of setting each other's aside; and in the file, so that a stranger's is known as such.
SCHEMA = 1

#: How long a writer waits for another process's transaction, which takes milliseconds.
BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS record (signature BLOB PRIMARY KEY, outputs BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS song (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
"""

#: What SQLite says of a file that will not get better by itself. `SQLITE_ERROR` is a table or a column that is gone;
#: every row is written with OR IGNORE or OR REPLACE, so a constraint can only fail in a tree that is out of order.
_BROKEN = frozenset(
    (
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_SCHEMA,
    )
)

_Result = TypeVar("_Result")
_Identity = tuple[int, int] | None


class SqliteDatabase:
    """One connection, shared by all threads of the process behind a lock. It belongs to the process that opened it."""

    def __init__(self, path: Path, tables: str = _TABLES, schema: int = SCHEMA) -> None:
        self._path = path.absolute()
        self._tables = tables
        self._schema = schema
        self._process = os.getpid()
        self._lock = threading.Lock()
        with _told(self._path), _one_process_at_a_time(self._path):
            self._connection = self._open()
            self._identity = _identity(self._path)

    def run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Do some work in one transaction.

        If the file turns out to be broken, or is no longer there, the work is done again, on an empty one. Raises
        `StoreError` for what only a person can change: no room, no permission.
        """
        if self._process != os.getpid():
            # SQLite keeps its view of who holds which lock in memory; in a fork that view is wrong and spoils files.
            raise StoreError("opened before a fork", where=str(self._path), remedy="open the index in each process")
        with self._lock, _told(self._path):
            if self._identity is None or self._identity != _identity(self._path):
                self._open_again(broken=False)
            try:
                return self._in_transaction(work)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _is_broken(error, self._path):
                    raise
                self._open_again(broken=True)
            return self._in_transaction(work)

    def check(self) -> None:
        """Look through the whole file, after a part of it was found wrong, and begin anew if it does not hold."""
        self.run(_check)

    def give_back(self) -> None:
        """Free the pages that are kept at hand in memory."""
        self.run(lambda connection: connection.execute("PRAGMA shrink_memory").close())

    def close(self) -> None:
        """Close the file. Closing twice does nothing."""
        if self._process == os.getpid():
            with self._lock:
                self._connection.close()

    def _in_transaction(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with self._connection:
            return work(self._connection)

    def _open_again(self, *, broken: bool) -> None:
        self._connection.close()
        mine, self._identity = self._identity, None
        with _one_process_at_a_time(self._path):
            # Another process may have begun anew already; what lies there now is then not what was found broken.
            if broken and mine == _identity(self._path):
                _set_aside(self._path)
            self._connection = self._open()
            self._identity = _identity(self._path)

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path, self._tables, self._schema)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not _is_broken(error, self._path):
                raise
        _set_aside(self._path)
        return _connect(self._path, self._tables, self._schema)


class BrokenDatabase(sqlite3.DatabaseError):
    """A file that SQLite reads, but that is not one of ours, or no longer says what was written."""


def _connect(path: Path, tables: str, schema: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    # Whether text can be read is for the checksums to say, not for UTF-8.
    connection.text_factory = bytes
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (things,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (version, things) != (0, 0) and version != schema:
            raise BrokenDatabase(f"schema {version}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if version != schema:
            connection.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {schema}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if told not in (b"ok", "ok"):
        raise BrokenDatabase(str(told))


def _is_broken(error: Exception, path: Path) -> bool:
    if isinstance(error, BrokenDatabase | UnicodeDecodeError):
        # The module cannot decode what SQLite says of a schema that is no text any more.
        return True
    if _code(error) == sqlite3.SQLITE_READONLY:
        # If it is not the disk that forbids writing, it is a wrong bit in the file's header.
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return _code(error) in _BROKEN


def _code(error: BaseException) -> int | None:
    """The primary result code; None for what is a mistake of the caller, such as using a closed connection."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _identity(path: Path) -> _Identity:
    """Tell a file from another one of the same name."""
    try:
        status = os.stat(path)  # noqa: PTH116 - asked in every transaction
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _set_aside(path: Path) -> None:
    """Rename a broken file, so that nothing a person might want is deleted."""
    number = 0
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _one_process_at_a_time(path: Path) -> Iterator[None]:
    """Opening and setting aside exclude each other on one machine.

    Otherwise a process could make a new file and its log while another one is removing the log of the old.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "ab") as file:  # noqa: PTH123
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the disk says into what a person can act on."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.Error) and _code(error) is None:
            raise
        full = _code(error) == sqlite3.SQLITE_FULL
        remedy = "free some room, or choose another place with --cache-dir" if full else "choose another --cache-dir"
        raise StoreError(f"the index cannot be used: {error}", where=str(path), remedy=remedy) from error
