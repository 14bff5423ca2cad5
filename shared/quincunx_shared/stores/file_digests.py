"""Digests of large files that are known from last time, so that a bank of hundreds of megabytes is not read again.

A digest is remembered with what the file system says of the file: size, inode, and both of its times. It is trusted
as long as all of that is the same. A file that was changed a moment before it was read is not remembered: it may
change again within the same tick of the file system's clock, and nothing would tell (git's "racy" entries).
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from quincunx_shared.bank_folder import file_digest
from quincunx_shared.errors import StoreError
from quincunx_shared.names import Digest
from quincunx_shared.stores.database import SqliteDatabase

#: Smaller files are read faster than a database is asked.
WORTH_BYTES = 256 * 1024

#: Older changes than this are on the other side of a tick, even on FAT with its two seconds.
SETTLED_SECONDS = 3.0

#: More than the files of a hundred banks; beyond it those go that were remembered first.
_REMEMBERED = 2000

# Not among the tables that come with the index: an index that was made without it is as good.
_TABLE = "CREATE TABLE IF NOT EXISTS file (path BLOB PRIMARY KEY, known BLOB NOT NULL)"

_STAMP = struct.Struct("<QQqq")
_CHECKSUM = struct.Struct("<I")


class FileDigests:
    """The digests of files by path. What the database cannot say is read from the files."""

    def __init__(
        self,
        database: SqliteDatabase,
        *,
        read: Callable[[Path], Digest] = file_digest,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._read = read
        self._now = now

    def digest_of(self, path: Path) -> Digest:
        """Return the SHA-256 of a file's content. Raises `BadVoicebank` if it cannot be read."""
        before, began = _stamp(path), self._now()
        if before is None or before[0] < WORTH_BYTES:
            return self._read(path)
        known = self._recall(path, before)
        if known is not None:
            return known
        digest = self._read(path)
        settled = began - max(before[2:]) / 1e9 > SETTLED_SECONDS
        if settled and before == _stamp(path):
            self._remember(path, before, digest)
        return digest

    def forget(self, path: Path) -> None:
        """Read a file again the next time: its content turned out to be another."""
        self._run(lambda connection: connection.execute("DELETE FROM file WHERE path = ?", (_key(path),)))

    def _recall(self, path: Path, stamp: _Stamp) -> Digest | None:
        key = _key(path)
        row = self._run(lambda connection: _select(connection, key))
        return None if row is None else _unpack(key, stamp, row)

    def _remember(self, path: Path, stamp: _Stamp, digest: Digest) -> None:
        key = _key(path)
        record = _pack(key, stamp, digest)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO file VALUES (?, ?)", (key, record))
            connection.execute(
                "DELETE FROM file WHERE rowid <= (SELECT max(rowid) FROM file) - ?",
                (_REMEMBERED,),
            )

        self._run(write)

    def _run(self, work: Callable[[sqlite3.Connection], object]) -> object:
        def with_table(connection: sqlite3.Connection) -> object:
            connection.execute(_TABLE)
            return work(connection)

        # A cache that cannot be used is somebody else's complaint; the digest is in the file.
        with suppress(StoreError):
            return self._database.run(with_table)
        return None


#: Size, inode, time of the last change of the content, time of the last change of anything, in nanoseconds.
_Stamp = tuple[int, int, int, int]


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _key(path: Path) -> bytes:
    return os.fsencode(path.absolute())


def _select(connection: sqlite3.Connection, key: bytes) -> object:
    row = connection.execute("SELECT known FROM file WHERE path = ?", (key,)).fetchone()
    return None if row is None else row[0]


def _pack(key: bytes, stamp: _Stamp, digest: Digest) -> bytes:
    body = _STAMP.pack(*stamp) + bytes.fromhex(digest)
    return _CHECKSUM.pack(zlib.crc32(body, zlib.crc32(key))) + body


def _unpack(key: bytes, stamp: _Stamp, record: object) -> Digest | None:
    """Return the digest if it is that of the file as it is now. A record that was spoilt on the disk says nothing."""
    if not isinstance(record, bytes) or len(record) != _CHECKSUM.size + _STAMP.size + 32:
        return None
    digest = Digest(record[-32:].hex())
    return digest if record == _pack(key, stamp, digest) else None
