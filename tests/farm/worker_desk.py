"""A farm as a worker sees it: a Redis, a folder as store, a key, and somebody who releases and sends bundles."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery
from tests.farm.toy_steps import offer_toy_steps
from tests.farm.waiting import until

from quincunx_shared.canonical import digest_of, digest_of_bytes
from quincunx_shared.farm.broker import broker_settings
from quincunx_shared.farm.celery_settings import RUN_BUNDLES
from quincunx_shared.farm.messages import RunBundles, seal_run
from quincunx_shared.farm.nodes import RedisNodes, SeenNode
from quincunx_shared.farm.redis_client import connect
from quincunx_shared.farm.redis_time import RedisTime
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.settings_layers import PREFIX
from quincunx_shared.farm.wire import bundle_to_json, outcome_from_json
from quincunx_shared.names import PortKey, RenderId, SegmentId, Signature
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.recipe import Bundle, Feed, RecipeStep, Task

if TYPE_CHECKING:
    from redis import Redis

RENDER = RenderId("r1")
QUEUE = "quincunx.cpu.user"
KEY = b"a key that only this farm knows"


def bundle(name: str, step: str = "nap", *, version: str = "1", numeric_class: str = "", **options: Any) -> Bundle:
    """A bundle of one step."""
    given = {"trace": "", "word": name, "seconds": 0.0, **options}
    recipe = RecipeStep("it", step, given, (Feed("x"),), ("y",), version, numeric_class)
    signature = Signature(digest_of([step, version, name]))
    return Bundle(SegmentId(name), "toy", 0, "default", (Task(recipe, signature, ((),), "new"),), (PortKey("it", "y"),))


@dataclass
class WorkerDesk:
    """Everything beside the worker. `trace` is where steps write that they began."""

    settings: FarmSettings
    folder: Path
    client: Redis
    trace: Path
    app: Celery
    bundles: dict[str, Bundle] = field(default_factory=dict)
    resent_at: float = 0.0

    @property
    def work(self) -> RedisWorkState:
        return RedisWorkState(self.client, self.settings.namespace, self.settings.lease_seconds)

    def all_ended(self) -> bool:
        """Do what a coordinator does: send again what is open and in nobody's hands. Whether everything has ended."""
        now = time.monotonic()
        if now - self.resent_at > 0.3 and (lost := self.work.unclaimed(RENDER, self.bundles)):
            self.resent_at = now
            self.send(self.named(sorted(lost)))
        return len(self.outcomes()) == len(self.bundles)

    def toy(self, name: str, step: str = "nap", **options: Any) -> Bundle:
        """A bundle of one step that leaves a trace."""
        return bundle(name, step, trace=str(self.trace), **options)

    def release(self, bundles: Sequence[Bundle], generation: int = 1, render: str = RENDER) -> RunBundles:
        """Open bundles, and return the message that names them."""
        told = {f"{generation}/{one.segment}/{one.recipe}": one for one in bundles}
        if render == RENDER:
            self.bundles.update(told)
        contents = {name: bundle_to_json(one) for name, one in told.items()}
        assert self.work.release(RenderId(render), generation, contents)
        digests = tuple(map(digest_of_bytes, contents.values()))
        return RunBundles(RenderId(render), generation, tuple(contents), digests)

    def named(self, names: Sequence[str]) -> RunBundles:
        """A message that names bundles which are open already."""
        digests = tuple(digest_of_bytes(bundle_to_json(self.bundles[name])) for name in names)
        return RunBundles(RENDER, 1, tuple(names), digests)

    def child_that_holds(self, name: str) -> int:
        """The process that computes a bundle."""

        def holder() -> int:
            lease: Any = self.client.hget(f"{self.settings.namespace}:{{{RENDER}}}:leases", name)
            return int(lease.decode().rpartition("/")[2]) if lease else 0

        return until(holder)

    def sealed(self, message: RunBundles, key: bytes = KEY) -> str:
        return seal_run(message, key, RedisTime(self.client).now())

    def send(self, message: RunBundles, queue: str = QUEUE) -> None:
        """Send a message as a coordinator does."""
        # Who listens for a result that nobody reads is still listening when the server is gone.
        self.app.send_task(
            RUN_BUNDLES, args=[self.sealed(message)], queue=queue, ignore_result=True, kwargsrepr="render r1: toys"
        )

    def outcomes(self) -> dict[str, BundleOutcome]:
        """What has ended."""
        found = self.work.outcomes(RENDER, self.bundles)
        return {
            str(self.bundles[name].segment): outcome_from_json(self.bundles[name], it) for name, it in found.items()
        }

    def runs(self) -> Counter[str]:
        """How often each step began, by its word."""
        return Counter(self.trace.read_text().split() if self.trace.exists() else ())

    def wait_for(self, *names: str, seconds: float = 30.0) -> dict[str, BundleOutcome]:
        """Wait until these have ended."""
        until(lambda: set(names) <= set(self.outcomes()), seconds)
        return self.outcomes()

    @contextlib.contextmanager
    def worker(
        self,
        name: str = "one",
        *more: str,
        version: str = "1",
        concurrency: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that is ready; ended as a system ends it, and everything of it gone."""
        steps = self.folder / f"steps-{version}"
        if not steps.exists():
            offer_toy_steps(steps, version)
        told = self.settings.model_dump(mode="json").items()
        variables = {f"{PREFIX}{key.upper()}": str(value) for key, value in told if value not in (None, "")}
        command = [sys.executable, "-P", "-m", "quincunx_workers.farm", "--name", name]
        command += ["--concurrency", str(concurrency), *more]
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables, "PYTHONPATH": str(steps), **(environment or {})},
            start_new_session=True,
        )
        try:
            until(lambda: name in self.consuming(), 30)
            yield process
            process.send_signal(signal.SIGTERM)
            # Longer than a warm shutdown that waits for a message whose reader died.
            assert process.wait(60) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def consuming(self) -> set[str]:
        """Names of the workers that are there."""
        return {one.node.name for one in self.nodes() if one.state != "silent"}

    def nodes(self) -> list[SeenNode]:
        """What the workers tell of themselves."""
        return RedisNodes(self.client, self.settings.namespace).seen()


@contextlib.contextmanager
def worker_desk(redis_url: str, folder: Path, **more: Any) -> Iterator[WorkerDesk]:
    """Set one up on a Redis, which is emptied."""
    key = folder / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    settings = FarmSettings(
        redis_url=redis_url,
        store=(folder / "store").as_uri(),
        envelope_key_file=key,
        cache_dir=folder / "cache",
        **{"lease_seconds": 2.0, **more},
    )
    app = Celery("sender", set_as_current=False)
    app.conf.update(broker_settings(settings))
    with contextlib.closing(connect(settings)) as client, contextlib.closing(app):
        client.flushall()
        yield WorkerDesk(settings, folder, client, folder / "trace", app)
