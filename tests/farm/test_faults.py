"""What may happen to a farm under way, each with the audit: nothing lost, nothing wrong, nothing done in vain.

Numbers are small; `QUINCUNX_TEST_FULL=1` takes those that the farm is held to, which last an hour.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.farm.audit import Expected, audit
from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.real_farm import NearClient, RealFarm, real_farm
from tests.farm.waiting import until

from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.events import RenderPlanned, StageEnded, StageStarted, StepRan
from quincunx_shared.farm.queues import queues_of
from quincunx_shared.farm.redis_client import connect
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.names import RenderId

FULL = os.environ.get("QUINCUNX_TEST_FULL") == "1"

#: Longer than any test that comes through.
DEADLINE = 120.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    """A coordinator, two cpu workers and a gpu worker, for all tests that leave them as they are."""
    with real_farm(tmp_path_factory.mktemp("farm"), lease_seconds=2.0, step_seconds=3.0) as farm:
        farm.coordinator()
        farm.worker("one")
        farm.worker("two")
        farm.worker("three", "gpu", 2)
        farm.ready()
        yield farm


@pytest.fixture
def farm(running: RealFarm) -> RealFarm:
    """It, whole again after whatever was done to it."""
    running.whole()
    return running


SALTS = iter(range(1, 10_000))


def new_song(farm: RealFarm, phrases: int = 24, seconds: float = 0.02, **how: object) -> ProofSong:
    """A song of which nothing is known."""
    return ProofSong(phrases, trace=farm.new_trace(), seconds=seconds, salt=next(SALTS), colours=STAGED, **how)  # type: ignore[arg-type]


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something on a thread of its own until the block ends; what goes wrong there is raised here."""
    ended, errors = threading.Event(), []

    def run() -> None:
        try:
            work(ended)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert not errors, errors


def rendered(
    farm: RealFarm, song: ProofSong, during: Callable[[NearClient, RenderId], None], injected: int, **more: object
) -> RenderResult:
    """Render a song while something happens to the farm, and audit it."""
    reference = song.reference()
    with farm.client() as near:
        render = near.submit(song)
        during(near, render)
        result = near.collect(song, render)
        assert result.state == "succeeded", result.failed
        assert np.array_equal(result.payloads[TARGET], reference.sound)
    audit(farm, Expected(render, song.phrases, reference, result.payloads[TARGET], injected, **more))  # type: ignore[arg-type]
    return result


def some_ran(farm: RealFarm, count: int) -> None:
    """Wait until so many steps have begun."""
    until(lambda: len(farm.begun()) >= count, DEADLINE)


def test_messages_that_a_dying_worker_took_are_sent_again(farm: RealFarm) -> None:
    """Celery takes a message and books it in two commands; a worker that dies between them loses the message."""
    stolen: list[object] = []

    def steal(ended: threading.Event) -> None:
        with connect(farm.settings) as redis:
            names = [f"{farm.settings.namespace}:celery:{queue}" for queue in queues_of(("cpu", "gpu"))]
            while not ended.is_set() and len(stolen) < (20 if FULL else 4):
                if taken := redis.brpop(names, timeout=0.1):
                    stolen.append(taken)

    with beside(steal):
        rendered(farm, new_song(farm, 60 if FULL else 24), lambda *_: None, 0, booked=True)
    assert len(stolen) == (20 if FULL else 4)


def test_messages_may_come_three_times_and_in_any_order(farm: RealFarm) -> None:
    again: list[tuple[str, str]] = []
    ours = {f"{farm.settings.namespace}:celery:{queue}" for queue in queues_of(("cpu", "gpu"))}

    def repeat(ended: threading.Event) -> None:
        with connect(farm.settings) as redis, connect(farm.settings) as other, other.monitor() as monitor:
            chance = Random(1)
            while not ended.is_set():
                told = monitor.next_command()["command"].split(" ", 2)
                if told[0] == "LPUSH" and told[1] in ours and (told[1], told[2]) not in again:
                    again.append((told[1], told[2]))
                    message = told[2].replace("\\\\", "\\")
                    # To either end, so that it stands before and behind others.
                    for _ in range(2):
                        chance.choice((redis.lpush, redis.rpush))(told[1], message)

    song = new_song(farm)
    reference = song.reference()
    with beside(repeat), farm.client() as near:
        result = near.collect(song, near.submit(song))
        render = near.renders[-1]
        near.farm.redis.ping()
    assert len(again) >= 4
    audit(farm, Expected(render, song.phrases, reference, result.payloads[TARGET]))


def test_a_worker_that_stood_still_past_its_lease_changes_nothing(farm: RealFarm) -> None:
    def stand_still(near: NearClient, render: RenderId) -> None:
        some_ran(farm, 5)
        farm.freeze("one")
        until(lambda: near.farm.jobs.ended(render), DEADLINE)
        farm.thaw("one")

    # What it had begun and what it had computed and not told is computed again elsewhere.
    rendered(farm, new_song(farm), stand_still, 12)


def test_a_step_that_ends_its_process_is_tried_three_times_and_fails_its_phrase_alone(farm: RealFarm) -> None:
    song = new_song(farm, 12, odd={3: "proof.die"})
    with farm.client() as near:
        result = near.render(song)
        assert result.state == "partial"
        told = {str(segment): error for (segment, node), error in result.failed.items() if node == "s0"}
        assert list(told) == ["p3"]
        assert "died 3 times" in told["p3"]
        assert farm.executions()["die"] == 3
        fine = {segment for segment, node in result.ran if node == "s3"}
        assert fine == {f"p{number}" for number in range(12) if number != 3}
    audit(farm, Expected(result.id, 12, state="partial", booked=True))


def test_a_step_that_hangs_is_ended_and_tried_again(farm: RealFarm) -> None:
    song = new_song(farm, 8, odd={2: "proof.hang"})
    with farm.client() as near:
        result = near.render(song)
        assert result.state == "succeeded", result.failed
        assert farm.executions()["hang"] == 2
    audit(farm, Expected(result.id, 8, booked=True))


def test_a_cancelled_job_stays_cancelled_when_all_workers_start_again(farm: RealFarm) -> None:
    song = new_song(farm, 60, seconds=0.05)
    with farm.client() as near:
        render = near.submit(song)
        some_ran(farm, 60)
        assert near.farm.jobs.cancel(render) == "cancelled"
        near.farm.work.stop(render)
        near.farm.wake(render)
        for name in ("one", "two", "three"):
            farm.kill(name)
        begun = len(farm.begun())
        assert begun < 200
        farm.whole()
        audit(farm, Expected(render, 60, state="cancelled", booked=True))
        assert len(farm.begun()) == begun
        assert near.farm.jobs.cancel(render) == "already cancelled"


def test_a_coordinator_may_die_at_every_change(tmp_path: Path) -> None:
    with real_farm(tmp_path, lease_seconds=1.0) as farm:
        farm.coordinator()
        farm.worker("one", slots=2)
        farm.worker("three", "gpu", 2)
        farm.ready()
        song, died = new_song(farm, 16), []

        def kill_at_changes(near: NearClient, render: RenderId) -> None:
            log, since, seen = RedisEventLog(near.farm.redis, "qx", render), 0, {"submitted"}
            farm.kill("coordinator")
            farm.again("coordinator")
            while not near.farm.jobs.ended(render):
                for number, event in log.follow(since, 0.5):
                    since = number + 1
                    level = getattr(event, "level", "")
                    change = f"{type(event).__name__} {level}"
                    if isinstance(event, RenderPlanned | StageStarted | StepRan | StageEnded) and change not in seen:
                        seen.add(change)
                        died.append(change)
                        farm.kill("coordinator")
                        farm.again("coordinator")

        rendered(farm, song, kill_at_changes, 0, booked=True)
        assert len(died) >= 6, died


def test_a_job_that_two_coordinators_hold_is_ended_once(tmp_path: Path) -> None:
    with real_farm(tmp_path, lease_seconds=1.0) as farm:
        farm.coordinator("first")
        farm.worker("one", slots=2)
        farm.worker("three", "gpu", 2)
        farm.ready()

        def freeze_the_first(near: NearClient, render: RenderId) -> None:
            some_ran(farm, 5)
            farm.freeze("first")
            farm.coordinator("second")
            until(lambda: (job := near.farm.jobs.get(render)) and job.generation == 2, DEADLINE)
            farm.thaw("first")

        # Whoever takes over asks for everything again that had not been told as done.
        rendered(farm, new_song(farm), freeze_the_first, 12)


def test_clocks_that_are_hours_off_change_nothing(tmp_path: Path) -> None:
    with real_farm(tmp_path, lease_seconds=2.0) as farm:
        for name, hours in (("ahead", 2), ("behind", -2)):
            (tmp_path / name).mkdir()
            skewed = f"import time\nright = time.time\ntime.time = lambda: right() + {hours * 3600}\n"
            (tmp_path / name / "sitecustomize.py").write_text(skewed)
        path = {name: f"{tmp_path / name}{os.pathsep}{farm.path}" for name in ("ahead", "behind")}
        farm.coordinator(PYTHONPATH=path["behind"])
        farm.worker("one", PYTHONPATH=path["ahead"])
        farm.worker("two", PYTHONPATH=path["behind"])
        farm.worker("three", "gpu", 2)
        farm.ready()
        rendered(farm, new_song(farm), lambda *_: None, 0)
        began = [at - time.time() for _, at in farm.begun()]
        assert min(began) < -7000
        assert max(began) > 7000


@pytest.mark.parametrize("empty", [False, True], ids=["with what it had written", "empty"])
def test_redis_may_be_killed_and_come_back(tmp_path: Path, empty: bool) -> None:
    times = (1 if empty else 6) if FULL else (1 if empty else 2)
    with real_farm(tmp_path, lease_seconds=2.0) as farm:
        farm.coordinator()
        farm.worker("one", slots=2)
        farm.worker("three", "gpu", 2)
        farm.ready()

        def kill_redis(*_: object) -> None:
            for number in range(times):
                some_ran(farm, 10 + 30 * number)
                farm.server.kill()
                if empty:
                    farm.server.forget()
                farm.server.launch()

        # A second of what was written may be lost, and is computed again.
        lost = int(times * 1.5 / 0.02 * 4)
        rendered(farm, new_song(farm, 48), kill_redis, lost, events_kept=not empty, booked=True)


def test_workers_may_be_killed_at_random(tmp_path: Path) -> None:
    kills = 30 if FULL else 4
    with real_farm(tmp_path, lease_seconds=2.0) as farm:
        figures = random_kills(farm, 100 if FULL else 40, kills, seed=random.randrange(1_000_000))
    # Where workers start slowly this says more about the machine; see benchmarks/farm_faults.
    assert not FULL or figures["restart_p95_s"] <= 2.0 + 5.0, figures


def _went_on(farm: RealFarm, near: NearClient, render: RenderId, count: int) -> bool:
    return len(farm.begun()) > count or near.farm.jobs.ended(render) is not None


def _restarts(begun: Iterable[tuple[str, float]]) -> list[float]:
    """How long after it began each step began again; one that was interrupted twice waited twice."""
    before: dict[str, float] = {}
    waits = []
    for word, at in begun:
        if word in before:
            waits.append(at - before[word])
        before[word] = at
    return waits


def random_kills(farm: RealFarm, phrases: int, kills: int, seed: int) -> dict[str, float]:
    """Render while workers, their children and their supervisors are killed; how long what they had waited."""
    chance = Random(seed)
    farm.coordinator()
    # Of each kind two, so that there is an elsewhere.
    devices = {"one": "cpu", "two": "cpu", "three": "gpu", "four": "gpu"}
    names = tuple(devices)
    for name, device in devices.items():
        farm.worker(name, device, 2)
    farm.ready()
    killed: list[float] = []

    def kill(near: NearClient, render: RenderId) -> None:
        some_ran(farm, 5)
        while len(killed) < kills and not near.farm.jobs.ended(render):
            ran = len(farm.begun())
            name = chance.choice(names)
            victim = chance.choice(farm.pids(name))
            os.kill(victim, 9)
            killed.append(time.time())
            if victim == farm.processes[name].pid:
                farm.again(name)
            until(partial(_went_on, farm, near, render, ran + 8), DEADLINE)

    song = new_song(farm, phrases, seconds=0.05)
    rendered(farm, song, kill, kills * 12, booked=True)
    waits = _restarts(farm.begun())
    return {
        "kills": len(killed),
        "seed": seed,
        "executed_again": len(waits),
        "restart_median_s": float(np.median(waits)) if waits else 0.0,
        "restart_p95_s": float(np.percentile(waits, 95)) if waits else 0.0,
    }
