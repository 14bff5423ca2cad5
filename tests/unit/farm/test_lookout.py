"""One look for all stages under way: each hears of its own, errors and stops reach all, and somebody looks on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.farm.waiting import until

from quincunx_orchestrator.farm.lookout import Lookout
from quincunx_orchestrator.farm.wake import Wake

LANES = 16

#: Far longer than a test may take: nobody may have to wait for the end of it.
LONG = 60.0


class Lanes:
    """Threads that each wait for one bundle until it has ended or the render was stopped."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.ended: dict[str, bytes] = {}
        self.error: Exception | None = None
        self.looks: list[int] = []
        self.wake = Wake()
        self.lookout = Lookout(self.wake, self.look)
        names = [f"1/p{number}/mix" for number in range(LANES)]
        self.waiting: dict[str, Future[bytes]] = {name: pool.submit(self.wait_for, name) for name in names}

    def look(self, names: Sequence[str]) -> Mapping[str, bytes]:
        self.looks.append(len(names))
        if self.error is not None:
            raise self.error
        return {name: self.ended[name] for name in names if name in self.ended}

    def wait_for(self, name: str) -> bytes:
        ear = self.lookout.listen([name])
        while not self.wake.stopped:
            if found := self.lookout.news(ear, LONG):
                assert list(found) == [name]
                return found[name]
        return b"stopped"

    def end(self, name: str) -> None:
        self.ended[name] = name.encode()
        self.wake.call()


@contextmanager
def lanes() -> Iterator[Lanes]:
    with ThreadPoolExecutor(LANES) as pool:
        found = Lanes(pool)
        try:
            until(lambda: len(found.lookout._listening) == LANES)
            yield found
        finally:
            found.wake.stop("the test is over")


def test_each_hears_of_its_own_and_one_looks_for_all() -> None:
    with lanes() as under_way:
        for name, waiting in under_way.waiting.items():
            under_way.end(name)
            assert waiting.result(10) == name.encode()
        # One for every call; not one for every call and everybody who waits.
        assert len(under_way.looks) <= LANES
        assert under_way.looks == sorted(under_way.looks, reverse=True)


def test_what_ends_together_is_heard_with_one_look() -> None:
    with lanes() as under_way:
        under_way.ended.update({name: name.encode() for name in under_way.waiting})
        under_way.wake.call()
        for name, waiting in under_way.waiting.items():
            assert waiting.result(10) == name.encode()
        assert under_way.looks == [LANES]


def test_what_a_look_raises_reaches_everybody() -> None:
    with lanes() as under_way:
        under_way.error = ConnectionError("Redis is away")
        under_way.wake.call()
        for waiting in under_way.waiting.values():
            with pytest.raises(ConnectionError):
                waiting.result(10)
        assert len(under_way.looks) == 1


def test_a_stop_reaches_everybody() -> None:
    with lanes() as under_way:
        under_way.wake.stop("cancelled")
        assert {waiting.result(10) for waiting in under_way.waiting.values()} == {b"stopped"}
        assert under_way.looks == []


def test_somebody_looks_on_when_whoever_looked_has_gone() -> None:
    with lanes() as under_way:
        first = next(iter(under_way.waiting))
        gone = threading.Event()
        under_way.waiting[first].add_done_callback(lambda _: gone.set())
        under_way.end(first)
        assert gone.wait(10)
        for name in list(under_way.waiting)[1:]:
            under_way.end(name)
        assert all(waiting.result(10) for waiting in under_way.waiting.values())
