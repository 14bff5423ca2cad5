"""A cache that was damaged, emptied, or lies on a disk that fails: misses and clear errors, never wrong bytes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.rounds import (
    assert_right,
    content_of,
    is_whole,
    outputs_of,
    signature_of,
    store_round,
    store_rounds,
)

from quincunx_shared.errors import BlobCorrupt, BlobsLost, StoreError
from quincunx_shared.names import Digest
from quincunx_shared.stores.cache_folder import Cache, open_cache
from quincunx_shared.stores.folder import STALE_SECONDS, FolderBlobStore

BLOB = outputs_of("a", 0)[0].digest


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with closing(open_cache(tmp_path)) as opened:
        yield opened


@pytest.fixture(scope="module")
def sound_index(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an index with 200 records."""
    root = tmp_path_factory.mktemp("sound")
    with closing(open_cache(root)) as cache:
        cache.index.add({signature_of("a", number): outputs_of("a", number) for number in range(200)})
    return index_file(root).read_bytes()


def index_file(root: Path) -> Path:
    return root / "index-1.sqlite"


def set_aside(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("*.corrupt-*"))


def parts(root: Path) -> list[Path]:
    return sorted((root / "blobs" / "parts").iterdir())


def blob_file(root: Path, digest: Digest) -> Path:
    return root / "blobs" / digest[:2] / digest[2:]


# ---- blobs that are wrong

SPOIL: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "cut short": lambda content: content[:-1],
    "empty": lambda _content: b"",
    "too long": lambda content: content + b"x",
}


@pytest.mark.parametrize("damage", SPOIL)
def test_a_spoilt_blob_is_never_given_out_and_heals_when_read(cache: Cache, tmp_path: Path, damage: str) -> None:
    store_round(cache, "a", 0)
    blob_file(tmp_path, BLOB).write_bytes(SPOIL[damage](content_of("a", 0)))
    with pytest.raises(BlobCorrupt):
        cache.blobs.get(BLOB)
    assert cache.blobs.missing([BLOB]) == {BLOB}
    store_round(cache, "a", 0)
    assert is_whole(cache, "a", 0)


@pytest.mark.parametrize("damage", ["cut short", "empty", "too long"])
def test_a_blob_of_the_wrong_size_heals_when_put_again(cache: Cache, tmp_path: Path, damage: str) -> None:
    store_round(cache, "a", 0)
    blob_file(tmp_path, BLOB).write_bytes(SPOIL[damage](content_of("a", 0)))
    store_round(cache, "a", 0)
    assert is_whole(cache, "a", 0)


def test_an_empty_file_is_a_missing_blob(cache: Cache, tmp_path: Path) -> None:
    store_round(cache, "a", 0)
    blob_file(tmp_path, BLOB).write_bytes(b"")
    assert cache.blobs.missing([BLOB]) == {BLOB}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 39_999), change=st.integers(1, 255), cut=st.booleans())
def test_no_damage_to_a_blob_goes_unnoticed(tmp_path: Path, place: int, change: int, cut: bool) -> None:
    store = FolderBlobStore(tmp_path / "blobs")
    content = content_of("a", 0)
    changed = bytes([content[place] ^ change])
    blob_file(tmp_path, BLOB).write_bytes(content[:place] if cut else content[:place] + changed + content[place + 1 :])
    with pytest.raises(BlobsLost):
        store.get(BLOB)


def test_what_dead_writers_left_is_swept_and_what_live_ones_write_is_not(tmp_path: Path) -> None:
    FolderBlobStore(tmp_path / "blobs")
    old, young = tmp_path / "blobs" / "parts" / "old", tmp_path / "blobs" / "parts" / "young"
    for path in (old, young):
        path.write_bytes(b"half a blo")
    long_ago = time.time() - STALE_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    store = FolderBlobStore(tmp_path / "blobs")
    assert parts(tmp_path) == [young]
    assert store.count() == 0


# ---- an index that is wrong


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"garbage" * 5000, id="garbage"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 5000, id="a torn header"),
        pytest.param(b"x" * 600, id="less than a page"),
    ],
)
def test_a_file_that_is_no_index_is_set_aside_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    index_file(tmp_path).write_bytes(content)
    with closing(open_cache(tmp_path)) as cache:
        store_round(cache, "a", 0)
        assert is_whole(cache, "a", 0)
    assert set_aside(tmp_path) == ["index-1.sqlite.corrupt-0"]
    assert (tmp_path / "index-1.sqlite.corrupt-0").read_bytes() == content


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("CREATE TABLE recipes (cake TEXT)", id="of a stranger"),
        pytest.param("CREATE TABLE record (signature TEXT, outputs TEXT, extra TEXT)", id="with our names"),
        pytest.param("CREATE TABLE record (x); PRAGMA user_version = 9", id="of a newer Quincunx"),
    ],
)
def test_a_database_that_is_not_ours_is_set_aside_untouched(tmp_path: Path, script: str) -> None:
    with closing(sqlite3.connect(index_file(tmp_path))) as foreign:
        foreign.executescript(script)
    before = index_file(tmp_path).read_bytes()
    with closing(open_cache(tmp_path)) as cache:
        store_round(cache, "a", 0)
        assert is_whole(cache, "a", 0)
    assert (tmp_path / "index-1.sqlite.corrupt-0").read_bytes() == before


def test_files_set_aside_do_not_replace_each_other(tmp_path: Path) -> None:
    for number in range(3):
        index_file(tmp_path).write_bytes(b"garbage %d" % number * 100)
        open_cache(tmp_path).close()
    assert set_aside(tmp_path) == [f"index-1.sqlite.corrupt-{number}" for number in range(3)]


def test_processes_that_all_find_a_broken_index_begin_one_new_one(tmp_path: Path) -> None:
    index_file(tmp_path).write_bytes(b"this is no database" * 1000)
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        for ended in [pool.submit(store_rounds, tmp_path, name, 10) for name in "abcd"]:
            ended.result()
    assert set_aside(tmp_path) == ["index-1.sqlite.corrupt-0"]
    with closing(open_cache(tmp_path)) as cache:
        assert all(is_whole(cache, name, number) for name in "abcd" for number in range(10))


@pytest.mark.parametrize("content", [b"", b"garbage" * 5000])
def test_an_index_that_breaks_while_it_is_open_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    store_rounds(tmp_path, "a", 5)
    with closing(open_cache(tmp_path)) as cache:
        index_file(tmp_path).write_bytes(content)
        assert not is_whole(cache, "a", 1)
        store_round(cache, "b", 0)
        assert is_whole(cache, "b", 0)


def test_a_fork_is_told_to_open_an_index_of_its_own(cache: Cache) -> None:
    store_round(cache, "parent", 0)
    child = os.fork()
    if child == 0:
        try:
            cache.index.find([signature_of("parent", 0)])
        except StoreError:
            os._exit(7)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert is_whole(cache, "parent", 0)


DAMAGE = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=30)
HEADER = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), max_size=3)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE | HEADER, cut=st.none() | st.integers(0, 10**6), live=st.booleans())
def test_no_damage_to_the_index_yields_wrong_outputs_or_an_error(
    tmp_path: Path, sound_index: bytes, damage: list[tuple[int, int]], cut: int | None, live: bool
) -> None:
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    wrong = bytearray(sound_index)
    for place, value in damage:
        wrong[place % len(wrong)] = value
    del wrong[len(wrong) if cut is None else cut % len(wrong) :]
    index_file(tmp_path).write_bytes(sound_index if live else wrong)
    with closing(open_cache(tmp_path)) as cache:
        if live:
            index_file(tmp_path).write_bytes(wrong)
        found = cache.index.find(signature_of("a", number) for number in range(200))
        for number in range(200):
            if signature_of("a", number) in found:
                assert_right(found[signature_of("a", number)], "a", number)
        cache.index.add({signature_of("b", number): outputs_of("b", number) for number in range(20)})
        cache.index.flush()
        cache.history.remember("song", b"record")
        assert cache.history.recall("song") in (b"record", None)


# ---- a disk that does not do what it should


def test_a_file_where_the_folder_should_be_is_told_with_place_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "cache"):
        with pytest.raises(StoreError) as told:
            open_cache(place)
        assert str(tmp_path / "file") in told.value.where
        assert "--cache-dir" in told.value.remedy


def test_a_folder_where_the_index_should_be_is_told_with_place_and_remedy(tmp_path: Path) -> None:
    index_file(tmp_path).mkdir()
    with pytest.raises(StoreError) as told:
        open_cache(tmp_path)
    assert told.value.where == str(index_file(tmp_path))
    assert "--cache-dir" in told.value.remedy


def test_a_folder_where_a_blob_should_be_is_no_blob_and_is_told_with_place_and_remedy(
    cache: Cache, tmp_path: Path
) -> None:
    place = blob_file(tmp_path, BLOB)
    place.mkdir()
    assert cache.blobs.missing([BLOB]) == {BLOB}
    for attempt in (lambda: cache.blobs.get(BLOB), lambda: cache.blobs.put(BLOB, content_of("a", 0))):
        with pytest.raises(StoreError) as told:
            attempt()
        assert told.value.where == str(place)
        assert "--cache-dir" in told.value.remedy
    assert parts(tmp_path) == []


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: a disk that is full, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_blob_that_does_not_fit_is_told_and_leaves_nothing_behind(cache: Cache, tmp_path: Path) -> None:
    with files_at_most(10_000), pytest.raises(StoreError) as told:
        cache.blobs.put(BLOB, content_of("a", 0))
    assert told.value.where == str(blob_file(tmp_path, BLOB))
    assert parts(tmp_path) == []
    assert cache.blobs.missing([BLOB]) == {BLOB}
    cache.blobs.put(BLOB, content_of("a", 0))
    assert cache.blobs.get(BLOB) == content_of("a", 0)


def test_records_that_could_not_be_written_are_written_when_there_is_room(cache: Cache, tmp_path: Path) -> None:
    records = {signature_of("a", number): outputs_of("a", number) for number in range(2000)}
    with files_at_most(10_000), pytest.raises(StoreError) as told:
        cache.index.add(records)
    assert told.value.where == str(index_file(tmp_path))
    assert cache.index.find(records) == records
    cache.index.flush()
    with closing(open_cache(tmp_path)) as other:
        assert other.index.find(records) == records
    assert set_aside(tmp_path) == []


def test_a_cache_that_is_emptied_while_it_is_used_fills_up_again(cache: Cache, tmp_path: Path) -> None:
    store_round(cache, "a", 0)
    shutil.rmtree(tmp_path)
    assert not is_whole(cache, "a", 0)
    store_round(cache, "a", 1)
    assert is_whole(cache, "a", 1)
    with closing(open_cache(tmp_path)) as other:
        assert is_whole(other, "a", 1)
