"""The events of one bundle: kept until it ends, so that each is told once, by whoever ends the bundle."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from quincunx_shared.events import Event, StepProgressed
from quincunx_shared.ports import Clock

#: How far a step is, is told as it happens, but no more often than a person looks.
_TELL_SECONDS = 0.5


class BundleLog:
    """An event log that waits. `live` hears how far a running step is; it may fail, nothing depends on it."""

    def __init__(self, live: Callable[[Event], None], clock: Clock) -> None:
        self._live = live
        self._clock = clock
        self._told_at = clock.now()
        self.events: list[Event] = []

    def append(self, event: Event) -> int:
        """Keep an event; the number is that within the bundle."""
        if not isinstance(event, StepProgressed):
            self.events.append(event)
        elif self._clock.now() - self._told_at > _TELL_SECONDS:
            self._told_at = self._clock.now()
            with contextlib.suppress(Exception):
                self._live(event)
        return len(self.events) - 1

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from a number on."""
        return tuple(self.events[sequence:])
