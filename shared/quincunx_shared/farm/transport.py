"""How messages are received: Celery's own way over Redis, which a message that is garbage cannot break.

Kombu reads what lies on a queue as if it had written it; anything else ends the process that reads. Here such a
message is dropped and counted, and the reader goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from queue import Empty
from typing import Any

from kombu.connection import Connection
from kombu.transport import redis as kombu_redis

from quincunx_shared.farm.queues import look_order

LOG = logging.getLogger(__name__)

#: What reading a message that is none can raise; errors of the connection are not among it.
_GARBAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


#: Between two tries to reach a broker that is away.
_PAUSE_SECONDS = 1.0


class LookOrder:
    """The order in which the queues are asked: by priority, and one look in some from below."""

    def __init__(self, queues: Sequence[str] = ()) -> None:
        self._queues = list(queues)
        self._looks = 0

    def update(self, queues: Sequence[str]) -> None:
        """Take over the queues."""
        self._queues = list(queues)

    def consume(self, count: int) -> list[str]:
        """Return the queues for the next look."""
        return look_order(self._queues, self._looks)[:count]

    def rotate(self, last_used: str) -> str:
        """Count a look that found something."""
        self._looks += 1
        return last_used


class SturdyChannel(kombu_redis.Channel):
    """A channel that outlives what lies on its queues."""

    #: Hears of every message that was dropped. Set by whoever reads, in its own process.
    dropped: Callable[[], None] = staticmethod(lambda: None)

    def _brpop_read(self, **options: Any) -> Any:
        known = set(self.qos._delivered)
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except _GARBAGE as error:
            LOG.warning("a message that cannot be read was dropped: %s", type(error).__name__)
            type(self).dropped()
            # Half read it would hold a place for ever, and come back after the visibility timeout.
            for tag in set(self.qos._delivered) - known:
                self.qos.ack(tag)
            raise Empty from error


#: Celery does what they say before our task is asked: one ends a process while it computes, the other holds messages
#: without bound. Whoever can write to a queue can add them to a message of ours, which seals only what it carries.
_UNWANTED_HEADERS = ("eta", "timelimit")


class SturdyTransport(kombu_redis.Transport):
    """Redis, with sturdy channels, and messages that cannot say when, or for how long, they are worked on."""

    Channel = SturdyChannel

    def _deliver(self, message: Any, queue: str) -> None:
        headers = message["headers"]
        # Celery's older protocol has its headers in the body; nobody here writes it.
        if "task" not in headers:
            raise KeyError("task")
        for name in _UNWANTED_HEADERS:
            headers.pop(name, None)
        super()._deliver(message, queue)  # type: ignore[no-untyped-call]


class PatientConnection(Connection):
    """A connection that is tried again every other second, for ever: the farm waits for nothing else."""

    def ensure_connection(self, *given: Any, **named: Any) -> Any:
        """Try until it stands; by default the pauses grow to half a minute."""
        return super().ensure_connection(*given, **{**named, "interval_step": 0, "interval_max": _PAUSE_SECONDS})  # type: ignore[no-untyped-call]


def be_patient(app: Any) -> None:
    """Have a Celery app connect like this."""
    app.amqp.Connection = PatientConnection
