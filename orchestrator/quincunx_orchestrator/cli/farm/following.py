"""Following a job on the farm until it is over: its events as they come, and why nothing comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.farm.tellers import Tally, Teller
from quincunx_orchestrator.cli.farm.waiting import Asked, reason_to_wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from quincunx_shared.names import RenderId

#: A look at the job's state between two waits for events.
LOOK_SECONDS = 1.0

#: A person who hears nothing for so long is told what the job waits for.
SILENCE_SECONDS = 3.0


class StillPending(Exception):
    """The time to wait for a job is over, and the job is not."""


class Silence:
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
        reason = self._found()
        told, self._told = self._told, reason
        return "" if reason == told else reason

    def _found(self) -> str:
        from quincunx_shared.farm.redis_client import is_outage

        try:
            record = self._farm.jobs.get(self._render)
            if record is None:
                return "a coordinator that finds it again in the store: Redis has lost it"
            return reason_to_wait(self._farm, record)
        except Exception as error:
            if not is_outage(error):
                raise
            return "Redis, which does not answer"


def follow(
    farm: Asked,
    render: RenderId,
    teller: Teller,
    timeout: float | None = None,
    is_accepted: Callable[[], bool] = lambda: False,
) -> Tally:
    """Tell of a job until it is over. Raises `StillPending` after the timeout, and `NotOnFarm`.

    `is_accepted` says whether the store knows the job: a Redis that lost it is then waited for.
    """
    from quincunx_orchestrator.farm.following import follow_job

    deadline = None if timeout is None else time.monotonic() + timeout
    look = LOOK_SECONDS if timeout is None else min(LOOK_SECONDS, timeout)
    tally, silence = Tally(), Silence(farm, render)
    for found in follow_job(farm.jobs, render, look_seconds=look, is_accepted=is_accepted):
        if found is not None:
            tally.hear(found[1])
            teller.hear(*found, tally)
        if reason := silence.reason(heard=found is not None):
            teller.wait(reason)
        if found is None and deadline is not None and time.monotonic() >= deadline:
            raise StillPending
    return tally
