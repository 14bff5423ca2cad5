"""A worker whose store is a real S3 server: on a good day, on a bad day, and what the journal knows afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.farm.fault_proxy import BAD_DAY, FaultProxy, Faults, fault_proxy
from tests.farm.waiting import until
from tests.farm.worker_desk import RENDER, WorkerDesk, bundle, worker_desk

from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef, decode, encode
from quincunx_shared.recipe import Bundle, Source
from quincunx_shared.stores.farm_store import FarmStore, store_from
from quincunx_shared.stores.journal import RECORDS, rebuild
from quincunx_shared.stores.memory import MemoryIndex

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

    from quincunx_orchestrator.farm.redis_server import RedisServer
    from quincunx_shared.stores.bucket import Bucket


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def desk(
    redis_server: RedisServer, s3_server: S3Server, bucket: Bucket, proxy: FaultProxy, tmp_path: Path
) -> Iterator[WorkerDesk]:
    told = {"access": s3_server.access_key, "secret": s3_server.secret_key}
    for name, secret in told.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    with worker_desk(redis_server.url, tmp_path) as plain:
        on_server = {
            "store": f"s3://{proxy.endpoint}/{bucket.where.rpartition('/')[2]}",
            "store_access_key_file": tmp_path / "access",
            "store_secret_key_file": tmp_path / "secret",
        }
        settings = FarmSettings(**{**plain.settings.model_dump(), **on_server})
        yield replace(plain, settings=settings)


@pytest.fixture
def other_machine(desk: WorkerDesk, tmp_path: Path) -> Iterator[FarmStore]:
    """The store as another machine sees it, with nothing at hand."""
    settings = desk.settings.model_copy(update={"cache_dir": tmp_path / "other machine"})
    with closing(store_from(settings)) as store:
        yield store


def assert_right(outcomes: dict[str, BundleOutcome], store: FarmStore) -> None:
    """Every result can be fetched from anywhere, and is what its step makes."""
    for word, outcome in outcomes.items():
        ref = outcome.exports[Address(SegmentId(word), PortKey("it", "y"))]
        expected = np.arange(10_000, dtype=np.float32) + np.float32(sum(word.encode()))
        assert np.array_equal(decode(ref, store.blobs.get(ref.digest)), expected)


def test_what_a_worker_made_is_there_for_other_machines(desk: WorkerDesk, other_machine: FarmStore) -> None:
    with desk.worker():
        desk.send(desk.release([bundle(name) for name in "abc"]))
        outcomes = desk.wait_for("a", "b", "c")
    assert_right(outcomes, other_machine)


def test_a_worker_gets_through_a_bad_day_of_its_store(
    desk: WorkerDesk, other_machine: FarmStore, proxy: FaultProxy
) -> None:
    words = [f"w{number}" for number in range(40)]
    with desk.worker(concurrency=2):
        proxy.faults = BAD_DAY
        message = desk.release([bundle(word) for word in words])
        desk.send(message)

        looks = itertools.count(1)

        def ended() -> bool:
            # What was handed back, or whose lease ended, is sent again now and then, as its coordinator would.
            open_bundles = desk.work.unclaimed(RENDER, message.bundles) if next(looks) % 100 == 0 else set()
            if open_bundles:
                at = [message.bundles.index(one) for one in sorted(open_bundles)]
                digests = tuple(message.digests[one] for one in at)
                desk.send(replace(message, bundles=tuple(message.bundles[one] for one in at), digests=digests))
            return set(words) <= set(desk.outcomes())

        until(ended, 60)
        outcomes = desk.outcomes()
        proxy.faults = Faults()
    assert {tuple(one.ran) + tuple(one.recalled) for one in outcomes.values()} == {("it",)}
    assert all(proxy.seen[fault] for fault in ("error", "passed"))
    assert_right(outcomes, other_machine)


def test_what_a_message_reads_is_fetched_before_its_steps_ask(desk: WorkerDesk, other_machine: FarmStore) -> None:
    """The first step naps; meanwhile what the others read comes to the machine."""
    inputs = [encode(np.arange(10_000, dtype=np.float32) * number) for number in range(1, 9)]
    for one in inputs:
        other_machine.blobs.put(one.ref.digest, one.content)
    words = [f"w{number}" for number in range(len(inputs))]
    bundles = [reading(bundle(word, seconds=3.0), one.ref) for word, one in zip(words, inputs, strict=True)]
    near = desk.settings.cache_dir
    assert near is not None
    with desk.worker():
        desk.send(desk.release(bundles))
        until(lambda: all((near / "blobs" / one.ref.digest[:2] / one.ref.digest[2:]).exists() for one in inputs), 15)
        assert not desk.outcomes(), "the first nap is not over"
        desk.work.stop(RENDER)


def reading(one: Bundle, ref: ParamRef) -> Bundle:
    """The same bundle, with something on its input."""
    (task,) = one.tasks
    return replace(one, tasks=(replace(task, inputs=((Source(value=ref),),)),))


def test_the_index_can_be_rebuilt_from_what_workers_journalled(desk: WorkerDesk, other_machine: FarmStore) -> None:
    with desk.worker():
        desk.send(desk.release([bundle(name) for name in "abc"]))
        desk.wait_for("a", "b", "c")
        known = dict(RedisIndex(desk.client).records())
    # Written late, but at the latest when the worker ends.
    assert other_machine.documents.names(RECORDS)
    fresh = MemoryIndex()
    rebuild(fresh, other_machine.documents)
    assert len(known) == 6, "by recipe and by inputs"
    assert fresh.find(known) == known
