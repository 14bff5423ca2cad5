"""What writing behind adds to a blob store: nobody waits, and yet everybody hears of a disk that fails."""

from __future__ import annotations

import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from tests.farm.waiting import until

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import StoreError
from quincunx_shared.names import Digest
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.memory import MemoryBlobStore

PATIENCE = 30.0


class SlowStore(MemoryBlobStore):
    """Stores nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        assert self.free.wait(PATIENCE)
        super().put(digest, content)


class FullStore(MemoryBlobStore):
    """A disk without room, until somebody makes some."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = True
        self.taken: set[Digest] = set()

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        if self.is_full:
            raise StoreError("no room")
        self.taken.add(digest)
        super().put(digest, content)


class RefusingStore(SlowStore):
    """A disk that takes its time before it says that it has no room."""

    def put(self, digest: Digest, content: bytes | memoryview) -> None:  # noqa: ARG002
        assert self.free.wait(PATIENCE)
        raise StoreError("no room")


class OneByOneStore(MemoryBlobStore):
    """Stores a blob whenever it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = threading.Semaphore(0)

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        assert self.permits.acquire(timeout=PATIENCE)
        super().put(digest, content)


def put(store: BehindBlobStore, content: bytes) -> Digest:
    digest = digest_of_bytes(content)
    store.put(digest, content)
    return digest


def put_for_ever(store: BehindBlobStore) -> None:
    for number in itertools.count():
        put(store, bytes([number % 200]))


def test_what_waits_to_be_written_is_found_meanwhile_and_afterwards() -> None:
    within = SlowStore()
    with closing(BehindBlobStore(within)) as store:
        digest = put(store, b"la")
        assert within.missing([digest]) == {digest}
        assert store.missing([digest]) == set()
        assert store.get(digest) == b"la"
        within.free.set()
        store.flush()
        assert within.get(digest) == b"la"


def test_closing_writes_what_waits() -> None:
    within = MemoryBlobStore()
    with closing(BehindBlobStore(within)) as store:
        digests = [put(store, bytes([number])) for number in range(100)]
    assert within.missing(digests) == set()


def test_a_disk_that_fails_is_told_at_every_flush_until_it_takes_what_waits() -> None:
    within = FullStore()
    with closing(BehindBlobStore(within)) as store:
        digest = put(store, b"la")
        for _ in range(2):
            with pytest.raises(StoreError, match="no room"):
                store.flush()
            assert store.get(digest) == b"la", "this process still has it"
            assert within.missing([digest]) == {digest}
        within.is_full = False
        store.flush()
        assert within.get(digest) == b"la"


def test_an_error_that_somebody_else_heard_does_not_let_a_flush_pass() -> None:
    within = FullStore()
    with closing(BehindBlobStore(within)) as store:
        mine = put(store, b"la")
        with pytest.raises(StoreError, match="no room"):
            put_for_ever(store)
        with pytest.raises(StoreError, match="no room"):
            store.flush()
        assert within.missing([mine]) == {mine}


def test_everybody_who_waits_for_a_blob_that_is_refused_hears_of_it() -> None:
    within = RefusingStore()
    with closing(BehindBlobStore(within)) as store:
        put(store, b"la")
        with ThreadPoolExecutor(3) as pool:
            ends = [pool.submit(store.flush) for _ in range(3)]
            until(lambda: len(store._changed._waiters) == 3)  # type: ignore[attr-defined]
            within.free.set()
            told = [one.exception(PATIENCE) for one in ends]
        assert [str(one) for one in told] == ["no room"] * 3


def test_everybody_who_waits_for_room_that_there_will_not_be_hears_of_it() -> None:
    within = RefusingStore()
    with closing(BehindBlobStore(within, waiting_bytes=10)) as store:
        put(store, b"large" * 10)
        with ThreadPoolExecutor(3) as pool:
            ends = [pool.submit(put, store, bytes([number]) * 50) for number in range(3)]
            until(lambda: len(store._changed._waiters) == 3)  # type: ignore[attr-defined]
            within.free.set()
            told = [one.exception(PATIENCE) for one in ends]
        assert [str(one) for one in told] == ["no room"] * 3


def test_a_flush_does_not_wait_for_what_others_put_after_it() -> None:
    within = OneByOneStore()
    with closing(BehindBlobStore(within)) as store, ThreadPoolExecutor(1) as pool:
        put(store, b"mine")
        flushed = pool.submit(store.flush)
        until(lambda: len(store._changed._waiters) == 1)  # type: ignore[attr-defined]
        others = put(store, b"theirs")
        within.permits.release()
        flushed.result(PATIENCE)
        assert within.missing([others]) == {others}
        within.permits.release()


def test_a_disk_that_stays_full_does_not_fill_the_memory() -> None:
    within = FullStore()
    with closing(BehindBlobStore(within, waiting_bytes=100)) as store:
        refused = 0
        for number in range(50):
            try:
                put(store, bytes([number]) * 60)
            except StoreError:
                refused += 1
        assert refused > 20
        within.is_full = False
        store.flush()
        assert 2 <= len(within.taken) <= 30


def test_writers_that_wait_for_room_all_get_it_in_the_end() -> None:
    within = SlowStore()
    with closing(BehindBlobStore(within, waiting_bytes=10)) as store:
        contents = [b"%03d" % (number % 7) * 10 for number in range(40)]
        threads = [threading.Thread(target=put, args=(store, content)) for content in contents]
        for thread in threads:
            thread.start()
        within.free.set()
        for thread in threads:
            thread.join(PATIENCE)
        store.flush()
        assert within.missing([digest_of_bytes(content) for content in contents]) == set()


def test_what_is_at_hand_is_not_read_again() -> None:
    class Counting(MemoryBlobStore):
        reads = 0

        def get(self, digest: Digest) -> bytes:
            self.reads += 1
            return super().get(digest)

    disk, content = Counting(), b"a phrase"
    with closing(BehindBlobStore(disk)) as store:
        store.put(digest_of_bytes(content), content)
        store.flush()
        store.fetch_ahead([digest_of_bytes(content)])
        assert disk.reads == 0
        store.forget()
        store.fetch_ahead([digest_of_bytes(content)] * 2)
        assert store.get(digest_of_bytes(content)) == content
        assert disk.reads == 1


def test_after_it_has_forgotten_nobody_holds_what_was_written() -> None:
    content = bytes(range(256)) * 64
    before = sys.getrefcount(content)
    with closing(BehindBlobStore(Copying())) as store:
        store.put(digest_of_bytes(content), content)
        store.flush()
        assert sys.getrefcount(content) > before, "what was just written is kept at hand"
        store.forget()
        store.put(digest_of_bytes(b"next"), b"next")
        store.flush()
        assert sys.getrefcount(content) == before
        assert store.get(digest_of_bytes(content)) == content


class Copying(MemoryBlobStore):
    """A disk does not hold the bytes that were put into it, but others that are the same."""

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store a copy."""
        super().put(digest, bytes(bytearray(content)))
