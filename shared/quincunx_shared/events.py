"""What happened, in the past tense. Telemetry sees these; tests assert on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from quincunx_shared.names import RenderId, SegmentId


@dataclass(frozen=True, slots=True)
class RenderPlanned:
    """A plan stands: how many steps must run, are recalled, and are needed by nobody."""

    render: RenderId
    to_run: int
    recalled: int
    unneeded: int


@dataclass(frozen=True, slots=True)
class StageStarted:
    """All bundles of a level were released."""

    render: RenderId
    level: int
    bundles: int


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """A running step told how far it is, in percent."""

    segment: SegmentId
    node: str
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class StepRan:
    """A step was computed, and why it had to be."""

    segment: SegmentId
    node: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepRecalled:
    """A step's outputs were known by one of its signatures; nothing was computed."""

    segment: SegmentId
    node: str
    by: str


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step raised; its descendants are skipped."""

    segment: SegmentId
    node: str
    error: str


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step did not run because one that feeds it failed."""

    segment: SegmentId
    node: str
    because: str


@dataclass(frozen=True, slots=True)
class StageEnded:
    """Every bundle of the level has ended, well or not."""

    render: RenderId
    level: int


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """All that was asked of a phrase, or of the song itself, has ended: succeeded or failed. Told once, by a farm."""

    segment: SegmentId
    state: str


@dataclass(frozen=True, slots=True)
class RenderEnded:
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
