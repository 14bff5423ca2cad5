"""Who computes at the same time in one process: many, or one that may end it.

Threads die together. A bundle that was begun before and never ended may be what ends the process, so it computes while
nothing else does: otherwise its neighbours would be counted as often as it is, and be given up with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Crowd:
    """Lets any number in, or one alone. Who wants to be alone comes before those who come later."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._loner = False
        self._loners_waiting = 0

    @contextmanager
    def computing(self, *, alone: bool) -> Iterator[None]:
        """Be inside until the block ends."""
        with self._changed:
            if alone:
                self._loners_waiting += 1
                self._changed.wait_for(lambda: not self._inside and not self._loner)
                self._loners_waiting -= 1
                self._loner = True
            else:
                self._changed.wait_for(lambda: not self._loner and not self._loners_waiting)
                self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                if alone:
                    self._loner = False
                else:
                    self._inside -= 1
                self._changed.notify_all()
