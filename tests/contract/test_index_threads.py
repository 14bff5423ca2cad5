"""Several threads on one index: whatever meets whatever, nothing is lost and nothing comes back."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from tests.contract.rounds import outputs_of, signature_of

from quincunx_shared.errors import StoreError
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.ports import SignatureIndex
from quincunx_shared.stores import sqlite
from quincunx_shared.stores.database import SqliteDatabase
from quincunx_shared.stores.memory import MemoryIndex
from quincunx_shared.stores.sqlite import SqliteIndex

PATIENCE = 30.0
THREADS, EACH = 6, 60
A, MADE, MADE_AGAIN = signature_of("a", 0), outputs_of("a", 0), outputs_of("b", 0)

_Result = TypeVar("_Result")


class HeldDatabase(SqliteDatabase):
    """A database whose next transaction waits, once it has begun its work, until it is let."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reached, self.free = threading.Event(), threading.Event()

    def run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        if not self.reached.is_set():
            self.reached.set()
            assert self.free.wait(PATIENCE)
        return super().run(work)


@pytest.fixture(autouse=True)
def _no_flush_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine, so much time may pass that `add` writes, and then waits for what is held here."""
    monkeypatch.setattr(sqlite, "_UNWRITTEN_SECONDS", math.inf)


@contextmanager
def flushing(root: Path) -> Iterator[tuple[SqliteIndex, HeldDatabase, ThreadPoolExecutor]]:
    """An index that has taken record A up to be written, and has not written it yet."""
    with closing(HeldDatabase(root / "index.sqlite")) as database, ThreadPoolExecutor(4) as pool:
        index = SqliteIndex(database)
        index.add({A: MADE})
        flush = pool.submit(index.flush)
        assert database.reached.wait(PATIENCE)
        try:
            yield index, database, pool
        finally:
            database.free.set()
            flush.result(PATIENCE)


def test_what_is_forgotten_while_it_is_being_written_stays_forgotten(tmp_path: Path) -> None:
    with flushing(tmp_path) as (index, database, pool):
        forget = pool.submit(index.forget, [A])
        database.free.set()
        forget.result(PATIENCE)
        assert index.find([A]) == {}
        index.add({A: MADE_AGAIN})
        index.flush()
        assert index.find([A]) == {A: MADE_AGAIN}


def test_what_is_being_written_is_found_and_what_is_added_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with flushing(tmp_path) as (index, database, _):
        later = signature_of("later", 0)
        index.add({later: outputs_of("later", 0), A: MADE_AGAIN})
        assert index.find([A, later]) == {A: MADE, later: outputs_of("later", 0)}
        database.free.set()
    with closing(SqliteDatabase(tmp_path / "index.sqlite")) as reopened:
        assert SqliteIndex(reopened).find([A]) == {A: MADE}


def test_a_flush_ends_only_when_what_another_one_took_is_written(tmp_path: Path) -> None:
    with flushing(tmp_path) as (index, database, pool):
        second: Future[None] = pool.submit(index.flush)
        with closing(SqliteDatabase(tmp_path / "index.sqlite")) as other:
            assert SqliteIndex(other).find([A]) == {}
            assert not second.done()
            database.free.set()
            second.result(PATIENCE)
            assert SqliteIndex(other).find([A]) == {A: MADE}


@pytest.fixture(params=["sqlite", "redis"])
def two_processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[SignatureIndex, SignatureIndex]]:
    """One index as two processes see it."""
    if request.param == "redis":
        client = request.getfixturevalue("redis")
        yield RedisIndex(client), RedisIndex(client)
        return
    path = tmp_path / "index.sqlite"
    with closing(SqliteDatabase(path)) as one, closing(SqliteDatabase(path)) as other:
        yield SqliteIndex(one), SqliteIndex(other)


def test_a_record_that_comes_while_blobs_are_on_their_way_waits_for_its_own(
    two_processes: tuple[SignatureIndex, SignatureIndex],
) -> None:
    index, elsewhere = two_processes
    later, gone = signature_of("later", 0), signature_of("gone", 0)

    def meanwhile() -> None:
        index.add({later: outputs_of("later", 0)})
        index.forget([gone])
        index.add({gone: MADE_AGAIN})

    index.add({A: MADE, gone: MADE})
    index.flush(meanwhile)
    assert elsewhere.find([A, later, gone]) == {A: MADE}
    index.flush()
    assert elsewhere.find([A, later, gone]) == {A: MADE, later: outputs_of("later", 0), gone: MADE_AGAIN}


def test_records_stay_away_whose_blobs_could_not_be_brought(
    two_processes: tuple[SignatureIndex, SignatureIndex],
) -> None:
    index, elsewhere = two_processes

    def refused() -> None:
        raise StoreError("no room")

    index.add({A: MADE})
    with pytest.raises(StoreError, match="no room"):
        index.flush(refused)
    assert elsewhere.find([A]) == {}
    index.flush()
    assert elsewhere.find([A]) == {A: MADE}


@pytest.fixture(params=["memory", "sqlite", "redis"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SignatureIndex]:
    if request.param == "redis":
        yield RedisIndex(request.getfixturevalue("redis"))
    elif request.param == "memory":
        yield MemoryIndex()
    else:
        with closing(SqliteDatabase(tmp_path / "index.sqlite")) as database:
            yield SqliteIndex(database)


def test_threads_that_add_and_find_and_forget_lose_nothing_of_each_other(index: SignatureIndex) -> None:
    shared = {signature_of("shared", number): outputs_of("shared", number) for number in range(EACH)}

    def work(thread: int) -> None:
        for number, name in enumerate(shared):
            own = signature_of(f"own {thread}", number)
            index.add({own: outputs_of(f"own {thread}", number), name: shared[name]})
            assert own in index.find([own, name]), "nobody else forgets it"
            if number % 3 == 0:
                index.forget([own])
                assert own not in index.find([own])
            if number % 7 == thread:
                index.flush()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    index.flush()
    assert index.find(shared) == shared
    for thread in range(THREADS):
        kept = {number for number in range(EACH) if number % 3}
        names = {signature_of(f"own {thread}", number): number for number in range(EACH)}
        assert {names[name] for name in index.find(names)} == kept
