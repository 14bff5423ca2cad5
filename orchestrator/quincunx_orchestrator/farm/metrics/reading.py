"""A look at a farm, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """What was read in Redis at one moment. Mappings whose keys are pairs name (device, priority) and the like."""

    up: bool = False
    #: (state, priority) → jobs; running jobs have no class any more.
    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: (device, priority) → messages that nobody has taken.
    queues: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: device → bundles that wait or run, of the stages under way.
    open_bundles: Mapping[str, int] = field(default_factory=dict)
    #: device → bundles that a worker holds.
    leases: Mapping[str, int] = field(default_factory=dict)
    #: (role, state) → machines.
    nodes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: device → bundles that workers which are up can run at once.
    slots: Mapping[str, int] = field(default_factory=dict)
    #: node → what it measures of itself, by name.
    gauges: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: What the farm has counted, by name of parts (`quincunx_shared.farm.step_counts`).
    counters: Mapping[str, float] = field(default_factory=dict)
    #: Why messages and bundles were refused → how often.
    refused: Mapping[str, float] = field(default_factory=dict)
    redis_memory_bytes: int = 0
    #: 0 is no limit.
    redis_memory_limit_bytes: int = 0


#: What is known when Redis does not answer.
NOTHING = Reading()
