"""Work states side by side: each form with its board, its log and a way to let leases run out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from quincunx_shared.events import Event
from quincunx_shared.farm.memory_work_state import MemoryWorkState
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.render_keys import BOARD, EVENTS, board_field, board_ref, render_key
from quincunx_shared.farm.work_state import LEASE_SECONDS, WorkState
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef
from quincunx_shared.stores.memory import ManualClock, MemoryBoard, MemoryEventLog

RENDER = RenderId("r1")


@dataclass(frozen=True)
class Desk:
    """A work state, and what a test looks at beside it."""

    work: WorkState
    #: Let every lease run out.
    expire: Callable[[], None]
    events: Callable[[], Sequence[Event]]
    on_board: Callable[[Address], ParamRef | None]


def memory_desk() -> Desk:
    """All in this process."""
    clock, board, log = ManualClock(), MemoryBoard(), MemoryEventLog()
    work = MemoryWorkState(clock, lambda _: board, lambda _: log)
    return Desk(
        work,
        lambda: clock.advance(LEASE_SECONDS + 1),
        lambda: log.since(0),
        lambda address: dict(board._refs).get(address),
    )


def redis_desk(server: Redis) -> Desk:
    """On a server, which is emptied first."""
    client: Any = server  # its annotations promise unions nobody gets
    client.flushall()

    def key(part: str) -> str:
        return render_key("qx", RENDER, part)

    def expire() -> None:
        for name, lease in client.hgetall(key("leases")).items():
            token, _, rest = lease.split(b" ", 2)
            client.hset(key("leases"), name, b" ".join((token, b"1", rest)))

    def on_board(address: Address) -> ParamRef | None:
        found = client.hget(key(BOARD), board_field(address))
        return None if found is None else board_ref(found)

    def events() -> Sequence[Event]:
        entries = client.xrange(key(EVENTS))
        assert [name for name, _ in entries] == [b"0-%d" % (k + 1) for k in range(len(entries))]
        return RedisEventLog(client, "qx", RENDER).since(0)

    return Desk(RedisWorkState(server), expire, events, on_board)
