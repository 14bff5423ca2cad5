"""Index and events in Redis, beyond what every form of them does: other processes, bounds, lost answers, outages."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from redis import Redis
from tests.farm.waiting import until

from quincunx_orchestrator.farm.redis_server import RedisServer, start
from quincunx_shared.errors import FarmUnreachable
from quincunx_shared.events import Event, StageStarted
from quincunx_shared.farm.redis_client import connect_to, plain_errors
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.names import Digest, RenderId, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs

R = RenderId("r")


def named(text: object) -> Signature:
    return Signature(sha256(str(text).encode()).hexdigest())


def made(text: object) -> Outputs:
    return (ParamRef(Digest(named(f"blob {text}")), "array", 40_000, (100, 100), "<f4"),)


def event(number: int) -> Event:
    return StageStarted(R, number, 1)


def test_others_find_what_was_flushed_and_the_first_of_them_wins(redis: Redis) -> None:
    first, second = RedisIndex(redis), RedisIndex(redis)
    first.add({named("a"): made("first")})
    assert second.find([named("a")]) == {}
    second.add({named("a"): made("second")})
    first.flush()
    second.flush()
    assert first.find([named("a")]) == second.find([named("a")]) == {named("a"): made("first")}


def test_farms_that_share_a_server_do_not_share_results(redis: Redis) -> None:
    one, other = RedisIndex(redis, "one"), RedisIndex(redis, "other")
    one.add({named("a"): made("a")})
    one.flush()
    assert other.find([named("a")]) == {}
    assert dict(one.records()) == {named("a"): made("a")}
    assert dict(other.records()) == {}


def test_a_record_that_was_spoilt_is_dropped(redis: Redis) -> None:
    index = RedisIndex(redis)
    index.add({named("a"): made("a"), named("b"): made("b")})
    index.flush()
    key = b"qx:sig:" + bytes.fromhex(named("a"))
    redis.setrange(key, 20, b"?")
    assert dict(index.records()) == {named("a"): None, named("b"): made("b")}
    assert index.find([named("a"), named("b")]) == {named("b"): made("b")}
    assert not redis.exists(key)


def test_a_plan_of_ten_thousand_is_one_round_trip(redis: Redis) -> None:
    index = RedisIndex(redis)
    index.add({named(number): made(number) for number in range(0, 10_000, 2)})
    index.flush()
    before = redis.info("stats")["total_commands_processed"]
    assert len(index.find([named(number) for number in range(10_000)])) == 5000
    assert redis.info("stats")["total_commands_processed"] - before <= 12


def test_what_was_added_while_redis_was_away_is_written_when_it_is_back(tmp_path: Path) -> None:
    server = start(tmp_path / "redis")
    try:
        with closing(connect_to(server.url, timeout_seconds=0.1)) as client:
            index = RedisIndex(client)
            server.kill()
            index.add({named("a"): made("a")})
            with pytest.raises(FarmUnreachable), plain_errors():
                index.flush()
            server.launch()
            index.flush()
            assert RedisIndex(client).find([named("a")]) == {named("a"): made("a")}
    finally:
        server.kill()


def test_many_writers_leave_no_gap_and_lose_nothing(redis_server: RedisServer, redis: Redis) -> None:
    def write(writer: int) -> list[int]:
        with closing(connect_to(redis_server.url)) as client:
            log = RedisEventLog(client, "qx", R)
            return [log.append(event(1000 * writer + number)) for number in range(50)]

    with ThreadPoolExecutor(6) as pool:
        numbers = [number for one in pool.map(write, range(6)) for number in one]
    assert sorted(numbers) == list(range(300))
    log = RedisEventLog(redis, "qx", R)
    assert [number for number, _ in log.numbered()] == list(range(300))
    assert len(set(log.since(0))) == 300


def test_events_that_belong_together_stand_together(redis: Redis) -> None:
    log = RedisEventLog(redis, "qx", R)
    assert log.append_all([event(0), event(1), event(2)]) == 2
    assert log.follow(1, 0) == [(1, event(1)), (2, event(2))]


def test_what_is_sent_again_because_its_answer_was_lost_is_told_once(redis: Redis) -> None:
    log = RedisEventLog(redis, "qx", R)
    assert log.append(event(0)) == 0
    log._count -= 1
    assert log.append(event(0)) == 0
    assert log.append(event(1)) == 1
    assert list(log.since(0)) == [event(0), event(1)]


def test_the_log_is_bounded_and_keeps_its_numbers(redis: Redis) -> None:
    log = RedisEventLog(redis, "qx", R, most_events=200, keep_seconds=50)
    log.append_all([event(number) for number in range(1000)])
    kept = list(log.numbered())
    assert 200 <= len(kept) < 400
    assert kept[-1] == (999, event(999))
    assert all(one == event(number) for number, one in kept)
    assert all(0 < redis.ttl(key) <= 50 for key in redis.scan_iter())
    log.forget()
    assert redis.keys() == []


def test_what_a_newer_process_told_is_left_out_and_holds_nobody_up(redis: Redis) -> None:
    log = RedisEventLog(redis, "qx", R)
    log.append(event(0))
    for told in (b'{"event": "SomethingNew", "segment": "p1"}', b'{"event": "StageStarted", "more": 1}', b"\xff"):
        redis.xadd("qx:{r}:events", {"event": told}, id="0-*")
    assert log.follow(1, 0.05) == []
    assert log.append(event(4)) == 4
    assert log.follow(1, 5.0) == [(4, event(4))]
    assert log.since(0) == (event(0), event(4))


def test_who_follows_is_woken_by_the_next_event(redis_server: RedisServer, redis: Redis) -> None:
    heard: list[tuple[int, Event]] = []
    log = RedisEventLog(redis, "qx", R)
    log.append(event(0))

    def follow() -> None:
        with closing(connect_to(redis_server.url, timeout_seconds=0.2)) as client:
            reader = RedisEventLog(client, "qx", R)
            while len(heard) < 3:
                heard.extend(reader.follow(len(heard), 20.0))

    thread = threading.Thread(target=follow)
    thread.start()
    until(lambda: len(heard) == 1)
    until(lambda: redis.info("clients")["blocked_clients"] == 1)
    log.append(event(1))
    log.append(event(2))
    thread.join(10)
    assert heard == [(number, event(number)) for number in range(3)]


def test_who_follows_a_silent_render_is_back_in_time(redis: Redis) -> None:
    assert RedisEventLog(redis, "qx", R).follow(0, 0.02) == []
