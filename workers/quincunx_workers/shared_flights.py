"""Single flight across processes: what one of them is computing, the others wait for instead of computing it again.

Results are stored in batches and behind the computing thread, so a claim is kept until the result can be found by
everybody: it has *landed* when it was flushed. Who waits has landed everything of its own before, so that two
processes that wait for each other's results both get them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from quincunx_shared.names import Signature
from quincunx_workers.flights import Flights, Waiting, patiently

#: While others render too, results are flushed for them when the last flush is so long ago.
LANDING_SECONDS = 0.02

#: How often to look whether another process has ended a step.
_LOOK_SECONDS = 0.005

#: How often who waits is asked whether to go on.
_ASK_SECONDS = 0.5

#: After this time the step is computed here: the other process was stopped, or its machine is far slower.
PATIENCE_SECONDS = 60.0


class Claims(Protocol):
    """Who computes what right now: `stores.claims` on one machine, `farm.redis_claims` on a farm."""

    def take(self, signature: Signature) -> bool:
        """Claim a computation. False if another process has it now."""

    def give_back(self, signatures: Iterable[Signature]) -> None:
        """Let others have them."""

    def nobody_else(self) -> bool:
        """Whether nobody can wait for what ends here."""


class SharedFlights(Flights):
    """Flights of all processes that claim in the same place. `flush` lets everybody find what was stored here."""

    def __init__(
        self,
        claims: Claims,
        flush: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
        landing_seconds: float = LANDING_SECONDS,
    ) -> None:
        super().__init__()
        self._landing = landing_seconds
        self._claims = claims
        self._flush = flush
        self._patience = patience_seconds
        self._changing = threading.Lock()
        self._ended: set[Signature] = set()
        self._landed_at = time.monotonic()

    @contextmanager
    def alone(self, signature: Signature, waiting: Waiting = patiently) -> Iterator[None]:
        """Hold the signature against the threads of this process and against the other processes."""
        with super().alone(signature):
            self._claim(signature, waiting)
            try:
                yield
            except BaseException:
                # Nothing was stored that somebody could wait for.
                self._claims.give_back([signature])
                raise
            with self._changing:
                self._ended.add(signature)
                due = time.monotonic() - self._landed_at > self._landing
        # After the thread's own lock is free: a flush waits for the disk.
        if due and not self._claims.nobody_else():
            self.land()

    def land(self) -> None:
        """Let everybody find what has ended here, and give back the claims on it."""
        with self._changing:
            ended, self._ended = self._ended, set()
            self._landed_at = time.monotonic()
        if ended:
            try:
                self._flush()
            finally:
                self._claims.give_back(ended)

    def _claim(self, signature: Signature, waiting: Waiting) -> None:
        asked = came = time.monotonic()
        while not self._claims.take(signature) and time.monotonic() < came + self._patience:
            self.land()
            time.sleep(_LOOK_SECONDS)
            if (now := time.monotonic()) > asked + _ASK_SECONDS:
                asked = now
                waiting(now - came)
