"""Reads a farm in Redis: three round trips, however many jobs there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quincunx_orchestrator.farm.metrics.reading import Reading
from quincunx_shared.farm.counters import counters_key, numbers, refused_key
from quincunx_shared.farm.nodes import RedisNodes, SeenNode
from quincunx_shared.farm.queues import DEVICES, PRIORITIES, device_of, work_queue
from quincunx_shared.farm.render_keys import render_key
from quincunx_shared.names import RenderId

if TYPE_CHECKING:
    from redis import Redis

#: Of jobs beyond so many that run at once, bundles are not counted: a look must stay a look.
MOST_JOBS = 200


class FarmReader:
    """Looks at the farm of a namespace."""

    def __init__(self, client: Redis, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._nodes = RedisNodes(client, namespace)

    def read(self) -> Reading:
        """Look once. Raises what the client raises."""
        waiting, lengths, running, counters, refused, memory = self._overview()
        opened, leased = self._bundles(running)
        seen = self._nodes.seen()
        return Reading(
            up=True,
            jobs={("running", ""): len(running)} | {("pending", name): count for name, count in waiting.items()},
            queues=lengths,
            open_bundles=opened,
            leases=leased,
            nodes=Counter((one.node.role, one.state) for one in seen),
            slots=_slots(seen),
            gauges={one.node.name: one.node.gauges for one in seen if one.state != "silent" and one.node.gauges},
            counters=counters,
            refused=refused,
            redis_memory_bytes=int(memory.get("used_memory", 0)),
            redis_memory_limit_bytes=int(memory.get("maxmemory", 0)),
        )

    def _overview(self) -> Any:
        farm = self._namespace
        with self._client.pipeline(transaction=False) as asking:
            for priority in PRIORITIES:
                asking.zcard(f"{farm}:queue:{priority}")
            pairs = [(device, priority) for device in DEVICES for priority in PRIORITIES]
            for pair in pairs:
                asking.llen(f"{farm}:celery:{work_queue(*pair)}")
            asking.zrange(f"{farm}:running", 0, -1)
            asking.hgetall(counters_key(farm))
            asking.hgetall(refused_key(farm))
            asking.info("memory")
            told = asking.execute()
        waiting = dict(zip(PRIORITIES, told[: len(PRIORITIES)], strict=True))
        lengths = dict(zip(pairs, told[len(PRIORITIES) : -4], strict=True))
        running = [RenderId(_text(name)) for name in told[-4]]
        return waiting, lengths, running, numbers(told[-3]), numbers(told[-2]), told[-1]

    def _bundles(self, running: Sequence[RenderId]) -> tuple[dict[str, int], dict[str, int]]:
        """Of the jobs under way, how many bundles are open and how many of them are in somebody's hands."""
        with self._client.pipeline(transaction=False) as asking:
            for render in running[:MOST_JOBS]:
                asking.hkeys(render_key(self._namespace, render, "bundles"))
                asking.hgetall(render_key(self._namespace, render, "leases"))
            asking.time()
            *told, (seconds, micros) = asking.execute()
        now = seconds * 1000 + micros // 1000
        opened = Counter(device_of_bundle(_text(name)) for names in told[::2] for name in names)
        leased = Counter(
            device_of_bundle(_text(name))
            for leases in told[1::2]
            for name, lease in leases.items()
            if lease_until(_text(lease)) > now
        )
        return {one: opened[one] for one in DEVICES}, {one: leased[one] for one in DEVICES}


def device_of_bundle(name: str) -> str:
    """The class of machine that runs a bundle: its recipe is named `cluster`, or `cluster@level`."""
    return device_of(name.rpartition("/")[2].partition("@")[0])


def lease_until(lease: str) -> int:
    """When a lease ends, in milliseconds of Redis; 0 if it cannot be read."""
    parts = lease.split(" ", 3)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


def _slots(seen: Iterable[SeenNode]) -> Mapping[str, int]:
    found: dict[str, int] = dict.fromkeys(DEVICES, 0)
    for one in seen:
        for device in {queue.split(".")[1] for queue in one.node.queues if queue.count(".") == 2}:
            if one.state == "up" and device in found:
                found[device] += one.node.slots
    return found


def _text(told: bytes | str) -> str:
    return told.decode() if isinstance(told, bytes) else told
