"""Single flight: equal computations under way in one process are done once; the others wait for the result."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from quincunx_shared.names import Signature


class Flights:
    """One lock per signature under way; it exists only as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Signature, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, signature: Signature) -> Iterator[None]:
        """Hold the signature; whoever comes second enters when the first has left."""
        with self._guard:
            lock, waiting = self._under_way.get(signature, (threading.Lock(), 0))
            self._under_way[signature] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, waiting = self._under_way[signature]
                if waiting == 1:
                    del self._under_way[signature]
                else:
                    self._under_way[signature] = (lock, waiting - 1)

    def land(self) -> None:
        """Let others have what has ended. Nobody else is here; see `SharedFlights`."""
