"""Barriers: what has to wait for what, beyond the data itself.

    strict    a stage of the whole song after the other: every model is loaded once
    wave      stages over windows of phrases: the first phrases are heard early
    segment   every phrase on its own: no barrier between phrases, for machines with room for all models

What reads several phrases, as the mix does, comes when all of them have ended, in every mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import Bundle

BarrierMode: TypeAlias = Literal["strict", "wave", "segment"]
Stage: TypeAlias = tuple[Bundle, ...]


@dataclass(frozen=True)
class Barrier:
    """A mode; for `wave`, how many phrases are a window."""

    mode: BarrierMode = "strict"
    window: int = 16

    @property
    def abreast(self) -> int:
        """How many lanes are under way at once: while one wave is on one device, the next is on the other."""
        return 2 if self.mode == "wave" else 64


STRICT = Barrier()


@dataclass(frozen=True)
class Lanes:
    """Stages that do not wait for each other, lane by lane, and those that wait for all lanes."""

    abreast: tuple[tuple[Stage, ...], ...]
    after: tuple[Stage, ...]


def lanes_of(stages: Sequence[Stage], barrier: Barrier = STRICT) -> Lanes:
    """Split the stages of a plan into lanes; every bundle is in exactly one place, and after all it reads."""
    if barrier.mode == "strict":
        return Lanes((), tuple(stages))
    bundles = [bundle for stage in stages for bundle in stage]
    joining = {bundle.segment for bundle in bundles if _reads_others(bundle)}
    alone = list(dict.fromkeys(bundle.segment for bundle in bundles if bundle.segment not in joining))
    width = max(barrier.window, 1) if barrier.mode == "wave" else 1
    windows = [frozenset(alone[start : start + width]) for start in range(0, len(alone), width)]
    lane_of = {segment: number for number, window in enumerate(windows) for segment in window}
    lanes: list[list[Stage]] = [[] for _ in windows]
    for stage in stages:
        found: dict[int, list[Bundle]] = {}
        for bundle in stage:
            if bundle.segment in lane_of:
                found.setdefault(lane_of[bundle.segment], []).append(bundle)
        for number, some in found.items():
            lanes[number].append(tuple(some))
    return Lanes(tuple(map(tuple, lanes)), _only(stages, frozenset(joining)))


def _only(stages: Sequence[Stage], segments: frozenset[SegmentId]) -> tuple[Stage, ...]:
    kept = (tuple(bundle for bundle in stage if bundle.segment in segments) for stage in stages)
    return tuple(stage for stage in kept if stage)


def _reads_others(bundle: Bundle) -> bool:
    sources = (source for task in bundle.tasks for one in task.inputs for source in one)
    return any(source.address is not None and source.address.segment != bundle.segment for source in sources)
