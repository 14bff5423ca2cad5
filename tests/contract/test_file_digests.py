"""Digests that are known from last time: what is read, what is not, and that a wrong one is never given out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quincunx_shared.bank_folder import file_digest
from quincunx_shared.errors import BadVoicebank, StoreError
from quincunx_shared.names import Digest
from quincunx_shared.stores.database import SqliteDatabase
from quincunx_shared.stores.file_digests import SETTLED_SECONDS, WORTH_BYTES, FileDigests


@dataclass
class Shelf:
    """Digests of one folder's files, the files that were read, and a clock that is set by hand."""

    folder: Path
    database: SqliteDatabase
    #: Seconds from the last change of the file to now.
    later: float = 60.0
    read: list[str] = field(default_factory=list)

    def digest_of(self, path: Path) -> Digest:
        def read(one: Path) -> Digest:
            self.read.append(one.name)
            return file_digest(one)

        def now() -> float:
            return max(path.stat().st_mtime, path.stat().st_ctime) + self.later

        return FileDigests(self.database, read=read, now=now).digest_of(path)

    def file(self, content: bytes, name: str = "model.onnx") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


class FullDatabase(SqliteDatabase):
    """On a disk without room."""

    def run(self, work: object) -> object:  # type: ignore[override]
        raise StoreError("the index cannot be used", where=str(work))


LARGE = b"mode" * (WORTH_BYTES // 4)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with closing(SqliteDatabase(tmp_path / "index.sqlite")) as database:
        yield Shelf(tmp_path, database)


def test_a_large_file_is_read_once(shelf: Shelf) -> None:
    path = shelf.file(LARGE)
    assert [shelf.digest_of(path) for _ in range(3)] == [file_digest(path)] * 3
    assert shelf.read == ["model.onnx"]


def test_a_small_file_is_read_each_time(shelf: Shelf) -> None:
    path = shelf.file(b"small")
    assert [shelf.digest_of(path) for _ in range(2)] == [file_digest(path)] * 2
    assert len(shelf.read) == 2


def test_a_file_that_changed_a_moment_ago_is_read_each_time_until_it_has_settled(shelf: Shelf) -> None:
    path = shelf.file(LARGE)
    for shelf.later in (0.0, SETTLED_SECONDS - 0.1, -5.0):
        shelf.digest_of(path)
        shelf.digest_of(path)
    assert len(shelf.read) == 6
    shelf.later = SETTLED_SECONDS + 0.1
    shelf.digest_of(path)
    shelf.digest_of(path)
    assert len(shelf.read) == 7


def test_a_change_that_keeps_size_and_date_is_seen(shelf: Shelf) -> None:
    """As `cp -p` and archives write files; what tells is the time of the inode's last change, or another inode."""
    path = shelf.file(LARGE)
    dates = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    shelf.digest_of(path)
    path.write_bytes(LARGE[::-1])
    os.utime(path, ns=dates)
    assert shelf.digest_of(path) == file_digest(path)
    other = shelf.file(LARGE[1:] + b"x", "other")
    os.utime(other, ns=dates)
    other.replace(path)
    assert shelf.digest_of(path) == file_digest(path)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_record_that_was_spoilt_on_the_disk_is_not_believed(shelf: Shelf, place: int, bit: int) -> None:
    path = shelf.file(LARGE)
    shelf.digest_of(path)

    def spoil(connection: sqlite3.Connection) -> None:
        ((record,),) = connection.execute("SELECT known FROM file")
        place_here = place % len(record)
        changed = bytes([record[place_here] ^ 1 << bit])
        connection.execute("UPDATE file SET known = ?", (record[:place_here] + changed + record[place_here + 1 :],))

    shelf.database.run(spoil)
    assert shelf.digest_of(path) == file_digest(path)


def test_what_turned_out_to_be_another_file_is_read_again(shelf: Shelf) -> None:
    path = shelf.file(LARGE)
    shelf.digest_of(path)
    FileDigests(shelf.database).forget(path)
    shelf.digest_of(path)
    assert len(shelf.read) == 2


def test_a_file_that_is_not_there_is_told_by_its_place(shelf: Shelf) -> None:
    with pytest.raises(BadVoicebank, match="cannot be read"):
        FileDigests(shelf.database).digest_of(shelf.folder / "nothing")


def test_where_nothing_can_be_remembered_files_are_read(shelf: Shelf) -> None:
    path = shelf.file(LARGE)
    shelf.database = FullDatabase(shelf.folder / "full.sqlite")
    assert [shelf.digest_of(path) for _ in range(2)] == [file_digest(path)] * 2
    assert len(shelf.read) == 2
    shelf.database.close()
