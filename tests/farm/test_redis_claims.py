"""Claims in Redis, and the flights that stand on them: who waits, for how long, and what an outage costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from tests.farm.waiting import until
from tests.farm.worker_desk import bundle
from tests.scenario.toy_farm import NoModels, step

from quincunx_orchestrator.farm.redis_server import RedisServer, start
from quincunx_shared.errors import StoreUnreachable
from quincunx_shared.farm.redis_claims import RedisClaims
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.manifest import Input, Option
from quincunx_shared.names import Signature
from quincunx_shared.payload import encode
from quincunx_shared.recall import Recall
from quincunx_shared.step import StepContext
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryBoard, MemoryEventLog, SystemClock
from quincunx_workers.executor import run_bundle
from quincunx_workers.shared_flights import SharedFlights
from quincunx_workers.workbench import Workbench

ONE, OTHER = (Signature(sha256(name).hexdigest()) for name in (b"one", b"other"))


@pytest.fixture
def mine(redis: Redis) -> Iterator[RedisClaims]:
    with closing(RedisClaims(redis, lease_seconds=0.3)) as claims:
        yield claims


@pytest.fixture
def theirs(redis: Redis) -> Iterator[RedisClaims]:
    with closing(RedisClaims(redis, lease_seconds=0.3)) as claims:
        yield claims


def test_what_another_process_has_claimed_is_not_to_be_had_and_all_else_is(
    mine: RedisClaims, theirs: RedisClaims
) -> None:
    assert theirs.take(ONE)
    assert theirs.take(ONE), "once more, after a lost answer"
    assert not mine.take(ONE)
    assert mine.take(OTHER)
    theirs.give_back([ONE])
    assert mine.take(ONE)


def test_a_claim_lasts_as_long_as_it_is_held_and_no_longer_than_its_process(redis: Redis, mine: RedisClaims) -> None:
    theirs = RedisClaims(redis, lease_seconds=0.3)
    assert theirs.take(ONE)
    pauses = iter(range(120))
    until(lambda: next(pauses) == 119 or mine.take(ONE))
    assert not mine.take(ONE), "renewed for two leases"
    # As if the process were dead: nobody renews.
    with theirs._changed:
        theirs._held.clear()
    until(lambda: mine.take(ONE))
    theirs.give_back([ONE])
    theirs._for_each([ONE], 0)
    assert not RedisClaims(redis).take(ONE), "who lost a claim cannot give it back for others"


def test_everything_is_given_back_at_the_end(redis: Redis) -> None:
    claims = RedisClaims(redis)
    assert claims.take(ONE)
    assert claims.take(OTHER)
    claims.close()
    assert redis.keys() == []


def test_a_farm_is_never_alone(mine: RedisClaims) -> None:
    assert not mine.nobody_else()


def test_without_redis_everybody_gets_every_claim(tmp_path: Path) -> None:
    server = start(tmp_path / "redis")
    with closing(connect_to(server.url, timeout_seconds=0.1)) as client:
        claims = RedisClaims(client)
        server.kill()
        assert claims.take(ONE)
        claims.give_back([ONE])
        claims.close()


@pytest.fixture
def small_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one's own, that may be filled or killed."""
    server = start(tmp_path / "redis")
    yield server
    server.kill()


def test_a_redis_that_is_full_gives_everybody_every_claim(small_redis: RedisServer) -> None:
    with closing(connect_to(small_redis.url)) as client, closing(RedisClaims(client, lease_seconds=0.03)) as claims:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        assert claims.take(ONE)
        assert claims.take(OTHER)


def test_claims_are_renewed_after_whatever_went_wrong(small_redis: RedisServer) -> None:
    with closing(connect_to(small_redis.url)) as client, closing(RedisClaims(client, lease_seconds=0.3)) as claims:
        # Not an outage: a key of another kind is no claim, and to ask for it is an error.
        client.lpush(f"qx:claim:{OTHER}", "spoilt")
        assert claims.take(OTHER)
        client.config_resetstat()
        until(lambda: "errorstat_WRONGTYPE" in client.info("errorstats"))
        claims.give_back([OTHER])
        assert claims.take(ONE)
        client.pexpire(f"qx:claim:{ONE}", 200)
        until(lambda: client.pttl(f"qx:claim:{ONE}") > 250)


def test_a_step_does_not_fail_because_redis_went_away_before_it_was_looked_up(small_redis: RedisServer) -> None:
    ran: list[str] = []

    def run(inputs: Any, options: Any, context: StepContext) -> Any:  # noqa: ARG001
        ran.append(options["word"])
        return [1]

    options = [Option(name=one, type="str", default="") for one in ("trace", "word")]
    seconds = Option(name="seconds", type="float", default=0.0)
    nap = step("nap", run, inputs=(Input(name="x", type="audio", required=False),), options=(*options, seconds))
    with closing(connect_to(small_redis.url, timeout_seconds=0.1)) as client:
        index = RedisIndex(client)
        claims = RedisClaims(client, index=index)
        recall = Recall(index, MemoryBlobStore())
        bench = Workbench(
            {"nap": nap},
            recall.blobs,
            index,
            MemoryEventLog(),
            SystemClock(),
            NoModels(),
            flights=SharedFlights(claims, recall.flush),
        )
        small_redis.kill()
        with pytest.raises(StoreUnreachable, match="no answer"):
            run_bundle(bundle("a"), MemoryBoard(), bench)
        assert ran == []
        small_redis.launch()
        assert run_bundle(bundle("a"), MemoryBoard(), bench).ran == ["it"]
        claims.close()


def test_a_flight_waits_until_the_other_machine_has_landed(mine: RedisClaims, theirs: RedisClaims) -> None:
    entered = threading.Event()
    flights = SharedFlights(mine, lambda: None)

    def fly() -> None:
        with flights.alone(ONE):
            entered.set()

    assert theirs.take(ONE)
    thread = threading.Thread(target=fly)
    thread.start()
    assert not entered.wait(0.05)
    theirs.give_back([ONE])
    assert entered.wait(10)
    thread.join()


def test_who_has_a_claim_hears_with_it_what_the_index_knows(redis: Redis) -> None:
    known, unknown = Signature("aa" * 32), Signature("bb" * 32)
    writer, index = RedisIndex(redis), RedisIndex(redis)
    claims = RedisClaims(redis, index=index)
    record = {known: (encode([1]).ref,)}
    writer.add(record)
    writer.flush()
    for name in (known, unknown):
        assert claims.take(name)
    redis.flushall()
    assert index.find([known, unknown]) == record
    assert index.find([known, unknown]) == {}
    claims.close()


def test_what_this_process_wrote_after_it_was_claimed_is_found(redis: Redis) -> None:
    index = RedisIndex(redis)
    record = {ONE: (encode([1]).ref,)}
    with closing(RedisClaims(redis, index=index)) as claims:
        index.add(record)
        assert claims.take(ONE)
        index.flush()
        assert index.find([ONE]) == record
    index.forget([ONE])
    asked = index.writes
    index.add(record)
    index.flush()
    index.hear({ONE: None}, asked)
    assert index.find([ONE]) == record, "an answer from before the write comes late"


def test_what_is_foreseen_is_good_for_one_look(redis: Redis) -> None:
    known, later = Signature("aa" * 32), Signature("bb" * 32)
    index = RedisIndex(redis)
    record = (encode([1]).ref,)
    RedisIndex(redis).flush()
    for name in (known, later):
        writer = RedisIndex(redis)
        if name == later:
            index.foresee([known, later])
        writer.add({name: record})
        writer.flush()
    assert index.find([known, later]) == {known: record}
    assert index.find([known, later]) == {known: record, later: record}
