"""How often what happened to messages, over all processes of a worker: counted in memory that forked children share."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Final

from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.step_counts import REFUSED, named

#: forged: not sealed by this farm; garbage: no message at all; misfit: other steps here; outage: a store was away;
#: drained: handed back at the end; ran: bundles that ended here.
REFUSALS: Final = ("forged", "garbage", "misfit", "outage", "drained")
WORDS: Final = (*REFUSALS, "ran")


class Tally:
    """Counters by word."""

    def __init__(self) -> None:
        self._counts = multiprocessing.get_context("fork").Array("q", len(WORDS))

    def count(self, word: str, by: int = 1) -> None:
        """Count something."""
        with self._counts.get_lock():
            self._counts[WORDS.index(word)] += by

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
        return {word: int(self._counts[place]) for place, word in enumerate(WORDS)}
