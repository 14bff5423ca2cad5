"""Recall over every index and blob store: it promises only what is really there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path

import pytest

from quincunx_shared.errors import BlobCorrupt
from quincunx_shared.names import Signature
from quincunx_shared.payload import Encoded, encode
from quincunx_shared.recall import Recall
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryIndex


def in_memory(_root: Path, _ends: ExitStack) -> Recall:
    return Recall(MemoryIndex(), MemoryBlobStore())


def on_disk(root: Path, ends: ExitStack) -> Recall:
    cache = ends.enter_context(closing(open_cache(root)))
    return Recall(cache.index, cache.blobs)


@pytest.fixture(params=[in_memory, on_disk])
def recall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recall]:
    form: Callable[[Path, ExitStack], Recall] = request.param
    with ExitStack() as ends:
        yield form(tmp_path, ends)


def name_of(text: str) -> Signature:
    return Signature(sha256(text.encode()).hexdigest())


LOST, KEPT, SMALL = encode(b"lost" * 5000), encode(b"kept" * 5000), encode([1, 2, 3])


def put(recall: Recall, encoded: Encoded) -> None:
    recall.blobs.put(encoded.ref.digest, encoded.content)


def test_a_record_is_recalled_while_its_blobs_are_there(recall: Recall) -> None:
    put(recall, KEPT)
    recall.index.add({name_of("a"): (KEPT.ref, SMALL.ref)})
    assert recall.find([name_of("a"), name_of("never ran")]) == {name_of("a"): (KEPT.ref, SMALL.ref)}


def test_what_rides_inside_the_record_needs_no_blob(recall: Recall) -> None:
    recall.index.add({name_of("a"): (SMALL.ref,), name_of("b"): ()})
    assert recall.find([name_of("a"), name_of("b")]) == {name_of("a"): (SMALL.ref,), name_of("b"): ()}


@pytest.mark.parametrize("flushed", [True, False])
def test_a_record_that_lost_one_blob_is_forgotten_and_the_others_are_not(recall: Recall, flushed: bool) -> None:
    put(recall, KEPT)
    recall.index.add({name_of("broken"): (KEPT.ref, LOST.ref), name_of("whole"): (KEPT.ref,)})
    if flushed:
        recall.index.flush()
    assert recall.find([name_of("broken"), name_of("whole")]) == {name_of("whole"): (KEPT.ref,)}
    assert recall.index.find([name_of("broken"), name_of("whole")]) == {name_of("whole"): (KEPT.ref,)}


def test_a_step_that_ran_again_is_recalled_by_its_new_record(recall: Recall) -> None:
    recall.index.add({name_of("a"): (LOST.ref,)})
    assert recall.find([name_of("a")]) == {}
    put(recall, KEPT)
    recall.index.add({name_of("a"): (KEPT.ref,)})
    recall.index.flush()
    assert recall.find([name_of("a")]) == {name_of("a"): (KEPT.ref,)}, "the lost record must not win"


def test_two_records_with_one_lost_blob_are_both_forgotten(recall: Recall) -> None:
    recall.index.add({name_of("deep"): (LOST.ref,), name_of("shallow"): (LOST.ref,)})
    assert recall.find([name_of("deep"), name_of("shallow")]) == {}
    assert recall.index.find([name_of("deep"), name_of("shallow")]) == {}


def test_an_emptied_blob_is_forgotten_at_once_and_a_spoilt_one_after_it_was_read(tmp_path: Path) -> None:
    with ExitStack() as ends:
        recall = on_disk(tmp_path, ends)
        for encoded, left in ((LOST, b""), (KEPT, bytes(len(KEPT.content)))):
            put(recall, encoded)
            recall.index.add({name_of(encoded.ref.digest): (encoded.ref,)})
            digest = encoded.ref.digest
            (tmp_path / "blobs" / digest[:2] / digest[2:]).write_bytes(left)
        names = [name_of(LOST.ref.digest), name_of(KEPT.ref.digest)]
        assert set(recall.find(names)) == {names[1]}
        with pytest.raises(BlobCorrupt):
            recall.blobs.get(KEPT.ref.digest)
        assert recall.find(names) == {}
