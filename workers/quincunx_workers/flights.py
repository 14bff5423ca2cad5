"""Single flight: equal computations under way in one process are done once; the others wait for the result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from quincunx_shared.names import Signature

#: Asked now and then by whoever waits for another process, with the seconds so far; raises to give up.
Waiting: TypeAlias = Callable[[float], None]


def patiently(_seconds: float) -> None:
    """Go on waiting."""


class Flights:
    """One lock per signature under way; it exists only as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Signature, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, signature: Signature, waiting: Waiting = patiently) -> Iterator[None]:  # noqa: ARG002 - as below
        """Hold the signature; whoever comes second enters when the first has left.

        `waiting` is for those who wait for other processes: see `SharedFlights`.
        """
        with self._guard:
            lock, awaited = self._under_way.get(signature, (threading.Lock(), 0))
            self._under_way[signature] = (lock, awaited + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, awaited = self._under_way[signature]
                if awaited == 1:
                    del self._under_way[signature]
                else:
                    self._under_way[signature] = (lock, awaited - 1)

    def land(self) -> None:
        """Let others have what has ended. Nobody else is here; see `SharedFlights`."""
