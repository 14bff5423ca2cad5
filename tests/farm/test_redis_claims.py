"""Claims in Redis, and the flights that stand on them: who waits, for how long, and what an outage costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from redis import Redis
from tests.farm.waiting import until

from quincunx_orchestrator.farm.redis_server import start
from quincunx_shared.farm.redis_claims import RedisClaims
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.names import Signature
from quincunx_shared.payload import encode
from quincunx_workers.shared_flights import SharedFlights

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
