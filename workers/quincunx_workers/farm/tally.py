"""How often what happened to messages, over all processes of a worker: counted in memory that forked children share.

A child may be killed at any moment, also while it counts. So what excludes the others is a lock of the system, which
takes it back; a semaphore would stand still with all of them.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.step_counts import REFUSED, named

#: forged: not sealed by this farm; garbage: no message at all; misfit: other steps here; outage: a store was away;
#: drained: handed back at the end; ran: bundles that ended here.
REFUSALS: Final = ("forged", "garbage", "misfit", "outage", "drained")
WORDS: Final = (*REFUSALS, "ran")

_NUMBER = struct.Struct("=q")


class Tally:
    """Counters by word."""

    def __init__(self) -> None:
        self._counts = mmap.mmap(-1, _NUMBER.size * len(WORDS))
        self._lock, path = tempfile.mkstemp()
        Path(path).unlink()
        weakref.finalize(self, os.close, self._lock)
        self._threads = threading.Lock()

    def count(self, word: str, by: int = 1) -> None:
        """Count something."""
        place = WORDS.index(word)
        with self._alone():
            _NUMBER.pack_into(self._counts, place * _NUMBER.size, self._count_at(place) + by)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # The lock of the system is the process's: it does not part its threads.
        with self._threads:
            fcntl.lockf(self._lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _count_at(self, place: int) -> int:
        return int(_NUMBER.unpack_from(self._counts, place * _NUMBER.size)[0])

    def teller(self, counters: RedisCounters) -> Callable[[], None]:
        """What tells the farm, each time it is called, what was counted since the last time."""
        told = self.counts()

        def tell() -> None:
            now = self.counts()
            new = {named(REFUSED, word): now[word] - told[word] for word in REFUSALS if now[word] > told[word]}
            told.update(now)
            counters.add(new)

        return tell

    def counts(self) -> dict[str, int]:
        """Return all counters."""
        return {word: self._count_at(place) for place, word in enumerate(WORDS)}
