"""What the farm costs, beside a naive Celery canvas and a bare process pool, in one run on the same machine.

python -m tests.benchmarks.farm --json [--quick] [--staged]

The workload: 100 phrases × 4 steps with results of 40 KB, and their mix, on two processes.

pool_empty_s, pool_20ms_ratio      the bare process pool; the ratio is to (sum of work / 2), as all ratios
naive_canvas_s, naive_20ms_ratio   a chord of chains on one Celery worker of two processes
farm_empty_s, farm_20ms_ratio      ours: one coordinator, one cpu worker of two processes, from call to sound
farm_staged_s                      ours with steps that go cpu, gpu, cpu: four stages; two cpu and one gpu worker
nothing_changed_s                  the same song again in a client that runs, from call to sound
one_edit_overhead_s                one phrase edited: what it takes beyond its own five steps, four of them of 20 ms
submit_10k_s                       10,000 phrases × 4 steps: bound, planned, stored and accepted
redis_10k_mb                       what Redis holds after it, at its most
exponent                           how the time from submit to done grows from 1,000 phrases to 10,000
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.proof_steps import ROOT, compute_for
from tests.farm.real_farm import NearClient, real_farm

from quincunx_orchestrator.farm.redis_server import start
from quincunx_shared.events import StepRan

if TYPE_CHECKING:
    from redis import Redis

PHRASES, PLACES, FLOATS, STEP_SECONDS, WORKERS = 100, 4, 10_000, 0.02, 2
#: Rounds before those that count, of theirs as of ours: a virtual machine is slow to give processes their first memory.
WARM_ROUNDS = 8

WORK = PHRASES * PLACES * STEP_SECONDS / WORKERS

#: Results of the long songs: no payload that travels inside its reference, and 64 MB in all.
LONG_FLOATS = 400


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def pool_phrase(number: int, seconds: float) -> Any:
    """A phrase in a process of the bare pool."""
    value = np.full(FLOATS, number, dtype=np.float32)
    for _ in range(PLACES):
        compute_for(seconds)
        value = value + np.float32(1)
    return value


def bare_pool(figures: dict[str, float]) -> None:
    """Chains in a pool that knows nothing."""

    def render(seconds: float) -> None:
        np.sum(pool.starmap(pool_phrase, [(number, seconds) for number in range(PHRASES)]), axis=0)

    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.starmap(pool_phrase, [(0, 0.0)] * 4)
        figures["pool_empty_s"] = seconds_of(lambda: render(0.0))
        figures["pool_20ms_ratio"] = seconds_of(lambda: render(STEP_SECONDS)) / WORK


def naive_canvas(folder: Path, figures: dict[str, float], times: int) -> None:
    """A chord of chains on Celery as it comes."""
    server = start(folder / "naive-redis")
    os.environ["NAIVE_REDIS"] = server.url
    command = [sys.executable, "-m", "celery", "-A", "tests.benchmarks.naive_canvas", "worker"]
    command += ["--concurrency", str(WORKERS), "--loglevel", "ERROR"]
    with (folder / "naive.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        from tests.benchmarks.naive_canvas import render

        render(4, PLACES, FLOATS, 0.0, 0)
        rounds = [seconds_of(lambda: render(PHRASES, PLACES, FLOATS, 0.0, 1)) for _ in range(WARM_ROUNDS + times)]
        figures["naive_canvas_s"] = statistics.median(rounds[WARM_ROUNDS:])
        figures["naive_20ms_ratio"] = seconds_of(lambda: render(PHRASES, PLACES, FLOATS, STEP_SECONDS, 2)) / WORK
    finally:
        worker.terminate()
        worker.wait(30)
        server.kill()


def ours(near: NearClient, figures: dict[str, float], times: int) -> None:
    """The same on the farm, cold each time; then edits and nothing at all."""

    def cold(salt: int, seconds: float = 0.0) -> tuple[float, ProofSong]:
        song = ProofSong(PHRASES, PLACES, FLOATS, seconds, salt=salt)
        return seconds_of(lambda: near.render(song)), song

    rounds = [cold(salt)[0] for salt in range(1, 1 + WARM_ROUNDS + times)]
    figures["farm_empty_s"] = statistics.median(rounds[WARM_ROUNDS:])
    cold(50, STEP_SECONDS)
    seconds, song = cold(51, STEP_SECONDS)
    figures["farm_20ms_ratio"] = seconds / WORK
    figures["nothing_changed_s"] = statistics.median(seconds_of(lambda: near.render(song)) for _ in range(20))
    figures["one_edit_overhead_s"] = statistics.median(edited(near, song, number) for number in range(20))


def edited(near: NearClient, song: ProofSong, number: int) -> float:
    """Edit one phrase, render the song, and return what that took beyond the steps themselves."""
    song.edit(number * 7 % PHRASES, number + 1)
    ran, before = [], len(near.log.since(0))
    seconds = seconds_of(lambda: ran.append(near.render(song)))
    steps = [one.seconds for one in near.log.since(before) if isinstance(one, StepRan)]
    assert len(ran[0].ran) == len(steps) == PLACES + 1
    return seconds - sum(steps)


@contextmanager
def most_memory(redis: Redis) -> Iterator[list[float]]:
    """The most that Redis holds meanwhile, in megabytes."""
    found, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            found[0] = max(found[0], redis.info("memory")["used_memory"] / 1e6)

    looking = threading.Thread(target=look)
    looking.start()
    yield found
    ended.set()
    looking.join()


def long_songs(near: NearClient, figures: dict[str, float], most: int) -> None:
    """Songs of many phrases: how the time grows, and what Redis has to hold."""
    few = most // 10
    seconds: dict[int, float] = {}
    for phrases in (few, most):
        song = ProofSong(phrases, PLACES, LONG_FLOATS, salt=-phrases)
        near.farm.redis.flushall()
        with most_memory(near.farm.redis) as memory:
            started = time.perf_counter()
            render = near.submit(song)
            submitted = time.perf_counter() - started
            assert near.farm.client().wait(render).state == "succeeded"
            seconds[phrases] = time.perf_counter() - started
        if phrases == most:
            figures["submit_10k_s"], figures["done_10k_s"], figures["redis_10k_mb"] = (
                submitted,
                seconds[most],
                memory[0],
            )
    figures["exponent"] = math.log10(seconds[most] / seconds[few])


def measure(folder: Path, *, quick: bool) -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    times = 1 if quick else 5
    bare_pool(figures)
    naive_canvas(folder, figures, times)
    with real_farm(folder, lease_seconds=15.0) as farm:
        farm.coordinator()
        farm.worker("one", slots=WORKERS)
        farm.ready()
        with farm.client() as near:
            ours(near, figures, times)
            long_songs(near, figures, 1000 if quick else 10_000)
        farm.worker("gpu", "gpu", 2)
        farm.ready()
        with farm.client() as near:
            staged(near, figures)
    return {name: round(value, 4) for name, value in figures.items()}


def staged(near: NearClient, figures: dict[str, float]) -> None:
    """A chain over two kinds of machines."""
    near.render(ProofSong(PHRASES, PLACES, FLOATS, salt=70, colours=STAGED))
    song = ProofSong(PHRASES, PLACES, FLOATS, salt=71, colours=STAGED)
    figures["farm_staged_s"] = seconds_of(lambda: near.render(song))
    assert near.render(song).payloads[TARGET] is not None


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quick", action="store_true", help="once each, and long songs of a tenth")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), quick=chosen.quick)
    if chosen.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
