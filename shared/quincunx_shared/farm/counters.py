"""What the whole farm has counted since it began, in Redis: processes come and go, their counts stay.

    <namespace>:counters    hash: name of parts → number, only ever added to
    <namespace>:refused     hash: why messages and bundles were refused → how often

Counting is for people who watch. It never holds up or ends a render: what cannot be told is dropped.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from redis import Redis

LOG = logging.getLogger(__name__)


def counters_key(namespace: str) -> str:
    """Where the counts are."""
    return f"{namespace}:counters"


def refused_key(namespace: str) -> str:
    """Where it is counted why messages and bundles were refused."""
    return f"{namespace}:refused"


class RedisCounters:
    """The counts of a farm."""

    def __init__(self, client: Redis, namespace: str) -> None:
        self._client = client
        self._key = counters_key(namespace)
        self._guard = threading.Lock()
        self._kept: Counter[str] = Counter()

    def keep(self, counts: Mapping[str, float]) -> None:
        """Add these with the next ones: nobody waits for a round trip now."""
        with self._guard:
            self._kept.update(counts)

    def add(self, counts: Mapping[str, float]) -> None:
        """Add to the counts, in one round trip. Never raises."""
        if not counts:
            return
        with self._guard:
            every, self._kept = self._kept + Counter(counts), Counter()
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for name, number in every.items():
                    pipe.hincrbyfloat(self._key, name, number)
                pipe.execute()
        except Exception as error:  # whatever it is: nobody waits for a count
            LOG.debug("counts were dropped: %s", error)

    def read(self) -> dict[str, float]:
        """All counts."""
        return numbers(self._client.hgetall(self._key))


def numbers(told: object) -> dict[str, float]:
    """A hash of numbers as Redis answers it."""
    pairs = cast("Mapping[bytes | str, bytes | str]", told)
    return {(name.decode() if isinstance(name, bytes) else name): float(number) for name, number in pairs.items()}
