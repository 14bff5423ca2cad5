"""Following a job on the farm until it is over: its events as they come, and why nothing comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.farm.tellers import Tally, Teller
from quincunx_orchestrator.cli.farm.waiting import Asked, reason_to_wait

if TYPE_CHECKING:
    from quincunx_shared.names import RenderId

#: A look at the job's state between two waits for events.
LOOK_SECONDS = 1.0

#: A person who hears nothing for so long is told what the job waits for.
SILENCE_SECONDS = 3.0


class StillPending(Exception):
    """The time to wait for a job is over, and the job is not."""


class _Silence:
    """Finds out why nothing happens, and says every reason once."""

    def __init__(self, farm: Asked, render: RenderId) -> None:
        self._farm = farm
        self._render = render
        self._since = time.monotonic()
        self._told = ""

    def reason(self, heard: bool) -> str:
        """A reason that was not told yet; empty while things happen."""
        if heard:
            self._since = time.monotonic()
        if time.monotonic() - self._since < SILENCE_SECONDS:
            return ""
        record = self._farm.jobs.get(self._render)
        reason = "" if record is None else reason_to_wait(self._farm, record)
        told, self._told = self._told, reason
        return "" if reason == told else reason


def follow(farm: Asked, render: RenderId, teller: Teller, timeout: float | None = None) -> Tally:
    """Tell of a job until it is over. Raises `StillPending` after the timeout, and `NotOnFarm`."""
    jobs, deadline = farm.jobs, None if timeout is None else time.monotonic() + timeout
    tally, since, silence = Tally(), 0, _Silence(farm, render)
    while True:
        over = jobs.ended(render) is not None
        left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, max(deadline - time.monotonic(), 0.0))
        heard = False
        for sequence, event in jobs.follow(render, since, 0.0 if over else left):
            since, heard = sequence + 1, True
            tally.hear(event)
            teller.hear(sequence, event, tally)
        if reason := silence.reason(heard):
            teller.wait(reason)
        if over and not heard:
            return tally
        if deadline is not None and time.monotonic() >= deadline and not over:
            raise StillPending
