"""What can be wrong with who works on a farm: nobody there, other versions, work in nobody's hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quincunx_orchestrator.farm.doctor.findings import Finding, fault, fine, warning

if TYPE_CHECKING:
    from redis import Redis

    from quincunx_shared.farm.nodes import SeenNode


@dataclass(frozen=True)
class Crew:
    """Who is there, and what waits. `overdue`: jobs whose lease ended and that nobody took over."""

    nodes: Sequence[SeenNode] = ()
    #: Queue → messages in it.
    waiting: Mapping[str, int] = field(default_factory=dict)
    jobs_waiting: int = 0
    overdue: int = 0


def check_crew(crew: Crew, version: str) -> Iterator[Finding]:
    """Examine who works on a farm. Pure."""
    yield _check_coordinators(crew)
    yield _check_workers(crew)
    yield from _check_silence(crew)
    yield _check_versions(crew, version)
    yield from _check_classes(crew)
    yield _check_leases(crew)


def _check_coordinators(crew: Crew) -> Finding:
    up = _up(crew, "coordinator")
    if up:
        return fine("coordinator", f"{', '.join(one.node.name for one in up)} up")
    waits = f"; {crew.jobs_waiting} jobs wait for one" if crew.jobs_waiting else ""
    return fault("coordinator", f"none runs{waits}", "quincunx coordinator")


def _check_workers(crew: Crew) -> Finding:
    """Every queue with something in it is served, and so is every class of machine."""
    up = _up(crew, "worker")
    if not up:
        return fault("workers", "none runs", "quincunx worker --device cpu, and --device gpu")
    served = {queue for one in up for queue in one.node.queues}
    unserved = {queue: count for queue, count in crew.waiting.items() if count and queue not in served}
    if unserved:
        told = ", ".join(f"{queue} ({count} messages)" for queue, count in sorted(unserved.items()))
        first = next(iter(sorted(unserved)))
        return fault("workers", f"nobody takes from {told}", f"quincunx worker --queues {first}")
    missing = [device for device in ("cpu", "gpu") if not any(f".{device}." in queue for queue in served)]
    if missing:
        told = f"none takes work of {' and '.join(missing)}: songs that need one will wait"
        return warning("workers", told, f"quincunx worker --device {missing[0]}")
    return fine("workers", f"{len(up)} up, {sum(one.node.slots for one in up)} places")


def _check_silence(crew: Crew) -> Iterator[Finding]:
    """Nodes that fell silent without leaving died, or are cut off."""
    silent = [one for one in crew.nodes if one.state == "silent"]
    if silent:
        told = ", ".join(f"{one.node.name} ({one.silent_seconds:.0f} s)" for one in silent[:5])
        yield warning("nodes", f"{len(silent)} fell silent: {told}", "look at those machines, or start them again")


def _check_versions(crew: Crew, version: str) -> Finding:
    """All run the version of this command; a step of another version is another computation."""
    others = sorted({(one.node.version, one.node.name) for one in crew.nodes if one.state != "silent"})
    differing = [f"{name} runs {number}" for number, name in others if number != version]
    if differing:
        told = f"this is {version}; {', '.join(differing[:5])}{' …' if len(differing) > 5 else ''}"
        return warning("versions", told, "upgrade the older ones; until then work may wait for one that fits")
    return fine("versions", f"all nodes run {version}")


def _check_classes(crew: Crew) -> Iterator[Finding]:
    """Workers of one device compute to the same bits; those that do not sit idle while a song of the others renders."""
    for device in ("cpu", "gpu"):
        found = sorted(
            {(one.node.numeric_class, one.node.name) for one in _up(crew, "worker") if one.node.device == device}
        )
        classes = {numeric for numeric, _ in found if numeric}
        if len(classes) > 1:
            told = "; ".join(f"{name}: {numeric}" for numeric, name in found[:6])
            remedy = "give them the same ONNX Runtime and the same kind of processor, or farms of their own (namespace)"
            yield warning(
                "numeric classes", f"{device} workers compute differently, and only some fit a song: {told}", remedy
            )


def _check_leases(crew: Crew) -> Finding:
    if crew.overdue:
        told = f"{crew.overdue} running jobs are in nobody's hands: their leases ended, and no coordinator took them"
        return fault("leases", told, "start a coordinator, or look at the logs of those that run")
    return fine("leases", "every running job is held by a coordinator")


def _up(crew: Crew, role: str) -> list[SeenNode]:
    return [one for one in crew.nodes if one.node.role == role and one.state == "up"]


def crew_of(client: Redis, namespace: str, lease_seconds: float) -> Crew:
    """Ask Redis who works on a farm, and what waits."""
    from quincunx_shared.farm.nodes import RedisNodes
    from quincunx_shared.farm.queues import DEVICES, PRIORITIES, queues_of

    queues = queues_of(DEVICES)
    with client.pipeline(transaction=False) as asking:
        for queue in queues:
            asking.llen(f"{namespace}:celery:{queue}")
        for priority in PRIORITIES:
            asking.zcard(f"{namespace}:queue:{priority}")
        asking.time()
        *counts, told = asking.execute()
    now = told[0] + told[1] / 1e6
    # A coordinator looks every tick; what is overdue by a whole lease nobody looks after.
    overdue = int(client.zcount(f"{namespace}:running", "-inf", now - lease_seconds))
    waiting = dict(zip(queues, counts, strict=False))
    nodes = RedisNodes(client, namespace).seen()
    return Crew(nodes, waiting, sum(counts[len(queues) :]), overdue)
