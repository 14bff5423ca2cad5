"""The queues of a farm: for every class of machine one for every priority, and those of the coordinators.

Workers look at the higher priority first. So that the lowest is not left for ever, every eighth look begins there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

Device: TypeAlias = Literal["cpu", "gpu"]
Priority: TypeAlias = Literal["system", "user", "background"]

DEVICES: Final[tuple[Device, ...]] = ("cpu", "gpu")

#: Highest first.
PRIORITIES: Final[tuple[Priority, ...]] = ("system", "user", "background")

CONTROL: Final = "quincunx.control"

#: One look in so many begins with the lowest priority.
AGEING: Final = 8


def work_queue(device: str, priority: str) -> str:
    """Name the queue of a class of machines and a priority."""
    return f"quincunx.{device}.{priority}"


def control_queue(coordinator: str = "") -> str:
    """Name the queue of one coordinator, or that of whichever comes first."""
    return f"{CONTROL}.{coordinator}" if coordinator else CONTROL


def device_of(cluster: str) -> Device:
    """Return the class of machine that runs a cluster: whatever is not for a GPU runs everywhere."""
    return "gpu" if cluster == "gpu" else "cpu"


def queues_of(devices: Iterable[str]) -> tuple[str, ...]:
    """Name all work queues of these devices, highest priority first, in the order of the devices within one."""
    chosen = tuple(dict.fromkeys(devices))
    return tuple(work_queue(device, priority) for priority in PRIORITIES for device in chosen)


def look_order(queues: Iterable[str], looks: int) -> list[str]:
    """Return in which order to look at queues when so many looks have found something."""
    ordered = sorted(queues, key=lambda queue: (_rank(queue), queue))
    return ordered[::-1] if looks % AGEING == AGEING - 1 else ordered


def _rank(queue: str) -> int:
    last = queue.rpartition(".")[2]
    return [*PRIORITIES].index(last) if last in PRIORITIES else -1
