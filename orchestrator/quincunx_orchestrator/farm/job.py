"""What a job is, and what may become of it. Pure: the scripts of the store make these changes and no others.

pending ──► running ──► succeeded | partial | failed
   │  ▲        │                     when its coordinator is gone it stays so, and another takes it
   ▼  │        ▼
  paused ◄─────┘                     and every one of these may be cancelled or superseded
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_shared.names import Digest, RenderId

JobState: TypeAlias = Literal[
    "pending", "running", "paused", "succeeded", "partial", "failed", "cancelled", "superseded"
]
Priority: TypeAlias = Literal["system", "user", "background"]
CancelAnswer: TypeAlias = Literal["cancelled", "not found", "already ended", "already cancelled"]

#: In the order in which they are served.
PRIORITIES: tuple[Priority, ...] = get_args(Priority)

ACTIVE: frozenset[JobState] = frozenset({"pending", "running", "paused"})
TERMINAL: frozenset[JobState] = frozenset({"succeeded", "partial", "failed", "cancelled", "superseded"})

#: State → the states it may come from.
COMES_FROM: Mapping[JobState, frozenset[JobState]] = {
    "pending": frozenset({"running", "paused"}),
    "running": frozenset({"pending", "running"}),
    "paused": frozenset({"pending", "running"}),
    "succeeded": frozenset({"running"}),
    "partial": frozenset({"running"}),
    "failed": frozenset({"running"}),
    "cancelled": ACTIVE,
    "superseded": ACTIVE,
}

#: A job that has waited so long is old, whatever its class.
AGEING_SECONDS = 600.0

#: Every so many jobs the oldest of the old ones is served first, so that it ends one day; otherwise the classes rule,
#: so that a long backlog holds up no job of a higher class by more than one.
AGEING_TURN = 8

#: An error that comes so long after the last one is another trouble.
CALM_SECONDS = 600.0

#: A job whose coordinators died so often while they had it kills them, and has failed.
MOST_LAPSES = 100


@dataclass(frozen=True)
class JobRecord:
    """A job, as anybody may ask for it. Times are seconds of the Redis clock; 0 is "not yet"."""

    render: RenderId
    state: JobState
    order: Digest
    song: str = ""
    song_key: str = ""
    fingerprint: str = ""
    priority: Priority = "user"
    tags: tuple[str, ...] = ()
    barrier: str = "strict"
    window: int = 16
    submitted_at: float = 0.0
    started_at: float = 0.0
    ended_at: float = 0.0
    owner: str = ""
    #: How many attempts there were to see it through.
    generation: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)
    #: Why it was paused, cancelled or superseded, or why it is tried again later, in words.
    note: str = ""
    #: How many attempts in a row were interrupted by an error, and for how long by now, from the first to the last.
    troubles: int = 0
    troubled_seconds: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A job that is this coordinator's now. `token` fences it; `generation` counts the attempts to see it through.

    `troubles` counts those that an error interrupted, in a row, and `troubled_seconds` is how long they took.
    """

    render: RenderId
    order: Digest
    token: str
    generation: int
    barrier: Barrier = field(default_factory=Barrier)
    priority: Priority = "user"
    troubles: int = 0
    troubled_seconds: float = 0.0


def cancel_answer(state: JobState | None) -> CancelAnswer:
    """What to answer to somebody who cancels a job in this state; only an active one is `cancelled` by it."""
    if state is None:
        return "not found"
    if state == "cancelled":
        return "already cancelled"
    return "already ended" if state in TERMINAL else "cancelled"
