"""The Celery side of a worker: one task, that never raises, and a worker that takes its messages from some queues."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import Celery, bootsteps, signals
from celery.worker import state
from celery.worker.consumer import Tasks
from kombu.entity import Queue

from quincunx_shared.farm.broker import broker_settings
from quincunx_shared.farm.celery_settings import RUN_BUNDLES
from quincunx_shared.farm.envelope import BadEnvelope
from quincunx_shared.farm.transport import SturdyChannel, be_patient
from quincunx_shared.stores.farm_store import import_store
from quincunx_workers.farm.bundle_runner import run_message
from quincunx_workers.farm.workplace import Workplace

LOG = logging.getLogger(__name__)

#: How often to look whether a child died.
REPLACE_SECONDS = 0.25

#: How long a child may take until it is ready.
PROCESS_SECONDS = 60.0


@dataclass(frozen=True)
class Intake:
    """Which queues a worker takes from, how many messages at once, and whether it may take any now."""

    queues: tuple[str, ...]
    slots: int
    pool: str
    may_take: Callable[[], bool] = lambda: True


def make_app(place: Workplace, intake: Intake) -> Celery:
    """An app that knows one task and nothing else: whatever else a message names is thrown away."""
    app = Celery("quincunx", set_as_current=False)
    app.conf.update(broker_settings(place.settings))
    app.conf.update(
        task_queues=[Queue(name, routing_key=name) for name in intake.queues],  # type: ignore[no-untyped-call]
        worker_redirect_stdouts=False,
        # On a busy machine many children take their time to connect; killed for it, they would never get there.
        worker_proc_alive_timeout=PROCESS_SECONDS,
        worker_send_task_events=True,
    )

    @app.task(name=RUN_BUNDLES, typing=False)  # type: ignore[untyped-decorator]
    def run_bundles(envelope: object = None, *_: object, **__: object) -> None:
        """Run what is left to do of the bundles that an envelope names."""
        try:
            told = place.read(envelope, str((run_bundles.request.delivery_info or {}).get("routing_key", "")))
        except BadEnvelope as error:
            place.tally.count("forged")
            LOG.warning("a message was refused: %s", error)
        except Exception as error:  # Redis or a secret is away: the bundles are sent again
            place.tally.count("outage")
            LOG.warning("a message was left: %s", error)
        else:
            place.tally.count("ran", run_message(told, place.post()))

    app.finalize()
    be_patient(app)
    # Celery's own tasks make messages of what a message says. No worker of a farm needs them.
    for name in [name for name in app.tasks if name != RUN_BUNDLES]:
        del app.tasks[name]
    app.steps["consumer"].add(_Gate)
    app.steps["consumer"].add(_Replacement)
    app.quincunx_may_take = intake.may_take
    return app


def run_worker(place: Workplace, intake: Intake) -> int:
    """Take messages until SIGTERM; then end what is begun. Returns how the process is to exit."""
    app = make_app(place, intake)
    SturdyChannel.dropped = staticmethod(lambda: place.tally.count("garbage"))
    signals.worker_shutting_down.connect(lambda **_: place.draining.ask(), weak=False)
    signals.worker_process_init.connect(lambda **_: place.post(), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: place.close(), weak=False)
    import_store(place.settings)
    worker = app.Worker(
        hostname=place.name,
        pool=intake.pool,
        concurrency=intake.slots,
        queues=list(intake.queues),
        loglevel=logging.getLogger().level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        task_events=True,
    )
    worker.start()
    place.close()
    return int(worker.exitcode or 0)


def doing() -> tuple[str, ...]:
    """What the worker of this process has in hand, in words."""
    return tuple(sorted(str(request.kwargsrepr or request.id)[:200] for request in list(state.active_requests)))


class _Replacement(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """Starts a child anew soon after one died.

    Celery looks once when a child's pipe closes, which is a moment before the system says that it ended, and then not
    for five seconds.
    """

    requires = (Tasks,)
    _looking: Any = None

    def start(self, consumer: Any) -> None:
        """Look often: it costs a question to the system for each child."""
        if consumer.hub is not None:
            self._looking = consumer.hub.call_repeatedly(REPLACE_SECONDS, consumer.pool.maintain_pool)

    def stop(self, consumer: Any) -> None:  # noqa: ARG002
        """Look no more: the broker is away, or the worker ends."""
        if self._looking is not None:
            self._looking.cancel()


class _Gate(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """Asks before every look at the queues whether this worker may take a message."""

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        """Ask after Celery's own question, whether there is a free slot."""
        qos = consumer.task_consumer.channel.qos
        before, may_take = qos.can_consume, consumer.app.quincunx_may_take
        qos.can_consume = lambda: may_take() and before()
