"""The process of a coordinator: `python -m quincunx_orchestrator.farm`, set up by the environment and files."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version

from quincunx_orchestrator.farm.celery_app import receive
from quincunx_orchestrator.farm.coordinator import Coordinator
from quincunx_orchestrator.farm.housekeeping import forget_queue
from quincunx_orchestrator.farm.metrics.reader import FarmReader
from quincunx_orchestrator.farm.metrics.server import MetricsServer, NoServer
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
    ticking = threading.Thread(target=_tick, args=(farm, coordinator, ending), name="quincunx-tick", daemon=True)
    ticking.start()
    LOG.info("coordinator %s is ready", name)
    try:
        receive(farm.app, name, farm.redis, farm.key, coordinator.wake)
    finally:
        ending.set()
        coordinator.close()
        ticking.join()
        farm.nodes.leave(name)
        forget_queue(farm.redis, farm.settings.namespace, name)


def _tick(farm: OpenFarm, coordinator: Coordinator, ending: threading.Event) -> None:
    node = Node(
        name=coordinator.name,
        role="coordinator",
        host=socket.gethostname(),
        pid=os.getpid(),
        version=version("quincunx"),
        queues=(control_queue(),),
        started_at=time.time(),
    )
    keeper, schedules = farm.housekeeper(), farm.schedules()
    told = looked = 0.0
    alive = AliveFile(farm.settings.alive_file)
    alive.touch()
    while not ending.wait(TICK_SECONDS):
        alive.touch()
        try:
            schedules.run_due()
            coordinator.tick()
            if time.monotonic() - told > BEAT_SECONDS:
                _beat(farm, node, coordinator)
                told = time.monotonic()
            if time.monotonic() - looked > LOOK_SECONDS:
                keeper.look()
                looked = time.monotonic()
        except Exception:
            # The server is away for a while; so are leases, and whoever is back first goes on.
            LOG.exception("a look at the jobs failed")


def _beat(farm: OpenFarm, node: Node, coordinator: Coordinator) -> None:
    """Tell of this coordinator, and hear whether it is drained; what it has heard it tells at once."""
    drained = farm.nodes.beat(replace(node, doing=coordinator.doing(), taking=not coordinator.drained)) is not None
    if drained != coordinator.drained:
        coordinator.drained = drained
        farm.nodes.beat(replace(node, doing=coordinator.doing(), taking=not drained))


if __name__ == "__main__":
    sys.exit(main())
