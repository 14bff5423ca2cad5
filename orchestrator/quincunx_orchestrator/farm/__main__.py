"""The process of a coordinator: `python -m quincunx_orchestrator.farm`, set up by the environment and files."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from quincunx_orchestrator.farm.celery_app import receive
from quincunx_orchestrator.farm.coordinator import Coordinator
from quincunx_orchestrator.farm.housekeeping import forget_queue
from quincunx_orchestrator.farm.metrics.reader import FarmReader
from quincunx_orchestrator.farm.metrics.server import MetricsServer, NoServer
from quincunx_orchestrator.farm.news import listen
from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.alive import AliveFile
from quincunx_shared.farm.logs import start_logging
from quincunx_shared.farm.nodes import BEAT_SECONDS, Node
from quincunx_shared.farm.queues import control_queue
from quincunx_shared.farm.redis_client import connect
from quincunx_shared.farm.settings_layers import load_settings

LOG = logging.getLogger("quincunx.coordinator")

#: How often to look for what nobody told of: leases that end, jobs of coordinators that died.
TICK_SECONDS = 1.0

#: How often to see whether jobs, documents and index agree.
LOOK_SECONDS = 10.0

#: How long to wait at the end for what is under way and may be left at any moment.
ENDING_SECONDS = 10.0


def main() -> int:
    """Run until told to end, and return the exit code. What was under way is left to the others at once."""
    name = f"{socket.gethostname()}-{os.getpid()}"
    try:
        settings = load_settings().settings
        start_logging(settings, "coordinator")
        with open_farm(settings, name=f"coordinator-{name}") as farm, closing(_metrics(farm)):
            run(farm, name)
    except QuincunxError as error:
        LOG.error("%s", error)
        return error.exit_code
    return 0


def _metrics(farm: OpenFarm) -> MetricsServer | NoServer:
    """Serve metrics where the settings say so. They have a connection of their own: they may wait, jobs may not."""
    settings = farm.settings
    if not settings.metrics_address:
        return NoServer()
    reader = FarmReader(connect(settings, name="metrics"), settings.namespace)
    return MetricsServer(settings.metrics_address, reader)


def run(farm: OpenFarm, name: str) -> None:
    """See jobs through, under a name of its own."""
    coordinator = Coordinator(name, farm.surroundings(name))
    ending = threading.Event()
    threads = [
        threading.Thread(target=one, name=called, daemon=True) for called, one in turning(farm, coordinator, ending)
    ]
    for thread in threads:
        thread.start()
    LOG.info("coordinator %s is ready", name)
    try:
        receive(farm.app, name, farm.redis, farm.key, coordinator.wake)
    finally:
        ending.set()
        coordinator.close()
        for thread in threads:
            thread.join(ENDING_SECONDS)
        farm.nodes.leave(name)
        forget_queue(farm.redis, farm.settings.namespace, name)


def turning(
    farm: OpenFarm, coordinator: Coordinator, ending: threading.Event
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What a coordinator sees to again and again, each on a thread of its own.

    Leases wait for nobody: a store that is slow, or an index that is rebuilt, holds up no other job.
    """
    alive = AliveFile(farm.settings.alive_file)
    alive.touch()
    beat = _Beat(farm, coordinator)

    def tick() -> None:
        alive.touch()
        coordinator.tick()
        beat.beat_if_due()

    hear = partial(listen, farm.redis, farm.settings.namespace, coordinator, ending)
    yield "quincunx-news", partial(every, TICK_SECONDS, hear, ending, first=0.0)
    yield "quincunx-tick", partial(every, TICK_SECONDS, tick, ending)
    yield "quincunx-schedules", partial(every, TICK_SECONDS, farm.schedules().run_due, ending)
    keeper = farm.housekeeper()
    yield "quincunx-housekeeping", partial(every, LOOK_SECONDS, keeper.look, ending, first=TICK_SECONDS)
    yield "quincunx-journal", partial(every, LOOK_SECONDS, keeper.tidy, ending)


def every(seconds: float, act: Callable[[], object], ending: threading.Event, *, first: float | None = None) -> None:
    """Do something every so many seconds, whatever comes of it; the first time after `first`."""
    if ending.wait(seconds if first is None else first):
        return
    while True:
        try:
            act()
        except Exception:
            # A server is away for a while; whoever is back first goes on.
            LOG.exception("%s failed", threading.current_thread().name)
        if ending.wait(seconds):
            return


class _Beat:
    """Tells of this coordinator every few seconds."""

    def __init__(self, farm: OpenFarm, coordinator: Coordinator) -> None:
        self._farm = farm
        self._coordinator = coordinator
        self._told = 0.0
        self._node = Node(
            name=coordinator.name,
            role="coordinator",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("quincunx"),
            queues=(control_queue(),),
            started_at=time.time(),
        )

    def beat_if_due(self) -> None:
        """Tell, and hear whether this coordinator is drained; what it has heard it tells at once."""
        if time.monotonic() - self._told <= BEAT_SECONDS:
            return
        drained = self._beat()
        if drained != self._coordinator.drained:
            self._coordinator.drained = drained
            self._beat()
        self._told = time.monotonic()

    def _beat(self) -> bool:
        one = self._coordinator
        return self._farm.nodes.beat(replace(self._node, doing=one.doing(), taking=not one.drained)) is not None


if __name__ == "__main__":
    sys.exit(main())
