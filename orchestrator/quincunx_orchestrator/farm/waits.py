"""What a job waits for, in words. Pure: whoever asks brings the facts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_shared.farm.nodes import SeenNode


#: A job of which something was heard so lately is being worked on.
BETWEEN_MESSAGES_SECONDS = 3.0


@dataclass(frozen=True)
class Surroundings:
    """What is known around a job: who is there, how many are served before it, and what workers said of its work."""

    nodes: Sequence[SeenNode] = ()
    ahead: int = 0
    #: Bundle → why a worker handed it back.
    refusals: Mapping[str, str] = field(default_factory=dict)
    #: Queue → how many messages wait in it.
    queues: Mapping[str, int] = field(default_factory=dict)
    #: How many of its bundles somebody works on.
    in_hand: int = 0
    #: For how long nothing was heard of it.
    silent_seconds: float = math.inf


def what_it_waits_for(record: JobRecord, around: Surroundings) -> str:
    """Return the reason a job waits; empty if it is over or being worked on."""
    if record.state == "paused":
        return f"it was paused{f': {record.note}' if record.note else ''}; `quincunx resume {record.render[:8]}`"
    if record.state == "pending":
        return _pending(around)
    return _running(record, around) if record.state == "running" else ""


def _pending(around: Surroundings) -> str:
    up, drained = _up(around, "coordinator")
    if not up:
        return _none("coordinator", drained)
    if around.ahead:
        return f"{around.ahead} job{'s' if around.ahead > 1 else ''} served before it"
    return "a coordinator with a free place"


def _running(record: JobRecord, around: Surroundings) -> str:
    if record.note:
        return f"another attempt, after attempt {record.generation} met an error: {record.note}"
    owner = next((one for one in around.nodes if one.node.name == record.owner), None)
    if owner is not None and owner.state == "silent":
        return f"{record.owner}, which saw it through, fell silent; another coordinator takes over when its lease ends"
    up, drained = _up(around, "worker")
    if not up:
        return _none("worker", drained)
    served = {queue for one in up for queue in one.node.queues}
    alone = sorted(queue for queue, waiting in around.queues.items() if waiting and queue not in served)
    if alone:
        return f"a worker for {', '.join(alone)}: none that runs takes from it"
    if around.refusals:
        reasons = sorted(set(around.refusals.values()))
        return f"a worker that fits: {len(around.refusals)} bundles were handed back: {'; '.join(reasons[:3])}"
    # Between two messages of one job a worker has nothing in its hands for a moment.
    moves = around.in_hand or around.silent_seconds < BETWEEN_MESSAGES_SECONDS
    return "" if moves else _behind_others(around.queues)


def _behind_others(queues: Mapping[str, int]) -> str:
    told = [f"{waiting} message{'s' if waiting > 1 else ''} in {queue}" for queue, waiting in queues.items() if waiting]
    return f"a free worker: {', '.join(told)}" if told else ""


def _up(around: Surroundings, role: str) -> tuple[list[SeenNode], list[SeenNode]]:
    """The nodes of a role that take work, and those that were asked not to."""
    ours = [one for one in around.nodes if one.node.role == role]
    return [one for one in ours if one.state == "up"], [one for one in ours if one.state in ("draining", "drained")]


def _none(role: str, drained: Sequence[SeenNode]) -> str:
    if drained:
        reason = next(one.drain.reason for one in drained if one.drain)
        return f"a {role}: {len(drained)} run, and all are drained ({reason}); `quincunx node undrain NAME`"
    return f"a {role}: none runs; start one with `quincunx {role}`"
