"""The worker itself: what it can, where it stands, and how it tells of itself. Runs until SIGTERM."""

from __future__ import annotations

import os
import socket
from contextlib import closing, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from quincunx_shared.errors import BadInput, FarmUnreachable
from quincunx_shared.farm.alive import AliveFile
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.logs import start_logging
from quincunx_shared.farm.nodes import Node, RedisNodes
from quincunx_shared.farm.redis_client import connect, plain_errors
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings_layers import load_settings
from quincunx_shared.stores.farm_store import store_from
from quincunx_workers.farm.celery_app import Intake, doing, run_worker
from quincunx_workers.farm.draining import Draining
from quincunx_workers.farm.node_beat import NodeBeat
from quincunx_workers.farm.tally import Tally
from quincunx_workers.farm.vram import Vram
from quincunx_workers.farm.workplace import Skills, Workplace

if TYPE_CHECKING:
    from redis import Redis


def run(name: str, device: str, queues: tuple[str, ...], slots: int) -> int:
    """Run a worker. Raises `BadInput` for settings that are wrong, `StoreError` for a folder that cannot be used,
    and `FarmRefused`.
    """
    settings = load_settings().settings
    start_logging(settings, "worker", node=name)
    if not settings.redis_url or not settings.store:
        raise BadInput("no farm is named", where="redis_url, store", remedy="set both; see `quincunx config show`")
    if settings.envelope_key_file is None:
        raise BadInput("without a key anybody could send work", where="envelope_key_file", remedy="set it")
    # Each child opens them for itself; there what is wrong with them would be a line in the log of a worker that
    # seems to be well, and fails whatever it takes.
    read_secret(settings.envelope_key_file)
    store_from(settings).close()
    skills = Skills.installed(settings)
    place = Workplace(settings, skills, name, device, Draining(), Tally())
    with closing(connect(settings, name=f"node-{name}")) as client:
        _knock(client, settings.redis_url)
        nodes = RedisNodes(client, settings.namespace)
        beat = NodeBeat(
            nodes,
            _node(place, queues, slots),
            doing,
            AliveFile(settings.alive_file),
            gauges=Vram.of_this_device().gauges if device == "gpu" else dict,
            also=place.tally.teller(RedisCounters(client, settings.namespace)),
        )
        intake = Intake(queues, slots, "prefork" if device == "cpu" else "threads", lambda: not beat.drained)
        # Before the first message, so that a worker that was drained stays so.
        beat.beat()
        beat.start()
        try:
            return run_worker(place, intake)
        finally:
            beat.stop()


def _knock(client: Redis, url: str) -> None:
    """Raise `FarmRefused` if Redis does not let this user in; one that is away is waited for, as Celery does."""
    with suppress(FarmUnreachable), plain_errors(f"Redis at {url}"):
        client.ping()


def _node(place: Workplace, queues: tuple[str, ...], slots: int) -> Node:
    skills = place.skills
    return Node(
        name=place.name,
        role="worker",
        host=socket.gethostname(),
        pid=os.getpid(),
        version=version("quincunx"),
        device=place.device,
        queues=queues,
        slots=slots,
        numeric_class=skills.numeric_class,
        steps=skills.versions,
    )
