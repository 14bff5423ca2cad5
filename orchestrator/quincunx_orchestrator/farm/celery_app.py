"""Celery on the coordinator's side: sends stages as chords, wakes coordinators, and hears when to look.

The one module of this role that imports Celery. Messages are hints; nothing is decided by their number or order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celery import Celery, chord
from celery.backends.redis import RedisBackend, ResultConsumer

from quincunx_orchestrator.farm.dispatcher import Message
from quincunx_orchestrator.farm.outdated import RECENT_SECONDS, outdated
from quincunx_shared.farm.broker import broker_settings
from quincunx_shared.farm.celery_settings import ADVANCE, RUN_BUNDLES
from quincunx_shared.farm.envelope import TTL_SECONDS, BadEnvelope
from quincunx_shared.farm.messages import RunBundles, open_advance, seal_advance, seal_run
from quincunx_shared.farm.queues import control_queue, device_of, work_queue
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.transport import SturdyTransport, be_patient
from quincunx_shared.names import RenderId
from quincunx_shared.recipe import Bundle

if TYPE_CHECKING:
    from redis import Redis

    from quincunx_shared.farm.nodes import RedisNodes

LOG = logging.getLogger(__name__)

#: Workers come and go slowly; how many there are is asked so often.
_COUNT_SECONDS = 2.0


class NobodyListens(ResultConsumer):  # type: ignore[misc] # celery has no types
    """Hears of no result."""

    def consume_from(self, task_id: str) -> None:
        """Nothing is awaited."""

    def cancel_for(self, task_id: str) -> None:
        """Nothing was."""


class SilentBackend(RedisBackend):  # type: ignore[misc] # celery has no types
    """Counts the messages of chords, and listens for no result: nobody reads any.

    Celery's own would subscribe to that of every message of a chord, one by one, whatever its tasks say of results.
    """

    ResultConsumer = NobodyListens


def new_app(settings: FarmSettings) -> Celery:
    """An app that sends to this farm, and receives nothing."""
    app = Celery("quincunx-coordinator", set_as_current=False)
    app.conf.update(broker_settings(settings))
    app.conf.result_backend = f"{SilentBackend.__module__}:{SilentBackend.__qualname__}+{app.conf.result_backend}"
    return app


@dataclass
class CeleryPost:
    """Sends messages of a coordinator to workers. Safe to use from any number of threads."""

    app: Celery
    redis: Redis
    nodes: RedisNodes
    namespace: str
    coordinator: str
    key: bytes
    _counted: tuple[float, dict[str, int]] = field(default=(0.0, {}))

    def send(self, messages: Sequence[Message]) -> None:
        """Send a stage as one chord: when all its messages are worked off, this coordinator is woken."""
        if not messages:
            return
        now = _now(self.redis)
        header = [self._signature(message, now) for message in messages]
        body = self.app.signature(
            ADVANCE,
            args=(seal_advance(messages[0].render, self.key, now),),
            queue=control_queue(self.coordinator),
            immutable=True,
            # Nobody reads results; the client would listen for that of every message, and stop one by one.
            ignore_result=True,
            kwargsrepr=f"render {messages[0].render[:8]}: look",
            argsrepr="",
        )
        chord(header, app=self.app)(body)

    def is_waiting(self, message: Message) -> bool:
        """Whether anything is unread on the queue of this message."""
        queue = work_queue(device_of(message.cluster), message.priority)
        return self.redis.llen(f"{self.namespace}:celery:{queue}") > 0

    def outdated(self, bundle: Bundle) -> str:
        """Why no worker will ever take a bundle, by what workers tell of themselves."""
        return outdated(bundle, self.nodes.seen(), self.nodes.recent_classes(RECENT_SECONDS))

    def slots(self, cluster: str) -> int:
        """How many bundles of this class of machine can run at once, by what workers tell of themselves."""
        at, counts = self._counted
        if time.monotonic() - at > _COUNT_SECONDS:
            counts = {}
            for seen in self.nodes.seen():
                if seen.node.role == "worker" and seen.state == "up":
                    for device in {queue.split(".")[1] for queue in seen.node.queues if queue.count(".") >= 2}:
                        counts[device] = counts.get(device, 0) + seen.node.slots
            self._counted = (time.monotonic(), counts)
        return max(counts.get(device_of(cluster), 0), 2)

    def _signature(self, message: Message, now: float) -> Any:
        told = RunBundles(message.render, message.generation, message.bundles, message.digests)
        return self.app.signature(
            RUN_BUNDLES,
            args=(seal_run(told, self.key, now),),
            queue=work_queue(device_of(message.cluster), message.priority),
            immutable=True,
            ignore_result=True,
            argsrepr="",
            kwargsrepr=message.title,
        )


def send_wake(app: Celery, redis: Redis, key: bytes, render: RenderId) -> None:
    """Tell whichever coordinator comes first that there is something to do."""
    app.send_task(
        ADVANCE,
        args=(seal_advance(render, key, _now(redis)),),
        queue=control_queue(),
        ignore_result=True,
        expires=TTL_SECONDS,
        argsrepr="",
        kwargsrepr=f"render {render[:8]}: new",
    )


def receive(app: Celery, name: str, redis: Redis, key: bytes, wake: Callable[[RenderId], None]) -> None:
    """Hear messages to this coordinator, and to whichever comes first, until the process is told to end."""
    app.conf.broker_transport = f"{SturdyTransport.__module__}:{SturdyTransport.__qualname__}"
    be_patient(app)

    @app.task(name=ADVANCE, shared=False)  # type: ignore[untyped-decorator]
    def advance(text: object = None, *_: object) -> None:
        try:
            render = open_advance(text, key, _now(redis))
        except BadEnvelope as error:
            LOG.warning("a message was refused: %s", error)
            return
        wake(render)

    worker = app.Worker(
        hostname=f"coordinator-{name}",
        queues=[control_queue(), control_queue(name)],
        pool="solo",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        # Celery sets the level of all loggers; and its banner is no line of a log.
        loglevel=logging.getLogger().level,
        quiet=True,
        optimization="fair",
    )
    worker.start()


def _now(redis: Redis) -> float:
    """The time of Redis, which all machines share."""
    seconds, micros = redis.time()
    return float(seconds) + float(micros) / 1e6
