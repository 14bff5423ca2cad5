"""A reading as Prometheus reads it: the one module that knows its client library. No registry, no state: text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from quincunx_orchestrator.farm.metrics.reading import Reading
from quincunx_shared.farm.step_counts import (
    BEYOND,
    PLANNED_STEPS,
    QUEUE_WAIT,
    REFUSED,
    SEPARATOR,
    STEP_BOUNDS,
    STEP_SECONDS,
    STEPS,
    SUM,
    WAIT_BOUNDS,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(reading: Reading) -> bytes:
    """Return the text of all metrics."""

    class _Once(Collector):
        def collect(self) -> Iterable[Metric]:
            return families(reading)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once())
    return generate_latest(registry)


def families(reading: Reading) -> Iterator[Metric]:
    """Yield every metric. One that Redis could not be asked for is left out, never told as zero."""
    yield _gauge("up", "Whether Redis answered.", (), {(): float(reading.up)})
    if not reading.up:
        return
    yield from _now(reading)
    yield from _since_the_beginning(reading)


def _now(reading: Reading) -> Iterator[Metric]:
    devices, pairs = ("device",), ("device", "priority")
    yield _gauge("jobs", "Jobs that wait or run.", ("state", "priority"), reading.jobs)
    yield _gauge("queue_messages", "Messages that no worker has taken.", pairs, reading.queues)
    yield _gauge("open_bundles", "Bundles that wait or run.", devices, _single(reading.open_bundles))
    yield _gauge("leases", "Bundles that a worker holds.", devices, _single(reading.leases))
    yield _gauge("nodes", "Coordinators and workers.", ("role", "state"), reading.nodes)
    yield _gauge("slots", "Bundles that the workers can run at once.", devices, _single(reading.slots))
    yield _gauge("redis_memory_bytes", "What Redis has in memory.", (), {(): reading.redis_memory_bytes})
    limit = {(): reading.redis_memory_limit_bytes}
    yield _gauge("redis_memory_limit_bytes", "What it may have; 0 is no limit.", (), limit)
    for name in sorted({name for gauges in reading.gauges.values() for name in gauges}):
        told = {(node,): gauges[name] for node, gauges in reading.gauges.items() if name in gauges}
        yield _gauge(name, "What a node measures of itself.", ("node",), told)


def _since_the_beginning(reading: Reading) -> Iterator[Metric]:
    counted = _by_kind(reading.counters)
    yield _counter("steps", "Steps by what became of them.", ("step", "result"), counted.pop(STEPS, {}))
    steps = counted.pop(STEP_SECONDS, {})
    yield _histogram("step_seconds", "How long steps took that ran.", ("step",), steps, STEP_BOUNDS)
    waits = counted.pop(QUEUE_WAIT, {})
    yield _histogram(QUEUE_WAIT, "From sending a message to a worker.", ("device", "priority"), waits, WAIT_BOUNDS)
    planned = counted.pop(PLANNED_STEPS, {})
    yield _counter("planned_steps", "Steps of plans: to run, recalled, needed by nobody.", ("result",), planned)
    refused = counted.pop(REFUSED, {}) | _single(reading.refused)
    yield _counter("refused", "Messages and bundles that were refused.", ("reason",), refused)
    # What has no labels and is not named here yet is told under its own name.
    for kind, numbers in sorted(counted.items()):
        if numbers.keys() == {()}:
            yield _counter(kind, "Counted by the farm.", (), numbers)


def _by_kind(counters: Mapping[str, float]) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for name, number in counters.items():
        kind, *labels = name.split(SEPARATOR)
        found.setdefault(kind, {})[tuple(labels)] = number
    return found


def _gauge(name: str, what: str, labels: Iterable[str], numbers: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(f"quincunx_{name}", what, labels=tuple(labels))
    for values, number in sorted(numbers.items()):
        family.add_metric(values, number)
    return family


def _counter(name: str, what: str, labels: Iterable[str], numbers: Mapping[Any, float]) -> Metric:
    family = CounterMetricFamily(f"quincunx_{name}", what, labels=tuple(labels))
    for values, number in sorted(numbers.items()):
        family.add_metric(values, number)
    return family


def _histogram(
    name: str, what: str, labels: tuple[str, ...], numbers: Mapping[Any, float], bounds: Iterable[float]
) -> Metric:
    """Counts are kept in one bound each; Prometheus wants each bound to hold those below it."""
    family = HistogramMetricFamily(f"quincunx_{name}", what, labels=labels)
    order = [*(f"{one:g}" for one in bounds), BEYOND]
    for values in sorted({key[: len(labels)] for key in numbers}):
        total, buckets = 0.0, []
        for bound in order:
            total += numbers.get((*values, bound), 0.0)
            buckets.append(("+Inf" if bound == BEYOND else bound, total))
        family.add_metric(values, buckets, numbers.get((*values, SUM), 0.0))
    return family


def _single(numbers: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): number for name, number in numbers.items()}
