"""The cache of blobs on a machine: fetched once, verified, bounded, shared by the machine's processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobMissing, StoreError, StoreUnreachable
from quincunx_shared.names import Digest
from quincunx_shared.stores import machine_cache
from quincunx_shared.stores.folder import FolderBlobStore
from quincunx_shared.stores.machine_cache import IN_USE_SECONDS, MachineCache
from quincunx_shared.stores.memory import MemoryBlobStore

SONG, OTHER = b"la" * 20_000, b"li" * 20_000
DIGEST = digest_of_bytes(SONG)


class Remote(MemoryBlobStore):
    """A store that tells what was asked of it, and can be cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Digest] = []
        self.cut = False

    def get(self, digest: Digest) -> bytes:
        self.asked.append(digest)
        self._answer()
        return super().get(digest)

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        self._answer()
        super().put(digest, content)

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        self._answer()
        return super().missing(digests)

    def _answer(self) -> None:
        if self.cut:
            raise StoreUnreachable("cut off")


@pytest.fixture
def remote() -> Remote:
    return Remote()


@pytest.fixture
def machine(remote: Remote, tmp_path: Path) -> Iterator[MachineCache]:
    with closing(MachineCache(remote, tmp_path / "machine", 10e6)) as cache:
        yield cache


def blob(number: int, size: int = 40_000) -> tuple[Digest, bytes]:
    content = number.to_bytes(8, "big") * (size // 8)
    return digest_of_bytes(content), content


def used_long_ago(folder: Path, digest: Digest, seconds: float = 2 * IN_USE_SECONDS) -> None:
    path = folder / "blobs" / digest[:2] / digest[2:]
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_blob_comes_over_the_network_once(remote: Remote, machine: MachineCache) -> None:
    remote.put(DIGEST, SONG)
    assert [machine.get(DIGEST) for _ in range(3)] == [SONG] * 3
    assert remote.asked == [DIGEST]


def test_what_this_machine_put_is_not_fetched(remote: Remote, machine: MachineCache) -> None:
    machine.put(DIGEST, SONG)
    assert machine.get(DIGEST) == SONG
    assert remote.asked == []
    assert remote.missing([DIGEST]) == set()


def test_many_threads_that_want_one_blob_fetch_it_once(remote: Remote, machine: MachineCache) -> None:
    remote.put(DIGEST, SONG)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(machine.get, [DIGEST] * 40)) == {SONG}
    assert remote.asked == [DIGEST]


def test_a_store_that_does_not_answer_is_not_waited_for_by_one_after_the_other(
    remote: Remote, machine: MachineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_cache, "PATIENT_SECONDS", 0.05)
    together = threading.Barrier(4)

    def never(digest: Digest) -> bytes:
        # Breaks unless all four have come as far as this.
        together.wait(10)
        raise StoreUnreachable(f"no answer about {digest}")

    remote.get = never  # type: ignore[method-assign]

    def ask(_: int) -> bool:
        with pytest.raises(StoreUnreachable):
            machine.get(DIGEST)
        return not together.broken

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))


def test_a_file_that_was_spoilt_here_is_fetched_anew(remote: Remote, machine: MachineCache, tmp_path: Path) -> None:
    machine.put(DIGEST, SONG)
    path = tmp_path / "machine" / "blobs" / DIGEST[:2] / DIGEST[2:]
    path.write_bytes(OTHER)
    assert machine.get(DIGEST) == SONG
    assert remote.asked == [DIGEST]
    assert path.read_bytes() == SONG


def test_a_store_that_does_not_answer_is_told_for_what_is_not_here(remote: Remote, machine: MachineCache) -> None:
    machine.put(DIGEST, SONG)
    remote.cut = True
    assert machine.get(DIGEST) == SONG
    for question in (lambda: machine.get(digest_of_bytes(OTHER)), lambda: machine.missing([DIGEST])):
        with pytest.raises(StoreUnreachable):
            question()
    with pytest.raises(StoreUnreachable):
        machine.put(digest_of_bytes(OTHER), OTHER)


def test_what_only_this_machine_has_is_missing(remote: Remote, machine: MachineCache) -> None:
    machine.put(DIGEST, SONG)
    remote._blobs.clear()
    assert machine.missing([DIGEST]) == {DIGEST}


def test_a_folder_that_cannot_be_written_makes_it_slower_and_nothing_wrong(
    remote: Remote, machine: MachineCache, tmp_path: Path
) -> None:
    place = tmp_path / "machine" / "blobs" / DIGEST[:2]
    place.rmdir()
    place.write_text("in the way")
    machine.put(DIGEST, SONG)
    assert [machine.get(DIGEST) for _ in range(2)] == [SONG] * 2
    assert remote.asked == [DIGEST] * 2
    assert machine.trouble is not None
    with pytest.raises(StoreError):
        machine.file(DIGEST)


def test_it_stays_below_its_limit_and_keeps_what_was_used_last(remote: Remote, tmp_path: Path) -> None:
    folder = tmp_path / "machine"
    with closing(MachineCache(remote, folder, 1e6)) as machine:
        blobs = [blob(number) for number in range(100)]
        for age, (digest, content) in enumerate(reversed(blobs[:20])):
            machine.put(digest, content)
            used_long_ago(folder, digest, 2 * IN_USE_SECONDS + 4000 * age)
        machine.get(blobs[0][0])
        for digest, content in blobs[20:]:
            machine.put(digest, content)
            used_long_ago(folder, digest, IN_USE_SECONDS + 1)
        near = FolderBlobStore(folder / "blobs")
        assert near.size_bytes() <= 1e6 * 1.05
        assert near.missing([blobs[0][0]]) == set(), "used a moment ago"
        assert near.missing([one[0] for one in blobs[1:20]]) == {one[0] for one in blobs[1:20]}
        assert all(machine.get(digest) == content for digest, content in blobs)


def test_a_file_is_given_out_by_its_path_and_stays_for_a_while(remote: Remote, tmp_path: Path) -> None:
    with closing(MachineCache(remote, tmp_path / "machine", 1e5)) as machine:
        remote.put(DIGEST, SONG)
        path = machine.file(DIGEST)
        for number in range(20):
            machine.put(*blob(number))
        machine.make_room()
        assert path.read_bytes() == SONG
        assert machine.file(DIGEST) == path
        assert remote.asked == [DIGEST]
        with pytest.raises(BlobMissing):
            machine.file(digest_of_bytes(OTHER))


def test_many_blobs_are_fetched_side_by_side(remote: Remote, machine: MachineCache) -> None:
    blobs = dict(blob(number) for number in range(30))
    for digest, content in blobs.items():
        remote.put(digest, content)
    together: list[Digest] = []
    meeting = threading.Barrier(4)

    def meet(digest: Digest) -> bytes:
        if len(together) < 4:
            together.append(digest)
            meeting.wait(10)
        return MemoryBlobStore.get(remote, digest)

    remote.get = meet  # type: ignore[method-assign]
    machine.fetch([*blobs, digest_of_bytes(OTHER)])
    remote.cut = True
    assert {digest: machine.get(digest) for digest in blobs} == blobs


def _use(folder: Path, store: Path, first: int) -> float:
    """One process of a machine: puts some, gets some, and says how large the cache ever was."""
    largest = 0.0
    with closing(MachineCache(FolderBlobStore(store), folder, 2e6)) as machine:
        for number in range(first, first + 60):
            digest, content = blob(number % 90)
            machine.put(digest, content)
            used_long_ago(folder, digest) if machine._near.use(digest) else None
            other, expected = blob((number * 7) % 30)
            if not machine.missing([other]):
                assert machine.get(other) == expected
            largest = max(largest, FolderBlobStore(folder / "blobs").size_bytes())
    return largest


def test_the_processes_of_a_machine_share_one_bounded_folder(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        folders = [tmp_path / "machine"] * 3, [tmp_path / "store"] * 3
        assert max(pool.map(_use, *folders, (0, 30, 60))) <= 2e6 * 1.5
