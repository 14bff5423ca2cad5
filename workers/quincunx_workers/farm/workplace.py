"""What a process of a worker works with, from the settings of its farm: made once in every process, after the fork."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field

from quincunx_shared.curve import Interpolation
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.messages import RunBundles, open_run
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.farm.redis_claims import RedisClaims
from quincunx_shared.farm.redis_client import connect
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.redis_time import RedisTime
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.step_counts import waited
from quincunx_shared.installed_operators import interpolations, operators
from quincunx_shared.intervention import Operator
from quincunx_shared.isolation import Isolation
from quincunx_shared.model_limits import ModelLimits
from quincunx_shared.ports import BlobStore, SignatureIndex
from quincunx_shared.recall import Recall
from quincunx_shared.step import Step
from quincunx_shared.stores.farm_store import FarmStore, machine_folder, store_from
from quincunx_shared.stores.journal import JournalledIndex
from quincunx_shared.stores.memory import MemoryEventLog, SystemClock
from quincunx_workers.farm.aside import Aside
from quincunx_workers.farm.bank_files import BankFiles
from quincunx_workers.farm.bundle_runner import Post
from quincunx_workers.farm.crowd import Crowd
from quincunx_workers.farm.device_lease import DeviceModels
from quincunx_workers.farm.draining import Draining
from quincunx_workers.farm.keeper import Keeper
from quincunx_workers.farm.tally import Tally
from quincunx_workers.memory import return_early
from quincunx_workers.model_pool import ModelPool
from quincunx_workers.onnx_runtime import OnnxRuntime, Provider, installed_provider, numeric_class
from quincunx_workers.registry import load_steps
from quincunx_workers.shared_flights import SharedFlights
from quincunx_workers.workbench import Models, Workbench

LOG = logging.getLogger(__name__)

#: The reporter lands what has ended every few milliseconds; a step need not do so itself.
LANDING_SECONDS = 0.2

#: A process computes on one core, and asks and stores for the next bundle meanwhile.
CPU_LANES = 2


@dataclass(frozen=True)
class Skills:
    """What this machine can run: loaded once, before the fork, and shared by all children."""

    steps: Mapping[str, Step]
    operators: Mapping[str, Operator]
    interpolations: Mapping[str, Interpolation]
    provider: Provider
    numeric_class: str

    @classmethod
    def installed(cls, settings: FarmSettings) -> Skills:
        """Load what installed packages offer. Raises `QuincunxError` where ONNX Runtime is missing or doubled."""
        provider, apart = installed_provider(), isolation_of(settings)
        steps, merging, ways = load_steps(apart), operators(apart), interpolations(apart)
        return cls(steps.found, merging.found, ways.found, provider, numeric_class(provider))

    @property
    def versions(self) -> dict[str, str]:
        """Of every step, its version."""
        return {name: step.manifest.version for name, step in sorted(self.steps.items())}


def isolation_of(settings: FarmSettings) -> Isolation:
    """Whose steps run in processes of their own, and within which limits."""
    packages = frozenset(one.strip() for one in settings.isolate.split(",") if one.strip())
    return Isolation(packages, settings.isolate_seconds, round(settings.isolate_memory * 1e9))


@dataclass
class Workplace:
    """Opens the post of this process when its first message comes, and opens messages."""

    settings: FarmSettings
    skills: Skills
    name: str
    device: str
    draining: Draining
    tally: Tally
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _opened: tuple[int, Post, Callable[[object, str], RunBundles]] | None = None
    _closing: ExitStack = field(default_factory=ExitStack)

    def post(self) -> Post:
        """Return the post of this process. A child does not inherit its parent's connections."""
        return self._open()[1]

    def read(self, envelope: object, queue: str = "") -> RunBundles:
        """Open an envelope that lay on a queue, or raise `BadEnvelope`."""
        return self._open()[2](envelope, queue)

    def close(self) -> None:
        """Write what this process has not written yet, and let go of the store. What is lost is only ever a recall."""
        with self._guard:
            if self._opened is None or self._opened[0] != os.getpid():
                return
            self._opened = None
            try:
                self._closing.close()
            except Exception as error:  # it ends anyway
                LOG.warning("the store was left before all was written: %s", error)

    def _open(self) -> tuple[int, Post, Callable[[object, str], RunBundles]]:
        with self._guard:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), *self._made())
            return self._opened

    def _made(self) -> tuple[Post, Callable[[object, str], RunBundles]]:
        settings, namespace = self.settings, self.settings.namespace
        client = connect(settings, name=f"worker-{self.name}")
        work = RedisWorkState(client, namespace, settings.lease_seconds)
        store = store_from(settings)
        index = RedisIndex(client, namespace)
        # What Redis may lose is found again in the store.
        journal, blobs = JournalledIndex(index, store.documents), store.behind()
        claims = RedisClaims(client, namespace, settings.lease_seconds, index)
        pool = self._pool(store)
        models = pool if self.device == "cpu" else DeviceModels(pool, pool.clear)
        # A fork's parent may have left its own there.
        self._closing = ExitStack()
        for opened in (client, store, claims, blobs, journal):
            self._closing.callback(opened.close)
        counters = RedisCounters(client, namespace)
        post = Post(
            f"{self.name}/{os.getpid()}",
            work,
            self._bench(blobs, journal, claims, models),
            Keeper(work, settings.lease_seconds, settings.step_seconds, overdue=lambda: self.draining.overdue),
            self.draining,
            Crowd(),
            Aside(lambda: self.draining.asked),
            lambda render: RedisBoard(client, namespace, render),
            self.tally.count,
            counters.add,
            index.foresee,
            store.fetch_soon,
            models.failure if isinstance(models, DeviceModels) else lambda: None,
            CPU_LANES if self.device == "cpu" else 1,
        )
        key = b"" if settings.envelope_key_file is None else read_secret(settings.envelope_key_file)
        time = RedisTime(client)

        def read(envelope: object, queue: str) -> RunBundles:
            now = time.now()
            told = open_run(envelope, key, now)
            counters.keep(waited(queue, now - told.sent_at))
            return told

        return post, read

    def _pool(self, store: FarmStore) -> ModelPool:
        library = BankFiles(machine_folder(self.settings) / "banks", store.blobs, store.machine)
        limits = ModelLimits(self.settings.model_seconds, round(self.settings.model_memory * 1e9))
        return ModelPool(library, OnnxRuntime(self.skills.provider, limits).load)

    def _bench(self, blobs: BlobStore, index: SignatureIndex, claims: RedisClaims, models: Models) -> Workbench:
        skills = self.skills
        return_early()
        return Workbench(
            skills.steps,
            blobs,
            index,
            # Every bundle brings a log of its own.
            MemoryEventLog(),
            SystemClock(),
            models,
            skills.operators,
            skills.interpolations,
            skills.numeric_class,
            SharedFlights(claims, Recall(index, blobs).flush, self.settings.step_seconds, LANDING_SECONDS),
            threading.Lock() if self.device == "cpu" else nullcontext(),
        )
