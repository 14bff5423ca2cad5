"""Whether a worker is to end: seen by the main process and all its children alike."""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable

#: What a step may still take after a worker was told to end. Longer ones are begun anew elsewhere.
GRACE_SECONDS = 20.0

_CALM, _ASKED = 0, 1


class Draining:
    """A byte that forked children share. Who was asked ends its bundle, hands the others back, and takes no more."""

    def __init__(self, grace_seconds: float = GRACE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = mmap.mmap(-1, 1)
        self._grace = grace_seconds
        self._clock = clock
        self._seen_at: float | None = None

    def ask(self) -> None:
        """Have everybody finish. May be called by a signal's receiver."""
        self._shared[0] = _ASKED

    @property
    def asked(self) -> bool:
        """Whether no further bundle is to begin."""
        asked = self._shared[0] == _ASKED
        if asked and self._seen_at is None:
            self._seen_at = self._clock()
        return asked

    @property
    def overdue(self) -> bool:
        """Whether not even a further step of a bundle is to begin."""
        return self.asked and self._clock() - (self._seen_at or 0.0) > self._grace
