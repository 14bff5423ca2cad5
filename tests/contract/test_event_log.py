"""What every event log does, and what the one in memory does for those who listen."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from quincunx_shared.events import Event, StageStarted
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.names import RenderId
from quincunx_shared.ports import EventLog
from quincunx_shared.stores.memory import MemoryEventLog

PATIENCE = 30.0


@pytest.fixture(params=["memory", "fake_redis", "redis"])
def log(request: pytest.FixtureRequest) -> EventLog:
    if request.param == "memory":
        return MemoryEventLog()
    return RedisEventLog(request.getfixturevalue(request.param), "qx", RenderId("r"))


def event(number: int) -> Event:
    return StageStarted(RenderId("r"), number, 1)


def test_events_are_numbered_from_nought_without_gaps(log: EventLog) -> None:
    assert [log.append(event(number)) for number in range(5)] == [0, 1, 2, 3, 4]
    assert list(log.since(0)) == [event(number) for number in range(5)]


def test_one_can_read_on_where_one_stopped(log: EventLog) -> None:
    for number in range(5):
        log.append(event(number))
    assert list(log.since(3)) == [event(3), event(4)]
    assert list(log.since(5)) == []
    assert list(log.since(50)) == []


def test_what_was_read_does_not_grow(log: EventLog) -> None:
    log.append(event(0))
    read = log.since(0)
    log.append(event(1))
    assert list(read) == [event(0)]


def test_threads_get_numbers_of_their_own(log: EventLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda number: (log.append(event(number)), number), range(400)))
    events = log.since(0)
    assert sorted(sequence for sequence, _ in numbers) == list(range(400))
    assert all(events[sequence] == event(number) for sequence, number in numbers)


def test_every_listener_hears_every_event_of_its_time_in_order() -> None:
    log = MemoryEventLog()
    first: list[Event] = []
    second: list[Event] = []
    log.append(event(0))
    with log.heard_by(first.append):
        log.append(event(1))
        with log.heard_by(second.append):
            log.append(event(2))
        log.append(event(3))
    log.append(event(4))
    assert first == [event(1), event(2), event(3)]
    assert second == [event(2)]


def test_a_listener_hears_events_in_the_order_of_their_numbers_whoever_appends() -> None:
    log = MemoryEventLog()
    heard: list[Event] = []
    with log.heard_by(heard.append), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.append(event(number)), range(400)))
    assert heard == list(log.since(0))


def test_a_listener_that_raises_spoils_nothing_and_hears_on() -> None:
    log = MemoryEventLog()
    heard: list[Event] = []

    def stumble(one: Event) -> None:
        heard.append(one)
        raise RuntimeError("no")

    with log.heard_by(stumble):
        assert [log.append(event(0)), log.append(event(1))] == [0, 1]
    assert heard == [event(0), event(1)]


def test_a_listener_that_dawdles_holds_nobody_up() -> None:
    log = MemoryEventLog()
    free = threading.Event()
    heard: list[Event] = []

    def dawdle(one: Event) -> None:
        assert free.wait(PATIENCE)
        heard.append(one)

    with log.heard_by(dawdle):
        for number in range(50):
            log.append(event(number))
        assert heard == [], "the steps are done before the listener has begun"
        free.set()
    assert len(heard) == 50, "and at the end it has heard everything"
