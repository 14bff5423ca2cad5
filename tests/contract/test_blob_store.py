"""What every blob store does: in memory, in a folder, on a real S3 server, and written behind any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.folder import FolderBlobStore
from quincunx_shared.stores.machine_cache import MachineCache
from quincunx_shared.stores.memory import MemoryBlobStore
from quincunx_shared.stores.presence import Presence
from quincunx_shared.stores.s3 import S3BlobStore

Behind = Callable[[BlobStore], BlobStore]
FORMS: dict[str, Callable[[Path, Behind], BlobStore]] = {
    "memory": lambda _root, _behind: MemoryBlobStore(),
    "folder": lambda root, _behind: FolderBlobStore(root),
    "behind memory": lambda _root, behind: behind(MemoryBlobStore()),
    "behind folder": lambda root, behind: behind(FolderBlobStore(root)),
    "behind machine cache": lambda root, behind: behind(MachineCache(MemoryBlobStore(), root, 1e6)),
}

SONG, OTHER = b"la" * 20_000, b"li" * 20_000
CONTENTS = st.binary(max_size=3000)


ON_A_SERVER = ("s3", "behind s3")


@pytest.fixture(params=[*FORMS, *ON_A_SERVER])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    with ExitStack() as ends:
        if request.param in ON_A_SERVER:
            # Nothing is remembered, so that every question reaches the server.
            forgetful = Presence(most=-1)
            remote = ends.enter_context(closing(S3BlobStore(request.getfixturevalue("bucket"), forgetful)))
            with_many = BehindBlobStore(remote, writers=4)
            yield remote if request.param == "s3" else ends.enter_context(closing(with_many))
            return

        def behind(within: BlobStore) -> BlobStore:
            return ends.enter_context(closing(BehindBlobStore(within)))

        yield FORMS[request.param](tmp_path / "blobs", behind)


def put(store: BlobStore, content: bytes) -> Digest:
    digest = digest_of_bytes(content)
    store.put(digest, content)
    return digest


def test_what_was_put_comes_back(store: BlobStore) -> None:
    assert store.get(put(store, SONG)) == SONG


def test_it_still_comes_back_after_a_flush(store: BlobStore) -> None:
    digest = put(store, SONG)
    store.flush()
    assert store.get(digest) == SONG


def test_what_was_never_put_is_missing_and_named(store: BlobStore) -> None:
    with pytest.raises(BlobMissing) as told:
        store.get(digest_of_bytes(SONG))
    assert told.value.digest == digest_of_bytes(SONG)


def test_missing_names_what_is_not_here_and_nothing_else(store: BlobStore) -> None:
    here, gone = put(store, SONG), digest_of_bytes(OTHER)
    assert store.missing([here, gone, gone]) == {gone}
    store.flush()
    assert store.missing(iter([here, gone])) == {gone}
    assert store.missing([]) == set()


def test_a_doubted_blob_that_is_there_is_there(store: BlobStore) -> None:
    here, gone = put(store, SONG), digest_of_bytes(OTHER)
    store.flush()
    store.doubt([here, gone])
    assert store.missing([here, gone]) == {gone}
    assert store.get(here) == SONG


def test_putting_twice_changes_nothing(store: BlobStore) -> None:
    assert put(store, SONG) == put(store, SONG)
    store.flush()
    assert store.get(put(store, SONG)) == SONG


def test_nothing_at_all_is_a_blob_too(store: BlobStore) -> None:
    nothing = put(store, b"")
    assert store.get(nothing) == b""
    store.flush()
    assert store.get(nothing) == b""
    assert store.missing([nothing]) == set()


def test_a_view_of_bytes_is_as_good_as_bytes(store: BlobStore) -> None:
    digest = digest_of_bytes(SONG[100:])
    store.put(digest, memoryview(SONG)[100:])
    store.flush()
    assert store.get(digest) == SONG[100:]


def test_bytes_under_a_wrong_name_are_never_given_out_once_they_are_stored(tmp_path: Path) -> None:
    for store in (MemoryBlobStore(), FolderBlobStore(tmp_path)):
        digest = digest_of_bytes(SONG)
        store.put(digest, OTHER)
        with pytest.raises(BlobCorrupt):
            store.get(digest)
        assert store.missing([digest]) == {digest}, "a wrong blob is dropped"
        store.put(digest, SONG)
        assert store.get(digest) == SONG


def test_many_threads_put_and_get_the_same_blobs(store: BlobStore) -> None:
    contents = [bytes([number]) * 5000 for number in range(20)]

    def put_and_get(number: int) -> bool:
        content = contents[number % len(contents)]
        return store.get(put(store, content)) == content

    with ThreadPoolExecutor(8) as pool:
        # Enough for threads to meet; a server takes its time.
        assert all(pool.map(put_and_get, range(100)))
    assert store.missing([digest_of_bytes(content) for content in contents]) == set()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(CONTENTS, max_size=6), asked=st.lists(CONTENTS, max_size=6))
def test_any_bytes_come_back_as_they_were(store: BlobStore, contents: list[bytes], asked: list[bytes]) -> None:
    digests = [put(store, content) for content in contents]
    assert [store.get(digest) for digest in digests] == contents
    missing = store.missing([digest_of_bytes(content) for content in asked])
    assert missing.isdisjoint(digests)
