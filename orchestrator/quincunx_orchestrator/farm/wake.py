"""How the thread of a render hears that something has happened, and that it is to stop."""

from __future__ import annotations

import threading

from quincunx_orchestrator.farm.job import Priority
from quincunx_shared.errors import QuincunxError


class RenderStopped(QuincunxError):
    """The render was cancelled or superseded, or another coordinator has it now: leave everything as it is."""


class Wake:
    """Wakes the thread of a render, and says whether it is to stop, and in which class it is by now."""

    def __init__(self, priority: Priority = "user") -> None:
        self.priority: Priority = priority
        self._changed = threading.Condition()
        self._calls = 0
        self.stopped = ""

    def call(self) -> None:
        """Something has happened: look."""
        with self._changed:
            self._calls += 1
            self._changed.notify_all()

    def stop(self, why: str) -> None:
        """End the render here."""
        with self._changed:
            self.stopped = why
            self._changed.notify_all()

    def calls(self) -> int:
        """How often it was called so far."""
        with self._changed:
            return self._calls

    def wait(self, heard: int, seconds: float) -> int:
        """Wait for a call after the first `heard` ones, but no longer than that, and return how many there were."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls > heard or self.stopped != "", seconds)
            return self._calls
