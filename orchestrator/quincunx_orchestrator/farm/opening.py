"""Opening a farm from its settings: connections, stores and keys, put together for a client or a coordinator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quincunx_orchestrator.farm.celery_app import CeleryPost, new_app, send_wake
from quincunx_orchestrator.farm.client import FarmClient
from quincunx_orchestrator.farm.counted_log import CountedLog
from quincunx_orchestrator.farm.housekeeping import Housekeeper
from quincunx_orchestrator.farm.job_run import Surroundings
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.submission import document_name
from quincunx_shared.errors import BadInput
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.nodes import RedisNodes
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.farm.redis_client import connect, plain_errors
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.step_counts import pace_of
from quincunx_shared.names import RenderId
from quincunx_shared.recall import Recall
from quincunx_shared.stores.farm_store import FarmStore, store_from
from quincunx_shared.stores.journal import rebuild

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis


@dataclass(frozen=True)
class OpenFarm:
    """What a process holds of a farm while it speaks to it."""

    settings: FarmSettings
    redis: Redis
    app: Celery
    key: bytes
    store: FarmStore
    recall: Recall
    jobs: RedisJobStore
    work: RedisWorkState
    nodes: RedisNodes

    def wake(self, render: RenderId) -> None:
        """Tell the coordinators that there is something to do."""
        send_wake(self.app, self.redis, self.key, render)

    def client(self) -> FarmClient:
        """A client that submits here."""
        return FarmClient(self.recall, self.jobs, self.wake, self.store.documents, self.work.stop)

    def surroundings(self, coordinator: str) -> Surroundings:
        """What a coordinator of this name works with."""
        name = self.settings.namespace
        counters = RedisCounters(self.redis, name)

        return Surroundings(
            self.jobs,
            self.work,
            CeleryPost(self.app, self.redis, self.nodes, name, coordinator, self.key),
            self.recall,
            lambda render: CountedLog(RedisEventLog(self.redis, name, render), counters.add),
            lambda render: RedisBoard(self.redis, name, render),
            self.clear,
            lambda: pace_of(counters.read()),
            counters.add,
        )

    def housekeeper(self) -> Housekeeper:
        """Who looks after what Redis may have lost."""
        documents = self.store.documents
        index = RedisIndex(self.redis, self.settings.namespace)
        return Housekeeper(
            self.redis,
            self.settings.namespace,
            self.jobs,
            documents,
            lambda: rebuild(index, documents),
            self.settings.keep_days * 86_400,
            self.schedules().restore,
            self.clear,
            self.settings.max_jobs,
            RedisCounters(self.redis, self.settings.namespace).add,
        )

    def is_accepted(self, render: RenderId) -> bool:
        """Whether the store knows of a job that is not over, whatever Redis knows."""
        return self.store.documents.get(document_name(render)) is not None

    def clear(self, render: RenderId) -> None:
        """Let go of what a job needed, which is over."""
        self.work.close(render)
        RedisBoard(self.redis, self.settings.namespace, render).close()
        self.store.documents.delete(document_name(render))

    def schedules(self) -> RedisSchedules:
        """Jobs that run at set times."""
        return RedisSchedules(self.redis, self.settings.namespace, self.jobs, self.store.documents)


@contextmanager
def open_farm(settings: FarmSettings, *, name: str = "quincunx") -> Iterator[OpenFarm]:
    """Open the farm that the settings name. Raises `FarmUnreachable`, `FarmRefused` and `StoreError`, inside, too."""
    where = f"Redis at {settings.redis_url}"
    with plain_errors(where), closing(connect(settings, name=name)) as client, closing(store_from(settings)) as store:
        client.ping()
        with closing(new_app(settings)) as app, closing(store.behind()) as blobs:
            recall = Recall(RedisIndex(client, settings.namespace), blobs)
            jobs = RedisJobStore(client, settings.namespace, lease_seconds=settings.lease_seconds)
            work = RedisWorkState(client, settings.namespace, settings.lease_seconds)
            yield OpenFarm(
                settings,
                client,
                app,
                envelope_key(settings),
                store,
                recall,
                jobs,
                work,
                RedisNodes(client, settings.namespace),
            )


def envelope_key(settings: FarmSettings) -> bytes:
    """The key that seals messages. Raises `BadInput` if none is named, and `BadSecret`."""
    if settings.envelope_key_file is None:
        remedy = "set envelope_key_file to a file that all of the farm share: openssl rand -hex 32"
        raise BadInput("messages need a key to be sealed with", where="envelope_key_file", remedy=remedy)
    return read_secret(settings.envelope_key_file)
