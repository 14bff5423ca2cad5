"""A store on a bad day: what comes out is right or missing, and everything ends well or with one clear error."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.farm.fault_proxy import BAD_DAY, FaultProxy, Faults, fault_proxy

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreError, StoreUnreachable
from quincunx_shared.names import Digest
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.bucket import Bucket
from quincunx_shared.stores.machine_cache import MachineCache
from quincunx_shared.stores.patience import Patience
from quincunx_shared.stores.presence import Presence
from quincunx_shared.stores.s3 import S3BlobStore, S3Documents, key_of

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

#: More rounds find rarer faults: QUINCUNX_TEST_ROUNDS=2000.
ROUNDS = int(os.environ.get("QUINCUNX_TEST_ROUNDS", "150"))

SEVERAL_TRIES = Patience(seconds=3.0, retries=10)
SONG = b"la" * 20_000
DIGEST = digest_of_bytes(SONG)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def through(s3_server: S3Server, bucket: Bucket, proxy: FaultProxy) -> Bucket:
    """The test's bucket, through the proxy."""
    return s3_server.bucket(bucket.where.rpartition("/")[2], proxy.endpoint, patience=SEVERAL_TRIES)


def content_of(number: int) -> bytes:
    return number.to_bytes(4, "big") * (250 * (1 + number % 40))


def live_through(store: S3BlobStore, documents: S3Documents, seed: int, outcomes: Counter[str]) -> None:
    """Put, get and ask at random; whatever is answered has to be right."""
    random = Random(seed)
    content = content_of(random.randrange(60))
    digest = digest_of_bytes(content)
    try:
        wish = random.choice(("put", "get", "missing", "document"))
        if wish == "put":
            store.put(digest, content)
            assert store.get(digest) == content
        elif wish == "get":
            assert store.get(digest) == content
        elif wish == "missing":
            assert store.missing([digest, DIGEST]) >= {DIGEST}
        else:
            documents.put(f"orders/{seed}", content)
            assert documents.get(f"orders/{seed}") == content
        outcomes["well"] += 1
    except BlobMissing:
        outcomes["missing"] += 1
    except StoreError as error:
        outcomes[type(error).__name__ if str(error).startswith("s3://") else str(error)] += 1


def test_on_a_bad_day_nothing_wrong_comes_out(bucket: Bucket, through: Bucket, proxy: FaultProxy) -> None:
    proxy.faults = BAD_DAY
    outcomes: Counter[str] = Counter()
    with (
        closing(S3BlobStore(through, Presence(most=-1))) as store,
        ThreadPoolExecutor(12) as pool,
    ):
        documents = S3Documents(through)
        list(pool.map(lambda seed: live_through(store, documents, seed, outcomes), range(ROUNDS)))
    assert set(outcomes) <= {"well", "missing", "StoreUnreachable"}
    assert outcomes["StoreUnreachable"] <= 0.02 * ROUNDS, "ten tries are enough for nearly everything"
    assert all(proxy.seen[fault] for fault in ("error", "silence", "cut", "lost", "passed"))
    # What lies there now is whole, and listed under the digest it has.
    with closing(S3BlobStore(bucket)) as store:
        for one in bucket.objects("blobs/"):
            digest = Digest(one.key.removeprefix("blobs/").replace("/", ""))
            assert digest_of_bytes(store.get(digest)) == digest


def test_bytes_that_are_wrong_once_in_a_while_are_asked_for_again(through: Bucket, proxy: FaultProxy) -> None:
    with closing(S3BlobStore(through)) as store:
        documents = S3Documents(through)
        store.put(DIGEST, SONG)
        documents.put("orders/a", SONG)
        proxy.faults = Faults(wrong=0.2)
        for _ in range(20):
            # Every time it was asked for, which is no harm, and next to never.
            with suppress(StoreUnreachable):
                assert store.get(DIGEST) == SONG
        told = set()
        for _ in range(20):
            try:
                assert documents.get("orders/a") == SONG
            except StoreError as error:
                told.add(error.what)
        assert told <= {"document orders/a is not as it was written"}
        assert proxy.seen["wrong"]


def test_a_reader_to_whom_everything_comes_spoilt_removes_nothing(
    bucket: Bucket, through: Bucket, proxy: FaultProxy
) -> None:
    with closing(S3BlobStore(through)) as sick, closing(S3BlobStore(bucket)) as sound:
        sound.put(DIGEST, SONG)
        proxy.faults = Faults(wrong=1.0)
        with pytest.raises(StoreUnreachable, match="arrives spoilt every time"):
            sick.get(DIGEST)
        assert sound.get(DIGEST) == SONG
        proxy.faults = Faults()
        assert sick.get(DIGEST) == SONG


@pytest.mark.parametrize("size", [20_000, 34 * 2**20], ids=["in one piece", "in parts"])
def test_what_is_wrong_in_the_store_itself_is_dropped_and_computed_again(bucket: Bucket, size: int) -> None:
    content = os.urandom(size)
    digest = digest_of_bytes(content)
    with closing(S3BlobStore(bucket)) as store:
        bucket.put(key_of(digest), content[::-1])
        with pytest.raises(BlobCorrupt):
            store.get(digest)
        assert store.missing([digest]) == {digest}
        store.put(digest, content)
        assert store.get(digest) == content


def test_listings_that_are_spoilt_say_nothing_wrong(s3_server: S3Server, bucket: Bucket, proxy: FaultProxy) -> None:
    patience = Patience(seconds=30.0, retries=15)
    through = s3_server.bucket(bucket.where.rpartition("/")[2], proxy.endpoint, patience=patience)
    with closing(S3BlobStore(through, Presence(most=-1))) as store:
        contents = {digest_of_bytes(content_of(number)): content_of(number) for number in range(100)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(store.put, contents, contents.values()))
        proxy.faults = Faults(cut=0.2, error=0.1)
        for _ in range(3):
            assert store.missing([*contents, DIGEST]) == {DIGEST}


def test_an_upload_in_parts_whose_answers_are_lost_is_there_all_the_same(
    bucket: Bucket, through: Bucket, proxy: FaultProxy
) -> None:
    proxy.faults = Faults(lost=0.4)
    content = os.urandom(1 << 20) * 34
    digest = digest_of_bytes(content)
    with closing(S3BlobStore(through)) as store, closing(S3BlobStore(bucket)) as directly:
        store.put(digest, content)
        assert directly.get(digest) == content
    assert proxy.seen["lost"]


def test_a_store_that_only_fails_ends_with_one_clear_error(
    s3_server: S3Server, bucket: Bucket, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.faults = Faults(error=1.0)
    through = s3_server.bucket(bucket.where.rpartition("/")[2], proxy.endpoint, patience=Patience(1.0, 3))
    with (
        closing(S3BlobStore(through)) as store,
        closing(MachineCache(store, tmp_path, 1e9)) as machine,
    ):
        behind = BehindBlobStore(machine, writers=4)
        behind.put(DIGEST, SONG)
        with pytest.raises(StoreUnreachable, match=r"the store fails: (InternalError|SlowDown)"):
            behind.flush()
        behind.close()
        with pytest.raises(StoreUnreachable):
            machine.get(digest_of_bytes(b"another"))
        proxy.faults = Faults()
        machine.put(DIGEST, SONG)
        assert store.get(DIGEST) == SONG


def test_a_machine_cache_hides_a_bad_day(through: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    contents = {digest_of_bytes(content_of(number)): content_of(number) for number in range(60)}
    proxy.faults = BAD_DAY
    with (
        closing(S3BlobStore(through)) as store,
        closing(MachineCache(store, tmp_path / "one", 1e9)) as one,
        closing(MachineCache(store, tmp_path / "other", 1e9)) as other,
        closing(BehindBlobStore(one, writers=8)) as behind,
    ):
        for digest, content in contents.items():
            behind.put(digest, content)
        behind.flush()
        other.fetch(contents)
        assert {digest: other.get(digest) for digest in contents} == contents
        proxy.faults = Faults(error=1.0)
        assert {digest: other.get(digest) for digest in contents} == contents
