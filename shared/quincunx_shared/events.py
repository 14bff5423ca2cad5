"""What happened, in the past tense. Telemetry sees these; tests assert on them.

When and where something happened is stamped on by a log that many machines write to, and is no part of what happened:
two events that differ in nothing else are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from quincunx_shared.names import RenderId, SegmentId


@dataclass(frozen=True, slots=True)
class _Told:
    #: When it was told, in seconds since 1970 by the clock of the log; 0 where the log keeps no time.
    at: float = field(default=0.0, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class _ToldByWorker(_Told):
    #: The worker of a farm that tells it.
    worker: str = field(default="", kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class RenderPlanned(_Told):
    """A plan stands: how many steps must run, are recalled, and are needed by nobody."""

    render: RenderId
    to_run: int
    recalled: int
    unneeded: int


@dataclass(frozen=True, slots=True)
class StageStarted(_Told):
    """All bundles of a level were released."""

    render: RenderId
    level: int
    bundles: int


@dataclass(frozen=True, slots=True)
class StepProgressed(_Told):
    """A running step told how far it is, in percent."""

    segment: SegmentId
    node: str
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class StepRan(_ToldByWorker):
    """A step was computed, and why it had to be."""

    segment: SegmentId
    node: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepRecalled(_ToldByWorker):
    """A step's outputs were known by one of its signatures; nothing was computed."""

    segment: SegmentId
    node: str
    by: str


@dataclass(frozen=True, slots=True)
class StepFailed(_ToldByWorker):
    """A step raised; its descendants are skipped."""

    segment: SegmentId
    node: str
    error: str


@dataclass(frozen=True, slots=True)
class StepSkipped(_Told):
    """A step did not run because one that feeds it failed."""

    segment: SegmentId
    node: str
    because: str


@dataclass(frozen=True, slots=True)
class StageEnded(_Told):
    """Every bundle of the level has ended, well or not."""

    render: RenderId
    level: int


@dataclass(frozen=True, slots=True)
class SegmentEnded(_Told):
    """All that was asked of a phrase, or of the song itself, has ended: succeeded or failed. Told once, by a farm."""

    segment: SegmentId
    state: str


@dataclass(frozen=True, slots=True)
class RenderEnded(_Told):
    """The render is over: `succeeded`, `partial` or `failed`."""

    render: RenderId
    state: str


Event: TypeAlias = (
    RenderPlanned
    | StageStarted
    | StepProgressed
    | StepRan
    | StepRecalled
    | StepFailed
    | StepSkipped
    | StageEnded
    | SegmentEnded
    | RenderEnded
)


def stamped(event: Event, at: float, worker: str = "") -> Event:
    """The event with when it was told, and by which worker, if it is one that workers tell."""
    return replace(event, at=at, worker=worker) if isinstance(event, _ToldByWorker) else replace(event, at=at)
