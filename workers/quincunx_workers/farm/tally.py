"""How often what happened to messages, over all processes of a worker: counted in memory that forked children share."""

from __future__ import annotations

import multiprocessing
from typing import Final

#: forged: not sealed by this farm; garbage: no message at all; misfit: other steps here; outage: a store was away;
#: drained: handed back at the end; ran: bundles that ended here.
WORDS: Final = ("forged", "garbage", "misfit", "outage", "drained", "ran")


class Tally:
    """Counters by word."""

    def __init__(self) -> None:
        self._counts = multiprocessing.get_context("fork").Array("q", len(WORDS))

    def count(self, word: str, by: int = 1) -> None:
        """Count something."""
        with self._counts.get_lock():
            self._counts[WORDS.index(word)] += by

    def counts(self) -> dict[str, int]:
        """Return all counters."""
        return {word: int(self._counts[place]) for place, word in enumerate(WORDS)}
