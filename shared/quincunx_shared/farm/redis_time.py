"""The time of Redis, which all machines of a farm share however wrong their own clocks are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

#: Between two questions the machine's own monotonic clock is good enough.
_ASK_SECONDS = 30.0


class RedisTime:
    """A clock that asks Redis now and then."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._ahead = 0.0
        self._asked_at: float | None = None

    def now(self) -> float:
        """Seconds since 1970, as Redis sees it."""
        here = time.monotonic()
        if self._asked_at is None or here - self._asked_at > _ASK_SECONDS:
            seconds, micros = self._client.time()
            self._ahead = seconds + micros / 1e6 - time.monotonic()
            self._asked_at = here
        return time.monotonic() + self._ahead
