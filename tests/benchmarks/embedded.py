"""What planning and dispatching cost in one process, beside a bare thread pool in the same run.

python tests/benchmarks/embedded.py --json

plan_10k_s       bind and plan 10,000 phrases × 6 steps, everything known
plan_10k_mb      peak memory of the whole process that did it
edit_in_10k_s    one edit in that song: bind and plan again
nothing_changed_s  100 phrases × 4 steps, known, from call to result in a running process
cold_20ms_ratio  the same cold with steps of 20 ms on 2 workers, over (sum of work / 2)
bare_pool_ratio  the same steps in a bare thread pool, without graph, cache or store
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Graph, connect, node_of
from quincunx_orchestrator.core.history import SetInput
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.embedded import manifests_of, open_farm
from quincunx_orchestrator.render import plan, render
from quincunx_orchestrator.rounds import Farm
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.names import SONG, Address, PortKey, SegmentId
from quincunx_shared.payload import encode
from quincunx_shared.ports import SignatureIndex
from quincunx_shared.recall import Recall
from quincunx_shared.step import Step, StepContext
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog

PHRASES, STEPS, WORKERS, STEP_SECONDS = 100, 4, 2, 0.02
FLOATS = 10_000  # 40 KB
TARGET = Address(SONG, PortKey("mix", "audio"))


class NoModels:
    """These steps need no models."""

    def model(self, digest: str) -> Any:
        raise KeyError(digest)

    def file(self, digest: str) -> bytes:
        raise KeyError(digest)


def toy_steps(count: int, seconds: float) -> dict[str, Step]:
    """A chain of `count` steps that each take so many seconds, and a mix."""
    steps = {f"s{number}": _toy_step(f"s{number}", seconds) for number in range(count)}
    audio = Input(name="audio", type="audio", multi=True)
    manifest = Manifest(name="mix", version="1", inputs=(audio,), outputs=(Output(name="audio", type="audio"),))
    return steps | {"mix": Step(manifest, _mix)}


def _toy_step(name: str, seconds: float) -> Step:
    manifest = Manifest(
        name=name,
        version="1",
        inputs=(Input(name="x", type="audio"),),
        outputs=(Output(name="y", type="audio"),),
        options=(Option(name="gain", type="float", default=1.0),),
    )

    def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
        _compute_for(seconds)
        return np.asarray(inputs["x"], dtype=np.float32) * np.float32(options["gain"]) + np.float32(1)

    return Step(manifest, run)


def _compute_for(seconds: float) -> None:
    """Keep a core busy in NumPy for so long. Sleeping would measure how fast an idle core wakes up instead."""
    deadline = time.perf_counter() + seconds
    noise = np.linspace(1, 2, 100_000)
    while time.perf_counter() < deadline:
        np.sqrt(noise, out=noise)


def _mix(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    return np.sum(inputs["audio"], axis=0, dtype=np.float32)


def toy_song(steps: Mapping[str, Step], phrases: int, chain: int, *, floats: int) -> list[Segment]:
    """`phrases` segments of one topology with inputs of their own, and the segment that mixes them."""
    manifests = manifests_of(steps)
    nodes = [node_of(manifests[f"s{number}"]) for number in range(chain)]
    edges = [connect(f"s{number}.y", f"s{number + 1}.x") for number in range(chain - 1)]
    graph = Graph.of(nodes, edges)
    segments = [
        Segment(SegmentId(f"p{number}"), graph, {PortKey("s0", "x"): _input(number, floats)})
        for number in range(phrases)
    ]
    last = PortKey(f"s{chain - 1}", "y")
    links = {PortKey("mix", "audio"): tuple(Address(one.id, last) for one in segments)}
    return [*segments, Segment(SONG, Graph.of([node_of(manifests["mix"])]), links=links)]


def _input(number: int, floats: int) -> Any:
    if floats:
        return encode(np.full(floats, number, dtype=np.float32))
    return encode({"notes": [[number, 480, 60], [number + 1, 480, 62]], "lyrics": ["la", "la"]})


def know_everything(song: BoundSong, index: SignatureIndex) -> None:
    """Put a small result for every step of the song into the index."""
    known = encode([1.0]).ref
    index.add({step.signature: (known,) for one in song.segments.values() for step in one.steps.values()})


def planning(folder: Path) -> dict[str, float]:
    """Plan 10,000 phrases of 6 steps with everything known, then one edit in them."""
    steps = toy_steps(6, 0)
    cache = open_cache(folder)
    try:
        recall = Recall(cache.index, cache.blobs)
        compiler = Compiler(manifests_of(steps))
        know_everything(bind_song(toy_song(steps, 10_000, 6, floats=0), compiler), cache.index)
        fresh = toy_song(steps, 10_000, 6, floats=0)
        started = time.perf_counter()
        bound = bind_song(fresh, compiler)
        known = plan(bound, [TARGET], recall)
        plan_seconds = time.perf_counter() - started
        assert not known.to_run, "everything was known"
        edits = [_edit(fresh, bound, compiler, recall, number) for number in range(5)]
    finally:
        cache.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"plan_10k_s": plan_seconds, "plan_10k_mb": peak, "edit_in_10k_s": float(np.median(edits))}


def _edit(segments: list[Segment], bound: BoundSong, compiler: Compiler, recall: Recall, number: int) -> float:
    """Edit one phrase of the song as it was planned, and plan again."""
    edited = list(segments)
    edited[5000] = edited[5000].with_operation(SetInput(PortKey("s0", "x"), encode([float(number)])))
    started = time.perf_counter()
    planned = plan(bind_song(edited, compiler, before=bound), [TARGET], recall)
    seconds = time.perf_counter() - started
    assert len(planned.to_run) == 7, "six steps of one phrase, and the mix"
    return seconds


@contextmanager
def toy_farm(folder: Path, steps: Mapping[str, Step]) -> Iterator[Farm]:
    """A farm in this process on a real cache folder."""
    cache = open_cache(folder)
    try:
        log = MemoryEventLog()
        with open_farm(steps, cache.blobs, cache.index, log, models=NoModels(), threads=WORKERS) as farm:
            yield farm
    finally:
        cache.close()


def rendering(folder: Path) -> dict[str, float]:
    """Render 100 phrases of 4 steps of 20 ms cold, then again with nothing changed."""
    steps = toy_steps(STEPS, STEP_SECONDS)
    segments = toy_song(steps, PHRASES, STEPS, floats=FLOATS)
    work = PHRASES * STEPS * STEP_SECONDS / WORKERS
    with toy_farm(folder, steps) as farm:
        compiler = Compiler(manifests_of(steps))
        started = time.perf_counter()
        bound = bind_song(segments, compiler)
        cold = render(bound, [TARGET], farm)
        cold_seconds = time.perf_counter() - started
        assert len(cold.ran) == PHRASES * STEPS + 1
        again = []
        for _ in range(20):
            started = time.perf_counter()
            bound = bind_song(segments, compiler, before=bound)
            assert not render(bound, [TARGET], farm).ran
            again.append(time.perf_counter() - started)
    return {"nothing_changed_s": float(np.median(again)), "cold_20ms_ratio": cold_seconds / work}


def bare_pool(steps: Mapping[str, Step]) -> float:
    """The same work in a thread pool that knows nothing: what sleeping and adding alone take."""
    chain: Sequence[Step] = [steps[f"s{number}"] for number in range(STEPS)]

    def phrase(number: int) -> Any:
        value: Any = np.full(FLOATS, number, dtype=np.float32)
        for step in chain:
            value = step.run({"x": value}, {"gain": 1.0}, None)  # type: ignore[arg-type]
        return value

    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        np.sum(list(pool.map(phrase, range(PHRASES))), axis=0)
    return (time.perf_counter() - started) / (PHRASES * STEPS * STEP_SECONDS / WORKERS)


def measure() -> dict[str, float]:
    """All figures. Planning runs in a process of its own, so that its peak memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures: dict[str, float] = pool.apply(planning, (root / "plan",))
        figures |= rendering(root / "render")
        figures["bare_pool_ratio"] = bare_pool(toy_steps(STEPS, STEP_SECONDS))
    return {name: round(value, 5) for name, value in figures.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
