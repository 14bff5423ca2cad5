"""An S3 store that is silent, slow, closed or set up wrongly ends in one clear error, and soon."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreError, StoreUnreachable
from quincunx_shared.stores.bucket import Bucket
from quincunx_shared.stores.patience import Patience
from quincunx_shared.stores.presence import Presence
from quincunx_shared.stores.s3 import S3BlobStore, S3Documents

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

SONG = b"la" * 1000
IMPATIENT = Patience(seconds=0.7, retries=8)


@contextmanager
def listener(answer: bytes = b"", trickle: bool = False) -> Iterator[str]:
    """Yield the address of something that takes connections and says nothing, or a beginning that never ends."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(answer)
                while trickle and not ended.wait(0.05):
                    connection.sendall(b"x")
                ended.wait()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        ended.set()


def assert_ends_soon(bucket: Bucket, within: float) -> None:
    store, documents, digest = S3BlobStore(bucket), S3Documents(bucket), digest_of_bytes(SONG)
    questions: list[Callable[[], object]] = [
        lambda: store.get(digest),
        lambda: store.put(digest, SONG),
        lambda: store.missing([digest]),
        lambda: documents.get("a"),
        lambda: documents.names(),
    ]

    def ends(question: Callable[[], object]) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnreachable):
            question()
        return time.monotonic() - began

    with ThreadPoolExecutor(len(questions)) as pool:
        assert max(pool.map(ends, questions)) < within
    store.close()


def test_a_store_that_takes_and_never_answers_ends_in_time(s3_server: S3Server) -> None:
    with listener() as endpoint:
        assert_ends_soon(s3_server.bucket("silent", endpoint, patience=IMPATIENT), 1.5)


def test_a_store_that_trickles_ends_in_time(s3_server: S3Server) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with listener(head, trickle=True) as endpoint:
        assert_ends_soon(s3_server.bucket("slow", endpoint, patience=IMPATIENT), 3.0)


def test_a_store_that_answers_in_another_language_ends_in_time(s3_server: S3Server) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    answer = head + b"\xff\xfe<p>"
    with listener(answer) as endpoint:
        assert_ends_soon(s3_server.bucket("other", endpoint, patience=IMPATIENT), 1.5)


def test_a_store_that_is_not_there_ends_in_time(s3_server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"127.0.0.1:{server.getsockname()[1]}"
    assert_ends_soon(s3_server.bucket("nobody", endpoint, patience=IMPATIENT), 1.5)


def test_packets_that_vanish_end_in_time(s3_server: S3Server) -> None:
    """A packet that is dropped on the way: what is left of a machine behind a broken link."""
    with socket.socket() as full:
        # A queue of connections that is full takes no more, and Linux says nothing about it.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(full.getsockname())
        bucket = s3_server.bucket("hole", f"127.0.0.1:{full.getsockname()[1]}", patience=Patience(seconds=2.0))
        began = time.monotonic()
        with pytest.raises(StoreUnreachable, match="does not answer"):
            bucket.get("a")
        assert time.monotonic() - began < 2.5
        for one in fillers:
            one.close()


def test_a_bucket_that_is_not_there_is_no_miss(s3_server: S3Server) -> None:
    store = S3BlobStore(s3_server.bucket("never-made"))
    for question in (lambda: store.get(digest_of_bytes(SONG)), lambda: store.missing([digest_of_bytes(SONG)])):
        with pytest.raises(StoreError, match="no such bucket"):
            question()
    store.close()


def test_a_wrong_key_is_told_as_such_and_not_shown(s3_server: S3Server) -> None:
    stranger = replace(s3_server, secret_key="canary")  # noqa: S106
    with pytest.raises(StoreError, match="secret key") as told:
        stranger.bucket("any-bucket").get("a")
    assert "canary" not in str(told.value)
    assert not isinstance(told.value, StoreUnreachable)


def test_a_blob_of_many_parts_comes_back(bucket: Bucket) -> None:
    content = bytes(range(256)) * (40 * 4096)
    store = S3BlobStore(bucket)
    digest = digest_of_bytes(content)
    for _ in range(2):
        store.put(digest, content)
    assert store.get(digest) == content
    assert bucket.size_of(f"blobs/{digest[:2]}/{digest[2:]}") == len(content)
    store.close()


def test_a_blob_that_was_spoilt_in_the_store_is_dropped_and_can_be_put_again(bucket: Bucket) -> None:
    store, digest = S3BlobStore(bucket), digest_of_bytes(SONG)
    store.put(digest, SONG)
    bucket.put(f"blobs/{digest[:2]}/{digest[2:]}", b"other")
    with pytest.raises(BlobCorrupt):
        store.get(digest)
    assert store.missing([digest]) == {digest}
    store.put(digest, SONG)
    assert store.get(digest) == SONG
    store.close()


@pytest.mark.parametrize("gone", [3, 90])
def test_many_blobs_are_told_apart_by_listing(bucket: Bucket, gone: int) -> None:
    store = S3BlobStore(bucket, Presence(most=-1))
    contents = [f"blob {number}".encode() for number in range(200)]
    here = [digest_of_bytes(content) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.put, here[gone:], contents[gone:]))
    strangers = {digest_of_bytes(f"stranger {number}".encode()) for number in range(gone)}
    assert store.missing([*here, *strangers]) == {*here[:gone], *strangers}
    store.close()


def test_what_was_seen_is_believed_until_it_is_read_in_vain(bucket: Bucket) -> None:
    store, digest = S3BlobStore(bucket), digest_of_bytes(SONG)
    store.put(digest, SONG)
    bucket.delete([f"blobs/{digest[:2]}/{digest[2:]}"])
    assert store.missing([digest]) == set()
    with pytest.raises(BlobMissing):
        store.get(digest)
    assert store.missing([digest]) == {digest}
    store.put(digest, SONG)
    assert store.missing([digest]) == set()
    bucket.delete([f"blobs/{digest[:2]}/{digest[2:]}"])
    store.doubt([digest])
    assert store.missing([digest]) == {digest}
    store.close()


def test_two_farms_share_a_bucket_by_prefix(s3_server: S3Server, bucket: Bucket) -> None:
    name = bucket.where.rpartition("/")[2]
    one, other = (S3Documents(s3_server.bucket(name, prefix=prefix)) for prefix in ("one/", "other/"))
    one.put("orders/a", b"1")
    assert other.get("orders/a") is None
    assert other.names() == []
    assert one.names("orders/") == ["orders/a"]
    assert S3Documents(bucket).names() == []


def test_a_bucket_may_be_made_by_several_at_once(s3_server: S3Server) -> None:
    fresh = s3_server.bucket("made-by-several")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fresh.make(), range(8)))
    assert fresh.exists()
