"""News: a coordinator hears in the same moment that a job was accepted, or that the last open bundle of a render ended.

The messages of Celery tell the same some milliseconds later: a chord counts its parts, sends its body, and that waits
in a queue. Here Redis publishes it with the very change. What is published may be lost; then the messages tell it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from quincunx_shared.farm.render_keys import ENDED, NEW, news_channel
from quincunx_shared.names import RenderId

if TYPE_CHECKING:
    from redis import Redis

#: How often to see whether to end.
_LOOK_SECONDS = 0.5


class Listener(Protocol):
    """Who is told."""

    def wake(self, render: RenderId) -> None:
        """There is something to do: the job is new, or something has happened to it."""

    def stir(self, render: RenderId) -> None:
        """Look at a render if it is yours."""


def listen(redis: Redis, namespace: str, listener: Listener, ending: threading.Event) -> None:
    """Tell what is published until told to end. Raises what the client raises where Redis is away."""
    told: dict[str, Callable[[RenderId], None]] = {NEW: listener.wake, ENDED: listener.stir}
    with closing(redis.pubsub(ignore_subscribe_messages=True)) as hearing:  # type: ignore[no-untyped-call]
        hearing.subscribe(news_channel(namespace))
        while not ending.is_set():
            message = hearing.get_message(timeout=_LOOK_SECONDS)
            word, _, render = ("" if message is None else _text(message["data"])).partition(" ")
            if word in told:
                told[word](RenderId(render))


def _text(told: object) -> str:
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
